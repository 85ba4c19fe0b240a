/** Films that a server of this package has at hand, by study id and view. */
import { greyOfBytes } from "./grey.js";

const MOST_HELD = 6;

export class Films {
  /** `address` answers to ?study=ID&view=NUMBER; null when there is none. */
  constructor(address) {
    this.address = address;
    this.held = new Map();
  }

  /** {height, width, samples}, or null when the server has no such film; throws what is wrong with one it has. */
  of(id, view) {
    if (this.address === null) return Promise.resolve(null);
    const key = `${view} ${id}`;
    if (!this.held.has(key)) {
      const found = this.ask(id, view);
      found.catch(() => this.held.delete(key));
      this.held.set(key, found);
      if (this.held.size > MOST_HELD) this.held.delete(this.held.keys().next().value);
    }
    return this.held.get(key);
  }

  async ask(id, view) {
    const query = new URLSearchParams({ study: id, view });
    const answer = await fetch(`${this.address}?${query}`, { cache: "no-store", credentials: "same-origin" });
    if (answer.status === 204) return null;
    if (!answer.ok) throw new Error((await answer.text()) || `the server answered ${answer.status}`);
    return greyOfBytes(await answer.arrayBuffer());
  }
}

/** What is wrong with a film for a view, or null: its proportions are all that a page can check. */
export function misfit(film, view) {
  if (Math.abs((film.height * view.width) / (film.width * view.height) - 1) <= 0.01) return null;
  return `has ${film.width} × ${film.height} pixels (width × height), the study was made of a film of ${view.width} × ${view.height}`;
}
