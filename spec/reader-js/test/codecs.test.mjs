/** The vectors of the book of codecs (codecs/NAME/vectors.json). */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { decodeMatrix, formOfStreams } from "../src/forms.js";
import { decodeStream } from "../src/streams.js";

const BOOK = new URL("../../../codecs/", import.meta.url);
const load = (name, file) => JSON.parse(readFileSync(new URL(`${name}/${file}`, BOOK), "utf8"));
const bytes = (text) => new Uint8Array(Buffer.from(text, "hex"));
const hex = (array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("hex");

function matrix(codec, { rows, width, planes }) {
  const ids = codec.planes.map((_, plane) => codec.offset + plane);
  return decodeMatrix(formOfStreams(ids, 0), planes.map(bytes), rows, width, "vector");
}

const stream = (codec, { stored, decoded_bytes: decodedBytes }) =>
  decodeStream(bytes(stored), { encoding: codec.id, storedBytes: stored.length / 2, decodedBytes }, "vector");

for (const name of readdirSync(BOOK).filter((entry) => !entry.includes("."))) {
  test(name, () => {
    const codec = load(name, "codec.json");
    for (const vector of load(name, "vectors.json")) {
      const decode = () => (codec.kind === "form" ? matrix(codec, vector) : stream(codec, vector));
      if (vector.code === undefined) assert.equal(hex(decode()), vector.decoded);
      else assert.throws(decode, { name: "NgrError", code: vector.code });
    }
  });
}
