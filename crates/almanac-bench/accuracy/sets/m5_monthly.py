"""M5, item x store by month, 30,490 series: RMSSE and WAPE against bottom-up ETS."""

import metrics
from peers import Peer
from task import Task

HORIZON, SEASON, SAMPLE = 3, 12, 1000


def tasks(bench):
    full = bench.read("m5/item_store_monthly_train.parquet")
    full = full[full.unique_id.isin(bench.sample(full.unique_id))].astype({"y": "float64"})
    first_held = sorted(full.ds.unique())[-HORIZON]
    train, held = full[full.ds < first_held].reset_index(drop=True), full[full.ds >= first_held].reset_index(drop=True)
    source = bench.raw("m5_monthly") / "train.parquet"
    train.to_parquet(source)
    scale = metrics.scales(train, metrics.squared_scale)
    some = bench.sample(full.unique_id, SAMPLE, always=True)
    yield Task(
        name="m5_monthly", title="M5 item x store, monthly", horizon=HORIZON, metric="RMSSE", source=source, target="y", train=train,
        held=held, freq="MS", naive_season=SEASON, rivals={"bottom-up ETS": "auto_ets"},
        peers=[(Peer("AutoETS", SEASON, "MS", HORIZON), some)],
        score=lambda held, f: {"RMSSE": metrics.rmsse(held, f, scale), "WAPE": metrics.wape(held, f)},
    )
