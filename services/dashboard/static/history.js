// History: one series, any span. The box does the calendar; this page draws, reads and zooms.

import { axes, draw, faint, figure, moment, onSchemeChange, readByKeys, token, withGaps } from "./chart.js";

const find = (id) => document.getElementById(id);
const form = find("span");
const SHORTEST_MS = 60_000;
const TABLE_ROWS = 2000;

let asked = Object.fromEntries(new URLSearchParams(location.search));
let shown = null;
let chart = null;
const back = [];

if (form) start();

function start() {
  if (asked.series) form.elements.series.value = asked.series;
  form.elements.series.addEventListener("change", () => go({}));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go({ from: form.elements.from.value, to: form.elements.to.value });
  });
  for (const button of form.querySelectorAll("[data-span]")) {
    button.addEventListener("click", () => go({ span: button.dataset.span, at: shown ? anchor() : "" }));
  }
  find("earlier").addEventListener("click", () => shown?.earlier && go(shown.earlier));
  find("later").addEventListener("click", () => shown?.later && go(shown.later));
  find("figures").addEventListener("toggle", table);
  find("chart").addEventListener("dblclick", () => back.length && go(back.pop(), false));
  readByKeys(find("chart"), () => chart, zoomByKeys);
  onSchemeChange(redraw);
  load();
}

// A shorter span opens at the newest day of what is shown, as far as there are readings.
function anchor() {
  return shown.times_s.length ? dayOf(shown.times_s.at(-1)) : shown.at;
}

function dayOf(seconds) {
  return new Intl.DateTimeFormat("sv-SE", { timeZone: shown.zone }).format(seconds * 1000);
}

// `span` may be empty: then what is shown stays, of another series.
function go(span, remember = true) {
  const kept = Object.keys(span).length ? span : without(asked, "series");
  if (remember && Object.keys(span).length && shown) back.push(without(asked, "series"));
  asked = { series: form.elements.series.value };
  for (const [name, value] of Object.entries(kept)) if (value) asked[name] = value;
  load();
}

const without = (object, name) => Object.fromEntries(Object.entries(object).filter(([each]) => each !== name));

async function load() {
  asked.series ||= form.elements.series.value;
  find("chart").setAttribute("aria-busy", "true");
  const wanted = new URLSearchParams(asked).toString();
  const answer = await fetch(`/api/history?${wanted}`, { cache: "no-store" }).catch(() => null);
  if (answer?.status === 401) location.reload();
  const said = await answer?.json().catch(() => null);
  if (wanted !== new URLSearchParams(asked).toString()) return;
  find("chart").removeAttribute("aria-busy");
  if (!answer?.ok) return problem(said?.error ?? "The box could not be reached. Is it still running?");
  problem("");
  shown = said;
  history.replaceState(null, "", `?${wanted}`);
  dress();
  redraw();
  table();
}

function problem(words) {
  find("chart-problem").textContent = words;
  find("chart-problem").hidden = !words;
}

function dress() {
  find("span-title").textContent = shown.label;
  form.elements.from.value = shown.from;
  form.elements.to.value = shown.to;
  find("earlier").disabled = !shown.earlier;
  find("later").disabled = !shown.later;
  for (const button of form.querySelectorAll("[data-span]")) {
    button.setAttribute("aria-pressed", String(button.dataset.span === shown.span));
  }
  sum();
}

// A total is a sum, and a gauge has its ends.
function sum() {
  const line = find("sum");
  line.replaceChildren();
  if (!shown.values.length) return;
  const strong = document.createElement("strong");
  if (shown.kind === "total") {
    strong.textContent = figure(shown.values.reduce((all, each) => all + each, 0));
    line.append(strong, ` ${shown.unit} in all`);
    if (shown.estimated.length) line.append(", the pale bars estimated: nothing was read at their beginning or end");
  } else {
    const high = (shown.highs.length ? shown.highs : shown.values).reduce((most, each) => Math.max(most, each), -Infinity);
    const low = (shown.lows.length ? shown.lows : shown.values).reduce((least, each) => Math.min(least, each), Infinity);
    strong.textContent = figure(high);
    line.append(strong, ` ${shown.unit} at most, ${figure(low)} at least`);
  }
}

function redraw() {
  const element = find("chart");
  chart?.stop();
  chart = null;
  find("cursor").textContent = "";
  if (!shown?.times_s.length) {
    const words = document.createElement("p");
    words.className = "chart-empty";
    words.textContent = "Nothing was read in this time.";
    return element.replaceChildren(words);
  }
  const band = shown.kind === "gauge" && shown.lows.length;
  const columns = band ? [shown.values, shown.highs, shown.lows] : [shown.values];
  const drawn = shown.kind === "total" ? [shown.times_s, ...byCertainty()] : withGaps(shown.times_s, columns, shown.step_s);
  chart = draw(element, options(band), drawn, shown.zone, read);
}

