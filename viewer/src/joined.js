/** Several archives as one: the studies of a collection follow each other. */
import { open } from "../../spec/reader-js/src/reader.js";

export class Joined {
  constructor(archives) {
    this.archives = archives;
    this.starts = [];
    this.count = 0;
    for (const archive of archives) {
      this.starts.push(this.count);
      this.count += archive.count;
    }
  }

  /** The archive of study `i`, and its number in it. */
  locate(i) {
    let number = 0;
    let end = this.starts.length;
    while (end - number > 1) {
      const middle = (number + end) >> 1;
      if (this.starts[middle] <= i) number = middle;
      else end = middle;
    }
    return [this.archives[number], i - this.starts[number]];
  }

  /** Where the record of a study lies: {source, offset, length}. */
  place(i) {
    const [archive, within] = this.locate(i);
    const { offset, length } = archive.index.row(within);
    return { source: archive.source, offset, length };
  }

  study(i) {
    const [archive, within] = this.locate(i);
    return archive.study(within);
  }

  /** Ids of all; a file of one study holds no keys, so that its study is read for it. */
  async ids() {
    const found = [];
    for (const archive of this.archives) found.push(...(archive.ids ?? [(await archive.study(0)).id]));
    return found;
  }

  /** Whether what each file says of itself as a whole holds, once all studies have been read. */
  async verifyWhole() {
    for (const archive of this.archives) await archive.verifyWhole();
  }
}

/** Open one source or several. */
export async function openAll(sources) {
  const archives = [];
  for (const source of sources) archives.push(await open(source));
  return new Joined(archives);
}
