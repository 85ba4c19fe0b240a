/** Two studies beside each other: what both have, and what only one has. */
import { printable } from "./dom.js";
import { findings } from "./glance.js";

const VALUES = new Map([[1, "present"], [0, "absent"], [-1, "uncertain"]]);

/** "view row column" of a kept patch. */
const cell = ({ patches }, i) => `${patches.view[i]} ${patches.row[i]} ${patches.col[i]}`;

const sameGrids = (a, b) => a.views.length === b.views.length && a.views.every((view, v) => view.rows === b.views[v].rows && view.cols === b.views[v].cols);

function sentences(study) {
  const found = new Map();
  for (const { name, side, place, polarity } of findings(study.concepts, study.triples)) {
    const words = printable(`${side && !name.split(" ").includes(side) ? `${side} ` : ""}${name}${place ? ` in ${place}` : ""}`);
    const said = found.get(words) ?? [];
    if (!said.includes(polarity)) said.push(polarity);
    found.set(words, said);
  }
  return new Map([...found].map(([words, said]) => [words, said.join(" and ")]));
}

function rows(kind, left, right) {
  return [...new Set([...left.keys(), ...right.keys()])].map((name) => {
    const [a, b] = [left.get(name) ?? "–", right.get(name) ?? "–"];
    return { kind, name, a, b, differs: a !== b };
  });
}

const labels = (study) => new Map(study.labels.map(([name, value]) => [printable(name), VALUES.get(value) ?? String(value)]));

function facts(study) {
  const { method, source } = study.provenance;
  const model = method.model ?? {};
  return new Map([
    ["model", printable(model.name === undefined ? "not stated" : `${model.name} ${String(model.digest ?? "").slice(0, 12)}`)],
    ["report", printable(source.report ?? "unknown")],
    ["kept patches", String(study.patches.count)],
    ["relations", String(study.triples.length)],
  ]);
}

/** {grids, both, only: [[i of a], [i of b]], rows: [{kind, name, a, b, differs}]}; `grids` says whether cells can be compared. */
export function differences(a, b) {
  const grids = sameGrids(a, b);
  const cells = [a, b].map((study) => new Map(Array.from({ length: study.patches.count }, (_, i) => [cell(study, i), i])));
  const only = [0, 1].map((mine) => (grids ? [...cells[mine]].filter(([place]) => !cells[1 - mine].has(place)).map(([, i]) => i) : []));
  return {
    grids,
    both: grids ? cells[0].size - only[0].length : 0,
    only,
    rows: [...rows("finding", sentences(a), sentences(b)), ...rows("label", labels(a), labels(b)), ...rows("fact", facts(a), facts(b))],
  };
}
