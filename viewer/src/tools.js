/** The row of buttons over a film: what mouse and keyboard do, for fingers and for screen readers. */
import { element } from "./dom.js";

const STEP = 1.25;

/** {node, update(hasFilm), leave()}: buttons that change `looking`; window and level only where there is a film. */
export function filmTools(looking) {
  const button = (text, name, act, key) => element("button", { type: "button", "aria-label": name, title: `${name} (${key})`, onclick: act }, text);
  const invert = button("◑", "Invert", () => looking.change({ inverted: !looking.inverted }), "i");
  const bare = button("▦", "Hide attention and patches", () => looking.change({ bare: !looking.bare }), "h");
  const slider = (name, from, to, change) => element("input", { type: "range", min: from, max: to, "aria-label": name, title: name, oninput: (event) => change(event.target.value / 100) });
  const window = slider("Window", 2, 200, (value) => looking.change({ window: value }));
  const level = slider("Level", 0, 100, (value) => looking.change({ level: value }));
  const grey = element("span", { class: "grey" }, element("label", {}, "window ", window), element("label", {}, "level ", level), invert);
  const node = element("div", { class: "tools", role: "toolbar", "aria-label": "Look at the film" },
    button("−", "Smaller", () => looking.zoomAt(1 / STEP), "x"),
    button("+", "Larger", () => looking.zoomAt(STEP), "z"),
    button("Whole", "The whole film, its grey levels as they were", () => looking.reset(), "0"),
    bare,
    grey,
  );
  function state() {
    invert.setAttribute("aria-pressed", String(looking.inverted));
    bare.setAttribute("aria-pressed", String(looking.bare));
    window.value = Math.round(100 * looking.window);
    level.value = Math.round(100 * looking.level);
    for (const [input, value] of [[window, looking.window], [level, looking.level]]) input.setAttribute("aria-valuetext", `${Math.round(100 * value)} %`);
  }
  looking.listeners.add(state);
  state();
  return {
    node,
    update(hasFilm) {
      grey.hidden = !hasFilm;
    },
    leave: () => looking.listeners.delete(state),
  };
}
