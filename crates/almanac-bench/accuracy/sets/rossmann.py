"""Rossmann stores by day: RMSPE over days with sales. The held-out rows' known-ahead columns are given to the program, as in the competition."""

import shutil

import pandas as pd

import metrics
from task import Task

HORIZON = 42


def tasks(bench):
    full = bench.read("rossmann/train.parquet")
    ids = bench.sample(full.unique_id)
    full = full[full.unique_id.isin(ids)]
    cut = full.ds.max() - pd.Timedelta(days=HORIZON)
    train, after = full[full.ds <= cut], full[full.ds > cut]
    raw = bench.raw("rossmann")
    train.to_parquet(raw / "train.parquet")
    after[list(bench.read("rossmann/future_exog.parquet").columns)].to_parquet(raw / "future_exog.parquet")
    shutil.copy(bench.data / "rossmann/stores.parquet", raw / "stores.parquet")
    held = after[after.y > 0].astype({"unique_id": str}).reset_index(drop=True)
    yield Task(
        name="rossmann", title="Rossmann", horizon=HORIZON, metric="RMSPE", source=raw, target="y",
        train=train.astype({"unique_id": str}), held=held, freq="D", naive_season=7, missing="drop",
        score=lambda held, f: {"RMSPE": metrics.rmspe(held, f), "WAPE": metrics.wape(held, f)},
        yardstick="about 0.10, winner (other days)",
    )
