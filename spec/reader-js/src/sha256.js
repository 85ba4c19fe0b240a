/** SHA-256 of the runtime: WebCrypto, which browsers offer on secure pages (https, localhost, files) only. */
let subtle = globalThis.crypto?.subtle;

export async function sha256(bytes) {
  // Older versions of Node have it under this name only. Asked for when needed, so that a page without WebCrypto loads
  // and can say what is missing.
  subtle ??= (await import("node:crypto")).webcrypto.subtle;
  return new Uint8Array(await subtle.digest("SHA-256", bytes));
}
