"""Lets MLflow's clients ask an Almanac server for forecasts as if the model ran here.

The model itself needs Almanac, which serves it. This file needs the standard library and pandas. Where the server is:
the environment variable ALMANAC_URL, else MLflow's tracking server if that is one of Almanac's.

Not here: fitting, which `almanac run` does.
"""

import base64
import json
import os
import urllib.error
import urllib.parse
import urllib.request

import pandas as pd

MOST_SERIES = 500
TIMEOUT_SECONDS = 300
KEYS = ("unique_id", "ds", "y")


class ForecastError(RuntimeError):
    """The server could not forecast; the message says why."""


class Model:
    """What `mlflow.pyfunc.load_model` wraps."""

    def __init__(self, facts):
        self.facts = facts

    def predict(self, context, model_input=None, params=None):
        """Returns `unique_id`, `ds`, `mean` and a column per quantile, series in the order in which they come.

        `unique_id`, `ds`, `y` and exogenous columns are the history; rows after the last `y` of a series say what is
        known ahead. A series without any `ds` gets the forecast that the server has issued for it.
        """
        if isinstance(model_input, dict) and params is None:
            params, model_input = model_input, None
        frame = context if model_input is None else model_input
        if not isinstance(frame, pd.DataFrame):
            frame = pd.DataFrame(frame)
        if "unique_id" not in frame.columns:
            raise ForecastError("the column `unique_id` is missing")
        params = params or {}
        horizon = int(params.get("horizon") or self.facts["horizon"])
        quantiles = [float(quantile) for quantile in list(params.get("quantiles", [])) or self.facts["quantiles"]]
        is_dated = "ds" in frame.columns and pd.api.types.is_datetime64_any_dtype(frame["ds"])

        asked, issued = [], []
        for unique_id, rows in frame.groupby("unique_id", sort=False, dropna=True):
            series = self._series(str(unique_id), rows)
            if series["history"]:
                asked.append(series)
            else:
                issued.append(series["unique_id"])
        rows = []
        for start in range(0, len(asked), MOST_SERIES):
            rows += self._predict(asked[start : start + MOST_SERIES], horizon, quantiles)
        for unique_id in issued:
            query = urllib.parse.urlencode({"series": unique_id, "horizon": horizon})
            rows += call("GET", "/api/v1/forecasts?" + query)
        place = {str(unique_id): at for at, unique_id in enumerate(frame["unique_id"].drop_duplicates())}
        rows.sort(key=lambda row: place.get(row["unique_id"], len(place)))
        columns = ["q" + repr(quantile) for quantile in quantiles]
        table = pd.DataFrame(
            [[row["unique_id"], row["ds"], row["mean"], *(row["quantiles"].get(column) for column in columns)] for row in rows],
            columns=["unique_id", "ds", "mean", *columns],
        )
        if is_dated and len(table):
            table["ds"] = pd.to_datetime(table["ds"])
        return table

    def _series(self, unique_id, rows):
        exog = self.facts["exog"]
        given = {"unique_id": unique_id, "history": []}
        if "ds" not in rows.columns:
            return given
        rows = rows[rows["ds"].notna()].sort_values("ds", kind="stable")
        if not len(rows):
            return given
        y = rows["y"] if "y" in rows.columns else pd.Series([None] * len(rows), index=rows.index)
        known = y.notna().to_numpy()
        end = int(known.nonzero()[0].max()) + 1 if known.any() else 0
        past = [name for name in exog["historic"] + exog["future"] if name in rows.columns]
        ahead = [name for name in exog["future"] if name in rows.columns]
        cells = {name: [plain(value) for value in rows[name]] for name in set(past + ahead)}
        ds = [stamp(value) for value in rows["ds"]]
        y = [plain(value) for value in y]
        for at in range(end):
            given["history"].append({"ds": ds[at], "y": y[at], **{name: cells[name][at] for name in past}})
        if ahead and end < len(ds):
            given["future"] = [{"ds": ds[at], **{name: cells[name][at] for name in ahead}} for at in range(end, len(ds))]
        static = {name: plain(rows[name].iloc[0]) for name in exog["static"] if name in rows.columns}
        static = {name: value for name, value in static.items() if value is not None}
        if static:
            given["static"] = static
        return given

    def _predict(self, series, horizon, quantiles):
        answer = call("POST", "/api/v1/predict", {"series": series, "horizon": horizon, "quantiles": quantiles})
        if answer.get("skipped"):
            first = answer["skipped"][0]
            raise ForecastError(
                "{} series have no forecast, the first is `{}`: {}".format(
                    len(answer["skipped"]), first["unique_id"], first["reason"]
                )
            )
        return answer["forecasts"]


def plain(value):
    """Turns a cell into what JSON can hold; missing values are None."""
    if value is None or value is pd.NaT or (not isinstance(value, (str, bytes, list, dict)) and pd.isna(value)):
        return None
    value = value.item() if hasattr(value, "item") else value
    return value if isinstance(value, (bool, int, float, str)) else str(value)


def stamp(value):
    """Writes a timestamp as the server reads it: a day without its midnight, a step as it is."""
    if not hasattr(value, "isoformat"):
        return str(value.item() if hasattr(value, "item") else value)
    text = value.isoformat()
    return text[:10] if text[10:] == "T00:00:00" else text


def server():
    """Returns the address of the server."""
    given = os.environ.get("ALMANAC_URL")
    if not given:
        given = os.environ.get("MLFLOW_TRACKING_URI")
        if not given:
            try:
                import mlflow

                given = mlflow.get_tracking_uri()
            except ImportError:
                given = ""
    if not given.startswith(("http://", "https://")):
        raise ForecastError("no Almanac server is known: set ALMANAC_URL, such as http://127.0.0.1:8080")
    return given.rstrip("/")


def headers():
    """Returns the headers of a request, with the credentials that MLflow's client uses."""
    found = {"Content-Type": "application/json", "Accept": "application/json"}
    token, user = os.environ.get("MLFLOW_TRACKING_TOKEN"), os.environ.get("MLFLOW_TRACKING_USERNAME")
    if user:
        pair = user + ":" + os.environ.get("MLFLOW_TRACKING_PASSWORD", "")
        found["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    elif token:
        found["Authorization"] = "Bearer " + token
    return found


def call(method, path, body=None):
    """Asks the server and returns its answer."""
    data = None if body is None else json.dumps(body, allow_nan=False).encode()
    request = urllib.request.Request(server() + path, data=data, headers=headers(), method=method)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise ForecastError(said(error)) from error
    except urllib.error.URLError as error:
        raise ForecastError("the Almanac server at {} cannot be reached: {}".format(server(), error.reason)) from error


def said(error):
    """Returns what the server says is wrong."""
    try:
        problem = json.load(error)
        return ": ".join(str(problem[key]) for key in ("title", "detail", "hint") if problem.get(key))
    except (ValueError, TypeError, AttributeError):
        return "the server answered {}".format(error.code)


def _load_pyfunc(path, model_config=None):
    """Called by MLflow with the folder of the model."""
    with open(os.path.join(path, "almanac_model.json"), encoding="utf-8") as file:
        return Model(json.load(file))
