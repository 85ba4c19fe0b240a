/** The form int4 (FORMAT.md 7.3): codes of four bits, a scale for every 64 values of a row. */
import { viewOf } from "./bytes.js";
import { fail } from "./errors.js";

const GROUP = 64;

/** Decoded sizes of the planes. */
export const int4Planes = [
  (rows, width) => rows * Math.ceil(width / 2),
  (rows, width) => 2 * rows * Math.ceil(width / GROUP),
];

/** Planes to values; E_FILTER. */
export function fromInt4([packed, scaleBytes], rows, width, where) {
  const view = viewOf(scaleBytes);
  const bytes = new DataView(new ArrayBuffer(4));
  const scales = Float32Array.from({ length: scaleBytes.length / 2 }, (_, i) => {
    bytes.setUint32(0, view.getUint16(2 * i, true) * 65536);
    const scale = bytes.getFloat32(0);
    if (!Number.isFinite(scale) || scale < 0 || Object.is(scale, -0)) {
      fail("E_FILTER", where, `scale ${i} is negative or not finite`);
    }
    return scale;
  });
  const rowBytes = Math.ceil(width / 2);
  const perRow = Math.ceil(width / GROUP);
  const values = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < 2 * rowBytes; i++) {
      const nibble = (packed[row * rowBytes + (i >> 1)] >> (i % 2 === 0 ? 0 : 4)) & 15;
      if (nibble === 8) fail("E_FILTER", where, `row ${row} holds the code -8`);
      if (i < width) values[row * width + i] = (nibble < 8 ? nibble : nibble - 16) * scales[row * perRow + Math.floor(i / GROUP)];
      else if (nibble !== 0) fail("E_FILTER", where, `the half byte behind row ${row} is not zero`);
    }
  }
  return values;
}
