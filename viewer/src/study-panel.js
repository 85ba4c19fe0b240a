/** One study on the page: film, slider, graph and facts, and how a selection in one lights up the others. */
import { colour } from "./colours.js";
import { byId, element, printable } from "./dom.js";
import { factNodes, plainGraph, warnings } from "./facts.js";
import { drawFilm } from "./film.js";
import { misfit } from "./films.js";
import { drawGraph } from "./graph.js";
import { greyOfPicture } from "./grey.js";
import { reportNodes, sentenceNodes } from "./sentences.js";
import { filmTools } from "./tools.js";
import { brightPatches, wordMap } from "./words.js";

function paintScale() {
  const context = byId("bar").getContext("2d");
  const image = context.createImageData(256, 1);
  for (let i = 0; i < 256; i++) image.data.set([...colour(i / 255), 255], 4 * i);
  context.putImageData(image, 0, 0);
}

export class StudyPanel {
  /** `films` is where films are asked for, `looking` how they are looked at. */
  constructor(study, films, looking) {
    this.study = study;
    this.films = films;
    this.looking = looking;
    this.view = 0;
    this.concept = null;
    this.patch = null;
    this.picture = null;
    this.gone = false;
    this.kept = study.patches.count;
    const slider = byId("keep");
    slider.min = Math.min(1, study.patches.count);
    slider.max = study.patches.count;
    slider.disabled = study.patches.count < 2;
    slider.value = this.kept;
    slider.oninput = () => this.keep(Number(slider.value));
    byId("film").onkeydown = (event) => this.onFilmKey(event);
    byId("film-note").textContent = "";
    byId("study-id").textContent = printable(study.id);
    byId("copied").textContent = "";
    for (const id of ["scale", "slider"]) byId(id).hidden = study.views.length === 0;
    const notices = warnings(study);
    byId("notice").textContent = notices.join(" ");
    byId("notice").hidden = notices.length === 0;
    this.tools = filmTools(looking);
    byId("film-tools").replaceChildren(...(study.views.length > 0 ? [this.tools.node] : []));
    looking.change({ zoom: 1, x: 0.5, y: 0.5 });
    this.drawViews();
    byId("facts-body").replaceChildren(...factNodes(study));
    byId("report-panel").hidden = study.report === null;
    byId("study").hidden = false;
    byId("study").scrollTop = 0;
    this.drawFilm();
    this.drawGraph();
    this.fetchFilm();
  }

  /** Another study, or none, takes this one's place. */
  leave() {
    this.gone = true;
    this.film.leave();
    this.tools.leave();
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
    this.picture = null;
    byId("film-note").textContent = "";
    this.drawViews();
    this.drawFilm();
    this.refresh();
    this.fetchFilm();
  }

  drawFilm() {
    const view = this.study.views[this.view];
    this.film?.leave();
    this.tools.update(this.picture !== null);
    if (view === undefined) {
      byId("film").replaceChildren(element("p", { class: "quiet" }, plainGraph(this.study) === null ? "The study has no film." : "A plain graph has no film."));
      this.film = { show() {}, colour() {}, leave() {} };
      return;
    }
    paintScale();
    this.film = drawFilm(byId("film"), this.study, this.view, { film: this.picture, looking: this.looking, choose: (patch) => this.choosePatch(patch) });
  }

  drawGraph() {
    this.graph = drawGraph(byId("graph"), this.study, (concept) => this.chooseConcept(concept));
    this.refresh();
  }

  /** Ask whoever has films at hand for this one. */
  async fetchFilm() {
    const [view, number] = [this.study.views[this.view], this.view];
    if (view === undefined) return;
    const here = () => !this.gone && number === this.view;
    try {
      const film = await this.films.of(this.study.id, number);
      if (film === null || !here()) return;
      const wrong = misfit(film, view);
      this.putPicture(wrong === null ? film : null, wrong === null ? "" : `Not shown: the film at hand ${wrong}.`);
    } catch (error) {
      if (here()) byId("film-note").textContent = `The film at hand is not shown: ${printable(error.message)}`;
    }
  }

  putPicture(film, note) {
    byId("film-note").textContent = note;
    if (film === null) return;
    this.picture = film;
    this.drawFilm();
    this.refresh();
  }

  /** Put the study's film under the grid; returns what is wrong with it, or null. */
  async setPicture(file) {
    const view = this.study.views[this.view];
    if (view === undefined) return "the study has no film";
    let film;
    try {
      film = await greyOfPicture(file);
    } catch {
      return `${file.name} is not a picture this browser can show`;
    }
    const wrong = misfit(film, view);
    if (wrong !== null) return `${file.name} ${wrong}`;
    if (!this.gone) this.putPicture(film, `Under the grid: ${file.name}. The page cannot know whether it is the film of this study.`);
    return null;
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
    if (this.looking.key(event)) return;
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
    if (study.report !== null) byId("report-text").replaceChildren(...reportNodes(study, this.concept));
    byId("concept-sentences").replaceChildren(...(this.concept === null ? [] : sentenceNodes(study, this.concept)));
    const pruned = study.fusion !== null && study.fusion[0] >= kept ? "The patch of the fusion edge is pruned away; study.prune would choose a new edge. " : "";
    byId("patch-note").textContent = this.patch === null ? pruned : this.patchText(this.patch);
  }
}
