/** Extension streams (FORMAT.md 12.2): a name and a payload that is handed on unread. */
import { fail } from "./errors.js";
import { isExtensionName } from "./names.js";
import { decodeUtf8 } from "./utf8.js";

export function readExtensions(streams, decoded, place) {
  const extensions = [];
  streams.forEach((stream, i) => {
    const where = place(stream);
    const bytes = decoded.get(stream.id);
    if (bytes.length === 0 || bytes.length < 1 + bytes[0]) fail("E_NAME", where, "the name of the extension is cut");
    const name = decodeUtf8(bytes.subarray(1, 1 + bytes[0]));
    if (name === null || !isExtensionName(name)) fail("E_NAME", where, "this is not the name of an extension");
    if (stream.id !== 0x8000 + i) fail("E_STREAM", where, "extensions do not take ids from 0x8000 upwards");
    // Names are ASCII, so that the order of JavaScript strings is that of bytes.
    if (i > 0 && extensions[i - 1].name >= name) fail("E_STREAM", where, "extensions do not ascend by name");
    extensions.push({ name, payload: bytes.slice(1 + bytes[0]) });
  });
  return extensions;
}
