/** The index section (FORMAT.md 6.4): where every record is, what it counts and its leaf. */
import { u64At, viewOf } from "./bytes.js";
import { fail } from "./errors.js";
import { PROLOGUE_BYTES } from "./framing.js";

export const INDEX_ROW_BYTES = 64;
export const INDEX_COUNTS = ["n_patches", "n_edges", "n_concepts", "n_triples", "n_fusion"];

export class Index {
  /** `payload` has 64 bytes per record; `indexOffset` is where the index section begins: the end of the last record. */
  constructor(payload, count, indexOffset) {
    const where = "index";
    this.count = count;
    this.payload = payload;
    this.view = viewOf(payload);
    let at = PROLOGUE_BYTES;
    for (let i = 0; i < count; i++) {
      if (u64At(this.view, 8 * i, where) !== at) fail("E_INDEX", `index row ${i}`, "the record is not where the one before ends");
      at += this.view.getUint32(8 * count + 4 * i, true);
    }
    if (at !== indexOffset) fail("E_INDEX", where, "the records do not end where the index begins");
  }

  row(i) {
    const { view, count } = this;
    const at = (column) => view.getUint32(column * count + 4 * i, true);
    const counts = Object.fromEntries(INDEX_COUNTS.map((name, column) => [name, at(12 + 4 * column)]));
    return { offset: u64At(view, 8 * i, "index"), length: at(8), counts, leaf: this.leaf(i) };
  }

  leaf(i) {
    const start = 32 * this.count + 32 * i;
    return this.payload.subarray(start, start + 32);
  }
}
