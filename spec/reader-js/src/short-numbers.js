/** The encoding short_numbers (FORMAT.md 7.8). */
import { graphColumns, typeBytes } from "./columns.js";
import { fail } from "./errors.js";
import { decodeZstd } from "./zstd/frame.js";

const MOST_BYTES = 5;

/** The graph stream of a frame: `decodedBytes` of them, for these counts; E_SIZE, E_ZSTD, E_FILTER. */
export function decodeShortNumbers(stored, decodedBytes, counts, where) {
  const short = decodeZstd(stored, decodedBytes, { atMost: true });
  const out = new DataView(new ArrayBuffer(decodedBytes));
  let at = 0;
  let to = 0;
  const number = () => {
    let value = 0;
    for (let i = 0; ; i++) {
      if (i === MOST_BYTES || at === short.length) fail("E_FILTER", where, "a number is too long, or missing");
      const byte = short[at++];
      // Up to 35 bits: more than an operator on bits can hold.
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) {
        if (byte === 0 && i > 0) fail("E_FILTER", where, "a number has more bytes than it needs");
        return value;
      }
    }
  };
  for (const { name, type, length, width, plain } of graphColumns(counts)) {
    const size = typeBytes(type);
    if (plain) {
      if (length * size > short.length - at) fail("E_FILTER", where, `${name} ends early`);
      for (let i = 0; i < length * size; i++) out.setUint8(to++, short[at++]);
      continue;
    }
    const above = new Array(width).fill(0);
    for (let i = 0; i < length; i++) {
      const zigzag = number();
      const value = above[i % width] + (zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2);
      if (value < 0 || value >= 256 ** size) fail("E_FILTER", where, `a value of ${name} does not fit its type`);
      above[i % width] = value;
      for (let byte = 0, rest = value; byte < size; byte++, rest = Math.floor(rest / 256)) out.setUint8(to++, rest % 256);
    }
  }
  if (at !== short.length) fail("E_FILTER", where, "bytes follow the short graph stream");
  return new Uint8Array(out.buffer);
}
