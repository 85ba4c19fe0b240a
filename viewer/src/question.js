/**
 * What is typed into the search box, as terms that must all hold.
 *
 * A term is `id:BEGINNING`, `label:NAME` (with `=0`, `=-1` or a word for its value), or words. Words name a finding in
 * the grammar of `ngr find` (neuralgraph/catalogue/question.py, which this follows word by word); a label of that name
 * and a part of an id answer to them too.
 */
const POLARITIES = new Map([
  ["present", "present"], ["positive", "present"], ["absent", "absent"], ["negative", "absent"], ["denied", "absent"],
  ["uncertain", "uncertain"], ["possible", "uncertain"], ["any", "any"],
]);
const SIDES = new Map([["left", "left"], ["right", "right"], ["bilateral", "bilateral"], ["both", "bilateral"]]);
const NOT = new Set(["no", "not", "without"]);
const AT = new Set(["in", "at"]);
const FILLING = new Set(["of", "the", "a", "an", "side", "sided", "with", "and", "is"]);
const MOST_TERMS = 32;
const LABEL_VALUES = new Map([["1", "present"], ["0", "absent"], ["-1", "uncertain"]]);

/** Without a plural s, and of "opacities" what "opacity" begins with too. */
function singular(word) {
  const letters = [...word].length;
  if (letters > 4 && word.endsWith("ies")) return word.slice(0, -3);
  return letters > 3 && word.endsWith("s") && !/(ss|is|us)$/.test(word) ? word.slice(0, -1) : word;
}

function words(text) {
  const term = { kind: "words", text, words: [], polarity: "present", side: "", place: [], without: false };
  const polarities = new Set();
  const sides = new Set();
  let at = false;
  for (const word of text.toLowerCase().match(/[^\s,;]+/g) ?? []) {
    const plain = word.replace(/-sided$/, "");
    if (NOT.has(word) && term.words.length === 0) term.without = true;
    else if (POLARITIES.has(word)) polarities.add(POLARITIES.get(word));
    else if (SIDES.has(plain)) sides.add(SIDES.get(plain));
    else if (AT.has(word) && term.words.length > 0) at = true;
    else if (!FILLING.has(word)) (at ? term.place : term.words).push(singular(word));
  }
  if (term.words.length === 0) return { error: `“${text}” names no finding` };
  if (polarities.size > 1 || sides.size > 1) return { error: `“${text}” says two things at once; put a comma between them` };
  [term.polarity] = polarities.size > 0 ? polarities : ["present"];
  [term.side] = sides.size > 0 ? sides : [""];
  // What says more than words is no part of an id.
  term.id = term.without || at || polarities.size > 0 || sides.size > 0 ? null : text.toLowerCase();
  return term;
}

function label(text) {
  const [name, value] = text.split("=").map((part) => part.trim().toLowerCase());
  const word = value === undefined ? "present" : LABEL_VALUES.get(value) ?? POLARITIES.get(value);
  if (name === "" || word === undefined) return { error: "a label is asked for as label:NAME, or label:NAME=absent" };
  return { kind: "label", text, words: name.split(/\s+/), polarity: word };
}

/** {terms, error}: an error says what is not understood, and then there are no terms. */
export function parseQuestion(text) {
  const parts = text.split(/[,;]/).map((part) => part.trim()).filter((part) => part !== "");
  if (parts.length > MOST_TERMS) return { terms: [], error: `at most ${MOST_TERMS} terms` };
  const terms = parts.map((part) => {
    const [, kind, rest] = /^(id|label):\s*(.*)$/i.exec(part) ?? [];
    if (kind === undefined) return words(part);
    return kind.toLowerCase() === "id" ? { kind: "id", text: rest, begin: rest.toLowerCase() } : label(rest);
  });
  const wrong = terms.find((term) => term.error !== undefined);
  return wrong === undefined ? { terms, error: null } : { terms: [], error: wrong.error };
}
