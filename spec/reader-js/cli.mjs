#!/usr/bin/env node
/** Judge .ngr files and print their decoded form (spec/decoded-form.md): one line of JSON per file. */
import { createReadStream } from "node:fs";
import { open as openFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { NgrError, decodedForm, open } from "./src/reader.js";

const USAGE = "usage: cli.mjs [--verdict] PATH | --list FILE (- reads the list from standard input)";

/** A source over an open file, so that memory does not grow with the file. */
async function fileSource(handle) {
  const { size } = await handle.stat();
  return {
    size,
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return bytes.subarray(0, done);
    },
  };
}

/** The verdict on one source; `content` asks for the decoded studies, otherwise only their number is told. */
export async function judge(source, { content = true } = {}) {
  try {
    const archive = await open(source);
    const studies = [];
    for (let i = 0; i < archive.count; i++) {
      const study = await archive.study(i);
      if (content) studies.push(decodedForm(study));
    }
    await archive.verifyWhole();
    return content ? { ok: true, studies } : { ok: true, count: archive.count };
  } catch (error) {
    if (!(error instanceof NgrError)) throw error;
    return { ok: false, code: error.code, where: error.where, message: error.message };
  }
}

async function judgePath(path, options) {
  const handle = await openFile(path, "r").catch((error) => error);
  if (handle instanceof Error) {
    return { ok: false, code: "E_OPEN", where: "", message: `the file cannot be read: ${handle.code}` };
  }
  try {
    return await judge(await fileSource(handle), options);
  } finally {
    await handle.close();
  }
}

async function main(args) {
  const options = { content: !args.includes("--verdict") };
  const rest = args.filter((argument) => argument !== "--verdict");
  let paths = rest;
  if (rest.length === 2 && rest[0] === "--list") {
    paths = createInterface({ input: rest[1] === "-" ? process.stdin : createReadStream(rest[1]), crlfDelay: Infinity });
  } else if (rest.length !== 1 || rest[0].startsWith("--")) {
    process.stderr.write(`${USAGE}\n`);
    process.exitCode = 2;
    return;
  }
  for await (const path of paths) {
    if (path !== "") process.stdout.write(`${JSON.stringify(await judgePath(path, options))}\n`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main(process.argv.slice(2));
