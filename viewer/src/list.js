/** The studies of an archive: only the rows in sight exist, so that a hundred thousand are no more work than ten. */
import { byId, element, printable } from "./dom.js";
import { shortNames } from "./names.js";
import { parseQuestion } from "./question.js";
import { StudyIndex, answers } from "./search.js";

const PLAIN_ROW = 30;
const REASONED_ROW = 50;
const SOON = 150;

export class StudyList {
  /** `archive` is a Joined one, `ids` its ids, `choose(i)` is called when a study is chosen; `near`: reading costs nobody. */
  constructor(archive, ids, choose, near = false) {
    this.ids = ids;
    this.soon = near ? 0 : SOON;
    this.choose = choose;
    this.short = shortNames(ids);
    this.index = new StudyIndex(archive);
    this.bad = new Set();
    this.selected = 0;
    this.pinned = null;
    this.turn = 0;
    this.drawn = new Map();
    this.show(null);
    byId("list").onscroll = () => this.draw();
    byId("list").onkeydown = (event) => this.onKey(event);
    byId("search").oninput = () => this.filter(byId("search").value, this.soon);
    byId("generated").onchange = () => this.filter(byId("search").value);
    byId("search").onkeydown = async (event) => {
      if (event.key !== "ArrowDown" && event.key !== "Enter") return;
      event.preventDefault();
      byId("list").focus();
      await this.filter(byId("search").value);
      if (this.shown.length > 0) this.select(this.shown[0]);
    };
    byId("clear").onclick = () => {
      this.clear();
      byId("search").focus();
    };
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(byId("list"));
  }

  leave() {
    this.watcher.disconnect();
    this.turn++;
  }

  /** Read the findings before anybody asks, where that costs nobody else anything. */
  prepare() {
    // What cannot be read is said when somebody searches.
    this.index.build().catch(() => {
      this.index.building = null;
    });
  }

  /** Everything again, and an empty box; true when something was cleared. */
  clear() {
    const had = byId("search").value !== "" || this.why !== null;
    this.turn++;
    byId("search").value = "";
    this.show(null);
    return had;
  }

  /** Show what a question finds; findings are first read `wait` milliseconds later, so that typing does not begin it from afar. */
  async filter(text, wait = 0) {
    const turn = ++this.turn;
    const { terms, error } = parseQuestion(text);
    if (error !== null) {
      byId("list-note").textContent = error;
      return;
    }
    if (terms.length === 0) {
      this.show(null);
      return;
    }
    // Ids answer at once, findings and labels when every study has been read once.
    if (!this.index.ready) {
      if (terms.every((term) => term.kind === "id" || term.id)) this.show(answers(terms, this.ids, null, false));
      const all = this.ids.length.toLocaleString("en");
      const tell = (done) => {
        byId("list-note").textContent = `Reading findings: ${done.toLocaleString("en")} of ${all} …`;
      };
      try {
        await new Promise((resolve) => setTimeout(resolve, wait));
        if (turn !== this.turn) return;
        await this.index.build(tell);
      } catch (problem) {
        if (turn === this.turn) byId("list-note").textContent = `Findings cannot be read: ${printable(problem.message)}`;
        this.index.building = null;
        return;
      }
    }
    byId("generated-box").hidden = !this.index.hasGenerated;
    if (turn === this.turn) this.show(answers(terms, this.ids, this.index, byId("generated").checked));
  }

  /** Show what was found, {shown, why}, or with null all. */
  show(found) {
    this.shown = found?.shown ?? this.ids.map((_, i) => i);
    this.places = new Map(this.shown.map((study, place) => [study, place]));
    this.why = found?.why ?? null;
    this.row = this.why === null ? PLAIN_ROW : REASONED_ROW;
    byId("rows").style.height = `${this.shown.length * this.row}px`;
    byId("rows").replaceChildren();
    this.drawn.clear();
    byId("list").scrollTop = 0;
    byId("clear").hidden = byId("search").value === "";
    const all = this.ids.length.toLocaleString("en");
    const unread = this.index.bad > 0 ? `, ${this.index.bad.toLocaleString("en")} unreadable` : "";
    byId("list-note").textContent = this.why === null ? `${all} studies` : `${this.shown.length.toLocaleString("en")} of ${all} studies${unread}`;
    this.draw();
  }

  /** Draw the rows in sight. A row that is there already stays the same node: a click on a node taken away meanwhile is lost. */
  draw() {
    const list = byId("list");
    const rows = byId("rows");
    const first = Math.max(0, Math.floor(list.scrollTop / this.row) - 5);
    const last = Math.min(this.shown.length, Math.ceil((list.scrollTop + list.clientHeight) / this.row) + 5);
    const before = this.drawn;
    this.drawn = new Map(this.shown.slice(first, last).map((study, i) => [study, before.get(study) ?? this.makeRow(study, first + i)]));
    for (const [study, row] of before) if (!this.drawn.has(study)) row.remove();
    let next = rows.firstChild;
    for (const [study, row] of this.drawn) {
      if (row === next) next = row.nextSibling;
      else rows.insertBefore(row, next);
      row.classList.toggle("bad", this.bad.has(study));
      row.classList.toggle("pinned", study === this.pinned);
      row.setAttribute("aria-selected", String(study === this.selected));
    }
    // What is named must exist; the chosen study may have scrolled out of sight or been filtered away.
    if (this.drawn.has(this.selected)) list.setAttribute("aria-activedescendant", `study-${this.selected}`);
    else list.removeAttribute("aria-activedescendant");
  }

  makeRow(study, place) {
    const why = this.why?.get(study);
    const [common, rest] = this.short(this.ids[study]);
    const row = element("div", {
      class: "row",
      role: "option",
      id: `study-${study}`,
      "aria-setsize": this.shown.length,
      "aria-posinset": place + 1,
      title: printable(this.ids[study]) + (why ? `\n${why}` : ""),
      onclick: () => this.select(study),
    }, element("span", { class: "id" }, element("span", { class: "common" }, common), rest));
    if (why) row.append(element("span", { class: "why" }, why));
    row.style.top = `${place * this.row}px`;
    row.style.height = `${this.row}px`;
    return row;
  }

  select(study) {
    this.selected = study;
    const list = byId("list");
    const top = (this.places.get(study) ?? -1) * this.row;
    if (top >= 0 && top < list.scrollTop) list.scrollTop = top;
    if (top + this.row > list.scrollTop + list.clientHeight) list.scrollTop = top + this.row - list.clientHeight;
    this.draw();
    this.choose(study);
  }

  /** Go `steps` rows down (or up) among those that the search leaves. */
  step(steps) {
    if (this.shown.length === 0) return;
    const at = this.places.get(this.selected) ?? (steps > 0 ? -1 : 0);
    this.select(this.shown[Math.min(Math.max(at + steps, 0), this.shown.length - 1)]);
  }

  pin(study) {
    this.pinned = study;
    this.draw();
  }

  markBad(study) {
    this.bad.add(study);
    this.draw();
  }

  onKey(event) {
    const page = Math.max(1, Math.floor(byId("list").clientHeight / this.row) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -this.ids.length, End: this.ids.length }[event.key];
    if (steps === undefined) return;
    event.preventDefault();
    this.step(steps);
  }
}
