/** Dictionaries of zstd (RFC 8878, section 5). */
import { viewOf } from "../bytes.js";
import { corrupt } from "./corrupt.js";
import { readTable } from "./fse.js";
import { readHuffmanTable } from "./huffman.js";
import { KINDS } from "./sequences.js";

const MAGIC = [0x37, 0xa4, 0x30, 0xec];

/** What a frame begins with: {huffman, tables, offsets, content}. */
export function parseDictionary(bytes) {
  if (bytes.length <= 8 || MAGIC.some((byte, i) => bytes[i] !== byte)) corrupt("this is not a dictionary");
  const end = bytes.length;
  let { table: huffman, next: at } = readHuffmanTable(bytes, 8, end);
  const tables = {};
  for (const name of ["offset", "matchLength", "literalLength"]) {
    const { table, next } = readTable(bytes, at, end, KINDS[name]);
    tables[name] = table;
    at = next;
  }
  if (end - at < 12) corrupt("the offsets of a dictionary are missing");
  const view = viewOf(bytes);
  const offsets = [0, 4, 8].map((place) => view.getUint32(at + place, true));
  const content = bytes.subarray(at + 12);
  if (offsets.some((offset) => offset === 0 || offset > content.length)) corrupt("an offset of a dictionary is out of range");
  return { huffman, tables, offsets, content };
}
