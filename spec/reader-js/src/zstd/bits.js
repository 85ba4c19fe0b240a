/** Bit streams of RFC 8878: read backwards (section 4.1, last paragraph) and forwards (4.1.1). */
import { corrupt } from "./corrupt.js";

/** Reads from the last bit of a slice to its first; the highest set bit of the last byte marks the end. */
export class BackwardBits {
  constructor(bytes, start, end) {
    if (end <= start) corrupt("a bit stream is empty");
    const last = bytes[end - 1];
    if (last === 0) corrupt("a bit stream has no end mark");
    this.bytes = bytes;
    this.start = start;
    this.left = (end - start) * 8 - (Math.clz32(last) - 24) - 1;
  }

  /** `count` bits, at most 24, that lie `from` bits above the start of the slice. */
  bitsAt(from, count) {
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

  /** Like read, of up to 48 bits. */
  readWide(count) {
    return count <= 24 ? this.read(count) : this.read(count - 24) * 2 ** 24 + this.read(24);
  }

  /** Like read, with zero bits below the start; `left` becomes negative then. */
  readPadded(count) {
    this.left -= count;
    if (this.left >= 0) return this.bitsAt(this.left, count);
    const present = count + this.left;
    return present > 0 ? this.bitsAt(0, present) << -this.left : 0;
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

/** Reads from the first bit of a slice on, least significant bit of a byte first. */
export class ForwardBits {
  constructor(bytes, start, end) {
    this.bytes = bytes;
    this.at = start * 8;
    this.end = end * 8;
  }

  read(count) {
    if (count > this.end - this.at) corrupt("a table description ends early");
    let value = 0;
    for (let i = 0; i < count; i++, this.at++) value |= ((this.bytes[this.at >>> 3] >>> (this.at & 7)) & 1) << i;
    return value;
  }

  /** The first byte that no bit was read from. */
  nextByte() {
    return (this.at + 7) >>> 3;
  }
}
