/** The form klt and its codebooks (FORMAT.md 7.5). */
import { viewOf } from "./bytes.js";
import { fail } from "./errors.js";
import { readCodes } from "./parts.js";
import { sha256 } from "./sha256.js";

const MAGIC = [0x4e, 0x47, 0x52, 0x4b, 0x4c, 0x54, 0x1a, 0x0a];
const HEAD_BYTES = 16;
const DIGEST_BYTES = 32;
const MAX_COMPONENTS = 1024;
const PREFIX = "codebook_";

/** Decoded sizes of the planes. */
export const kltPlanes = [
  () => DIGEST_BYTES + 4,
  (rows, width) => width,
  (rows, width) => rows * width,
  (rows, width) => rows * width,
];

const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Whether a section of this name holds a codebook. */
export function isCodebookSection(name) {
  return name.startsWith(PREFIX);
}

/** Whether name and flags of such a section follow the rules. */
export function goodCodebookSection(name, flags) {
  return /^codebook_[0-9a-f]{16}$/.test(name) && flags === 2;
}

/** The codebook in these bytes: {digest, width, components, mean, deviation, basis}; E_SIZE and E_FILTER. */
export async function readCodebook(bytes, where) {
  if (bytes.length < HEAD_BYTES || MAGIC.some((byte, i) => bytes[i] !== byte)) fail("E_FILTER", where, "this is not a codebook");
  const view = viewOf(bytes);
  const width = view.getUint32(8, true);
  const components = view.getUint32(12, true);
  if (bytes.length !== HEAD_BYTES + 8 * width + 2 * width * components) {
    fail("E_SIZE", where, "the size is not that of the codebook");
  }
  if (components < 1 || components > Math.min(width, MAX_COMPONENTS)) fail("E_FILTER", where, "the number of components");
  const mean = Float64Array.from({ length: width }, (_, i) => view.getFloat32(HEAD_BYTES + 4 * i, true));
  const deviation = Float64Array.from({ length: width }, (_, i) => view.getFloat32(HEAD_BYTES + 4 * (width + i), true));
  if (!mean.every(Number.isFinite) || !deviation.every((value) => Number.isFinite(value) && value > 0)) {
    fail("E_FILTER", where, "a mean or a deviation is out of range");
  }
  const start = HEAD_BYTES + 8 * width;
  const basis = Int16Array.from({ length: width * components }, (_, i) => view.getInt16(start + 2 * i, true));
  if (basis.includes(-32768)) fail("E_FILTER", where, "the number -32768 is not used");
  return { digest: toHex(await sha256(bytes)), width, components, mean, deviation, basis };
}

/** The codebook of a section; E_DIGEST when its name says another one. */
export async function readCodebookSection(name, bytes) {
  const codebook = await readCodebook(bytes, name);
  if (name !== PREFIX + codebook.digest.slice(0, 16)) fail("E_DIGEST", name, "the codebook is not the one that its name says");
  return codebook;
}

/** Planes to values; `codebooks` is a Map from digest in hexadecimal. E_FILTER and E_DICT. */
export function fromKlt([head, shifts, upper, lower], rows, width, codebooks, where) {
  const base = viewOf(head).getFloat32(DIGEST_BYTES, true);
  if (!Number.isFinite(base) || base < 0 || Object.is(base, -0)) fail("E_FILTER", where, "the base is negative or not finite");
  const digest = toHex(head.subarray(0, DIGEST_BYTES));
  const codebook = codebooks.get(digest);
  if (codebook === undefined) fail("E_DICT", where, `the codebook ${digest} is needed`);
  if (codebook.width !== width) fail("E_DICT", where, "the codebook is of another width");
  const { components, mean, deviation, basis } = codebook;
  const codes = readCodes(upper, lower, shifts, rows, where);
  if (codes.subarray(components * rows).some((code) => code !== 0)) {
    fail("E_FILTER", where, "a code of a component that the codebook does not have");
  }
  const values = new Float32Array(rows * width);
  const sums = new Float64Array(width);
  for (let row = 0; row < rows; row++) {
    sums.fill(0);
    for (let component = 0; component < components; component++) {
      const code = codes[component * rows + row];
      if (code === 0) continue;
      for (let i = 0; i < width; i++) sums[i] += code * basis[component * width + i];
    }
    for (let i = 0; i < width; i++) values[row * width + i] = Math.fround(sums[i] * base * deviation[i] + mean[i]) + 0;
  }
  return values;
}
