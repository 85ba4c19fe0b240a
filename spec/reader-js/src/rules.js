/** The meaning of the columns (FORMAT.md 8.2), rule by rule in the order of the document. */
import { fail } from "./errors.js";
import { CONCEPT_LABELS, RELATIONS, REPORT_SECTIONS, VIEW_POSITIONS } from "./vocabulary.js";

const ONE_IN_A_MILLION = 1e-6;
const ATTENTION_TOLERANCE = 0.500001;

/** Minus zero counts as negative, so that equal values have equal bits. */
function isFiniteNotNegative(value) {
  return Number.isFinite(value) && value >= 0 && !Object.is(value, -0);
}

function checkAxis(parts, size, length, where) {
  // The last part begins inside the film and the parts reach its end.
  if (!((parts - 1) * size < length)) fail("E_COORD", where, "the grid reaches beyond the film");
  if (!(parts * size >= length * (1 - ONE_IN_A_MILLION))) fail("E_COORD", where, "the grid does not reach the end of the film");
}

/** [F22], each rule for all views before the next rule. */
export function checkViews(g, counts, where) {
  const views = Array.from({ length: counts.n_views }, (_, v) => v);
  const place = (v) => `${where} view ${v}`;
  for (const v of views) {
    if (g.view_rows[v] === 0 || g.view_cols[v] === 0) fail("E_COORD", place(v), "the grid is empty");
  }
  const cells = views.reduce((sum, v) => sum + g.view_rows[v] * g.view_cols[v], 0);
  if (cells !== counts.n_cells) fail("E_COORD", where, "the grids do not have as many cells as the record");
  for (const v of views) {
    for (const size of [g.view_patch_height[v], g.view_patch_width[v]]) {
      if (!(Number.isFinite(size) && size > 0)) fail("E_NUM", place(v), "a patch size is not finite and positive");
    }
  }
  for (const v of views) {
    checkAxis(g.view_rows[v], g.view_patch_height[v], g.view_height[v], place(v));
    checkAxis(g.view_cols[v], g.view_patch_width[v], g.view_width[v], place(v));
  }
  for (const v of views) {
    if (g.view_position[v] >= VIEW_POSITIONS.length) fail("E_IDX", place(v), "the view position is unknown");
  }
  let start = 0;
  for (const v of views) {
    const step = g.view_score_step[v];
    if (!isFiniteNotNegative(step)) fail("E_NUM", place(v), "the step of the attention map is not finite or negative");
    const end = start + g.view_rows[v] * g.view_cols[v];
    const top = g.cell_score.subarray(start, end).reduce((a, b) => Math.max(a, b), 0);
    if (!Number.isFinite(Math.fround(top * top * step))) {
      fail("E_NUM", place(v), "an attention is too large for an f32");
    }
    start = end;
  }
}

/** View, row and column of every patch; the cells must exist [F23]. */
export function locatePatches(g, counts, where) {
  const place = { view: [], row: [], col: [] };
  const ends = [];
  let cells = 0;
  for (let v = 0; v < counts.n_views; v++) ends.push((cells += g.view_rows[v] * g.view_cols[v]));
  for (let i = 0; i < counts.n_patches; i++) {
    const cell = g.patch_cell[i];
    if (cell >= cells) fail("E_IDX", `${where} patch ${i}`, "the cell does not exist");
    const v = ends.findIndex((end) => cell < end);
    const own = cell - (v === 0 ? 0 : ends[v - 1]);
    place.view.push(v);
    place.row.push(Math.floor(own / g.view_cols[v]));
    place.col.push(own % g.view_cols[v]);
  }
  return place;
}

/** [F23] and [F24] */
export function checkPatches(g, counts, place, where) {
  const n = counts.n_patches;
  if (new Set(g.patch_cell).size !== n) fail("E_COORD", where, "two patches lie in the same cell");
  for (let i = 0; i < n; i++) {
    const score = g.patch_score[i];
    if (!isFiniteNotNegative(score)) fail("E_NUM", `${where} patch ${i}`, "the score is not finite or negative");
  }
  for (let i = 1; i < n; i++) {
    const before = g.patch_score[i - 1];
    const score = g.patch_score[i];
    if (before < score || (before === score && g.patch_cell[i - 1] >= g.patch_cell[i])) {
      fail("E_ORDER", `${where} patch ${i}`, "patches do not descend by score");
    }
  }
  for (let i = 0; i < n; i++) {
    const step = g.view_score_step[place.view[i]];
    // Without a step the map is empty, and so are its scores.
    const exact = step === 0 ? (g.patch_score[i] === 0 ? 0 : Infinity) : Math.sqrt(g.patch_score[i] / step);
    if (!(Math.abs(exact - g.cell_score[g.patch_cell[i]]) <= ATTENTION_TOLERANCE)) {
      fail("E_ATTENTION", `${where} patch ${i}`, "the score contradicts the attention map");
    }
  }
}

