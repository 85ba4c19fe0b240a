/** Strict UTF-8: ill-formed bytes are refused, nothing is replaced and a byte order mark stays. */
const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();

/** Bytes of a text that is looked at byte by byte: of a name, often; calling the decoder would cost more. */
const SHORT = 64;

/** The text of the bytes, or null when they are not valid UTF-8. */
export function decodeUtf8(bytes) {
  if (bytes.length <= SHORT && bytes.every((byte) => byte < 128)) return String.fromCharCode.apply(null, bytes);
  try {
    return STRICT.decode(bytes);
  } catch {
    return null;
  }
}

export function encodeUtf8(text) {
  return ENCODER.encode(text);
}
