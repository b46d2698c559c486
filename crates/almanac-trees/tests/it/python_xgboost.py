"""Writes python_xgboost.json. Run: pip install xgboost==3.4.1 && python python_xgboost.py"""

import json

import numpy as np
import xgboost as xgb

rng = np.random.default_rng(5)
x = rng.normal(size=(800, 5)).astype(np.float32)
x[:, 2] = rng.integers(0, 3, 800)  # few categories: one against the rest
x[:, 3] = rng.integers(0, 40, 800)  # many: a set against the rest
x[::13, 1] = np.nan
x[::17, 3] = np.nan
y = np.exp(0.4 * x[:, 0] + 0.3 * (x[:, 2] == 2) + 0.5 * (np.nan_to_num(x[:, 3]) % 3 == 1)) * rng.gamma(2.0, 1.0, 800)
y *= rng.random(800) > 0.3
kinds = ["q", "q", "c", "c", "q"]
probes = x[:30].copy()
probes[3, 3] = 70  # never seen in training
probes[4, 3] = 1e9
probes[5, :] = np.nan
probes[6, 0] = 1e30
probes[7, 0] = -1e30


def learnt(objective, label, **params):
    data = xgb.DMatrix(x, label, feature_types=kinds, enable_categorical=True)
    params = {"objective": objective, "max_depth": 4, "max_cat_to_onehot": 4, "nthread": 1, "seed": 1, **params}
    model = xgb.train(params, data, 5)
    rows = xgb.DMatrix(probes, feature_types=kinds, enable_categorical=True, missing=np.nan, nthread=1)
    raw = json.loads(model.save_raw("json"))
    for tree in raw["learner"]["gradient_booster"]["model"]["trees"]:
        for unread in ("base_weights", "loss_changes", "sum_hessian", "parents"):
            del tree[unread]
    return {"model": raw, "predictions": [float(said) for said in model.predict(rows)]}


def cell(value):
    return None if np.isnan(value) else float(value)


models = [
    learnt("reg:squarederror", y),
    learnt("reg:tweedie", y, tweedie_variance_power=1.3),
    learnt("count:poisson", np.floor(y)),
    learnt("binary:logistic", y > 1.0, grow_policy="lossguide", max_leaves=9),
]
about = f"Models, rows and predictions of Python xgboost {xgb.__version__}; written by python_xgboost.py. Tolerance 1e-6."
rows = [[cell(value) for value in row] for row in probes]
with open("python_xgboost.json", "w") as out:
    json.dump({"about": about, "rows": rows, "models": models}, out, separators=(",", ":"))
    out.write("\n")
