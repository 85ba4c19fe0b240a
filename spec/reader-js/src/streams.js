/** From the streams of a record to its parts (FORMAT.md 7.1 and the stream table of 5.2). */
import { crc32 } from "./checksums.js";
import { fail } from "./errors.js";
import { splitExtensions } from "./extensions.js";
import { decodeMatrix } from "./forms.js";
import { STREAM, isOptionalColumn, streamPlace } from "./record.js";
import { decodeZstd } from "./zstd/frame.js";

export function decodeStream(stored, stream, where) {
  if (stream.encoding === 0) {
    if (stream.storedBytes !== stream.decodedBytes) fail("E_SIZE", where, "stored and decoded size differ");
    return stored;
  }
  if (stream.encoding === 1) return decodeZstd(stored, stream.decodedBytes);
  return fail("E_STREAM", where, `encoding ${stream.encoding} is unknown`);
}

/** Verify every stream and decode those that this reader knows. */
export function readStreams(record, { streams, matrices }, where) {
  const decoded = new Map();
  for (const stream of streams) {
    const place = streamPlace(where, stream.id);
    const stored = record.subarray(stream.offset, stream.offset + stream.storedBytes);
    if (crc32(stored) !== stream.crc32) fail("E_CRC", place, "the bytes do not match their checksum");
    if (!isOptionalColumn(stream.id)) decoded.set(stream.id, decodeStream(stored, stream, place));
  }
  const values = ({ form, first, rows, width }) => {
    const planes = form?.planes.map((_, plane) => decoded.get(first + plane));
    return planes ? decodeMatrix(form, planes, rows, width, streamPlace(where, first)) : new Float32Array(0);
  };
  return {
    graph: decoded.get(STREAM.graph),
    embedding: values(matrices.embedding),
    vectors: values(matrices.vectors),
    report: decoded.get(STREAM.report) ?? null,
    pixels: decoded.get(STREAM.pixels) ?? null,
    words: decoded.get(STREAM.words) ?? null,
    extensions: splitExtensions(decoded, where),
  };
}
