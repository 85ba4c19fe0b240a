/** Huffman-coded literals (RFC 8878, section 4.2). */
import { BackwardBits } from "./bits.js";
import { corrupt } from "./corrupt.js";
import { readTable } from "./fse.js";

const MAX_BITS = 11;

function weightsFromFse(bytes, start, end) {
  const { table, next } = readTable(bytes, start, end, { maxAccuracy: 6, maxSymbol: 255 });
  const bits = new BackwardBits(bytes, next, end);
  const states = [bits.read(table.accuracy), bits.read(table.accuracy)];
  const weights = [];
  for (let turn = 0; ; turn ^= 1) {
    if (weights.length > 254) corrupt("there are too many Huffman weights");
    weights.push(table.symbols[states[turn]]);
    states[turn] = table.base[states[turn]] + bits.readPadded(table.bits[states[turn]]);
    if (bits.left < 0) {
      weights.push(table.symbols[states[turn ^ 1]]);
      return weights;
    }
  }
}

function tableFromWeights(weights) {
  let sum = 0;
  for (const weight of weights) {
    if (weight > MAX_BITS) corrupt("a Huffman weight is too large");
    if (weight > 0) sum += 1 << (weight - 1);
  }
  if (sum === 0) corrupt("there are no Huffman weights");
  const maxBits = 32 - Math.clz32(sum);
  if (maxBits > MAX_BITS) corrupt("a Huffman code is too long");
  const rest = (1 << maxBits) - sum;
  if ((rest & (rest - 1)) !== 0) corrupt("the Huffman weights do not add up");
  const all = [...weights, 32 - Math.clz32(rest)];
  if (all.length > 256) corrupt("there are too many Huffman weights");
  if (all.filter((weight) => weight === 1).length < 2) corrupt("a Huffman tree lacks its longest codes");
  const symbols = new Uint8Array(1 << maxBits);
  const lengths = new Uint8Array(1 << maxBits);
  // Codes of one weight stand together, the longest first. Many files are small: their tables cost more than their text.
  const starts = new Uint16Array(maxBits + 2);
  for (const weight of all) if (weight > 0) starts[weight + 1] += 1 << (weight - 1);
  for (let weight = 1; weight <= maxBits; weight++) starts[weight + 1] += starts[weight];
  for (let symbol = 0; symbol < all.length; symbol++) {
    const weight = all[symbol];
    if (weight === 0) continue;
    const end = starts[weight] + (1 << (weight - 1));
    for (let at = starts[weight]; at < end; at++) {
      symbols[at] = symbol;
      lengths[at] = maxBits + 1 - weight;
    }
    starts[weight] = end;
  }
  return { maxBits, symbols, lengths };
}

/** Parse a tree description; returns the table and the byte after it. */
export function readHuffmanTable(bytes, start, end) {
  if (start >= end) corrupt("a Huffman tree is missing");
  const head = bytes[start];
  const body = start + 1;
  if (head < 128) {
    if (head > end - body) corrupt("a Huffman tree ends early");
    return { table: tableFromWeights(weightsFromFse(bytes, body, body + head)), next: body + head };
  }
  const count = head - 127;
  const size = (count + 1) >> 1;
  if (size > end - body) corrupt("a Huffman tree ends early");
  const weights = [];
  for (let i = 0; i < count; i++) weights.push(i & 1 ? bytes[body + (i >> 1)] & 15 : bytes[body + (i >> 1)] >> 4);
  return { table: tableFromWeights(weights), next: body + size };
}

/** Decode one stream into `out[from..to)`. */
export function readHuffmanStream(table, bytes, start, end, out, from, to) {
  const bits = new BackwardBits(bytes, start, end);
  const { maxBits, symbols, lengths } = table;
  const mask = (1 << maxBits) - 1;
  // The bytes that a code may touch, its first two included, lie in the slice; at its end `peek` looks after the rest.
  const inside = 8 * (end - start - 2);
  for (let i = from; i < to; i++) {
    const low = bits.left - maxBits;
    let code;
    if (low >= 0 && low < inside) {
      const byte = start + (low >>> 3);
      code = ((bytes[byte] | (bytes[byte + 1] << 8) | (bytes[byte + 2] << 16)) >>> (low & 7)) & mask;
    } else code = bits.peek(maxBits);
    out[i] = symbols[code];
    bits.left -= lengths[code];
    if (bits.left < 0) corrupt("a Huffman stream ends early");
  }
  bits.requireEmpty();
}
