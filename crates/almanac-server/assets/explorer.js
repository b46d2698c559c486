// The explorer's frame: what is chosen, the address that says so, and the parts that show it.

import { SeriesList } from "./list.js";
import { ForecastChart, bandsOf, number, rangesOf } from "./chart.js";

const project = JSON.parse(document.getElementById("project").textContent);
const element = Object.fromEntries([...document.querySelectorAll("[id]")].map((node) => [node.id, node]));
const leaf = (project.levels.find((level) => level.is_leaf) ?? project.levels.at(-1)).name;
const champion = (project.models.find((model) => model.is_champion) ?? project.models[0])?.name ?? null;
const ranges = rangesOf(project.freq);

// ---- what is chosen, and the address ----

const state = {};

function readAddress() {
  const query = new URLSearchParams(location.search);
  const level = query.get("level");
  state.level = project.levels.some((known) => known.name === level) ? level : leaf;
  state.series = query.get("series");
  state.model = project.models.some((known) => known.name === query.get("model")) ? query.get("model") : champion;
  state.cutoff = project.cutoffs.includes(query.get("cutoff")) ? query.get("cutoff") : null;
  state.sort = [...element.sort.options].some((option) => option.value === query.get("sort")) ? query.get("sort") : "value.desc";
  state.range = ranges.some(([name]) => name === query.get("range")) ? query.get("range") : ranges[1][0];
  state.search = query.get("search") ?? "";
}

function writeAddress(isStep) {
  const query = new URLSearchParams();
  if (state.level !== leaf) query.set("level", state.level);
  if (state.series) query.set("series", state.series);
  if (state.model !== champion) query.set("model", state.model);
  if (state.cutoff) query.set("cutoff", state.cutoff);
  if (state.sort !== "value.desc") query.set("sort", state.sort);
  if (state.range !== ranges[1][0]) query.set("range", state.range);
  if (state.search) query.set("search", state.search);
  const text = query.toString().replaceAll("%2F", "/");
  const address = text ? `/?${text}` : "/";
  if (address !== location.pathname + location.search) history[isStep ? "pushState" : "replaceState"](null, "", address);
}

// ---- asking the server ----

