// One chart: lines with bands, or areas on each other; a cursor that pointers and arrow keys move.
class Chart {
  constructor(holder, { onCursor = () => {} } = {}) {
    this.holder = holder;
    this.onCursor = onCursor;
    this.cursor = null; // a value of x
    this.spec = null;
    new ResizeObserver(() => this.draw()).observe(holder);
    holder.addEventListener("pointermove", (event) => this.point(event.clientX));
    holder.addEventListener("pointerleave", () => this.put(null));
    holder.addEventListener("blur", () => this.put(null));
    holder.addEventListener("keydown", (event) => this.key(event));
  }

  show(spec) { this.spec = spec; this.draw(); }

  // Every x of the lines in view, for the cursor.
  places() {
    const found = new Set();
    for (const line of this.spec.lines) for (const point of line.points) found.add(point[0]);
    return [...found].sort((a, b) => a - b);
  }

  point(clientX) {
    if (!this.frame || !this.spec.lines.length) return;
    const { left, x0, x1, wide } = this.frame, box = this.holder.getBoundingClientRect();
    const aim = x0 + (x1 - x0) * (clientX - box.left - left) / wide;
    let best = null;
    for (const x of this.places()) if (best === null || Math.abs(x - aim) < Math.abs(best - aim)) best = x;
    this.put(best);
  }

