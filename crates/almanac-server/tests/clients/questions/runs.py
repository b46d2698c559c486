"""Runs: made, updated, deleted, restored; their tags, params and metrics one at a time."""


def questions(ask):
    ask.post("experiments/create", {"name": "<u>-runs"}, "for runs", save={"er": "experiment_id"})
    ask.post(
        "runs/create",
        {"experiment_id": "<er>", "start_time": 1000, "run_name": "first", "tags": [{"key": "a", "value": "1"}, {"key": "mlflow.user", "value": "ann"}], "user_id": "bob"},
        "named, with tags",
        save={"r1": "run.info.run_id"},
    )
    ask.post("runs/create", {"experiment_id": "<er>", "start_time": 2000}, "without a name", save={"r2": "run.info.run_id"})
    ask.post("runs/create", {"experiment_id": "<er>", "tags": [{"key": "mlflow.runName", "value": "by tag"}]}, "name by tag", save={"r3": "run.info.run_id"})
    ask.post("runs/create", {"experiment_id": "<er>", "run_name": "one", "tags": [{"key": "mlflow.runName", "value": "two"}]}, "two names", rank=2)
    ask.post("runs/create", {"experiment_id": "<er>", "run_name": "one", "tags": [{"key": "mlflow.runName", "value": "one"}]}, "same name twice", rank=2)
    ask.post("runs/create", {"experiment_id": "<er>", "tags": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}, "a tag twice", rank=3)
    ask.post("runs/create", {"experiment_id": "<er>", "tags": [{"key": "a", "value": "1"}, {"key": "a", "value": "1"}]}, "the same tag twice", rank=3)
    ask.post("runs/create", {"experiment_id": "<er>", "tags": [{"key": "a" * 251, "value": "1"}]}, "tag key too long", rank=2)
    ask.post("runs/create", {"experiment_id": "<er>", "tags": [{"key": "a", "value": "v" * 8001}]}, "tag value cut", rank=2)
    ask.post("runs/create", {"experiment_id": "<er>", "run_name": "n" * 300}, "long name", rank=2)
    ask.post("runs/create", {"experiment_id": "99999999"}, "unknown experiment", rank=2)
    ask.post("runs/create", {"experiment_id": "abc"}, "experiment no number", rank=3)
    ask.post("runs/create", {}, "nothing said", rank=2)
    ask.post("runs/create", {"experiment_id": "<er>", "start_time": "1234"}, "start as text")
    ask.post("runs/create", {"experiment_id": "<er>", "start_time": -5}, "start before 1970", rank=3)
    ask.post("runs/create", {"experiment_id": "<er>", "start_time": 2**53}, "start far ahead", rank=3)
    ask.vary(
        "POST",
        "runs/create",
        {"experiment_id": ("text", "<er>"), "run_name": ("text", "n"), "start_time": ("int", 5), "user_id": ("text", "u"), "tags": ("messages", [])},
    )
    for name in ("get", "delete", "restore"):
        method = "GET" if name == "get" else "POST"
        ask.vary(method, f"runs/{name}", {"run_id": ("text", "f" * 32)})
    ask.get("runs/get", {"run_id": "<r1>"}, "found")
    ask.get("runs/get", {"run_uuid": "<r1>"}, "by the old name")
    ask.get("runs/get", {"run_uuid": "<r2>", "run_id": "<r1>"}, "by both names")
    for wrong in ("abc", "0" * 32, "../x", "R1", "", "é", "a" * 500, "a b", "a\x00b"):
        ask.get("runs/get", {"run_id": wrong}, f"id {wrong[:40]!r}", rank=3)

    updates(ask)
    tags(ask)
    params(ask)
    metrics(ask)
    life(ask)


def updates(ask):
    ask.post("runs/update", {"run_id": "<r2>", "status": "FINISHED", "end_time": 5000}, "finished")
    ask.post("runs/update", {"run_id": "<r2>", "run_name": "renamed"}, "renamed")
    ask.get("runs/get", {"run_id": "<r2>"}, "after renaming")
    ask.post("runs/update", {"run_id": "<r2>", "run_name": ""}, "renamed to nothing", rank=2)
    ask.post("runs/update", {"run_id": "<r2>"}, "nothing changed", rank=2)
    ask.get("runs/get", {"run_id": "<r2>"}, "after no change")
    for status in ("RUNNING", "SCHEDULED", "FAILED", "KILLED", "finished", "NOPE", "", 3, 99, None, "3"):
        ask.post("runs/update", {"run_id": "<r2>", "status": status}, f"status {status!r}", rank=2)
    ask.get("runs/get", {"run_id": "<r2>"}, "after many updates")
    ask.post("runs/update", {"run_id": "0" * 32, "status": "FINISHED"}, "unknown", rank=2)
    ask.post("runs/update", {"run_uuid": "<r2>", "status": "FINISHED"}, "by the old name", rank=2)
    ask.vary("POST", "runs/update", {"run_id": ("text", "<r2>"), "end_time": ("int", 6), "run_name": ("text", "n")})


