"""Times one peer's model over the series of a file, one thread: FILE ROWS FREQ SEASON HORIZON MODEL. One JSON line."""

import json
import logging
import os
import sys
import time

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
import pandas as pd

LEAST_SECONDS = 0.5


def clock():
    return time.perf_counter(), time.process_time()


def statsforecast(model, season, freq, horizon):
    import statsforecast.models as models
    from statsforecast import StatsForecast

    make = lambda: eval(model, vars(models) | {"s": season})  # noqa: S307: a name of the table in __main__.py

    def call(frame):
        made = StatsForecast(models=[make()], freq=freq, n_jobs=1).forecast(df=frame, h=horizon)
        return float(made[made.columns[-1]].sum())

    return call


def prophet(horizon):
    from prophet import Prophet

    logging.disable(logging.CRITICAL)

    def call(frame):
        total = 0.0
        for _, one in frame.groupby("unique_id"):
            fitted = Prophet(uncertainty_samples=0).fit(one[["ds", "y"]])
            total += float(fitted.predict(fitted.make_future_dataframe(horizon, include_history=False)).yhat.sum())
        return total

    return call


def main():
    file, rows, freq, season, horizon, model = sys.argv[1:]
    rows, season, horizon = int(rows), int(season), int(horizon)
    y = np.fromfile(file, "<f8")
    n = len(y) // rows
    first = "2020-01-01"
    frame = pd.DataFrame({
        "unique_id": np.repeat([f"s{k:07}" for k in range(n)], rows), "ds": np.tile(pd.date_range(first, periods=rows, freq=freq), n), "y": y,
    })
    call = prophet(horizon) if model == "prophet" else statsforecast(model, season, freq, horizon)
    few = min(n, 20)
    started = clock()
    call(frame.iloc[: few * rows])
    cold = clock()[1] - started[1]
    spent, calls, total = 0.0, 0, 0.0
    while calls < 1 or spent < LEAST_SECONDS:
        started = clock()
        total = call(frame)
        spent += clock()[1] - started[1]
        calls += 1
    print(json.dumps({"cpu_ms": 1e3 * spent / calls / n, "cold_ms": 1e3 * cold / few, "checksum": total, "calls": calls}))


if __name__ == "__main__":
    main()
