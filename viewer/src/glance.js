/**
 * What lists and searches need of a study: concepts with side and place, labels, and who wrote the report.
 *
 * The stream of the graph alone is read, and only its own checksum is proven: a search through ten thousand studies
 * cannot prove each of them. A study that is opened is proven in full.
 */
import { decodeCanonical, toPlain } from "../../spec/reader-js/src/canonical.js";
import { readColumns } from "../../spec/reader-js/src/columns.js";
import { crc32 } from "../../spec/reader-js/src/checksums.js";
import { fail } from "../../spec/reader-js/src/errors.js";
import { FIXED_BYTES, STREAM, TABLE_ROW_BYTES, placeStreams, readCounts } from "../../spec/reader-js/src/record.js";
import { readStrings } from "../../spec/reader-js/src/strings.js";
import { CONCEPT_LABELS, RELATIONS } from "../../spec/reader-js/src/vocabulary.js";
import { decodeZstd } from "../../spec/reader-js/src/zstd/frame.js";

const POLARITY = new Map([["definitely present", "present"], ["uncertain", "uncertain"], ["definitely absent", "absent"]]);
const SIDES = new Map([
  ["left", "left"], ["left-sided", "left"], ["right", "right"], ["right-sided", "right"],
  ["bilateral", "bilateral"], ["bilaterally", "bilateral"], ["both", "bilateral"],
]);

/** Bytes from the beginning of a record to the end of its graph, where its header lies in `bytes`; else the header's. */
export function bytesNeeded(bytes, recordBytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = FIXED_BYTES + TABLE_ROW_BYTES * view.getUint16(12, true) + 8;
  if (header > bytes.length) return Math.min(header, recordBytes);
  return Math.min(header + view.getUint32(FIXED_BYTES + 4, true), recordBytes);
}

function columnsOf(bytes, recordBytes, where) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint16(12, true);
  const [graph] = placeStreams(view, count, recordBytes, where);
  if (graph?.id !== STREAM.graph) fail("E_STREAM", where, "the graph stream is missing");
  const stored = bytes.subarray(graph.offset, graph.offset + graph.storedBytes);
  if (crc32(stored) !== graph.crc32) fail("E_CRC", where, "the bytes do not match their checksum");
  const counts = readCounts(view);
  const decoded = graph.encoding === 0 ? stored : decodeZstd(stored, graph.decodedBytes);
  return { columns: readColumns(decoded, counts), counts };
}

/** One side of several: left and right are bilateral. */
function joined(sides) {
  const found = new Set(sides.filter(Boolean));
  return found.size === 0 ? "" : found.size === 1 ? [...found][0] : "bilateral";
}

const sideOf = (names) => joined(names.flatMap((name) => name.split(" ")).map((word) => SIDES.get(word) ?? ""));

/** [{name, kind, polarity, side, place}] of concepts [{text, label}] and triples [head, relation, tail]; as `ngr find` has them. */
export function findings(concepts, triples) {
  const names = concepts.map(({ text }) => text.toLowerCase().trim().split(/\s+/).join(" "));
  const modifiers = names.map(() => []);
  const places = names.map(() => []);
  for (const [head, relation, tail] of triples) {
    if (relation === "modify") modifiers[tail].push(names[head]);
    else if (relation === "located_at") places[head].push(tail);
  }
  const own = names.map((name, i) => sideOf([name, ...modifiers[i]]));
  return concepts.map(({ label }, i) => {
    const parts = label.split("::");
    return {
      name: names[i],
      kind: parts[0].toLowerCase(),
      polarity: POLARITY.get(parts.at(-1)),
      side: own[i] || joined(places[i].map((place) => own[place])),
      place: [...new Set(places[i].map((place) => names[place]))].join(", "),
    };
  });
}

/** {findings, labels: [[name, value]], report} of a record whose first bytes, up to the end of its graph, are given. */
export function glance(bytes, recordBytes, where) {
  const { columns: g, counts } = columnsOf(bytes, recordBytes, where);
  const strings = readStrings(g, counts, where);
  const concepts = strings.concepts.map((text, i) => ({ text, label: CONCEPT_LABELS[g.concept_label[i]] }));
  const triples = Array.from({ length: counts.n_triples }, (_, i) => [g.triple_head[i], RELATIONS[g.triple_relation[i]], g.triple_tail[i]]);
  const source = toPlain(decodeCanonical(strings.source, where));
  return {
    findings: findings(concepts, triples),
    labels: strings.names.map((name, i) => [name, g.label_value[i]]),
    report: typeof source.report === "string" ? source.report : "unknown",
  };
}
