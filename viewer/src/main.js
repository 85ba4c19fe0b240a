/** The page: opening files, the verdict, the studies of an archive, keyboard and theme. */
import { NgrError } from "../../spec/reader-js/src/reader.js";
import { ComparePanel } from "./compare-panel.js";
import { byId, element, printable } from "./dom.js";
import { counted, problemList } from "./facts.js";
import { Films } from "./films.js";
import { sayWhetherItScrolls } from "./graph.js";
import { openAll } from "./joined.js";
import { StudyList } from "./list.js";
import { copyText } from "./names.js";
import { addressSource, embeddedFile, fileSource } from "./sources.js";
import { Looking } from "./stage.js";
import { StudyPanel } from "./study-panel.js";

/** `pinned` is a study that others are put beside, `other` a second archive: {name, archive, places by id}. */
const EMPTY = { archive: null, list: null, panel: null, compare: null, current: 0, pinned: null, other: null, beside: false };
const state = { ...EMPTY, films: new Films(null), turn: 0 };
const looking = new Looking();
const NEAR_STUDIES = 50_000;

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

function leavePanels() {
  state.panel?.leave();
  state.compare?.leave();
  state.panel = state.compare = null;
}

function reset(name) {
  state.turn++;
  leavePanels();
  state.list?.leave();
  Object.assign(state, EMPTY);
  for (const id of ["start", "failure", "studies", "study", "problems", "check", "generated-box"]) byId(id).hidden = true;
  byId("file-name").textContent = printable(name);
  byId("file-name").title = printable(name);
  byId("search").value = "";
  document.title = `${printable(name)} – neuralgraph viewer`;
  verdict("busy", "Reading …");
  return state.turn;
}

/** Whether an address leads to this machine. */
const isNear = ({ address }) => address !== null && ["127.0.0.1", "localhost", "[::1]"].includes(address.hostname);

/** Open files as one archive; `makeSources` gives where their bytes come from. */
async function openSources(name, makeSources, { makeOther = null, near = true } = {}) {
  const turn = reset(name);
  try {
    const archive = await openAll(await makeSources());
    const ids = archive.count > 1 ? await archive.ids() : null;
    if (turn !== state.turn) return;
    state.archive = archive;
    if (archive.count > 1) {
      byId("studies").hidden = false;
      byId("check").hidden = false;
      state.list = new StudyList(archive, ids, showStudy, near);
    }
    if (makeOther !== null) await setOther(...(await makeOther()));
    if (turn !== state.turn) return;
    await showStudy(0);
    // Far away it would cost the network of others; there the first search reads.
    if (archive === state.archive && near && archive.count <= NEAR_STUDIES) state.list?.prepare();
  } catch (error) {
    if (turn === state.turn) showFailure(error, "This file cannot be shown");
  }
}

const openSource = (name, makeSource) => openSources(name, async () => [await makeSource()]);

/** Put a second archive beside the first: studies of the same id belong together. */
async function setOther(name, sources) {
  const archive = await openAll(sources);
  const ids = await archive.ids();
  state.other = { name, archive, places: new Map(ids.map((id, i) => [id, i])) };
  state.pinned = null;
  state.beside = true;
}

/** {name, address} of what was typed or linked to; the address is null when it cannot be one. */
function parsed(text) {
  try {
    const address = new URL(text, location.href);
    return { name: decodeURIComponent(address.pathname.split("/").at(-1)) || text, address };
  } catch {
    // The name stays as it was typed; an address that cannot be one fails when it is opened.
    return { name: text, address: null };
  }
}

async function sourceAt({ address }) {
  if (address === null) throw new Error("this is no address of a file");
  return addressSource(address);
}

/** Open what addresses name, `others` beside them; one that is none is a failure like every other. */
function openAddresses(texts, others = [], title = null) {
  const files = texts.map(parsed);
  const beside = others.map(parsed);
  const name = title ?? (files.length === 1 ? files[0].name : `${files.length} files`);
  const makeOther = async () => [beside.length === 1 ? beside[0].name : `${beside.length} files`, await Promise.all(beside.map(sourceAt))];
  return openSources(name, () => Promise.all(files.map(sourceAt)), { makeOther: beside.length > 0 ? makeOther : null, near: files.every(isNear) });
}

const scopeOf = (i) => (state.archive.count === 1 ? "File verified" : `Study ${(i + 1).toLocaleString("en")} of ${state.archive.count.toLocaleString("en")} verified`);
const PROVEN = "checksums, digests and every rule of the format hold";

/** What study `i` is put beside: {study, title} on the left and on the right, or null. */
async function beside(i, study) {
  if (!state.beside) return null;
  if (state.other !== null) {
    const place = state.other.places.get(study.id) ?? (state.archive.count === 1 && state.other.archive.count === 1 ? 0 : undefined);
    if (place === undefined) return null;
    return [{ study, title: byId("file-name").textContent }, { study: await state.other.archive.study(place), title: state.other.name }];
  }
  if (state.pinned === null || state.pinned === i) return null;
  return [{ study: await state.archive.study(state.pinned), title: "Pinned" }, { study, title: "Chosen" }];
}

