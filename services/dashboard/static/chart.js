// What both charts share: the page's colours, local times, a cursor that keys can move, and gaps where nothing was read.

export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export const faint = (name, percent) => {
  const hex = token(name).replace("#", "");
  return `#${hex}${Math.round((percent * 255) / 100).toString(16).padStart(2, "0")}`;
};

const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const MOST_GAP_STEPS = 1.5;

// Numbers with as many decimals as their size deserves; `aligned` ones stand below each other in a table.
export function figure(value, aligned = false) {
  const size = Math.abs(value);
  const decimals = aligned ? 3 : size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3;
  return value.toLocaleString("en-GB", { maximumFractionDigits: decimals, minimumFractionDigits: aligned ? 3 : 0 });
}

// A local time as precise as the step: a month, a day, or a minute.
export function moment(seconds, stepSeconds, zone) {
  const said =
    stepSeconds >= 27 * 86400
      ? { month: "long", year: "numeric" }
      : stepSeconds >= 86400
        ? { weekday: "short", day: "numeric", month: "short", year: "numeric" }
        : { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  if (stepSeconds > 0 && stepSeconds < 60) said.second = "2-digit";
  if (stepSeconds === 0) said.second = "2-digit";
  return new Intl.DateTimeFormat("en-GB", { ...said, timeZone: zone }).format(seconds * 1000);
}

// Columns with a null between points that lie further apart than their step, so that no line bridges a gap.
export function withGaps(times, columns, stepSeconds) {
  if (!stepSeconds) return [times, ...columns];
  const out = [[], ...columns.map(() => [])];
  times.forEach((time, index) => {
    const last = times[index - 1];
    if (index && time - last > stepSeconds * MOST_GAP_STEPS) {
      out[0].push(last + stepSeconds);
      columns.forEach((_, column) => out[column + 1].push(null));
    }
    out[0].push(time);
    columns.forEach((values, column) => out[column + 1].push(values[index]));
  });
  return out;
}

const CLOCK = [
  [3600 * 24 * 365, "{YYYY}", null, null, null, null, null, null, 1],
  [3600 * 24 * 28, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [3600 * 24, "{D} {MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [3600, "{HH}:{mm}", "\n{D} {MMM}", null, "\n{D} {MMM}", null, null, null, 1],
  [60, "{HH}:{mm}", "\n{D} {MMM}", null, "\n{D} {MMM}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", "\n{D} {MMM}", null, "\n{D} {MMM}", null, null, null, 1],
];

// The axes: times in the household's zone below, the unit above the numbers at the left.
export function axes(unit) {
  const common = {
    stroke: token("quiet"),
    font: FONT,
    labelFont: FONT,
    grid: { stroke: token("line"), width: 1 },
    ticks: { show: false },
  };
  return [
    { ...common, values: CLOCK, space: 64, grid: { show: false } },
    { ...common, size: 56, label: unit, labelSize: 18, values: (_, splits) => splits.map((each) => figure(each)) },
  ];
}

// Makes a chart that fits its element, follows its width and the colour scheme, and can be read by keys.
export function draw(element, options, data, zone, read) {
  const size = () => ({ width: element.clientWidth, height: Math.max(220, element.clientHeight || 0) });
  element.replaceChildren();
  const chart = new uPlot(
    {
      ...size(),
      legend: { show: false },
      padding: [8, 24, 0, 0],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
      ...options,
      hooks: { ...options.hooks, setCursor: [(drawn) => read(drawn.cursor.idx ?? null)] },
    },
    data,
    element,
  );
  const fit = new ResizeObserver(() => chart.width !== element.clientWidth && chart.setSize(size()));
  fit.observe(element);
  return Object.assign(chart, { stop: () => (fit.disconnect(), chart.destroy()) });
}

// Arrow keys move the cursor from value to value; other keys are the page's.
export function readByKeys(element, current, more = () => {}) {
  const moves = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };
  element.addEventListener("keydown", (event) => {
    const chart = current();
    if (!chart) return;
    if (event.key in moves) {
      event.preventDefault();
      step(chart, moves[event.key]);
    } else more(event, chart);
  });
}

function step(chart, by) {
  const times = chart.data[0];
  const last = times.length - 1;
  if (last < 0) return;
  const from = chart.cursor.idx ?? (by > 0 ? -1 : last + 1);
  let at = Math.max(0, Math.min(last, from + by));
  const hasValue = (index) => chart.data.slice(1).some((column) => column[index] != null);
  while (!hasValue(at) && at > 0 && at < last) at += Math.sign(by);
  const value = chart.data[1][at] ?? 0;
  chart.setCursor({ left: chart.valToPos(times[at], "x"), top: chart.valToPos(value, "y") });
}

export const onSchemeChange = (redraw) =>
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
