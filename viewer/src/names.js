/** Ids so that they can be told apart in a narrow column, and copied. */
import { printable } from "./dom.js";

const WIDEST = 32;
const WORTH = 4;

/** A function from id to [what all ids begin with, the rest], shortened where that is too long to be read in a row. */
export function shortNames(ids) {
  let common = ids.length > 1 ? ids[0].length : 0;
  for (const id of ids) while (!id.startsWith(ids[0].slice(0, common))) common--;
  const same = [...printable(ids[0].slice(0, common))];
  return (id) => {
    const rest = [...printable(id.slice(common))];
    const room = Math.max(WIDEST - rest.length, WORTH);
    const head = same.length <= room ? same.join("") : `…${same.slice(1 - room).join("")}`;
    if (rest.length <= WIDEST - WORTH) return [head, rest.join("")];
    return [head, `${rest.slice(0, 8).join("")}…${rest.slice(-(WIDEST - WORTH - 9)).join("")}`];
  };
}

/** Put a text on the clipboard; says whether it worked. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
