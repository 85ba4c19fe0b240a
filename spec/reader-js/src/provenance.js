/** The allow-list of method and source maps (FORMAT.md 6.3, [F17]). */
import { fail } from "./errors.js";
import { isExtensionName } from "./names.js";

const METHOD = {
  model: ["name", "digest", "trained", "dtype"],
  score: ["rule", "layer", "heads"],
  prune: ["policy", "value"],
  extractor: ["name", "version", "fingerprint"],
  fusion: ["rule", "pivots"],
};
const SOURCE = ["report", "films", "labeler", "terms", "loss"];
const REPORT = ["given", "generated", "none"];

export function requireMap(node, where) {
  if (node.type !== "map") fail("E_TOC_KEY", where, "this is not a map");
}

/** Refuse members of a decoded method map that section 6.3 does not list. */
export function checkMethod(method, where) {
  requireMap(method, where);
  for (const [key, value] of method.value) {
    const known = Object.hasOwn(METHOD, key) ? METHOD[key] : fail("E_TOC_KEY", where, `unknown member ${key}`);
    requireMap(value, `${where} ${key}`);
    for (const [inner] of value.value) {
      if (!known.includes(inner)) fail("E_TOC_KEY", `${where} ${key}`, `unknown member ${inner}`);
    }
  }
}

/** Refuse members of a decoded source map that section 6.3 does not list, and films that are not one map per view. */
export function checkSource(source, views, where) {
  requireMap(source, where);
  for (const [key, value] of source.value) {
    if (!SOURCE.includes(key) && !isExtensionName(key)) fail("E_TOC_KEY", where, `unknown member ${key}`);
    if (key === "report" && !(value.type === "text" && REPORT.includes(value.value))) {
      fail("E_TOC_KEY", where, "report is none of given, generated, none");
    }
    if ((key === "labeler" || key === "terms") && value.type !== "text") fail("E_TOC_KEY", where, `${key} is not a text`);
    const isRows = key === "films" || key === "loss";
    if (isRows && !(value.type === "array" && value.value.every((row) => row.type === "map"))) {
      fail("E_TOC_KEY", where, `${key} is not an array of maps`);
    }
    if (key === "films" && value.value.length !== views) fail("E_TOC_KEY", where, `${value.value.length} films of ${views} views`);
  }
}
