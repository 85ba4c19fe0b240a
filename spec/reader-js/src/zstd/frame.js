/** One zstd frame under the rules of FORMAT.md 7.1 [F20]; RFC 8878, section 3.1.1. */
import { fail } from "../errors.js";
import { corrupt } from "./corrupt.js";
import { readLiterals } from "./literals.js";
import { newFrameState, runSequences } from "./sequences.js";

const MAX_WINDOW = 8388608;
const MAX_BLOCK = 131072;

function littleEndian(bytes, at, count) {
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 256 + bytes[at + i];
  return value;
}

/** [F20] up to the first block: descriptor, then content size, then window. */
function readHeader(bytes, decodedBytes) {
  const magic = [0x28, 0xb5, 0x2f, 0xfd];
  if (bytes.length < 6 || magic.some((byte, i) => bytes[i] !== byte)) corrupt("this is not a zstd frame");
  const descriptor = bytes[4];
  if ((descriptor & 0x18) !== 0) corrupt("an unused or reserved bit is set");
  if ((descriptor & 0x04) !== 0) corrupt("the frame has a checksum of its own");
  if ((descriptor & 0x03) !== 0) corrupt("the frame has a dictionary id");
  const single = (descriptor & 0x20) !== 0;
  let at = 5;
  let window = 0;
  if (!single) {
    const exponent = bytes[at] >> 3;
    const base = 2 ** (10 + exponent);
    window = base + (base / 8) * (bytes[at] & 7);
    at += 1;
  }
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? (single ? 1 : 0) : 2 ** sizeFlag;
  if (sizeBytes === 0) corrupt("the frame does not state its content size");
  if (sizeBytes > bytes.length - at) corrupt("the frame header ends early");
  const size = littleEndian(bytes, at, sizeBytes) + (sizeFlag === 1 ? 256 : 0);
  at += sizeBytes;
  if (size !== decodedBytes) fail("E_SIZE", "zstd", `the frame holds ${size} bytes, not ${decodedBytes}`);
  if (single) window = size;
  if (window > MAX_WINDOW) corrupt("the window is larger than 8 MiB");
  return { at, window };
}

/** Decode `bytes`, which must be exactly one frame of `decodedBytes` bytes; E_SIZE or E_ZSTD. */
export function decodeZstd(bytes, decodedBytes) {
  const { at: first, window } = readHeader(bytes, decodedBytes);
  const out = { bytes: new Uint8Array(decodedBytes), at: 0 };
  const state = newFrameState();
  const maxBlock = Math.min(window, MAX_BLOCK);
  for (let at = first, last = false; !last; ) {
    if (bytes.length - at < 3) corrupt("a block header is missing");
    const header = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
    at += 3;
    last = (header & 1) === 1;
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (type === 3) corrupt("a block has the reserved type");
    if (size > maxBlock) corrupt("a block is larger than its frame allows");
    const stored = type === 1 ? 1 : size;
    if (stored > bytes.length - at) corrupt("a block ends outside the frame");
    const blockEnd = Math.min(out.at + maxBlock, decodedBytes);
    if (type === 2) {
      const { literals, next } = readLiterals(bytes, at, at + size, state);
      runSequences(bytes, next, at + size, literals, state, out, blockEnd);
    } else {
      if (size > blockEnd - out.at) corrupt("the frame holds more than it states");
      if (type === 0) out.bytes.set(bytes.subarray(at, at + size), out.at);
      else out.bytes.fill(bytes[at], out.at, out.at + size);
      out.at += size;
    }
    at += stored;
    if (last && at !== bytes.length) corrupt("bytes follow the frame");
  }
  if (out.at !== decodedBytes) corrupt("the frame holds less than it states");
  return out.bytes;
}
