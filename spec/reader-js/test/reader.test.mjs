import assert from "node:assert/strict";
import { test } from "node:test";
import { NgrError, open } from "../src/reader.js";
import { isSectionName } from "../src/contents.js";
import { isExtensionName } from "../src/extensions.js";

const MAGIC = [0x89, 0x4e, 0x47, 0x52, 0x0d, 0x0a, 0x1a, 0x0a];

async function codeOf(source, options) {
  const error = await open(source, options).catch((thrown) => thrown);
  assert.ok(error instanceof NgrError, String(error));
  return error.code;
}

test("things that are not .ngr files", async () => {
  assert.equal(await codeOf(new Uint8Array(0)), "E_TRUNCATED");
  assert.equal(await codeOf(Uint8Array.from(MAGIC)), "E_TRUNCATED");
  assert.equal(await codeOf(new Uint8Array(40)), "E_MAGIC");
  assert.equal(await codeOf(new Uint8Array(4096).fill(0x20)), "E_MAGIC");
  assert.equal(await codeOf(new Uint8Array(127).fill(0).map((_, i) => MAGIC[i] ?? 0)), "E_TRUNCATED");
  assert.equal(await codeOf(new Uint8Array(128).map((_, i) => MAGIC[i] ?? 0)), "E_PROLOGUE");
});

test("a source may be a buffer, a view of one, or an object that reads", async () => {
  assert.equal(await codeOf(new ArrayBuffer(200)), "E_MAGIC");
  assert.equal(await codeOf(new DataView(new ArrayBuffer(200), 8)), "E_MAGIC");
  assert.equal(await codeOf({ size: 200, read: async (offset, length) => new Uint8Array(length) }), "E_MAGIC");
  assert.equal(await codeOf({ size: 200, read: async () => new Uint8Array(3) }), "E_TRUNCATED");
  await assert.rejects(() => open("path.ngr"), TypeError);
});

test("limits stay between the two columns of section 9", async () => {
  await assert.rejects(() => open(new Uint8Array(200), { limits: { patches: 10 } }), RangeError);
  await assert.rejects(() => open(new Uint8Array(200), { limits: { patches: 1048577 } }), RangeError);
  await assert.rejects(() => open(new Uint8Array(200), { limits: { colour: 1 } }), TypeError);
  assert.equal(await codeOf(new Uint8Array(200), { limits: { patches: 100000 } }), "E_MAGIC");
});

test("names", () => {
  for (const name of ["index", "a", "a_1", "a".repeat(32)]) assert.ok(isSectionName(name), name);
  for (const name of ["", "_a", "1a", "A", "a-b", "a".repeat(33), "x.org.example.a", "a\n"]) assert.ok(!isSectionName(name), name);
  for (const name of ["x.org.example.vitals", "x.a.b.c", "x.3m.com.a-b", "x.a.b.c.d"]) assert.ok(isExtensionName(name), name);
  for (const name of ["x.a.b", "y.a.b.c", "x.a..c", "x.a.b.", "x.A.b.c", "x.a.b.c_d", "x.-a.b.c", `x.a.b.${"c".repeat(250)}`]) {
    assert.ok(!isExtensionName(name), name);
  }
});
