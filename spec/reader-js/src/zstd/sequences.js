/** The sequences section of a compressed block and its execution (RFC 8878, sections 3.1.1.3.2 and 3.1.1.4). */
import { BackwardBits } from "./bits.js";
import { corrupt } from "./corrupt.js";
import { readTable, tableFromCounts, tableOfOne } from "./fse.js";

const MAX_OFFSET_CODE = 31;

function ranges(pieces) {
  const base = [];
  const bits = [];
  for (const [first, widths] of pieces) {
    let value = first;
    for (const width of widths) {
      base.push(value);
      bits.push(width);
      value += 2 ** width;
    }
  }
  return { base, bits };
}

const LITERAL_LENGTHS = ranges([
  [0, [...Array(16).fill(0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]],
]);
const MATCH_LENGTHS = ranges([
  [3, [...Array(32).fill(0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]],
]);

/** The three tables of a sequences section. */
const KINDS = {
  literalLength: {
    maxAccuracy: 9,
    maxSymbol: 35,
    standard: tableFromCounts(
      [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1],
      6,
    ),
  },
  offset: {
    maxAccuracy: 8,
    maxSymbol: 31,
    standard: tableFromCounts(
      [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1],
      5,
    ),
  },
  matchLength: {
    maxAccuracy: 9,
    maxSymbol: 52,
    standard: tableFromCounts(
      [
        1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
      ],
      6,
    ),
  },
};

/** What a frame carries from block to block. */
export function newFrameState() {
  return { huffman: null, tables: { literalLength: null, offset: null, matchLength: null }, offsets: [1, 4, 8] };
}

function readCount(bytes, start, end) {
  const need = (count) => {
    if (count > end - start) corrupt("a sequences header ends early");
  };
  need(1);
  const first = bytes[start];
  if (first < 128) return [first, start + 1];
  if (first < 255) {
    need(2);
    return [((first - 128) << 8) + bytes[start + 1], start + 2];
  }
  need(3);
  return [bytes[start + 1] + (bytes[start + 2] << 8) + 0x7f00, start + 3];
}

function chooseTable(mode, name, bytes, at, end, state) {
  const kind = KINDS[name];
  if (mode === 0) {
    state.tables[name] = kind.standard;
    return at;
  }
  if (mode === 1) {
    if (at >= end) corrupt("a repeated symbol is missing");
    if (bytes[at] > kind.maxSymbol) corrupt("a repeated symbol is out of range");
    state.tables[name] = tableOfOne(bytes[at]);
    return at + 1;
  }
  if (mode === 2) {
    const { table, next } = readTable(bytes, at, end, kind);
    state.tables[name] = table;
    return next;
  }
  if (state.tables[name] === null) corrupt("sequences repeat a table that was never given");
  return at;
}

/** The distance a sequence copies from; moves it to the front of the three latest. */
function resolveOffset(value, literalLength, offsets) {
  if (value > 3) {
    offsets.unshift(value - 3);
    offsets.length = 3;
    return value - 3;
  }
  const place = value - 1 + (literalLength === 0 ? 1 : 0);
  if (place === 0) return offsets[0];
  const distance = place === 3 ? offsets[0] - 1 : offsets[place];
  if (distance === 0) corrupt("a match has distance 0");
  offsets.splice(Math.min(place, 2), 1);
  offsets.unshift(distance);
  return distance;
}

/** Execute the section on `literals`; writes to `out.bytes` from `out.at` on and advances it. */
export function runSequences(bytes, start, end, literals, state, out, blockEnd) {
  let [count, at] = readCount(bytes, start, end);
  let literalAt = 0;
  const copyLiterals = (length) => {
    if (length > literals.length - literalAt) corrupt("a sequence asks for too many literals");
    if (length > blockEnd - out.at) corrupt("a block is larger than its frame allows");
    // Most are a few bytes long: a loop, where a view of them would have to be made.
    const { bytes: target } = out;
    for (let i = 0; i < length; i++) target[out.at++] = literals[literalAt++];
  };
  if (count === 0) {
    if (at !== end) corrupt("bytes follow the last sequence");
  } else {
    if (at >= end) corrupt("a sequences header ends early");
    const modes = bytes[at++];
    if ((modes & 3) !== 0) corrupt("a reserved bit is set");
    at = chooseTable(modes >> 6, "literalLength", bytes, at, end, state);
    at = chooseTable((modes >> 4) & 3, "offset", bytes, at, end, state);
    at = chooseTable((modes >> 2) & 3, "matchLength", bytes, at, end, state);
    const { literalLength: ll, offset: of, matchLength: ml } = state.tables;
    const bits = new BackwardBits(bytes, at, end);
    let llState = bits.read(ll.accuracy);
    let ofState = bits.read(of.accuracy);
    let mlState = bits.read(ml.accuracy);
    while (count-- > 0) {
      const offsetCode = of.symbols[ofState];
      if (offsetCode > MAX_OFFSET_CODE) corrupt("an offset code is out of range");
      const offsetValue = 2 ** offsetCode + bits.readWide(offsetCode);
      const mlCode = ml.symbols[mlState];
      const matchLength = MATCH_LENGTHS.base[mlCode] + bits.read(MATCH_LENGTHS.bits[mlCode]);
      const llCode = ll.symbols[llState];
      const literalLength = LITERAL_LENGTHS.base[llCode] + bits.read(LITERAL_LENGTHS.bits[llCode]);
      if (count > 0) {
        llState = ll.base[llState] + bits.read(ll.bits[llState]);
        mlState = ml.base[mlState] + bits.read(ml.bits[mlState]);
        ofState = of.base[ofState] + bits.read(of.bits[ofState]);
      }
      copyLiterals(literalLength);
      const distance = resolveOffset(offsetValue, literalLength, state.offsets);
      // Matches beyond the window are not refused: the whole content is at hand (FORMAT.md [F20]).
      if (distance > out.at) corrupt("a match begins before the content");
      if (matchLength > blockEnd - out.at) corrupt("a block is larger than its frame allows");
      const { bytes: target } = out;
      for (let i = 0; i < matchLength; i++, out.at++) target[out.at] = target[out.at - distance];
    }
    bits.requireEmpty();
  }
  copyLiterals(literals.length - literalAt);
}
