"""Writes python_sklearn.json. Run: pip install scikit-learn==1.9.1 numpy==2.5.5 && python python_sklearn.py"""

import json

import numpy as np
import sklearn
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, Ridge

rng = np.random.default_rng(11)
x = rng.normal(size=(60, 6))
x[:, 3] = 0.95 * x[:, 0] + 0.1 * x[:, 3]  # Two columns that all but repeat one another.
x[:, 4] = rng.random(60) < 0.15
x[:, 5] *= 3.0
x = x.round(4)
y = (1.5 + 2.0 * x[:, 0] - x[:, 1] + 0.7 * x[:, 4] + rng.normal(size=60)).round(4)
weights = rng.uniform(0.2, 3.0, 60).round(4)
came = rng.random(60) < 1.0 / (1.0 + np.exp(-0.5 - 1.2 * x[:, 0] + 0.8 * x[:, 1]))


def told(kind, penalty, model, **extra):
    coefficients = model.coef_.ravel()
    return {"kind": kind, "penalty": penalty, "intercept": float(np.ravel(model.intercept_)[0]), "coefficients": coefficients.tolist(), **extra}


lines = []
for penalty in [1e-4, 0.03, 1.0, 10.0]:
    # scikit-learn adds its penalty to the sum over rows, not to their mean.
    lines.append(told("ridge", penalty, Ridge(alpha=penalty * weights.sum(), solver="cholesky").fit(x, y, weights)))
for penalty in [0.001, 0.05, 0.3]:
    lines.append(told("mixed", penalty, Lasso(alpha=penalty, tol=1e-14, max_iter=1_000_000).fit(x, y, weights), l1_ratio=1.0))
    model = ElasticNet(alpha=penalty, l1_ratio=0.4, tol=1e-14, max_iter=1_000_000).fit(x, y, weights)
    lines.append(told("mixed", penalty, model, l1_ratio=0.4))
for penalty in [1e-4, 0.01, 0.5]:
    model = LogisticRegression(C=1.0 / (penalty * len(y)), solver="newton-cholesky", tol=1e-12, max_iter=1000).fit(x, came)
    lines.append(told("logistic", penalty, model))

about = f"Coefficients of scikit-learn {sklearn.__version__} (numpy {np.__version__}); written by python_sklearn.py"
with open("python_sklearn.json", "w") as out:
    json.dump({"about": about, "x": x.tolist(), "y": y.tolist(), "weights": weights.tolist(), "came": came.tolist(), "lines": lines}, out)
    out.write("\n")
