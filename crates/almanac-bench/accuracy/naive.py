"""The forecasts that everything is compared with: seasonal naive, and Naive2 of the M competitions."""

import numpy as np
import pandas as pd

DAYS = {"D": 1, "W": 7}


def steps(ds, freq):
    """Timestamps as whole steps of the frequency; integers stay as they are."""
    if freq == "step":
        return np.asarray(ds, dtype=np.int64)
    ds = pd.DatetimeIndex(ds)
    if freq == "MS":
        return np.asarray(ds.year * 12 + ds.month, dtype=np.int64)
    return np.asarray((ds - pd.Timestamp("1970-01-01")).days // DAYS[freq], dtype=np.int64)


def seasonal_naive(train, held, freq, season):
    """The newest known value at the same place of the season; the last value where there is none; NaN for a series without history."""
    known = train[train.y.notna()]
    frame = pd.DataFrame({"uid": known.unique_id.to_numpy(), "t": steps(known.ds, freq), "y": known.y.to_numpy(float)})
    values = {uid: dict(zip(group.t, group.y)) for uid, group in frame.groupby("uid")}
    out = []
    for uid, t in zip(held.unique_id, steps(held.ds, freq)):
        seen = values.get(uid)
        if not seen:
            out.append(np.nan)
            continue
        first, last = min(seen), max(seen)
        back = t - season * -((last - t) // season) if t > last else t
        while back not in seen and back >= first:
            back -= season
        out.append(seen.get(back, seen[last]))
    return np.array(out)


def seasonal_indices(history, season):
    """Multiplicative indices by classical decomposition if the M4 test finds a season at 90 %, else all 1."""
    flat = np.ones(season)
    n = len(history)
    if season == 1 or n < 3 * season or (history <= 0).any():
        return flat
    centred = history - history.mean()
    acf = np.array([(centred[k:] * centred[: n - k]).sum() for k in range(1, season + 1)]) / (centred**2).sum()
    limit = 1.645 * np.sqrt((1 + 2 * (acf[:-1] ** 2).sum()) / n)
    if abs(acf[-1]) <= limit:
        return flat
    window = np.ones(season) / season if season % 2 else np.r_[0.5, np.ones(season - 1), 0.5] / season
    trend = np.convolve(history, window, mode="valid")
    half = (len(window) - 1) // 2
    ratio = np.full(n, np.nan)
    ratio[half : half + len(trend)] = history[half : half + len(trend)] / trend
    indices = np.array([np.nanmean(ratio[place::season]) for place in range(season)])
    return indices / indices.mean()


def naive2(histories, horizon, season):
    """Naive on the seasonally adjusted series, put back into season: {unique_id: forecast of 1 … horizon}."""
    out = {}
    for uid, history in histories.items():
        indices = seasonal_indices(history, season)
        n = len(history)
        out[uid] = history[-1] / indices[(n - 1) % season] * indices[(n + np.arange(horizon)) % season]
    return out
