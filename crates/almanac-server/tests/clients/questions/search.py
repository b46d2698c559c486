"""Searching runs: every entity, operator and order of the language, good and bad."""

RUNS = (
    # name, start, params, metrics, tags, status
    ("alpha", 1000, {"model": "ets", "lr": "0.1", "odd key": "x"}, {"rmse": 1.0, "mae": 0.5}, {"team": "a", "note": "It's"}, "FINISHED"),
    ("Beta", 2000, {"model": "arima", "lr": "0.01"}, {"rmse": 2.0, "mae": "NaN"}, {"team": "b"}, "FAILED"),
    ("gamma_1", 3000, {"model": "ETS", "lr": "1e-3"}, {"rmse": "Infinity"}, {"team": "A", "empty": ""}, "FINISHED"),
    ("delta%", 4000, {"model": "theta"}, {"rmse": "-Infinity", "mae": -1.0}, {"team": "a%b"}, None),
    ("epsilon", 4500, {}, {}, {}, "KILLED"),
    ("zeta", 5000, {"model": "ets", "val.x/y": "z"}, {"rmse": "NaN", "val.x/y z": 3.0}, {"team.lead": "é"}, "FINISHED"),
)


def questions(ask):
    ask.post("experiments/create", {"name": "<u>-search"}, "for searching runs", save={"ex": "experiment_id"})
    ask.post("experiments/create", {"name": "<u>-search2"}, "for searching runs too", save={"ey": "experiment_id"})
    for number, (name, start, params, metrics, tags, status) in enumerate(RUNS):
        run = f"s{number}"
        ask.post("runs/create", {"experiment_id": "<ex>", "run_name": name, "start_time": start, "user_id": "ann"}, f"for searching {name}", save={run: "run.info.run_id"})
        body = {
            "run_id": f"<{run}>",
            "params": [{"key": key, "value": value} for key, value in params.items()],
            "metrics": [{"key": key, "value": value, "timestamp": 1, "step": step} for key, value in metrics.items() for step in (0, 1)],
            "tags": [{"key": key, "value": value} for key, value in tags.items()],
        }
        ask.post("runs/log-batch", body, f"for searching {name}")
        if status:
            ask.post("runs/update", {"run_id": f"<{run}>", "status": status, "end_time": start + 500}, f"for searching {name}")
    ask.post("runs/create", {"experiment_id": "<ey>", "run_name": "other", "start_time": 2500}, "for searching another experiment", save={"s6": "run.info.run_id"})
    dataset = {"name": "sales", "digest": "d1", "source_type": "local", "source": "{}"}
    tags = [{"key": "mlflow.data.context", "value": "train"}]
    ask.post("runs/log-inputs", {"run_id": "<s0>", "datasets": [{"dataset": dataset, "tags": tags}]}, "for searching")
    ask.post("/ajax-api/2.0/mlflow/experiments/search-datasets", {"experiment_ids": ["<ex>"]}, "found", rank=2)
    ask.post("runs/delete", {"run_id": "<s4>"}, "for searching")

    def search(title, rank=1, **body):
        ask.post("runs/search", {"experiment_ids": ["<ex>"], **body}, title, rank=rank, pick="runs.*.info.run_id")

    ask.post("runs/search", {"experiment_ids": ["<ex>"]}, "whole answer")
    search("all")
    search("two experiments", experiment_ids=["<ex>", "<ey>"])
    search("an unknown experiment", experiment_ids=["99999999"], rank=2)
    search("a known and an unknown experiment", experiment_ids=["99999999", "<ey>"], rank=2)
    search("experiment no number", experiment_ids=["abc"], rank=2)
    search("no experiments", experiment_ids=[], rank=2)
    search("the same experiment twice", experiment_ids=["<ex>", "<ex>"], rank=3)
    ask.post("runs/search", {"filter": "params.model = '<u>'"}, "nothing but a filter", rank=2)
    for view in ("ACTIVE_ONLY", "DELETED_ONLY", "ALL", "active_only", "", 1, 2, 3, 4, 0, None, True):
        search(f"view {view!r}", run_view_type=view, rank=1 if isinstance(view, str) and view.isupper() else 3)
    filters(search)
    orders(search)
    for most in (1, 3, 50000, 50001, 0, -1, "2", "x", None, 1.5, True):
        search(f"max_results {most!r}", max_results=most, rank=2)
    page = {"experiment_ids": ["<ex>"], "max_results": 2, "order_by": ["attributes.start_time ASC"]}
    ask.post("runs/search", page, "first page", save={"stoken": "next_page_token"})
    ask.post("runs/search", {**page, "page_token": "<stoken>"}, "second page", save={"stoken2": "next_page_token"})
    ask.post("runs/search", {**page, "page_token": "<stoken2>"}, "third page")
    for token in ("x", "", "eyJvZmZzZXQiOiAxfQ==", "bm90IGpzb24=", 5, "é"):
        search(f"token {token!r}", page_token=token, max_results=2, rank=3)
    ask.vary(
        "POST",
        "runs/search",
        {"experiment_ids": ("list", ["<ex>"]), "filter": ("text", "metrics.rmse > 0"), "max_results": ("int", 2), "order_by": ("list", ["start_time"]), "run_view_type": ("text", "ALL")},
    )


