// The page's course: ask the server again and again, say when it is gone, and go on when it is back.
const EVERY_MS = 2000, BUSY_MS = 200, PATIENCE_MS = 10000;
const chosen = recall();
let state = null, paused = false, lost = null, timer = 0, turn = 0, seen = "", seenRun = "";

// What was chosen outlasts a reload, in this tab alone.
function recall() {
  try { return JSON.parse(sessionStorage.getItem("board")) || {}; } catch { return {}; }
}
function remember() {
  const value = (id) => $(id).value, arms = [...curves.looks.keys()];
  Object.assign(chosen, { curve: value("curve"), axis: value("axis"), part: value("part"), smooth: value("smooth"), filter: value("filter"),
    log: $("log").checked, run: value("run"), hidden: arms.filter((arm) => curves.hidden.has(arm)), shown: arms.filter((arm) => !curves.hidden.has(arm)) });
  try { sessionStorage.setItem("board", JSON.stringify(chosen)); } catch { /* a file: nothing is kept */ }
}

async function ask(path, query) {
  if (!data.served) return data.answers[query ? JSON.stringify([path, query.key, query.axis]) : path];
  const address = query ? `${path}?${new URLSearchParams(query)}` : path;
  const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  if (answer.ok) return answer.json();
  throw Object.assign(new Error(await answer.text()), { status: answer.status });
}

const curves = new Curves(), detail = new Detail(ask), table = new Table((id) => choose(id));

async function look() {
  clearTimeout(timer);
  const mine = ++turn; // of two looks the later one counts
  try {
    const told = await ask("state");
    if (mine !== turn) return;
    if (data.edition && told.edition !== data.edition) { location.reload(); return; } // another version of the program
    state = told;
    show();
    await Promise.all([lookAtCurve(mine), lookAtRun(mine)]);
    lost = null;
  } catch (error) {
    if (mine !== turn) return;
    lost = lost || { since: Date.now() / 1000 };
    lost.why = error.status === 403 ? "This address is no longer valid: open the one that the command printed last."
      : error.status ? `The server says: ${error.message}`
      : `No answer since ${clock(lost.since)}: the board was stopped. Start the same command again, and this page goes on.`;
  }
  connection();
  if (data.served && !paused && !document.hidden) timer = setTimeout(look, state && state.unread && !lost ? BUSY_MS : EVERY_MS);
}

async function lookAtCurve(mine) {
  const key = $("curve").value, axis = $("axis").value;
  const mark = `${key}\n${axis}\n${state.runs.map((run) => run.id + run.version).join()}`;
  if (!key || mark === seen) return;
  const told = await ask("curve", { key, axis });
  if (mine !== turn || !told) return;
  seen = mark;
  curves.take(told);
}

async function lookAtRun(mine) {
  const run = state.runs.find((one) => one.id === $("run").value);
  const mark = run ? run.id + run.version : "";
  if (!run || mark === seenRun) return;
  const told = await ask(`run/${run.id}`);
  if (mine !== turn || !told) return;
  seenRun = mark;
  detail.take(told);
}

function show() {
  write($("title"), `acutance board · ${state.title}`);
  document.title = `${state.runs.filter((run) => run.state === "running").length} running · ${state.title}`;
  const none = !state.runs.length;
  $("said").hidden = !none && !state.unread;
  write($("said"), none ? "There is no run here yet. Runs appear by themselves when they begin." : `Reading logs: ${gib(state.unread)} are left.`);
  showTiles(state);
  curves.know(state);
  offer($("run"), state.runs.map((run) => [run.id, run.name]));
  if (chosen.begun === undefined && !none && !state.unread) begin();
  table.show(state);
  table.choose($("run").value);
}

// The first time that all logs are read: what was chosen before, else what is livelier.
function begin() {
  chosen.begun = true;
  for (const id of ["curve", "axis", "part", "smooth", "filter"]) if (chosen[id]) pick($(id), chosen[id]);
  $("log").checked = Boolean(chosen.log);
  const livelier = state.runs.find((run) => run.state === "running") || state.runs.reduce((a, b) => ((b.since || 0) > (a.since || 0) ? b : a));
  if (!chosen.run || !pick($("run"), chosen.run)) $("run").value = livelier.id;
}

function pick(select, value) {
  const known = [...select.options].some((option) => option.value === value);
  if (known) select.value = value;
  return known;
}

function connection() {
  const live = $("live");
  live.className = lost ? "live off" : paused || !data.served ? "live still" : "live";
  write(live, lost ? lost.why : !data.served ? `as of ${clock(state.now)}` : paused ? `paused at ${clock(state.now)}` : "live");
}

function choose(id) {
  chosen.begun = true;
  $("run").value = id;
  remember();
  table.choose(id);
  look();
}

function step(by) {
  const run = $("run"), count = run.options.length;
  if (count) choose(run.options[(run.selectedIndex + by + count) % count].value);
}

function turnOn(select, by = 1) {
  const count = select.options.length;
  if (!count) return;
  select.selectedIndex = (select.selectedIndex + by + count) % count;
  select.dispatchEvent(new Event("change"));
}

function pause() {
  if (!data.served) return;
  paused = !paused;
  $("pause").setAttribute("aria-pressed", String(paused));
  if (paused) { clearTimeout(timer); turn += 1; connection(); } else look();
}

const KEYS = {
  " ": pause,
  c: () => turnOn($("curve")), C: () => turnOn($("curve"), -1),
  x: () => turnOn($("axis")),
  r: () => turnOn($("part")),
  s: () => turnOn($("smooth")),
  l: () => $("log").click(),
  a: () => $("all").click(),
  f: () => turnOn($("filter")),
  n: () => step(1), p: () => step(-1),
  "?": () => $("keys").showModal(),
};
const KEY_TABLE = [["space", "Pause, and go on"], ["c C", "Next and previous curve"], ["x", "Steps or time"], ["r", "Which part"],
  ["s", "Smoothing"], ["l", "Log scale"], ["a", "Show all curves"], ["f", "Which runs are listed"], ["n p", "Next and previous run"],
  ["← →", "On the curves: values at the cursor"], ["?", "This list"]];

function listenKeys() {
  $("key-list").replaceChildren(...KEY_TABLE.flatMap(([shown, what]) => {
    const key = element("dt");
    for (const one of shown.split(" ")) key.append(element("kbd", one), " ");
    return [key, element("dd", what)];
  }));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || $("keys").open) return;
    const at = event.target, own = at.tagName === "SELECT" || (at.type === "range" && event.key.startsWith("Arrow"));
    const pressed = ["BUTTON", "SUMMARY", "INPUT"].includes(at.tagName) && (event.key === " " || event.key === "Enter");
    const act = KEYS[event.key];
    if (own || pressed || !act) return;
    event.preventDefault();
    act();
  });
}

for (const id of ["curve", "axis"]) $(id).addEventListener("change", () => { remember(); look(); });
$("run").addEventListener("change", () => choose($("run").value));
$("previous").onclick = KEYS.p;
$("next").onclick = KEYS.n;
$("pause").onclick = pause;
$("pause").hidden = !data.served;
$("help").onclick = KEYS["?"];
$("close").onclick = () => $("keys").close();
document.addEventListener("visibilitychange", () => { if (!document.hidden && !paused) look(); });
delete chosen.begun;
listenKeys();
look();
