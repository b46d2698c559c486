#!/usr/bin/env python3
"""The features of a panel in memory against polars and mlforecast: the same lags, windows and calendar, the same sum of all values.

  features.py --panel medium.parquet [--threads 1] [--runs 1] [--only polars]

Lags 1, 7, 14, 28, 30, 365; mean, sample deviation, minimum, maximum over the 7, 28, 90 rows before (all of them known); weekday, day,
month, quarter, year, day of year. From data in each one's own memory form to a table in memory: 64-bit numbers there, 32-bit here.
Needs a Parquet file sorted by unique_id and ds, without gaps (unique_id, ds, y), and an interpreter with polars and mlforecast.
Prints one JSON line a side, each with the least wall and CPU seconds of the runs, and the ratios. Sums agree to 1e-7 or it fails.
"""
import argparse, json, os, subprocess, sys, tempfile, time
from importlib.metadata import version
from pathlib import Path

LAGS, WINDOWS = [1, 7, 14, 28, 30, 365], [7, 28, 90]
DATES = ["dayofweek", "day", "month", "quarter", "year", "dayofyear"]
NAMES = [f"lag{l}" for l in LAGS] + [f"{f}{w}" for w in WINDOWS for f in ("mean", "std", "min", "max")]


def least(run, runs):
    wall, cpu, out = [], [], None
    for _ in range(runs):
        out = None
        w, c = time.perf_counter(), time.process_time()
        out = run()
        wall.append(time.perf_counter() - w); cpu.append(time.process_time() - c)
    return {"wall_s": round(min(wall), 4), "cpu_s": round(min(cpu), 4)}, out


def of_polars(panel, threads, runs):
    import polars as pl
    y = pl.col("y"); s = y.shift(1); d = pl.col("ds").dt
    made = [y.shift(l).over("unique_id").alias(f"lag{l}") for l in LAGS]
    for w in WINDOWS:
        made += [getattr(s, f"rolling_{f}")(w).over("unique_id").alias(f"{f}{w}") for f in ("mean", "std", "min", "max")]
    made += [d.weekday().alias("dayofweek"), d.day().alias("day"), d.month().alias("month"), d.quarter().alias("quarter"),
             d.year().alias("year"), d.ordinal_day().alias("dayofyear")]
    df = pl.read_parquet(panel, columns=["unique_id", "ds", "y"])
    seconds, out = least(lambda: df.lazy().with_columns(made).collect(), runs)
    return seconds, out.height, float(sum(out[name].sum() for name in NAMES))


def of_mlforecast(panel, threads, runs):
    import pandas as pd
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import RollingMax, RollingMean, RollingMin, RollingStd
    df = pd.read_parquet(panel, columns=["unique_id", "ds", "y"])
    transforms = {1: [T(w) for w in WINDOWS for T in (RollingMean, RollingStd, RollingMin, RollingMax)]}
    make = lambda: MLForecast(models=[], freq="D", lags=LAGS, num_threads=threads, lag_transforms=transforms, date_features=DATES)
    seconds, out = least(lambda: make().preprocess(df, static_features=[], dropna=False), runs)
    made = [name for name in out.columns if name.startswith(("lag", "rolling"))]
    return seconds, len(out), float(out[made].sum().sum())


def of_almanac(panel, threads, runs):
    import numpy as np, polars as pl
    df = pl.read_parquet(panel, columns=["unique_id", "ds", "y"])
    heads = df.group_by("unique_id", maintain_order=True).agg(pl.col("ds").first().dt.epoch("d").cast(pl.Int64), pl.len().cast(pl.Int64))
    with tempfile.NamedTemporaryFile() as file:
        file.write(np.int64(len(heads)).tobytes())
        file.write(np.ascontiguousarray(heads.select("ds", "len").to_numpy()).astype("<i8").tobytes())
        file.write(df["y"].to_numpy().astype("<f8").tobytes()); file.flush()
        bench = ["cargo", "bench", "-q", "--locked", "-p", "almanac-features", "--bench", "lags_and_windows_of_a_panel", "--"]
        said = subprocess.run([*bench, file.name, str(threads), str(runs)], stdout=subprocess.PIPE, text=True, check=True,
                              cwd=Path(__file__).resolve().parents[3])
    return json.loads(said.stdout.splitlines()[-1])


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--panel", type=Path, required=True); ap.add_argument("--only", choices=["polars", "mlforecast"])
    ap.add_argument("--threads", type=int, default=1); ap.add_argument("--runs", type=int, default=1)
    ap.add_argument("--as-peer", choices=["polars", "mlforecast"], help=argparse.SUPPRESS)
    a = ap.parse_args()
    if a.as_peer:
        seconds, rows, checksum = {"polars": of_polars, "mlforecast": of_mlforecast}[a.as_peer](a.panel, a.threads, a.runs)
        print(json.dumps({"peer": f"{a.as_peer} {version(a.as_peer)}", **seconds, "rows": rows, "checksum": round(checksum, 2)}))
        sys.exit()
    ours = of_almanac(a.panel, a.threads, a.runs); print(json.dumps(ours))
    # The threads of libraries are settled when they are loaded: each peer runs in a process of its own.
    limits = {name: str(a.threads) for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")}
    for peer in [a.only] if a.only else ["polars", "mlforecast"]:
        args = [sys.executable, __file__, "--panel", a.panel, "--threads", a.threads, "--runs", a.runs, "--as-peer", peer]
        said = subprocess.run(list(map(str, args)), stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, **limits})
        theirs = json.loads(said.stdout.splitlines()[-1]); print(json.dumps(theirs))
        apart = abs(theirs["checksum"] / ours["checksum"] - 1)
        if apart > 1e-7 or theirs["rows"] != ours["rows"]:
            sys.exit(f"{theirs['peer']} computes something else: sums differ by {apart:.1e}")
        print(json.dumps({"times_as_long": theirs["peer"], "cpu": round(theirs["cpu_s"] / ours["cpu_s"], 1),
                          "wall": round(theirs["wall_s"] / ours["wall_s"], 1), "sums_apart": float(f"{apart:.1e}")}))
