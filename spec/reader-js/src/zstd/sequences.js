/** The sequences section of a compressed block and its execution (RFC 8878, sections 3.1.1.3.2 and 3.1.1.4). */
import { BackwardBits, corrupt } from "./bits.js";
import { readTable, tableFromCounts } from "./fse.js";

/** Base and width of every length code; the first code means `value`. */
function ranges(value, widths) {
  return widths.map((bits) => {
    const base = value;
    value += 2 ** bits;
    return { base, bits };
  });
}

const LITERAL_LENGTHS = ranges(0, [...Array(16).fill(0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
const MATCH_LENGTHS = ranges(3, [...Array(32).fill(0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);

const LITERAL_COUNTS = [4, 3, ...Array(11).fill(2), 1, 1, 1, ...Array(9).fill(2), 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1];
const OFFSET_COUNTS = [...Array(6).fill(1), 2, 2, 2, ...Array(15).fill(1), ...Array(5).fill(-1)];
const MATCH_COUNTS = [1, 4, 3, 2, 2, 2, 2, 2, 2, ...Array(37).fill(1), ...Array(7).fill(-1)];

/** The three tables of a sequences section, in its order: literal lengths, offsets, match lengths. */
const KINDS = [
  { maxAccuracy: 9, maxSymbol: 35, standard: tableFromCounts(LITERAL_COUNTS, 6) },
  { maxAccuracy: 8, maxSymbol: 31, standard: tableFromCounts(OFFSET_COUNTS, 5) },
  { maxAccuracy: 9, maxSymbol: 52, standard: tableFromCounts(MATCH_COUNTS, 6) },
];

function readCount(block) {
  const read = (count) => block.integer(count, "a sequences header ends early");
  const first = read(1);
  if (first < 128) return first;
  return first < 255 ? ((first - 128) << 8) + read(1) : read(2) + 0x7f00;
}

/** The table that `mode` asks for; `latest` is the one of the block before. */
function readChoice(mode, kind, block, latest) {
  if (mode === 0) return kind.standard;
  if (mode === 2) return readTable(block, kind);
  if (mode === 3) return latest ?? corrupt("sequences repeat a table that was never given");
  const symbol = block.integer(1, "a repeated symbol is missing");
  if (symbol > kind.maxSymbol) corrupt("a repeated symbol is out of range");
  return tableFromCounts([...Array(symbol).fill(0), 1], 0);
}

/** The distance a sequence copies from; moves it to the front of the three latest. */
function resolveOffset(value, literalLength, offsets) {
  const place = value - 1 + (literalLength === 0 ? 1 : 0);
  const distance = value > 3 ? value - 3 : place === 3 ? offsets[0] - 1 : offsets[place];
  if (distance === 0) corrupt("a match has distance 0");
  if (place > 1) offsets[2] = offsets[1];
  if (place > 0) offsets[1] = offsets[0];
  offsets[0] = distance;
  return distance;
}

/** Execute the section on `literals`; writes to `out.bytes` from `out.at` on and advances it. */
export function runSequences(block, literals, state, out, blockEnd) {
  let count = readCount(block);
  let literalAt = 0;
  const copyLiterals = (length) => {
    if (length > literals.length - literalAt) corrupt("a sequence asks for too many literals");
    if (length > blockEnd - out.at) corrupt("a block is larger than its frame allows");
    // Most are a few bytes long: a loop, where a view of them would have to be made.
    const { bytes: target } = out;
    for (let i = 0; i < length; i++) target[out.at++] = literals[literalAt++];
  };
  if (count === 0 && block.at !== block.end) corrupt("bytes follow the last sequence");
  if (count > 0) {
    const modes = block.integer(1, "a sequences header ends early");
    if ((modes & 3) !== 0) corrupt("a reserved bit is set");
    state.tables = KINDS.map((kind, i) => readChoice((modes >> (6 - 2 * i)) & 3, kind, block, state.tables[i]));
    const [ll, of, ml] = state.tables;
    const bits = new BackwardBits(block);
    let llState = bits.read(ll.accuracy);
    let ofState = bits.read(of.accuracy);
    let mlState = bits.read(ml.accuracy);
    while (count-- > 0) {
      const offsetCode = of.symbols[ofState];
      const offsetValue = 2 ** offsetCode + bits.read(offsetCode);
      const matchCode = MATCH_LENGTHS[ml.symbols[mlState]];
      const matchLength = matchCode.base + bits.read(matchCode.bits);
      const literalCode = LITERAL_LENGTHS[ll.symbols[llState]];
      const literalLength = literalCode.base + bits.read(literalCode.bits);
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
