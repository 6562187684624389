// Looking at pictures whose names are known: data.blind is not set.
const MODES = [
  ["side", "Side by side", "s"], ["slider", "Slider", "l"], ["flicker", "Flicker", "f"],
  ["difference", "Difference", "d"], ["error", "Error", "e"], ["map", "Loss map", "m"],
];
const state = { mode: "side", info: null, first: 0, second: 1, swapped: false, timer: 0, maps: {}, turn: 0 };

const layersHere = () => data.items[stage.item].layers; // ids: s0, s1 ... and r
const nameOf = (id) => (id === "r" ? "reference" : data.names[Number(id.slice(1))]);
const number = (id) => (id === "r" ? "r" : id.slice(1));
const has = (id) => layersHere().includes(id);

function pane(id, label, rect, more = {}) {
  return { layer: { id, ...(more.gain ? { gain: more.gain } : {}) }, size: more.size || state.info.sizes[id], label, rect, ...more };
}

const LAYOUT = {
  side: () => grid(layersHere().length).map((rect, k) => pane(layersHere()[k], nameOf(layersHere()[k]), rect)),
  slider: () => {
    const at = Number($("split").value) / 100, [a, b] = chosen();
    return [pane(a, nameOf(a), [0, 0, 1, 1], { clip: [0, at], half: true, line: at }),
      pane(b, nameOf(b), [0, 0, 1, 1], { clip: [at, 1], atRight: true, half: true })];
  },
  flicker: () => {
    const id = chosen()[state.swapped ? 1 : 0];
    return [pane(id, nameOf(id), [0, 0, 1, 1])];
  },
  difference: () => {
    const [a, b] = chosen(), gain = Number($("gain").value);
    return [pane(`d${number(a)}-${number(b)}`, `|${nameOf(a)} − ${nameOf(b)}| × ${gain}`, [0, 0, 1, 1], { gain, size: state.info.sizes[a] })];
  },
  error: () => {
    const gain = Number($("gain").value), sides = layersHere().filter((id) => id !== "r");
    return grid(sides.length).map((rect, k) => pane(`e${number(sides[k])}`, `error of ${nameOf(sides[k])} × ${gain}`, rect, { gain, size: state.info.sizes[sides[k]] }));
  },
  map: () => {
    const sides = layersHere().filter((id) => id !== "r");
    return grid(sides.length).map((rect, k) => {
      const made = state.maps[sides[k]];
      const label = `${made ? made.label : "no map yet"} · ${nameOf(sides[k])}`;
      return made ? pane(made.layer, label, rect, { size: state.info.sizes[sides[k]] }) : { label, rect };
    });
  },
};

const chosen = () => [$("first").value, $("second").value];

function arrange() {
  if (!state.info) return;
  stage.panes = LAYOUT[state.mode]();
  tags();
  stage.onView();
  stage.ask();
}

function choose(mode) {
  if (!usable(mode)) return say("There is no reference to compare with: give --reference.");
  state.mode = mode;
  if (mode !== "flicker") run(false);
  for (const button of $("modes").children) {
    const on = button.dataset.mode === mode;
    button.setAttribute("aria-checked", on);
    button.tabIndex = on ? 0 : -1;
  }
  const two = ["slider", "flicker", "difference"].includes(mode);
  $("ends").hidden = !two;
  $("split-label").hidden = mode !== "slider";
  $("flicker").hidden = mode !== "flicker";
  $("gain-label").hidden = !["difference", "error"].includes(mode);
  $("losses").hidden = mode !== "map" || !data.served;
  say("");
  if (mode === "map" && !Object.keys(state.maps).length) mapLoss();
  arrange();
}

const usable = (mode) => !["error", "map"].includes(mode) || data.hasReference;

function run(on) {
  clearInterval(state.timer);
  state.timer = on ? setInterval(swap, Number($("interval").value)) : 0;
  $("run").setAttribute("aria-pressed", on);
  $("run").textContent = on ? "Stop" : "Run";
}

