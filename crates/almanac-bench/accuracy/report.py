"""Results as JSON lines, and as a Markdown table."""

import json
import math

BEGIN, END = "<!-- accuracy: begin, written by `make bench-accuracy` -->", "<!-- accuracy: end -->"
HEAD = ["set", "series", "h", "metric", "Almanac", "seasonal naive", "others", "80 % / 95 % interval holds", "champion", "run: wall, CPU, peak"]


def line(result):
    return json.dumps(plain(result), ensure_ascii=False)


def plain(value):
    """NaN is no JSON: it becomes null."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and math.isnan(value) else round(value, 6) if isinstance(value, float) else value


def number(value):
    """Four figures that matter."""
    if value is None or value != value:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.2f}" if abs(value) >= 10 else f"{value:.3f}"


def percent(value):
    return "–" if value is None else f"{100 * value:.1f} %"


def row(result):
    metric = result["metric"]
    others = [f"{name} {number(figures.get(metric))}" for name, figures in result.get("rivals", {}).items()]
    for name, figures in result.get("peers", {}).items():
        if "error" in figures:
            others.append(f"{name} failed")
        elif "almanac_on_the_same" in figures:
            ours = number(figures["almanac_on_the_same"][metric])
            others.append(f"{name} {number(figures[metric])}, Almanac {ours}, on {figures['series']:,} series")
        else:
            others.append(f"{name} {number(figures[metric])}")
    if result.get("yardstick"):
        others.append(result["yardstick"])
    further = [f"{name} {number(value)}" for name, value in result["figures"].items() if name != metric and not name.startswith("level ")]
    score = number(result["score"]) + (f" ({', '.join(further)})" if further else "")
    cost = f"{result['wall_s']:.0f} s, {result['cpu_s']:.0f} s, {result['peak_mb'] / 1024:.2f} GB"
    cells = [
        result["title"] + (", quick" if result["quick"] else ""), f"{result['series']:,}", str(result["h"]), metric, score,
        number(result["seasonal_naive"].get(metric)), "; ".join(others), f"{percent(result.get('cover80'))} / {percent(result.get('cover95'))}",
        result["champion"], cost,
    ]
    return "| " + " | ".join(cells) + " |"


def newest(file):
    """The last result of every set in a file of JSON lines that stands for the program as it comes: all series, models `auto`."""
    lines = [json.loads(text) for text in file.read_text().splitlines()]
    whole = [result for result in lines if not result["quick"] and result.get("models_asked", ["auto"]) == ["auto"]]
    return sorted({result["set"]: result for result in whole}.values(), key=lambda result: result["order"])


def table(results):
    right = {"series", "h", "Almanac", "seasonal naive"}
    rule = "| " + " | ".join("---:" if name in right else "---" for name in HEAD) + " |"
    return "\n".join(["| " + " | ".join(HEAD) + " |", rule, *map(row, results)])


def write_between(file, begin, end, text):
    """Replaces what stands between two marks of a Markdown file."""
    page = file.read_text()
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"{file} has no lines `{begin}` and `{end}`")
    file.write_text(f"{before}{begin}\n{text}\n{end}{after}")
