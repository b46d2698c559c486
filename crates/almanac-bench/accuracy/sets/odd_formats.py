"""Three small CSV files with awkward dates, order and gaps, one series each: WAPE. The lines that stay are given as they are."""

import pandas as pd

import metrics
from task import Task

# File: column of the date, target, horizon, season of the naive forecast, frequency.
FILES = {
    "us_gasoline": ("Week", "Gasoline", 13, 52, "W"),
    "temps": ("Date", "Daily minimum temperatures", 28, 7, "D"),
    "monthly-milk-incomplete": ("Month", "Pounds per cow", 12, 12, "MS"),
}


def tasks(bench):
    for name, (time, target, horizon, season, freq) in FILES.items():
        file = bench.data / "odd_formats_raw" / f"{name}.csv"
        frame = pd.read_csv(file, dtype=str)
        frame.columns = [column.strip() for column in frame.columns]
        long = pd.DataFrame({
            "unique_id": "", "ds": pd.to_datetime(frame[time]).astype("datetime64[us]"),
            "y": pd.to_numeric(frame[target], errors="coerce"), "line": range(1, len(frame) + 1),
        }).dropna().sort_values("ds")
        train, held = long.iloc[:-horizon], long.iloc[-horizon:].reset_index(drop=True)
        lines = file.read_text().splitlines(keepends=True)
        source = bench.raw(name) / file.name
        source.write_text("".join(lines[line] for line in [0, *sorted(train.line)]))
        yield Task(
            name=name, title=name.replace("-", " ").replace("_", " "), horizon=horizon, metric="WAPE", source=source, target=target,
            train=train, held=held, freq=freq, naive_season=season, missing="drop", single=True,
            score=lambda held, f: {"WAPE": metrics.wape(held, f)},
        )
