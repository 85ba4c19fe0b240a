/** Sections and their page tables (FORMAT.md section 6, [R7]), and two of them: the index (6.4) and the keys (6.5). */
import { compareBytes, pad8, requireZero, u64At, viewOf } from "./bytes.js";
import { crc32 } from "./checksums.js";
import { fail } from "./errors.js";
import { PROLOGUE_BYTES } from "./framing.js";

export const PAGE_BYTES = 65536;
/** Pages that one read brings: over a network a read costs more than its bytes. */
const PAGES_AT_ONCE = 16;

/** Verify the pages of a section one by one, and hand each on. */
export async function verifySection(source, section, visit = () => {}) {
  const { name, offset, length } = section;
  const tableBytes = 4 * Math.ceil(length / PAGE_BYTES);
  const tail = await source.read(offset + length, section.stored - length);
  const table = tail.subarray(0, tableBytes);
  if (crc32(table) !== section.crc32) fail("E_CRC", name, "the page table does not match its checksum");
  requireZero(tail.subarray(tableBytes), name);
  const sums = viewOf(table);
  for (let start = 0; start < length; start += PAGES_AT_ONCE * PAGE_BYTES) {
    const bytes = await source.read(offset + start, Math.min(PAGES_AT_ONCE * PAGE_BYTES, length - start));
    for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
      const page = (start + at) / PAGE_BYTES;
      const part = bytes.subarray(at, at + PAGE_BYTES);
      if (crc32(part) !== sums.getUint32(4 * page, true)) fail("E_CRC", name, `page ${page} does not match its checksum`);
      visit(part, start + at);
    }
  }
}

/** The payload of a section, verified. */
export async function readSection(source, section) {
  const payload = new Uint8Array(section.length);
  await verifySection(source, section, (bytes, start) => payload.set(bytes, start));
  return payload;
}

export const INDEX_ROW_BYTES = 64;
export const INDEX_COUNTS = ["n_patches", "n_edges", "n_concepts", "n_triples", "n_fusion"];

/** Rows and leaves of an index of 64 bytes per record; `indexOffset` is where the section begins: the end of the last record. */
export function readIndex(payload, count, indexOffset) {
  const view = viewOf(payload);
  const offsetOf = (i) => u64At(view, 8 * i, "index");
  const u32At = (column, i) => view.getUint32(column * count + 4 * i, true);
  const leaf = (i) => payload.subarray(32 * (count + i), 32 * (count + i + 1));
  const row = (i) => {
    const counts = Object.fromEntries(INDEX_COUNTS.map((name, column) => [name, u32At(12 + 4 * column, i)]));
    return { offset: offsetOf(i), length: u32At(8, i), counts, leaf: leaf(i) };
  };
  let at = PROLOGUE_BYTES;
  for (let i = 0; i < count; i++) {
    if (offsetOf(i) !== at) fail("E_INDEX", `index row ${i}`, "the record is not where the one before ends");
    at += u32At(8, i);
  }
  if (at !== indexOffset) fail("E_INDEX", "index", "the records do not end where the index begins");
  return { row, leaf };
}

/** Parse and check the payload of the keys; returns the bytes of the ids in record order. */
export function readKeys(payload, count) {
  const where = "keys";
  const column = 4 * count + pad8(4 * count);
  const poolAt = 2 * column;
  if (payload.length < poolAt) fail("E_INDEX", where, "the section is too short");
  requireZero(payload.subarray(4 * count, column), where);
  requireZero(payload.subarray(column + 4 * count, poolAt), where);
  const view = viewOf(payload);
  const poolBytes = payload.length - poolAt;
  const ids = [];
  let start = 0;
  for (let i = 0; i < count; i++) {
    const end = view.getUint32(column + 4 * i, true);
    if (end <= start || end > poolBytes) fail("E_INDEX", `keys ${i}`, "the ends of the ids do not ascend within the pool");
    ids.push(payload.subarray(poolAt + start, poolAt + end));
    start = end;
  }
  if (start !== poolBytes) fail("E_INDEX", where, "the ids do not fill the pool");
  const seen = new Uint8Array(count);
  let before = null;
  for (let i = 0; i < count; i++) {
    const record = view.getUint32(4 * i, true);
    if (record >= count || seen[record]) fail("E_INDEX", where, "the order is not a permutation");
    seen[record] = 1;
    const direction = before === null ? -1 : compareBytes(before, ids[record]);
    if (direction === 0) fail("E_DUP", where, "two studies have the same id");
    if (direction > 0) fail("E_INDEX", where, "the order is not that of the ids");
    before = ids[record];
  }
  return ids;
}
