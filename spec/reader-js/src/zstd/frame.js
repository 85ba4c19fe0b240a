/** One zstd frame under the rules of FORMAT.md 7.1 [F20]; RFC 8878, section 3.1.1. */
import { fail } from "../errors.js";
import { Slice, corrupt } from "./bits.js";
import { readLiterals } from "./literals.js";
import { runSequences } from "./sequences.js";

const MAGIC = 0xfd2fb528;
const MAX_WINDOW = 8388608;
const MAX_BLOCK = 131072;

/** [F20] up to the first block: descriptor, then content size, then window, which is returned. */
function readHeader(input, decodedBytes) {
  if (input.end < 6 || input.integer(4) !== MAGIC) corrupt("this is not a zstd frame");
  const descriptor = input.integer(1);
  if ((descriptor & 0x18) !== 0) corrupt("an unused or reserved bit is set");
  if ((descriptor & 0x04) !== 0) corrupt("the frame has a checksum of its own");
  if ((descriptor & 0x03) !== 0) corrupt("the frame has a dictionary id");
  const single = (descriptor & 0x20) !== 0;
  const windowCode = single ? 0 : input.integer(1);
  const sizeFlag = descriptor >> 6;
  if (sizeFlag === 0 && !single) corrupt("the frame does not state its content size");
  const size = input.integer(2 ** sizeFlag, "the frame header ends early") + (sizeFlag === 1 ? 256 : 0);
  if (size !== decodedBytes) fail("E_SIZE", "zstd", `the frame holds ${size} bytes, not ${decodedBytes}`);
  const window = single ? size : 2 ** (10 + (windowCode >> 3)) * (1 + (windowCode & 7) / 8);
  if (window > MAX_WINDOW) corrupt("the window is larger than 8 MiB");
  return window;
}

/** Decode `bytes`, which must be exactly one frame of `decodedBytes` bytes; E_SIZE or E_ZSTD. */
export function decodeZstd(bytes, decodedBytes) {
  const input = new Slice(bytes, 0, bytes.length);
  const maxBlock = Math.min(readHeader(input, decodedBytes), MAX_BLOCK);
  const out = { bytes: new Uint8Array(decodedBytes), at: 0 };
  /** What goes from block to block: the tree of literals, the three tables and the three latest distances. */
  const state = { huffman: null, tables: [null, null, null], offsets: [1, 4, 8] };
  for (let last = false; !last; ) {
    const header = input.integer(3, "a block header is missing");
    last = (header & 1) === 1;
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (type === 3) corrupt("a block has the reserved type");
    if (size > maxBlock) corrupt("a block is larger than its frame allows");
    const block = input.part(type === 1 ? 1 : size, "a block ends outside the frame");
    const blockEnd = Math.min(out.at + maxBlock, decodedBytes);
    if (type === 2) {
      runSequences(block, readLiterals(block, state), state, out, blockEnd);
    } else {
      if (size > blockEnd - out.at) corrupt("the frame holds more than it states");
      if (type === 0) out.bytes.set(bytes.subarray(block.at, block.end), out.at);
      else out.bytes.fill(bytes[block.at], out.at, out.at + size);
      out.at += size;
    }
  }
  if (input.at !== bytes.length) corrupt("bytes follow the frame");
  if (out.at !== decodedBytes) corrupt("the frame holds less than it states");
  return out.bytes;
}
