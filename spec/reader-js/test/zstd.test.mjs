import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeZstd } from "../src/zstd/frame.js";

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
const block = (type, size, last = 1) => [(size << 3) | (type << 1) | last, size >> 5, size >> 13].map((byte) => byte & 255);
const single = (size, ...rest) => Uint8Array.from([...MAGIC, 0x20, size, ...rest.flat()]);
const u32 = (size) => [size & 255, (size >> 8) & 255, (size >> 16) & 255, size >>> 24];
const windowed = (window, size, ...rest) => Uint8Array.from([...MAGIC, 0x80, window, ...u32(size), ...rest.flat()]);

const refuses = (code, frame, size) => assert.throws(() => decodeZstd(frame, size), { name: "NgrError", code });

test("raw, repeated and empty blocks", () => {
  const frame = single(8, block(0, 3, 0), [1, 2, 3], block(0, 0, 0), block(1, 5), [9]);
  assert.deepEqual([...decodeZstd(frame, 8)], [1, 2, 3, 9, 9, 9, 9, 9]);
});

test("a compressed block: literals, then a match that overlaps itself", () => {
  // Raw literals "ab", one sequence: 2 literals, then 18 bytes from distance 2 (offset value 5: code 2, bits 01);
  // all three tables of one symbol: literal length code 2, offset code 2, match length code 15.
  const body = [2 << 3, 0x61, 0x62, 1, 0b01010100, 2, 2, 15, 0b101];
  assert.equal(new TextDecoder().decode(decodeZstd(single(20, block(2, body.length), body), 20)), "ab".repeat(10));
  refuses("E_ZSTD", single(20, block(2, body.length), body.map((byte, i) => (i === 4 ? byte | 1 : byte))), 20);
  refuses("E_ZSTD", single(20, block(2, body.length), body.map((byte, i) => (i === 8 ? 0b1101 : byte))), 20);
});

test("the content size must be stated and be that of the stream", () => {
  refuses("E_SIZE", single(4, block(1, 4), [7]), 5);
  refuses("E_ZSTD", Uint8Array.from([...MAGIC, 0x00, 0x00, ...block(1, 4), 7]), 4);
  // Of 2^64 - 1 bytes, in one segment and in a window: the size is asked before the window.
  const largest = Array(8).fill(255);
  refuses("E_SIZE", Uint8Array.from([...MAGIC, 0xe0, ...largest, ...block(1, 4), 7]), 4);
  refuses("E_SIZE", Uint8Array.from([...MAGIC, 0xc0, 0x58, ...largest, ...block(1, 4), 7]), 4);
});

test("frame header rules", () => {
  const good = [...single(4, block(1, 4), [7])];
  const with4 = (flags) => Uint8Array.from([...good.slice(0, 4), good[4] | flags, ...good.slice(5)]);
  for (const flags of [0x04, 0x08, 0x10, 0x01, 0x02, 0x03]) refuses("E_ZSTD", with4(flags), 4);
  refuses("E_ZSTD", Uint8Array.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]), 0);
  refuses("E_ZSTD", new Uint8Array(0), 0);
});

test("the window is at most 8 MiB", () => {
  const frame = (window) => windowed(window, 4, block(1, 4), [7]);
  assert.equal(decodeZstd(frame((23 - 10) << 3), 4).length, 4);
  refuses("E_ZSTD", frame(((23 - 10) << 3) | 1), 4);
  refuses("E_ZSTD", windowed(0, 2000, block(1, 2000), [7]), 2000);
  const large = 9 * 1048576;
  refuses("E_ZSTD", Uint8Array.from([...MAGIC, 0xa0, ...u32(large), ...block(1, 4), 7]), large);
});

test("nothing may be missing or follow", () => {
  const good = single(4, block(1, 4), [7]);
  for (let end = 0; end < good.length; end++) refuses("E_ZSTD", good.slice(0, end), 4);
  refuses("E_ZSTD", Uint8Array.from([...good, 0]), 4);
  refuses("E_ZSTD", Uint8Array.from([...good, ...good]), 4);
  refuses("E_ZSTD", single(4, block(1, 3), [7]), 4);
  refuses("E_ZSTD", single(4, block(1, 5), [7]), 4);
  refuses("E_ZSTD", single(4, block(3, 0)), 4);
});

test("random bytes after a valid header never do anything but E_ZSTD", () => {
  let seed = 1;
  const next = () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 16;
  for (let round = 0; round < 3000; round++) {
    const body = Array.from({ length: 1 + (next() % 40) }, () => next() & 255);
    try {
      assert.equal(decodeZstd(single(200, block(2, body.length), body), 200).length, 200);
    } catch (error) {
      assert.equal(error.code, "E_ZSTD");
    }
  }
});
