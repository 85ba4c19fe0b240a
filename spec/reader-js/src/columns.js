/** The columns of the graph stream (FORMAT.md 5.3). */
import { viewOf } from "./bytes.js";

const READERS = {
  u8: [1, (view, at) => view.getUint8(at)],
  u16: [2, (view, at) => view.getUint16(at, true)],
  u32: [4, (view, at) => view.getUint32(at, true)],
  f32: [4, (view, at) => view.getFloat32(at, true)],
};

/** The narrowest integer type that can number `n` things. */
function index(n) {
  return n <= 256 ? "u8" : n <= 65536 ? "u16" : "u32";
}

/** Every column as [name, type or the counts' say on it, the counts' number of values], in stored order. */
const COLUMNS = [
  ["view_rows", "u16", (c) => c.n_views],
  ["view_cols", "u16", (c) => c.n_views],
  ["view_height", "u32", (c) => c.n_views],
  ["view_width", "u32", (c) => c.n_views],
  ["view_patch_height", "f32", (c) => c.n_views],
  ["view_patch_width", "f32", (c) => c.n_views],
  ["view_score_step", "f32", (c) => c.n_views],
  ["view_position", "u8", (c) => c.n_views],
  ["cell_score", "u8", (c) => c.n_cells],
  ["patch_cell", (c) => index(c.n_cells), (c) => c.n_patches],
  ["patch_score", "f32", (c) => c.n_patches],
  ["edge", (c) => index(c.n_patches), (c) => 2 * c.n_edges],
  ["concept_label", "u8", (c) => c.n_concepts],
  ["concept_start", "u32", (c) => c.n_concepts],
  ["concept_end", "u32", (c) => c.n_concepts],
  ["concept_section", "u8", (c) => c.n_concepts],
  ["concept_vector", (c) => index(c.n_concept_vectors), (c) => c.n_concept_vectors > 0 ? c.n_concepts : 0],
  ["mention_concept", (c) => index(c.n_concepts), (c) => c.n_mentions],
  ["mention_label", "u8", (c) => c.n_mentions],
  ["mention_section", "u8", (c) => c.n_mentions],
  ["mention_start", "u32", (c) => c.n_mentions],
  ["mention_end", "u32", (c) => c.n_mentions],
  ["triple_head", (c) => index(c.n_concepts), (c) => c.n_triples],
  ["triple_relation", "u8", (c) => c.n_triples],
  ["triple_tail", (c) => index(c.n_concepts), (c) => c.n_triples],
  ["fusion_patch", (c) => index(c.n_patches), (c) => c.n_fusion],
  ["fusion_concept", (c) => index(c.n_concepts), (c) => c.n_fusion],
  ["label_value", "f32", (c) => c.n_labels],
  ["string_bytes", (c) => index(c.text_bytes), (c) => 2 + c.n_concepts + c.n_labels],
  ["text", "u8", (c) => c.text_bytes],
];

const typeOf = (type, counts) => (typeof type === "string" ? type : type(counts));

/** The size that the counts of a record require of its graph stream. */
export function graphStreamBytes(counts) {
  return COLUMNS.reduce((sum, [, type, length]) => sum + READERS[typeOf(type, counts)][0] * length(counts), 0);
}

/** Split a graph stream of the right size into its columns: f32 as Float32Array, integers as Uint32Array, text as bytes. */
export function readColumns(bytes, counts) {
  const view = viewOf(bytes);
  const result = {};
  let at = 0;
  for (const [name, typed, counted] of COLUMNS) {
    const type = typeOf(typed, counts);
    const length = counted(counts);
    const [width, read] = READERS[type];
    const start = at;
    at += width * length;
    if (width === 1) result[name] = bytes.subarray(start, at);
    else result[name] = new (type === "f32" ? Float32Array : Uint32Array)(length).map((_, i) => read(view, start + i * width));
  }
  return result;
}
