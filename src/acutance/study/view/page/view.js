// The controls. Every one of them has a key; every key does what a control does.
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text; // never as HTML: names are anybody's
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

const say = (text) => { $("said").textContent = text; };
const stage = new Stage($("canvas"), $("stage"));
stage.source = data.served ? new Served(() => stage.ask(), say) : new Embedded(data, () => stage.ask(), say);
stage.onView = () => {
  const z = stage.zoom();
  $("zoom").textContent = stage.view.zoom === null ? "fit" : `${z >= 0.1 ? Math.round(z * 100) : (z * 100).toFixed(1)} %`;
};

function tags() {
  for (const old of document.querySelectorAll(".tag")) old.remove();
  for (const pane of stage.panes) {
    if (!pane.label) continue;
    const tag = element("div", pane.label, { class: pane.atRight ? "tag right" : "tag" });
    tag.style.top = `${pane.rect[1] * 100}%`;
    if (pane.atRight) tag.style.right = "0"; else tag.style.left = `${pane.rect[0] * 100}%`;
    tag.style.maxWidth = `${pane.rect[2] * (pane.half ? 50 : 100)}%`;
    $("stage").append(tag);
  }
  $("canvas").setAttribute("aria-label", `Pictures: ${stage.panes.map((p) => p.label).join("; ")}`);
}

// Rectangles of n panes: as square as the stage allows for pictures of this shape.
function grid(count) {
  const shape = stage.frame ? stage.frame[0] / stage.frame[1] : 1;
  const wide = $("stage").clientWidth / Math.max(1, $("stage").clientHeight) / shape;
  let best = 1;
  const worth = (columns) => Math.min(wide / columns, 1 / Math.ceil(count / columns));
  for (let columns = 2; columns <= count; columns++) if (worth(columns) > worth(best)) best = columns;
  const rows = Math.ceil(count / best);
  return Array.from({ length: count }, (_, k) => [(k % best) / best, Math.floor(k / best) / rows, 1 / best, 1 / rows]);
}

function listenKeys(table, keys) {
  $("key-list").replaceChildren(...table.flatMap(([shown, what]) => [element("dt"), element("dd", what)].map((node, k) => {
    if (k === 0) for (const key of shown.split(" ")) node.append(element("kbd", key), " ");
    return node;
  })));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || $("keys").open) return;
    const at = event.target;
    const own = at.tagName === "SELECT" || at.type === "text" || (at.type === "range" && event.key.startsWith("Arrow"));
    const pressed = at.tagName === "BUTTON" && (event.key === " " || event.key === "Enter");
    const radio = at.getAttribute && at.getAttribute("role") === "radio" && event.key.startsWith("Arrow");
    const act = keys[event.key] || keys[event.key.toLowerCase()];
    if (own || pressed || radio || !act) return;
    event.preventDefault();
    act(event);
  });
}

const ZOOM_KEYS = {
  "+": () => stage.zoomTo(stage.zoom() * Math.SQRT2),
  "=": () => stage.zoomTo(stage.zoom() * Math.SQRT2),
  "-": () => stage.zoomTo(stage.zoom() / Math.SQRT2),
  "0": () => stage.zoomTo(null),
  "1": () => stage.zoomTo(1),
  "?": () => $("keys").showModal(),
};
const bindZoom = () => {
  $("in").onclick = ZOOM_KEYS["+"];
  $("out").onclick = ZOOM_KEYS["-"];
  $("fit").onclick = ZOOM_KEYS["0"];
  $("one").onclick = ZOOM_KEYS["1"];
  $("help").onclick = ZOOM_KEYS["?"];
  $("close").onclick = () => $("keys").close();
};
