/** Sections and their page tables (FORMAT.md section 6, [R7]). */
import { pad8, requireZero, viewOf } from "./bytes.js";
import { PAGE_BYTES } from "./contents.js";
import { crc32 } from "./crc32.js";
import { fail } from "./errors.js";

/** Visit the pages of a section one by one, each verified. */
async function forEachPage(source, section, visit) {
  const { name, offset, length } = section;
  const tableBytes = 4 * Math.ceil(length / PAGE_BYTES);
  const padding = pad8(length + tableBytes);
  const tail = await source.read(offset + length, tableBytes + padding);
  const table = tail.subarray(0, tableBytes);
  if (crc32(table) !== section.crc32) fail("E_CRC", name, "the page table does not match its checksum");
  requireZero(tail.subarray(tableBytes), name);
  const sums = viewOf(table);
  for (let start = 0, page = 0; start < length; start += PAGE_BYTES, page++) {
    const bytes = await source.read(offset + start, Math.min(PAGE_BYTES, length - start));
    if (crc32(bytes) !== sums.getUint32(4 * page, true)) fail("E_CRC", name, `page ${page} does not match its checksum`);
    visit(bytes, start);
  }
}

/** The payload of a section, verified. */
export async function readSection(source, section) {
  const payload = new Uint8Array(section.length);
  await forEachPage(source, section, (bytes, start) => payload.set(bytes, start));
  return payload;
}

/** Verify a section without keeping it. */
export async function verifySection(source, section) {
  await forEachPage(source, section, () => {});
}
