#!/usr/bin/env python3
"""Ingest to gold against the same features in mlforecast: 5,000 series x 1,095 days (5.5 M rows), one machine, in turn.

  ingest_to_gold.py --almanac bin/almanac --panel medium.parquet [--runs 3] [--threads 2]

Ours: `almanac run --only gold` in a fresh project: the Parquet file to bronze, silver (regular panel), checks, gold (lags 1, 7, 14, 28,
30, 365; rolling mean, std, min, max over 7, 28, 90; and what else the gold layer holds), all on disk and synced.
Theirs: read the three columns, MLForecast.preprocess with the same lags and windows, write Parquet (zstd).
Prints one JSON line a side and the ratio of the medians.
"""
import argparse, json, os, resource, shutil, statistics, subprocess, sys, tempfile, time
from pathlib import Path

LAGS, WINDOWS = [1, 7, 14, 28, 30, 365], [7, 28, 90]
PROJECT = """[data]
source = "{panel}"
id = ["unique_id"]
time = "ds"
target = "y"
freq = "D"
gaps = "missing"
[features]
lags = {lags}
windows = {windows}
[forecast]
horizon = 28
"""
THEIRS = """
import sys, pandas as pd
from mlforecast import MLForecast
from mlforecast.lag_transforms import RollingMax, RollingMean, RollingMin, RollingStd
df = pd.read_parquet(sys.argv[1], columns=["unique_id", "ds", "y"])
f = MLForecast(models=[], freq="D", lags={lags}, num_threads={threads},
               lag_transforms={{1: [T(w) for w in {windows} for T in (RollingMean, RollingStd, RollingMin, RollingMax)]}},
               date_features=["dayofweek", "day", "month", "quarter", "year", "dayofyear"])
f.preprocess(df, static_features=[], dropna=False).to_parquet(sys.argv[2], compression="zstd")
"""


def timed(args):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    process = subprocess.Popen(["/usr/bin/time", "-f", "%M", *map(str, args)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    _, err = process.communicate()
    wall = time.perf_counter() - started
    if process.returncode:
        sys.exit(f"{args}: exit {process.returncode}\n{err}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, int(err.strip().splitlines()[-1]) / 1024


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--almanac", type=Path, required=True); ap.add_argument("--panel", type=Path, required=True)
    ap.add_argument("--runs", type=int, default=3); ap.add_argument("--threads", type=int, default=2)
    a = ap.parse_args(); figures = {"almanac": [], "mlforecast": []}
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch); script = scratch / "theirs.py"
        script.write_text(THEIRS.format(lags=LAGS, windows=WINDOWS, threads=a.threads))
        for _ in range(a.runs):
            project = scratch / "project"; shutil.rmtree(project, ignore_errors=True); project.mkdir()
            (project / "almanac.toml").write_text(PROJECT.format(panel=a.panel.resolve(), lags=LAGS, windows=WINDOWS))
            figures["almanac"].append(timed([a.almanac.resolve(), "-C", project, "--threads", a.threads, "run", "--only", "gold"]))
            figures["mlforecast"].append(timed([sys.executable, script, a.panel.resolve(), scratch / "theirs.parquet"]))
    medians = {}
    for side, runs in figures.items():
        wall, cpu, peak = (statistics.median(figure) for figure in zip(*runs)); medians[side] = wall
        print(json.dumps({"job": "ingest_to_gold", "side": side, "runs": a.runs, "wall_s": round(wall, 2), "cpu_s": round(cpu, 2), "peak_mb": round(peak)}))
    print(json.dumps({"job": "ingest_to_gold", "ratio": round(medians["mlforecast"] / medians["almanac"], 2)}))
