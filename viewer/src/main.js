/** The page: opening files, the verdict, the studies of an archive, keyboard and theme. */
import { NgrError, open } from "../../spec/reader-js/src/reader.js";
import { byId, element, printable } from "./dom.js";
import { problemList } from "./facts.js";
import { StudyList } from "./list.js";
import { addressSource, embeddedFile, fileSource } from "./sources.js";
import { StudyPanel } from "./study-panel.js";

const state = { archive: null, list: null, panel: null, turn: 0 };

function verdict(kind, text) {
  byId("verdict").className = kind;
  byId("verdict").textContent = { good: "✓ ", bad: "✕ ", busy: "" }[kind] + text;
}

/** An error as a problem; only what the file did wrong has a code of the format. */
function asProblem(error) {
  if (error instanceof NgrError) return { code: error.code, where: error.where, message: error.message };
  if (globalThis.crypto?.subtle === undefined) {
    const message = "this page was loaded from an address that browsers do not call secure, so digests cannot be checked; open it from a file, from localhost or over https";
    return { code: "E_OPEN", where: "this page", message };
  }
  return { code: "E_OPEN", where: "", message: error.message };
}

function showFailure(error, heading) {
  const problem = asProblem(error);
  verdict("bad", `${problem.code}${problem.where ? ` at ${printable(problem.where)}` : ""}: ${printable(problem.message)}`);
  byId("failure").replaceChildren(element("h2", {}, heading), problemList(problem));
  byId("failure").hidden = false;
  byId("study").hidden = true;
}

function reset(name) {
  state.turn++;
  state.panel?.dropPicture();
  Object.assign(state, { archive: null, list: null, panel: null });
  for (const id of ["start", "failure", "studies", "study", "problems", "check"]) byId(id).hidden = true;
  byId("file-name").textContent = printable(name);
  byId("file-name").title = printable(name);
  byId("search").value = "";
  document.title = `${printable(name)} – neuralgraph viewer`;
  verdict("busy", "Reading …");
  return state.turn;
}

async function openSource(name, makeSource) {
  const turn = reset(name);
  try {
    const archive = await open(await makeSource());
    if (turn !== state.turn) return;
    state.archive = archive;
    if (archive.count > 1) {
      byId("studies").hidden = false;
      byId("check").hidden = false;
      state.list = new StudyList(archive.ids, showStudy);
    }
    await showStudy(0);
  } catch (error) {
    if (turn === state.turn) showFailure(error, "This file cannot be shown");
  }
}

/** Open what an address names; one that is none is a failure like every other. */
function openAddress(text) {
  let name = text;
  let address;
  try {
    address = new URL(text, location.href);
    name = decodeURIComponent(address.pathname.split("/").at(-1));
  } catch {
    // The name stays as it was typed; an address that cannot be one fails below.
  }
  return openSource(name || text, async () => {
    if (address === undefined) throw new Error("this is no address of a file");
    return addressSource(address);
  });
}

async function showStudy(i) {
  const turn = ++state.turn;
  const { archive } = state;
  try {
    const study = await archive.study(i);
    if (archive.count === 1) await archive.verifyWhole([{ decodedBytes: study.decodedBytes, streamCount: study.streamCount }]);
    if (turn !== state.turn) return;
    byId("failure").hidden = true;
    state.panel?.dropPicture();
    state.panel = new StudyPanel(study);
    const scope = archive.count === 1 ? "File verified" : `Study ${(i + 1).toLocaleString("en")} of ${archive.count.toLocaleString("en")} verified`;
    verdict("good", `${scope}: checksums, digests and every rule of the format hold`);
  } catch (error) {
    if (turn !== state.turn) return;
    if (error instanceof NgrError) state.list?.markBad(i);
    state.panel?.dropPicture();
    state.panel = null;
    showFailure(error, archive.count === 1 ? "This file cannot be shown" : `Study ${i + 1} cannot be shown`);
  }
}

