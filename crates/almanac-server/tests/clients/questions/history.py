"""The history of a metric: pages, many runs at once, intervals of steps."""


def questions(ask):
    ask.post("runs/create", {"experiment_id": "<eb>", "run_name": "h1", "start_time": 1}, "for history", save={"h1": "run.info.run_id"})
    ask.post("runs/create", {"experiment_id": "<eb>", "run_name": "h2", "start_time": 2}, "for history too", save={"h2": "run.info.run_id"})
    points = [{"key": "m", "value": float(i % 7), "timestamp": 100 + i, "step": i} for i in range(20)]
    ask.post("runs/log-batch", {"run_id": "<h1>", "metrics": points}, "for history")
    odd = [{"key": "odd/key é", "value": value, "timestamp": 1, "step": step} for step, value in enumerate(["NaN", "Infinity", "-Infinity", 1.5])]
    ask.post("runs/log-batch", {"run_id": "<h2>", "metrics": [{"key": "m", "value": 0.5, "timestamp": 5, "step": 3}, *odd]}, "for history too")

    def history(title, rank=1, **query):
        ask.get("metrics/get-history", query, title, rank=rank)

    history("all", run_id="<h1>", metric_key="m")
    history("odd values", run_id="<h2>", metric_key="odd/key é")
    history("by the old name", rank=2, run_uuid="<h1>", metric_key="m")
    ask.get("metrics/get-history", {"run_id": "<h1>", "metric_key": "m", "max_results": 8}, "first page", save={"htoken": "next_page_token"})
    ask.get("metrics/get-history", {"run_id": "<h1>", "metric_key": "m", "max_results": 8, "page_token": "<htoken>"}, "second page", save={"htoken2": "next_page_token"})
    ask.get("metrics/get-history", {"run_id": "<h1>", "metric_key": "m", "max_results": 8, "page_token": "<htoken2>"}, "last page")
    history("token without max", rank=3, run_id="<h1>", metric_key="m", page_token="<htoken>")
    for most in ("0", "-1", "20", "21", "25000", "25001", "100000", "abc", "1.5", ""):
        history(f"max_results {most!r}", rank=3, run_id="<h1>", metric_key="m", max_results=most)
    for token in ("x", "é", "bm90IGpzb24="):
        history(f"token {token!r}", rank=3, run_id="<h1>", metric_key="m", max_results=5, page_token=token)
    history("unknown metric", rank=2, run_id="<h1>", metric_key="nope")
    history("unknown run", rank=2, run_id="0" * 32, metric_key="m")
    history("bad key", rank=3, run_id="<h1>", metric_key="a//b")
    ask.vary("GET", "metrics/get-history", {"run_id": ("text", "<h2>"), "metric_key": ("text", "m")})

    interval = "metrics/get-history-bulk-interval"
    ask.get(interval, {"run_ids": ["<h1>", "<h2>"], "metric_key": "m", "max_results": 5}, "five points", rank=2)
    ask.get(interval, {"run_ids": ["<h1>"], "metric_key": "m"}, "all", rank=2)
    ask.get(interval, {"run_ids": ["<h1>"], "metric_key": "m", "start_step": 3, "end_step": 8, "max_results": 3}, "of some steps", rank=2)
    ask.get(interval, {"run_ids": ["<h1>"], "metric_key": "m", "start_step": 8, "end_step": 3}, "steps the wrong way", rank=3)
    ask.get(interval, {"run_ids": ["<h1>"], "metric_key": "m", "start_step": 8}, "no end", rank=3)
    ask.get(interval, {"run_ids": ["0" * 32], "metric_key": "m"}, "unknown run", rank=3)
    ask.get(interval, {"run_ids": ["<h1>"]}, "no key", rank=3)
    ask.get(interval, {"metric_key": "m"}, "no run", rank=3)
    for most in ("0", "2500", "2501", "x"):
        ask.get(interval, {"run_ids": ["<h1>"], "metric_key": "m", "max_results": most}, f"max_results {most!r}", rank=3)
    ask.get(interval, {"run_ids": ["<h1>"] * 101, "metric_key": "m"}, "101 runs", rank=3)
    bulk = "/ajax-api/2.0/mlflow/metrics/get-history-bulk"
    ask.get(bulk, {"run_id": ["<h1>", "<h2>"], "metric_key": "m"}, "two runs", rank=2)
    ask.get(bulk, {"run_id": ["<h1>"], "metric_key": "m", "max_results": 3}, "three points", rank=2)
    ask.get(bulk, {"run_id": ["<h1>"]}, "no key", rank=3)
    ask.get(bulk, {"metric_key": "m"}, "no run", rank=3)
    ask.get(bulk, {"run_id": ["<h1>"] * 101, "metric_key": "m"}, "101 runs", rank=3)