EVERYDAY = (
    "", "metrics.rmse > 0", "metrics.rmse >= 1", "metrics.rmse < 2", "metrics.rmse <= 2.0", "metrics.rmse = 1", "metrics.rmse != 1", "metrics.mae = -1", "metrics.mae > -1.5e0",
    "metrics.rmse = 1.0 AND params.model = 'ets'", "metrics.rmse > 0 and params.model = 'ets'", "params.model = 'ets'", "params.model != 'ets'", "params.model LIKE 'e%'", "params.model ILIKE 'e%'", "params.model LIKE '_ts'",
    "params.model IS NULL", "params.model IS NOT NULL", "params.lr IS NULL AND params.model = 'ets'", "params.`odd key` = 'x'", 'params."odd key" = \'x\'', "params.`val.x/y` = 'z'", "metrics.`val.x/y z` = 3",
    "tags.team = 'a'", "tags.team != 'a'", "tags.team LIKE 'a%'", "tags.team ILIKE 'A'", "tags.team IS NULL", "tags.team IS NOT NULL", "tags.`team.lead` = 'é'", "tags.team.lead = 'é'", "tags.empty = ''",
    'params.model = "ets"', 'tags.note = "It\'s"', "tags.mlflow.runName = 'alpha'", "tags.`mlflow.runName` LIKE '%a'", "run_name = 'alpha'", "attributes.run_name = 'alpha'", "attributes.run_name LIKE '%a'", "attributes.run_name ILIKE 'BETA'",
    "attributes.`run name` = 'alpha'", "attributes.`Run name` = 'alpha'", "attributes.run_name != 'alpha'", "attributes.status = 'FINISHED'", "status = 'FINISHED'", "status != 'FINISHED'", "status LIKE 'F%'", "status ILIKE 'f%'", "attributes.status = 'RUNNING'",
    "start_time > 2000", "attributes.start_time >= 2000", "attributes.start_time < 2000", "attributes.start_time = 4000", "attributes.start_time != 4000", "attributes.start_time <= 1000", "end_time > 2000", "attributes.end_time = 1500", "attributes.created > 2000", "attributes.Created > 2000", "created <= 1000",
    "run_id = '<s0>'", "attributes.run_id IN ('<s0>', '<s1>')", "run_id IN ('<s0>')", "run_id NOT IN ('<s0>', '<s1>')", "run_id LIKE '%'", "attributes.run_id != '<s0>'", "attributes.user_id = 'ann'", "user_id LIKE 'a%'", "artifact_uri LIKE '%artifacts'",
    "attribute.status = 'FINISHED'", "attr.status = 'FINISHED'", "run.status = 'FINISHED'", "param.model = 'ets'", "parameter.model = 'ets'", "parameters.model = 'ets'", "metric.rmse = 1", "tag.team = 'a'",
    "dataset.name = 'sales'", "datasets.name LIKE 's%'", "dataset.digest = 'd1'", "dataset.context = 'train'", "datasets.context != 'train'", "dataset.name IN ('sales', 'x')", "dataset.name NOT IN ('sales')", "dataset.nope = 'x'",
)
ODD = (
    "params.model IN ('ets')", "params.model NOT IN ('ets')", "tags.team IN ('a')", "status IN ('FINISHED')", "params.model NOT LIKE 'e%'", "tags.team NOT ILIKE 'a'", "params.model > 'a'", "tags.team < 'b'", "params.model = 5", "params.model = ets", "params.lr > 0.05",
    "metrics.rmse = 'x'", "metrics.rmse = '1'", "metrics.rmse LIKE '1'", "metrics.rmse IS NULL", "metrics.rmse IS NOT NULL", "metrics.rmse IN (1)", "metrics.rmse > inf", "metrics.rmse = NaN", "metrics.rmse = 1e400", "metrics.rmse > -1", "metrics.rmse > +1", "metrics.rmse > .5", "metrics.rmse > 5.", "metrics.rmse > 1_0", "metrics.rmse > 0x1",
    "metrics.rmse == 1", "metrics.rmse <> 1", "metrics.rmse ! = 1", "metrics.rmse>0", "metrics.rmse>0 AND params.model='ets'", "  metrics.rmse  >  0  ", "metrics.rmse > 0 AND metrics.mae > 0 AND params.model LIKE '%'", "metrics.rmse > 0 OR metrics.mae > 0", "(metrics.rmse > 0)", "NOT metrics.rmse > 0", "metrics.rmse > 0 AND", "AND metrics.rmse > 0", "metrics.rmse > 0 AND AND metrics.mae > 0", "metrics.rmse > 0 metrics.mae > 0", "metrics.rmse > 0, metrics.mae > 0",
    "metrics.rmse > 0;", "metrics.rmse > 0; DROP TABLE runs", "metrics.rmse > 0 -- c", "metrics.rmse > 0 /* c */", "-- c", ";", "metrics.rmse", "metrics.rmse >", "> 0", "0 < metrics.rmse", "metrics.rmse > metrics.mae", "rmse > 0", "nope.x = 'a'", "metrics.", "metrics. > 0", ".rmse > 0", "metrics > 0", "params = 'a'", "tags.`` = 'a'", "params.`a = 'b'", "params.a` = 'b'", "params.'a' = 'b'", "'params.model' = 'ets'",
    "params.model = 'ets", "params.model = ets'", 'params.model = "ets\'', "params.model = `ets`", "params.model = ''", "params.model = ' ets '", "params.model = 'e' 'ts'", "params.model = 'it''s'", "params.model = 'it\\'s'", "params.model LIKE 'e\\%'", "params.model LIKE ''", "params.model LIKE ets", "params.model LIKE 5", "params.model like 'e%'", "params.model Ilike 'E%'", "params.model is null", "params.model IS  NULL", "params.model IS", "params.model IS 'x'", "params.model IS NOT", "params.model NOT NULL", "params.model BETWEEN 'a' AND 'z'",
    "status = FINISHED", "status = 'finished'", "status = 'NOPE'", "status > 'A'", "status IS NULL", "start_time = 'x'", "start_time = '2000'", "start_time LIKE '2%'", "start_time > 1.5", "start_time > 1e3", "end_time IS NULL", "end_time < 0", "lifecycle_stage = 'active'", "attributes.lifecycle_stage = 'active'", "attributes.experiment_id = '1'", "attributes.nope = 'x'", "run_id = 5", "run_id IN ()", "run_id IN ('a'", "run_id IN 'a'", "run_id IN ('a',)", "run_id IN (5)", "run_id IN ('a' 'b')", "run_id IN (a)", "run_id IS NULL", "run_id > 'a'", "run_id IN (\"<s0>\")", "run_uuid = 'a'", "source_name = 'a'", "name = 'alpha'", "run_name IN ('alpha')", "run_name IS NULL", "run_name > 'a'", "inputs.x = 'a'",
    "dataset.name = 5", "dataset.name > 'a'", "dataset.name IS NULL", "dataset.name = 'sales' AND dataset.digest = 'd2'", "dataset.context = 'train' AND dataset.name = 'sales'", "dataset.name IN ()", "dataset.source = 'x'", "é = 'a'", "params.é = 'a'", "params.model = 'é時'", "params.a-b = 'c'", "params.a:b = 'c'", "params.a/b = 'c'", "params.a b = 'c'", "params.1a = 'c'", "params.key = 'c'", "params.order = 'c'", "params.select = 'c'", "metrics.max > 0", "metrics.count > 0", "metrics.index > 0", "metrics.value > 0", "tags.type = 'x'", "tags.user = 'x'", "tags.date = 'x'", "tags.name = 'x'", "tags.source.x = 'x'", "metrics.f1 > 0", "metrics.f1_score > 0", "metrics.loss > 0", "metrics.precision > 0", "metrics.time > 0", "params.depth = '1'", "params.key.a = 'c'", "params.n = NULL", "params.group = 'c'", "params.in = 'c'", "params.and = 'c'", "params.like = 'c'", "params.order.by = 'c'",
    "params.model = 'a and b'", "params.model = 'a AND b' AND metrics.rmse > 0", "params.model = '(x)'", "params.model = 'x;y'", "params.model = '--'", "params.model = '`'", "params.model = 'a\"b'", "params.model = 'a\nb'", "params.model\n=\n'ets'", "params.model\t=\t'ets'", "metrics.rmse > 0\nAND params.model = 'ets'",
)


