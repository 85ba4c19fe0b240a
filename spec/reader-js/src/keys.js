/** The keys section (FORMAT.md 6.5): the study ids of an archive, and their order. */
import { compareBytes, pad8, requireZero, viewOf } from "./bytes.js";
import { fail } from "./errors.js";

/** Parse and check the payload; returns the bytes of the ids in record order. */
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
