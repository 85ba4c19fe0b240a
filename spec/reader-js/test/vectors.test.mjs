import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { judge } from "../cli.mjs";
import { sourceOf } from "../src/source.js";

const vectors = new URL("../../vectors/", import.meta.url);
const read = (path) => readFile(new URL(path, vectors));
const index = await read("index.json").then((bytes) => JSON.parse(bytes).vectors, () => null);

test("the conformance vectors", { skip: index === null && "spec/vectors is not here" }, async () => {
  assert.ok(index.length > 700);
  for (const { path, code, expected } of index) {
    const verdict = await judge(sourceOf(await read(path)));
    assert.equal(verdict.code, code, `${path}: ${verdict.message}`);
    if (expected !== undefined) assert.deepEqual(verdict, JSON.parse(await read(expected)), path);
  }
});
