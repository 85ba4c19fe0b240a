/** Finite state entropy tables (RFC 8878, section 4.1). */
import { corrupt } from "./bits.js";

/** A decoding table from normalised counts, -1 meaning "less than one". */
export function tableFromCounts(counts, accuracy) {
  const size = 1 << accuracy;
  const symbols = new Uint8Array(size);
  const next = new Uint16Array(counts.length);
  let high = size;
  counts.forEach((count, symbol) => {
    if (count === -1) symbols[--high] = symbol;
    next[symbol] = count === -1 ? 1 : count;
  });
  const step = (size >> 1) + (size >> 3) + 3;
  let position = 0;
  counts.forEach((count, symbol) => {
    for (let i = 0; i < count; i++) {
      symbols[position] = symbol;
      do position = (position + step) & (size - 1);
      while (position >= high);
    }
  });
  const bits = new Uint8Array(size);
  const base = new Uint16Array(size);
  for (let state = 0; state < size; state++) {
    const value = next[symbols[state]]++;
    bits[state] = accuracy - (31 - Math.clz32(value));
    base[state] = (value << bits[state]) - size;
  }
  return { accuracy, symbols, bits, base };
}

/** Parse a table description (RFC 8878, section 4.1.1), which is passed in `input`; its bits stand lowest first. */
export function readTable(input, { maxAccuracy, maxSymbol }) {
  const { bytes, end } = input;
  let at = 8 * input.at;
  const read = (count) => {
    if (count > 8 * end - at) corrupt("a table description ends early");
    let value = 0;
    for (let i = 0; i < count; i++, at++) value |= ((bytes[at >>> 3] >>> (at & 7)) & 1) << i;
    return value;
  };
  const accuracy = read(4) + 5;
  if (accuracy > maxAccuracy) corrupt("the accuracy of a table is too high");
  const counts = [];
  let remaining = 1 << accuracy;
  while (remaining > 0) {
    if (counts.length > maxSymbol) corrupt("a table has too many symbols");
    const width = 32 - Math.clz32(remaining + 1);
    const low = (1 << (width - 1)) - 1;
    const spare = (1 << width) - 1 - (remaining + 1);
    let value = read(width - 1);
    // Small values take one bit less; the others one more, with the gap taken out.
    if (value >= spare) {
      value |= read(1) << (width - 1);
      if (value > low) value -= spare;
    }
    const count = value - 1;
    remaining -= Math.abs(count);
    counts.push(count);
    for (let zeros = count === 0 ? 3 : 0; zeros === 3; ) {
      zeros = read(2);
      for (let i = 0; i < zeros; i++) counts.push(0);
    }
  }
  if (remaining < 0 || counts.length > maxSymbol + 1) corrupt("the counts of a table do not add up");
  input.at = (at + 7) >>> 3;
  return tableFromCounts(counts, accuracy);
}