async function showStudy(i) {
  const turn = ++state.turn;
  const { archive } = state;
  state.current = i;
  try {
    const study = await archive.study(i);
    if (archive.count === 1) await archive.verifyWhole();
    const pair = await beside(i, study);
    if (turn !== state.turn) return;
    byId("failure").hidden = true;
    leavePanels();
    if (pair === null) state.panel = new StudyPanel(study, state.films, looking);
    else {
      byId("study").hidden = true;
      state.compare = new ComparePanel(pair.map((side) => ({ ...side, films: state.films })), looking);
    }
    tellBeside(study, pair);
    verdict("good", `${scopeOf(i)}: ${PROVEN}`);
  } catch (error) {
    if (turn !== state.turn) return;
    if (error instanceof NgrError) state.list?.markBad(i);
    leavePanels();
    showFailure(error, archive.count === 1 ? "This file cannot be shown" : `Study ${i + 1} cannot be shown`);
  }
}

function tellBeside(study, pair) {
  byId("beside").hidden = state.list === null && state.other === null;
  byId("beside").setAttribute("aria-pressed", String(state.beside));
  let text = "";
  if (state.beside && pair === null) text = state.other !== null ? `${printable(state.other.name)} holds no study of this id.` : "Pinned: choose the study to put beside it.";
  byId("beside-note").textContent = text;
  state.list?.pin(state.beside ? state.pinned : null);
}

/** Put studies beside each other, or stop it. */
function toggleBeside(wanted = !state.beside) {
  if (state.archive === null || (state.list === null && state.other === null) || (state.panel ?? state.compare) === null) return;
  state.beside = wanted;
  state.pinned = wanted && state.other === null ? state.current : null;
  showStudy(state.current);
}

async function copyId() {
  if (state.panel === null) return;
  const copied = await copyText(state.panel.study.id);
  if (!copied) getSelection().selectAllChildren(byId("study-id"));
  byId("copied").textContent = copied ? "Copied." : "Selected: copy it with Ctrl-C.";
}

async function checkAll() {
  const { archive } = state;
  if (archive === null || archive.count < 2) return;
  const problems = [];
  const attempt = async (study, action) => {
    try {
      await action();
    } catch (error) {
      problems.push({ study, ...asProblem(error) });
      if (study !== null) state.list.markBad(study);
    }
  };
  byId("check").disabled = true;
  try {
    for (let i = 0; i < archive.count; i++) {
      await attempt(i, () => archive.study(i));
      if (archive !== state.archive) return;
      if (i % 50 === 0) {
        verdict("busy", `Checking ${i.toLocaleString("en")} of ${archive.count.toLocaleString("en")} …`);
        await new Promise((resolve) => setTimeout(resolve));
      }
    }
    if (problems.length === 0) await attempt(null, () => archive.verifyWhole());
  } finally {
    byId("check").disabled = false;
  }
  showProblems(problems);
  if (problems.length === 0) verdict("good", `All ${archive.count.toLocaleString("en")} studies verified`);
  else verdict("bad", `${counted(problems.length, "problem")}; the first: ${problems[0].code} at ${printable(problems[0].where)}`);
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

/** A second file, beside the first. */
async function takeOther(file) {
  try {
    await setOther(file.name, [fileSource(file)]);
    await showStudy(state.current);
  } catch (error) {
    byId("beside-note").textContent = `${printable(file.name)} cannot be put beside it: ${printable(error.message)}`;
  }
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

/** One step back: the search with its list, then what is chosen, then studies beside each other. */
function escape(target, typing) {
  const searched = state.list?.clear() ?? false;
  if (typing) target.blur();
  if (searched) return;
  if (state.panel !== null && (state.panel.concept !== null || state.panel.patch !== null)) state.panel.clear();
  else if (state.beside) toggleBeside(false);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help-box").open) return;
  const typing = event.target.matches("input[type=search], input[type=url]");
  if (event.key === "Escape") {
    escape(event.target, typing);
    event.preventDefault();
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
    c: () => copyId(),
    m: () => toggleBeside(),
    "?": () => byId("help-box").showModal(),
  };
  if (!Object.hasOwn(actions, event.key)) {
    if (event.target === document.body && (state.panel ?? state.compare) !== null) looking.key(event);
    return;
  }
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
    openAddresses([byId("address").value]);
  };
  byId("copy").onclick = () => copyId();
  byId("beside").onclick = () => toggleBeside();
  byId("beside-file").onclick = () => byId("other-picker").click();
  byId("compare-close").onclick = () => toggleBeside(false);
  byId("other-picker").onchange = () => {
    const [file] = byId("other-picker").files;
    byId("other-picker").value = "";
    if (file !== undefined) takeOther(file);
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
  new ResizeObserver(() => sayWhetherItScrolls(byId("graph"))).observe(byId("graph"));
}

function begin() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  document.documentElement.dataset.theme = dark.matches ? "dark" : "light";
  listen();
  const embedded = embeddedFile();
  const asked = new URLSearchParams(location.search);
  // Films come from where the page itself comes from, and from nowhere else.
  if (asked.has("films")) state.films = new Films(asked.get("films").replace(/[^a-z]/g, ""));
  if (embedded !== null) openSource(embedded.name, async () => embedded.source);
  else if (asked.has("file")) openAddresses(asked.getAll("file"), asked.getAll("against"), asked.get("title"));
}

begin();