function swap() {
  state.swapped = !state.swapped;
  arrange();
}

async function mapLoss() {
  const item = stage.item, turn = ++state.turn, [w, h] = stage.frame;
  say("Working out where the loss looks ...");
  const found = {};
  for (const id of layersHere().filter((one) => one !== "r")) {
    try {
      found[id] = await stage.source.lossMap(item, number(id), $("loss").value, stage.view.x * w, stage.view.y * h);
    } catch (error) {
      if (turn === state.turn) say(error.message);
      return;
    }
  }
  if (turn !== state.turn || item !== stage.item) return;
  state.maps = found;
  say("");
  showTerms();
  arrange();
}

function showTerms() {
  const made = Object.entries(state.maps);
  $("terms").replaceChildren();
  if (!made.length) return;
  const rows = made[0][1].terms.map((term, k) => [term.name, ...made.map(([, map]) => map.terms[k].value)]);
  $("terms").append(element("h2", "Value of the loss"), tableOf(["term", ...made.map(([id]) => nameOf(id))], rows, []));
  $("terms").append(element("p", made[0][1].note, { class: "soft" }));
}

const shown = (value) => (typeof value !== "number" ? (value === null ? "∞" : String(value)) : Math.abs(value) >= 10 ? value.toFixed(3) : value.toFixed(4));

function tableOf(head, rows, best) {
  const table = element("table"), top = element("tr"), body = element("tbody");
  head.forEach((text) => top.append(element("th", text, { scope: "col" })));
  rows.forEach((row, r) => {
    const line = element("tr");
    row.forEach((value, k) => line.append(k === 0 ? element("th", value, { scope: "row" })
      : element("td", shown(value), best.includes(`${r}/${k}`) ? { class: "best" } : {})));
    body.append(line);
  });
  const part = element("thead");
  part.append(top);
  table.append(part, body);
  return table;
}

async function showScores(item) {
  $("table").replaceChildren(element("p", data.hasReference ? "Being worked out ..." : "There is no reference: nothing can be scored.", { class: "soft" }));
  if (!data.hasReference) return;
  try {
    const found = await stage.source.scores(item);
    if (item !== stage.item) return;
    const best = found.metrics.map((metric, k) => {
      const worth = found.rows.map((row) => (row.values[k] === null ? Infinity : row.values[k]));
      return `${worth.indexOf(metric.higher ? Math.max(...worth) : Math.min(...worth))}/${k + 1}`;
    });
    const arrow = (metric) => `${metric.name}${metric.unit ? `, ${metric.unit}` : ""} ${metric.higher ? "↑" : "↓"}`;
    const lines = [element("p", `${found.protocol}. ↑ higher is better, ↓ lower.`, { class: "soft" })];
    lines.push(...found.notes.map((note) => element("p", note, { class: "soft" })));
    $("table").replaceChildren(tableOf(["by", ...found.metrics.map(arrow)], found.rows.map((row) => [row.name, ...row.values]), best), ...lines);
  } catch (error) {
    if (item === stage.item) $("table").replaceChildren(element("p", error.message, { class: "soft" }));
  }
}

async function open(item) {
  stage.item = item;
  state.info = null;
  state.maps = {};
  state.turn++;
  $("terms").replaceChildren();
  $("item").value = String(item);
  $("place").textContent = `${item + 1} of ${data.items.length}`;
  document.title = `${data.items[item].name} · acutance view`;
  fillEnds();
  try {
    const info = await stage.source.info(item);
    if (item !== stage.item) return;
    const keep = stage.frame;
    state.info = info;
    stage.frame = info.frame;
    if (!keep || keep[0] !== info.frame[0] || keep[1] !== info.frame[1]) stage.zoomTo(null);
    say("");
  } catch (error) {
    stage.frame = null;
    stage.panes = [];
    stage.ask();
    return say(error.message);
  }
  choose(state.mode);
  showScores(item);
}

