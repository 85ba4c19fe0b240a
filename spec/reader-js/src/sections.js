/** Sections and their page tables (FORMAT.md section 6, [R7]). */
import { requireZero, viewOf } from "./bytes.js";
import { crc32 } from "./checksums.js";
import { PAGE_BYTES } from "./contents.js";
import { fail } from "./errors.js";

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
