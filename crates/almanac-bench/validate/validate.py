#!/usr/bin/env python3
"""Validation on real data: how good is `almanac init` + `almanac run` with nothing written by hand?

Each set is cut: the last h steps are taken away, the rest goes to a fresh project. `almanac init` is told only the target and the
horizon; `almanac run` makes the forecast; the official metric is computed here, apart from the program's own code, on
the steps that were taken away, beside that of the seasonal naive forecast.

  validate.py --data ../shared/data --almanac bin/almanac [--out DIR] [set ...]

Needs pandas, numpy and pyarrow. Writes one JSON line a set to standard output.
"""
import argparse, json, resource, shutil, subprocess, sys, time
from pathlib import Path
import numpy as np
import pandas as pd


def sh(args, log):
    started = time.time()
    with open(log, "a") as out:
        out.write(f"$ {' '.join(map(str, args))}\n")
        out.flush()
        code = subprocess.run([str(a) for a in args], stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL).returncode
    return code, time.time() - started


def forecast(cfg, name, raw, target, horizon, extra=()):
    project = cfg.out / name / "project"
    log = cfg.out / name / "log.txt"
    shutil.rmtree(project, ignore_errors=True)
    log.unlink(missing_ok=True)
    project.mkdir(parents=True)
    code, _ = sh([cfg.almanac, "-C", project, "init", raw.resolve(), "--target", target, "--horizon", horizon, "--yes", *extra], log)
    if code:
        raise SystemExit(f"{name}: init failed with {code}, see {log}")
    code, seconds = sh([cfg.almanac, "-C", project, "run"], log)
    if code not in (0, 6):
        raise SystemExit(f"{name}: run failed with {code}, see {log}")
    code2, _ = sh([cfg.almanac, "-C", project, "forecast", "--out", project / "forecast.csv"], log)
    if code2:
        raise SystemExit(f"{name}: forecast failed with {code2}, see {log}")
    table = pd.read_csv(project / "forecast.csv", dtype={"unique_id": str})
    return table, {"run_s": round(seconds, 1), "exit": code}


def seasonal_naive(train, test, season, freq_steps):
    """Last observed value at the same season position, walking back whole seasons (and at last the last value)."""
    values = {uid: dict(zip(g.t.to_numpy(), g.y.to_numpy())) for uid, g in train.groupby("unique_id")}
    out = []
    for uid, t in zip(test.unique_id, test.t):
        seen = values.get(uid, {})
        if not seen:
            out.append(np.nan)
            continue
        last = max(seen)
        k = t - season * int(np.ceil((t - last) / season)) if t > last else t
        tries = 0
        while k not in seen and tries < 60:
            k -= season
            tries += 1
        out.append(seen.get(k, seen[last]))
    return np.array(out, dtype=float)


def coverage(f):
    got = {}
    for level, (lo, hi) in {"80": ("q0.1", "q0.9"), "95": ("q0.025", "q0.975")}.items():
        if lo in f.columns:
            got[f"cover{level}"] = round(float(((f.y >= f[lo] - 1e-9) & (f.y <= f[hi] + 1e-9)).mean()), 4)
    return got


def wape(y, f):
    return float(np.abs(y - f).sum() / np.abs(y).sum())


def day(ds, origin):
    return (pd.to_datetime(ds) - origin).dt.days


def m5(cfg):
    raw = cfg.out / "m5" / "raw"; raw.mkdir(parents=True, exist_ok=True)
    full = pd.read_parquet(cfg.data / "m5/store_dept_daily_train.parquet")
    h, last = 28, full.d.max()
    full[full.d <= last - h].to_parquet(raw / "store_dept_daily_train.parquet")
    shutil.copy(cfg.data / "m5/calendar.parquet", raw / "calendar.parquet")
    f, info = forecast(cfg, "m5", raw, "y", h)
    full["ds"] = pd.to_datetime(full.ds); f["ds"] = pd.to_datetime(f.ds)
    held = full[full.d > last - h].merge(f, on=["unique_id", "ds"], how="left")
    assert held["mean"].notna().all(), "every held-out row has a forecast"
    train = full[full.d <= last - h].copy()
    origin = full.ds.min()
    train["t"], held["t"] = day(train.ds, origin), day(held.ds, origin)
    held["snaive"] = seasonal_naive(train, held, 7, 1)
    # Dollar weights: units of the last 28 training days x the mean price of the store and department in the last full month.
    labels = pd.read_parquet(cfg.data / "m5/item_store_labels.parquet")[["item_id", "dept_id"]].drop_duplicates()
    prices = pd.read_parquet(cfg.data / "m5/sell_prices.parquet"); prices = prices[prices.wm_yr_wk == 11606].merge(labels, on="item_id")
    price = prices.groupby(["store_id", "dept_id"]).sell_price.mean()
    levels = [[], ["state_id"], ["store_id"], ["cat_id"], ["dept_id"], ["state_id", "cat_id"], ["state_id", "dept_id"], ["store_id", "cat_id"], ["store_id", "dept_id"]]
    scores, naive_scores = [], []
    last_units = train[train.d > last - 2 * h].groupby(["state_id", "store_id", "cat_id", "dept_id"], as_index=False).y.sum()
    last_units["value"] = [y * price[(s, d)] for y, s, d in zip(last_units.y, last_units.store_id, last_units.dept_id)]
    for keys in levels:
        def node(frame):
            return frame[keys].astype(str).agg("/".join, axis=1) if keys else pd.Series("total", index=frame.index)
        tr = train.assign(node=node(train)).groupby(["node", "d"]).y.sum().unstack()
        te = held.assign(node=node(held)).groupby(["node", "d"])[["y", "mean", "snaive"]].sum()
        w = last_units.assign(node=node(last_units)).groupby("node").value.sum(); w = w / w.sum()
        scale = (tr.diff(axis=1) ** 2).mean(axis=1)
        for column, into in (("mean", scores), ("snaive", naive_scores)):
            mse = ((te.y - te[column]) ** 2).groupby("node").mean()
            into.append(float((np.sqrt(mse / scale) * w).sum()))
    return {"set": "m5", "h": h, "metric": "WRMSSE levels 1-9", "score": round(np.mean(scores), 4), "seasonal_naive": round(np.mean(naive_scores), 4),
            "by_level": [round(s, 3) for s in scores], "wape": round(wape(held.y, held["mean"]), 4), **coverage(held), **info}


