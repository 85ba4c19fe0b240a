/** Huffman-coded literals (RFC 8878, section 4.2). */
import { BackwardBits, corrupt } from "./bits.js";
import { readTable } from "./fse.js";

const MAX_BITS = 11;

function weightsFromFse(input) {
  const table = readTable(input, { maxAccuracy: 6, maxSymbol: 255 });
  const bits = new BackwardBits(input);
  const states = [bits.read(table.accuracy), bits.read(table.accuracy)];
  const weights = [];
  let turn = 0;
  for (; bits.left >= 0; turn ^= 1) {
    if (weights.length > 254) corrupt("there are too many Huffman weights");
    const state = states[turn];
    weights.push(table.symbols[state]);
    states[turn] = table.base[state] + bits.peek(table.bits[state]);
    bits.left -= table.bits[state];
  }
  return [...weights, table.symbols[states[turn]]];
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
  all.forEach((weight, symbol) => {
    if (weight === 0) return;
    const end = starts[weight] + (1 << (weight - 1));
    for (let at = starts[weight]; at < end; at++) {
      symbols[at] = symbol;
      lengths[at] = maxBits + 1 - weight;
    }
    starts[weight] = end;
  });
  return { maxBits, symbols, lengths };
}

/** Parse a tree description, which is passed in `input`. */
export function readHuffmanTable(input) {
  const head = input.integer(1, "a Huffman tree is missing");
  if (head < 128) return tableFromWeights(weightsFromFse(input.part(head, "a Huffman tree ends early")));
  const count = head - 127;
  const start = input.skip((count + 1) >> 1, "a Huffman tree ends early");
  const pairs = Array.from(input.bytes.subarray(start, input.at), (byte) => [byte >> 4, byte & 15]);
  return tableFromWeights(pairs.flat().slice(0, count));
}

/** Decode one stream into `out[from..to)`. */
export function readHuffmanStream({ maxBits, symbols, lengths }, input, out, from, to) {
  const bits = new BackwardBits(input);
  const { bytes, at: start } = input;
  const mask = (1 << maxBits) - 1;
  // The bytes that a code may touch, its first two included, lie in the slice; at its end `peek` looks after the rest.
  const inside = 8 * (input.end - start - 2);
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