/** [F25] */
export function checkEdges(g, counts, place, where) {
  const n = counts.n_patches;
  for (let i = 0; i < g.edge.length; i++) {
    if (g.edge[i] >= n) fail("E_IDX", `${where} edge ${i >> 1}`, "the patch does not exist");
  }
  const patchOf = new Map();
  for (let i = 0; i < n; i++) patchOf.set(g.patch_cell[i], i);
  const expected = [];
  for (let a = 0; a < n; a++) {
    const cols = g.view_cols[place.view[a]];
    const rows = g.view_rows[place.view[a]];
    const cell = g.patch_cell[a];
    const cells = [];
    if (place.row[a] > 0) cells.push(cell - cols);
    if (place.row[a] + 1 < rows) cells.push(cell + cols);
    if (place.col[a] > 0) cells.push(cell - 1);
    if (place.col[a] + 1 < cols) cells.push(cell + 1);
    const ends = cells.map((neighbour) => patchOf.get(neighbour)).filter((b) => b !== undefined && b > a);
    for (const b of ends.sort((x, y) => x - y)) expected.push(a, b);
  }
  if (expected.length !== g.edge.length || expected.some((end, i) => end !== g.edge[i])) {
    fail("E_EDGE", where, "the edges are not exactly the neighbouring patches in order");
  }
}

/** [F26], each rule of all rows before the next. */
export function checkReportGraph(g, counts, where) {
  const every = (n, holds, code, what, message) => {
    for (let i = 0; i < n; i++) if (!holds(i)) fail(code, `${where} ${what} ${i}`, message);
  };
  const { n_concepts: concepts, n_mentions: mentions, n_triples: triples } = counts;
  every(concepts, (i) => g.concept_label[i] < CONCEPT_LABELS.length, "E_IDX", "concept", "the label is unknown");
  every(concepts, (i) => g.concept_section[i] < REPORT_SECTIONS.length, "E_IDX", "concept", "the section is unknown");
  every(concepts, (i) => g.concept_end[i] >= g.concept_start[i], "E_TEXT", "concept", "the span ends before it starts");
  const bySpan = (i) => g.concept_start[i - 1] - g.concept_start[i] || g.concept_end[i - 1] - g.concept_end[i];
  every(concepts, (i) => i === 0 || bySpan(i) <= 0, "E_ORDER", "concept", "concepts do not ascend by span");
  for (const vector of g.concept_vector) {
    if (vector >= counts.n_concept_vectors) fail("E_IDX", where, "a concept vector does not exist");
  }
  const known = (i) =>
    g.mention_concept[i] < concepts &&
    g.mention_label[i] < CONCEPT_LABELS.length &&
    g.mention_section[i] < REPORT_SECTIONS.length;
  every(mentions, known, "E_IDX", "mention", "the concept, the label or the section is unknown");
  every(mentions, (i) => g.mention_end[i] >= g.mention_start[i], "E_TEXT", "mention", "the span ends before it starts");
  const byConcept = (i) =>
    g.mention_concept[i - 1] - g.mention_concept[i] ||
    g.mention_start[i - 1] - g.mention_start[i] ||
    g.mention_end[i - 1] - g.mention_end[i];
  every(mentions, (i) => i === 0 || byConcept(i) < 0, "E_ORDER", "mention", "mentions do not ascend strictly");
  const joins = (i) =>
    g.triple_relation[i] < RELATIONS.length &&
    g.triple_head[i] < concepts &&
    g.triple_tail[i] < concepts &&
    g.triple_head[i] !== g.triple_tail[i];
  every(triples, joins, "E_IDX", "triple", "the triple does not join two concepts by a known relation");
  const byEnds = (i) =>
    g.triple_head[i - 1] - g.triple_head[i] ||
    g.triple_relation[i - 1] - g.triple_relation[i] ||
    g.triple_tail[i - 1] - g.triple_tail[i];
  every(triples, (i) => i === 0 || byEnds(i) < 0, "E_ORDER", "triple", "triples do not ascend strictly");
  if (counts.n_fusion === 1 && (g.fusion_patch[0] >= counts.n_patches || g.fusion_concept[0] >= concepts)) {
    fail("E_IDX", where, "an end of the fusion edge does not exist");
  }
}

/** [F28], as far as the columns go; matrices are checked when they are decoded. */
export function checkLabels(g, where) {
  for (const value of g.label_value) if (!Number.isFinite(value)) fail("E_NUM", where, "a label is not finite");
}
