/** The sentences of the report that say a concept, each with what it says, where the report is stored. */
import { element, printable } from "./dom.js";
import { polarity } from "./graph.js";

const SIGNS = { present: "+", absent: "−", uncertain: "?" };
const LONGEST = 300;
// A sentence ends at a stop, at a blank line, and at a line end after which something new begins.
const ENDS = /[.!?;](?=\s|$)|\n(?=[ \t]*(?:\n|[A-Z0-9[(*\-•]))/g;

/** The sentence around the code points `start` to `end` of a report, on one line. */
export function sentenceAround(report, start, end) {
  const points = [...report];
  const before = points.slice(Math.max(0, start - LONGEST), start).join("");
  const after = points.slice(end, end + LONGEST).join("");
  // One more letter, so that a stop at the end is seen to be followed by something.
  let first = 0;
  for (const found of `${before}${points[start] ?? ""}`.matchAll(ENDS)) {
    if (found.index + found[0].length <= before.length) first = found.index + found[0].length;
  }
  const last = after.search(new RegExp(ENDS.source));
  const rest = last < 0 ? after : after.slice(0, last + 1);
  return `${before.slice(first)}${points.slice(start, end).join("")}${rest}`.split(/\s+/).filter(Boolean).join(" ");
}

/** List items for a concept: the place that decides first, then the other mentions. */
export function sentenceNodes(study, concept) {
  const places = [study.concepts[concept], ...study.mentions.filter((mention) => mention.concept === concept)];
  if (study.report === null && places.length === 1) return [];
  return places.map((place) => {
    const said = polarity(place.label);
    const where = place.section === "unknown" ? "" : ` in ${place.section}`;
    const sentence = study.report === null ? "" : `: “${printable(sentenceAround(study.report, place.start, place.end))}”`;
    return element("li", { class: said }, `${SIGNS[said]} ${said}${where}${sentence}`);
  });
}

/** The report as text, in which the places of a concept are marked; with null none is. */
export function reportNodes(study, concept) {
  const points = [...study.report];
  const places = concept === null ? [] : [study.concepts[concept], ...study.mentions.filter((mention) => mention.concept === concept)];
  const nodes = [];
  let at = 0;
  for (const { start, end, label } of places.toSorted((a, b) => a.start - b.start)) {
    if (start < at || end > points.length) continue;
    nodes.push(printable(points.slice(at, start).join("")), element("mark", { class: polarity(label) }, printable(points.slice(start, end).join(""))));
    at = end;
  }
  nodes.push(printable(points.slice(at).join("")));
  return nodes;
}
