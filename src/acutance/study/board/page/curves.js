// The learning curves: what is drawn, which arms, and the same as a table.
const NAMES = { loss: "loss", rate: "learning rate", step_s: "seconds of a step", psnr: "PSNR", ssim: "SSIM", lpips: "LPIPS",
                dists: "DISTS", niqe: "NIQE", small_psnr: "PSNR of lr to bicubic's" };
const nameOf = (key) => (Object.hasOwn(NAMES, key) ? NAMES[key] : key.startsWith("term ") ? `value of ${key.slice(5)}` : key);
const unitOf = (key) => (key.endsWith("psnr") ? ", dB" : "");
const MOST_SHOWN = 12; // arms at first; more lines cannot be told apart
const ROWS = 12;

class Curves {
  constructor() {
    this.looks = new Map(); // of each arm, for good
    this.hidden = new Set();
    this.settled = false;
    this.answer = null;
    this.chart = new Chart($("plot"), { onCursor: (x, spoken) => this.cursor(x, spoken) });
    for (const id of ["part", "smooth", "log"]) $(id).addEventListener("change", () => { remember(); this.draw(); });
    $("all").onclick = () => this.showOnly(() => true);
    $("none").onclick = () => this.showOnly(() => false);
    $("values").addEventListener("toggle", () => this.table());
    this.items = new Map();
  }

  showOnly(which) {
    this.hidden = new Set([...this.looks.keys()].filter((arm) => !which(arm)));
    for (const [arm, item] of this.items) item.box.checked = !this.hidden.has(arm);
    remember();
    this.draw();
  }

  // Arms as they are now. At first those with the newest word are shown, which is known once all
  // logs are read; of later ones as many as there is room for.
  know(state) {
    const rank = new Map();
    for (const run of state.runs) rank.set(run.arm, Math.max(rank.get(run.arm) || 0, (run.state === "running" ? 1e12 : 0) + (run.since || 0)));
    const open = state.arms.filter((arm) => !this.settled || !this.looks.has(arm));
    for (const arm of open) this.hidden.delete(arm);
    let room = MOST_SHOWN - (this.settled ? [...this.looks.keys()].filter((arm) => !this.hidden.has(arm)).length : 0);
    const known = new Set(chosen.hidden), shown = new Set(chosen.shown);
    for (const arm of [...open].sort((a, b) => rank.get(b) - rank.get(a))) {
      if (known.has(arm) || (!shown.has(arm) && room <= 0)) this.hidden.add(arm); else room -= 1;
    }
    for (const arm of open) if (!this.looks.has(arm)) this.looks.set(arm, this.looks.size);
    for (const arm of open) if (this.items.has(arm)) this.items.get(arm).box.checked = !this.hidden.has(arm);
    this.settled = !state.unread;
    for (const [arm, item] of this.items) if (!rank.has(arm)) { item.row.remove(); this.items.delete(arm); }
    for (const arm of state.arms) if (!this.items.has(arm)) this.items.set(arm, this.item(arm));
    offer($("curve"), state.curves.map((key) => [key, nameOf(key)]));
  }

  item(arm) {
    const row = element("li"), label = element("label"), number = element("span", "", { class: "number" });
    const box = element("input", undefined, { type: "checkbox" });
    box.checked = !this.hidden.has(arm);
    box.onchange = () => {
      if (box.checked) this.hidden.delete(arm); else this.hidden.add(arm);
      remember();
      this.draw();
    };
    label.append(box, sign(this.looks.get(arm)), element("span", arm, { class: "name" }));
    row.append(label, number);
    $("legend").append(row);
    return { row, box, number };
  }

  take(answer) { this.answer = answer; this.draw(); }

  lines() {
    if (!this.answer) return [];
    const seen = this.answer.lines.filter((line) => this.looks.has(line.arm) && !this.hidden.has(line.arm));
    const end = Math.max(0, ...seen.map((line) => line.points[line.points.length - 1]?.[0] || 0));
    const from = Number($("part").value) * end, log = $("log").checked;
    return seen.map((line) => ({
      arm: line.arm,
      look: this.looks.get(line.arm),
      seeds: line.seeds,
      points: smoothed(line.points, Number($("smooth").value)).filter((p) => p[0] >= from && (!log || p[2] > 0)),
    })).filter((line) => line.points.length);
  }

  draw() {
    if (!this.answer) return;
    const { key, axis } = this.answer, lines = this.drawn = this.lines();
    const [unit, name] = axis === "time" ? timeUnit(lines) : [1, "step"];
    this.unit = unit;
    const scaled = unit === 1 ? lines : lines.map((line) => ({ ...line, points: line.points.map((p) => [p[0] / unit, ...p.slice(1)]) }));
    this.scaled = scaled;
    const ends = scaled.map((line) => `${line.arm} ends at ${scored(key, line.points[line.points.length - 1][1])}`);
    this.chart.show({
      lines: scaled, log: $("log").checked, xLabel: name, yLabel: nameOf(key) + unitOf(key),
      spoken: `${nameOf(key)} over ${name}. ${ends.slice(0, 12).join("; ")}`,
      empty: this.hidden.size && this.hidden.size === this.looks.size ? "No curve is chosen" : "No values yet",
    });
    const most = Math.max(0, ...lines.map((line) => line.seeds));
    write($("band"), most > 1 ? "Line: mean over seeds. Band: from the lowest to the highest seed. Thin and dotted: not all seeds are there yet."
      : "One line a run.");
    this.cursor(this.chart.cursor, false);
    this.table();
  }

  cursor(x, spoken) {
    if (!this.answer) return;
    const { key } = this.answer, words = [];
    const found = new Map((this.scaled || []).map((line) => [line.arm, line.points]));
    for (const [arm, item] of this.items) {
      const points = found.get(arm);
      const point = !points ? null : x === null ? points[points.length - 1] : pointAt(points, x);
      const text = point ? scored(key, point[1]) : "";
      write(item.number, text);
      if (text && spoken) words.push(`${arm} ${text}`);
    }
    if (spoken) write($("read"), `${this.chart.spec.xLabel} ${digits(x)}: ${words.join(", ")}`);
  }

  table() {
    if (!$("values").open || !this.answer) return;
    const { key } = this.answer, lines = this.scaled;
    const places = this.chart.places(), gap = Math.max(1, Math.ceil(places.length / ROWS));
    const rows = places.filter((_, k) => (places.length - 1 - k) % gap === 0);
    const caption = element("caption", `${nameOf(key)}${unitOf(key)}; with several seeds mean (lowest to highest)`, { class: "unseen" });
    const head = element("tr");
    head.append(element("th", this.chart.spec.xLabel, { scope: "col" }), ...lines.map((line) => element("th", line.arm, { scope: "col" })));
    const body = rows.map((x) => {
      const row = element("tr");
      row.append(element("th", tickText(x, this.unit === 1 ? 1 : 0.1), { scope: "row" }), ...lines.map((line) => {
        const point = pointAt(line.points, x);
        if (!point) return element("td", "–");
        const [, mean, low, high, seeds] = point;
        return element("td", scored(key, mean) + (seeds > 1 ? ` (${scored(key, low)} to ${scored(key, high)})` : ""));
      }));
      return row;
    });
    const thead = element("thead"), tbody = element("tbody");
    thead.append(head);
    tbody.append(...body);
    $("value-table").replaceChildren(caption, thead, tbody);
  }
}

function timeUnit(lines) {
  const end = Math.max(0, ...lines.map((line) => line.points[line.points.length - 1][0]));
  return end > 7200 ? [3600, "hours trained"] : end > 180 ? [60, "minutes trained"] : [1, "seconds trained"];
}
