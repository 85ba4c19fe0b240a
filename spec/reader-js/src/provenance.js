/** The allow-list of method and source maps (FORMAT.md 6.3, [F17]). */
import { entriesOf } from "./canonical.js";
import { fail } from "./errors.js";
import { isExtensionName } from "./extensions.js";

const METHOD = new Map(Object.entries({
  model: ["name", "digest", "trained", "dtype"],
  score: ["rule", "layer", "heads"],
  prune: ["policy", "value"],
  extractor: ["name", "version", "fingerprint"],
  fusion: ["rule", "pivots"],
}));
const REPORT = ["given", "generated", "none"];
const isText = (node) => node.type === "text";
const isRows = (node) => node.type === "array" && node.value.every((row) => row.type === "map");
/** What holds of every member of the source map, and the words for what does not. */
const SOURCE = new Map(Object.entries({
  report: [(node) => isText(node) && REPORT.includes(node.value), "report is none of given, generated, none"],
  films: [isRows, "films is not an array of maps"],
  labeler: [isText, "labeler is not a text"],
  terms: [isText, "terms is not a text"],
  loss: [isRows, "loss is not an array of maps"],
}));

/** Refuse members of a decoded method map that section 6.3 does not list. */
export function checkMethod(method, where) {
  for (const [key, value] of entriesOf(method, where)) {
    const known = METHOD.get(key) ?? fail("E_TOC_KEY", where, `unknown member ${key}`);
    for (const [inner] of entriesOf(value, `${where} ${key}`)) {
      if (!known.includes(inner)) fail("E_TOC_KEY", `${where} ${key}`, `unknown member ${inner}`);
    }
  }
}

/** Refuse members of a decoded source map that section 6.3 does not list, and films that are not one map per view. */
export function checkSource(source, views, where) {
  for (const [key, value] of entriesOf(source, where)) {
    const [holds, message] = SOURCE.get(key) ?? [() => isExtensionName(key), `unknown member ${key}`];
    if (!holds(value)) fail("E_TOC_KEY", where, message);
    if (key === "films" && value.value.length !== views) fail("E_TOC_KEY", where, `${value.value.length} films of ${views} views`);
  }
}
