// The explorer's frame: what is chosen, the address that says so, and the parts that show it.

import { SeriesList } from "./list.js";
import { ForecastChart, bandsOf, number, parseDs, rangesOf } from "./chart.js";

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
  state.range = ranges.some(([name]) => name === query.get("range")) ? query.get("range") : ranges[0][0];
  state.search = query.get("search") ?? "";
}

function writeAddress(isStep) {
  const query = new URLSearchParams();
  if (state.level !== leaf) query.set("level", state.level);
  if (state.series) query.set("series", state.series);
  if (state.model !== champion) query.set("model", state.model);
  if (state.cutoff) query.set("cutoff", state.cutoff);
  if (state.sort !== "value.desc") query.set("sort", state.sort);
  if (state.range !== ranges[0][0]) query.set("range", state.range);
  if (state.search) query.set("search", state.search);
  const text = query.toString().replaceAll("%2F", "/");
  const address = text ? `/?${text}` : "/";
  if (address !== location.pathname + location.search) history[isStep ? "pushState" : "replaceState"](null, "", address);
}

// The issue that is looked at, and its model: an old one may lack the model that was asked for.
const issue = () => project.issues.find((known) => known.cutoff === state.cutoff) ?? project.issues[0] ?? { cutoff: "", models: [] };

function shownModel() {
  const { models } = issue();
  if (models.includes(state.model)) return state.model;
  const known = project.models.filter((model) => models.includes(model.name));
  return (known.findLast((model) => !model.is_baseline) ?? known[0])?.name ?? models[0] ?? state.model;
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
const percent = (value, digits = 1) => (value === null || value === undefined ? "–" : `${(value * 100).toFixed(digits)}\u00a0%`);
const signed = (value) => (value === null || value === undefined ? "–" : `${value < 0 ? "−" : "+"}${Math.abs(value * 100).toFixed(1)}\u00a0%`);
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
        error === null ? null : make("span", { class: "bar", "aria-hidden": "true" }, make("i", { style: `width:${width}%` })),
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
  const known = new Map(project.models.map((model) => [model.name, model]));
  const names = [...project.models.map((model) => model.name), ...issue().models.filter((name) => !known.has(name))];
  const role = (name) => (known.get(name)?.is_champion ? " (champion)" : known.get(name)?.is_baseline ? " (baseline)" : "");
  const models = names.map((name) => {
    const isAbsent = !issue().models.includes(name);
    return make("option", { value: name, disabled: isAbsent }, isAbsent ? `${name} (not at this cutoff)` : name + role(name));
  });
  element.model.replaceChildren(...models);
  element.model.value = shownModel() ?? "";
  const cutoffs = project.cutoffs.map((cutoff, index) => make("option", { value: cutoff }, index ? cutoff : `${cutoff} (latest)`));
  element.cutoff.replaceChildren(...cutoffs);
  element.cutoff.value = issue().cutoff;
  element.ranges.replaceChildren(
    ...ranges.map(([name]) => make("button", { type: "button", "aria-pressed": name === state.range, "data-range": name }, name))
  );
  for (const format of ["csv", "parquet"]) {
    const all = new URLSearchParams({ level: state.level, model: shownModel(), format });
    if (state.cutoff) all.set("cutoff", state.cutoff);
    element[`download-${format}`].href = `/api/v1/forecasts?${all}`;
  }
}

// What has come of a forecast so far: its steps beside the values that count. A stock-out or a closed day tells nothing of demand.
function outcome(points, forecast) {
  const actual = new Map(points.filter((point) => point.y !== null && ["observed", "filled"].includes(point.status)).map((point) => [point.ds, point.y]));
  return forecast.filter((row) => actual.has(row.ds)).map((row) => ({ row, y: actual.get(row.ds) }));
}

function drawLegend(bands, points, came, forecast) {
  const seen = new Set(points.map((point) => point.status));
  const entries = [["history", came.length ? "Actual, known then" : "Actual"]];
  if (came.length) entries.push(["came", "What came"]);
  if (forecast.length) entries.push(["forecast", "Mean"]);
  [...bands].reverse().forEach((band, index) => entries.push([["narrow", "middle", "wide"][index], `${Math.round(band.level * 100)} %`]));
  if (seen.has("censored")) entries.push(["stockout", "Stock-out"]);
  if (seen.has("closed")) entries.push(["closed", "Closed"]);
  element.legend.replaceChildren(...entries.map(([kind, text]) => make("li", {}, make("i", { class: `swatch ${kind}`, "aria-hidden": "true" }), text)));
}

