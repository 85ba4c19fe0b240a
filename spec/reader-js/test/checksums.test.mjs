import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../src/bytes.js";
import { crc32, sha256 } from "../src/checksums.js";
import { encodeUtf8 } from "../src/utf8.js";

test("CRC-32 of the check string and of nothing", () => {
  assert.equal(crc32(encodeUtf8("123456789")), 0xcbf43926);
  assert.equal(crc32(new Uint8Array(0)), 0);
});

test("SHA-256 of FIPS 180-4's example", async () => {
  const digest = toHex(await sha256(encodeUtf8("abc")));
  assert.equal(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});
