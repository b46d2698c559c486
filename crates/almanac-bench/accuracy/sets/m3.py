"""M3, all 3,003 series, on its official test: sMAPE. Each group is a project of its own."""

import metrics
from sets.dateless import ended_together
from task import Task

# Period: horizon, season, and the known sMAPE and MASE of the seasonal naive forecast: who does not reach them has read the data wrongly.
GROUPS = {
    "YEARLY": (6, 1, (17.880, 3.172)),
    "QUARTERLY": (8, 4, (11.065, 1.425)),
    "MONTHLY": (18, 12, (17.234, 1.146)),
    "OTHER": (8, 1, (6.302, 3.089)),
}


def tasks(bench):
    train, test, info = (bench.read(f"m3/{part}.parquet") for part in ("train", "test", "info"))
    for group, (horizon, season, known) in GROUPS.items():
        ids = bench.sample(info[info.period == group].unique_id)
        history, held = ended_together(*(frame[frame.unique_id.isin(ids)] for frame in (train, test)))
        name = f"m3_{group.lower()}"
        source = bench.raw(name) / "train.parquet"
        history.to_parquet(source)
        scale = metrics.scales(history, metrics.absolute_scale, season)
        yield Task(
            name=name, title=f"M3 {group.lower()}, official test", horizon=horizon, metric="sMAPE", source=source, target="y",
            train=history, held=held, freq="step", naive_season=season, season=season,
            known=dict(zip(("sMAPE", "MASE"), known)),
            score=lambda held, f, scale=scale: {"sMAPE": metrics.smape(held, f), "MASE": metrics.mase(held, f, scale)},
        )


def summary(results):
    """The mean over all series, from the means of the groups."""
    total = sum(result["series"] for result in results)
    over = lambda of: sum(of(result) * result["series"] for result in results) / total
    rows = sum(result["series"] * result["h"] for result in results)
    cover = lambda level: sum(result[level] * result["series"] * result["h"] for result in results) / rows
    whole = {
        "set": "m3", "title": "M3, all groups, official test", "series": total, "h": "6–18", "metric": "sMAPE",
        "score": over(lambda r: r["score"]),
        "figures": {name: over(lambda r, name=name: r["figures"][name]) for name in ("sMAPE", "MASE")},
        "seasonal_naive": {"sMAPE": over(lambda r: r["seasonal_naive"]["sMAPE"])}, "cover80": cover("cover80"), "cover95": cover("cover95"),
        "wall_s": round(sum(r["wall_s"] for r in results), 1), "cpu_s": round(sum(r["cpu_s"] for r in results), 1),
        "peak_mb": max(r["peak_mb"] for r in results), "champion": "by group", "quick": results[0]["quick"], "models_asked": results[0]["models_asked"],
        "yardstick": "12.63, statsforecast's mean of ARIMA, ETS, CES and theta",
    }
    shared = set.intersection(*(set(r.get("models", {})) for r in results))
    whole["models"] = {m: {"sMAPE": over(lambda r, m=m: r["models"][m]["sMAPE"])} for m in shared}
    shared = set.intersection(*(set(r.get("combined", {})) for r in results))
    whole["combined"] = {m: {"sMAPE": over(lambda r, m=m: r["combined"][m]["sMAPE"])} for m in shared}
    return [whole] if len(results) == len(GROUPS) else []
