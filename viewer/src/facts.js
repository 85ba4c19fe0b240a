/** What the file says about a study, and problems with code, place and meaning. */
import { toHex } from "../../spec/reader-js/src/bytes.js";
import { definitions, element, printable } from "./dom.js";
import { MEANINGS } from "./error-codes.js";

const ADVICE = {
  E_MAGIC: "This is another kind of file. Studies end in .ngr; films are shown as PNG or JPEG.",
  E_TRUNCATED: "The file is not complete: copy it again, or save what is whole with: ngr recover FILE -o WHOLE.ngr",
  E_FEATURE: "Read it with a newer version of neuralgraph.",
  E_LIMIT: "It is larger than this page accepts; the command line accepts more.",
};
const SALVAGE = "Copy the file again from its source, or save the studies that are whole with: ngr recover FILE -o WHOLE.ngr";

/** A problem as a list: code, what the code means, place, message, what to do. */
export function problemList({ code, where, message }) {
  return definitions([
    ["code", element("code", {}, code)],
    ["meaning", MEANINGS[code] ?? "the file could not be read"],
    ["place", printable(where) || "the file as a whole"],
    ["found", printable(message)],
    ["what to do", code === "E_OPEN" ? "Check that the file is there and may be read." : ADVICE[code] ?? SALVAGE],
  ]);
}

function asText(value) {
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(asText).join(", ");
  if (value !== null && typeof value === "object") return Object.entries(value).map(([k, v]) => `${k} ${asText(v)}`).join(", ");
  return printable(value);
}

/** "1 patch", "2 patches"; `many` where it is not the word with an s. */
export const counted = (count, word, many = `${word}s`) => `${count.toLocaleString("en")} ${count === 1 ? word : many}`;

const CARRIED = "x.org.neuralgraph.reference-graph";
const ORIGIN = "x.org.neuralgraph.migrated";

/** What is said of the plain graph that a study carries (ngr migrate), or null: then it is a study in the full sense. */
export function plainGraph(study) {
  if (study.patches.count > 0 || study.concepts.length > 0 || !study.extensions.some(({ name }) => name === CARRIED)) return null;
  const facts = study.provenance.source[ORIGIN];
  return facts !== null && typeof facts === "object" ? asText(facts) : "its size is not stated";
}

/** What nobody may overlook about a study; empty when there is nothing. */
export function warnings(study) {
  const { concepts, provenance: { method, source } } = study;
  const found = [];
  if (plainGraph(study) !== null) {
    found.push(`PLAIN GRAPH, not drawn: it says neither where a patch was nor what a concept is (${plainGraph(study)}). In Python, to_data gives it back.`);
  }
  if (concepts.length > 0 && source.report === "generated") found.push("The report graph was WRITTEN BY THE MODEL: no report was given.");
  if ((source.films ?? []).some((film) => film?.format === "phantom")) found.push("SYNTHETIC: not a patient.");
  if (method.model?.trained === false) found.push("Made with an UNTRAINED model: its attention means nothing.");
  else if (method.model?.name === "demo") found.push("The demo model learnt from SYNTHETIC films and some hundred films of one hospital: no diagnostic device; it misses much.");
  return found;
}

const LABEL_WORDS = new Map([[1, "present"], [0, "absent"], [-1, "uncertain"]]);

function part(title, ...content) {
  return element("div", {}, element("h3", {}, title), ...content);
}

function patchTable(study) {
  const head = element("tr", {}, ...["rank", "film", "row", "column", "attention"].map((text) => element("th", { scope: "col" }, text)));
  const rows = [];
  for (let i = 0; i < Math.min(study.patches.count, 500); i++) {
    const { view, row, col, score } = study.patches;
    rows.push(element("tr", {}, ...[i + 1, view[i] + 1, row[i], col[i], score[i].toPrecision(4)].map((value) => element("td", {}, String(value)))));
  }
  return element("div", { class: "scroll", tabindex: 0 }, element("table", {}, head, ...rows));
}

/** Nodes for the panel of facts. */
export function factNodes(study) {
  const { method, source } = study.provenance;
  const nodes = [];
  const films = study.views.map((view, v) => [
    `film ${v + 1}`,
    `${view.position}, ${view.width} × ${view.height} px, grid ${view.cols} × ${view.rows} (width × height)`,
  ]);
  const kept = `${counted(study.patches.count, "patch", "patches")}, ${counted(study.edges.length, "edge")}, embeddings of ${counted(study.patches.width, "value")}`;
  const mentions = study.mentions.length > 0 ? `, ${counted(study.mentions.length, "further mention")}` : "";
  nodes.push(part("Study", definitions([
    ["id", printable(study.id)],
    ...films,
    ["kept", kept],
    ["report", `${study.concepts.length > 0 && source.report === "generated" ? "by the model: " : ""}${counted(study.concepts.length, "concept")}${mentions}, ${counted(study.triples.length, "relation")}`],
    ["digest", element("code", {}, toHex(study.digest))],
  ])));
  const labels = study.labels.map(([name, value]) => [printable(name), LABEL_WORDS.get(value) ?? String(value)]);
  nodes.push(part("Labels", labels.length > 0 ? definitions(labels) : "none stored"));
  const made = Object.entries({ ...method, ...source }).map(([key, value]) => [key, asText(value)]);
  nodes.push(part("Provenance", made.length > 0 ? definitions(made) : "not stated"));
  const more = [element("details", {}, element("summary", {}, "Kept patches as a table"), patchTable(study))];
  if (study.extensions.length > 0) {
    const names = study.extensions.map(({ name, payload }) => [name, `${payload.length.toLocaleString("en")} bytes`]);
    more.push(part("Extensions", definitions(names)));
  }
  nodes.push(part("More", ...more));
  return nodes;
}