KEYS = ("a b", "a/b", "/a", "a//b", "../a", "a/../b", "a$b", "a,b", "é/時", ".", "..", "a/./b", "./a", "a:b", "a\nb", "a\tb", " ", "a/", "a@b", "a%b", "a=b", "#", "a'b", 'a"b', "a\\b", "-", "_", "a" * 250, "a" * 251)


def tags(ask):
    ask.post("runs/set-tag", {"run_id": "<r1>", "key": "k", "value": "v"}, "plain")
    ask.post("runs/set-tag", {"run_id": "<r1>", "key": "k", "value": "v2"}, "again")
    ask.post("runs/set-tag", {"run_id": "<r1>", "key": "none"}, "no value", rank=2)
    ask.post("runs/set-tag", {"run_id": "<r1>", "key": "mlflow.runName", "value": "by tag"}, "the name")
    ask.post("runs/set-tag", {"run_id": "<r1>", "key": "mlflow.runName", "value": ""}, "no name", rank=2)
    ask.post("runs/set-tag", {"run_id": "<r1>", "key": "long", "value": "v" * 8001}, "value cut", rank=2)
    ask.post("runs/set-tag", {"run_id": "0" * 32, "key": "k", "value": "v"}, "unknown run", rank=2)
    ask.post("runs/set-tag", {"run_uuid": "<r1>", "key": "old", "value": "v"}, "by the old name", rank=2)
    for key in KEYS:
        ask.post("runs/set-tag", {"run_id": "<r3>", "key": key, "value": "v"}, f"key {key[:20]!r} of {len(key)}", rank=2)
    ask.vary("POST", "runs/set-tag", {"run_id": ("text", "<r3>"), "key": ("text", "k"), "value": ("text", "v")})
    ask.get("runs/get", {"run_id": "<r1>"}, "with tags")
    ask.post("runs/set-tag", {"run_id": "<r1>", "key": "mlflow.runName", "value": "by tag again"}, "the name again")
    ask.get("runs/get", {"run_id": "<r3>"}, "with odd tags")
    ask.post("runs/delete-tag", {"run_id": "<r1>", "key": "k"}, "there")
    ask.post("runs/delete-tag", {"run_id": "<r1>", "key": "k"}, "gone", rank=2)
    ask.post("runs/delete-tag", {"run_id": "0" * 32, "key": "k"}, "unknown run", rank=2)
    ask.post("runs/delete-tag", {"run_id": "<r1>", "key": "mlflow.runName"}, "the name", rank=3)
    ask.vary("POST", "runs/delete-tag", {"run_id": ("text", "<r1>"), "key": ("text", "never")})


def params(ask):
    ask.post("runs/log-parameter", {"run_id": "<r1>", "key": "p", "value": "1"}, "plain")
    ask.post("runs/log-parameter", {"run_id": "<r1>", "key": "p", "value": "1"}, "the same again")
    ask.post("runs/log-parameter", {"run_id": "<r1>", "key": "p", "value": "2"}, "another value", rank=1)
    ask.post("runs/log-parameter", {"run_id": "<r1>", "key": "empty", "value": ""}, "empty value")
    ask.post("runs/log-parameter", {"run_id": "<r1>", "key": "none"}, "no value", rank=2)
    ask.post("runs/log-parameter", {"run_id": "<r1>", "key": "long", "value": "v" * 6001}, "value cut", rank=2)
    ask.post("runs/log-parameter", {"run_id": "<r1>", "key": "long", "value": "v" * 6002}, "value cut to the same", rank=3)
    ask.post("runs/log-parameter", {"run_id": "<r1>", "key": "uni", "value": "é時😀\n\t"}, "value in unicode")
    ask.post("runs/log-parameter", {"run_id": "0" * 32, "key": "k", "value": "v"}, "unknown run", rank=2)
    ask.post("runs/log-parameter", {"run_uuid": "<r1>", "key": "old", "value": "v"}, "by the old name", rank=2)
    for key in KEYS:
        ask.post("runs/log-parameter", {"run_id": "<r3>", "key": key, "value": "v"}, f"key {key[:20]!r} of {len(key)}", rank=2)
    ask.vary("POST", "runs/log-parameter", {"run_id": ("text", "<r3>"), "key": ("text", "k<i>"), "value": ("text", "v")})
    ask.get("runs/get", {"run_id": "<r1>"}, "with params")


