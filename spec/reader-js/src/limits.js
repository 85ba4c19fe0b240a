/** FORMAT.md section 9. */
const MIB = 1048576;

/** What every reader accepts, which is the default, and what no file exceeds. */
const LIMITS = {
  fileBytes: [64 * 1024 * MIB, 2 ** 48],
  records: [4194304, 4194304],
  contentsBytes: [4 * MIB, 16 * MIB],
  sections: [64, 256],
  streams: [32, 256],
  recordStoredBytes: [16 * MIB, 256 * MIB],
  recordDecodedBytes: [64 * MIB, 1024 * MIB],
  views: [16, 255],
  cells: [1048576, 1048576],
  patches: [65536, 1048576],
  width: [8192, 65535],
  edges: [262144, 4194304],
  concepts: [65535, 1048576],
  mentions: [65535, 1048576],
  triples: [262144, 4194304],
  labels: [1024, 4096],
  textBytes: [4 * MIB, 64 * MIB],
};

/** The limits of one reader: the defaults with the caller's wishes, each between the two columns of section 9. */
export function limitsWith(wishes = {}) {
  const limits = Object.fromEntries(Object.entries(LIMITS).map(([name, [accepted]]) => [name, accepted]));
  for (const [name, value] of Object.entries(wishes)) {
    if (!Object.hasOwn(LIMITS, name)) throw new TypeError(`there is no limit named ${name}`);
    const [least, most] = LIMITS[name];
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      throw new RangeError(`limit ${name} must lie between ${least} and ${most}`);
    }
    limits[name] = value;
  }
  return limits;
}
