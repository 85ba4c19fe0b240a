import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeCanonical, toPlain } from "../src/canonical.js";

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const read = (hex) => decodeCanonical(bytes(hex), "test");

test("every kind of value", () => {
  const map = "87" + "a161" + "01" + "a162" + "d0df" + "a163" + "cb3ff8000000000000" + "a164" + "c3" +
    "a165" + "c40201ff" + "a166" + "92" + "a0" + "80" + "a167" + "cf001fffffffffffff";
  assert.deepEqual({ ...toPlain(read(map)) }, {
    a: 1, b: -33, c: 1.5, d: true, e: bytes("01ff"), f: ["", Object.create(null)], g: Number.MAX_SAFE_INTEGER,
  });
});

test("integers and floats stay apart", () => {
  assert.equal(read("01").type, "integer");
  assert.equal(read("cb3ff0000000000000").type, "float");
});

test("a key named __proto__ is a key", () => {
  const plain = toPlain(read("81a95f5f70726f746f5f5f01"));
  assert.deepEqual(Object.keys(plain), ["__proto__"]);
});

const refused = {
  nil: "c0", "never used": "c1", float32: "ca3f800000", extension: "d40101", "large extension": "c70001",
  "u8 that fits a fixint": "cc7f", "u16 that fits u8": "cd00ff", "u32 that fits u16": "ce0000ffff", "u64 that fits u32": "cf00000000ffffffff",
  "signed form of a positive": "d001", "i8 that fits a fixint": "d0e0", "i16 that fits i8": "d1ff80", "i64 of a positive": "d30000000000000001",
  "beyond 2^53 - 1": "cf0020000000000000", "below": "d3ffe0000000000000", NaN: "cb7ff8000000000000", infinity: "cbfff0000000000000",
  "long text form": "d90161", "long bytes form": "c50001aa", "long array form": "dc000101", "long map form": "de0001a16101",
  "a key that is no text": "810101", "keys in wrong order": "82a16201a16101", "a duplicate key": "82a16101a16101",
  "ill-formed UTF-8": "a1ff", surrogate: "a3eda080", "bytes after": "0101", "nothing at all": "", "cut text": "a261", "cut array": "9201",
  "a huge array that is not there": "ddffffffff", "a huge text": "db00100001", "nine deep": "919191919191919190",
}; // prettier-ignore

for (const [name, hex] of Object.entries(refused)) {
  test(`refuses ${name}`, () => {
    assert.throws(() => read(hex), { name: "NgrError", code: "E_TOC_FORM" });
  });
}

test("eight deep is accepted", () => {
  assert.equal(read("9191919191919190").type, "array");
});

test("100,000 values are accepted, one more is not", () => {
  const array = (n) => Uint8Array.of(0xdd, n >>> 24, n >>> 16, n >>> 8, n, ...new Uint8Array(n));
  assert.equal(decodeCanonical(array(99999), "test").value.length, 99999);
  assert.throws(() => decodeCanonical(array(100000), "test"), { code: "E_TOC_FORM" });
});
