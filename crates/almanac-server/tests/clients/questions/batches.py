"""Batches: many entities at once, all or none."""


def questions(ask):
    ask.post("experiments/create", {"name": "<u>-batches"}, "for batches", save={"eb": "experiment_id"})
    for name in ("b1", "b2", "b3", "b4"):
        ask.post("runs/create", {"experiment_id": "<eb>", "run_name": name, "start_time": 1}, f"for batches {name}", save={name: "run.info.run_id"})

    def batch(title, rank=2, run="<b1>", **body):
        ask.post("runs/log-batch", {"run_id": run, **body}, title, rank=rank)

    def metric(key="m", value=1.0, timestamp=1, **rest):
        return {"key": key, "value": value, "timestamp": timestamp, **rest}

    def pair(key, value="v"):
        return {"key": key, "value": value}

    batch("all three", rank=1, metrics=[metric(step=0), metric(value=2.0, step=1)], params=[pair("p", "1")], tags=[pair("t", "1")])
    batch("all three again", rank=1, metrics=[metric(step=0), metric(value=2.0, step=1)], params=[pair("p", "1")], tags=[pair("t", "1")])
    ask.get("runs/get", {"run_id": "<b1>"}, "after the same batch twice")
    batch("nothing", rank=1)
    batch("empty lists", rank=1, metrics=[], params=[], tags=[])
    batch("another value of a param", metrics=[metric("new")], params=[pair("fresh", "1"), pair("p", "2")], tags=[pair("t2", "1")])
    batch("a param twice, the same", params=[pair("q", "1"), pair("q", "1")])
    batch("a param twice, differing", metrics=[metric("new")], params=[pair("w", "1"), pair("w", "2")])
    batch("two params changed", params=[pair("p", "2"), pair("q", "2"), pair("fine", "1")])
    batch("a tag twice", rank=3, tags=[pair("z", "1"), pair("z", "2")])
    batch("the name as tag", rank=1, tags=[pair("mlflow.runName", "batch name")])
    batch("an empty param", rank=1, params=[pair("empty", "")])
    batch("a param without value", params=[{"key": "novalue"}])
    batch("a tag without value", tags=[{"key": "novalue"}])
    ask.get("runs/get", {"run_id": "<b1>"}, "after refused batches")
    batch("999 metrics", run="<b2>", metrics=[metric("many", float(i), i, step=i) for i in range(999)], rank=1)
    batch("1000 metrics", run="<b2>", metrics=[metric("many", float(i), i, step=i) for i in range(1000)], rank=1)
    batch("1001 metrics", run="<b2>", metrics=[metric("many", float(i), i, step=i) for i in range(1001)])
    batch("100 params", run="<b2>", params=[pair(f"p{i}") for i in range(100)], rank=1)
    batch("101 params", run="<b2>", params=[pair(f"x{i}") for i in range(101)])
    batch("100 tags", run="<b2>", tags=[pair(f"t{i}") for i in range(100)], rank=1)
    batch("101 tags", run="<b2>", tags=[pair(f"x{i}") for i in range(101)])
    batch("1001 in all", run="<b2>", metrics=[metric(f"m{i}") for i in range(900)], params=[pair(f"y{i}") for i in range(100)], tags=[pair("one more")])
    batch("over a megabyte", run="<b2>", tags=[pair(f"x{i}", "v" * 7900) for i in range(100)], params=[pair(f"x{i}", "v" * 5900) for i in range(100)])
    batch("long values", run="<b3>", tags=[pair("t", "v" * 8100)], params=[pair("p", "v" * 6100)], rank=1)
    batch("numbers as texts", run="<b3>", metrics=[metric("txt", "1.5", "7", step="3")], rank=1)
    batch("NaN and infinity", run="<b3>", metrics=[metric("nan", "NaN"), metric("inf", "Infinity"), metric("ninf", "-Infinity")], rank=1)
    batch("of a dataset and a model", run="<b3>", metrics=[metric("d", 1.0, 5, dataset_name="n", dataset_digest="x")], rank=1)
    batch("of an unknown model", run="<b4>", metrics=[metric("um", 1.0, 5, model_id="m-" + "1" * 32)])
    batch("equal but for the value", run="<b3>", metrics=[metric("same", 1.0, 5, step=1), metric("same", 2.0, 5, step=1), metric("same", 1.5, 5, step=1)], rank=1)
    ask.get("runs/get", {"run_id": "<b3>"}, "after batches of odd values")
    ask.get("metrics/get-history", {"run_id": "<b3>", "metric_key": "same"}, "equal but for the value")
    batch("unknown run", run="0" * 32, tags=[pair("t")])
    batch("no run", run="", tags=[pair("t")])
    for title, item in (
        ("no key", {"value": 1, "timestamp": 1}), ("no value", {"key": "m", "timestamp": 1}), ("no timestamp", {"key": "m", "value": 1}),
        ("empty key", metric("")), ("null key", metric(None)), ("number for key", metric(5)), ("list for key", metric(["a"])),
        ("text for value", metric("m", "abc")), ("null for value", metric("m", None)), ("truth for value", metric("m", True)), ("list for value", metric("m", [])),
        ("text for timestamp", metric("m", 1, "abc")), ("null for timestamp", metric("m", 1, None)), ("fraction for timestamp", metric("m", 1, 1.5)), ("truth for timestamp", metric("m", 1, True)),
        ("text for step", metric("m", 1, 1, step="abc")), ("fraction for step", metric("m", 1, 1, step=1.5)), ("null for step", metric("m", 1, 1, step=None)),
        ("huge step", metric("m", 1, 1, step=2**63)), ("huge timestamp", metric("m", 1, 2**63)), ("bad key", metric("a//b")), ("key too long", metric("a" * 251)), ("timestamp 0", metric("m0", 1, 0)),
        ("negative timestamp", metric("mneg", 1, -7)), ("unknown field", metric("mun", 1, 1, extra=1)), ("value 1e999", metric("mbig", "1e999")),
    ):
        batch(f"metric with {title}", run="<b4>", metrics=[metric("fine"), item], tags=[pair("seen", title)], rank=3)
    for kind in ("params", "tags"):
        for title, item in (
            ("no key", {"value": "1"}), ("empty key", pair("")), ("null key", pair(None)), ("number for key", pair(5)), ("number for value", pair("a", 5)), ("null for value", pair("a", None)),
            ("list for value", pair("b", [])), ("truth for value", pair("c", True)), ("bad key", pair("a//b")), ("key too long", pair("a" * 251)), ("dict for value", pair("d", {})), ("float for value", pair("e", 1.5)),
        ):
            batch(f"{kind} with {title}", run="<b4>", **{kind: [pair("fine", "1"), item]}, metrics=[metric("by " + kind)], rank=3)
    ask.vary("POST", "runs/log-batch", {"run_id": ("text", "<b4>"), "metrics": ("messages", []), "params": ("messages", []), "tags": ("messages", [])})

    inputs(ask)


