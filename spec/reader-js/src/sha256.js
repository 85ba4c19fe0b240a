/** SHA-256 of the runtime: WebCrypto, which browsers offer on secure pages (https, localhost, files) only. */
export async function sha256(bytes) {
  const subtle = globalThis.crypto?.subtle;
  if (subtle === undefined) throw new Error("no WebCrypto here: browsers offer it on https, localhost and files, Node from version 20 on");
  return new Uint8Array(await subtle.digest("SHA-256", bytes));
}
