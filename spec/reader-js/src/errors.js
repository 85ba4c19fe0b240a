/** A file breaks FORMAT.md; `code` is one of its error codes, `where` the place, `message` one line for people. */
export class NgrError extends Error {
  constructor(code, where, message) {
    super(message);
    this.name = "NgrError";
    this.code = code;
    this.where = where;
  }
}

export function fail(code, where, message) {
  throw new NgrError(code, where, message);
}
