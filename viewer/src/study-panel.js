/** One study on the page: film, slider, graph and facts, and how a selection in one lights up the others. */
import { colour } from "./colours.js";
import { byId, element, printable } from "./dom.js";
import { factNodes, plainGraph, warnings } from "./facts.js";
import { drawFilm } from "./film.js";
import { drawGraph } from "./graph.js";
import { sentenceNodes } from "./sentences.js";
import { brightPatches, wordMap } from "./words.js";

function paintScale() {
  const context = byId("bar").getContext("2d");
  const image = context.createImageData(256, 1);
  for (let i = 0; i < 256; i++) image.data.set([...colour(i / 255), 255], 4 * i);
  context.putImageData(image, 0, 0);
}

export class StudyPanel {
  constructor(study) {
    this.study = study;
    this.view = 0;
    this.concept = null;
    this.patch = null;
    this.picture = null;
    this.kept = study.patches.count;
    const slider = byId("keep");
    slider.min = Math.min(1, study.patches.count);
    slider.max = study.patches.count;
    slider.disabled = study.patches.count < 2;
    slider.value = this.kept;
    slider.oninput = () => this.keep(Number(slider.value));
    byId("film").onkeydown = (event) => this.onFilmKey(event);
    byId("film-note").textContent = "";
    for (const id of ["scale", "slider"]) byId(id).hidden = study.views.length === 0;
    const notices = warnings(study);
    byId("notice").textContent = notices.join(" ");
    byId("notice").hidden = notices.length === 0;
    this.drawViews();
    byId("facts-body").replaceChildren(...factNodes(study));
    byId("study").hidden = false;
    byId("study").scrollTop = 0;
    this.drawFilm();
    this.drawGraph();
  }

  drawViews() {
    const { views } = this.study;
    byId("views").hidden = views.length < 2;
    byId("views").replaceChildren(
      ...views.map((view, v) =>
        element("button", { type: "button", "aria-pressed": String(v === this.view), onclick: () => this.chooseView(v) }, `Film ${v + 1} ${view.position}`),
      ),
    );
  }

  chooseView(v) {
    this.view = v;
    this.dropPicture();
    this.drawViews();
    this.drawFilm();
    this.refresh();
  }

  drawFilm() {
    const view = this.study.views[this.view];
    if (view === undefined) {
      byId("film").replaceChildren(element("p", { class: "quiet" }, plainGraph(this.study) === null ? "The study has no film." : "A plain graph has no film."));
      this.film = { show() {}, colour() {} };
      return;
    }
    paintScale();
    this.film = drawFilm(byId("film"), this.study, this.view, this.picture, (patch) => this.choosePatch(patch));
  }

  drawGraph() {
    this.graph = drawGraph(byId("graph"), this.study, (concept) => this.chooseConcept(concept));
    this.refresh();
  }

  /** Put the study's film under the grid; returns what is wrong with it, or null. */
  async setPicture(file) {
    const view = this.study.views[this.view];
    if (view === undefined) return "the study has no film";
    const address = URL.createObjectURL(file);
    const image = new Image();
    image.src = address;
    try {
      await image.decode();
    } catch {
      URL.revokeObjectURL(address);
      return `${file.name} is not a picture this browser can show`;
    }
    const [height, width] = [image.naturalHeight, image.naturalWidth];
    if (Math.abs((height * view.width) / (width * view.height) - 1) > 0.01) {
      URL.revokeObjectURL(address);
      return `${file.name} has ${width} × ${height} pixels (width × height), the study was made of a film of ${view.width} × ${view.height}`;
    }
    this.dropPicture();
    this.picture = address;
    this.drawFilm();
    this.refresh();
    byId("film-note").textContent = `Under the grid: ${file.name}. The page cannot know whether it is the film of this study.`;
    return null;
  }

  dropPicture() {
    if (this.picture !== null) URL.revokeObjectURL(this.picture);
    this.picture = null;
    byId("film-note").textContent = "";
  }

  keep(count) {
    this.kept = Math.min(Math.max(count, Math.min(1, this.study.patches.count)), this.study.patches.count);
    byId("keep").value = this.kept;
    if (this.patch !== null && this.patch >= this.kept) this.patch = null;
    this.refresh();
  }

  choosePatch(patch) {
    this.patch = this.patch === patch ? null : patch;
    this.concept = this.patch !== null && this.study.fusion?.[0] === patch ? this.study.fusion[1] : null;
    this.refresh();
  }

