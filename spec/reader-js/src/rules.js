/** The meaning of the columns (FORMAT.md 8.2), rule by rule in the order of the document. */
import { isFiniteNotNegative } from "./bytes.js";
import { fail } from "./errors.js";
import { CONCEPT_LABELS, RELATIONS, REPORT_SECTIONS, VIEW_POSITIONS } from "./vocabulary.js";

const ONE_IN_A_MILLION = 1e-6;
const ATTENTION_TOLERANCE = 0.500001;

/** Asks a rule of all rows; `where` is the place of a row without its number. */
function rulesOf(n, where) {
  return (holds, code, message) => {
    for (let i = 0; i < n; i++) if (!holds(i)) fail(code, `${where} ${i}`, message);
  };
}

/** By the first of the columns that differ: positive when row `i` stands after the one before, 0 when all are equal. */
function ascent(i, ...columns) {
  const column = columns.find((values) => values[i] !== values[i - 1]);
  return column === undefined ? 0 : column[i] - column[i - 1];
}

/** First cell of every view, and the one behind its last. */
export function cellsOfViews(g) {
  let end = 0;
  return Array.from(g.view_rows, (rows, v) => [end, (end += rows * g.view_cols[v])]);
}

/** [F22], each rule for all views before the next rule. */
export function checkViews(g, counts, where) {
  const views = rulesOf(counts.n_views, `${where} view`);
  const axes = Array.from({ length: counts.n_views }, (_, v) => [
    { parts: g.view_rows[v], size: g.view_patch_height[v], length: g.view_height[v] },
    { parts: g.view_cols[v], size: g.view_patch_width[v], length: g.view_width[v] },
  ]);
  const along = (holds) => (v) => axes[v].every(holds);
  views(along(({ parts }) => parts > 0), "E_COORD", "the grid is empty");
  const cells = cellsOfViews(g);
  if ((cells.at(-1)?.[1] ?? 0) !== counts.n_cells) fail("E_COORD", where, "the grids do not have as many cells as the record");
  views(along(({ size }) => Number.isFinite(size) && size > 0), "E_NUM", "a patch size is not finite and positive");
  const begins = ({ parts, size, length }) => (parts - 1) * size < length;
  const reaches = ({ parts, size, length }) => parts * size >= length * (1 - ONE_IN_A_MILLION);
  for (const axis of [0, 1]) {
    views((v) => begins(axes[v][axis]), "E_COORD", "the grid reaches beyond the film");
    views((v) => reaches(axes[v][axis]), "E_COORD", "the grid does not reach the end of the film");
  }
  views((v) => g.view_position[v] < VIEW_POSITIONS.length, "E_IDX", "the view position is unknown");
  const step = (v) => g.view_score_step[v];
  views((v) => isFiniteNotNegative(step(v)), "E_NUM", "the step of the attention map is not finite or negative");
  const top = (v) => g.cell_score.subarray(...cells[v]).reduce((a, b) => Math.max(a, b), 0);
  views((v) => Number.isFinite(Math.fround(top(v) ** 2 * step(v))), "E_NUM", "an attention is too large for an f32");
}

/** View, row and column of every patch; the cells must exist [F23]. */
export function locatePatches(g, counts, where) {
  const cells = cellsOfViews(g);
  const patches = rulesOf(counts.n_patches, `${where} patch`);
  patches((i) => g.patch_cell[i] < counts.n_cells, "E_IDX", "the cell does not exist");
  const view = Array.from(g.patch_cell, (cell) => cells.findIndex(([, end]) => cell < end));
  const within = (cell, i) => cell - cells[view[i]][0];
  const row = Array.from(g.patch_cell, (cell, i) => Math.floor(within(cell, i) / g.view_cols[view[i]]));
  const col = Array.from(g.patch_cell, (cell, i) => within(cell, i) % g.view_cols[view[i]]);
  return { view, row, col };
}

