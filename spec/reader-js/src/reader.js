/** Open .ngr files: `open(source)` gives {count, ids, study(i), validate()}. */
import { equalBytes, pad8, requireZero } from "./bytes.js";
import { crc32, rootOf } from "./checksums.js";
import { readContents } from "./contents.js";
import { NgrError, fail } from "./errors.js";
import { PROLOGUE_BYTES, TRAILER_BYTES, checkPrologue, readTrailer } from "./framing.js";
import { INDEX_ROW_BYTES, readIndex } from "./index.js";
import { readKeys } from "./keys.js";
import { limitsWith } from "./limits.js";
import { readSection, verifySection } from "./sections.js";
import { sourceOf } from "./source.js";
import { readStudy } from "./study.js";
import { decodeUtf8, encodeUtf8 } from "./utf8.js";

export { NgrError } from "./errors.js";
export { decodedForm } from "./decoded-form.js";

class Archive {
  constructor(parts) {
    Object.assign(this, parts);
  }

  /** Read one study; every rule of the format that concerns it holds, or NgrError is thrown. */
  async study(i) {
    if (!Number.isInteger(i) || i < 0 || i >= this.count) throw new RangeError(`there is no study ${i}`);
    const where = `record ${i}`;
    const row = this.index.row(i);
    if (row.length > this.limits.recordStoredBytes) fail("E_LIMIT", where, `${row.length} bytes stored`);
    const record = await this.source.read(row.offset, row.length);
    const study = await readStudy(record, row, this, where);
    if (this.keys !== null && !equalBytes(this.keys[i], encodeUtf8(study.id))) {
      fail("E_INDEX", where, "the study id is not that of the keys");
    }
    this.sizes[i] = { decodedBytes: study.decodedBytes, streamCount: study.streamCount };
    return study;
  }

  /** Study ids in record order; null for a file of one study, which holds no keys. */
  get ids() {
    return this.keys && this.keys.map((id) => decodeUtf8(id) ?? fail("E_INDEX", "keys", "an id is not valid UTF-8"));
  }

  async verifyRoot() {
    const leaves = Array.from({ length: this.count }, (_, i) => this.index.leaf(i));
    if (!equalBytes(await rootOf(this.prologue, leaves, this.metaBytes), this.trailer.root)) {
      fail("E_DIGEST", "trailer", "the root digest does not match");
    }
  }

  /** What a validator knows only after it has read every study. */
  async verifyWhole() {
    const { totalDecodedBytes, maxRecordDecodedBytes, maxStreams } = this.trailer;
    const total = this.sizes.reduce((sum, { decodedBytes }) => sum + decodedBytes, 0);
    const most = (name) => this.sizes.reduce((largest, size) => Math.max(largest, size[name]), 0);
    if (total !== totalDecodedBytes || most("decodedBytes") !== maxRecordDecodedBytes || most("streamCount") !== maxStreams) {
      fail("E_BUDGET", "trailer", "the envelope is not that of the records");
    }
    await this.verifyRoot();
  }

  /** Read everything and list what is wrong, at most one problem per record: {ok, count, problems: [{code, where, message}]}. */
  async validate() {
    const problems = [];
    const attempt = async (action) => {
      try {
        await action();
      } catch (error) {
        if (!(error instanceof NgrError)) throw error;
        problems.push({ code: error.code, where: error.where, message: error.message });
      }
    };
    for (let i = 0; i < this.count; i++) await attempt(() => this.study(i));
    if (problems.length === 0) await attempt(() => this.verifyWhole());
    return { ok: problems.length === 0, count: this.count, problems };
  }
}

/**
 * Open a file: framing, contents, index, keys and the other sections are verified; studies are read on demand.
 *
 * `given` is an ArrayBuffer, a typed array or {size, read(offset, length)}; `limits` overrides names of limits.js.
 */
export async function open(given, { limits: wishes = {} } = {}) {
  const limits = limitsWith(wishes);
  const source = sourceOf(given);
  const prologue = await source.read(0, Math.min(PROLOGUE_BYTES, source.size));
  checkPrologue(prologue, source.size);
  if (source.size > limits.fileBytes) fail("E_LIMIT", "", `${source.size} bytes`);
  const trailer = readTrailer(await source.read(source.size - TRAILER_BYTES, TRAILER_BYTES), source.size, limits);
  const toc = await source.read(trailer.tocOffset, trailer.tocBytes + pad8(trailer.tocBytes));
  requireZero(toc.subarray(trailer.tocBytes), "contents");
  const contentsBytes = toc.subarray(0, trailer.tocBytes);
  if (crc32(contentsBytes) !== trailer.tocCrc32) fail("E_TOC_CRC", "contents", "the checksum does not match");
  const { count, tocOffset } = trailer;
  const { sections, methods, metaBytes } = await readContents(contentsBytes, { count, tocOffset, limits });
  // A wrong length is refused before memory for it is taken.
  if (sections[0].length !== INDEX_ROW_BYTES * count) fail("E_INDEX", "index", "the size is not 64 bytes per record");
  const index = readIndex(await readSection(source, sections[0]), count, sections[0].offset);
  let keys = null;
  for (const section of sections.slice(1)) {
    if (section.name === "keys") keys = readKeys(await readSection(source, section), count);
    else await verifySection(source, section);
  }
  return new Archive({ source, limits, prologue, trailer, count, index, methods, metaBytes, keys, sizes: [] });
}
