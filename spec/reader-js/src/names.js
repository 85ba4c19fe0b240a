/** The grammar of names (FORMAT.md 6.2 and 12.2). */
const SECTION = /^[a-z][a-z0-9_]{0,31}$/;
const EXTENSION = /^x(\.[a-z0-9][a-z0-9-]*){3,}$/;
const MAX_BYTES = 255;

export function isSectionName(name) {
  return SECTION.test(name);
}

/** `x.<reverse-dns>.<name>` with at least two labels between the `x` and the name. */
export function isExtensionName(name) {
  return name.length <= MAX_BYTES && EXTENSION.test(name);
}
