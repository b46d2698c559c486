#!/usr/bin/env python3
"""How long do the models take beside their Python peers?

  python3 crates/almanac-bench/speed [--only models scale …] [--n 100] [--write BENCHMARKS.md]

models   every model of single series against statsforecast and Prophet: the same daily series (730 rows, season 7) and monthly ones
         (120 rows, season 12), one thread, by turns; the least processor time of each counts. "first call" is what a fresh
         process pays for the first 20 series: numba compiles in statsforecast's.
gbm      a global LightGBM with lags, rolling statistics and calendar, 200 trees, recursive over 28 days, beside mlforecast with the same trees.
scale    seasonal naive over a million series, and AutoETS over 10,000, 30,000 and 100,000 daily series of two years.

Ours is `almanac-bench`, built by cargo if need be. Peers live in an environment of their own, made on first use.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(HERE.parent / "accuracy"))

import environment  # noqa: E402
import report  # noqa: E402

# The program's name of a model, and the peer's, made with the season `s`.
MODELS = {
    "naive": "Naive()", "seasonal_naive": "SeasonalNaive(s)", "drift": "RandomWalkWithDrift()", "historic_average": "HistoricAverage()",
    "window_average": "WindowAverage(s)", "ses": "SimpleExponentialSmoothingOptimized()", "holt": "Holt()", "holt_winters": "HoltWinters(s)",
    "auto_ets": "AutoETS(season_length=s)", "auto_ces": "AutoCES(season_length=s)", "theta": "Theta(season_length=s)",
    "optimized_theta": "OptimizedTheta(season_length=s)", "dynamic_theta": "DynamicTheta(season_length=s)",
    "dynamic_optimized_theta": "DynamicOptimizedTheta(season_length=s)", "auto_theta": "AutoTheta(season_length=s)",
    "auto_arima": "AutoARIMA(season_length=s)", "mstl": "MSTL(season_length=[s, 365] if s == 7 else [s])", "croston": "CrostonClassic()",
    "croston_optimized": "CrostonOptimized()", "sba": "CrostonSBA()", "tsb": "TSB(0.2, 0.1)", "adida": "ADIDA()", "imapa": "IMAPA()",
    "prophet": "prophet",
}
# Models that take so long in Python that a tenth of the series must do.
SLOW = {"auto_arima", "mstl", "prophet"}
SETS = {"daily": (730, 7, 28, "D"), "monthly": (120, 12, 18, "MS")}
SCALE = [("seasonal_naive", 1_000_000, 60), ("auto_ets", 10_000, 730), ("auto_ets", 30_000, 730), ("auto_ets", 100_000, 730)]
GBM = {"series": 1_000, "rows": 1_095, "trees": 200, "threads": 2}
BEGIN = "<!-- speed: begin, written by `make bench-speed` -->"
END = "<!-- speed: end -->"


def arguments():
    parser = argparse.ArgumentParser(prog="speed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=["models", "gbm", "scale"], default=["models", "gbm", "scale"])
    parser.add_argument("--models", nargs="+", default=list(MODELS), metavar="NAME", help="of the job `models`; all by default")
    parser.add_argument("--n", type=int, default=100, help="series of the job `models`")
    parser.add_argument("--rounds", type=int, default=3, help="each side is run so many times, by turns")
    parser.add_argument("--ours", type=Path, help="the built `almanac-bench`; otherwise cargo builds it")
    parser.add_argument("--python", help="interpreter with numpy; otherwise one is made")
    parser.add_argument("--peers-python", help="interpreter with statsforecast and prophet; otherwise one is made")
    parser.add_argument("--out", type=Path, default=Path("/tmp/almanac-speed"), help="series and results")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the tables between the marks of this Markdown file")
    return parser.parse_args()


def built():
    """Builds our side and says where it is."""
    subprocess.run(["cargo", "build", "--release", "--locked", "-p", "almanac-bench"], cwd=ROOT, check=True, stdout=sys.stderr)
    told = subprocess.run(["cargo", "metadata", "--format-version", "1", "--no-deps"], cwd=ROOT, check=True, capture_output=True, text=True)
    return Path(json.loads(told.stdout)["target_directory"]) / "release/almanac-bench"


def lines(command):
    """The JSON lines that a command prints."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def series(n, rows, season, seed):
    """Sales with a level that wanders, a season, and days without a sale in every third series."""
    import numpy as np

    random = np.random.Generator(np.random.PCG64(seed))
    level = 20 + 80 * random.random((n, 1)) + np.cumsum(0.8 * random.standard_normal((n, rows)), axis=1)
    shape = 1 + 0.3 * random.standard_normal((n, season))
    y = np.abs(level) * shape[:, np.arange(rows) % season].clip(0.3) + 5 * random.standard_normal((n, rows)) + 5
    y[::3][random.random(y[::3].shape) < 0.25] = 0
    return np.round(y.clip(0), 1)


