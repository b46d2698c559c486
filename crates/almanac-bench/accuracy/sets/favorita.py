"""Favorita, customer transactions of each store by day: RMSLE. Made of the competition's own CSV files."""

import shutil

import pandas as pd

import metrics
from task import Task

HORIZON = 16


def tasks(bench):
    source = bench.data / "favorita_store_transactions_raw"
    full = pd.read_csv(source / "transactions.csv", dtype=str)
    full = full[full.store_nbr.isin(bench.sample(full.store_nbr, 20))]
    dates = pd.to_datetime(full.date)
    cut = dates.max() - pd.Timedelta(days=HORIZON)
    raw = bench.raw("favorita")
    full[dates <= cut].to_csv(raw / "transactions.csv", index=False)
    for name in ("stores.csv", "holidays_events.csv", "oil.csv"):
        shutil.copy(source / name, raw / name)
    long = pd.DataFrame({"unique_id": full.store_nbr, "ds": dates.astype("datetime64[us]"), "y": full.transactions.astype(float)})
    yield Task(
        name="favorita", title="Favorita, transactions", horizon=HORIZON, metric="RMSLE", source=raw, target="transactions",
        train=long[long.ds <= cut].reset_index(drop=True), held=long[long.ds > cut].reset_index(drop=True), freq="D", naive_season=7,
        missing="drop", score=lambda held, f: {"RMSLE": metrics.rmsle(held, f), "WAPE": metrics.wape(held, f)},
    )
