/** The graph panel: concepts by polarity (shape, colour and word), relations, and what a selection touches. */
import { byId, shape } from "./dom.js";
import { plainGraph } from "./facts.js";
import { COLUMN_TITLES, conceptLayout } from "./layout.js";

const ROW = 58;
const BOX_HEIGHT = 40;
const TOP = 46;
const MOST_CONCEPTS = 400;
const SMALLEST_SCALE = 0.72;

export const polarity = (label) => ({ present: "present", uncertain: "uncertain", absent: "absent" })[label.split(" ").at(-1).split("::").at(-1)] ?? "present";

function cut(text, characters) {
  const points = [...text];
  return points.length <= characters ? text : `${points.slice(0, characters - 1).join("")}…`;
}

function node(concept, i, place, width, fused, select) {
  const kind = polarity(concept.label);
  const [x, y] = [place.x - width / 2, place.y - BOX_HEIGHT / 2];
  const corner = { present: 14, uncertain: 5, absent: 0 }[kind];
  const shown = cut(concept.text, Math.floor((width - 14) / 7.4));
  const group = shape("g", {
    class: `node ${kind}${fused ? " fused" : ""}`,
    tabindex: 0,
    role: "button",
    "aria-pressed": "false",
    "data-concept": i,
    onclick: () => select(i),
    onkeydown: (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      select(i);
    },
  });
  const section = concept.section === "unknown" ? "" : ` (${concept.section})`;
  // The name of the button, and what the mouse shows: it begins with what is seen, so that it can be said to a browser too.
  const fusion = fused ? ", end of the fusion edge" : "";
  const name = `${concept.text} ${kind}, ${concept.label.replaceAll("::", ", ")}${fusion}; characters ${concept.start} to ${concept.end} of the report${section}`;
  group.append(shape("title", {}, name));
  group.append(shape("rect", { class: "box", x, y, width, height: BOX_HEIGHT, rx: corner }));
  group.append(shape("text", { x: place.x, y: place.y - 2, "text-anchor": "middle" }, shown));
  group.append(shape("text", { x: place.x, y: place.y + 13, "text-anchor": "middle", class: "word" }, kind));
  if (fused) group.append(shape("circle", { class: "pin", cx: x, cy: place.y, r: 6 }));
  return group;
}

/** The point where the line from the middle of a box to (x, y) leaves the box. */
function edgePoint(from, to, width) {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const scale = Math.min(width / 2 / Math.abs(dx || 1e-9), BOX_HEIGHT / 2 / Math.abs(dy || 1e-9));
  return { x: from.x + dx * scale, y: from.y + dy * scale };
}

function triple(places, width, [head, relation, tail]) {
  const [a, b] = [places[head], places[tail]];
  const start = edgePoint(a, b, width);
  const end = edgePoint(b, a, width);
  const bend = a.x === b.x ? width / 2 + 26 : 0;
  const middle = { x: (start.x + end.x) / 2 + bend, y: (start.y + end.y) / 2 };
  // Within a column the line leaves at the right side and goes around what stands between.
  const [from, to] = bend === 0 ? [start, end] : [{ x: a.x + width / 2, y: a.y }, { x: b.x + width / 2, y: b.y }];
  const d = `M${from.x} ${from.y}Q${middle.x} ${middle.y} ${to.x} ${to.y}`;
  const label = { x: (from.x + 2 * middle.x + to.x) / 4, y: (from.y + 2 * middle.y + to.y) / 4 + 4 };
  return shape(
    "g",
    { "data-triple": "" },
    shape("path", { d, class: `triple ${relation}`, "marker-end": "url(#arrow)" }),
    shape("text", { ...label, "text-anchor": "middle", class: "triple-label" }, relation.replaceAll("_", " ")),
  );
}

/** Say above the graph that it goes on at the side, where it does. */
export function sayWhetherItScrolls(host) {
  byId("graph-scrolls").hidden = host.scrollWidth <= host.clientWidth + 1;
}

/** Draw the report graph; returns {show(concept or null), note}. */
export function drawGraph(host, study, select) {
  const count = Math.min(study.concepts.length, MOST_CONCEPTS);
  byId("graph-scrolls").hidden = true;
  if (count === 0) {
    host.replaceChildren(plainGraph(study) === null ? "The study holds no concepts of a report." : "A plain graph is not drawn here.");
    return { show() {}, note: "" };
  }
  const concepts = study.concepts.slice(0, count);
  const triples = study.triples.filter(([head, , tail]) => head < count && tail < count);
  const layout = conceptLayout(concepts, triples);
  const used = [...new Set(layout.column)].sort();
  const pitch = Math.max(196, Math.min(290, (host.clientWidth - 30) / used.length));
  const width = pitch - (used.length > 1 ? 84 : 20);
  const places = concepts.map((_, i) => ({
    x: pitch * (used.indexOf(layout.column[i]) + 0.5),
    y: TOP + BOX_HEIGHT / 2 + ROW * layout.y[i],
  }));
  const height = Math.max(...places.map((place) => place.y)) + BOX_HEIGHT;
  const total = pitch * used.length + 4;
  // A little smaller rather than scrolled; no smaller than can be read.
  const drawn = Math.min(total, Math.max(host.clientWidth - 4, SMALLEST_SCALE * total));
  const svg = shape("svg", { width: drawn, height: (height * drawn) / total, viewBox: `0 0 ${total} ${height}`, role: "group", "aria-label": "Concepts and relations" });
  const tip = shape("path", { d: "M0 0L8 4L0 8Z" });
  svg.append(shape("defs", {}, shape("marker", { id: "arrow", markerWidth: 8, markerHeight: 8, refX: 8, refY: 4, orient: "auto", markerUnits: "userSpaceOnUse" }, tip)));
  used.forEach((column, i) => {
    svg.append(shape("text", { x: pitch * (i + 0.5), y: 18, "text-anchor": "middle", class: "head" }, COLUMN_TITLES[column]));
  });
  const lines = triples.map((each) => triple(places, width, each));
  const nodes = concepts.map((concept, i) => node(concept, i, places[i], width, study.fusion?.[1] === i, select));
  svg.append(...lines, ...nodes);
  host.replaceChildren(svg);
  sayWhetherItScrolls(host);
  return {
    note: count < study.concepts.length ? `${count} of ${study.concepts.length} concepts are drawn.` : "",
    show(selected) {
      const near = new Set([selected]);
      triples.forEach(([head, , tail], i) => {
        const touches = selected === null || head === selected || tail === selected;
        if (touches) near.add(head).add(tail);
        lines[i].classList.toggle("faded", !touches);
      });
      nodes.forEach((each, i) => {
        each.setAttribute("aria-pressed", String(i === selected));
        each.classList.toggle("faded", selected !== null && !near.has(i));
      });
    },
  };
}
