/** Dictionaries of an archive (FORMAT.md 7.9). */
import { viewOf } from "./bytes.js";
import { NgrError, fail } from "./errors.js";
import { sha256 } from "./sha256.js";
import { parseDictionary } from "./zstd/dictionary.js";

const PREFIX = "dictionary_";
const MAX_BYTES = 1048576;
const FIRST_ID = 65536;
const END_ID = 2147483648;

/** Whether a section of this name holds a dictionary. */
export function isDictionarySection(name) {
  return name.startsWith(PREFIX);
}

/** Whether name and flags of such a section follow the rules. */
export function goodDictionarySection(name, flags) {
  return /^dictionary_[0-9a-f]{8}$/.test(name) && flags === 2;
}

/** The dictionary of a section: {id, content, ...}; E_DICT. */
export async function readDictionarySection(name, bytes) {
  if (bytes.length > MAX_BYTES) fail("E_DICT", name, "the dictionary is too long");
  if (bytes.length <= 8) fail("E_DICT", name, "this is not a dictionary");
  const id = viewOf(bytes).getUint32(4, true);
  const digest = await sha256(bytes.subarray(8));
  if (id !== FIRST_ID + (viewOf(digest).getUint32(0, true) % (END_ID - FIRST_ID))) {
    fail("E_DICT", name, "the id is not that of the content");
  }
  if (name !== PREFIX + id.toString(16).padStart(8, "0")) fail("E_DICT", name, "the dictionary is not the one that its name says");
  try {
    return { id, ...parseDictionary(bytes) };
  } catch (error) {
    if (!(error instanceof NgrError)) throw error;
    return fail("E_DICT", name, error.message);
  }
}