def rossmann(cfg):
    raw = cfg.out / "rossmann" / "raw"; raw.mkdir(parents=True, exist_ok=True)
    full = pd.read_parquet(cfg.data / "rossmann/train.parquet"); h = 42
    cut = full.ds.max() - pd.Timedelta(days=h)
    full[full.ds <= cut].to_parquet(raw / "train.parquet")
    future = pd.read_parquet(cfg.data / "rossmann/future_exog.parquet")
    full[full.ds > cut][list(future.columns)].to_parquet(raw / "future_exog.parquet")
    shutil.copy(cfg.data / "rossmann/stores.parquet", raw / "stores.parquet")
    f, info = forecast(cfg, "rossmann", raw, "y", h)
    f["ds"] = pd.to_datetime(f.ds)
    full["unique_id"] = full.unique_id.astype(str)
    held = full[(full.ds > cut) & (full.y > 0)].merge(f, on=["unique_id", "ds"], how="left")
    lost = held["mean"].isna().sum(); held = held[held["mean"].notna()]
    train = full[full.ds <= cut].copy(); origin = full.ds.min()
    train["t"], held["t"] = day(train.ds, origin), day(held.ds, origin)
    held["snaive"] = seasonal_naive(train, held, 7, 1)
    rmspe = lambda p: float(np.sqrt((((held.y - p) / held.y) ** 2).mean()))
    return {"set": "rossmann", "h": h, "metric": "RMSPE", "score": round(rmspe(held["mean"]), 4), "seasonal_naive": round(rmspe(held.snaive), 4),
            "wape": round(wape(held.y, held["mean"]), 4), "rows_without_forecast": int(lost), **coverage(held), **info}


def walmart(cfg):
    raw = cfg.out / "walmart" / "raw"; raw.mkdir(parents=True, exist_ok=True)
    full = pd.read_csv(cfg.data / "walmart_raw/train.csv", dtype=str); h = 39
    dates = pd.to_datetime(full.Date); cut = dates.max() - pd.Timedelta(weeks=h)
    full[dates <= cut].to_csv(raw / "train.csv", index=False)
    full[dates > cut].drop(columns="Weekly_Sales").to_csv(raw / "test.csv", index=False)
    for name in ("features.csv", "stores.csv"):
        shutil.copy(cfg.data / "walmart_raw" / name, raw / name)
    f, info = forecast(cfg, "walmart", raw, "Weekly_Sales", h)
    f["ds"] = pd.to_datetime(f.ds)
    full["unique_id"], full["ds"], full["y"] = full.Store + "/" + full.Dept, dates, full.Weekly_Sales.astype(float)
    held = full[full.ds > cut].merge(f, on=["unique_id", "ds"], how="left")
    lost = int(held["mean"].isna().sum()); held["mean"] = held["mean"].fillna(0.0)
    train = full[full.ds <= cut].copy(); origin = full.ds.min()
    train["t"], held["t"] = day(train.ds, origin) // 7, day(held.ds, origin) // 7
    held["snaive"] = np.nan_to_num(seasonal_naive(train, held, 52, 1))
    w = np.where(held.IsHoliday == "TRUE", 5.0, 1.0)
    wmae = lambda p: float((w * np.abs(held.y - p)).sum() / w.sum())
    return {"set": "walmart", "h": h, "metric": "WMAE", "score": round(wmae(held["mean"]), 1), "seasonal_naive": round(wmae(held.snaive), 1),
            "wape": round(wape(held.y, held["mean"]), 4), "wape_seasonal_naive": round(wape(held.y, held.snaive), 4),
            "rows_without_forecast": lost, **coverage(held[held["q0.5"].notna()]), **info}