def filters(search):
    for text in EVERYDAY:
        search(f"filter {text!r}", filter=text, order_by=["attributes.start_time ASC"])
    for text in ODD:
        search(f"filter {text!r}", filter=text, order_by=["attributes.start_time ASC"], rank=2)


def orders(search):
    for order in (
        "metrics.rmse", "metrics.rmse ASC", "metrics.rmse DESC", "metrics.mae ASC", "metrics.mae DESC", "metrics.nope DESC", "params.model", "params.model DESC", "params.lr ASC", "tags.team", "tags.team DESC",
        "attributes.start_time", "attributes.start_time DESC", "start_time ASC", "start_time DESC", "attribute.end_time DESC", "attributes.end_time ASC", "attributes.run_name", "run_name DESC", "attributes.`Run name` DESC", "attributes.status", "status DESC", "tags.`mlflow.runName` ASC", "tags.mlflow.runName DESC",
        "metrics.`val.x/y z`", "params.`odd key` DESC", "created DESC", "attributes.Created", "attributes.user_id",
    ):
        search(f"order {order!r}", order_by=[order])
    for orders in (["params.model ASC", "metrics.rmse DESC"], ["attributes.status", "attributes.start_time"], ["metrics.rmse DESC", "metrics.rmse ASC"], ["start_time DESC", "run_id"]):
        search(f"orders {orders!r}", order_by=orders)
    for order in (
        "rmse", "nope.rmse", "metrics.rmse asc", "metrics.rmse desc", "METRICS.rmse", "metrics.rmse UP", "metrics.rmse ASC DESC", "", " ", "metrics.", "metrics", "metrics.rmse, metrics.mae", "metrics.rmse > 0", "attributes.nope", "lifecycle_stage", "attributes.lifecycle_stage", "dataset.name", "`metrics.rmse`", "metrics.`rmse", "metrics.rmse;", "-metrics.rmse", "params.a b", "attributes.experiment_id", "metrics.rmse  DESC", " metrics.rmse DESC ", "metrics.é", "tags.a-b DESC", "attributes.start_time  desc", "1", "'metrics.rmse'",
    ):
        search(f"order {order!r}", order_by=[order], rank=2)
