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

/**
 * Tags with a number behind them, the value or a length: type, bytes and reader of the number, and where it begins to
 * need that many: the least if it is positive, the largest if it is negative.
 */
const TAGS = {
  0xc4: ["bytes", 1, "getUint8", 0],
  0xc5: ["bytes", 2, "getUint16", 0x100],
  0xc6: ["bytes", 4, "getUint32", 0x10000],
  0xcc: ["integer", 1, "getUint8", 0x80],
  0xcd: ["integer", 2, "getUint16", 0x100],
  0xce: ["integer", 4, "getUint32", 0x10000],
  0xcf: ["integer", 8, "getBigUint64", 0x100000000],
  0xd0: ["integer", 1, "getInt8", -33],
  0xd1: ["integer", 2, "getInt16", -0x81],
  0xd2: ["integer", 4, "getInt32", -0x8001],
  0xd3: ["integer", 8, "getBigInt64", -0x80000001],
  0xd9: ["text", 1, "getUint8", 32],
  0xda: ["text", 2, "getUint16", 0x100],
  0xdb: ["text", 4, "getUint32", 0x10000],
  0xdc: ["array", 2, "getUint16", 16],
  0xdd: ["array", 4, "getUint32", 0x10000],
  0xde: ["map", 2, "getUint16", 16],
  0xdf: ["map", 4, "getUint32", 0x10000],
};

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

  number(width, read, bound) {
    const value = Number(this.view[read](this.take(width)));
    if (!Number.isSafeInteger(value)) this.refuse("an integer exceeds 2^53 - 1");
    if (bound < 0 && value > bound) this.refuse("an integer is not in its shortest form");
    if (value < bound && bound >= 0) this.refuse("an integer or a length is not in its shortest form");
    return value;
  }

  /** Go past a tag and the number behind it: {type, value}, the value being that number, which a short tag holds itself. */
  head() {
    if (++this.values > MAX_VALUES) this.refuse("a map has too many values");
    const tag = this.bytes[this.take(1)];
    if (tag < 0x80) return { type: "integer", value: tag };
    if (tag < 0x90) return { type: "map", value: tag & 0x0f };
    if (tag < 0xa0) return { type: "array", value: tag & 0x0f };
    if (tag < 0xc0) return { type: "text", value: tag & 0x1f };
    if (tag >= 0xe0) return { type: "integer", value: tag - 256 };
    if (tag === 0xc2 || tag === 0xc3) return { type: "boolean", value: tag === 0xc3 };
    if (tag === 0xcb) return { type: "float", value: this.view.getFloat64(this.take(8)) };
    const [type, width, read, bound] = TAGS[tag] ?? this.refuse(`0x${tag.toString(16)} begins no value`);
    return { type, value: this.number(width, read, bound) };
  }

  string(length, what) {
    if (length > MAX_STRING_BYTES) this.refuse(`a ${what} is too long`);
    const start = this.take(length);
    return this.bytes.subarray(start, start + length);
  }

  text(bytes) {
    return decodeUtf8(bytes) ?? this.refuse("a text is not valid UTF-8");
  }

  entries(length, depth) {
    const entries = [];
    let before = null;
    for (let i = 0; i < length; i++) {
      const { type, value: keyLength } = this.head();
      if (type !== "text") this.refuse("a key is not a text");
      const keyBytes = this.string(keyLength, "text");
      const key = this.text(keyBytes);
      if (before !== null && compareBytes(before, keyBytes) >= 0) this.refuse("keys do not ascend strictly");
      before = keyBytes;
      entries.push([key, this.any(depth + 1)]);
    }
    return entries;
  }

  any(depth) {
    const start = this.at;
    const node = this.head();
    const { type, value } = node;
    if (type === "float" && !Number.isFinite(value)) this.refuse("a number is not finite");
    if (type === "text") node.value = this.text(this.string(value, "text"));
    if (type === "bytes") node.value = this.string(value, "byte string").slice();
    if (type !== "array" && type !== "map") return node;
    if (depth > MAX_DEPTH) this.refuse("maps and arrays nest too deep");
    if (type === "map") return { type, value: this.entries(value, depth), bytes: this.bytes.slice(start, this.at) };
    const values = [];
    for (let i = 0; i < value; i++) values.push(this.any(depth + 1));
    return { type, value: values };
  }
}

/** Decode one value that fills `bytes`; E_TOC_FORM when it is not in the canonical form. */
export function decodeCanonical(bytes, where) {
  const decoder = new Decoder(bytes, where);
  const value = decoder.any(1);
  if (decoder.at !== bytes.length) decoder.refuse("bytes follow the map");
  return value;
}

/** The [key, value] of what must be a map; E_TOC_KEY. */
export function entriesOf(node, where) {
  return node.type === "map" ? node.value : fail("E_TOC_KEY", where, "this is not a map");
}

/** The values of what must be an array; E_TOC_KEY. */
export function arrayOf(node, where) {
  return node.type === "array" ? node.value : fail("E_TOC_KEY", where, "this is not an array");
}

/** Plain JavaScript values: maps become objects without a prototype, byte strings Uint8Array. */
export function toPlain(node) {
  if (node.type === "array") return node.value.map(toPlain);
  if (node.type !== "map") return node.value;
  const plain = Object.create(null);
  for (const [key, value] of node.value) plain[key] = toPlain(value);
  return plain;
}
