/**
 * Canonical maps (FORMAT.md 6.1): the subset of MessagePack in which every value has exactly one encoding.
 *
 * A value decodes to {type, value} with type "map", "array", "text", "bytes", "boolean", "integer" or "float"; a map
 * value is an array of [key, value], and every map also carries `bytes`, its own encoding.
 */
import { compareBytes, viewOf } from "./bytes.js";
import { fail } from "./errors.js";
import { decodeUtf8 } from "./utf8.js";

const MAX_DEPTH = 8;
const MAX_VALUES = 100000;
const MAX_STRING_BYTES = 1048576;

class Decoder {
  constructor(bytes, where) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.where = where;
    this.at = 0;
    this.values = 0;
  }

  refuse(message) {
    fail("E_TOC_FORM", this.where, `${message} (byte ${this.at})`);
  }

  take(count) {
    if (count > this.bytes.length - this.at) this.refuse("the map ends early");
    const start = this.at;
    this.at += count;
    return start;
  }

  /** An unsigned integer of 1, 2, 4 or 8 bytes that would not fit in fewer: at least `least`. */
  unsigned(width, least) {
    const start = this.take(width);
    let value;
    if (width === 1) value = this.view.getUint8(start);
    else if (width === 2) value = this.view.getUint16(start);
    else if (width === 4) value = this.view.getUint32(start);
    else {
      const high = this.view.getUint32(start);
      if (high > 0x1fffff) this.refuse("an integer exceeds 2^53 - 1");
      value = high * 4294967296 + this.view.getUint32(start + 4);
    }
    if (value < least) this.refuse("an integer or a length is not in its shortest form");
    return value;
  }

  negative(width, most) {
    const start = this.take(width);
    let value;
    if (width === 1) value = this.view.getInt8(start);
    else if (width === 2) value = this.view.getInt16(start);
    else if (width === 4) value = this.view.getInt32(start);
    else {
      const wide = this.view.getBigInt64(start);
      if (wide < -9007199254740991n) this.refuse("an integer exceeds 2^53 - 1");
      value = wide >= 0n ? 0 : Number(wide);
    }
    if (value > most) this.refuse("an integer is not in its shortest form");
    return value;
  }

  text(length) {
    if (length > MAX_STRING_BYTES) this.refuse("a text is too long");
    const start = this.take(length);
    const text = decodeUtf8(this.bytes.subarray(start, start + length));
    if (text === null) this.refuse("a text is not valid UTF-8");
    return text;
  }

  binary(length) {
    if (length > MAX_STRING_BYTES) this.refuse("a byte string is too long");
    const start = this.take(length);
    return { type: "bytes", value: this.bytes.slice(start, start + length) };
  }

  keyLength() {
    if (++this.values > MAX_VALUES) this.refuse("a map has too many values");
    const tag = this.bytes[this.take(1)];
    if (tag >= 0xa0 && tag <= 0xbf) return tag & 0x1f;
    if (tag === 0xd9) return this.unsigned(1, 32);
    if (tag === 0xda) return this.unsigned(2, 0x100);
    if (tag === 0xdb) return this.unsigned(4, 0x10000);
    return this.refuse("a key is not a text");
  }

  array(length, depth) {
    if (depth > MAX_DEPTH) this.refuse("maps and arrays nest too deep");
    const value = [];
    for (let i = 0; i < length; i++) value.push(this.any(depth + 1));
    return { type: "array", value };
  }

  map(start, length, depth) {
    if (depth > MAX_DEPTH) this.refuse("maps and arrays nest too deep");
    const value = [];
    let before = null;
    for (let i = 0; i < length; i++) {
      const keyLength = this.keyLength();
      const keyBytes = this.bytes.subarray(this.at, this.at + keyLength);
      const key = this.text(keyLength);
      if (before !== null && compareBytes(before, keyBytes) >= 0) this.refuse("keys do not ascend strictly");
      before = keyBytes;
      value.push([key, this.any(depth + 1)]);
    }
    return { type: "map", value, bytes: this.bytes.slice(start, this.at) };
  }

  any(depth) {
    if (++this.values > MAX_VALUES) this.refuse("a map has too many values");
    const start = this.take(1);
    const tag = this.bytes[start];
    if (tag < 0x80) return { type: "integer", value: tag };
    if (tag < 0x90) return this.map(start, tag & 0x0f, depth);
    if (tag < 0xa0) return this.array(tag & 0x0f, depth);
    if (tag < 0xc0) return { type: "text", value: this.text(tag & 0x1f) };
    if (tag >= 0xe0) return { type: "integer", value: tag - 256 };
    switch (tag) {
      case 0xc2: return { type: "boolean", value: false };
      case 0xc3: return { type: "boolean", value: true };
      case 0xc4: return this.binary(this.unsigned(1, 0));
      case 0xc5: return this.binary(this.unsigned(2, 0x100));
      case 0xc6: return this.binary(this.unsigned(4, 0x10000));
      case 0xcb: return this.float();
      case 0xcc: return { type: "integer", value: this.unsigned(1, 0x80) };
      case 0xcd: return { type: "integer", value: this.unsigned(2, 0x100) };
      case 0xce: return { type: "integer", value: this.unsigned(4, 0x10000) };
      case 0xcf: return { type: "integer", value: this.unsigned(8, 0x100000000) };
      case 0xd0: return { type: "integer", value: this.negative(1, -33) };
      case 0xd1: return { type: "integer", value: this.negative(2, -0x81) };
      case 0xd2: return { type: "integer", value: this.negative(4, -0x8001) };
      case 0xd3: return { type: "integer", value: this.negative(8, -0x80000001) };
      case 0xd9: return { type: "text", value: this.text(this.unsigned(1, 32)) };
      case 0xda: return { type: "text", value: this.text(this.unsigned(2, 0x100)) };
      case 0xdb: return { type: "text", value: this.text(this.unsigned(4, 0x10000)) };
      case 0xdc: return this.array(this.unsigned(2, 16), depth);
      case 0xdd: return this.array(this.unsigned(4, 0x10000), depth);
      case 0xde: return this.map(start, this.unsigned(2, 16), depth);
      case 0xdf: return this.map(start, this.unsigned(4, 0x10000), depth);
      default: return this.refuse(`0x${tag.toString(16)} begins no value`);
    }
  }

  float() {
    const start = this.take(8);
    const value = this.view.getFloat64(start);
    if (!Number.isFinite(value)) this.refuse("a number is not finite");
    return { type: "float", value };
  }
}

/** Decode one value that fills `bytes`; E_TOC_FORM when it is not in the canonical form. */
export function decodeCanonical(bytes, where) {
  const decoder = new Decoder(bytes, where);
  const value = decoder.any(1);
  if (decoder.at !== bytes.length) decoder.refuse("bytes follow the map");
  return value;
}

/** Plain JavaScript values: maps become objects without a prototype, byte strings Uint8Array. */
export function toPlain(node) {
  if (node.type === "array") return node.value.map(toPlain);
  if (node.type !== "map") return node.value;
  const plain = Object.create(null);
  for (const [key, value] of node.value) plain[key] = toPlain(value);
  return plain;
}