def favorita(cfg):
    raw = cfg.out / "favorita" / "raw"; raw.mkdir(parents=True, exist_ok=True)
    src = cfg.data / "favorita_store_transactions_raw"; h = 16
    full = pd.read_csv(src / "transactions.csv", dtype=str); dates = pd.to_datetime(full.date); cut = dates.max() - pd.Timedelta(days=h)
    full[dates <= cut].to_csv(raw / "transactions.csv", index=False)
    for name in ("stores.csv", "holidays_events.csv", "oil.csv"):
        shutil.copy(src / name, raw / name)
    f, info = forecast(cfg, "favorita", raw, "transactions", h)
    f["ds"] = pd.to_datetime(f.ds)
    full["unique_id"], full["ds"], full["y"] = full.store_nbr, dates, full.transactions.astype(float)
    held = full[full.ds > cut].merge(f, on=["unique_id", "ds"], how="left")
    lost = int(held["mean"].isna().sum()); held = held[held["mean"].notna()]
    train = full[full.ds <= cut].copy(); origin = full.ds.min()
    train["t"], held["t"] = day(train.ds, origin), day(held.ds, origin)
    held["snaive"] = seasonal_naive(train, held, 7, 1)
    rmsle = lambda p: float(np.sqrt(((np.log1p(held.y) - np.log1p(np.maximum(p, 0))) ** 2).mean()))
    return {"set": "favorita", "h": h, "metric": "RMSLE", "score": round(rmsle(held["mean"]), 4), "seasonal_naive": round(rmsle(held.snaive), 4),
            "wape": round(wape(held.y, held["mean"]), 4), "rows_without_forecast": lost, **coverage(held), **info}


def odd(cfg, name, target, h, season, read):
    src = cfg.data / "odd_formats_raw" / f"{name}.csv"
    frame = read(src); frame = frame.sort_values("ds").reset_index(drop=True)
    raw = cfg.out / name / "raw"; raw.mkdir(parents=True, exist_ok=True)
    cut = frame.ds.iloc[-h - 1]
    lines = src.read_text().splitlines(keepends=True)
    keep = set(frame[frame.ds <= cut].line)
    (raw / f"{name}.csv").write_text(lines[0] + "".join(l for i, l in enumerate(lines[1:]) if i in keep))
    f, info = forecast(cfg, name, raw / f"{name}.csv", target, h)
    f["ds"] = pd.to_datetime(f.ds); held = frame[frame.ds > cut].merge(f, on="ds", how="left")
    lost = int(held["mean"].isna().sum()); held = held[held["mean"].notna()]
    unit = {52: lambda d: (d - frame.ds.min()).dt.days // 7, 7: lambda d: (d - frame.ds.min()).dt.days, 12: lambda d: d.dt.year * 12 + d.dt.month}[season]
    train = frame[frame.ds <= cut].assign(unique_id="x", t=lambda x: unit(x.ds)); held = held.assign(unique_id="x", t=unit(held.ds))
    held["snaive"] = seasonal_naive(train, held, season, 1)
    return {"set": name, "h": h, "metric": "WAPE", "score": round(wape(held.y, held["mean"]), 4), "seasonal_naive": round(wape(held.y, held.snaive), 4),
            "rows_without_forecast": lost, **coverage(held), **info}


def numbered(src, time, target):
    frame = pd.read_csv(src, dtype=str); frame.columns = [c.strip() for c in frame.columns]
    out = pd.DataFrame({"ds": pd.to_datetime(frame[time]), "y": pd.to_numeric(frame[target], errors="coerce")}); out["line"] = range(len(out))
    return out.dropna()


SETS = {
    "m5": m5, "rossmann": rossmann, "walmart": walmart, "favorita": favorita,
    "us_gasoline": lambda c: odd(c, "us_gasoline", "Gasoline", 13, 52, lambda p: numbered(p, "Week", "Gasoline")),
    "temps": lambda c: odd(c, "temps", "Daily minimum temperatures", 28, 7, lambda p: numbered(p, "Date", "Daily minimum temperatures")),
    "monthly-milk-incomplete": lambda c: odd(c, "monthly-milk-incomplete", "Pounds per cow", 12, 12, lambda p: numbered(p, "Month", "Pounds per cow")),
}

if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("sets", nargs="*", help=", ".join(SETS)); ap.add_argument("--data", type=Path, required=True)
    ap.add_argument("--almanac", type=Path, required=True); ap.add_argument("--out", type=Path, default=Path("/tmp/almanac-validate"))
    cfg = ap.parse_args(); cfg.almanac = cfg.almanac.resolve(); cfg.out.mkdir(parents=True, exist_ok=True)
    for name in cfg.sets or SETS:
        print(json.dumps(SETS[name](cfg)), flush=True)
