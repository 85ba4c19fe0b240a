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

function readHeader(bytes, decodedBytes, { atMost, dictionaries }) {
  const magic = [0x28, 0xb5, 0x2f, 0xfd];
  if (bytes.length < 6 || magic.some((byte, i) => bytes[i] !== byte)) corrupt("this is not a zstd frame");
  const descriptor = bytes[4];
  if ((descriptor & 0x18) !== 0) corrupt("an unused or reserved bit is set");
  if ((descriptor & 0x04) !== 0) corrupt("the frame has a checksum of its own");
  if ((descriptor & 0x03) !== (dictionaries === null ? 0 : 3)) corrupt("the frame names a dictionary, or names none in four bytes");
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
  if (sizeBytes === 0) fail("E_SIZE", "zstd", "the frame does not state its content size");
  const idBytes = dictionaries === null ? 0 : 4;
  if (idBytes + sizeBytes > bytes.length - at) corrupt("the frame header ends early");
  const id = littleEndian(bytes, at, idBytes);
  at += idBytes;
  const size = littleEndian(bytes, at, sizeBytes) + (sizeFlag === 1 ? 256 : 0);
  at += sizeBytes;
  if (single) window = size;
  if (window > MAX_WINDOW) corrupt("the window is larger than 8 MiB");
  if (atMost ? size > decodedBytes : size !== decodedBytes) fail("E_SIZE", "zstd", `the frame holds ${size} bytes, not ${decodedBytes}`);
  const dictionary = dictionaries === null ? null : dictionaries.get(id);
  if (dictionary === undefined) fail("E_DICT", "zstd", `the dictionary ${id.toString(16)} is needed`);
  return { at, window, size, dictionary };
}

/**
 * Decode `bytes`, which must be exactly one frame of `decodedBytes` bytes (with `atMost`: of no more); E_SIZE or E_ZSTD.
 *
 * With `dictionaries`, a Map by id, the frame must name one of them; E_DICT.
 */
export function decodeZstd(bytes, decodedBytes, { atMost = false, dictionaries = null } = {}) {
  const { at: first, window, size: contentBytes, dictionary } = readHeader(bytes, decodedBytes, { atMost, dictionaries });
  const before = dictionary === null ? 0 : dictionary.content.length;
  const end = before + contentBytes;
  const out = { bytes: new Uint8Array(end), at: before };
  if (dictionary !== null) out.bytes.set(dictionary.content);
  const state = newFrameState(dictionary);
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
    const blockEnd = Math.min(out.at + maxBlock, end);
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
  if (out.at !== end) corrupt("the frame holds less than it states");
  return out.bytes.subarray(before);
}