/** [F23] and [F24] */
export function checkPatches(g, counts, place, where) {
  const { patch_score: score, patch_cell: cell } = g;
  if (new Set(cell).size !== cell.length) fail("E_COORD", where, "two patches lie in the same cell");
  const patches = rulesOf(counts.n_patches, `${where} patch`);
  patches((i) => isFiniteNotNegative(score[i]), "E_NUM", "the score is not finite or negative");
  const follows = (i) => score[i - 1] > score[i] || (score[i - 1] === score[i] && cell[i - 1] < cell[i]);
  patches((i) => i === 0 || follows(i), "E_ORDER", "patches do not descend by score");
  const agrees = (i) => {
    const step = g.view_score_step[place.view[i]];
    // Without a step the map is empty, and so are its scores.
    const exact = step === 0 ? (score[i] === 0 ? 0 : Infinity) : Math.sqrt(score[i] / step);
    return Math.abs(exact - g.cell_score[cell[i]]) <= ATTENTION_TOLERANCE;
  };
  patches(agrees, "E_ATTENTION", "the score contradicts the attention map");
}

/** [F25] */
export function checkEdges(g, counts, place, where) {
  const n = counts.n_patches;
  const exist = (i) => g.edge[2 * i] < n && g.edge[2 * i + 1] < n;
  rulesOf(counts.n_edges, `${where} edge`)(exist, "E_IDX", "the patch does not exist");
  const patchOf = new Map(Array.from(g.patch_cell, (cell, i) => [cell, i]));
  const expected = [];
  g.patch_cell.forEach((cell, a) => {
    const [rows, cols] = [g.view_rows[place.view[a]], g.view_cols[place.view[a]]];
    const neighbours = [];
    if (place.row[a] > 0) neighbours.push(cell - cols);
    if (place.row[a] + 1 < rows) neighbours.push(cell + cols);
    if (place.col[a] > 0) neighbours.push(cell - 1);
    if (place.col[a] + 1 < cols) neighbours.push(cell + 1);
    const ends = neighbours.map((neighbour) => patchOf.get(neighbour)).filter((b) => b > a);
    for (const b of ends.sort((x, y) => x - y)) expected.push(a, b);
  });
  if (expected.length !== g.edge.length || expected.some((end, i) => end !== g.edge[i])) {
    fail("E_EDGE", where, "the edges are not exactly the neighbouring patches in order");
  }
}

/** [F26], each rule of all rows before the next. */
export function checkReportGraph(g, counts, where) {
  const { n_concepts: n } = counts;
  const concepts = rulesOf(n, `${where} concept`);
  concepts((i) => g.concept_label[i] < CONCEPT_LABELS.length, "E_IDX", "the label is unknown");
  concepts((i) => g.concept_section[i] < REPORT_SECTIONS.length, "E_IDX", "the section is unknown");
  concepts((i) => g.concept_end[i] >= g.concept_start[i], "E_TEXT", "the span ends before it starts");
  const bySpan = (i) => i === 0 || ascent(i, g.concept_start, g.concept_end) >= 0;
  concepts(bySpan, "E_ORDER", "concepts do not ascend by span");
  for (const vector of g.concept_vector) {
    if (vector >= counts.n_concept_vectors) fail("E_IDX", where, "a concept vector does not exist");
  }
  const mentions = rulesOf(counts.n_mentions, `${where} mention`);
  const known = (i) =>
    g.mention_concept[i] < n && g.mention_label[i] < CONCEPT_LABELS.length && g.mention_section[i] < REPORT_SECTIONS.length;
  mentions(known, "E_IDX", "the concept, the label or the section is unknown");
  mentions((i) => g.mention_end[i] >= g.mention_start[i], "E_TEXT", "the span ends before it starts");
  const byConcept = (i) => i === 0 || ascent(i, g.mention_concept, g.mention_start, g.mention_end) > 0;
  mentions(byConcept, "E_ORDER", "mentions do not ascend strictly");
  const { triple_head: head, triple_relation: relation, triple_tail: tail } = g;
  const triples = rulesOf(counts.n_triples, `${where} triple`);
  const joins = (i) => relation[i] < RELATIONS.length && head[i] < n && tail[i] < n && head[i] !== tail[i];
  triples(joins, "E_IDX", "the triple does not join two concepts by a known relation");
  triples((i) => i === 0 || ascent(i, head, relation, tail) > 0, "E_ORDER", "triples do not ascend strictly");
  if (counts.n_fusion === 1 && (g.fusion_patch[0] >= counts.n_patches || g.fusion_concept[0] >= n)) {
    fail("E_IDX", where, "an end of the fusion edge does not exist");
  }
}

/** [F28], as far as the columns go; matrices are checked when they are decoded. */
export function checkLabels(g, where) {
  for (const value of g.label_value) if (!Number.isFinite(value)) fail("E_NUM", where, "a label is not finite");
}