  chooseConcept(concept) {
    this.concept = this.concept === concept ? null : concept;
    this.patch = null;
    const end = this.study.fusion;
    if (this.concept !== null && end?.[1] === concept && this.study.patches.view[end[0]] !== this.view) {
      this.chooseView(this.study.patches.view[end[0]]);
      return;
    }
    this.refresh();
  }

  clear() {
    this.concept = null;
    this.patch = null;
    this.refresh();
  }

  onFilmKey(event) {
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const here = [];
    for (let i = 0; i < this.kept; i++) if (this.study.patches.view[i] === this.view) here.push(i);
    if (steps === undefined || here.length === 0) return;
    event.preventDefault();
    const at = here.indexOf(this.patch);
    const next = at < 0 ? (steps > 0 ? 0 : here.length - 1) : (at + steps + here.length) % here.length;
    this.patch = null;
    this.choosePatch(here[next]);
  }

  /** Concepts that relations join to `concept`, itself included. */
  component(concept) {
    const seen = new Set([concept]);
    for (const each of seen) {
      for (const [head, , tail] of this.study.triples) {
        if (head === each) seen.add(tail);
        if (tail === each) seen.add(head);
      }
    }
    return seen;
  }

  /** The patches that a selected concept lights up, and what to say about it. */
  lightOf(concept) {
    const { fusion, concepts } = this.study;
    const name = `“${printable(concepts[concept].text)}”`;
    if (fusion === null) return { patches: new Set(), text: `${name}: the study has no fusion edge, so no patch belongs to it.` };
    const [patch, end] = fusion;
    const hidden = patch >= this.kept ? " That patch is pruned away now." : "";
    if (concept === end) return { patches: new Set([patch]), text: `${name} is joined to patch ${patch + 1} by the fusion edge.${hidden}` };
    if (this.component(concept).has(end)) {
      const way = `${name} leads over its relations to “${printable(concepts[end].text)}”, which the fusion edge joins to patch ${patch + 1}.`;
      return { patches: new Set([patch]), text: way + hidden };
    }
    return { patches: new Set(), text: `${name} is not connected to the fusion edge, so no patch belongs to it.` };
  }

  patchText(patch) {
    const { patches, views, fusion, concepts } = this.study;
    const view = views[patches.view[patch]];
    const share = (100 * patches.score[patch]) / Math.max(view.attention.reduce((a, b) => Math.max(a, b), 0), Number.MIN_VALUE);
    const fused = fusion?.[0] === patch ? ` Joined to “${printable(concepts[fusion[1]].text)}” by the fusion edge.` : "";
    return `Patch ${patch + 1}: row ${patches.row[patch]}, column ${patches.col[patch]}, attention ${patches.score[patch].toPrecision(3)} (${share.toFixed(0)} % of the most).${fused}`;
  }

  refresh() {
    const { study, kept } = this;
    const cells = study.views.reduce((sum, view) => sum + view.rows * view.cols, 0);
    const share = cells > 0 ? ((100 * kept) / cells).toFixed(1) : "0";
    byId("keep-note").textContent = `${kept} of ${cells} (${share} %)`;
    byId("keep").setAttribute("aria-valuetext", `${kept} of ${cells} patches`);
    const light = this.concept === null ? { patches: new Set(), text: this.graph.note } : this.lightOf(this.concept);
    const view = study.views[this.view];
    const words = this.concept === null || view === undefined ? null : wordMap(study, this.view, study.concepts[this.concept]);
    if (words !== null) {
      for (const patch of brightPatches(study, this.view, words, kept)) light.patches.add(patch);
      light.text += " The film shows the attention of its words alone.";
    }
    if (view !== undefined) {
      this.film.colour(words ?? view.attention);
      byId("bar-end").textContent = (words ?? view.attention).reduce((a, b) => Math.max(a, b), 0).toPrecision(3);
    }
    this.film.show(kept, light.patches, this.patch);
    this.graph.show(this.concept);
    byId("concept-note").textContent = light.text;
    byId("concept-sentences").replaceChildren(...(this.concept === null ? [] : sentenceNodes(study, this.concept)));
    const pruned = study.fusion !== null && study.fusion[0] >= kept ? "The patch of the fusion edge is pruned away; study.prune would choose a new edge. " : "";
    byId("patch-note").textContent = this.patch === null ? pruned : this.patchText(this.patch);
  }
}
