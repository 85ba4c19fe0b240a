/** Where bytes come from: a buffer, or anything with a size and an asynchronous read(offset, length). */
import { fail } from "./errors.js";

export function sourceOf(given) {
  if (given instanceof ArrayBuffer) return sourceOf(new Uint8Array(given));
  if (ArrayBuffer.isView(given)) {
    const bytes = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
    return { size: bytes.length, read: async (offset, length) => bytes.slice(offset, offset + length) };
  }
  if (typeof given?.size !== "number" || typeof given?.read !== "function") {
    throw new TypeError("a source is an ArrayBuffer, a typed array, or {size, read(offset, length)}");
  }
  return {
    size: given.size,
    async read(offset, length) {
      const bytes = await given.read(offset, length);
      if (bytes.length !== length) fail("E_TRUNCATED", `byte ${offset}`, "the source gave fewer bytes than it has");
      return bytes;
    },
  };
}
