/** The vectors of the book of codecs (codecs/NAME/vectors.json). */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { readDictionarySection } from "../src/dictionary.js";
import { NgrError } from "../src/errors.js";
import { decodeMatrix, formOfStreams } from "../src/forms.js";
import { readCodebook } from "../src/klt.js";
import { COUNTS } from "../src/record.js";
import { decodeShortNumbers } from "../src/short-numbers.js";
import { decodeZstd } from "../src/zstd/frame.js";

const BOOK = new URL("../../../codecs/", import.meta.url);
const load = (name, file) => JSON.parse(readFileSync(new URL(`${name}/${file}`, BOOK), "utf8"));
const bytes = (text) => new Uint8Array(Buffer.from(text, "hex"));
const hex = (array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("hex");

async function matrix(codec, { rows, width, planes, codebook }) {
  const ids = codec.planes.map((_, plane) => codec.offset + plane);
  const codebooks = new Map();
  if (codebook !== undefined) {
    const book = await readCodebook(bytes(codebook), "codebook");
    codebooks.set(book.digest, book);
  }
  return decodeMatrix(formOfStreams(ids, 0), planes.map(bytes), rows, width, codebooks, "vector");
}

async function stream(name, vector) {
  const stored = bytes(vector.stored);
  const size = vector.decoded_bytes;
  if (name === "store") {
    if (stored.length !== size) throw new NgrError("E_SIZE", "vector", "stored and decoded size differ");
    return stored;
  }
  if (name === "zstd") return decodeZstd(stored, size);
  if (name === "short_numbers") {
    return decodeShortNumbers(stored, size, Object.fromEntries(COUNTS.map((count, i) => [count, vector.counts[i]])), "vector");
  }
  const data = bytes(vector.dictionary);
  const id = Buffer.from(data).readUInt32LE(4);
  const dictionary = await readDictionarySection(`dictionary_${id.toString(16).padStart(8, "0")}`, data);
  return decodeZstd(stored, size, { dictionaries: new Map([[id, dictionary]]) });
}

for (const name of readdirSync(BOOK).filter((entry) => !entry.includes("."))) {
  test(name, async () => {
    const codec = load(name, "codec.json");
    for (const vector of load(name, "vectors.json")) {
      const outcome = codec.kind === "form" ? matrix(codec, vector) : stream(name, vector);
      if (vector.code === undefined) assert.equal(hex(await outcome), vector.decoded);
      else await assert.rejects(outcome, { name: "NgrError", code: vector.code });
    }
  });
}
