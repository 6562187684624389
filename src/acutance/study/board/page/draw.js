// What every part of the page uses: elements, numbers as people read them, axes.
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
const DASHES = ["", "6 3", "2 3", "9 3 2 3"]; // after eight looks the colours come again, dashed

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text; // never as HTML: names are anybody's
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function shape(name, attributes = {}, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// Options of a select, kept as they are where nothing changed, so that an open list stays open.
function offer(select, pairs) {
  const same = select.options.length === pairs.length && pairs.every(([value, text], k) =>
    select.options[k].value === value && select.options[k].text === text);
  if (same) return;
  const chosen = select.value;
  select.replaceChildren(...pairs.map(([value, text]) => element("option", text, { value })));
  if (pairs.some(([value]) => value === chosen)) select.value = chosen;
}

const lookClass = (look) => `c${look % 8}`;
const dashOf = (look) => DASHES[Math.floor(look / 8) % DASHES.length];

function sign(look) {
  const made = shape("svg", { "aria-hidden": "true", class: lookClass(look) });
  made.append(shape("line", { x1: 0, x2: 22, y1: 6, y2: 6, class: "line", "stroke-dasharray": dashOf(look) }));
  return made;
}

const whole = (value) => Math.round(value).toLocaleString("en");

function digits(value, count = 5) {
  if (value === null || value === undefined) return "";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-4) return value.toExponential(2).replace("-", "−").replace("e−", "e−").replace("e-", "e−");
  return value.toPrecision(count).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "").replace("-", "−");
}

function scored(key, value) {
  if (value === undefined || value === null) return "";
  if (key.endsWith("psnr")) return value.toFixed(3);
  if (key === "ssim" || key === "lpips" || key === "dists") return value.toFixed(4);
  return digits(value, 4);
}

function lasting(seconds) {
  if (seconds === null || seconds === undefined) return "";
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s < 600 ? `${s % 60} s` : ""}`.trim();
  if (s < 172800) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

const pace = (s) => (s === null || s === undefined ? "" : s >= 1 ? `${digits(s, 3)} s` : `${digits(s * 1000, 3)} ms`);
const GIB = 2 ** 30;
const gib = (bytes) => (bytes < GIB / 10 ? `${Math.ceil(bytes / 2 ** 20)} MiB` : `${(bytes / GIB).toFixed(bytes < 10 * GIB ? 1 : 0)} GiB`);
const percent = (share) => `${Math.round(100 * share)} %`;

function clock(seconds) {
  const at = new Date(seconds * 1000), now = new Date();
  const time = at.toLocaleTimeString("en-GB");
  if (at.toDateString() === now.toDateString()) return time;
  const pad = (n) => String(n).padStart(2, "0");
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${time.slice(0, 5)}`;
}

// Round values within an axis, about `count`.
function ticks(low, high, count) {
  const raw = (high - low) / count || 1, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) found.push(k * step);
  return found;
}

function logTicks(low, high) {
  const found = [];
  for (let p = Math.floor(Math.log10(low)); p <= Math.log10(high); p++)
    for (const m of [1, 2, 5]) if (m * 10 ** p >= low && m * 10 ** p <= high) found.push(m * 10 ** p);
  return found.length > 1 ? found : [low, high];
}

const tickText = (value, step) => {
  if (Math.abs(value) >= 1000) return whole(value);
  const places = step > 0 ? Math.max(0, Math.min(8, -Math.floor(Math.log10(step) + 1e-9))) : 3;
  return value.toFixed(places).replace("-", "−");
};
