/** The literals section of a compressed block (RFC 8878, section 3.1.1.3.1). */
import { corrupt } from "./bits.js";
import { readHuffmanStream, readHuffmanTable } from "./huffman.js";

const MAX_LITERALS = 131072;
/** Bytes of the header and bits of a size, by the format of Huffman literals. */
const HUFFMAN_FORMATS = [[3, 10], [3, 10], [4, 14], [5, 18]];

/** Type, regenerated size and, for Huffman literals, compressed size and number of streams. */
function readHeader(block) {
  if (block.at >= block.end) corrupt("a block has no literals section");
  const type = block.bytes[block.at] & 3;
  const format = (block.bytes[block.at] >> 2) & 3;
  const read = (count) => block.integer(count, "a literals header ends early");
  if (type < 2) return { type, size: format === 1 ? read(2) >> 4 : format === 3 ? read(3) >> 4 : read(1) >> 3 };
  const [headBytes, width] = HUFFMAN_FORMATS[format];
  const value = Math.floor(read(headBytes) / 16);
  return { type, size: value % 2 ** width, packed: Math.floor(value / 2 ** width), streams: format === 0 ? 1 : 4 };
}

/** Returns the literals, whose section is passed in `block`; `state.huffman` keeps the tree for later blocks. */
export function readLiterals(block, state) {
  const { type, size, packed, streams } = readHeader(block);
  const { bytes } = block;
  if (size > MAX_LITERALS) corrupt("a block has too many literals");
  if (type === 0) return bytes.subarray(block.skip(size, "raw literals end early"), block.at);
  if (type === 1) return new Uint8Array(size).fill(block.integer(1, "the repeated literal is missing"));
  const input = block.part(packed, "compressed literals end outside the block");
  if (type === 2) state.huffman = readHuffmanTable(input);
  else if (state.huffman === null) corrupt("literals repeat a tree that was never given");
  const literals = new Uint8Array(size);
  if (streams === 4 && size < 6) corrupt("four streams hold too few literals");
  const jumps = input.part(2 * (streams - 1), "the jump table ends early");
  const share = Math.ceil(size / streams);
  for (let from = 0, left = streams; left > 0; from += share, left--) {
    const length = left === 1 ? input.end - input.at : jumps.integer(2);
    const part = input.part(length, "a literals stream ends outside its section");
    readHuffmanStream(state.huffman, part, literals, from, left === 1 ? size : from + share);
  }
  return literals;
}
