/** Two studies side by side, their films looked at as one, with what differs marked. */
import { differences } from "./differences.js";
import { byId, element, printable } from "./dom.js";
import { counted, warnings } from "./facts.js";
import { drawFilm } from "./film.js";
import { misfit } from "./films.js";
import { filmTools } from "./tools.js";

export class ComparePanel {
  /** `sides` are two of {study, title, films}; `looking` is shared by both films. */
  constructor(sides, looking) {
    this.sides = sides.map((side) => ({ ...side, picture: null, film: null }));
    this.looking = looking;
    this.found = differences(sides[0].study, sides[1].study);
    this.gone = false;
    this.tools = filmTools(looking);
    byId("compare-tools").replaceChildren(this.tools.node);
    byId("compare-films").replaceChildren(...this.sides.map((side, number) => this.column(side, number)));
    byId("compare-note").textContent = this.summary();
    byId("compare-rows").replaceChildren(...this.rows());
    byId("compare").hidden = false;
    byId("compare-films").onkeydown = (event) => looking.key(event);
    this.sides.forEach((side, number) => {
      this.draw(side, number);
      this.fetchFilm(side, number);
    });
  }

  leave() {
    this.gone = true;
    this.tools.leave();
    for (const { film } of this.sides) film?.leave();
    byId("compare").hidden = true;
  }

  column(side, number) {
    const name = ["left", "right"][number];
    side.host = element("div", { class: "film", tabindex: 0, role: "group", "aria-label": `Film on the ${name}` });
    side.note = element("p", { class: "quiet", role: "status" });
    const notices = warnings(side.study);
    return element("section", { class: "side", "aria-label": `Study on the ${name}` },
      element("h3", {}, printable(side.title)),
      element("p", { class: "study-id" }, element("code", {}, printable(side.study.id))),
      ...(notices.length > 0 ? [element("p", { class: "warning" }, notices.join(" "))] : []),
      side.host,
      side.note,
    );
  }

  draw(side, number) {
    side.film?.leave();
    if (side.study.views.length === 0) {
      side.host.replaceChildren("The study has no film.");
      return;
    }
    const alone = new Set(this.found.only[number]);
    const marked = (patch) => (!this.found.grids ? "" : alone.has(patch) ? "alone" : "shared");
    side.film = drawFilm(side.host, side.study, 0, { film: side.picture, looking: this.looking, marked });
    side.film.show(side.study.patches.count, new Set(), null);
    this.tools.update(this.sides.some(({ picture }) => picture !== null));
  }

  async fetchFilm(side, number) {
    const [view] = side.study.views;
    if (view === undefined) return;
    try {
      const film = await side.films.of(side.study.id, 0);
      if (film === null || this.gone) return;
      const wrong = misfit(film, view);
      if (wrong !== null) throw new Error(`it ${wrong}`);
      side.picture = film;
      this.draw(side, number);
    } catch (error) {
      side.note.textContent = `The film at hand is not shown: ${printable(error.message)}`;
    }
  }

  summary() {
    const { grids, both, only, rows } = this.found;
    const patches = grids
      ? `${counted(both, "kept patch is", "kept patches are")} the same, ${only[0].length} only on the left, ${only[1].length} only on the right.`
      : "The films have different grids, so that patches cannot be compared.";
    const of = (kind) => rows.filter((row) => row.kind === kind && row.differs).length;
    const films = this.sides.some(({ study }) => study.views.length > 1) ? " The first film of each is shown." : "";
    return `${patches} ${counted(of("finding"), "finding differs", "findings differ")}, ${counted(of("label"), "label differs", "labels differ")}.${films}`;
  }

  rows() {
    const order = (row) => (row.differs ? 0 : 1);
    return this.found.rows.toSorted((a, b) => order(a) - order(b)).map(({ kind, name, a, b, differs }) =>
      element("tr", { class: differs ? "differs" : "" },
        element("td", {}, differs ? "≠ differs" : "= same"),
        element("td", {}, kind),
        element("th", { scope: "row" }, name),
        element("td", {}, a),
        element("td", {}, b),
      ),
    );
  }
}