function fillEnds() {
  for (const [select, place] of [[$("first"), 0], [$("second"), 1]]) {
    const old = select.value;
    select.replaceChildren(...layersHere().map((id) => element("option", nameOf(id), { value: id })));
    select.value = old && has(old) ? old : layersHere()[Math.min(place, layersHere().length - 1)];
  }
}

const step = (by) => open((stage.item + by + data.items.length) % data.items.length);
const nextEnd = (select) => { select.selectedIndex = (select.selectedIndex + 1) % select.options.length; arrange(); };
const split = (by) => { $("split").value = Number($("split").value) + by; arrange(); };
const gain = (by) => {
  $("gain").selectedIndex = Math.min($("gain").options.length - 1, Math.max(0, $("gain").selectedIndex + by));
  arrange();
};

function beginComparing() {
  data.items.forEach((item, k) => $("item").append(element("option", item.name, { value: k })));
  for (const [mode, label, key] of MODES) {
    const button = element("button", label, { role: "radio", "data-mode": mode, title: `${label} (${key})` });
    button.disabled = !usable(mode);
    button.onclick = () => choose(mode);
    $("modes").append(button);
  }
  $("modes").onkeydown = (event) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const open = MODES.map(([mode]) => mode).filter(usable);
    choose(open[(open.indexOf(state.mode) + by + open.length) % open.length]);
    $("modes").querySelector("[aria-checked=true]").focus();
  };
  bindZoom();
  $("previous").onclick = () => step(-1);
  $("next").onclick = () => step(1);
  $("item").onchange = () => open(Number($("item").value));
  $("first").onchange = $("second").onchange = $("gain").onchange = arrange;
  $("split").oninput = arrange;
  $("run").onclick = () => run(!state.timer);
  $("interval").onchange = () => run(Boolean(state.timer));
  $("losses").onsubmit = (event) => { event.preventDefault(); mapLoss(); };
  const numbers = () => {
    $("scores").hidden = !$("scores").hidden;
    $("numbers").setAttribute("aria-pressed", !$("scores").hidden);
  };
  $("numbers").onclick = numbers;
  if (data.loss) $("loss").value = data.loss;
  const pans = Object.fromEntries([["ArrowLeft", -1, 0], ["ArrowRight", 1, 0], ["ArrowUp", 0, -1], ["ArrowDown", 0, 1]]
    .map(([key, x, y]) => [key, (event) => { const by = event.shiftKey ? 0.5 : 0.1; stage.pan(x * by, y * by); }]));
  const modes = Object.fromEntries(MODES.map(([mode, , key]) => [key, () => choose(mode)]));
  listenKeys([
    ["n p", "next, previous picture"], ["s l f", "side by side, slider, flicker"], ["d e m", "difference, error, loss map"],
    ["a b", "another picture on the left, on the right"], ["← → ↑ ↓", "move; with Shift further"], ["+ -", "larger, smaller"],
    ["0 1", "the whole picture; pixel to pixel"], [", .", "the slider's line to the left, to the right"],
    ["Space", "flicker: the other picture"], ["r", "flicker: run, stop"], ["g h", "gain up, down"], ["c", "scores"], ["?", "these keys"],
  ], {
    ...ZOOM_KEYS, ...pans, ...modes, n: () => step(1), p: () => step(-1), PageDown: () => step(1), PageUp: () => step(-1),
    a: () => nextEnd($("first")), b: () => nextEnd($("second")), ",": () => split(-2), ".": () => split(2),
    " ": () => (state.mode === "flicker" ? swap() : choose("flicker")), r: () => { choose("flicker"); run(!state.timer); },
    g: () => gain(1), h: () => gain(-1), c: numbers,
  });
  $("title").className = "unseen"; // the picture's name is in the list
  new ResizeObserver(arrange).observe($("stage"));
  stage.onLine = (share) => { $("split").value = 100 * share; arrange(); };
  open(0);
}
