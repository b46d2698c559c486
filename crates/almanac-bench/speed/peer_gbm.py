"""Times mlforecast with LightGBM over the series of a file, from values to a recursive forecast: FILE ROWS TREES THREADS. One JSON line."""

import json
import resource
import sys
import time

import lightgbm
import numpy as np
import pandas as pd
from mlforecast import MLForecast
from mlforecast.lag_transforms import RollingMean, RollingStd

HORIZON = 28


def main():
    file, rows, trees, threads = sys.argv[1], *map(int, sys.argv[2:])
    y = np.fromfile(file, "<f8").reshape(-1, rows)
    n = len(y)
    frame = lambda part, first: pd.DataFrame({
        "unique_id": np.repeat([f"s{k:07}" for k in range(n)], part.shape[1]),
        "ds": np.tile(pd.date_range(first, periods=part.shape[1]), n), "y": part.ravel(),
    })
    train = frame(y[:, :-HORIZON], "2020-01-01")
    started = time.perf_counter(), time.process_time()
    model = lightgbm.LGBMRegressor(
        n_estimators=trees, num_leaves=63, learning_rate=0.05, max_bin=255, n_jobs=threads, verbose=-1, min_child_samples=20
    )
    forecast = MLForecast(
        models={"m": model}, freq="D", lags=[1, 7, 14, 28], num_threads=threads,
        lag_transforms={1: [RollingMean(7), RollingMean(28), RollingStd(7), RollingStd(28)]},
        date_features=["dayofweek", "day", "month", "dayofyear"],
    )
    features, target = forecast.preprocess(train, static_features=[], return_X_y=True)
    forecast.fit_models(features, target)
    fit_s = time.perf_counter() - started[0]
    said = forecast.predict(HORIZON).sort_values(["unique_id", "ds"]).m.to_numpy().reshape(n, HORIZON)
    wall_s, cpu_s = time.perf_counter() - started[0], time.process_time() - started[1]
    actual = y[:, -HORIZON:]
    print(json.dumps({
        "series": n, "rows": train.shape[0], "trees": trees, "fit_s": fit_s, "wall_s": wall_s, "cpu_s": cpu_s,
        "wape": float(np.abs(actual - said).sum() / np.abs(actual).sum()),
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }))


if __name__ == "__main__":
    main()