function figure(name, value, note, tone) {
  return make("div", { class: tone ? `figure ${tone}` : "figure" }, make("dt", {}, name), make("dd", {}, value), make("dd", { class: "note" }, note));
}

function drawFigures(item, points, forecast, came) {
  element.figures.replaceChildren(...(came.length ? figuresOfOutcome(forecast, came) : figuresOfForecast(item, points, forecast)));
}

// A forecast that time has caught up with is judged by what came, not by the backtest.
function figuresOfOutcome(forecast, came) {
  const sum = (value) => came.reduce((total, one) => total + value(one), 0);
  const [ahead, actual] = [sum(({ row }) => row.mean), sum(({ y }) => y)];
  const missed = sum(({ row, y }) => Math.abs(row.mean - y));
  const steps = came.length === forecast.length ? `in all ${came.length} steps` : `in ${came.length} of ${forecast.length} steps`;
  const figures = [
    figure("Forecast", number(ahead), steps),
    figure("What came", number(actual), actual > 0 ? `the forecast was ${signed(ahead / actual - 1)}` : "in the same steps"),
    figure("WAPE", actual > 0 ? percent(missed / actual) : "–", actual > 0 ? "of what came misplaced" : "nothing was sold"),
  ];
  const bands = bandsOf(Object.keys(forecast[0].quantiles));
  const band = bands.sort((a, b) => Math.abs(a.level - 0.8) - Math.abs(b.level - 0.8))[0];
  if (band) {
    const held = came.filter(({ row, y }) => y >= row.quantiles[band.low] && y <= row.quantiles[band.high]).length;
    const level = `${Math.round(band.level * 100)} %`;
    // Of few steps, a miss more or less says nothing yet.
    const tone = came.length >= 10 && held / came.length < band.level - 0.15 ? "off" : null;
    figures.push(figure(`Inside the ${level}`, `${held} of ${came.length}`, `${level} promised`, tone));
  }
  return figures;
}

function figuresOfForecast(item, points, forecast) {
  const figures = [];
  const { wape, bias, rmsse } = item?.metrics ?? { wape: null, bias: null, rmsse: null };
  if (forecast.length) {
    const ahead = forecast.reduce((sum, row) => sum + row.mean, 0);
    const past = points.filter((point) => parseDs(point.ds) <= parseDs(forecast[0].cutoff)).slice(-forecast.length);
    const before = past.reduce((sum, point) => sum + (point.y ?? 0), 0);
    const note = before > 0 && past.length === forecast.length ? `${signed(ahead / before - 1)} on the last ${past.length}` : "sum of the mean";
    figures.push(figure(forecast.length === 1 ? "Next step" : `Next ${forecast.length} steps`, number(ahead), note));
  }
  const scores = [figure("WAPE", percent(wape), wape === null ? "not scored" : "of volume misplaced")];
  const lean = bias === null ? "not scored" : Math.abs(bias) < 0.005 ? "balanced" : bias > 0 ? "forecasts too much" : "forecasts too little";
  scores.push(figure("Bias", signed(bias), lean));
  scores.push(figure("RMSSE", rmsse === null ? "–" : rmsse.toFixed(2), rmsse === null ? "not scored" : rmsse < 1 ? "beats naive" : "no better than naive"));
  const { coverage } = project.levels.find((level) => level.name === state.level);
  const held = [...coverage].sort((a, b) => Math.abs(a.nominal - 0.8) - Math.abs(b.nominal - 0.8))[0];
  if (held && forecast.length) {
    const tone = Math.abs(held.empirical - held.nominal) > 0.1 ? "off" : null;
    scores.push(figure(`${Math.round(held.nominal * 100)} % interval held`, percent(held.empirical), `all series of ${state.level}`, tone));
  }
  // The backtest scores the champion only: beside another model's forecast that has to be said.
  if (shownModel() !== champion) for (const node of scores) node.querySelector("dt").append(` · ${champion}`);
  return [...figures, ...scores];
}

