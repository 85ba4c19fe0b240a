/** The form svd (FORMAT.md 7.3): integer components, mixed with integers, so that every sum is exact. */
import { isFiniteNotNegative, viewOf } from "./bytes.js";
import { fail } from "./errors.js";

const GROUP = 32;
const MAX_SHIFT = 8;

function basisBytes(rows) {
  const last = rows % GROUP;
  return 4 + Math.floor(rows / GROUP) * (GROUP + GROUP * GROUP) + last + last * last;
}

/** Decoded sizes of the planes. */
export const svdPlanes = [basisBytes, (rows, width) => width, (rows, width) => rows * width, (rows, width) => rows * width];

/** Shifts of all rows and the mixing of every group, row by component. */
function readBasis(plane, rows, where) {
  const shifts = [];
  const mixings = [];
  let at = 4;
  for (let start = 0; start < rows; start += GROUP) {
    const size = Math.min(GROUP, rows - start);
    shifts.push(...plane.subarray(at, (at += size)));
    const mixing = new Int8Array(plane.slice(at, (at += size * size)).buffer);
    if (mixing.includes(-128)) fail("E_FILTER", where, "the mixing -128 is not used");
    mixings.push({ start, size, mixing });
  }
  return { shifts, mixings };
}

/** Codes [shifts.length][columns] from upper parts and the bits below them; E_FILTER. */
function readCodes(upper, lower, shifts, columns, where) {
  if (shifts.some((shift) => shift > MAX_SHIFT)) fail("E_FILTER", where, `a shift is more than ${MAX_SHIFT}`);
  const codes = new Int32Array(upper.length);
  let bit = 0;
  shifts.forEach((shift, row) => {
    for (let i = row * columns; i < (row + 1) * columns; i++) {
      let u = upper[i] << shift;
      for (let k = 0; k < shift; k++, bit++) u |= ((lower[bit >> 3] >> (bit & 7)) & 1) << k;
      codes[i] = u & 1 ? -((u + 1) >> 1) : u >> 1;
    }
  });
  const end = bit >> 3;
  if ((end < lower.length && lower[end] >> (bit & 7) !== 0) || lower.subarray(end + 1).some((byte) => byte !== 0)) {
    fail("E_FILTER", where, "bits follow the last lower part");
  }
  return codes;
}

/** Planes to values; E_FILTER. */
export function fromSvd([basis, exponentBytes, upper, lower], rows, width, where) {
  const base = viewOf(basis).getFloat32(0, true);
  if (!isFiniteNotNegative(base)) fail("E_FILTER", where, "the base is negative or not finite");
  const { shifts, mixings } = readBasis(basis, rows, where);
  const codes = readCodes(upper, lower, shifts, width, where);
  const factors = Float64Array.from(exponentBytes, (byte) => base * 2 ** ((byte << 24) >> 24));
  const values = new Float32Array(rows * width);
  const sums = new Float64Array(width);
  for (const { start, size, mixing } of mixings) {
    for (let row = 0; row < size; row++) {
      sums.fill(0);
      for (let component = 0; component < size; component++) {
        const weight = mixing[component * size + row];
        if (weight === 0) continue;
        const from = (start + component) * width;
        for (let i = 0; i < width; i++) sums[i] += weight * codes[from + i];
      }
      // sum * base has at most 51 bits and factors are scaled by powers of two: exact until it is stored as f32.
      for (let i = 0; i < width; i++) values[(start + row) * width + i] = Math.fround(sums[i] * factors[i]) + 0;
    }
  }
  return values;
}
