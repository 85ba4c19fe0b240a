/** Record header and stream table (FORMAT.md 5.1 and 5.2). */
import { equalBytes, pad8, requireZero, viewOf } from "./bytes.js";
import { crc32 } from "./checksums.js";
import { graphStreamBytes } from "./columns.js";
import { fail } from "./errors.js";
import { formOfStreams } from "./forms.js";
import { INDEX_COUNTS } from "./index.js";
import { wordCount } from "./words.js";

export const STREAM = Object.freeze({ graph: 0x01, report: 0x02, pixels: 0x03, words: 0x10, embedding: 0x20, vectors: 0x60 });
/** First and last id of parts, words and optional columns, planes, extensions. */
const KNOWN_IDS = [[0x01, 0x03], [0x10, 0x1f], [0x20, 0x9f], [0x8000, 0xbfff]];
const SYNC = Uint8Array.of(0x4e, 0x47, 0x52, 0x72, 0xb1, 0x9d, 0x5e, 0xc3);
export const FIXED_BYTES = 104;
export const TABLE_ROW_BYTES = 16;
/** The thirteen counts of a record in stored order, each with the name of its limit and the words for too many. */
const COUNTS = [
  ["n_views", "views", "views"],
  ["n_cells", "cells", "cells"],
  ["n_patches", "patches", "patches"],
  ["embedding_dim", "width", "values in an embedding"],
  ["n_edges", "edges", "edges"],
  ["n_concepts", "concepts", "concepts"],
  ["n_concept_vectors", "concepts", "concept vectors"],
  ["concept_dim", "width", "values in a concept vector"],
  ["n_mentions", "mentions", "mentions"],
  ["n_triples", "triples", "triples"],
  ["n_fusion", null, null],
  ["n_labels", "labels", "labels"],
  ["text_bytes", "textBytes", "bytes of text"],
];

export const isExtension = (id) => id >= 0x8000;
export const streamPlace = (where, id) => `${where} stream 0x${id.toString(16)}`;
export const isOptionalColumn = (id) => id >= 0x11 && id <= 0x1f;

/** The counts of a record whose bytes `view` shows. */
export function readCounts(view) {
  return Object.fromEntries(COUNTS.map(([name], i) => [name, view.getUint32(16 + 4 * i, true)]));
}

function checkCounts(c, where) {
  const rules = [
    [c.n_patches <= c.n_cells, "more patches than cells"],
    [c.n_views <= c.n_cells, "more views than cells"],
    [c.n_views > 0 || c.n_cells === 0, "cells without a view"],
    [c.embedding_dim > 0 || c.n_patches === 0, "patches without an embedding"],
    [c.n_fusion <= 1, "more than one fusion edge"],
    [c.n_fusion === 0 || (c.n_patches > 0 && c.n_concepts > 0), "a fusion edge without an end"],
    [c.n_edges === 0 || c.n_patches >= 2, "edges without two patches"],
    [c.n_triples === 0 || c.n_concepts >= 2, "triples without two concepts"],
    [c.n_mentions === 0 || c.n_concepts > 0, "mentions without a concept"],
    [c.n_concept_vectors <= c.n_concepts, "more concept vectors than concepts"],
    [(c.n_concept_vectors === 0) === (c.concept_dim === 0), "concept vectors and their width contradict each other"],
  ];
  for (const [holds, message] of rules) if (!holds) fail("E_RECORD", where, message);
}

function checkLimits(counts, streams, limits, where) {
  if (streams > limits.streams) fail("E_LIMIT", where, `${streams} streams`);
  for (const [name, limit, what] of COUNTS) {
    if (limit !== null && counts[name] > limits[limit]) fail("E_LIMIT", where, `${counts[name]} ${what}`);
  }
}

/** [F10]: which streams there are; returns both matrices as {form, first, rows, width}, `first` the stream of plane 0. */
function checkPresence(streams, counts, where) {
  const ids = streams.map((stream) => stream.id);
  if (!ids.includes(STREAM.graph)) fail("E_STREAM", where, "the graph stream is missing");
  const matrix = (base, rows, width) => {
    const own = ids.filter((id) => id >= base && id < base + 0x40);
    const form = formOfStreams(own, base);
    if (rows > 0 ? form === undefined : own.length > 0) {
      fail("E_STREAM", where, `the streams from 0x${base.toString(16)} on are not the planes of one form`);
    }
    return { form, first: own[0], rows, width };
  };
  const embedding = matrix(STREAM.embedding, counts.n_patches, counts.embedding_dim);
  const vectors = matrix(STREAM.vectors, counts.n_concept_vectors, counts.concept_dim);
  for (const id of ids) {
    if (!KNOWN_IDS.some(([first, last]) => id >= first && id <= last)) fail("E_STREAM", where, `unknown stream 0x${id.toString(16)}`);
  }
  return { embedding, vectors };
}

