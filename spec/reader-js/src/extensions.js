/** Extension streams (FORMAT.md 12.2): a name and a payload that is handed on unread. */
import { compareBytes } from "./bytes.js";
import { fail } from "./errors.js";
import { isExtension, streamPlace } from "./record.js";
import { decodeUtf8 } from "./utf8.js";

/** `x.<reverse-dns>.<name>` with at least two labels between the `x` and the name, in at most 255 bytes. */
export function isExtensionName(name) {
  return name.length <= 255 && /^x(\.[a-z0-9][a-z0-9-]*){3,}$/.test(name);
}

/** Split every extension among the decoded streams into its name and its payload; ids and order of names are checked. */
export function splitExtensions(decoded, where) {
  const streams = [...decoded].filter(([id]) => isExtension(id));
  const extensions = streams.map(([id, bytes]) => {
    const place = streamPlace(where, id);
    const end = 1 + (bytes[0] ?? 0);
    const nameBytes = bytes.subarray(1, end);
    const name = decodeUtf8(nameBytes);
    if (end === 1 || end > bytes.length || name === null) fail("E_NAME", place, "the stream does not begin with a name");
    return { id, place, name, nameBytes, payload: bytes.slice(end) };
  });
  extensions.forEach(({ id, place, nameBytes }, i) => {
    if (id !== 0x8000 + i) fail("E_STREAM", place, "extensions do not take the ids from 0x8000 upwards");
    const ascends = i === 0 || compareBytes(extensions[i - 1].nameBytes, nameBytes) < 0;
    if (!ascends) fail("E_STREAM", place, "extensions do not ascend by name");
  });
  return extensions;
}

/** The extensions as [{name, payload}], their names checked. */
export function nameExtensions(extensions) {
  return extensions.map(({ name, payload, place }) => {
    if (!isExtensionName(name)) fail("E_NAME", place, "this is not the name of an extension");
    return { name, payload };
  });
}
