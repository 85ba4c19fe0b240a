/** Integer codes in two parts (FORMAT.md 7.4): upper parts, and the bits below them. */
import { fail } from "./errors.js";

const MAX_SHIFT = 8;

/** Refuse shifts out of range; E_FILTER. */
export function checkShifts(shifts, where) {
  if (shifts.some((shift) => shift > MAX_SHIFT)) fail("E_FILTER", where, `a shift is more than ${MAX_SHIFT}`);
}

/** Codes [shifts.length][columns]; E_FILTER. */
export function readCodes(upper, lower, shifts, columns, where) {
  checkShifts(shifts, where);
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