  key(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -1e9, End: 1e9 }[event.key];
    if (!by || !this.spec || event.ctrlKey || event.metaKey || event.altKey) return;
    const places = this.places();
    if (!places.length) return;
    event.preventDefault();
    event.stopPropagation();
    const at = this.cursor === null ? places.length - 1 : places.indexOf(this.cursor) + by;
    this.put(places[Math.max(0, Math.min(places.length - 1, at))], true);
  }

  put(x, spoken = false) {
    if (x === this.cursor) return;
    this.cursor = x;
    this.drawCursor();
    this.onCursor(x, spoken);
  }

  draw() {
    const { holder, spec } = this;
    if (!spec) return;
    const width = holder.clientWidth, height = holder.clientHeight;
    const left = 58, right = 14, top = 24, bottom = 40;
    const wide = Math.max(40, width - left - right), high = Math.max(40, height - top - bottom);
    const svg = shape("svg", { role: "img", "aria-label": spec.spoken });
    const points = spec.lines.flatMap((line) => line.points);
    if (!points.length) {
      svg.append(shape("text", { x: width / 2, y: height / 2, class: "none" }, spec.empty || "No values yet"));
      this.frame = null;
      holder.replaceChildren(svg);
      return;
    }
    const xs = points.map((p) => p[0]);
    let x0 = Math.min(...xs), x1 = Math.max(...xs);
    if (x0 > 0 && x0 < 0.15 * x1) x0 = 0;
    if (x1 <= x0) x1 = x0 + 1;
    const [y0, y1] = spec.range || this.rangeOf(points, spec.log);
    const bend = spec.log ? Math.log10 : (v) => v;
    const X = (x) => left + wide * (x - x0) / (x1 - x0);
    const Y = (y) => top + high * (1 - (bend(y) - bend(y0)) / (bend(y1) - bend(y0)));
    this.frame = { left, top, wide, high, x0, x1, X };
    this.axes(svg, { y0, y1, X, Y });
    if (spec.stacked) this.areas(svg, X, Y); else for (const line of spec.lines) this.line(svg, line, X, Y);
    this.cross = shape("line", { class: "cross", y1: top, y2: top + high, visibility: "hidden" });
    svg.append(this.cross);
    holder.replaceChildren(svg);
    this.drawCursor();
  }

  rangeOf(points, log) {
    let low = Infinity, high = -Infinity;
    for (const [, , l, h] of points) { if (l < low) low = l; if (h > high) high = h; }
    if (log) return high > low ? [low / 1.1, high * 1.1] : [low / 2, high * 2];
    const spare = 0.05 * (high - low) || Math.abs(high) * 0.05 || 0.5;
    return [low - spare, high + spare];
  }

  axes(svg, { y0, y1, X, Y }) {
    const { left, top, wide, high, x0, x1 } = this.frame, { spec } = this;
    const ys = spec.log ? logTicks(y0, y1) : ticks(y0, y1, 5), step = ys.length > 1 ? ys[1] - ys[0] : 0;
    for (const y of ys) {
      svg.append(shape("line", { x1: left, x2: left + wide, y1: Y(y), y2: Y(y), class: "grid" }));
      const text = spec.yText ? spec.yText(y) : spec.log ? digits(y, 2) : tickText(y, step);
      svg.append(shape("text", { x: left - 8, y: Y(y) + 4, class: "end" }, text));
    }
    const xs = ticks(x0, x1, Math.max(2, Math.min(6, Math.floor(wide / 110)))), gap = xs.length > 1 ? xs[1] - xs[0] : 0;
    for (const x of xs) svg.append(shape("text", { x: X(x), y: top + high + 18, class: "mid" }, tickText(x, gap)));
    svg.append(shape("line", { x1: left, x2: left + wide, y1: top + high, y2: top + high, class: "grid" }));
    svg.append(shape("text", { x: left + wide / 2, y: top + high + 35, class: "mid" }, spec.xLabel));
    svg.append(shape("text", { x: 0, y: 12 }, spec.yLabel));
  }

  line(svg, line, X, Y) {
    const group = shape("g", { class: lookClass(line.look) });
    const { points } = line, path = (part) => part.map(([x, y]) => `${X(x).toFixed(1)},${Y(y).toFixed(1)}`).join(" ");
    const banded = points.filter((p) => p[4] > 1);
    if (banded.length > 1) {
      const ring = [...banded.map((p) => [p[0], p[3]]), ...banded.reverse().map((p) => [p[0], p[2]])];
      group.append(shape("polygon", { points: path(ring), class: "band" }));
    }
    let from = 0; // stretches of equally many seeds; where not all are there yet, thinner
    for (let k = 1; k <= points.length; k++) {
      if (k < points.length && (points[k][4] < line.seeds) === (points[from][4] < line.seeds)) continue;
      const fewer = points[from][4] < line.seeds, part = points.slice(Math.max(0, from - (fewer ? 1 : 0)), k + (fewer && k < points.length ? 1 : 0));
      if (part.length > 1) {
        const dash = fewer ? "2 4" : dashOf(line.look);
        group.append(shape("polyline", { points: path(part), class: fewer ? "line fewer" : "line", "stroke-dasharray": dash }));
      }
      from = k;
    }
    const [x, y] = points[points.length - 1];
    group.append(shape("circle", { cx: X(x), cy: Y(y), r: 3, class: "dot" }));
    svg.append(group);
  }

  // Shares on each other, in the order of the lines; all have the same x.
  areas(svg, X, Y) {
    const sums = new Map();
    for (const line of this.spec.lines) {
      const lower = [], upper = [];
      for (const [x, y] of line.points) {
        const before = sums.get(x) || 0;
        lower.push(`${X(x).toFixed(1)},${Y(before).toFixed(1)}`);
        upper.push(`${X(x).toFixed(1)},${Y(Math.min(1, before + y)).toFixed(1)}`);
        sums.set(x, before + y);
      }
      if (upper.length) svg.append(shape("polygon", { points: [...upper, ...lower.reverse()].join(" "), class: `area ${lookClass(line.look)}` }));
    }
  }

  drawCursor() {
    if (!this.frame || !this.cross) return;
    const within = this.cursor !== null && this.cursor >= this.frame.x0 && this.cursor <= this.frame.x1;
    this.cross.setAttribute("visibility", within ? "visible" : "hidden");
    if (!within) return;
    this.cross.setAttribute("x1", this.frame.X(this.cursor));
    this.cross.setAttribute("x2", this.frame.X(this.cursor));
  }
}

// The newest point at or before x; nothing beyond the line's ends.
function pointAt(points, x) {
  if (!points.length || x < points[0][0] || x > points[points.length - 1][0]) return null;
  let low = 0, high = points.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (points[middle][0] <= x) low = middle; else high = middle - 1;
  }
  return points[low];
}

// Each value as the mean of `count` neighbours, fewer at the ends: nothing lags behind.
function smoothed(points, count) {
  if (count < 2 || points.length < 3) return points;
  const sums = [1, 2, 3].map((column) => points.reduce((all, p) => (all.push(all[all.length - 1] + p[column]), all), [0]));
  return points.map((p, k) => {
    const half = Math.min((count - 1) / 2, k, points.length - 1 - k), from = k - half, to = k + half + 1;
    return [p[0], ...sums.map((sum) => (sum[to] - sum[from]) / (to - from)), p[4]];
  });
}
