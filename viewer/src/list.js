/** The studies of an archive: only the rows in sight exist, so that a hundred thousand are no more work than ten. */
import { byId, element, printable } from "./dom.js";

const ROW = 28;

export class StudyList {
  constructor(ids, choose) {
    this.ids = ids;
    this.choose = choose;
    this.bad = new Set();
    this.selected = 0;
    this.filter("");
    byId("list").onscroll = () => this.draw();
    byId("list").onkeydown = (event) => this.onKey(event);
    byId("search").oninput = () => this.filter(byId("search").value);
    byId("search").onkeydown = (event) => {
      if (event.key === "ArrowDown" || event.key === "Enter") {
        event.preventDefault();
        byId("list").focus();
        if (this.shown.length > 0) this.select(this.shown[0]);
      }
    };
    new ResizeObserver(() => this.draw()).observe(byId("list"));
  }

  filter(text) {
    const wanted = text.trim().toLowerCase();
    this.shown = [];
    this.ids.forEach((id, i) => {
      if (wanted === "" || id.toLowerCase().includes(wanted)) this.shown.push(i);
    });
    byId("rows").style.height = `${this.shown.length * ROW}px`;
    byId("list").scrollTop = 0;
    const all = this.ids.length.toLocaleString("en");
    byId("list-note").textContent = wanted === "" ? `${all} studies` : `${this.shown.length.toLocaleString("en")} of ${all} studies`;
    this.draw();
  }

  draw() {
    const list = byId("list");
    const first = Math.max(0, Math.floor(list.scrollTop / ROW) - 5);
    const last = Math.min(this.shown.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + 5);
    const rows = this.shown.slice(first, last).map((study, i) => {
      const row = element("div", {
        class: `row${this.bad.has(study) ? " bad" : ""}`,
        role: "option",
        id: `study-${study}`,
        "aria-selected": String(study === this.selected),
        "aria-setsize": this.shown.length,
        "aria-posinset": first + i + 1,
        title: printable(this.ids[study]),
        onclick: () => this.select(study),
      }, printable(this.ids[study]));
      row.style.top = `${(first + i) * ROW}px`;
      return row;
    });
    byId("rows").replaceChildren(...rows);
    list.setAttribute("aria-activedescendant", `study-${this.selected}`);
  }

  select(study) {
    this.selected = study;
    const list = byId("list");
    const top = this.shown.indexOf(study) * ROW;
    if (top < list.scrollTop) list.scrollTop = top;
    if (top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW - list.clientHeight;
    this.draw();
    this.choose(study);
  }

  /** Go `steps` rows down (or up) among those that the search leaves. */
  step(steps) {
    if (this.shown.length === 0) return;
    const at = this.shown.indexOf(this.selected);
    this.select(this.shown[Math.min(Math.max(at + steps, 0), this.shown.length - 1)]);
  }

  markBad(study) {
    this.bad.add(study);
    this.draw();
  }

  onKey(event) {
    const page = Math.max(1, Math.floor(byId("list").clientHeight / ROW) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -this.ids.length, End: this.ids.length }[event.key];
    if (steps === undefined) return;
    event.preventDefault();
    this.step(steps);
  }
}