// The bars that were read, and those that are estimates, each with nothing where the other has a bar.
function byCertainty() {
  if (!shown.estimated.length) return [shown.values];
  const guessed = new Set(shown.estimated);
  return [false, true].map((wanted) => shown.values.map((value, index) => (guessed.has(index) === wanted ? value : null)));
}

function colour() {
  return shown.role.includes("export") ? "moss" : shown.role.startsWith("gas") ? "gold" : "ember";
}

function options(band) {
  const name = colour();
  const bars = shown.kind === "total";
  const main = {
    stroke: token(name),
    width: bars ? 0 : 1.5,
    fill: bars ? token(name) : undefined,
    paths: bars ? uPlot.paths.bars({ size: [0.86, 60], align: 1, radius: 0.15 }) : undefined,
    points: { show: !bars && shown.times_s.length < 2 },
  };
  const edge = { stroke: faint(name, 0), width: 0, points: { show: false } };
  return {
    axes: axes(shown.unit),
    scales: { x: { range: [shown.from_ms / 1000, shown.to_ms / 1000] }, y: { range: bars || lowest() >= 0 ? fromZero : undefined } },
    series: band ? [{}, main, edge, edge] : shown.estimated.length ? [{}, main, { ...main, fill: faint(name, 45) }] : [{}, main],
    bands: band ? [{ series: [2, 3], fill: faint(name, 25) }] : undefined,
    cursor: { drag: { x: true, y: false, setScale: false, dist: 8 }, points: { show: !bars, size: 8 }, y: false },
    hooks: { setSelect: [selected] },
  };
}

const lowest = () => (shown.lows.length ? shown.lows : shown.values).reduce((low, each) => Math.min(low, each), Infinity);

// What is never below nothing (power, not warmth outside) is drawn from nothing up.
const fromZero = (_, low, high) => [Math.min(0, low * 1.05), Math.max(high * 1.05, 0.001)];

function selected(drawn) {
  if (drawn.select.width < 8) return;
  const at = (pixels) => Math.round(drawn.posToVal(pixels, "x") * 1000);
  zoom(at(drawn.select.left), at(drawn.select.left + drawn.select.width));
}

function zoom(fromMs, toMs) {
  const middle = (fromMs + toMs) / 2;
  const half = Math.max(toMs - fromMs, SHORTEST_MS) / 2;
  go({ from_ms: String(Math.floor(middle - half)), to_ms: String(Math.ceil(middle + half)) });
}

function zoomByKeys(event, drawn) {
  const factor = { "+": 0.5, "=": 0.5, "-": 2 }[event.key];
  if (event.key === "Escape" && back.length) go(back.pop(), false);
  if (!factor) return;
  event.preventDefault();
  const half = ((shown.to_ms - shown.from_ms) * factor) / 2;
  const index = drawn.cursor.idx;
  const middle = index == null ? (shown.from_ms + shown.to_ms) / 2 : drawn.data[0][index] * 1000;
  zoom(middle - half, middle + half);
}

function read(index) {
  const value = index === null || !chart ? null : shown.kind === "total" ? shown.values[index] : chart.data[1][index];
  if (value == null) return void (find("cursor").textContent = "");
  const about = shown.estimated.includes(index) ? "about " : "";
  const band = shown.kind !== "total" && chart.data.length > 2 ? ` (${figure(chart.data[3][index])} to ${figure(chart.data[2][index])})` : "";
  find("cursor").textContent = `${moment(chart.data[0][index], shown.step_s, shown.zone)}: ${about}${figure(value)} ${shown.unit}${band}`;
}

// The same numbers as rows; drawn only where somebody looks.
function table() {
  const details = find("figures");
  if (!details.open || !shown) return;
  const band = shown.lows.length > 0;
  const guessed = new Set(shown.estimated);
  const heads = ["When", shown.kind === "total" ? shown.unit : `Mean, ${shown.unit}`, ...(band ? ["Least", "Most"] : [])];
  const rows = shown.times_s.slice(0, TABLE_ROWS).map((time, index) => [
    moment(time, shown.step_s, shown.zone),
    `${guessed.has(index) ? "≈ " : ""}${figure(shown.values[index], true)}`,
    ...(band ? [figure(shown.lows[index], true), figure(shown.highs[index], true)] : []),
  ]);
  details.querySelector("thead").replaceChildren(line("th", heads));
  details.querySelector("tbody").replaceChildren(...rows.map((row) => line("td", row)));
}

function line(tag, words) {
  const row = document.createElement("tr");
  words.forEach((word, index) => {
    const cell = document.createElement(tag);
    cell.textContent = word;
    if (index) cell.className = "number";
    row.append(cell);
  });
  return row;
}
