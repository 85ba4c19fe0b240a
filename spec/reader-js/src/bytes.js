/** Little-endian reading, padding and hexadecimal (FORMAT.md section 1). */
import { fail } from "./errors.js";

export function viewOf(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A u64 that must not exceed 2^53 - 1. */
export function u64At(view, offset, where) {
  const high = view.getUint32(offset + 4, true);
  if (high > 0x1fffff) fail("E_OVERFLOW", where, "an integer exceeds 2^53 - 1");
  return high * 4294967296 + view.getUint32(offset, true);
}

/** Number of zero bytes that brings `n` to a multiple of 8. */
export function pad8(n) {
  return (8 - (n % 8)) % 8;
}

export function requireZero(bytes, where) {
  if (bytes.some((byte) => byte !== 0)) fail("E_COVER", where, "padding is not zero");
}

/** Minus zero counts as negative, so that equal values have equal bits. */
export function isFiniteNotNegative(value) {
  return Number.isFinite(value) && value >= 0 && !Object.is(value, -0);
}

export function equalBytes(a, b) {
  return compareBytes(a, b) === 0;
}

/** Byte order: negative, zero or positive. */
export function compareBytes(a, b) {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    if (a[i] !== b[i]) return a[i] - b[i];
  }
  return a.length - b.length;
}

export function concatBytes(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function toHex(bytes) {
  const pieces = [];
  for (let start = 0; start < bytes.length; start += 4096) {
    let piece = "";
    for (let i = start; i < Math.min(start + 4096, bytes.length); i++) piece += HEX[bytes[i]];
    pieces.push(piece);
  }
  return pieces.join("");
}

/** The little-endian bytes of an array of f32, on any machine. */
export function float32Bytes(values) {
  const bytes = new Uint8Array(4 * values.length);
  const view = viewOf(bytes);
  for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i], true);
  return bytes;
}
