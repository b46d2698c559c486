// One series with its past, its forecast and what is special about its rows, drawn by uPlot.
// Everything the pointer can read, the arrow keys can read too.

const STEPS_IN_RANGE = {
  D: [["90 d", 90], ["1 y", 365]],
  B: [["90 d", 65], ["1 y", 261]],
  W: [["26 w", 26], ["2 y", 104]],
  M: [["2 y", 24], ["5 y", 60]],
  Q: [["3 y", 12], ["8 y", 32]],
  Y: [["10 y", 10], ["25 y", 25]],
  h: [["3 d", 72], ["2 w", 336]],
};

export function rangesOf(freq) {
  const letter = /^\d*([A-Za-z])/.exec(freq)?.[1] ?? "";
  const known = STEPS_IN_RANGE[letter] ?? STEPS_IN_RANGE[letter.toUpperCase()] ?? [["100", 100], ["500", 500]];
  return [...known, ["All", Infinity]];
}

export function parseDs(ds) {
  if (/^-?\d+$/.test(ds)) return Number(ds);
  const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(ds);
  return Date.parse(ds.includes("T") && !zoned ? `${ds}Z` : ds) / 1000;
}

// Pairs of quantile columns, narrow to wide, nearest to 50, 80 and 95 % of those that there are.
export function bandsOf(columns) {
  const probabilities = columns.map((name) => [name, Number(name.slice(1))]);
  const pairs = [];
  for (const [low, p] of probabilities) {
    if (p >= 0.5) continue;
    const high = probabilities.find(([, q]) => Math.abs(p + q - 1) < 1e-6);
    if (high) pairs.push({ low, high: high[0], level: 1 - 2 * p });
  }
  const chosen = [];
  for (const wanted of [0.95, 0.8, 0.5]) {
    const left = pairs.filter((pair) => !chosen.includes(pair));
    left.sort((a, b) => Math.abs(a.level - wanted) - Math.abs(b.level - wanted));
    if (left.length) chosen.push(left[0]);
  }
  return chosen.sort((a, b) => b.level - a.level);
}

export function number(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const least = Number.isInteger(value) ? 0 : digits;
  return value.toLocaleString("en", { minimumFractionDigits: least, maximumFractionDigits: digits });
}

// Labels of the time axis: "Mar", "3 Mar" or "14:00", with the year or the day below where it changes.
function timeLabels(ticks, step) {
  const day = 86400;
  const say = (tick, options) => new Date(tick * 1000).toLocaleString("en-GB", { timeZone: "UTC", ...options });
  return ticks.map((tick, index) => {
    const before = index ? ticks[index - 1] : null;
    const changed = (options) => before === null || say(before, options) !== say(tick, options);
    if (step >= 360 * day) return say(tick, { year: "numeric" });
    const below = step >= day ? { year: "numeric" } : { day: "numeric", month: "short" };
    const above = step >= 28 * day ? { month: "short" } : step >= day ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit" };
    return changed(below) ? `${say(tick, above)}\n${say(tick, below)}` : say(tick, above);
  });
}

const STATUS_TEXT = {
  censored: "stock-out: demand was cut",
  closed: "closed",
  missing: "no value",
  filled: "no row: read as zero",
};

