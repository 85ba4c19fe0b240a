/** Strict UTF-8: ill-formed bytes are refused, nothing is replaced and a byte order mark stays. */
const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();

/** The text of the bytes, or null when they are not valid UTF-8. */
export function decodeUtf8(bytes) {
  try {
    return STRICT.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

export function encodeUtf8(text) {
  return ENCODER.encode(text);
}
