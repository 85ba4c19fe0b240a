/** Which studies a question asks for, and why: over an index that is made on the fly and kept while the archive is open. */
import { bytesNeeded, glance } from "./glance.js";
import { printable } from "./dom.js";

const FIRST_BYTES = 4096;
const CHUNK = 4 * 1024 * 1024;
/** Records as small as this are read whole, many at a time: fewer reads weigh more than fewer bytes. */
const SMALL = 32 * 1024;
const VALUES = new Map([[1, "present"], [0, "absent"], [-1, "uncertain"]]);

/** Tell a piece of work to let the page breathe; resolves in the next turn, and sooner than a timer, which browsers slow down. */
const breathe = () => new Promise((resolve) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    resolve();
  };
  port2.postMessage(null);
});

export class StudyIndex {
  /** `archive` is what opening gives: {count, place(i)} with place(i) = {source, offset, length}. */
  constructor(archive) {
    this.archive = archive;
    this.entries = new Array(archive.count).fill(null);
    this.ready = false;
    this.bad = 0;
    this.building = null;
  }

  /** Read every study once; `tell(done)` is called now and then. Later calls wait for the first. */
  build(tell = () => {}) {
    this.building ??= this.read(tell).then(() => {
      this.ready = true;
    });
    return this.building;
  }

  async read(tell) {
    const { archive } = this;
    let rested = performance.now();
    let coming = this.chunk(0);
    for (let start = 0; start < archive.count; ) {
      const { bytes, next, from } = await coming;
      // The bytes of the next records travel while these are looked at.
      if (next < archive.count) {
        coming = this.chunk(next);
        coming.catch(() => {});
      }
      for (let i = start; i < next; i++) {
        const { offset, length } = archive.place(i);
        const head = bytes === null ? await this.head(i) : bytes.subarray(offset - from, offset - from + length);
        try {
          this.entries[i] = glance(head, length, `record ${i}`);
        } catch {
          // What is damaged answers to nothing; it is named when it is opened, or when all are checked.
          this.bad++;
        }
        if (performance.now() - rested > 40) {
          tell(i);
          await breathe();
          rested = performance.now();
        }
      }
      start = next;
    }
  }

  /** Small records that follow each other, in one read; of a large one nothing yet. */
  async chunk(start) {
    const first = this.archive.place(start);
    let [next, size] = [start, 0];
    while (next < this.archive.count) {
      const place = this.archive.place(next);
      if (place.source !== first.source || place.length > SMALL || size + place.length > CHUNK) break;
      size += place.length;
      next++;
    }
    if (next === start) return { bytes: null, next: start + 1, from: 0 };
    return { bytes: await first.source.read(first.offset, size), next, from: first.offset };
  }

  async head(i) {
    const { source, offset, length } = this.archive.place(i);
    const read = async (size) => source.read(offset, Math.min(size, length));
    let bytes = await read(FIRST_BYTES);
    for (let needed = bytesNeeded(bytes, length); needed > bytes.length; needed = bytesNeeded(bytes, length)) bytes = await read(needed);
    return bytes;
  }

  get hasGenerated() {
    return this.entries.some((entry) => entry?.report === "generated" && entry.findings.length > 0);
  }
}

const beginsWord = (text, word) => ` ${text}`.includes(` ${word}`);
const findingText = ({ name, side, polarity, place }) => `${side && !beginsWord(name, side) ? `${side} ` : ""}${name}${place ? ` in ${place}` : ""}: ${polarity}`;

function isFound(finding, term) {
  return (
    term.words.every((word) => beginsWord(finding.name, word)) &&
    term.place.every((word) => beginsWord(finding.place, word)) &&
    (term.polarity === "any" || finding.polarity === term.polarity) &&
    (term.side === "" || finding.side === term.side || (term.side !== "bilateral" && finding.side === "bilateral"))
  );
}

function labelsOf(entry, term) {
  if (term.side || term.place?.length > 0) return [];
  return entry.labels.filter(([name, value]) => {
    const plain = name.toLowerCase().replaceAll("_", " ");
    const said = VALUES.get(value) ?? "uncertain";
    return term.words.every((word) => beginsWord(plain, word)) && (term.polarity === "any" || said === term.polarity);
  });
}

const labelText = ([name, value]) => `label ${name}: ${VALUES.get(value) ?? value}`;

/** Why a study answers to a term, as texts; null when it does not. `entry` is null while the index is made. */
function reasons(term, id, entry, generated) {
  if (term.kind === "id") return id.toLowerCase().startsWith(term.begin) ? ["id begins so"] : null;
  if (entry === null) return term.id && id.toLowerCase().includes(term.id) ? ["id"] : null;
  if (term.kind === "label") {
    const found = labelsOf(entry, term);
    return found.length > 0 ? found.map(labelText) : null;
  }
  const counts = generated || entry.report === "given";
  const found = counts ? entry.findings.filter((finding) => isFound(finding, term)) : [];
  const labels = labelsOf(entry, term);
  if (term.without) return found.length > 0 || labels.length > 0 ? null : [`${term.text}: nothing says it`];
  const why = [...found.map((each) => `${findingText(each)}${entry.report === "given" ? "" : " (written by the model)"}`), ...labels.map(labelText)];
  if (term.id && id.toLowerCase().includes(term.id)) why.push("id");
  return why.length > 0 ? [...new Set(why)] : null;
}

/** Numbers of the studies for which all terms hold, and for each why: {shown: [i], why: Map(i -> text)}. */
export function answers(terms, ids, index, generated) {
  const shown = [];
  const why = new Map();
  const denies = terms.length > 0 && terms.every((term) => term.without);
  for (let i = 0; i < ids.length; i++) {
    const entry = index?.entries[i] ?? null;
    // A study without a report denies nothing.
    if (denies && !generated && entry?.report !== "given") continue;
    const found = [];
    for (const term of terms) {
      const because = reasons(term, ids[i], entry, generated);
      if (because === null) break;
      found.push(because);
    }
    if (found.length < terms.length) continue;
    shown.push(i);
    why.set(i, printable(found.flat().join(" · ")));
  }
  return { shown, why };
}
