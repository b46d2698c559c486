"""Walmart stores and departments by week: WMAE, holiday weeks count five times. Made of the competition's own CSV files."""

import shutil

import numpy as np
import pandas as pd

import metrics
from peers import Peer
from task import Task

HORIZON = 39


def tasks(bench):
    full = pd.read_csv(bench.data / "walmart_raw/train.csv", dtype=str)
    full = full[full.Store.isin(bench.sample(full.Store, 2))]
    full["unique_id"] = full.Store + "/" + full.Dept
    dates = pd.to_datetime(full.Date)
    cut = dates.max() - pd.Timedelta(weeks=HORIZON)
    raw, columns = bench.raw("walmart"), ["Store", "Dept", "Date", "Weekly_Sales", "IsHoliday"]
    full[dates <= cut][columns].to_csv(raw / "train.csv", index=False)
    full[dates > cut][columns].drop(columns="Weekly_Sales").to_csv(raw / "test.csv", index=False)
    for name in ("features.csv", "stores.csv"):
        shutil.copy(bench.data / "walmart_raw" / name, raw / name)
    long = pd.DataFrame({
        "unique_id": full.unique_id, "ds": dates.astype("datetime64[us]"), "y": full.Weekly_Sales.astype(float),
        "store": full.Store.astype("int16"), "dept": full.Dept.astype("int16"), "is_holiday": (full.IsHoliday == "TRUE").astype("int8"),
    })
    train, held = long[long.ds <= cut].reset_index(drop=True), long[long.ds > cut].reset_index(drop=True)

    def score(held, f):
        return {"WMAE": metrics.wmae(held, f, np.where(held.is_holiday == 1, 5.0, 1.0)), "WAPE": metrics.wape(held, f)}

    # ETS of statsforecast leaves a season of 52 out by itself: it knows none longer than 24.
    lightgbm = {"lags": [1, 2, 4, 13, 52], "windows": [4, 13], "date_features": ["week", "month"], "static": ["store", "dept"]}
    yield Task(
        name="walmart", title="Walmart, weekly", horizon=HORIZON, metric="WMAE", source=raw, target="Weekly_Sales", train=train, held=held,
        freq="W", naive_season=52, missing="zero", score=score,
        peers=[(Peer("AutoETS", 52, "W-FRI", HORIZON), None), (Peer("LightGBM", 52, "W-FRI", HORIZON, options=lightgbm), None)],
    )
