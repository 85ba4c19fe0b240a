/** Forms of matrices (FORMAT.md 7.2): which planes there are and how they become f32. */
import { viewOf } from "./bytes.js";
import { fail } from "./errors.js";
import { fromSvd, svdPlanes } from "./svd.js";

const FORMS = [
  { name: "float32", offset: 0x00, planes: [0, 1, 2, 3].map(() => (rows, width) => rows * width) },
  { name: "bfloat16", offset: 0x08, planes: [0, 1].map(() => (rows, width) => rows * width) },
  { name: "float16", offset: 0x0a, planes: [0, 1].map(() => (rows, width) => rows * width) },
  { name: "int8", offset: 0x10, planes: [(rows, width) => rows * width, (rows) => 4 * rows] },
  { name: "svd", offset: 0x14, planes: svdPlanes },
];

/** The form whose planes are exactly the streams `ids` of a matrix with the given base, or null. */
export function formOfStreams(ids, base) {
  const found = FORMS.find(
    (form) => form.planes.length === ids.length && ids.every((id, plane) => id === base + form.offset + plane),
  );
  return found ?? null;
}

/** Decoded size of one plane. */
export function planeBytes(form, plane, rows, width) {
  return form.planes[plane](rows, width);
}

function fromInt8([codes, scaleBytes], rows, width, where) {
  const scales = viewOf(scaleBytes);
  const values = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const scale = scales.getFloat32(4 * row, true);
    if (!Number.isFinite(scale) || scale < 0 || Object.is(scale, -0)) {
      fail("E_FILTER", where, `the scale of row ${row} is negative or not finite`);
    }
    for (let i = row * width; i < (row + 1) * width; i++) {
      if (codes[i] === 0x80) fail("E_FILTER", where, `row ${row} holds the code -128`);
      // The product of an f32 and a small integer is exact in f64; storing it rounds once.
      values[i] = ((codes[i] << 24) >> 24) * scale;
    }
  }
  return values;
}

function halfToFloat(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Planes to f32 values, row by row; E_FILTER and E_NUM. */
export function decodeMatrix(form, planes, rows, width, where) {
  const size = rows * width;
  let values;
  if (form.name === "int8") values = fromInt8(planes, rows, width, where);
  else if (form.name === "svd") values = fromSvd(planes, rows, width, where);
  else if (form.name === "float16") {
    values = new Float32Array(size);
    for (let i = 0; i < size; i++) values[i] = halfToFloat(planes[0][i] | (planes[1][i] << 8));
  } else {
    const bits = new Uint32Array(size);
    const shift = 32 - 8 * planes.length;
    planes.forEach((plane, p) => {
      for (let i = 0; i < size; i++) bits[i] |= plane[i] << (shift + 8 * p);
    });
    values = new Float32Array(bits.buffer);
  }
  for (let i = 0; i < size; i++) {
    if (!Number.isFinite(values[i])) fail("E_NUM", where, `value ${i} is not finite`);
  }
  return values;
}
