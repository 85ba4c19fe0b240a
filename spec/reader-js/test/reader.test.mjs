/** What the conformance vectors cannot show: how the reader is called, and values at a limit. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeCanonical, toPlain } from "../src/canonical.js";
import { NgrError, open } from "../src/reader.js";

async function codeOf(source, options) {
  const error = await open(source, options).catch((thrown) => thrown);
  assert.ok(error instanceof NgrError, String(error));
  return error.code;
}

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

test("a key named __proto__ is a key", () => {
  const map = Uint8Array.of(0x81, 0xa9, ...Buffer.from("__proto__"), 0x91, 1);
  assert.deepEqual(Object.entries(toPlain(decodeCanonical(map, "test"))), [["__proto__", [1]]]);
});

test("100,000 values are accepted, one more is not", () => {
  const array = (n) => Uint8Array.of(0xdd, n >>> 24, n >>> 16, n >>> 8, n, ...new Uint8Array(n));
  assert.equal(decodeCanonical(array(99999), "test").value.length, 99999);
  assert.throws(() => decodeCanonical(array(100000), "test"), { code: "E_TOC_FORM" });
});
