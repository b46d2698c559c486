"""Logged models: made, finished, tagged, searched, deleted."""


def questions(ask):
    path = "logged-models"
    ask.post(path, {"experiment_id": "<em>", "name": "model", "model_type": "pyfunc", "source_run_id": "<rm>", "params": [{"key": "p", "value": "1"}], "tags": [{"key": "t", "value": "1"}]}, "plain", save={"lm1": "model.info.model_id"})
    ask.post(path, {"experiment_id": "<em>"}, "bare", save={"lm2": "model.info.model_id"}, rank=2)
    ask.post(path, {"experiment_id": "<em>", "name": "second"}, "second", save={"lm3": "model.info.model_id"})
    ask.post(path, {"experiment_id": "99999999", "name": "x"}, "unknown experiment", rank=2)
    for name in ("a/b", "a:b", "", "a.b", "a%b", "a'b", 'a"b', "é", "x" * 300, "a b"):
        ask.post(path, {"experiment_id": "<em>", "name": name}, f"name {name[:20]!r} of {len(name)}", rank=2)
    ask.vary("POST", path, {"experiment_id": ("text", "<em>"), "name": ("text", "n"), "params": ("messages", []), "tags": ("messages", []), "source_run_id": ("text", "<rm>")})
    ask.get(f"{path}/<lm1>", None, "found")
    ask.get(f"{path}/m-{'0' * 32}", None, "unknown", rank=2)
    ask.get(f"{path}/nonsense", None, "nonsense", rank=3)
    ask.patch(f"{path}/<lm1>", {"model_id": "<lm1>", "status": "LOGGED_MODEL_READY"}, "ready")
    for status in (1, 2, 3, "LOGGED_MODEL_UPLOAD_FAILED", "NOPE", "", None, "READY"):
        ask.patch(f"{path}/<lm3>", {"model_id": "<lm3>", "status": status}, f"status {status!r}", rank=3)
    ask.patch(f"{path}/<lm3>", {"model_id": "<lm3>", "status": "LOGGED_MODEL_READY"}, "ready too")
    ask.patch(f"{path}/m-{'0' * 32}", {"status": "LOGGED_MODEL_READY"}, "unknown", rank=2)
    ask.get(f"{path}/<lm1>", None, "ready")
    ask.post(f"{path}/<lm1>/params", {"model_id": "<lm1>", "params": [{"key": "q", "value": "2"}]}, "plain")
    ask.post(f"{path}/<lm1>/params", {"model_id": "<lm1>", "params": [{"key": "q", "value": "3"}]}, "again, another value", rank=2)
    ask.patch(f"{path}/<lm1>/tags", {"model_id": "<lm1>", "tags": [{"key": "t", "value": "2"}, {"key": "u", "value": "3"}]}, "plain")
    ask.delete(f"{path}/<lm1>/tags/u", None, "there")
    ask.delete(f"{path}/<lm1>/tags/u", None, "gone", rank=2)
    ask.get(f"{path}/<lm1>", None, "with tags")
    ask.post("runs/outputs", {"run_id": "<rm>", "models": [{"model_id": "<lm1>", "step": 0}]}, "a model")
    ask.post("runs/log-inputs", {"run_id": "<rm>", "models": [{"model_id": "<lm1>"}]}, "a model")
    ask.post("runs/log-metric", {"run_id": "<rm>", "key": "acc", "value": 0.9, "timestamp": 5, "step": 1, "model_id": "<lm1>", "dataset_name": "d", "dataset_digest": "x"}, "of a model")
    ask.get("runs/get", {"run_id": "<rm>"}, "with a model")
    ask.get(f"{path}/<lm1>", None, "with metrics")

    def search(title, rank=2, **body):
        ask.post(f"{path}/search", {"experiment_ids": ["<em>"], **body}, title, rank=rank, pick="models.*.info.model_id")

    named = {"experiment_ids": ["<em>"], "filter": "name = 'model'"}
    ask.post(f"{path}/search", named, "whole answer")

    for text in ("name = 'model'", "name LIKE 'mod%'", "name != 'model'", "params.p = '1'", "tags.t = '2'", "metrics.acc > 0.5", "metrics.acc < 0.5", "source_run_id = '<rm>'", "status = 'READY'", "model_type = 'pyfunc'", "model_id = '<lm1>'", "creation_timestamp > 0", "nope = 'x'", "name = 5", "name = 'a' OR name = 'b'", "metrics.acc = 'x'", "attributes.name = 'model'"):
        narrowed = text if " OR " in text else f"{text} AND name IN ('model', 'second')"
        search(f"filter {text!r}", filter=narrowed, order_by=[{"field_name": "creation_timestamp", "ascending": True}])
    for order in ({"field_name": "name"}, {"field_name": "name", "ascending": False}, {"field_name": "metrics.acc", "ascending": False}, {"field_name": "creation_timestamp"}, {"field_name": "nope"}, {}, {"field_name": "metrics.acc", "dataset_name": "d", "dataset_digest": "x"}, {"field_name": "metrics.acc", "dataset_digest": "x"}):
        search(f"order {order!r}", order_by=[order], filter="name LIKE 'mod%'")
    search("by a dataset", datasets=[{"dataset_name": "d", "dataset_digest": "x"}], filter="metrics.acc > 0.5")
    search("no experiments", experiment_ids=[])
    search("an unknown experiment", experiment_ids=["99999999"])
    for most in (1, 0, -1, 50, 51, 1000, "x"):
        search(f"max_results {most!r}", max_results=most, filter="name = 'model'")
    search("a wrong token", page_token="x", rank=3)
    ask.delete(f"{path}/<lm3>", None, "there")
    ask.get(f"{path}/<lm3>", None, "deleted", rank=2)
    ask.delete(f"{path}/m-{'0' * 32}", None, "unknown", rank=2)