def metrics(ask):
    ask.post("runs/log-metric", {"run_id": "<r1>", "key": "m", "value": 0.5, "timestamp": 10, "step": 1}, "plain")
    ask.post("runs/log-metric", {"run_id": "<r1>", "key": "m", "value": 0.5, "timestamp": 10, "step": 1}, "the same again")
    ask.post("runs/log-metric", {"run_id": "<r1>", "key": "m", "value": 0.7, "timestamp": 9, "step": 2}, "later step")
    ask.post("runs/log-metric", {"run_id": "<r1>", "key": "m", "value": 0.1, "timestamp": 11, "step": 0}, "earlier step")
    ask.post("runs/log-metric", {"run_id": "<r1>", "key": "plain", "value": 1, "timestamp": 10}, "without a step")
    ask.post("runs/log-metric", {"run_id": "<r1>", "key": "zero", "value": 0, "timestamp": 0, "step": 0}, "zeros", rank=2)
    ask.post("runs/log-metric", {"run_id": "<r1>", "key": "neg", "value": -1e-300, "timestamp": 1, "step": -3}, "negative step")
    for value in ("NaN", "Infinity", "-Infinity", "nan", "inf", "0.25", "1e400", " 1", "abc", "", True, None, [], {}, 1e308, 10**18):
        run = "<r3>" if value is True else "<r1>"
        ask.post("runs/log-metric", {"run_id": run, "key": f"value {value}".strip("-[]{}"), "value": value, "timestamp": 1}, f"value {value!r}", rank=2)
    ask.post("runs/log-metric", {"run_id": "<r1>", "key": "t", "value": 1, "timestamp": "123", "step": "4"}, "numbers as texts")
    ask.post("runs/log-metric", {"run_id": "<r1>", "key": "d", "value": 1, "timestamp": 5, "dataset_name": "ds", "dataset_digest": "dd"}, "of a dataset")
    ask.post("runs/log-metric", {"run_id": "<r3>", "key": "u", "value": 1, "timestamp": 5, "model_id": "m-" + "0" * 32}, "of an unknown model", rank=2)
    ask.post("runs/log-metric", {"run_id": "0" * 32, "key": "m", "value": 1, "timestamp": 5}, "unknown run", rank=2)
    ask.post("runs/log-metric", {"run_uuid": "<r1>", "key": "old", "value": 1, "timestamp": 5}, "by the old name", rank=2)
    for key in KEYS:
        ask.post("runs/log-metric", {"run_id": "<r3>", "key": key, "value": 1, "timestamp": 1}, f"key {key[:20]!r} of {len(key)}", rank=2)
    ask.vary(
        "POST",
        "runs/log-metric",
        {"run_id": ("text", "<r3>"), "key": ("text", "k<i>"), "value": ("float", 1.5), "timestamp": ("int", 5), "step": ("int", 1)},
    )
    ask.get("runs/get", {"run_id": "<r1>"}, "with metrics")


def life(ask):
    ask.post("runs/delete", {"run_id": "<r2>"}, "there")
    ask.get("runs/get", {"run_id": "<r2>"}, "deleted")
    ask.post("runs/delete", {"run_id": "<r2>"}, "again", rank=2)
    for path, rest in (
        ("set-tag", {"key": "k", "value": "v"}), ("delete-tag", {"key": "k"}), ("log-parameter", {"key": "k", "value": "v"}),
        ("log-metric", {"key": "k", "value": 1, "timestamp": 1}), ("log-batch", {"tags": [{"key": "k", "value": "v"}]}), ("update", {"status": "FAILED"}), ("log-inputs", {}),
    ):
        ask.post(f"runs/{path}", {"run_id": "<r2>", **rest}, "of a deleted run", rank=2)
    ask.post("runs/restore", {"run_id": "<r2>"}, "deleted")
    ask.post("runs/restore", {"run_id": "<r2>"}, "again", rank=2)
    ask.get("runs/get", {"run_id": "<r2>"}, "restored")
    ask.post("runs/delete", {"run_id": "0" * 32}, "unknown", rank=2)
    ask.post("runs/restore", {"run_id": "0" * 32}, "unknown", rank=2)
    ask.post("experiments/delete", {"experiment_id": "<er>"}, "with runs")
    ask.get("runs/get", {"run_id": "<r1>"}, "of a deleted experiment")
    ask.post("experiments/restore", {"experiment_id": "<er>"}, "with runs")
    ask.get("runs/get", {"run_id": "<r1>"}, "of a restored experiment")