function drawTable(forecast, came) {
  element["table-card"].hidden = !forecast.length;
  if (!forecast.length) return;
  const bands = bandsOf(Object.keys(forecast[0].quantiles)).reverse();
  const actual = new Map(came.map(({ row, y }) => [row.ds, y]));
  const columns = ["Mean", ...bands.map((band) => `${Math.round(band.level * 100)} % interval`)];
  if (actual.size) columns.unshift("What came");
  const head = make("tr", {}, make("th", { scope: "col" }, "Timestamp"), ...columns.map((name) => make("th", { scope: "col", class: "number" }, name)));
  const body = make("tbody");
  for (const row of forecast) {
    const cells = [number(row.mean), ...bands.map((band) => `${number(row.quantiles[band.low])} – ${number(row.quantiles[band.high])}`)];
    if (actual.size) cells.unshift(number(actual.get(row.ds)));
    body.append(make("tr", {}, make("th", { scope: "row" }, row.ds), ...cells.map((text) => make("td", { class: "number" }, text))));
  }
  element.table.replaceChildren(make("thead", {}, head), body);
}

function drawTrouble(trouble) {
  const problem = trouble?.problem;
  element.trouble.hidden = !problem;
  document.querySelector(".detail").classList.toggle("in-trouble", Boolean(problem));
  if (!problem) return;
  const isGone = problem.status === 404 && problem.detail.startsWith("series");
  const isOld = problem.status === 404 && !isGone && state.cutoff !== null;
  const way = make("button", { type: "button", class: "button" }, isGone ? "Show the first series" : isOld ? "Show the latest cutoff" : "Try again");
  way.addEventListener("click", () => (isGone ? list.select(0) : isOld ? switchTo("cutoff", null) : show()));
  const hint = isGone ? "choose one from the list, or search for it" : isOld ? `${state.level} was not forecast then` : problem.hint;
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
  document.querySelector(".detail").classList.toggle("is-empty", !state.series);
  if (!state.series) {
    element.title.textContent = "No series chosen";
    element.about.textContent = "Choose one from the list.";
    return;
  }
  const asked = { level: state.level, series: state.series };
  element.title.textContent = state.series;
  document.title = `${state.series} · ${project.name} · Almanac`;
  const model = shownModel();
  const download = new URLSearchParams({ ...asked, format: "csv" });
  if (model) download.set("model", model);
  if (state.cutoff) download.set("cutoff", state.cutoff);
  element.download.href = `/api/v1/forecasts?${download}`;
  element.chart.setAttribute("aria-busy", "true");
  try {
    const [past, forecast, item] = await Promise.all([
      ask("/api/v1/history", asked, signal),
      ask("/api/v1/forecasts", { ...asked, model, cutoff: state.cutoff }, signal),
      findItem(signal),
    ]);
    drawTrouble(null);
    element.download.removeAttribute("aria-disabled");
    current = item;
    const about = [state.level, item && STATES[item.state], `${past.points.length.toLocaleString("en")} rows to ${past.points.at(-1)?.ds ?? "–"}`];
    if (!forecast.length && item?.state !== "skipped") about.push("no forecast");
    element.about.replaceChildren(...about.filter(Boolean).map((text) => make("span", {}, text)));
    const came = outcome(past.points, forecast);
    drawFigures(item, past.points, forecast, came);
    const range = ranges.find(([name]) => name === state.range)[1];
    const bands = chart.show({ points: past.points, forecast, range, freq: project.freq });
    drawLegend(bands, past.points, came, forecast);
    drawTable(forecast, came);
    const until = forecast.length ? ` and ${forecast.length} forecast steps to ${forecast.at(-1).ds}` : ", without a forecast";
    element.chart.setAttribute("aria-label", `${state.series}: ${past.points.length} rows of history${until}. Arrow keys read the values.`);
    element.chart.dataset.shown = `${state.level}|${state.series}|${model}|${state.cutoff ?? ""}`;
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
function switchTo(name, value) {
  state[name] = name === "cutoff" && value === project.cutoffs[0] ? null : value;
  writeAddress(true);
  drawControls();
  show();
}
for (const name of ["model", "cutoff"]) element[name].addEventListener("change", () => switchTo(name, element[name].value));
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
