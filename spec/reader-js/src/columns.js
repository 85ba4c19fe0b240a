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

/** Every column as [name, type, number of values], in stored order. */
function columns(c) {
  return [
    ["view_rows", "u16", c.n_views],
    ["view_cols", "u16", c.n_views],
    ["view_height", "u32", c.n_views],
    ["view_width", "u32", c.n_views],
    ["view_patch_height", "f32", c.n_views],
    ["view_patch_width", "f32", c.n_views],
    ["view_score_step", "f32", c.n_views],
    ["view_position", "u8", c.n_views],
    ["cell_score", "u8", c.n_cells],
    ["patch_cell", index(c.n_cells), c.n_patches],
    ["patch_score", "f32", c.n_patches],
    ["edge", index(c.n_patches), 2 * c.n_edges],
    ["concept_label", "u8", c.n_concepts],
    ["concept_start", "u32", c.n_concepts],
    ["concept_end", "u32", c.n_concepts],
    ["concept_section", "u8", c.n_concepts],
    ["concept_vector", index(c.n_concept_vectors), c.n_concept_vectors > 0 ? c.n_concepts : 0],
    ["mention_concept", index(c.n_concepts), c.n_mentions],
    ["mention_label", "u8", c.n_mentions],
    ["mention_section", "u8", c.n_mentions],
    ["mention_start", "u32", c.n_mentions],
    ["mention_end", "u32", c.n_mentions],
    ["triple_head", index(c.n_concepts), c.n_triples],
    ["triple_relation", "u8", c.n_triples],
    ["triple_tail", index(c.n_concepts), c.n_triples],
    ["fusion_patch", index(c.n_patches), c.n_fusion],
    ["fusion_concept", index(c.n_concepts), c.n_fusion],
    ["label_value", "f32", c.n_labels],
    ["string_bytes", index(c.text_bytes), 2 + c.n_concepts + c.n_labels],
    ["text", "u8", c.text_bytes],
  ];
}

/** The size that the counts of a record require of its graph stream. */
export function graphStreamBytes(counts) {
  return columns(counts).reduce((sum, [, type, length]) => sum + READERS[type][0] * length, 0);
}

/** Split a graph stream of the right size into its columns: f32 as Float32Array, integers as Uint32Array, text as bytes. */
export function readColumns(bytes, counts) {
  const view = viewOf(bytes);
  const result = {};
  let at = 0;
  for (const [name, type, length] of columns(counts)) {
    const [width, read] = READERS[type];
    if (width === 1) {
      result[name] = bytes.subarray(at, at + length);
    } else {
      const values = type === "f32" ? new Float32Array(length) : new Uint32Array(length);
      for (let i = 0; i < length; i++) values[i] = read(view, at + i * width);
      result[name] = values;
    }
    at += width * length;
  }
  return result;
}
