/** The strings of a study (FORMAT.md 5.3 and [F27]). */
import { compareBytes, decodeUtf8 } from "./bytes.js";
import { fail } from "./errors.js";

const FORBIDDEN = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const MAX_ID_BYTES = 128;

/** `place` gives the words of an error, which are put together only where there is one. */
function cleanText(bytes, place) {
  if (bytes.length === 0) fail("E_TEXT", place(), "the text is empty");
  const text = decodeUtf8(bytes) ?? fail("E_TEXT", place(), "the text is not valid UTF-8");
  if (FORBIDDEN.test(text)) fail("E_TEXT", place(), "the text holds a forbidden character");
  if (text.normalize("NFC") !== text) fail("E_TEXT", place(), "the text is not in normal form C");
  return text;
}

/** Cut the text into id, source map (bytes), concept texts and label names. */
export function readStrings(columns, counts, where) {
  const pieces = [];
  let at = 0;
  for (const length of columns.string_bytes) {
    if (length > columns.text.length - at) fail("E_TEXT", where, "the strings end outside the text");
    pieces.push(columns.text.subarray(at, at + length));
    at += length;
  }
  if (at !== columns.text.length) fail("E_TEXT", where, "the strings do not fill the text");
  const [idBytes, source, ...rest] = pieces;
  if (idBytes.length > MAX_ID_BYTES) fail("E_TEXT", where, "the study id is longer than 128 bytes");
  const id = cleanText(idBytes, () => `${where} study id`);
  const concepts = rest.slice(0, counts.n_concepts).map((bytes, i) => cleanText(bytes, () => `${where} concept ${i}`));
  const labels = rest.slice(counts.n_concepts);
  const names = labels.map((bytes, i) => cleanText(bytes, () => `${where} label ${i}`));
  for (let i = 1; i < labels.length; i++) {
    if (compareBytes(labels[i - 1], labels[i]) >= 0) fail("E_ORDER", `${where} label ${i}`, "label names do not ascend strictly");
  }
  return { id, source, concepts, names };
}
