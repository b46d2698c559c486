"""Measures of accuracy, written here from their definitions and apart from the program's own code.

A `held` frame has one row per value held out (unique_id, ds, y), in any order; forecasts are arrays in the order of its rows.
A history is an array of the values of one series, oldest first; `histories` makes them of a training frame.
"""

import numpy as np
import pandas as pd


def histories(train):
    """The values of each series, oldest first, missing ones left out."""
    known = train[train.y.notna()].sort_values(["unique_id", "ds"], kind="stable")
    return {uid: group.to_numpy(float) for uid, group in known.groupby("unique_id", sort=False).y}


def by_series(held, values):
    """Mean of `values` within each series."""
    return pd.Series(np.asarray(values, dtype=float), index=held.unique_id.to_numpy()).groupby(level=0).mean()


def smape(held, forecast):
    """2 |y - f| / (|y| + |f|) in percent, 0 where both are 0; the mean over the steps of a series, then over the series (M3, M4)."""
    y, size = held.y.to_numpy(float), np.abs(held.y.to_numpy(float)) + np.abs(forecast)
    terms = np.divide(200 * np.abs(y - forecast), size, out=np.zeros_like(size), where=size > 0)
    return float(by_series(held, terms).mean())


def absolute_scale(history, season):
    """Mean absolute error of the seasonal naive forecast within the history: the scale of MASE."""
    lag = season if len(history) > season else 1
    return float(np.abs(history[lag:] - history[:-lag]).mean()) if len(history) > lag else np.nan


def squared_scale(history):
    """Mean squared one-step change from the first value that is not 0: the scale of RMSSE (M5)."""
    sold = np.flatnonzero(history)
    steps = np.diff(history[sold[0]:]) if len(sold) else np.array([])
    return float((steps**2).mean()) if len(steps) else np.nan


def scales(train, scale, *args):
    """The scale of every series; series that never change have none."""
    found = pd.Series({uid: scale(history, *args) for uid, history in histories(train).items()}, dtype=float)
    return found[found > 0]


def mase(held, forecast, scale):
    """Mean absolute error over the scale, mean over the series that have one."""
    return float((by_series(held, np.abs(held.y - forecast)) / scale).dropna().mean())


def rmsse(held, forecast, scale):
    """Root of the mean squared error over the scale, mean over the series that have one."""
    return float(np.sqrt(by_series(held, (held.y - forecast) ** 2) / scale).dropna().mean())


def wape(held, forecast):
    """Sum of absolute errors over the sum of the values."""
    return float(np.abs(held.y - forecast).sum() / np.abs(held.y).sum())


def rmspe(held, forecast):
    """Root mean squared relative error; no value may be 0."""
    return float(np.sqrt((((held.y - forecast) / held.y) ** 2).mean()))


def rmsle(held, forecast):
    """Root mean squared error of log(1 + y); forecasts below 0 count as 0."""
    return float(np.sqrt(((np.log1p(held.y) - np.log1p(np.maximum(forecast, 0))) ** 2).mean()))


def wmae(held, forecast, weight):
    """Weighted mean absolute error."""
    return float((weight * np.abs(held.y - forecast)).sum() / np.sum(weight))


def scaled_pinball(held, table, scale):
    """Pinball loss, mean over the quantiles of `table` (columns `q0.1` …), over the scale of MASE, mean over the series that have one."""
    columns = quantile_columns(table)
    losses = []
    for column in columns:
        q, short = float(column[1:]), held.y.to_numpy(float) - table[column].to_numpy(float)
        losses.append(np.maximum(q * short, (q - 1) * short))
    return float((by_series(held, np.mean(losses, axis=0)) / scale).dropna().mean()) if columns else np.nan


def quantile_columns(table):
    return [column for column in table.columns if column[:1] == "q" and column[1:].replace(".", "", 1).isdigit()]


def coverage(held, table):
    """Share of the values within the central 80 % and 95 % interval, ends included."""
    got = {}
    for level, (low, high) in {"80": ("q0.1", "q0.9"), "95": ("q0.025", "q0.975")}.items():
        if low in table.columns and table[low].notna().any():
            y = held.y.to_numpy(float)
            slack = 1e-9 * np.maximum(1, np.abs(y))
            within = (y >= table[low].to_numpy(float) - slack) & (y <= table[high].to_numpy(float) + slack)
            got[f"cover{level}"] = float(within[table[low].notna().to_numpy()].mean())
    return got


def wrmsse(held, forecast, train, levels, value):
    """WRMSSE of each level, given as lists of key columns: errors and histories are summed to the nodes first (M5).

    `train` and `held` have the key columns; `value` has them and the column `value`, by which nodes are weighed.
    """
    found = []
    for keys in levels:
        def node(frame):
            return frame[keys].astype(str).agg("/".join, axis=1) if keys else pd.Series("total", index=frame.index)
        history = train.groupby([node(train), "ds"]).y.sum().unstack()
        sums = pd.DataFrame({"node": node(held), "ds": held.ds, "error": held.y - forecast}).groupby(["node", "ds"]).error.sum()
        weight = value.groupby(node(value)).value.sum()
        scale = history.apply(lambda row: squared_scale(row.to_numpy(float)), axis=1)
        scores = np.sqrt((sums**2).groupby("node").mean() / scale)
        found.append(float((scores * weight / weight.sum()).sum()))
    return found
