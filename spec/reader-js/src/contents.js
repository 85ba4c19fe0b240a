/** The contents (FORMAT.md 6.2): where the sections are, and the method maps that records share. */
import { compareBytes, pad8, viewOf } from "./bytes.js";
import { arrayOf, decodeCanonical, entriesOf } from "./canonical.js";
import { sha256 } from "./checksums.js";
import { fail } from "./errors.js";
import { isExtensionName } from "./extensions.js";
import { PROLOGUE_BYTES } from "./framing.js";
import { checkMethod } from "./provenance.js";

export const PAGE_BYTES = 65536;
const CRITICAL = 1;
const COPY_SAFE = 2;
const KNOWN = new Map([["index", CRITICAL], ["keys", 0]]);

export function isSectionName(name) {
  return /^[a-z][a-z0-9_]{0,31}$/.test(name);
}

/** Members of a map with exactly the keys `required`, and perhaps `optional`. */
function members(node, where, required, optional = []) {
  const found = Object.create(null);
  for (const [key, value] of entriesOf(node, where)) {
    if (!required.includes(key) && !optional.includes(key)) fail("E_TOC_KEY", where, `unknown member ${key}`);
    found[key] = value;
  }
  for (const key of required) if (!(key in found)) fail("E_TOC_KEY", where, `member ${key} is missing`);
  return found;
}

function readRow(node, where) {
  const row = arrayOf(node, where);
  const types = row.map(({ type }) => type).join();
  if (types !== "text,integer,integer,integer,integer") {
    fail("E_TOC_KEY", where, "a section is not [name, flags, offset, length, crc32]");
  }
  const [name, flags, offset, length, crc32] = row.map((value) => value.value);
  return { name, flags, offset, length, crc32 };
}

function checkSections(sections, count, tocOffset) {
  const names = new Set();
  sections.forEach((section, i) => {
    const where = `section ${i}`;
    if (!isSectionName(section.name) && !isExtensionName(section.name)) fail("E_NAME", where, "this is not a section name");
    if (names.has(section.name)) fail("E_SECTION", where, "the name stands twice");
    names.add(section.name);
    if (section.flags < 0 || section.flags > (CRITICAL | COPY_SAFE)) fail("E_SECTION", where, "reserved flags are set");
    const flags = KNOWN.get(section.name);
    if (flags === undefined && section.flags & CRITICAL) {
      fail("E_SECTION", where, "the section is critical and not known to this reader");
    }
    if (flags !== undefined && flags !== section.flags) fail("E_SECTION", where, "the flags are wrong");
    if (section.offset < 0 || section.length < 1 || section.crc32 < 0 || section.crc32 > 0xffffffff) {
      fail("E_RANGE", where, "an offset, a length or a checksum is out of range");
    }
    // Payload and page table, then their padding.
    section.stored = section.length + 4 * Math.ceil(section.length / PAGE_BYTES);
    section.stored += pad8(section.stored);
  });
  if (sections[0]?.name !== "index") fail("E_SECTION", "contents", "the first section is not index");
  let at = sections[0].offset;
  if (at < PROLOGUE_BYTES) fail("E_COVER", "section 0", "the section overlaps the prologue");
  sections.forEach((section, i) => {
    if (section.offset !== at) fail("E_COVER", `section ${i}`, "the section does not begin where the one before ends");
    at += section.stored;
  });
  if (at !== tocOffset) fail("E_COVER", "contents", "the contents do not begin where the last section ends");
  if (names.has("keys") !== count > 1) fail("E_SECTION", "contents", "keys stand exactly in files of several records");
}

/** Parse the contents, without their padding. */
export async function readContents(bytes, { count, tocOffset, limits }) {
  const top = members(decodeCanonical(bytes, "contents"), "contents", ["layout", "meta"]);
  const layout = members(top.layout, "layout", ["sections"]);
  const meta = members(top.meta, "meta", ["methods"], ["ext"]);
  if (meta.ext !== undefined) entriesOf(meta.ext, "ext");
  const rows = arrayOf(layout.sections, "sections");
  if (rows.length > limits.sections) fail("E_LIMIT", "sections", `${rows.length} sections`);
  const sections = rows.map((row, i) => readRow(row, `section ${i}`));
  checkSections(sections, count, tocOffset);
  const methods = [];
  for (const [i, map] of arrayOf(meta.methods, "methods").entries()) {
    entriesOf(map, `method ${i}`);
    const digest = await sha256(map.bytes);
    methods.push({ map, digest, tag: viewOf(digest).getUint32(0, true) });
  }
  if (methods.length === 0) fail("E_TOC_KEY", "methods", "there is no method");
  const tags = new Set(methods.map((method) => method.tag));
  if (tags.size !== methods.length) fail("E_METHOD", "methods", "two methods have the same tag");
  const ascends = ({ digest }, i) => i === 0 || compareBytes(methods[i - 1].digest, digest) < 0;
  if (!methods.every(ascends)) fail("E_METHOD", "methods", "methods are not in order");
  methods.forEach((method, i) => checkMethod(method.map, `method ${i}`));
  return { sections, methods, metaBytes: top.meta.bytes };
}