async function checkAll() {
  const { archive } = state;
  if (archive === null || archive.count < 2) return;
  const problems = [];
  const sizes = [];
  const attempt = async (study, action) => {
    try {
      return await action();
    } catch (error) {
      problems.push({ study, ...asProblem(error) });
      if (study !== null) state.list.markBad(study);
      return null;
    }
  };
  byId("check").disabled = true;
  try {
    for (let i = 0; i < archive.count; i++) {
      const study = await attempt(i, () => archive.study(i));
      if (archive !== state.archive) return;
      if (study !== null) sizes.push({ decodedBytes: study.decodedBytes, streamCount: study.streamCount });
      if (i % 50 === 0) {
        verdict("busy", `Checking ${i.toLocaleString("en")} of ${archive.count.toLocaleString("en")} …`);
        await new Promise((resolve) => setTimeout(resolve));
      }
    }
    if (sizes.length === archive.count) await attempt(null, () => archive.verifyWhole(sizes));
  } finally {
    byId("check").disabled = false;
  }
  showProblems(problems);
  if (problems.length === 0) verdict("good", `All ${archive.count.toLocaleString("en")} studies verified`);
  else verdict("bad", `${problems.length.toLocaleString("en")} problems; the first: ${problems[0].code} at ${printable(problems[0].where)}`);
}

function showProblems(problems) {
  byId("problems").hidden = problems.length === 0;
  byId("problems-body").replaceChildren(
    ...problems.slice(0, 200).map(({ study, ...problem }) => {
      const name = study === null ? "the archive" : printable(state.list.ids[study]);
      const go = study === null ? name : element("button", { type: "button", onclick: () => state.list.select(study) }, name);
      return element("div", {}, go, problemList(problem));
    }),
    problems.length > 200 ? `and ${problems.length - 200} more; ngr validate lists all` : "",
  );
}

/** Files that were dropped or chosen together: the study first, then its film. */
async function takeAll(files) {
  const picture = (file) => /\.(png|jpe?g)$/i.test(file.name);
  const study = files.find((file) => !picture(file));
  const film = files.find(picture);
  if (study !== undefined) await take(study);
  if (film !== undefined && (study === undefined || state.panel !== null)) await take(film);
}

async function take(file) {
  if (!/\.(png|jpe?g)$/i.test(file.name)) {
    await openSource(file.name, async () => fileSource(file));
  } else if (state.panel === null) {
    showFailure(new Error("open a .ngr file first, then drop its film"), "A film without a study");
  } else {
    const wrong = await state.panel.setPicture(file);
    if (wrong !== null) byId("film-note").textContent = `Not shown: ${wrong}.`;
  }
}

function switchTheme() {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help-box").open) return;
  const typing = event.target.matches("input[type=search], input[type=url]");
  if (event.key === "Escape") {
    if (typing) event.target.blur();
    state.panel?.clear();
    return;
  }
  if (typing) return;
  const actions = {
    o: () => byId("picker").click(),
    j: () => state.list?.step(1),
    k: () => state.list?.step(-1),
    "/": () => state.list && byId("search").focus(),
    "+": () => state.panel?.keep(state.panel.kept + 1),
    "=": () => state.panel?.keep(state.panel.kept + 1),
    "-": () => state.panel?.keep(state.panel.kept - 1),
    v: () => checkAll(),
    "?": () => byId("help-box").showModal(),
  };
  if (!Object.hasOwn(actions, event.key)) return;
  event.preventDefault();
  actions[event.key]();
}

function listen() {
  byId("open").onclick = () => byId("picker").click();
  byId("picker").onchange = () => {
    takeAll([...byId("picker").files]);
    byId("picker").value = "";
  };
  byId("open-here").onclick = () => byId("picker").click();
  byId("address-form").onsubmit = (event) => {
    event.preventDefault();
    openAddress(byId("address").value);
  };
  byId("check").onclick = () => checkAll();
  byId("theme").onclick = switchTheme;
  byId("help").onclick = () => byId("help-box").showModal();
  addEventListener("keydown", onKey);
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) document.body.classList.remove("dropping");
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    takeAll([...event.dataTransfer.files]);
  });
  let pending = 0;
  addEventListener("resize", () => {
    clearTimeout(pending);
    pending = setTimeout(() => state.panel?.drawGraph(), 150);
  });
}

function begin() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  document.documentElement.dataset.theme = dark.matches ? "dark" : "light";
  listen();
  const embedded = embeddedFile();
  const asked = new URLSearchParams(location.search).get("file");
  if (embedded !== null) openSource(embedded.name, async () => embedded.source);
  else if (asked !== null) openAddress(asked);
}

begin();
