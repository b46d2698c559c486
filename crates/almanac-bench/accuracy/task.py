"""A task: what the program is given, what was held out, and how its forecast of that is scored."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Callable

import numpy as np
import pandas as pd

from naive import seasonal_naive


@dataclass
class Task:
    """One project of a set.

    `train` and `held` are frames of unique_id, ds, y and whatever the score needs; `score(held, forecast)` gives figures by name,
    of which `metric` stands in the table. A held-out row without forecast (a series that the program had never seen) counts as
    `missing` says: "error", "zero", or "drop". `known` has published figures of the seasonal naive forecast, to three decimals.
    `single` marks a source without ids, `naive_season` the season of the naive forecast, and `season` what the project is told.
    """

    name: str
    title: str
    horizon: int
    metric: str
    source: Path
    target: str
    train: pd.DataFrame
    held: pd.DataFrame
    score: Callable[[pd.DataFrame, np.ndarray], dict]
    freq: str
    naive_season: int
    season: int | None = None
    missing: str = "error"
    known: dict = field(default_factory=dict)
    single: bool = False
    yardstick: str = ""
    quantile_score: Callable[[pd.DataFrame, pd.DataFrame], dict] | None = None
    rivals: dict = field(default_factory=dict)
    peers: list = field(default_factory=list)

    def baseline(self):
        """The seasonal naive forecast of the held-out rows."""
        return np.nan_to_num(seasonal_naive(self.train, self.held, self.freq, self.naive_season))

    def of_series(self, ids):
        """The same task for some of the series."""
        some = lambda frame: frame[frame.unique_id.isin(ids)]
        return replace(self, train=some(self.train), held=some(self.held))

    def align(self, forecast):
        """The forecast table in the order of the held-out rows, NaN where there is no forecast."""
        if self.single:
            forecast = forecast.assign(unique_id="")
        if self.freq != "step":
            forecast = forecast.assign(ds=pd.to_datetime(forecast.ds).astype("datetime64[us]"))
        joined = self.held[["unique_id", "ds"]].merge(forecast, on=["unique_id", "ds"], how="left", validate="one_to_one")
        assert len(joined) == len(self.held)
        return joined

    def figures(self, table):
        """All figures of a forecast that is aligned with the held-out rows."""
        lost = table["mean"].isna().to_numpy()
        if lost.all() or (lost.any() and self.missing == "error"):
            raise ValueError(f"{self.name}: {lost.sum()} of {len(lost)} rows have no forecast, the first is {table[lost].iloc[0, :2].tolist()}")
        held = self.held
        if self.missing == "zero":
            table = table.assign(mean=table["mean"].fillna(0.0))
        elif lost.any():
            held, table = held[~lost], table[~lost]
        figures = self.score(held, table["mean"].to_numpy(float))
        if self.quantile_score:
            figures |= self.quantile_score(held, table)
        return figures, int(lost.sum())
