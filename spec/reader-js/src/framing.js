/** Prologue and trailer (FORMAT.md section 3). */
import { equalBytes, pad8, u64At, viewOf } from "./bytes.js";
import { crc32 } from "./checksums.js";
import { fail } from "./errors.js";

export const PROLOGUE_BYTES = 32;
export const TRAILER_BYTES = 96;

const MAGIC = Uint8Array.of(0x89, 0x4e, 0x47, 0x52, 0x0d, 0x0a, 0x1a, 0x0a);
const END_MAGIC = Uint8Array.of(0x4e, 0x47, 0x52, 0x1a, 0x45, 0x4e, 0x44, 0x0a);

/** Check the first bytes of a file of `fileBytes` bytes; there may be fewer than 32. */
export function checkPrologue(bytes, fileBytes) {
  const where = "prologue";
  if (bytes.length >= 8 && !equalBytes(bytes.subarray(0, 8), MAGIC)) fail("E_MAGIC", where, "this is not a .ngr file");
  if (fileBytes < PROLOGUE_BYTES + TRAILER_BYTES) fail("E_TRUNCATED", where, "a file has at least 128 bytes");
  const view = viewOf(bytes);
  if (view.getUint32(28, true) !== crc32(bytes.subarray(0, 28))) fail("E_PROLOGUE", where, "the checksum does not match");
  if (bytes[24] !== 1) fail("E_PROLOGUE", where, `major version ${bytes[24]} is not known to this reader`);
  if (view.getUint16(26, true) !== 0) fail("E_PROLOGUE", where, "reserved bits are set");
  if (view.getUint32(8, true) !== 0 || view.getUint32(12, true) !== 0) {
    fail("E_FEATURE", where, "the file requires a feature this reader does not have");
  }
}

/** Parse and check the last 96 bytes of a file of `fileBytes` bytes. */
export function readTrailer(bytes, fileBytes, limits) {
  const where = "trailer";
  const view = viewOf(bytes);
  if (!equalBytes(bytes.subarray(88), END_MAGIC)) fail("E_TRUNCATED", where, "the file does not end with a trailer");
  if (view.getUint32(84, true) !== crc32(bytes.subarray(0, 84))) fail("E_TRAILER", where, "the checksum does not match");
  if (view.getUint32(28, true) !== 0 || view.getUint32(80, true) !== 0) fail("E_TRAILER", where, "reserved bytes are set");
  const [tocOffset, stated, totalDecodedBytes] = [0, 16, 32].map((at) => u64At(view, at, where));
  if (stated > fileBytes) fail("E_TRUNCATED", where, `the file has ${fileBytes} of ${stated} bytes`);
  if (stated < fileBytes) fail("E_TRAILING", where, `${fileBytes - stated} bytes follow the end of the file`);
  const trailer = {
    tocOffset,
    tocBytes: view.getUint32(8, true),
    tocCrc32: view.getUint32(12, true),
    count: view.getUint32(24, true),
    totalDecodedBytes,
    maxRecordDecodedBytes: view.getUint32(40, true),
    maxStreams: view.getUint32(44, true),
    root: bytes.slice(48, 80),
  };
  if (trailer.count > limits.records) fail("E_LIMIT", where, `${trailer.count} records`);
  if (trailer.maxStreams > limits.streams) fail("E_LIMIT", where, `${trailer.maxStreams} streams in a record`);
  if (trailer.maxRecordDecodedBytes > limits.recordDecodedBytes) {
    fail("E_LIMIT", where, `a record of ${trailer.maxRecordDecodedBytes} bytes when decoded`);
  }
  if (trailer.count < 1) fail("E_INDEX", where, "the file holds no record");
  if (trailer.maxRecordDecodedBytes > totalDecodedBytes || totalDecodedBytes > trailer.count * trailer.maxRecordDecodedBytes) {
    fail("E_BUDGET", where, "the sum and the largest of the decoded sizes contradict each other");
  }
  if (trailer.tocBytes > limits.contentsBytes) fail("E_TOC_SIZE", where, `contents of ${trailer.tocBytes} bytes`);
  if (trailer.tocOffset % 8 !== 0) fail("E_RANGE", where, "the contents do not begin at a multiple of 8");
  if (trailer.tocOffset + trailer.tocBytes > fileBytes - TRAILER_BYTES) {
    fail("E_RANGE", where, "the contents reach beyond the trailer's begin");
  }
  const end = trailer.tocOffset + trailer.tocBytes + pad8(trailer.tocBytes);
  if (end !== fileBytes - TRAILER_BYTES) fail("E_COVER", where, "the contents do not end where the trailer begins");
  return trailer;
}