def compare(options, ours, peers):
    """One row a model and set, ours and theirs by turns."""
    results = []
    for name_of_set, (rows, season, horizon, freq) in SETS.items():
        for model in options.models:
            if model == "prophet" and name_of_set == "monthly":
                continue
            n = max(options.n // 10, 10) if model in SLOW else options.n
            file = options.out / f"{name_of_set}_{n}.f64"
            series(n, rows, season, 7).astype("<f8").tofile(file)
            mine = [ours, "models", file, "--rows", rows, "--freq", freq, "--horizon", horizon, model]
            theirs = [peers, HERE / "peer_models.py", file, rows, freq, season, horizon, MODELS[model]]
            rounds = [(lines(mine)[0], lines(theirs)[0]) for _ in range(options.rounds)]
            least = lambda side, key: min(one[side][key] for one in rounds)
            result = {
                "set": name_of_set, "model": model, "series": n, "ours_ms": least(0, "cpu_ms"), "theirs_ms": least(1, "cpu_ms"),
                "ours_cold_ms": least(0, "cold_ms"), "theirs_cold_ms": least(1, "cold_ms"),
                "differs": abs(rounds[0][0]["checksum"] / rounds[0][1]["checksum"] - 1),
            }
            print(json.dumps(result), file=sys.stderr, flush=True)
            results.append(result)
    return results


def gbm(options, ours, peers):
    """Ours and theirs by turns, the round with the least processor time of each."""
    file = options.out / "gbm.f64"
    series(GBM["series"], GBM["rows"], 7, 7).astype("<f8").tofile(file)
    mine = [ours, "gbm", file, "--rows", GBM["rows"], "--trees", GBM["trees"], "--threads", GBM["threads"]]
    theirs = [peers, HERE / "peer_gbm.py", file, GBM["rows"], GBM["trees"], GBM["threads"]]
    rounds = [(lines(mine)[0], lines(theirs)[0]) for _ in range(options.rounds)]
    best = lambda side: min((one[side] for one in rounds), key=lambda result: result["cpu_s"])
    results = [{"by": "Almanac", **best(0)}, {"by": "mlforecast and LightGBM", **best(1)}]
    for result in results:
        print(json.dumps(result), file=sys.stderr, flush=True)
    return results


def figure(milliseconds):
    return f"{milliseconds:,.0f} ms" if milliseconds >= 100 else f"{milliseconds:.3g} ms" if milliseconds >= 0.1 else f"{milliseconds * 1e3:.3g} µs"


def models_table(results):
    head = "| model | series | Almanac | peer | peer / Almanac | first call, peer / Almanac | sums differ by |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |"
    row = lambda r: (
        f"| {r['model']} | {r['series']} {r['set']} | {figure(r['ours_ms'])} | {figure(r['theirs_ms'])} | {r['theirs_ms'] / r['ours_ms']:.3g} "
        f"| {r['theirs_cold_ms'] / r['ours_cold_ms']:,.0f} | {100 * r['differs']:.2g} % |"
    )
    return "\n".join([head, *map(row, results)])


def gbm_table(results):
    head = "| global LightGBM, features to forecast | rows | by the clock | of it the fit | processor | WAPE of 28 days held out | peak memory |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    row = lambda r: (
        f"| {r['by']} | {r['rows']:,} | {r['wall_s']:.1f} s | {r['fit_s']:.1f} s | {r['cpu_s']:.1f} s | {r['wape']:.4f} | {r['peak_gib']:.2f} GiB |"
    )
    return "\n".join([head, *map(row, results)])


def scale_table(results):
    head = "| model | series | rows each | by the clock | processor | a series | peak memory |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    row = lambda r: (
        f"| {r['model']} | {r['series']:,} | {r['rows']} | {r['wall_s']:.1f} s | {r['cpu_s']:.1f} s | {figure(1e3 * r['cpu_s'] / r['series'])} "
        f"| {r['peak_gib']:.2f} GiB |"
    )
    return "\n".join([head, *map(row, results)])


def main():
    options = arguments()
    environment.ensure_libraries(options.python)
    options.out.mkdir(parents=True, exist_ok=True)
    ours = options.ours or built()
    parts = []
    for job in options.only:
        file = options.out / f"{job}.json"
        if job != "scale":
            peers = Path(options.peers_python) if options.peers_python else environment.made("speed-peers", HERE / "requirements-peers.txt")
            results = {"models": compare, "gbm": gbm}[job](options, ours, peers)
        else:
            results = []
            for model, n, rows in SCALE:
                results += lines([ours, "scale", model, "--series", n, "--rows", rows])
                print(json.dumps(results[-1]), file=sys.stderr, flush=True)
        file.write_text(json.dumps(results))
    for job, made in [("models", models_table), ("gbm", gbm_table), ("scale", scale_table)]:
        file = options.out / f"{job}.json"
        if file.exists():
            parts.append(made(json.loads(file.read_text())))
    text = "\n\n".join(parts)
    print(text)
    if options.write:
        report.write_between(options.write, BEGIN, END, text)


if __name__ == "__main__":
    main()
