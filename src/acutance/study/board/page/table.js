// How things stand: tiles for all runs and the machine, and a row for each run.
const tiles = new Map();

function tile(id, title, number, more, share) {
  if (!tiles.has(id)) {
    const box = element("div", undefined, { class: "tile" });
    const parts = { box, title: element("span", title), number: element("b"), bar: element("progress", undefined, { max: 1 }), more: element("span") };
    parts.bar.setAttribute("aria-label", title);
    box.append(parts.title, parts.number, parts.bar, parts.more);
    $("tiles").append(box);
    tiles.set(id, parts);
  }
  const parts = tiles.get(id);
  write(parts.title, title);
  write(parts.number, number);
  write(parts.more, more);
  parts.bar.hidden = share === undefined;
  if (share !== undefined) parts.bar.value = share;
}

function showTiles(state) {
  const counts = {};
  for (const run of state.runs) counts[run.state] = (counts[run.state] || 0) + 1;
  const others = ["waiting", "done", "stalled", "stopped", "failed"].filter((name) => counts[name]).map((name) => `${counts[name]} ${name}`);
  const steps = state.runs.reduce((sum, run) => sum + run.steps, 0), taken = state.runs.reduce((sum, run) => sum + Math.min(run.step, run.steps), 0);
  tile("runs", "Runs", `${counts.running || 0} running`, others.join(", "), steps ? taken / steps : undefined);
  const left = state.left_s;
  tile("left", "Time left", left === null ? "–" : lasting(left),
    left === null ? (counts.running ? "not known yet" : "nothing runs") : `done about ${clock(state.now + left)}`);
  const { processor, load, cores, memory, disks, gpus } = state.machine;
  if (processor !== null || load !== null)
    tile("cpu", "Processor", processor === null ? "–" : `${percent(processor)} busy`, `${cores} cores${load === null ? "" : `, load ${load}`}`, processor ?? undefined);
  if (memory) tile("memory", "Memory", `${percent(1 - memory.free / memory.total)} used`, `${gib(memory.free)} of ${gib(memory.total)} free`, 1 - memory.free / memory.total);
  disks.forEach((disk, k) => tile(`disk${k}`, disks.length > 1 ? `Disk of ${disk.of}` : "Disk", `${gib(disk.free)} free`,
    `of ${gib(disk.total)}`, 1 - disk.free / disk.total));
  gpus.forEach((gpu, k) => tile(`gpu${k}`, gpus.length > 1 ? `GPU ${k}` : "GPU", `${percent(gpu.busy)} busy`, `${gib(gpu.used)} of ${gib(gpu.total)}, ${gpu.name}`, gpu.busy));
}

const TROUBLE = new Set(["stalled", "stopped", "failed"]);

class Table {
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.rows = new Map();
    this.columns = "";
    $("filter").addEventListener("change", () => { remember(); this.show(this.state); });
  }

  show(state) {
    if (!state) return;
    this.state = state;
    const scores = [...new Set(state.runs.flatMap((run) => Object.keys(run.values)))];
    scores.sort((a, b) => state.curves.indexOf(a) - state.curves.indexOf(b));
    this.head(scores);
    const wanted = $("filter").value;
    const shown = state.runs.filter((run) => !wanted || run.state === wanted || (wanted === "trouble" && TROUBLE.has(run.state)));
    write($("counted"), `${shown.length} of ${state.runs.length}${state.more ? `; ${state.more} more are left out: name a folder with fewer` : ""}`);
    const body = $("runs").tBodies[0], keys = new Set(shown.map((run) => run.id));
    for (const [id, row] of this.rows) if (!keys.has(id)) { row.node.remove(); this.rows.delete(id); }
    shown.forEach((run, k) => {
      if (!this.rows.has(run.id)) this.rows.set(run.id, this.row(run));
      const row = this.rows.get(run.id);
      this.fill(row, run, scores);
      if (body.children[k] !== row.node) body.insertBefore(row.node, body.children[k] || null);
    });
  }

  head(scores) {
    const names = ["Run", "State", "Step", "Left", "A step", ...scores.map(nameOf)];
    if (names.join("\n") === this.columns) return;
    this.columns = names.join("\n");
    const row = element("tr", undefined, { role: "row" });
    row.append(...names.map((name) => element("th", name, { scope: "col", role: "columnheader" })));
    $("runs").tHead.replaceChildren(row);
    for (const { node } of this.rows.values()) node.remove();
    this.rows.clear();
  }

  row(run) {
    const node = element("tr", undefined, { role: "row" }), name = element("th", undefined, { scope: "row", role: "rowheader" });
    const button = element("button", run.name, { class: "plain", "aria-pressed": "false" });
    button.onclick = () => this.onChoose(run.id);
    name.append(button);
    node.append(name);
    const labels = this.columns.split("\n").slice(1);
    const cells = labels.map((label, k) => element("td", undefined, { role: "cell", "data-label": label, ...(k === 0 ? { class: "words" } : {}) }));
    node.append(...cells);
    const state = element("span"), why = element("span", undefined, { class: "why" });
    cells[0].append(state, why);
    const steps = element("span"), bar = element("progress", undefined, { max: 1, "aria-label": `Steps of ${run.name}` });
    cells[1].append(steps, bar);
    return { node, button, state, why, steps, bar, cells };
  }

  fill(row, run, scores) {
    write(row.button, run.name);
    row.state.className = `state ${run.state}`;
    write(row.state, run.state);
    const since = run.since && run.state !== "running" ? `${run.state === "stalled" ? "since" : "at"} ${clock(run.since)}` : "";
    write(row.why, [run.why, since].filter(Boolean).join(", "));
    write(row.steps, run.steps ? `${whole(run.step)} of ${whole(run.steps)}` : whole(run.step));
    row.bar.value = run.steps ? Math.min(1, run.step / run.steps) : 0;
    write(row.cells[2], lasting(run.left_s));
    write(row.cells[3], pace(run.pace));
    scores.forEach((key, k) => write(row.cells[4 + k], scored(key, run.values[key])));
  }

  choose(id) {
    for (const [key, row] of this.rows) {
      row.node.classList.toggle("chosen", key === id);
      row.button.setAttribute("aria-pressed", String(key === id));
    }
  }
}
