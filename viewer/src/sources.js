/** Where the reader's bytes come from: a dropped file, an address with range requests, or the page itself. */
const BLOCK = 65536;
const MOST_BLOCKS = 256;

export function fileSource(file) {
  return {
    size: file.size,
    read: async (offset, length) => new Uint8Array(await file.slice(offset, offset + length).arrayBuffer()),
  };
}

async function request(address, range) {
  let response;
  try {
    response = await fetch(address, { headers: { Range: range }, cache: "no-store", credentials: "same-origin" });
  } catch {
    // A browser does not say which of these it was.
    throw new Error(
      "no answer: the server cannot be reached, does not let pages from elsewhere read it (CORS), or is not asked because this page may not ask there",
    );
  }
  if (!response.ok) throw new Error(`the server answered ${response.status} ${response.statusText}`);
  return response;
}

/** Total length, as "Content-Range: bytes a-b/total" states it. */
function statedSize(response) {
  const found = /^bytes \d+-\d+\/(\d+)$/.exec(response.headers.get("Content-Range") ?? "");
  if (found === null) throw new Error("the server does not say how long the file is (to pages from elsewhere: Access-Control-Expose-Headers: Content-Range, ETag)");
  return Number(found[1]);
}

/** A file at an address: blocks of 64 KiB are asked for once, neighbours together; without ranges the whole file. */
export async function addressSource(address) {
  const first = await request(address, `bytes=0-${BLOCK - 1}`);
  const bytes = new Uint8Array(await first.arrayBuffer());
  if (first.status !== 206) return { size: bytes.length, read: async (offset, length) => bytes.slice(offset, offset + length) };
  const size = statedSize(first);
  const mark = first.headers.get("ETag");
  const blocks = new Map([[0, bytes]]);
  async function fill(from, to) {
    const end = Math.min(to * BLOCK, size) - 1;
    const response = await request(address, `bytes=${from * BLOCK}-${end}`);
    if (response.status !== 206 || statedSize(response) !== size || response.headers.get("ETag") !== mark) {
      throw new Error("the file changed while it was read; open it again");
    }
    const got = new Uint8Array(await response.arrayBuffer());
    for (let i = from; i < to; i++) blocks.set(i, got.subarray((i - from) * BLOCK, (i - from + 1) * BLOCK));
  }
  return {
    size,
    async read(offset, length) {
      const from = Math.floor(offset / BLOCK);
      const to = Math.ceil((offset + length) / BLOCK);
      if (blocks.size + to - from > MOST_BLOCKS) blocks.clear();
      for (let i = from; i < to; i++) {
        if (blocks.has(i)) continue;
        let end = i + 1;
        while (end < to && !blocks.has(end)) end++;
        await fill(i, end);
      }
      const result = new Uint8Array(length);
      let filled = 0;
      for (let i = from; i < to; i++) {
        const block = blocks.get(i);
        const begin = Math.max(0, offset - i * BLOCK);
        const part = block.subarray(begin, Math.min(block.length, offset + length - i * BLOCK));
        result.set(part, filled);
        filled += part.length;
      }
      return result.subarray(0, filled);
    },
  };
}

/** The file inside the page (ngr view --export), as {name, source}; null when there is none. */
export function embeddedFile() {
  const node = document.getElementById("embedded");
  if (node === null) return null;
  const bytes = Uint8Array.from(atob(node.textContent.replace(/\s/g, "")), (character) => character.charCodeAt(0));
  return { name: node.dataset.name, source: bytes };
}
