/** Pixel patches (FORMAT.md 5.5). */
import { viewOf } from "./bytes.js";
import { fail } from "./errors.js";

const HEAD_BYTES = 8;

/** The stream as {height, width, bytesPerPixel, values}, values as stored: patch by patch, row by row, little-endian. */
export function readPixels(bytes, patches, where) {
  if (bytes.length < HEAD_BYTES) fail("E_SIZE", where, "the header of the pixels is cut");
  const view = viewOf(bytes);
  const [height, width, bytesPerPixel, reserved] = [0, 2, 4, 6].map((at) => view.getUint16(at, true));
  if (reserved !== 0 || (bytesPerPixel !== 1 && bytesPerPixel !== 2)) fail("E_SIZE", where, "the header of the pixels is wrong");
  if (bytes.length !== HEAD_BYTES + patches * height * width * bytesPerPixel) fail("E_SIZE", where, "the pixels do not fill their stream");
  return { height, width, bytesPerPixel, values: bytes.slice(HEAD_BYTES) };
}
