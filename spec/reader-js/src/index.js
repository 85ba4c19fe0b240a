/** The index section (FORMAT.md 6.4): where every record is, what it counts and its leaf. */
import { u64At, viewOf } from "./bytes.js";
import { fail } from "./errors.js";
import { PROLOGUE_BYTES } from "./framing.js";

export const INDEX_ROW_BYTES = 64;
export const INDEX_COUNTS = ["n_patches", "n_edges", "n_concepts", "n_triples", "n_fusion"];

/** Rows and leaves of a payload of 64 bytes per record; `indexOffset` is where the section begins: the end of the last record. */
export function readIndex(payload, count, indexOffset) {
  const view = viewOf(payload);
  const offsetOf = (i) => u64At(view, 8 * i, "index");
  const u32At = (column, i) => view.getUint32(column * count + 4 * i, true);
  const leaf = (i) => payload.subarray(32 * (count + i), 32 * (count + i + 1));
  const row = (i) => {
    const counts = Object.fromEntries(INDEX_COUNTS.map((name, column) => [name, u32At(12 + 4 * column, i)]));
    return { offset: offsetOf(i), length: u32At(8, i), counts, leaf: leaf(i) };
  };
  let at = PROLOGUE_BYTES;
  for (let i = 0; i < count; i++) {
    if (offsetOf(i) !== at) fail("E_INDEX", `index row ${i}`, "the record is not where the one before ends");
    at += u32At(8, i);
  }
  if (at !== indexOffset) fail("E_INDEX", "index", "the records do not end where the index begins");
  return { row, leaf };
}
