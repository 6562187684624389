// The canvas: panes that show layers of one picture, all at the same place and zoom.
class Stage {
  constructor(canvas, holder) {
    this.canvas = canvas;
    this.holder = holder;
    this.context = canvas.getContext("2d", { alpha: false });
    this.source = null;
    this.item = 0;
    this.frame = null; // [width, height] that every layer is stretched to
    this.panes = []; // {layer, size, label, rect: [x, y, w, h] as shares, clip: [from, to] as shares}
    this.view = { x: 0.5, y: 0.5, zoom: null }; // centre as shares; device px per frame px, null: fit
    this.due = false;
    this.onView = () => {};
    this.onLine = () => {}; // of a slider, dragged to a share of the width
    new ResizeObserver(() => this.resize()).observe(holder);
    this.listen();
    this.resize();
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(this.holder.clientWidth * ratio));
    this.canvas.height = Math.max(1, Math.round(this.holder.clientHeight * ratio));
    this.draw(); // at once: a resized canvas is black
  }

  ask() {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => { this.due = false; this.draw(); });
  }

  paneSize() {
    const rect = this.panes.length ? this.panes[0].rect : [0, 0, 1, 1];
    return [rect[2] * this.canvas.width, rect[3] * this.canvas.height];
  }

  fitZoom() {
    const [w, h] = this.paneSize();
    return this.frame ? Math.min(w / this.frame[0], h / this.frame[1]) : 1;
  }

  zoom() { return this.view.zoom === null ? this.fitZoom() : this.view.zoom; }

  // Zoom to z device px per px; (px, py) is where in its pane, from -0.5 to 0.5, things stay.
  zoomTo(z, px = 0, py = 0) {
    if (!this.frame) return;
    const [w, h] = this.paneSize(), old = this.zoom();
    const next = z === null ? null : Math.min(64, Math.max(Math.min(this.fitZoom() / 2, 1), z));
    if (next === null) {
      this.view = { x: 0.5, y: 0.5, zoom: null };
    } else {
      const shift = 1 / old - 1 / next;
      this.view.zoom = next;
      this.move((px * w * shift) / this.frame[0], (py * h * shift) / this.frame[1]);
    }
    this.onView();
    this.ask();
  }

  move(dx, dy) {
    this.view.x = Math.min(1, Math.max(0, this.view.x + dx));
    this.view.y = Math.min(1, Math.max(0, this.view.y + dy));
    this.ask();
  }

  // By shares of a pane's size.
  pan(dx, dy) {
    if (!this.frame) return;
    if (this.view.zoom === null) this.view.zoom = this.fitZoom();
    const [w, h] = this.paneSize(), z = this.zoom();
    this.move((dx * w) / z / this.frame[0], (dy * h) / z / this.frame[1]);
    this.onView();
  }

  draw() {
    const { context, canvas } = this;
    context.fillStyle = getComputedStyle(this.holder).backgroundColor;
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (!this.source || !this.frame) return;
    this.source.begin();
    for (const pane of this.panes) this.drawPane(pane);
    for (const pane of this.panes) this.drawEdges(pane);
    this.source.end();
  }

  drawPane(pane) {
    const { context, canvas } = this;
    const [x, y, w, h] = [pane.rect[0] * canvas.width, pane.rect[1] * canvas.height,
      pane.rect[2] * canvas.width, pane.rect[3] * canvas.height].map(Math.round);
    const [from, to] = pane.clip || [0, 1];
    context.save();
    context.beginPath();
    context.rect(x + Math.round(from * w), y, Math.round(to * w) - Math.round(from * w), h);
    context.clip();
    if (pane.size) this.drawLayer(pane, [x, y, w, h]);
    context.restore();
  }

  // Between panes, and where one picture of a slider ends and the other begins.
  drawEdges(pane) {
    const { context, canvas } = this, [x, y, w, h] = pane.rect;
    const bar = (left, top, width, height) => context.fillRect(Math.round(left), Math.round(top), width, height);
    context.fillStyle = getComputedStyle(this.holder).backgroundColor;
    if (x > 0) bar(x * canvas.width - 2, y * canvas.height, 4, h * canvas.height);
    if (y > 0) bar(x * canvas.width, y * canvas.height - 2, w * canvas.width, 4);
    if (pane.line === undefined) return;
    context.fillStyle = "#000";
    bar(pane.line * canvas.width - 2, 0, 4, canvas.height);
    context.fillStyle = "#fff";
    bar(pane.line * canvas.width - 1, 0, 2, canvas.height);
  }

  drawLayer(pane, [x, y, w, h]) {
    const { context } = this, z = this.zoom();
    const [fw, fh] = this.frame, [lw, lh] = pane.size;
    const sx = (z * fw) / lw, sy = (z * fh) / lh; // device px per layer px
    const left = x + w / 2 - this.view.x * fw * z, top = y + h / 2 - this.view.y * fh * z;
    context.beginPath();
    context.rect(Math.round(left), Math.round(top), Math.round(fw * z), Math.round(fh * z));
    context.clip();
    const count = levelsOf(lw, lh);
    const level = Math.min(count - 1, Math.max(0, Math.floor(Math.log2(1 / Math.max(sx, sy)) + 1e-6)));
    context.imageSmoothingEnabled = Math.max(sx, sy) < 1; // above: every pixel a square
    const side = TILE * 2 ** level;
    const x0 = Math.max(0, Math.floor((x - left) / sx / side)), y0 = Math.max(0, Math.floor((y - top) / sy / side));
    const x1 = Math.min(Math.ceil(lw / side) - 1, Math.floor((x + w - left) / sx / side));
    const y1 = Math.min(Math.ceil(lh / side) - 1, Math.floor((y + h - top) / sy / side));
    for (let ty = y0; ty <= y1; ty++) {
      for (let tx = x0; tx <= x1; tx++) this.drawTile(pane, { level, count, tx, ty, left, top, sx, sy });
    }
  }

  drawTile(pane, place) {
    const { level, count, tx, ty, left, top, sx, sy } = place;
    for (let up = 0; level + up < count; up++) { // until it is there: from a coarser level
      const at = level + up, fx = tx >> up, fy = ty >> up;
      const piece = this.source.piece(this.item, pane.layer, at, fx, fy);
      if (!piece) continue;
      const part = TILE / 2 ** up;
      const ox = (tx - (fx << up)) * part, oy = (ty - (fy << up)) * part;
      const pw = Math.min(part, piece.w - ox), ph = Math.min(part, piece.h - oy);
      if (pw <= 0 || ph <= 0) return;
      const px = 2 ** at; // layer px in a px of the piece
      const l = Math.round(left + (fx * TILE + ox) * px * sx), t = Math.round(top + (fy * TILE + oy) * px * sy);
      const r = Math.round(left + (fx * TILE + ox + pw) * px * sx), b = Math.round(top + (fy * TILE + oy + ph) * px * sy);
      this.context.drawImage(piece.image, piece.sx + ox, piece.sy + oy, pw, ph, l, t, r - l, b - t);
      return;
    }
  }

  // Where a pointer is within its pane, from -0.5 to 0.5.
  within(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width, y = (event.clientY - box.top) / box.height;
    const pane = this.panes.find((p) => x >= p.rect[0] && x < p.rect[0] + p.rect[2] && y >= p.rect[1] && y < p.rect[1] + p.rect[3]);
    if (!pane) return [0, 0];
    return [(x - pane.rect[0]) / pane.rect[2] - 0.5, (y - pane.rect[1]) / pane.rect[3] - 0.5];
  }

  listen() {
    const held = new Map();
    let dragsLine = false;
    const share = (event) => (event.clientX - this.canvas.getBoundingClientRect().left) / this.canvas.clientWidth;
    const span = () => { const [a, b] = [...held.values()]; return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY); };
    this.canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 33 : 1;
      this.zoomTo(this.zoom() * 2 ** ((-event.deltaY * lines) / 300), ...this.within(event));
    }, { passive: false });
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      held.set(event.pointerId, event);
      const pane = this.panes.find((one) => one.line !== undefined);
      dragsLine = Boolean(pane) && held.size === 1 && Math.abs(share(event) - pane.line) * this.canvas.clientWidth < 14;
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (dragsLine && held.has(event.pointerId)) return this.onLine(Math.min(1, Math.max(0, share(event))));
      const before = held.get(event.pointerId);
      if (!before) return;
      const was = held.size === 2 ? span() : 0;
      held.set(event.pointerId, event);
      if (held.size === 2 && was > 0) {
        this.zoomTo((this.zoom() * span()) / was, ...this.within(event));
      } else if (held.size === 1) {
        const ratio = window.devicePixelRatio || 1, [w, h] = this.paneSize();
        this.pan(((before.clientX - event.clientX) * ratio) / w, ((before.clientY - event.clientY) * ratio) / h);
      }
    });
    for (const name of ["pointerup", "pointercancel"]) {
      this.canvas.addEventListener(name, (event) => held.delete(event.pointerId));
    }
    this.canvas.addEventListener("dblclick", (event) => {
      this.zoomTo(this.view.zoom === null ? Math.max(1, 4 * this.fitZoom()) : null, ...this.within(event));
    });
  }
}
