/** Checksums and digests (FORMAT.md section 4). */
import { concatBytes, float32Bytes } from "./bytes.js";
import { encodeUtf8 } from "./utf8.js";

const TABLE = new Uint32Array(256).map((_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32/ISO-HDLC, 4.1. */
export function crc32(bytes) {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = TABLE[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** SHA-256 of the parts as one: WebCrypto, which browsers offer on secure pages (https, localhost, files) only. */
export async function sha256(...parts) {
  const subtle = globalThis.crypto?.subtle;
  if (subtle === undefined) throw new Error("no WebCrypto here: browsers offer it on https, localhost and files, Node from version 20 on");
  return new Uint8Array(await subtle.digest("SHA-256", concatBytes(...parts)));
}

function withLength(part) {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(part.length), true);
  return [length, part];
}

/** `header` of the record, `parts` as readStreams returns them. */
export async function contentDigest(header, parts) {
  const matrices = [float32Bytes(parts.embedding), float32Bytes(parts.vectors)];
  const bodies = [parts.graph, ...matrices, parts.report ?? [], parts.pixels ?? []];
  return sha256(encodeUtf8("NGR1-STUDY\0"), header.method.digest, header.countBytes, ...bodies.flatMap(withLength));
}

export async function leafOf(record) {
  return sha256(Uint8Array.of(0), record);
}

/** The tree hash of the leaves: neighbours are paired level by level, an odd last node moves up. */
async function merkle(leaves) {
  let level = leaves;
  while (level.length > 1) {
    const above = [];
    for (let i = 0; i + 1 < level.length; i += 2) above.push(await sha256(Uint8Array.of(1), level[i], level[i + 1]));
    if (level.length % 2 === 1) above.push(level[level.length - 1]);
    level = above;
  }
  return level[0];
}

export async function rootOf(prologue, leaves, metaBytes) {
  return sha256(encodeUtf8("NGR1-ROOT\0"), prologue, await merkle(leaves), await sha256(metaBytes));
}
