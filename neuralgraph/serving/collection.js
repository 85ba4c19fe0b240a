// The page of a collection: list, search by finding, next and previous, keys j, k and /. Texts are put in as text.
"use strict";

const PART = 200;
const byId = (id) => document.getElementById(id);
const state = { studies: [], count: 0, chosen: -1, turn: 0, coming: null };

function say(text) {
  byId("said").textContent = text;
}

async function ask(offset) {
  const query = new URLSearchParams({ offset, limit: PART });
  const question = byId("question").value.trim();
  if (question) query.set("question", question);
  if (byId("generated").checked) query.set("generated", "true");
  const answer = await fetch(`/studies?${query}`, { credentials: "same-origin" });
  document.body.classList.toggle("locked", answer.status === 401);
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.message);
  return found;
}

async function search() {
  const turn = ++state.turn;
  try {
    const found = await ask(0);
    if (turn !== state.turn) return;
    Object.assign(state, { studies: found.studies, count: found.count, chosen: -1, coming: null });
    byId("list").replaceChildren(...state.studies.map(row));
    say(`${found.count.toLocaleString("en")} studies`);
    if (state.studies.length > 0) await choose(0);
  } catch (error) {
    if (turn === state.turn) say(error.message);
  }
}

async function more() {
  const turn = state.turn;
  const found = await ask(state.studies.length);
  if (turn !== state.turn) return;
  const first = state.studies.length;
  state.studies.push(...found.studies);
  byId("list").append(...found.studies.map((study, i) => row(study, first + i)));
}

function row(study, i) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  const facts = document.createElement("small");
  facts.textContent = `report ${study.report}, ${study.concepts} concepts, ${study.patches} patches`;
  button.append(study.study_id);
  if (study.why?.length > 0) {
    const why = document.createElement("small");
    why.className = "why";
    why.textContent = study.why.join(" · ");
    button.append(why);
  }
  button.append(facts);
  button.addEventListener("click", () => choose(i));
  item.append(button);
  return item;
}

/** Choose a study; a key that is held down asks once for those that are not here yet. */
async function choose(i) {
  if (i >= state.studies.length && state.studies.length < state.count) {
    const turn = state.turn;
    state.coming ??= more();
    try {
      await state.coming;
    } catch (error) {
      if (turn === state.turn) say(error.message);
      return;
    } finally {
      if (turn === state.turn) state.coming = null;
    }
    if (turn !== state.turn) return;
  }
  if (i < 0 || i >= state.studies.length) return;
  const buttons = byId("list").querySelectorAll("button");
  buttons[state.chosen]?.removeAttribute("aria-current");
  state.chosen = i;
  buttons[i].setAttribute("aria-current", "true");
  buttons[i].scrollIntoView({ block: "nearest" });
  const file = `/studies/${encodeURIComponent(state.studies[i].study_id)}.ngr`;
  byId("view").src = `/viewer?file=${encodeURIComponent(file)}&films=films`;
  say(`${(i + 1).toLocaleString("en")} of ${state.count.toLocaleString("en")}`);
}

byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});
byId("generated").addEventListener("change", search);
byId("next").addEventListener("click", () => choose(state.chosen + 1));
byId("previous").addEventListener("click", () => choose(state.chosen - 1));
byId("enter").addEventListener("submit", async (event) => {
  event.preventDefault();
  const headers = { Authorization: `Bearer ${byId("token").value}` };
  const answer = await fetch("/session", { method: "POST", headers, credentials: "same-origin" });
  byId("token").value = "";
  if (answer.ok) search();
  else say("this token is not known");
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && byId("question").value !== "") {
    byId("question").value = "";
    byId("question").blur();
    search();
    return;
  }
  if (event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "j" || event.key === "ArrowDown") choose(state.chosen + 1);
  else if (event.key === "k" || event.key === "ArrowUp") choose(state.chosen - 1);
  else if (event.key === "/") byId("question").focus();
  else return;
  event.preventDefault();
});

search();
