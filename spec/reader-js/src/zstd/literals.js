/** The literals section of a compressed block (RFC 8878, section 3.1.1.3.1). */
import { corrupt } from "./corrupt.js";
import { readHuffmanStream, readHuffmanTable } from "./huffman.js";

const MAX_LITERALS = 131072;

function littleEndian(bytes, start, count, end) {
  if (count > end - start) corrupt("a literals header ends early");
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 256 + bytes[start + i];
  return value;
}

/** Sizes in the header: regenerated, compressed (0 for raw and RLE), number of streams, bytes of the header. */
function readHeader(bytes, start, end) {
  if (start >= end) corrupt("a block has no literals section");
  const type = bytes[start] & 3;
  const format = (bytes[start] >> 2) & 3;
  if (type < 2) {
    const headBytes = format === 1 ? 2 : format === 3 ? 3 : 1;
    const value = littleEndian(bytes, start, headBytes, end);
    return { type, size: headBytes === 1 ? value >> 3 : value >> 4, headBytes };
  }
  const headBytes = format < 2 ? 3 : format + 2;
  const width = format < 2 ? 10 : format === 2 ? 14 : 18;
  const value = Math.floor(littleEndian(bytes, start, headBytes, end) / 16);
  return { type, size: value % 2 ** width, packed: Math.floor(value / 2 ** width), streams: format === 0 ? 1 : 4, headBytes };
}

/** Returns the literals and the byte after the section; `state.huffman` keeps the tree for later blocks. */
export function readLiterals(bytes, start, end, state) {
  const header = readHeader(bytes, start, end);
  if (header.size > MAX_LITERALS) corrupt("a block has too many literals");
  let at = start + header.headBytes;
  if (header.type === 0) {
    if (header.size > end - at) corrupt("raw literals end early");
    return { literals: bytes.subarray(at, at + header.size), next: at + header.size };
  }
  if (header.type === 1) {
    if (at >= end) corrupt("the repeated literal is missing");
    return { literals: new Uint8Array(header.size).fill(bytes[at]), next: at + 1 };
  }
  const next = at + header.packed;
  if (next > end) corrupt("compressed literals end outside the block");
  if (header.type === 2) {
    const tree = readHuffmanTable(bytes, at, next);
    state.huffman = tree.table;
    at = tree.next;
  } else if (state.huffman === null) {
    corrupt("literals repeat a tree that was never given");
  }
  const literals = new Uint8Array(header.size);
  if (header.streams === 1) {
    readHuffmanStream(state.huffman, bytes, at, next, literals, 0, header.size);
    return { literals, next };
  }
  if (header.size < 6) corrupt("four streams hold too few literals");
  if (next - at < 6) corrupt("the jump table ends early");
  const share = (header.size + 3) >> 2;
  let from = at + 6;
  for (let stream = 0; stream < 4; stream++) {
    const to = stream === 3 ? next : from + littleEndian(bytes, at + 2 * stream, 2, next);
    if (to > next) corrupt("a literals stream ends outside its section");
    const last = stream === 3 ? header.size : share * (stream + 1);
    readHuffmanStream(state.huffman, bytes, from, to, literals, share * stream, last);
    from = to;
  }
  return { literals, next };
}
