/** Forms of matrices (FORMAT.md 7.2): which planes there are and how they become f32. */
import { isFiniteNotNegative, viewOf } from "./bytes.js";
import { fail } from "./errors.js";
import { fromSvd, svdPlanes } from "./svd.js";

const byteOfEach = (rows, width) => rows * width;

/** `planes` are the decoded sizes of the planes, for rows and width. */
const FORMS = [
  { name: "float32", offset: 0x00, planes: Array(4).fill(byteOfEach), decode: fromBits },
  { name: "bfloat16", offset: 0x08, planes: [byteOfEach, byteOfEach], decode: fromBits },
  { name: "float16", offset: 0x0a, planes: [byteOfEach, byteOfEach], decode: fromHalves },
  { name: "int8", offset: 0x10, planes: [byteOfEach, (rows) => 4 * rows], decode: fromInt8 },
  { name: "svd", offset: 0x14, planes: svdPlanes, decode: fromSvd },
];

/** The form whose planes are exactly the streams `ids` of a matrix with the given base; undefined when there is none. */
export function formOfStreams(ids, base) {
  const isOf = ({ planes, offset }) => planes.length === ids.length && ids.every((id, plane) => id === base + offset + plane);
  return FORMS.find(isOf);
}

/** The planes are the last bytes of every value, the rest is zero. */
function fromBits(planes, rows, width) {
  const bits = new Uint32Array(rows * width);
  const shift = 32 - 8 * planes.length;
  planes.forEach((plane, p) => {
    for (let i = 0; i < bits.length; i++) bits[i] |= plane[i] << (shift + 8 * p);
  });
  return new Float32Array(bits.buffer);
}

function fromInt8([codes, scaleBytes], rows, width, where) {
  const scales = viewOf(scaleBytes);
  const values = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const scale = scales.getFloat32(4 * row, true);
    if (!isFiniteNotNegative(scale)) fail("E_FILTER", where, `the scale of row ${row} is negative or not finite`);
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

function fromHalves([low, high], rows, width) {
  const values = new Float32Array(rows * width);
  for (let i = 0; i < values.length; i++) values[i] = halfToFloat(low[i] | (high[i] << 8));
  return values;
}

/** Planes to f32 values, row by row; E_FILTER and E_NUM. */
export function decodeMatrix(form, planes, rows, width, where) {
  const values = form.decode(planes, rows, width, where);
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) fail("E_NUM", where, `value ${i} is not finite`);
  }
  return values;
}
