"""M5, store x department by day: WRMSSE of levels 1 to 9, the sums of the 70 series.

The weights are approximate, since daily sales of items are not at hand: units of the last 28 training days times the mean price in the
store and department in the last week but a few before the cutoff.
"""

import shutil

import metrics
from task import Task

HORIZON = 28
PRICE_WEEK = 11606
LEVELS = [
    [], ["state_id"], ["store_id"], ["cat_id"], ["dept_id"],
    ["state_id", "cat_id"], ["state_id", "dept_id"], ["store_id", "cat_id"], ["store_id", "dept_id"],
]
KEYS = ["state_id", "store_id", "cat_id", "dept_id"]


def tasks(bench):
    full = bench.read("m5/store_dept_daily_train.parquet")
    full = full[full.unique_id.isin(bench.sample(full.unique_id, 14))]
    last = full.d.max()
    train, held = full[full.d <= last - HORIZON], full[full.d > last - HORIZON].reset_index(drop=True)
    raw = bench.raw("m5")
    train.to_parquet(raw / "store_dept_daily_train.parquet")
    shutil.copy(bench.data / "m5/calendar.parquet", raw / "calendar.parquet")

    departments = bench.read("m5/item_store_labels.parquet")[["item_id", "dept_id"]].drop_duplicates()
    prices = bench.read("m5/sell_prices.parquet").query("wm_yr_wk == @PRICE_WEEK").merge(departments, on="item_id")
    price = prices.groupby(["store_id", "dept_id"], as_index=False).sell_price.mean()
    units = train[train.d > last - 2 * HORIZON].groupby(KEYS, as_index=False).y.sum()
    value = units.merge(price, on=["store_id", "dept_id"])
    value["value"] = value.y * value.sell_price

    def score(held, f):
        by_level = metrics.wrmsse(held, f, train, LEVELS, value)
        figures = {"WRMSSE 1-9": sum(by_level) / len(by_level), "WAPE": metrics.wape(held, f)}
        return figures | {f"level {number}": got for number, got in enumerate(by_level, 1)}

    yield Task(
        name="m5", title="M5 store x department, daily", horizon=HORIZON, metric="WRMSSE 1-9", source=raw, target="y", train=train,
        held=held, freq="D", naive_season=7, score=score, yardstick="0.40 wanted; M5 winner 0.42, ES_bu 0.60 (other days)",
    )
