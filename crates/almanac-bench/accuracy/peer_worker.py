"""Runs one peer in a process of its own: reads train.parquet, ahead.parquet and spec.json, writes forecast.parquet, prints the seconds."""

import json
import sys
import time
from pathlib import Path

import pandas as pd

# Central intervals in percent, which together are the quantiles that Almanac issues.
LEVELS = [50, 67, 80, 95, 99]
# Models of statsforecast that have no intervals of their own get conformal ones, from this many windows.
WINDOWS = 3
WITHOUT_INTERVALS = {"CrostonClassic", "CrostonOptimized", "CrostonSBA", "TSB", "IMAPA", "ADIDA"}
OPTIONS = {"TSB": {"alpha_d": 0.2, "alpha_p": 0.2}}
SEASONLESS = WITHOUT_INTERVALS | {"Naive"}


def with_statsforecast(spec, train):
    from statsforecast import StatsForecast, models
    from statsforecast.utils import ConformalIntervals

    name = spec["name"]
    options = OPTIONS.get(name, {}) | spec["options"]
    if name not in SEASONLESS:
        options["season_length"] = spec["season"]
    if spec["quantiles"] and name in WITHOUT_INTERVALS:
        options["prediction_intervals"] = ConformalIntervals(h=spec["horizon"], n_windows=WINDOWS)
    model = getattr(models, name)(**options)
    freq = 1 if spec["freq"] == "step" else spec["freq"]
    sf = StatsForecast([model], freq=freq, n_jobs=spec["threads"], fallback_model=models.Naive())
    table = sf.forecast(df=train, h=spec["horizon"], level=LEVELS if spec["quantiles"] else None)
    return renamed(table, [column for column in table.columns if column not in ("unique_id", "ds")][0])


def renamed(table, model):
    names = {model: "mean"}
    for level in LEVELS:
        low = round((1 - level / 100) / 2, 4)
        names |= {f"{model}-lo-{level}": f"q{low:g}", f"{model}-hi-{level}": f"q{1 - low:g}"}
    table = table.rename(columns=names)
    if len(table.columns) > 3:
        table["q0.5"] = table["mean"]
    return table


def with_mlforecast(spec, train, ahead):
    """One LightGBM for all series, recursive, with lags, rolling means, the calendar and what is known ahead."""
    import lightgbm as lgb
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import RollingMean, RollingStd

    options = spec["options"]
    model = lgb.LGBMRegressor(n_estimators=200, num_leaves=63, learning_rate=0.05, n_jobs=spec["threads"], verbose=-1, random_state=42)
    windows = [transform(span) for span in options["windows"] for transform in (RollingMean, RollingStd)]
    forecaster = MLForecast(
        models={"mean": model},
        freq=spec["freq"],
        lags=options["lags"],
        lag_transforms={1: windows},
        date_features=options["date_features"],
        num_threads=spec["threads"],
    )
    static = options["static"]
    known = [column for column in ahead.columns if column not in ("unique_id", "ds", *static)]
    train = without_gaps(train, spec["freq"], static, known)
    forecaster.fit(train[["unique_id", "ds", "y", *static, *known]], static_features=static)
    grid = forecaster.make_future_dataframe(spec["horizon"])
    future = grid.merge(ahead[["unique_id", "ds", *known]], on=["unique_id", "ds"], how="left")
    # A series without a held-out row takes what the others have on that day.
    for column in known:
        future[column] = future[column].fillna(future.groupby("ds")[column].transform("max")).fillna(0).astype(train[column].dtype)
    return forecaster.predict(spec["horizon"], X_df=future if known else None)


def without_gaps(train, freq, static, known):
    """Missing rows as 0, since the library wants none; known-ahead columns take what the others have on that day."""
    from utilsforecast.preprocessing import fill_gaps

    filled = fill_gaps(train, freq=freq)
    filled["y"] = filled.y.fillna(0.0)
    for column in [*static, *known]:
        within = "unique_id" if column in static else "ds"
        filled[column] = filled[column].fillna(filled.groupby(within)[column].transform("max")).astype(train[column].dtype)
    return filled


def main(folder):
    spec = json.loads((folder / "spec.json").read_text())
    train, ahead = pd.read_parquet(folder / "train.parquet"), pd.read_parquet(folder / "ahead.parquet")
    train = train[train.y.notna()]
    started = time.monotonic()
    if spec["name"] == "LightGBM":
        table = with_mlforecast(spec, train, ahead)
    else:
        table = with_statsforecast(spec, train[["unique_id", "ds", "y"]])
    seconds = time.monotonic() - started
    table.reset_index(drop=True).to_parquet(folder / "forecast.parquet")
    print(f"{seconds:.1f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