def inputs(ask):
    """Datasets that a run read, and models that it wrote."""
    dataset = {"name": "d", "digest": "abc", "source_type": "local", "source": '{"uri":"x"}', "schema": '{"a":1}', "profile": '{"n":5}'}
    tagged = {"dataset": dataset, "tags": [{"key": "mlflow.data.context", "value": "train"}]}
    ask.post("runs/log-inputs", {"run_id": "<b1>", "datasets": [tagged]}, "a dataset")
    ask.post("runs/log-inputs", {"run_id": "<b1>", "datasets": [tagged]}, "the same dataset again")
    ask.post("runs/log-inputs", {"run_id": "<b1>", "datasets": [{"dataset": {**dataset, "digest": "def"}}]}, "without tags")
    ask.get("runs/get", {"run_id": "<b1>"}, "with datasets")
    ask.post("runs/log-inputs", {"run_id": "<b1>"}, "nothing", rank=2)
    ask.post("runs/log-inputs", {"run_id": "0" * 32, "datasets": [tagged]}, "unknown run", rank=2)
    for field in ("name", "digest", "source_type", "source"):
        ask.post("runs/log-inputs", {"run_id": "<b1>", "datasets": [{"dataset": {k: v for k, v in dataset.items() if k != field}}]}, f"no {field}", rank=3)
    for title, item in (
        ("no dataset", {}), ("a long name", {"dataset": {**dataset, "name": "n" * 501}}), ("a long digest", {"dataset": {**dataset, "digest": "d" * 37}}), ("a number for the name", {"dataset": {**dataset, "name": 5}}),
        ("a tag without value", {"dataset": dataset, "tags": [{"key": "k"}]}), ("a tag without key", {"dataset": dataset, "tags": [{"value": "v"}]}), ("a long tag key", {"dataset": dataset, "tags": [{"key": "k" * 256, "value": "v"}]}),
        ("a long tag value", {"dataset": dataset, "tags": [{"key": "k", "value": "v" * 501}]}),
    ):
        ask.post("runs/log-inputs", {"run_id": "<b1>", "datasets": [item]}, title, rank=3)
    ask.vary("POST", "runs/log-inputs", {"run_id": ("text", "<b1>"), "datasets": ("messages", [])})
    ask.vary("POST", "/ajax-api/2.0/mlflow/experiments/search-datasets", {"experiment_ids": ("list", ["<eb>"])})
    ask.vary("POST", "runs/outputs", {"run_id": ("text", "<b1>"), "models": ("messages", [])})
    ask.vary("POST", "runs/log-model", {"run_id": ("text", "<b1>"), "model_json": ("text", '{"artifact_path":"m","flavors":{},"utc_time_created":"x","run_id":"y"}')})
