/** Word attention (FORMAT.md 5.6, [F31] and [F32]). */
import { isFiniteNotNegative, viewOf } from "./bytes.js";
import { fail } from "./errors.js";

const STEP_BYTES = 4;
const SPAN_BYTES = 8;

/** The attention that codes mean (5.4), also those of cells. */
export function attentionOf(codes, step) {
  // q * q has at most 16 bits and step 24, so that the product is exact in f64 and storing it rounds once.
  return new Float32Array(codes).map((q) => q * q * step);
}

/** Words of a stream of that size, or null when it is not a whole number of them. */
export function wordCount(size, cells) {
  const words = (size - STEP_BYTES) / (SPAN_BYTES + cells);
  return cells >= 1 && words >= 1 && Number.isInteger(words) ? words : null;
}

/** The stream, whose size has been checked, as {spans, step, attention}. */
export function readWords(bytes, cells, where) {
  const view = viewOf(bytes);
  const words = wordCount(bytes.length, cells);
  const step = view.getFloat32(0, true);
  const spans = Array.from({ length: words }, (_, i) =>
    [i, words + i].map((at) => view.getUint32(STEP_BYTES + 4 * at, true)),
  );
  if (spans.some(([start, end]) => start >= end)) fail("E_TEXT", where, "a word has no letter");
  if (spans.some(([start], i) => i > 0 && start < spans[i - 1][1])) fail("E_ORDER", where, "words do not ascend, or overlap");
  if (!isFiniteNotNegative(step)) fail("E_NUM", where, "the step is not finite or negative");
  const attention = attentionOf(bytes.subarray(STEP_BYTES + SPAN_BYTES * words), step);
  if (!attention.every(Number.isFinite)) fail("E_NUM", where, "an attention is too large for an f32");
  return { spans, step, attention };
}
