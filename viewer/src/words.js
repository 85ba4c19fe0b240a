/** Attention of single words (FORMAT.md 5.6), where a file stores it: what one concept looked at. */
const BRIGHT = 0.5;

/** Attention of every cell of view `v`, summed over the words that a concept's span touches; null when there is none. */
export function wordMap(study, v, concept) {
  const words = study.wordAttention;
  if (words === null || words === undefined) return null;
  const sizes = study.views.map((view) => view.rows * view.cols);
  const total = sizes.reduce((a, b) => a + b, 0);
  const before = sizes.slice(0, v).reduce((a, b) => a + b, 0);
  const map = new Float32Array(sizes[v]);
  let touched = false;
  words.spans.forEach(([start, end], word) => {
    if (start >= concept.end || end <= concept.start) return;
    touched = true;
    for (let cell = 0; cell < map.length; cell++) map[cell] += words.attention[word * total + before + cell];
  });
  return touched ? map : null;
}

/** Patches of the view among the first `kept` that received at least half of the map's largest attention. */
export function brightPatches(study, v, map, kept) {
  const largest = map.reduce((a, b) => Math.max(a, b), 0);
  const { view, row, col } = study.patches;
  const bright = [];
  for (let i = 0; i < kept; i++) {
    const attention = view[i] === v ? map[row[i] * study.views[v].cols + col[i]] : 0;
    if (largest > 0 && attention >= BRIGHT * largest) bright.push(i);
  }
  return bright;
}
