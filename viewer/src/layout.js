/** Where the concepts of a report stand: four columns read like a sentence, no randomness. */
const MODIFIER = 0;
const OBSERVATION = 1;
const ANATOMY = 2;
const PLACE = 3;

export const COLUMN_TITLES = ["how", "observation", "anatomy", "where exactly"];

/** {column, y} of every concept; y counts rows, nodes of one column are at least one row apart. */
export function conceptLayout(concepts, triples) {
  const modifiers = new Set(triples.filter(([, relation]) => relation === "modify").map(([head]) => head));
  const column = concepts.map((concept, i) => {
    const anatomy = concept.label.startsWith("Anatomy");
    if (modifiers.has(i)) return anatomy ? PLACE : MODIFIER;
    return anatomy ? ANATOMY : OBSERVATION;
  });
  const members = COLUMN_TITLES.map((_, number) => concepts.map((_, i) => i).filter((i) => column[i] === number));
  const near = concepts.map(() => []);
  for (const [head, , tail] of triples) {
    near[head].push(tail);
    near[tail].push(head);
  }
  const y = new Array(concepts.length).fill(null);
  const first = members[OBSERVATION].length > 0 ? OBSERVATION : ANATOMY;
  members[first].forEach((concept, place) => (y[concept] = place));
  for (const number of [OBSERVATION, ANATOMY, MODIFIER, PLACE]) if (number !== first) stack(members[number], y, near);
  const top = y.reduce((least, value) => Math.min(least, value ?? 0), 0);
  return { column, y: y.map((value) => value - top) };
}

/** Heights for one column, at least one apart, each as near as it can to what it is joined to. */
function stack(members, y, near) {
  const wanted = new Map();
  for (const concept of members) {
    const known = near[concept].map((other) => y[other]).filter((value) => value !== null);
    wanted.set(concept, known.length > 0 ? known.reduce((a, b) => a + b, 0) / known.length : wanted.size);
  }
  const blocks = [];
  for (const concept of [...members].sort((a, b) => wanted.get(a) - wanted.get(b) || a - b)) {
    let block = { concepts: [concept], middle: wanted.get(concept) };
    while (blocks.length > 0) {
      const before = blocks.at(-1);
      if (block.middle - before.middle >= (block.concepts.length + before.concepts.length) / 2) break;
      blocks.pop();
      const total = before.concepts.length + block.concepts.length;
      const middle = (before.middle * before.concepts.length + block.middle * block.concepts.length) / total;
      block = { concepts: [...before.concepts, ...block.concepts], middle };
    }
    blocks.push(block);
  }
  for (const { concepts, middle } of blocks) {
    concepts.forEach((concept, place) => (y[concept] = middle + place - (concepts.length - 1) / 2));
  }
}
