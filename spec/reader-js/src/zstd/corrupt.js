import { fail } from "../errors.js";

export function corrupt(message) {
  fail("E_ZSTD", "zstd", message);
}
