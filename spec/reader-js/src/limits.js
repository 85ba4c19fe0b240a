/** FORMAT.md section 9: what every reader accepts (the defaults), and what no file exceeds. */
const MIB = 1048576;

export const DEFAULT_LIMITS = Object.freeze({
  fileBytes: 64 * 1024 * MIB,
  records: 4194304,
  contentsBytes: 4 * MIB,
  sections: 64,
  streams: 32,
  recordStoredBytes: 16 * MIB,
  recordDecodedBytes: 64 * MIB,
  views: 16,
  cells: 1048576,
  patches: 65536,
  width: 8192,
  edges: 262144,
  concepts: 65535,
  mentions: 65535,
  triples: 262144,
  labels: 1024,
  textBytes: 4 * MIB,
});

export const MAXIMUM_LIMITS = Object.freeze({
  fileBytes: 2 ** 48,
  records: 4194304,
  contentsBytes: 16 * MIB,
  sections: 256,
  streams: 256,
  recordStoredBytes: 256 * MIB,
  recordDecodedBytes: 1024 * MIB,
  views: 255,
  cells: 1048576,
  patches: 1048576,
  width: 65535,
  edges: 4194304,
  concepts: 1048576,
  mentions: 1048576,
  triples: 4194304,
  labels: 4096,
  textBytes: 64 * MIB,
});

/** The limits of one reader: the defaults with the caller's wishes, each between the two columns of section 9. */
export function limitsWith(wishes = {}) {
  const limits = { ...DEFAULT_LIMITS };
  for (const [name, value] of Object.entries(wishes)) {
    if (!(name in DEFAULT_LIMITS)) throw new TypeError(`there is no limit named ${name}`);
    if (!Number.isSafeInteger(value) || value < DEFAULT_LIMITS[name] || value > MAXIMUM_LIMITS[name]) {
      throw new RangeError(`limit ${name} must lie between ${DEFAULT_LIMITS[name]} and ${MAXIMUM_LIMITS[name]}`);
    }
    limits[name] = value;
  }
  return limits;
}
