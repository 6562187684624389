// One run: which term pulls how hard, what its network makes of pictures, what happened.
class Detail {
  constructor(ask) {
    this.ask = ask;
    this.detail = null;
    this.follows = true; // the newest sample, until somebody looks back
    this.chart = new Chart($("shares"));
    $("picture").onchange = () => this.sample();
    $("at").oninput = () => {
      const steps = this.steps();
      this.follows = Number($("at").value) >= steps.length - 1;
      this.sample();
    };
    $("share-values").addEventListener("toggle", () => this.shareTable());
  }

  take(detail) {
    if (this.detail && this.detail.id !== detail.id) this.follows = true;
    this.detail = detail;
    this.shares();
    offer($("picture"), detail.samples.map((sample, k) => [String(k), sample.name]));
    this.sample();
    $("notes").replaceChildren(...detail.notes.map((note) => {
      const item = element("li");
      item.append(element("time", clock(note.time)), element("span", note.text));
      return item;
    }));
    if (!detail.notes.length) $("notes").append(element("li", "Nothing yet."));
  }

  shares() {
    const { shares } = this.detail, many = shares.length > 1;
    $("shares").hidden = $("terms").hidden = $("share-values").hidden = !many;
    write($("shares-say"), many ? "Of the pull at the picture, what each term has: weight times the norm of its gradient."
      : shares.length ? `One term, ${shares[0].term}: all of the gradient is its own.` : "No line of the log yet.");
    if (!many) return;
    const lines = shares.map((one, k) => ({ arm: one.term, look: k, points: one.points }));
    this.chart.show({
      lines, stacked: true, range: [0, 1], xLabel: "step", yLabel: "share", yText: percent,
      spoken: `Gradient shares over steps. ${lines.map((line) => `${line.arm} ${percent(line.points[line.points.length - 1]?.[1] || 0)}`).join("; ")} at the end`,
    });
    $("terms").replaceChildren(...lines.map((line) => {
      const item = element("li");
      const square = shape("svg", { "aria-hidden": "true", class: lookClass(line.look) });
      square.append(shape("rect", { x: 4, y: 0, width: 12, height: 12, class: "area" }));
      item.append(square, element("span", line.arm, { class: "name" }),
        element("span", percent(line.points[line.points.length - 1]?.[1] || 0), { class: "number" }));
      return item;
    }));
    this.shareTable();
  }

  shareTable() {
    if (!$("share-values").open || !this.detail) return;
    const { shares } = this.detail, places = this.chart.places(), gap = Math.max(1, Math.ceil(places.length / ROWS));
    const head = element("tr"), thead = element("thead"), tbody = element("tbody");
    head.append(element("th", "step", { scope: "col" }), ...shares.map((one) => element("th", one.term, { scope: "col" })));
    thead.append(head);
    tbody.append(...places.filter((_, k) => (places.length - 1 - k) % gap === 0).map((x) => {
      const row = element("tr");
      row.append(element("th", whole(x), { scope: "row" }), ...shares.map((one) => {
        const point = pointAt(one.points, x);
        return element("td", point ? percent(point[1]) : "–");
      }));
      return row;
    }));
    $("share-table").replaceChildren(element("caption", "Gradient shares", { class: "unseen" }), thead, tbody);
  }

  steps() {
    const sample = this.detail && this.detail.samples[Number($("picture").value)];
    return sample ? sample.steps : [];
  }

  sample() {
    const { detail } = this, steps = this.steps(), image = $("sample");
    $("sample-controls").hidden = !detail.samples.length;
    write($("sample-say"), steps.length ? "" : detail.samples.length ? "No sample of this picture is here." : "This run keeps no samples (log.samples).");
    image.hidden = !steps.length;
    if (!steps.length) return;
    $("at").max = String(steps.length - 1);
    $("at").disabled = steps.length < 2;
    if (this.follows) $("at").value = $("at").max;
    const at = Math.min(Number($("at").value), steps.length - 1), step = steps[at], k = Number($("picture").value);
    write($("at-say"), whole(step));
    $("at").setAttribute("aria-valuetext", `step ${whole(step)}`);
    const address = `sample/${detail.id}/${k}/${step}`, source = data.served ? address : data.answers[address];
    if (image.getAttribute("src") !== source) image.setAttribute("src", source);
    image.alt = `What ${detail.name} made of ${detail.samples[k].name} at step ${whole(step)}`;
  }
}
