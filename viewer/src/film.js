/** The film panel: attention of every cell, kept patches in their boxes, all in pixels of the source film. */
import { colour, share } from "./colours.js";
import { element, shape } from "./dom.js";
import { follow } from "./stage.js";

const MOST_NUMBERS = 60;
const SMALLEST_NUMBERED = 15;

/** Top, left, height and width of a patch, clipped to the film (FORMAT.md 5.3). */
export function patchBox(view, row, col) {
  const top = row * view.patchHeight;
  const left = col * view.patchWidth;
  return {
    top,
    left,
    height: Math.min(top + view.patchHeight, view.height) - top,
    width: Math.min(left + view.patchWidth, view.width) - left,
  };
}

/** One pixel per cell; over a film, weak cells let it through. */
function heat(view, attentions, overFilm) {
  const canvas = document.createElement("canvas");
  canvas.width = view.cols;
  canvas.height = view.rows;
  const context = canvas.getContext("2d");
  const image = context.createImageData(view.cols, view.rows);
  const largest = attentions.reduce((a, b) => Math.max(a, b), 0);
  attentions.forEach((attention, cell) => {
    const part = share(attention, largest);
    image.data.set([...colour(part), overFilm ? Math.round(255 * (0.1 + 0.45 * part)) : 255], 4 * cell);
  });
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}

function gridPath(view) {
  const lines = [];
  for (let c = 1; c < view.cols; c++) lines.push(`M${c * view.patchWidth} 0V${view.height}`);
  for (let r = 1; r < view.rows; r++) lines.push(`M0 ${r * view.patchHeight}H${view.width}`);
  return lines.join("");
}

/**
 * Draw view `v` into `host`; returns {show(kept, lit, current), colour(attention of every cell), leave()}.
 *
 * `film` is {height, width, samples} or null, `looking` says how it is looked at, `choose(patch)` is called when a patch
 * is clicked, and `marked(patch)` gives further classes of its outline.
 */
export function drawFilm(host, study, v, { film, looking, choose = () => {}, marked = () => "" }) {
  const view = study.views[v];
  const svg = shape("svg", { viewBox: `0 0 ${view.width} ${view.height}`, role: "img", preserveAspectRatio: "xMidYMid meet" });
  const title = shape("title");
  svg.append(title);
  const reach = { x: 0, y: 0, width: view.cols * view.patchWidth, height: view.rows * view.patchHeight, preserveAspectRatio: "none" };
  svg.append(shape("image", { ...reach, href: heat(view, view.attention, film !== null), class: "heat" }));
  svg.querySelector(".heat").style.imageRendering = "pixelated";
  if (film === null) svg.append(shape("path", { d: gridPath(view), class: "grid" }));
  const marks = [];
  const { patches } = study;
  const small = Math.min(view.patchHeight, view.patchWidth);
  const fontSize = 0.42 * small;
  const halos = shape("g");
  const outlines = shape("g");
  for (let i = 0; i < patches.count; i++) {
    if (patches.view[i] !== v) continue;
    const box = patchBox(view, patches.row[i], patches.col[i]);
    const place = { x: box.left, y: box.top, width: box.width, height: box.height };
    const fused = study.fusion?.[0] === i;
    const halo = shape("rect", { ...place, class: "halo" });
    const rect = shape("rect", { ...place, class: `patch ${fused ? "fused" : ""} ${marked(i)}`.trim(), "data-patch": i, onclick: () => choose(i) });
    const group = shape("g", {}, rect);
    if (i < MOST_NUMBERS) {
      const at = { x: box.left + 0.08 * view.patchWidth, y: box.top + 0.08 * view.patchHeight + 0.8 * fontSize };
      group.append(shape("text", { ...at, class: "rank", "font-size": fontSize, "stroke-width": fontSize / 6 }, String(i + 1)));
    }
    marks.push({ patch: i, group, halo, rect });
    halos.append(halo);
    outlines.append(group);
  }
  // Neighbours share a side: the fused patch comes last, so that nothing covers its colour.
  outlines.append(...marks.filter(({ rect }) => rect.classList.contains("fused")).map(({ group }) => group));
  svg.append(halos, outlines);
  const canvas = film === null ? null : element("canvas", { class: "film-picture", width: film.width, height: film.height, "aria-hidden": "true" });
  const inner = element("div", { class: "inner" }, ...(canvas === null ? [] : [canvas]), svg);
  const frame = element("div", { class: "frame" }, inner);
  frame.style.aspectRatio = `${view.width} / ${view.height}`;
  frame.style.setProperty("--proportion", String(view.width / view.height));
  host.replaceChildren(frame);
  const unfollow = follow(frame, inner, looking, canvas, film);
  // Numbers that nobody could read are left out, and so are those that would cover the film.
  const number = () => frame.classList.toggle("unnumbered", (frame.clientWidth / view.width) * small * looking.zoom < SMALLEST_NUMBERED);
  looking.listeners.add(number);
  const watcher = new ResizeObserver(number);
  watcher.observe(frame);
  number();
  let shownMap = view.attention;
  return {
    leave() {
      unfollow();
      looking.listeners.delete(number);
      watcher.disconnect();
    },
    colour(attention) {
      if (attention === shownMap) return;
      shownMap = attention;
      svg.querySelector(".heat").setAttribute("href", heat(view, attention, film !== null));
    },
    show(kept, lit, current) {
      let shown = 0;
      for (const { patch, group, halo, rect } of marks) {
        for (const part of [group, halo]) part.style.display = patch < kept ? "" : "none";
        for (const part of [rect, halo]) part.classList.toggle("lit", lit.has(patch));
        rect.classList.toggle("current", patch === current);
        if (patch < kept) shown++;
      }
      title.textContent = `Film of ${view.height} by ${view.width} pixels, grid ${view.rows} by ${view.cols}, ${shown} kept patches`;
    },
  };
}
