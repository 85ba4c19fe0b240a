/** Strict UTF-8: ill-formed bytes are refused, nothing is replaced and a byte order mark stays. */
const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();

/** Texts up to this many bytes are often names; calling the decoder costs more than looking at each byte. */
const SHORT = 64;

/** The text of short ASCII; null for everything else. */
function shortAscii(bytes) {
  if (bytes.length > SHORT) return null;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] > 127) return null;
  return String.fromCharCode.apply(null, bytes);
}

/** The text of the bytes, or null when they are not valid UTF-8. */
export function decodeUtf8(bytes) {
  const short = shortAscii(bytes);
  if (short !== null) return short;
  try {
    return STRICT.decode(bytes);
  } catch {
    return null;
  }
}

export function encodeUtf8(text) {
  return ENCODER.encode(text);
}
