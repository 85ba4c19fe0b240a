/** The vectors of the book of codecs (codecs/NAME/vectors.json). */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { NgrError } from "../src/errors.js";
import { decodeMatrix, formOfStreams } from "../src/forms.js";
import { decodeZstd } from "../src/zstd/frame.js";

const BOOK = new URL("../../../codecs/", import.meta.url);
const load = (name, file) => JSON.parse(readFileSync(new URL(`${name}/${file}`, BOOK), "utf8"));
const bytes = (text) => new Uint8Array(Buffer.from(text, "hex"));
const hex = (array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("hex");

function matrix(codec, { rows, width, planes }) {
  const ids = codec.planes.map((_, plane) => codec.offset + plane);
  return decodeMatrix(formOfStreams(ids, 0), planes.map(bytes), rows, width, "vector");
}

function stream(name, vector) {
  const stored = bytes(vector.stored);
  if (name === "zstd") return decodeZstd(stored, vector.decoded_bytes);
  if (stored.length !== vector.decoded_bytes) throw new NgrError("E_SIZE", "vector", "stored and decoded size differ");
  return stored;
}

for (const name of readdirSync(BOOK).filter((entry) => !entry.includes("."))) {
  test(name, () => {
    const codec = load(name, "codec.json");
    for (const vector of load(name, "vectors.json")) {
      const decode = () => (codec.kind === "form" ? matrix(codec, vector) : stream(name, vector));
      if (vector.code === undefined) assert.equal(hex(decode()), vector.decoded);
      else assert.throws(decode, { name: "NgrError", code: vector.code });
    }
  });
}
