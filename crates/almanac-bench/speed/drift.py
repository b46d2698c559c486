"""How long do profiles and drift take beside Evidently, Polars and ydata-profiling?

drift    two tables of 100,000 rows, 24 numeric and 6 categorical columns, a third of them drifted: ours from two Parquet files to the
         verdict, by sketches and with every value counted; Evidently's `DataDriftPreset` from the same tables in memory.
profile  a Parquet file of sales: ours, all columns with series by `unique_id`; Polars `describe` and `n_unique` of every column.
Each side is run by turns; the least time counts. Needs an environment with evidently==0.7.23 'pandas<3' polars pyarrow.

    cargo build --release -p almanac-profile --example measure
    python drift.py --ours $CARGO_TARGET_DIR/release/examples/measure --sales medium.parquet --rounds 3
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")
ROWS = 100_000


def tables(folder):
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(4)

    def make(shift):
        numbers = {f"x{i}": random.normal(shift * (i < 8) * 0.3, 1 + shift * (i < 4) * 0.2, ROWS) for i in range(24)}
        share = lambda i: np.r_[np.full(7, 0.1 - shift * 0.05 * (i < 2)), 0.3 + shift * 0.35 * (i < 2)]
        words = {f"c{i}": random.choice(list("abcdefgh"), ROWS, p=share(i)) for i in range(6)}
        return pd.DataFrame({**numbers, **words})

    old, new = make(0), make(1)
    paths = [folder / "old.parquet", folder / "new.parquet"]
    old.to_parquet(paths[0])
    new.to_parquet(paths[1])
    return old, new, paths


def evidently(old, new, **options):
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    numbers, words = [f"x{i}" for i in range(24)], [f"c{i}" for i in range(6)]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=words)
    sides = [Dataset.from_pandas(side, data_definition=definition) for side in (new, old)]
    result = Report([DataDriftPreset(**options)]).run(*sides).dict()
    return next(metric["value"]["count"] for metric in result["metrics"] if "count" in str(metric["value"]))


def polars(path):
    import polars as pl

    table = pl.read_parquet(path)
    table.describe()
    return list(table.select(pl.all().n_unique()).row(0))


def ours(binary, *args, env=None):
    done = subprocess.run([binary, *map(str, args)], capture_output=True, check=True, text=True, env={**os.environ, **(env or {})})
    return json.loads(done.stdout)


def timed(ask):
    start, cpu = time.perf_counter(), time.process_time()
    found = ask()
    return time.perf_counter() - start, time.process_time() - cpu, found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True, help="the built example `measure`")
    parser.add_argument("--sales", type=Path, help="a Parquet file with a column unique_id")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    best = {}

    def note(name, seconds, found, **more):
        if name not in best or seconds < best[name]["seconds"]:
            best[name] = {"job": name, "seconds": round(seconds, 4), "found": found, **more}

    with tempfile.TemporaryDirectory() as folder:
        old, new, paths = tables(Path(folder))
        for _ in range(args.rounds):
            for name, extra in [("drift, ours, sketches", []), ("drift, ours, exact", ["exact"])]:
                result = ours(args.ours, "drift", *paths, *extra)
                note(name, result["seconds"], result["found"], peak_mb=round(result["peak_mb"], 1))
            for name, options in [("drift, evidently, default", {}), ("drift, evidently, psi", {"method": "psi"})]:
                seconds, cpu, found = timed(lambda: evidently(old, new, **options))
                note(name, seconds, found, cpu=round(cpu, 3))
    if args.sales:
        for _ in range(args.rounds):
            for name, files in [("profile, ours", [args.sales]), ("profile, ours, six times the file", [args.sales] * 6)]:
                result = ours(args.ours, "profile", *files, env={"KEY": "unique_id"})
                note(name, result["seconds"], result["found"], peak_mb=round(result["peak_mb"], 1))
            seconds, cpu, found = timed(lambda: polars(args.sales))
            note("profile, polars", seconds, found, cpu=round(cpu, 3))
    for line in best.values():
        print(json.dumps(line))
    return 0


if __name__ == "__main__":
    sys.exit(main())
