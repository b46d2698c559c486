"""Writes python_lightgbm.txt. Run: pip install lightgbm==4.7.0 && python python_lightgbm.py"""

import lightgbm as lgb
import numpy as np

rng = np.random.default_rng(5)
x = rng.normal(size=(800, 4)).astype(np.float32)
x[:, 3] = rng.integers(0, 6, 800)
x[::13, 1] = np.nan
y = np.exp(0.4 * x[:, 0] + 0.3 * (x[:, 3] == 2)) * rng.gamma(2.0, 1.0, 800) * (rng.random(800) > 0.3)
data = lgb.Dataset(x, y, categorical_feature=[3])
model = lgb.train({"objective": "tweedie", "num_leaves": 7, "verbosity": -1, "seed": 1, "num_threads": 1}, data, 12)
with open("python_lightgbm.txt", "w") as out:
    print(f"# Rows and predictions of Python lightgbm {lgb.__version__}; written by python_lightgbm.py. Tolerance 1e-12.", file=out)
    for row, said in zip(x[:20], model.predict(x[:20], num_threads=1)):
        print(" ".join("NaN" if np.isnan(v) else repr(float(v)) for v in row), "->", repr(float(said)), file=out)
    print("== model", file=out)
    out.write(model.model_to_string())