/** [F11] and [F12]. */
function checkSizes(streams, counts, matrices, where) {
  const sizes = new Map([[STREAM.graph, graphStreamBytes(counts)]]);
  for (const { form, first, rows, width } of Object.values(matrices)) {
    form?.planes.forEach((bytes, plane) => sizes.set(first + plane, bytes(rows, width)));
  }
  for (const { id, storedBytes, decodedBytes } of streams) {
    const place = streamPlace(where, id);
    if (id === STREAM.words && wordCount(decodedBytes, counts.n_cells) === null) fail("E_SIZE", place, "not a whole number of words");
    const size = sizes.get(id) ?? decodedBytes;
    if (size > Number.MAX_SAFE_INTEGER) fail("E_OVERFLOW", place, "a size exceeds 2^53 - 1");
    if (size !== decodedBytes) fail("E_SIZE", place, `the counts require ${size} bytes, not ${decodedBytes}`);
    if (decodedBytes > 65536 + 1024 * storedBytes) fail("E_SIZE", place, "the stream claims to expand too much");
  }
}

/** Where the streams lie [F8, F9]. */
export function placeStreams(view, count, recordBytes, where) {
  const streams = [];
  let at = FIXED_BYTES + TABLE_ROW_BYTES * count + 8;
  for (let i = 0; i < count; i++) {
    const row = FIXED_BYTES + TABLE_ROW_BYTES * i;
    const stream = {
      id: view.getUint16(row, true),
      encoding: view.getUint16(row + 2, true),
      storedBytes: view.getUint32(row + 4, true),
      decodedBytes: view.getUint32(row + 8, true),
      crc32: view.getUint32(row + 12, true),
      offset: at,
    };
    if (i > 0 && stream.id <= streams[i - 1].id) fail("E_STREAM", where, "stream ids do not ascend strictly");
    at += stream.storedBytes + pad8(stream.storedBytes);
    if (at > recordBytes) fail("E_STREAM", where, `stream 0x${stream.id.toString(16)} ends outside the record`);
    streams.push(stream);
  }
  if (at !== recordBytes) fail("E_COVER", where, "the streams do not fill the record");
  return streams;
}

/** Parse and check everything of a record before its streams; `row` is its row of the index. */
export function readRecordHeader(bytes, row, archive, where) {
  const view = viewOf(bytes);
  if (bytes.length < FIXED_BYTES + 8) fail("E_RECORD", where, "the record is too short");
  if (!equalBytes(bytes.subarray(0, 8), SYNC)) fail("E_RECORD", where, "the record does not begin with its mark");
  const count = view.getUint16(12, true);
  const headerBytes = FIXED_BYTES + TABLE_ROW_BYTES * count;
  if (headerBytes + 8 > bytes.length) fail("E_RECORD", where, "the header is longer than the record");
  if (view.getUint32(headerBytes, true) !== crc32(bytes.subarray(0, headerBytes))) {
    fail("E_RECORD", where, "the header does not match its checksum");
  }
  if (view.getUint32(8, true) !== bytes.length || bytes.length % 8 !== 0) fail("E_RECORD", where, "the length is not that of the index");
  if (view.getUint16(14, true) !== 0 || view.getUint32(headerBytes + 4, true) !== 0) {
    fail("E_RECORD", where, "reserved bits are set");
  }
  const counts = readCounts(view);
  checkLimits(counts, count, archive.limits, where);
  for (const name of INDEX_COUNTS) {
    if (counts[name] !== row.counts[name]) fail("E_RECORD", where, `${name} is not that of the index`);
  }
  checkCounts(counts, where);
  const streams = placeStreams(view, count, bytes.length, where);
  const decodedBytes = streams.reduce((sum, stream) => sum + stream.decodedBytes, 0);
  if (decodedBytes > archive.limits.recordDecodedBytes) fail("E_LIMIT", where, `${decodedBytes} bytes when decoded`);
  const matrices = checkPresence(streams, counts, where);
  checkSizes(streams, counts, matrices, where);
  if (count > archive.trailer.maxStreams || decodedBytes > archive.trailer.maxRecordDecodedBytes) {
    fail("E_BUDGET", where, "the record exceeds what the trailer states");
  }
  for (const { offset, storedBytes } of streams) {
    requireZero(bytes.subarray(offset + storedBytes, offset + storedBytes + pad8(storedBytes)), where);
  }
  if (archive.count === 1 && (count !== archive.trailer.maxStreams || decodedBytes !== archive.trailer.maxRecordDecodedBytes)) {
    fail("E_BUDGET", where, "the trailer states more than the only record has");
  }
  const tag = view.getUint32(68, true);
  const method = archive.methods.find((candidate) => candidate.tag === tag);
  if (method === undefined) fail("E_METHOD", where, "the file does not hold the method of the record");
  return { counts, countBytes: bytes.subarray(16, 68), method, contentDigest: bytes.slice(72, 104), streams, matrices, decodedBytes };
}
