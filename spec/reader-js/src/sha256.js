/** SHA-256 of the runtime: WebCrypto, which browsers offer on secure pages (https, localhost) only. */
const subtle = globalThis.crypto?.subtle ?? (await import("node:crypto")).webcrypto.subtle;

export async function sha256(bytes) {
  return new Uint8Array(await subtle.digest("SHA-256", bytes));
}
