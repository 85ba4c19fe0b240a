/** Making elements; text is always set as text, so that nothing a file says becomes markup. */
const SVG = "http://www.w3.org/2000/svg";

function make(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) node.setAttribute(name, String(value));
  }
  node.append(...children);
  return node;
}

export const element = (name, attributes = {}, ...children) => make(document.createElement(name), attributes, children);
export const shape = (name, attributes = {}, ...children) => make(document.createElementNS(SVG, name), attributes, children);
export const byId = (id) => document.getElementById(id);

/** A definition list of [term, text or node]. */
export function definitions(pairs) {
  return element("dl", {}, ...pairs.flatMap(([term, text]) => [element("dt", {}, term), element("dd", {}, text)]));
}

const UNPRINTABLE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text of a file without control characters and without characters that turn the direction of text. */
export const printable = (text) => String(text).replace(UNPRINTABLE, "\ufffd");
