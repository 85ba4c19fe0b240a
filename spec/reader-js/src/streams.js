/** From the streams of a record to its parts (FORMAT.md 7.1 and the stream table of 5.2). */
import { crc32 } from "./crc32.js";
import { fail } from "./errors.js";
import { splitExtensions } from "./extensions.js";
import { decodeMatrix } from "./forms.js";
import { STREAM, isOptionalColumn } from "./record.js";
import { decodeZstd } from "./zstd/frame.js";

function decodeStream(stored, stream, where) {
  if (stream.encoding === 0) {
    if (stream.storedBytes !== stream.decodedBytes) fail("E_SIZE", where, "stored and decoded size differ");
    return stored;
  }
  if (stream.encoding === 1) return decodeZstd(stored, stream.decodedBytes);
  return fail("E_STREAM", where, `encoding ${stream.encoding} is unknown`);
}

/** Verify every stream and decode those that this reader knows. */
export function readStreams(record, header, where) {
  const { counts, forms, streams } = header;
  const place = (stream) => `${where} stream 0x${stream.id.toString(16)}`;
  const decoded = new Map();
  for (const stream of streams) {
    const stored = record.subarray(stream.offset, stream.offset + stream.storedBytes);
    if (crc32(stored) !== stream.crc32) fail("E_CRC", place(stream), "the bytes do not match their checksum");
    if (!isOptionalColumn(stream.id)) decoded.set(stream.id, decodeStream(stored, stream, place(stream)));
  }
  const matrix = (base, form, rows, width) => {
    if (form === null) return new Float32Array(0);
    const planes = form.planes.map((_, plane) => decoded.get(base + form.offset + plane));
    return decodeMatrix(form, planes, rows, width, `${where} stream 0x${(base + form.offset).toString(16)}`);
  };
  return {
    graph: decoded.get(STREAM.graph),
    embedding: matrix(STREAM.embedding, forms.embedding, counts.n_patches, counts.embedding_dim),
    vectors: matrix(STREAM.vectors, forms.vectors, counts.n_concept_vectors, counts.concept_dim),
    report: decoded.get(STREAM.report) ?? null,
    pixels: decoded.get(STREAM.pixels) ?? null,
    words: decoded.get(STREAM.words) ?? null,
    extensions: splitExtensions(streams.filter((stream) => stream.id >= 0x8000), decoded, place),
  };
}
