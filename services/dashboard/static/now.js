// Now: asks every few seconds what flows; asks nothing while nobody looks.

import { axes, draw, faint, figure, moment, onSchemeChange, readByKeys, token, withGaps } from "./chart.js";

const LIVE_MS = 2500;
const CURVE_MS = 60_000;
const STALE_S = 60;
const IDLE_W = 5;
const LOWEST_FULL_W = 3000;
const GAP_S = 900;

const find = (id) => document.getElementById(id);
const tags = {};
let now = {};
let heardAt = 0;
let fullFire = LOWEST_FULL_W;
let today = null;
let chart = null;

// The answer, or null where it is the one we have.
async function ask(path) {
  const headers = { "X-Requested-With": "fetch" };
  if (tags[path]) headers["If-None-Match"] = tags[path];
  const answer = await fetch(path, { headers, cache: "no-store" });
  if (answer.status === 401) location.reload();
  if (answer.status !== 200) return null;
  tags[path] = answer.headers.get("ETag");
  return answer.json();
}

async function live() {
  const said = await ask("/api/now");
  if (said?.at_ms) {
    now = said;
    heardAt = performance.now() - said.age_s * 1000;
    if (find("live").hidden) curve();
    find("no-meter").hidden = true;
    find("live").hidden = false;
    show();
    grow();
  }
}

function show() {
  const net = now.import_w - now.export_w;
  const direction = Math.abs(net) < IDLE_W ? "idle" : net > 0 ? "from" : "to";
  const arch = find("arch");
  arch.dataset.direction = direction;
  arch.style.setProperty("--fire", Math.min(1, Math.abs(net) / fullFire).toFixed(3));
  find("flow").textContent = { idle: "Nothing flows", from: "From the grid", to: "To the grid" }[direction];
  const [words, unit] = power(Math.abs(net));
  find("power").textContent = words;
  find("power-unit").textContent = unit;
  for (const tile of document.querySelectorAll("[data-today]")) {
    const value = now.today?.[tile.dataset.today];
    tile.hidden = value == null;
    if (value != null) tile.querySelector(".figure").textContent = Number(value).toFixed(2);
  }
}

function power(watts) {
  if (watts < 1000) return [String(Math.round(watts)), "W"];
  return [(watts / 1000).toFixed(watts < 10_000 ? 2 : 1), "kW"];
}

// "last heard 12 s ago", every second, since silence is not told by an answer.
function age() {
  if (!now.at_ms) return;
  const seconds = Math.max(0, Math.round((performance.now() - heardAt) / 1000));
  const stale = seconds > STALE_S;
  find("arch").toggleAttribute("data-stale", stale);
  find("heard-why").hidden = !stale;
  find("heard").textContent = stale
    ? `The meter is silent: last heard ${ago(seconds)} ago`
    : `${now.source} · heard ${seconds < 4 ? "just now" : `${ago(seconds)} ago`}`;
}

function ago(seconds) {
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} hours` : `${Math.round(seconds / 86_400)} days`;
}

async function curve() {
  const said = await ask("/api/today");
  if (!said) return;
  today = said;
  fullFire = Math.max(LOWEST_FULL_W, ...today.import_w, ...today.export_w);
  redraw();
}

// Between two curves the newest value is put at the end of the one that is drawn.
function grow() {
  if (!today) return;
  const last = today.times_s.at(-1) ?? 0;
  const at = Math.floor(now.at_ms / 1000);
  if (at <= last) return;
  today.times_s.push(at);
  today.import_w.push(now.import_w);
  today.export_w.push(now.export_w);
  if (chart) chart.setData(columns());
  else redraw();
}

function columns() {
  return withGaps(today.times_s, [today.import_w, today.export_w.map((watts) => -watts)], GAP_S);
}

function redraw() {
  const element = find("curve");
  chart?.stop();
  chart = null;
  if (!today || today.times_s.length < 2 || find("live").hidden) {
    const words = document.createElement("p");
    words.className = "chart-empty";
    words.textContent = "The curve begins with the next readings.";
    element.replaceChildren(words);
    return;
  }
  const exports = today.export_w.some((watts) => watts > 0);
  find("curve-note").textContent = exports ? "above the line from the grid, below it to the grid" : "power from the grid";
  chart = draw(element, options(exports), columns(), today.zone, read);
}

function options(exports) {
  const line = (name) => ({ stroke: token(name), fill: faint(name, 22), width: 1.5, points: { show: false } });
  return {
    axes: axes("W"),
    scales: { y: { range: (_, low, high) => [exports ? Math.min(0, low) * 1.08 : 0, Math.max(100, high * 1.08)] } },
    series: [{}, line("ember"), { ...line("moss"), show: exports }],
    cursor: { drag: { x: false, y: false }, points: { size: 8 }, y: false },
  };
}

function read(index) {
  const at = index === null ? null : chart?.data[0][index];
  const [drawn, given] = at == null ? [null, null] : [chart.data[1][index], chart.data[2][index]];
  find("curve-cursor").textContent =
    drawn == null ? "" : `${moment(at, 60, today.zone)}: ${given < 0 ? `${figure(-given)} W to the grid` : `${figure(drawn)} W from the grid`}`;
}

// One question at a time, and none while the tab is hidden.
function every(ms, asks) {
  let waiting = false;
  const once = async () => {
    if (document.hidden || waiting) return;
    waiting = true;
    await asks().catch(() => {});
    waiting = false;
  };
  setInterval(once, ms);
  document.addEventListener("visibilitychange", once);
  return once();
}

readByKeys(find("curve"), () => chart);
onSchemeChange(redraw);
setInterval(age, 1000);
every(CURVE_MS, curve).then(() => every(LIVE_MS, live).then(age));
