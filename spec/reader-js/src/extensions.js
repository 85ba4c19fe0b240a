/** Extension streams (FORMAT.md 12.2): a name and a payload that is handed on unread. */
import { compareBytes } from "./bytes.js";
import { fail } from "./errors.js";
import { isExtensionName } from "./names.js";
import { decodeUtf8 } from "./utf8.js";

/** Split every extension stream into the bytes of its name and its payload; ids and order of names are checked. */
export function splitExtensions(streams, decoded, place) {
  const extensions = streams.map((stream) => {
    const bytes = decoded.get(stream.id);
    const end = 1 + (bytes[0] ?? 0);
    const nameBytes = bytes.subarray(1, end);
    const name = decodeUtf8(nameBytes);
    if (end === 1 || end > bytes.length || name === null) {
      fail("E_NAME", place(stream), "the stream does not begin with a name");
    }
    return { name, nameBytes, payload: bytes.slice(end), where: place(stream) };
  });
  streams.forEach((stream, i) => {
    if (stream.id !== 0x8000 + i) fail("E_STREAM", place(stream), "extensions do not take the ids from 0x8000 upwards");
    if (i > 0 && compareBytes(extensions[i - 1].nameBytes, extensions[i].nameBytes) >= 0) {
      fail("E_STREAM", place(stream), "extensions do not ascend by name");
    }
  });
  return extensions;
}

/** The extensions as [{name, payload}], their names checked. */
export function nameExtensions(extensions) {
  return extensions.map(({ name, payload, where }) => {
    if (!isExtensionName(name)) fail("E_NAME", where, "this is not the name of an extension");
    return { name, payload };
  });
}
