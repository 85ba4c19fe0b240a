/** Slices read from front to back, and bit streams read backwards (RFC 8878, section 4.1, last paragraph). */
import { fail } from "../errors.js";

export function corrupt(message) {
  fail("E_ZSTD", "zstd", message);
}

/** Reads from the first byte of a slice to its last; `message` says what would be cut. */
export class Slice {
  constructor(bytes, at, end) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** Go past `count` bytes; returns where they begin. */
  skip(count, message) {
    if (count > this.end - this.at) corrupt(message);
    this.at += count;
    return this.at - count;
  }

  /** A little-endian integer of `count` bytes. */
  integer(count, message) {
    const start = this.skip(count, message);
    let value = 0;
    for (let i = count - 1; i >= 0; i--) value = value * 256 + this.bytes[start + i];
    return value;
  }

  /** The next `count` bytes as a slice of their own. */
  part(count, message) {
    const start = this.skip(count, message);
    return new Slice(this.bytes, start, start + count);
  }
}

/** Reads from the last bit of a slice to its first; the highest set bit of the last byte marks the end. */
export class BackwardBits {
  constructor({ bytes, at, end }) {
    if (end <= at) corrupt("a bit stream is empty");
    const last = bytes[end - 1];
    if (last === 0) corrupt("a bit stream has no end mark");
    this.bytes = bytes;
    this.start = at;
    this.left = (end - at) * 8 - (Math.clz32(last) - 24) - 1;
  }

  /** `count` bits, at most 48, that lie `from` bits above the start of the slice. */
  bitsAt(from, count) {
    if (count > 24) return this.bitsAt(from + 24, count - 24) * 2 ** 24 + this.bitsAt(from, 24);
    const byte = this.start + (from >>> 3);
    const { bytes } = this;
    // A byte past the slice holds bits above the ones that are asked for, which the mask removes.
    const word = (bytes[byte] | (bytes[byte + 1] << 8) | (bytes[byte + 2] << 16) | (bytes[byte + 3] << 24)) >>> (from & 7);
    return word & ((1 << count) - 1);
  }

  read(count) {
    if (count > this.left) corrupt("a bit stream ends early");
    this.left -= count;
    return this.bitsAt(this.left, count);
  }

  /** The next `count` bits without moving, with zero bits below the start. */
  peek(count) {
    if (count <= this.left) return this.bitsAt(this.left - count, count);
    return this.left > 0 ? this.bitsAt(0, this.left) << (count - this.left) : 0;
  }

  requireEmpty() {
    if (this.left !== 0) corrupt("a bit stream is not used up");
  }
}