export class ForecastChart {
  constructor({ root, tooltip, spoken, onZoom }) {
    Object.assign(this, { root, tooltip, spoken, onZoom });
    new ResizeObserver(() => this.resize()).observe(root);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.data && this.rebuild());
    root.addEventListener("keydown", (event) => this.key(event));
    root.addEventListener("blur", () => this.hideTooltip());
  }

  clear() {
    this.plot?.destroy();
    this.plot = null;
    this.data = null;
    this.hideTooltip();
  }

  show({ points, forecast, range, freq, label }) {
    const rows = new Map();
    for (const point of points) rows.set(parseDs(point.ds), { ds: point.ds, y: point.y, status: point.status });
    for (const row of forecast) {
      const x = parseDs(row.ds);
      rows.set(x, { ...(rows.get(x) ?? { ds: row.ds, y: null, status: null }), forecast: row });
    }
    const xs = [...rows.keys()].sort((a, b) => a - b);
    const list = xs.map((x) => rows.get(x));
    const bands = forecast.length ? bandsOf(Object.keys(forecast[0].quantiles)) : [];
    const columns = [xs];
    for (const band of bands) {
      columns.push(list.map((row) => row.forecast?.quantiles[band.low] ?? null));
      columns.push(list.map((row) => row.forecast?.quantiles[band.high] ?? null));
    }
    columns.push(list.map((row) => row.forecast?.mean ?? null));
    const cutoff = forecast.length ? parseDs(forecast[0].cutoff) : null;
    // A closed day says nothing about demand: the line passes over it (undefined), unlike over a gap (null).
    const actual = list.map((row) => (row.status === "closed" && !row.y ? undefined : row.y));
    // What the model knew, and what came after: the second line starts where the first ends.
    const known = cutoff === null ? xs.length : xs.findLastIndex((x) => x <= cutoff) + 1;
    const came = xs.map((_, index) => index).filter((index) => index >= known && actual[index] !== null && actual[index] !== undefined);
    columns.push(actual.map((y, index) => (index < known ? y : null)));
    columns.push(actual.map((y, index) => (!came.length || index < known - 1 ? null : y)));
    const gaps = xs.slice(1).map((x, i) => x - xs[i]).sort((a, b) => a - b);
    const step = gaps[Math.floor(gaps.length / 2)] || 1;
    const end = forecast.length ? parseDs(forecast.at(-1).ds) : null;
    this.data = { xs, list, bands, columns, step, cutoff, known, came, end, range, freq, label, isTime: list.length > 0 && !/^-?\d+$/.test(list[0].ds) };
    this.rebuild();
    return bands;
  }

  // The span that a range button stands for: so many steps of the past, and all of the forecast. Of an old forecast also some
  // of what came after it.
  span() {
    const { xs, list, range, step, known, end } = this.data;
    const last = xs[xs.length - 1];
    if (range === Infinity) return [xs[0] - step * 0.6, last + step * 0.6];
    let present = known - 1;
    while (present > 0 && list[present].status === null) present -= 1;
    const first = xs[Math.max(0, present - range + 1)];
    const until = end === null ? last : Math.min(last, end + (end - xs[Math.max(0, known - 1)]) / 2);
    return [first - step * 0.6, until + step * 0.6];
  }

  setRange(range) {
    if (!this.data) return;
    this.data.range = range;
    this.resetZoom();
  }

  resetZoom() {
    if (!this.plot) return;
    const [min, max] = this.span();
    this.plot.setScale("x", { min, max });
    this.onZoom(false);
  }

  colours() {
    const style = getComputedStyle(document.documentElement);
    return (name) => style.getPropertyValue(name).trim();
  }

  rebuild() {
    this.plot?.destroy();
    const { bands, columns, isTime } = this.data;
    const colour = this.colours();
    const line = { points: { show: false }, stroke: "transparent", width: 0 };
    const series = [{}];
    const fills = [];
    bands.forEach((band, index) => {
      const name = ["--band-wide", "--band-middle", "--band-narrow"][index + 3 - bands.length];
      fills.push({ series: [series.length + 1, series.length], fill: colour(name) });
      series.push({ ...line, label: band.low }, { ...line, label: band.high });
    });
    series.push({ label: "mean", stroke: colour("--forecast"), width: 2, points: { show: columns[0].length < 60, size: 5 } });
    const history = { stroke: colour("--history"), width: 1.4 };
    series.push({ label: "y", ...history, points: { show: false } });
    const { came } = this.data;
    // Dots only where there is room between them.
    const isRoomy = (u, _, first, last) => came.length > 0 && (last - first) * 5 < u.over.clientWidth;
    const dots = { show: isRoomy, size: 4.5, width: 1.2, stroke: colour("--history"), fill: colour("--surface") };
    series.push({ label: "came", ...history, points: { ...dots, filter: () => came } });
    const axis = {
      stroke: colour("--muted"),
      grid: { stroke: colour("--grid"), width: 1 },
      ticks: { show: false },
      font: "12px ui-sans-serif, system-ui, sans-serif",
    };
    const [min, max] = this.span();
    const options = {
      ...this.size(),
      legend: { show: false },
      tzDate: (ts) => uPlot.tzDate(new Date(ts * 1e3), "Etc/UTC"),
      padding: [14, 14, 0, 4],
      scales: {
        x: { time: isTime, min, max },
        y: { range: (u, low, high) => (low === null ? [0, 1] : [Math.min(0, low * 1.06), high > 0 ? high * 1.08 : 1]) },
      },
      series,
      bands: fills,
      axes: [
        { ...axis, grid: { show: false }, space: 70, ...(isTime ? { values: (u, ticks, at, space, step) => timeLabels(ticks, step) } : {}) },
        { ...axis, size: 48, values: (u, ticks) => ticks.map((tick) => tick.toLocaleString("en", { notation: "compact" })) },
      ],
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: true },
        points: { size: 7 },
        bind: { dblclick: () => () => (this.resetZoom(), null) },
      },
      hooks: {
        drawClear: [(u) => this.drawStatus(u, colour)],
        draw: [(u) => this.drawMarks(u, colour)],
        setCursor: [(u) => this.readOut(u)],
        setSelect: [(u) => u.select.width > 0 && this.onZoom(true)],
      },
    };
    this.plot = new uPlot(options, columns, this.root);
    this.plot.over.addEventListener("mouseleave", () => this.hideTooltip());
    this.onZoom(false);
  }

  size() {
    const width = Math.max(260, this.root.clientWidth);
    return { width, height: Math.max(220, this.root.clientHeight) };
  }

  resize() {
    if (this.plot) this.plot.setSize(this.size());
  }

  // Closed rows as a quiet ground, stock-outs as a hatched one, behind the lines.
  drawStatus(u, colour) {
    const { xs, list, step } = this.data;
    const { ctx } = u;
    const { left, top, width, height } = u.bbox;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    for (let start = 0; start < xs.length; start += 1) {
      const { status } = list[start];
      if (status !== "closed" && status !== "censored") continue;
      let end = start;
      while (end + 1 < xs.length && list[end + 1].status === status) end += 1;
      const from = u.valToPos(xs[start] - step / 2, "x", true);
      const to = u.valToPos(xs[end] + step / 2, "x", true);
      if (to >= left && from <= left + width) {
        ctx.fillStyle = status === "closed" ? colour("--closed") : this.hatch(ctx, colour("--stockout"));
        ctx.fillRect(from, top, Math.max(1, to - from), height);
      }
      start = end;
    }
    ctx.restore();
  }

  hatch(ctx, stroke) {
    const tile = document.createElement("canvas");
    const size = Math.round(6 * devicePixelRatio);
    tile.width = size;
    tile.height = size;
    const pen = tile.getContext("2d");
    pen.strokeStyle = stroke;
    pen.lineWidth = 1.6 * devicePixelRatio;
    pen.globalAlpha = 0.55;
    pen.beginPath();
    for (const shift of [-size, 0, size]) {
      pen.moveTo(shift, size);
      pen.lineTo(shift + size, 0);
    }
    pen.stroke();
    return ctx.createPattern(tile, "repeat");
  }

  // The cutoff, and a ring on what was sold during a stock-out.
  drawMarks(u, colour) {
    const { xs, list, cutoff, step } = this.data;
    const { ctx } = u;
    const { left, top, width, height } = u.bbox;
    const scale = devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    if (cutoff !== null) {
      const x = Math.round(u.valToPos(cutoff + step / 2, "x", true)) + 0.5;
      ctx.strokeStyle = colour("--muted");
      ctx.lineWidth = scale;
      ctx.setLineDash([4 * scale, 4 * scale]);
      ctx.beginPath();
      ctx.moveTo(x, top);
      ctx.lineTo(x, top + height);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.fillStyle = colour("--muted");
      ctx.font = `${11 * scale}px ui-sans-serif, system-ui, sans-serif`;
      ctx.textAlign = "right";
      ctx.fillText("cutoff", x - 5 * scale, top + 11 * scale);
    }
    ctx.strokeStyle = colour("--stockout");
    ctx.fillStyle = colour("--surface");
    ctx.lineWidth = 1.6 * scale;
    for (let index = 0; index < xs.length; index += 1) {
      if (list[index].status !== "censored" || list[index].y === null) continue;
      const x = u.valToPos(xs[index], "x", true);
      if (x < left || x > left + width) continue;
      ctx.beginPath();
      ctx.arc(x, u.valToPos(list[index].y, "y", true), 3 * scale, 0, 2 * Math.PI);
      ctx.fill();
      ctx.stroke();
    }
    ctx.restore();
  }

  date(row, x) {
    if (!this.data.isTime) return `step ${row.ds}`;
    const date = new Date(x * 1000);
    const options = { weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC" };
    if (row.ds.includes("T")) Object.assign(options, { hour: "2-digit", minute: "2-digit", hour12: false });
    return date.toLocaleString("en-GB", options);
  }

  readOut(u) {
    const { idx, left } = u.cursor;
    if (idx === null || idx === undefined || left < 0 || !this.data) return this.hideTooltip();
    const row = this.data.list[idx];
    const x = this.data.xs[idx];
    const lines = [];
    if (row.status) lines.push([row.forecast ? "What came" : "Actual", number(row.y), "history"]);
    if (row.forecast) {
      lines.push(["Mean", number(row.forecast.mean), "forecast"]);
      for (const band of [...this.data.bands].reverse()) {
        const { quantiles } = row.forecast;
        lines.push([`${Math.round(band.level * 100)} %`, `${number(quantiles[band.low])} – ${number(quantiles[band.high])}`, "band"]);
      }
    }
    const date = this.date(row, x);
    const title = document.createElement("strong");
    title.textContent = date;
    const table = document.createElement("dl");
    for (const [name, text, kind] of lines) {
      const dt = document.createElement("dt");
      const dd = document.createElement("dd");
      dt.textContent = name;
      dt.className = kind;
      dd.textContent = text;
      table.append(dt, dd);
    }
    this.tooltip.replaceChildren(title, table);
    if (STATUS_TEXT[row.status]) {
      const note = document.createElement("p");
      note.className = row.status;
      note.textContent = STATUS_TEXT[row.status];
      this.tooltip.append(note);
    }
    this.tooltip.hidden = false;
    const plotLeft = u.over.offsetLeft;
    const width = this.tooltip.offsetWidth;
    const onRight = left + plotLeft + width + 24 < this.root.clientWidth;
    const at = onRight ? left + plotLeft + 14 : left + plotLeft - width - 14;
    this.tooltip.style.transform = `translate(${Math.max(4, at)}px, 18px)`;
    return [date, ...lines.map(([name, text]) => `${name} ${text}`), STATUS_TEXT[row.status]].filter(Boolean).join(", ");
  }

  hideTooltip() {
    this.tooltip.hidden = true;
  }

  key(event) {
    const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    if (!this.plot || !(event.key in moves)) {
      if (event.key === "Escape") this.resetZoom();
      return;
    }
    event.preventDefault();
    const { xs } = this.data;
    const { min, max } = this.plot.scales.x;
    const first = xs.findIndex((x) => x >= min);
    let last = xs.length - 1;
    while (last > first && xs[last] > max) last -= 1;
    const start = this.tooltip.hidden ? (moves[event.key] > 0 ? first - 1 : last + 1) : this.plot.cursor.idx;
    const index = Math.min(last, Math.max(first, start + moves[event.key]));
    this.plot.setCursor({ left: this.plot.valToPos(xs[index], "x"), top: 20 });
    this.spoken.textContent = this.readOut(this.plot) ?? "";
  }
}