class Trouble extends Error {
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

async function ask(path, parameters, signal) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== ""));
  let response;
  try {
    response = await fetch(`${path}?${query}`, { signal, headers: { accept: "application/json" } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Trouble({ title: "No connection", detail: "the server does not answer", hint: "check that it runs, then try again" });
  }
  const body = await response.json().catch(() => ({ title: "Unreadable answer", detail: `status ${response.status}` }));
  if (!response.ok) throw new Trouble(body);
  return body;
}

// A message of the server as a sentence: capital, full stop, and `code` where it has backticks.
function sentence(text) {
  if (!text) return [];
  const whole = `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
  return whole.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));
}

// ---- parts of the page ----

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const compact = (value) => value.toLocaleString("en", { notation: "compact", maximumSignificantDigits: 3 });
const percent = (value, digits = 1) => (value === null || value === undefined ? "–" : `${(value * 100).toFixed(digits)} %`);
const signed = (value) => (value === null || value === undefined ? "–" : `${value < 0 ? "−" : "+"}${Math.abs(value * 100).toFixed(1)} %`);
const STATES = { new: "new", intermittent: "intermittent", discontinued: "discontinued", skipped: "no forecast" };

const list = new SeriesList({
  viewport: element.list,
  rows: element.rows,
  fetchPage: (query) => ask("/api/v1/series", query),
  onSelect: (item, byKey) => choose(item, byKey),
  onCount: (total) => {
    const all = project.levels.find((level) => level.name === state.level).series;
    element.count.textContent = state.search ? `${total.toLocaleString("en")} of ${all.toLocaleString("en")} series` : `${total.toLocaleString("en")} series`;
  },
  describe: (item) => {
    const badge = STATES[item.state] ? make("span", { class: `badge ${item.state}` }, STATES[item.state]) : null;
    const error = item.metrics.wape;
    const width = error === null ? 0 : Math.min(100, error * 100);
    return [
      make("span", { class: "row-name", title: item.unique_id }, item.unique_id),
      make("span", { class: "row-value", title: "Recent value" }, compact(item.value)),
      make("span", { class: "row-state" }, badge ?? ""),
      make(
        "span",
        { class: "row-error", title: "WAPE, out of sample" },
        make("span", { class: "bar", "aria-hidden": "true" }, make("i", { style: `width:${width}%` })),
        make("span", {}, error === null ? "not scored" : percent(error, 0))
      ),
    ];
  },
});

const chart = new ForecastChart({
  root: element.chart,
  tooltip: element.tooltip,
  spoken: element.spoken,
  onZoom: (isZoomed) => (element.reset.hidden = !isZoomed),
});

function drawControls() {
  element.level.value = state.level;
  element.sort.value = state.sort;
  element.search.value = state.search;
  const models = project.models.map((model) =>
    make("option", { value: model.name }, model.is_champion ? `${model.name} (champion)` : model.is_baseline ? `${model.name} (baseline)` : model.name)
  );
  element.model.replaceChildren(...models);
  if (state.model) element.model.value = state.model;
  const cutoffs = project.cutoffs.map((cutoff, index) => make("option", { value: cutoff }, index ? cutoff : `${cutoff} (latest)`));
  element.cutoff.replaceChildren(...cutoffs);
  element.cutoff.value = state.cutoff ?? project.cutoffs[0] ?? "";
  element.ranges.replaceChildren(
    ...ranges.map(([name]) => make("button", { type: "button", "aria-pressed": name === state.range, "data-range": name }, name))
  );
  const all = new URLSearchParams({ level: state.level, format: "csv" });
  if (state.model) all.set("model", state.model);
  if (state.cutoff) all.set("cutoff", state.cutoff);
  element["download-all"].href = `/api/v1/forecasts?${all}`;
}

function drawLegend(bands, points) {
  const seen = new Set(points.map((point) => point.status));
  const entries = [["history", "Actual"], ["forecast", "Mean"]];
  [...bands].reverse().forEach((band, index) => entries.push([["narrow", "middle", "wide"][index], `${Math.round(band.level * 100)} %`]));
  if (seen.has("censored")) entries.push(["stockout", "Stock-out"]);
  if (seen.has("closed")) entries.push(["closed", "Closed"]);
  element.legend.replaceChildren(...entries.map(([kind, text]) => make("li", {}, make("i", { class: `swatch ${kind}`, "aria-hidden": "true" }), text)));
}

function figure(name, value, note, tone) {
  return make("div", { class: tone ? `figure ${tone}` : "figure" }, make("dt", {}, name), make("dd", {}, value), make("dd", { class: "note" }, note));
}

function drawFigures(item, points, forecast) {
  const figures = [];
  const { wape, bias, mase, coverage } = item?.metrics ?? { wape: null, bias: null, mase: null, coverage: [] };
  if (forecast.length) {
    const ahead = forecast.reduce((sum, row) => sum + row.mean, 0);
    const past = points.filter((point) => point.ds <= forecast[0].cutoff || !/T|-/.test(point.ds)).slice(-forecast.length);
    const before = past.reduce((sum, point) => sum + (point.y ?? 0), 0);
    const note = before > 0 && past.length === forecast.length ? `${signed(ahead / before - 1)} on the ${past.length} before` : "sum of the mean";
    figures.push(figure(`Next ${forecast.length} steps`, number(ahead), note));
  }
  figures.push(figure("WAPE", percent(wape), "of the volume misplaced"));
  const lean = bias === null ? "not scored" : Math.abs(bias) < 0.005 ? "balanced" : bias > 0 ? "forecasts too much" : "forecasts too little";
  figures.push(figure("Bias", signed(bias), lean));
  figures.push(figure("MASE", mase === null ? "–" : mase.toFixed(2), mase === null ? "not scored" : mase < 1 ? "beats seasonal naive" : "no better than seasonal naive"));
  for (const { nominal, empirical } of coverage) {
    const off = Math.abs(empirical - nominal) > 0.1 ? "off" : null;
    figures.push(figure(`${Math.round(nominal * 100)} % covers`, percent(empirical), `${Math.round(nominal * 100)} % promised`, off));
  }
  // The list scores the champion only: beside another model's forecast that has to be said.
  if (state.model !== champion) for (const node of figures.slice(forecast.length ? 1 : 0)) node.querySelector("dt").append(` · ${champion}`);
  element.figures.replaceChildren(...figures);
}

function drawTable(forecast) {
  element["table-card"].hidden = !forecast.length;
  if (!forecast.length) return;
  const bands = bandsOf(Object.keys(forecast[0].quantiles)).reverse();
  const head = make("tr", {}, make("th", { scope: "col" }, "Timestamp"), make("th", { scope: "col", class: "number" }, "Mean"));
  for (const band of bands) head.append(make("th", { scope: "col", class: "number" }, `${Math.round(band.level * 100)} % interval`));
  const body = make("tbody");
  for (const row of forecast) {
    const line = make("tr", {}, make("th", { scope: "row" }, row.ds), make("td", { class: "number" }, number(row.mean)));
    for (const band of bands) {
      line.append(make("td", { class: "number" }, `${number(row.quantiles[band.low])} – ${number(row.quantiles[band.high])}`));
    }
    body.append(line);
  }
  element.table.replaceChildren(make("thead", {}, head), body);
}

function drawTrouble(trouble) {
  const problem = trouble?.problem;
  element.trouble.hidden = !problem;
  document.querySelector(".detail").classList.toggle("in-trouble", Boolean(problem));
  if (!problem) return;
  const isGone = problem.status === 404;
  const way = make("button", { type: "button", class: "button" }, isGone ? "Show the first series" : "Try again");
  way.addEventListener("click", () => (isGone ? list.select(0) : show()));
  const hint = isGone ? "choose one from the list, or search for it" : problem.hint;
  element.trouble.replaceChildren(
    make("h2", {}, problem.title),
    make("p", {}, ...sentence(problem.detail)),
    make("p", { class: "hint" }, ...sentence(hint)),
    way
  );
  element.download.setAttribute("aria-disabled", "true");
  chart.clear();
  element.figures.replaceChildren();
  element.table.replaceChildren();
}

// ---- showing what is chosen ----

let current = null;
let pending = null;

async function findItem(signal) {
  if (current?.unique_id === state.series && current.level === state.level) return current;
  const page = await ask("/api/v1/series", { level: state.level, search: state.series, sort: "name", limit: 1000 }, signal);
  return page.items.find((item) => item.unique_id === state.series) ?? null;
}

async function show() {
  pending?.abort();
  pending = new AbortController();
  const { signal } = pending;
  if (!state.series) {
    element.title.textContent = "No series chosen";
    element.about.textContent = "Choose one from the list.";
    return;
  }
  const asked = { level: state.level, series: state.series };
  element.title.textContent = state.series;
  document.title = `${state.series} · ${project.name} · Almanac`;
  const download = new URLSearchParams({ ...asked, format: "csv" });
  if (state.model) download.set("model", state.model);
  if (state.cutoff) download.set("cutoff", state.cutoff);
  element.download.href = `/api/v1/forecasts?${download}`;
  element.chart.setAttribute("aria-busy", "true");
  try {
    const [past, forecast, item] = await Promise.all([
      ask("/api/v1/history", asked, signal),
      ask("/api/v1/forecasts", { ...asked, model: state.model, cutoff: state.cutoff }, signal),
      findItem(signal),
    ]);
    drawTrouble(null);
    element.download.removeAttribute("aria-disabled");
    current = item;
    const about = [state.level, item && STATES[item.state], `${past.points.length.toLocaleString("en")} rows to ${past.points.at(-1)?.ds ?? "–"}`];
    element.about.replaceChildren(...about.filter(Boolean).map((text) => make("span", {}, text)));
    drawFigures(item, past.points, forecast);
    const range = ranges.find(([name]) => name === state.range)[1];
    const bands = chart.show({ points: past.points, forecast, range, freq: project.freq });
    drawLegend(bands, past.points);
    drawTable(forecast);
    const until = forecast.length ? ` and ${forecast.length} forecast steps to ${forecast.at(-1).ds}` : ", without a forecast";
    element.chart.setAttribute("aria-label", `${state.series}: ${past.points.length} rows of history${until}. Arrow keys read the values.`);
    element.chart.dataset.shown = `${state.level}|${state.series}|${state.model}|${state.cutoff ?? ""}`;
  } catch (trouble) {
    if (trouble.name === "AbortError") return;
    if (!(trouble instanceof Trouble)) throw trouble;
    element.about.textContent = "";
    drawTrouble(trouble);
  }
  element.chart.removeAttribute("aria-busy");
}

let steady = 0;

// Arrow keys may run through the list faster than charts can be fetched: the last one counts.
function choose(item, byKey) {
  current = item;
  state.series = item.unique_id;
  clearTimeout(steady);
  if (byKey) {
    element.title.textContent = item.unique_id;
    steady = setTimeout(() => (writeAddress(false), show()), 90);
  } else {
    writeAddress(true);
    show();
  }
}

async function fill({ chooseFirst }) {
  const [sort, order] = state.sort.split(".");
  const page = await list.ask({ level: state.level, search: state.search, sort, order });
  if (!page) return;
  if (!page.total) {
    const clear = () => ((element.search.value = ""), searched(), element.search.focus());
    if (state.search) list.note("Nothing found", `No series of ${state.level} contains “${state.search}”.`, "Clear the search", clear);
    else list.note("No series", `The level ${state.level} has no series.`);
  }
  if (chooseFirst && page.items.length) {
    state.series = page.items[0].unique_id;
    current = page.items[0];
    list.cursor = 0;
    writeAddress(false);
  }
  list.mark(state.series);
}

function searched() {
  state.search = element.search.value.trim();
  writeAddress(false);
  fill({ chooseFirst: false });
}

// ---- events ----

let typing = 0;
element.search.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(searched, 120);
});
element.search.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" || event.key === "Enter") {
    event.preventDefault();
    element.list.focus();
    list.select(0);
  } else if (event.key === "Escape" && element.search.value) {
    event.preventDefault();
    element.search.value = "";
    searched();
  }
});
element.level.addEventListener("change", async () => {
  state.level = element.level.value;
  state.search = "";
  state.series = null;
  writeAddress(true);
  drawControls();
  await fill({ chooseFirst: true });
  show();
});
element.sort.addEventListener("change", () => {
  state.sort = element.sort.value;
  writeAddress(false);
  fill({ chooseFirst: false });
});
for (const name of ["model", "cutoff"]) {
  element[name].addEventListener("change", () => {
    const value = element[name].value;
    state[name] = name === "cutoff" && value === project.cutoffs[0] ? null : value;
    writeAddress(true);
    drawControls();
    show();
  });
}
element.ranges.addEventListener("click", (event) => {
  const name = event.target.dataset.range;
  if (!name) return;
  state.range = name;
  for (const button of element.ranges.children) button.setAttribute("aria-pressed", button.dataset.range === name);
  chart.setRange(ranges.find(([known]) => known === name)[1]);
  writeAddress(false);
});
element.reset.addEventListener("click", () => chart.resetZoom());
element.download.addEventListener("click", (event) => {
  if (element.download.getAttribute("aria-disabled") === "true") event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  const inField = event.target.closest("input, select, textarea");
  if (event.key === "/" && !inField && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    element.search.focus();
    element.search.select();
  }
});
addEventListener("popstate", async () => {
  readAddress();
  drawControls();
  await fill({ chooseFirst: !state.series });
  show();
});

readAddress();
drawControls();
await Promise.all([fill({ chooseFirst: !state.series }), state.series ? show() : null]);
if (!element.chart.dataset.shown) show();
