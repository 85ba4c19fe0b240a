/** Content digest, leaves and root (FORMAT.md 4.2 and 4.3). */
import { concatBytes, float32Bytes } from "./bytes.js";
import { sha256 } from "./sha256.js";
import { encodeUtf8 } from "./utf8.js";

function withLength(part) {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(part.length), true);
  return [length, part];
}

/** `header` of the record, `parts` as readStreams returns them. */
export async function contentDigest(header, parts) {
  const nothing = new Uint8Array(0);
  const bodies = [
    parts.graph,
    float32Bytes(parts.embedding),
    float32Bytes(parts.vectors),
    parts.report ?? nothing,
    parts.pixels ?? nothing,
  ];
  return sha256(
    concatBytes(encodeUtf8("NGR1-STUDY\0"), header.method.digest, header.countBytes, ...bodies.flatMap(withLength)),
  );
}

export async function leafOf(record) {
  return sha256(concatBytes(Uint8Array.of(0), record));
}

/** The tree hash of the leaves: neighbours are paired level by level, an odd last node moves up. */
async function merkle(leaves) {
  let level = leaves;
  while (level.length > 1) {
    const above = [];
    for (let i = 0; i + 1 < level.length; i += 2) above.push(await sha256(concatBytes(Uint8Array.of(1), level[i], level[i + 1])));
    if (level.length % 2 === 1) above.push(level[level.length - 1]);
    level = above;
  }
  return level[0];
}

export async function rootOf(prologue, leaves, metaBytes) {
  return sha256(concatBytes(encodeUtf8("NGR1-ROOT\0"), prologue, await merkle(leaves), await sha256(metaBytes)));
}
