#!/usr/bin/env python3
"""How long do twelve expectations take over a panel of 5.475 M rows, beside Great Expectations and hand-written Polars?

  python -m venv gx && gx/bin/pip install great-expectations==1.24.1 'pandas<3' pyarrow polars
  cargo build --release -p almanac-expect --example check
  gx/bin/python crates/almanac-bench/speed/expectations.py PANEL.parquet --ours PATH/TO/examples/check [--rounds 3] [--times 6]

PANEL has columns unique_id, ds, y, price, category and is sorted by unique_id and ds. Each contender reads the file anew and judges it, in a
process of its own, by turns; the best of the rounds counts. `--times N` repeats the panel under other names for the large case, without
Great Expectations. Nulls, a compound key, ranges, a set, a pattern, an order, a type, a row count, a mean and quantiles are judged.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CATEGORIES = ["BAKERY", "BEVERAGE", "DAIRY", "FOODS", "FROZEN", "HOBBIES", "HOUSEHOLD", "PRODUCE"]
PATTERN = r"^[A-Z]{2}_R\d{2}_S\d{3}_[A-Z]+_\d{3}$"
SUITE = [
    ("expect_column_values_to_not_be_null", {"column": "y"}),
    ("expect_column_values_to_not_be_null", {"column": "unique_id"}),
    ("expect_compound_columns_to_be_unique", {"column_list": ["unique_id", "ds"]}),
    ("expect_column_values_to_be_between", {"column": "y", "min_value": 0, "max_value": 1e6}),
    ("expect_column_values_to_be_between", {"column": "price", "min_value": 0.01, "max_value": 1e4}),
    ("expect_column_values_to_be_in_set", {"column": "category", "value_set": CATEGORIES}),
    ("expect_column_values_to_match_regex", {"column": "unique_id", "regex": PATTERN}),
    ("expect_column_values_to_be_increasing", {"column": "row"}),
    ("expect_column_values_to_be_of_type", {"column": "y", "type_": "float64"}),
    ("expect_table_row_count_to_be_between", {"min_value": 1_000_000, "max_value": 40_000_000}),
    ("expect_column_mean_to_be_between", {"column": "y", "min_value": 1, "max_value": 50}),
    ("expect_column_quantile_values_to_be_between", {"column": "price", "quantile_ranges": {"quantiles": [0.05, 0.5, 0.95], "value_ranges": [[0.1, 5], [1, 10], [3, 30]]}}),
]


def great_expectations(path):
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import logging

    import great_expectations as gx
    import pandas as pd

    logging.disable(logging.WARNING)
    start = time.perf_counter()
    frame = pd.read_parquet(path)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    batch = context.data_sources.add_pandas("p").add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")
    names = {name.lower(): name for name in dir(gx.expectations)}
    made = [getattr(gx.expectations, names[kind.replace("_", "")])(**kwargs) for kind, kwargs in SUITE]
    result = batch.get_batch(batch_parameters={"dataframe": frame}).validate(gx.ExpectationSuite(name="s", expectations=made), result_format="BOOLEAN_ONLY")
    return time.perf_counter() - start, bool(result.success)


def polars(path):
    import polars as pl

    start = time.perf_counter()
    c = pl.col
    found = pl.scan_parquet(path).select(
        c("y").null_count() == 0, c("unique_id").null_count() == 0, (pl.struct("unique_id", "ds").n_unique() == pl.len()).alias("u"),
        c("y").is_between(0, 1e6).all().alias("a"), c("price").is_between(0.01, 1e4).all().alias("b"), c("category").is_in(CATEGORIES).all().alias("c"),
        c("unique_id").str.contains(PATTERN).all().alias("d"), (c("row").diff().drop_nulls() >= 0).all().alias("e"), pl.len().is_between(1_000_000, 40_000_000).alias("f"),
        c("y").mean().is_between(1, 50).alias("g"), *[c("price").quantile(q).is_between(low, high).alias(f"q{q}") for q, low, high in ((0.05, 0.1, 5), (0.5, 1, 10), (0.95, 3, 30))],
    ).collect().row(0)
    return time.perf_counter() - start, all(found)


def write(panel, path, times):
    import polars as pl

    frame = pl.read_parquet(panel)
    frames = [frame.with_columns(pl.col("unique_id").str.replace("_S0", f"_S{k}")) for k in range(times)]
    pl.concat(frames).with_row_index("row").with_columns(pl.col("row").cast(pl.Int64)).write_parquet(path, row_group_size=547_500)
    return len(frame) * times


def turn(command):
    """Returns seconds, verdict and peak memory in GB of a process."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    out = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command} failed: {out}")
    return out, used.ru_maxrss / 2**20


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("panel")
    parser.add_argument("--ours")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--only", choices=["great_expectations", "polars"], help=argparse.SUPPRESS)
    parser.add_argument("--write", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.write:
        print(write(args.panel, args.write, args.times))
        return
    if args.only:
        print(json.dumps({"great_expectations": great_expectations, "polars": polars}[args.only](args.panel)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path, suite = Path(folder, "panel.parquet"), Path(folder, "suite.json")
        # In a process of its own: a child's peak is counted from what its parent held when it was started.
        rows = int(turn([sys.executable, __file__, args.panel, "--write", str(path), "--times", str(args.times)])[0])
        expectations = [{"type": kind, "kwargs": kwargs} for kind, kwargs in SUITE]
        suite.write_text(json.dumps({"name": "s", "meta": {"great_expectations_version": "1.24.1"}, "expectations": expectations}))
        peers = ["polars"] + (["great_expectations"] if args.times == 1 else [])
        best = {}
        for _ in range(args.rounds):
            out, memory = turn([args.ours, str(path), str(suite)])
            seconds, verdict = float(out.split()[0]), "failed: []" in out
            for name, figures in [("almanac", (seconds, verdict, memory))] + [
                (peer, (*json.loads((answer := turn([sys.executable, __file__, str(path), "--only", peer]))[0]), answer[1])) for peer in peers
            ]:
                best[name] = min(best.get(name, (1e9, None, 0)), figures)
        for name, (seconds, verdict, memory) in best.items():
            print(f"{name:20} {rows:>12,} rows {seconds:8.2f} s  {seconds / best['almanac'][0]:6.1f} x  {memory:5.2f} GB  holds: {verdict}")


if __name__ == "__main__":
    main()
