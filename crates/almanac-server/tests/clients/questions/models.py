"""The registry: models, versions, their tags, stages and aliases."""


def questions(ask):
    ask.post("experiments/create", {"name": "<u>-models"}, "for models", save={"em": "experiment_id"})
    ask.post("runs/create", {"experiment_id": "<em>", "run_name": "m", "start_time": 1}, "for models", save={"rm": "run.info.run_id"})
    registered(ask)
    versions(ask)
    aliases(ask)
    searches(ask)
    removal(ask)


def registered(ask):
    path = "registered-models"
    ask.post(f"{path}/create", {"name": "<u>-m1", "description": "first", "tags": [{"key": "a", "value": "1"}]}, "plain")
    ask.post(f"{path}/create", {"name": "<u>-m1"}, "name taken", rank=2)
    ask.post(f"{path}/create", {"name": "<u>-m2"}, "bare")
    for name in ("", " ", "a/b-<u>", "a:b-<u>", "<u>" + "x" * 257, "é <u> 時", "<u>.m", "<u>%m"):
        ask.post(f"{path}/create", {"name": name}, f"name {name[:20]!r} of {len(name)}", rank=2)
    ask.post(f"{path}/create", {"name": "<u>-t", "tags": [{"key": "k", "value": "1"}, {"key": "k", "value": "2"}]}, "a tag twice", rank=3)
    ask.post(f"{path}/create", {"name": "<u>-tk", "tags": [{"key": "k" * 251, "value": "1"}]}, "tag key too long", rank=2)
    ask.vary("POST", f"{path}/create", {"name": ("text", "<u>-v<i>"), "description": ("text", "d"), "tags": ("messages", [])})
    ask.get(f"{path}/get", {"name": "<u>-m1"}, "found")
    ask.get(f"{path}/get", {"name": "<u>-none"}, "unknown", rank=2)
    ask.vary("GET", f"{path}/get", {"name": ("text", "<u>-m2")})
    ask.patch(f"{path}/update", {"name": "<u>-m1", "description": "changed"}, "description")
    ask.patch(f"{path}/update", {"name": "<u>-m1"}, "nothing", rank=2)
    ask.get(f"{path}/get", {"name": "<u>-m1"}, "after an update of nothing", rank=2)
    ask.patch(f"{path}/update", {"name": "<u>-none", "description": "x"}, "unknown", rank=2)
    ask.vary("PATCH", f"{path}/update", {"name": ("text", "<u>-m1"), "description": ("text", "d")})
    ask.post(f"{path}/rename", {"name": "<u>-m2", "new_name": "<u>-m2b"}, "plain")
    ask.post(f"{path}/rename", {"name": "<u>-m2b", "new_name": "<u>-m1"}, "name taken", rank=2)
    ask.post(f"{path}/rename", {"name": "<u>-none", "new_name": "<u>-x"}, "unknown", rank=2)
    ask.post(f"{path}/rename", {"name": "<u>-m2b", "new_name": "a/b"}, "bad name", rank=2)
    ask.vary("POST", f"{path}/rename", {"name": ("text", "<u>-nobody"), "new_name": ("text", "<u>-w<i>")})
    ask.post(f"{path}/set-tag", {"name": "<u>-m1", "key": "b", "value": "2"}, "plain")
    ask.post(f"{path}/set-tag", {"name": "<u>-m1", "key": "b", "value": "3"}, "again")
    ask.post(f"{path}/set-tag", {"name": "<u>-none", "key": "b", "value": "3"}, "unknown", rank=2)
    ask.post(f"{path}/set-tag", {"name": "<u>-m1", "key": "c"}, "no value", rank=2)
    ask.post(f"{path}/set-tag", {"name": "<u>-m1", "key": "a//b", "value": "3"}, "bad key", rank=2)
    ask.vary("POST", f"{path}/set-tag", {"name": ("text", "<u>-m1"), "key": ("text", "k"), "value": ("text", "v")})
    ask.get(f"{path}/get", {"name": "<u>-m1"}, "with tags")
    ask.delete(f"{path}/delete-tag", {"name": "<u>-m1", "key": "b"}, "plain")
    ask.delete(f"{path}/delete-tag", {"name": "<u>-m1", "key": "b"}, "gone", rank=2)
    ask.delete(f"{path}/delete-tag", {"name": "<u>-none", "key": "b"}, "unknown", rank=2)
    ask.vary("DELETE", f"{path}/delete-tag", {"name": ("text", "<u>-m1"), "key": ("text", "never")})


def versions(ask):
    path = "model-versions"
    source = "mlflow-artifacts:/<em>/<rm>/artifacts/model"
    ask.post(f"{path}/create", {"name": "<u>-m1", "source": source, "run_id": "<rm>", "tags": [{"key": "a", "value": "1"}], "description": "one", "run_link": "http://x"}, "plain")
    ask.post(f"{path}/create", {"name": "<u>-m1", "source": source, "run_id": "<rm>"}, "another")
    ask.post(f"{path}/create", {"name": "<u>-m1", "source": "s3://bucket/model"}, "without a run")
    ask.post(f"{path}/create", {"name": "<u>-none", "source": source, "run_id": "<rm>"}, "unknown model", rank=2)
    ask.post(f"{path}/create", {"name": "<u>-m1", "source": source, "run_id": "0" * 32}, "unknown run", rank=2)
    for wrong in ("/etc/passwd", "../x", "file:///etc", "a/b", "", "mlflow-artifacts:/../x", "models:/<u>-m1/1", "models:/m-" + "0" * 32, "models:/<u>-none/1", "runs:/<rm>/model", "http://h/../x", "s3://b/%2e%2e/x", "dbfs:/x", "s3://b/a?x=../y", "ftp://x/y", "C:\\x"):
        ask.post(f"{path}/create", {"name": "<u>-m2b", "source": wrong}, f"source {wrong!r}", rank=2)
    ask.get("registered-models/get", {"name": "<u>-m2b"}, "after odd sources", rank=2)
    ask.vary("POST", f"{path}/create", {"name": ("text", "<u>-m2b"), "source": ("text", "s3://b/m"), "run_id": ("text", "<rm>"), "description": ("text", "d"), "tags": ("messages", [])})
    ask.get(f"{path}/get", {"name": "<u>-m1", "version": "1"}, "found")
    for version in ("99", "0", "-1", "abc", "1.0", "01", ""):
        ask.get(f"{path}/get", {"name": "<u>-m1", "version": version}, f"version {version!r}", rank=2)
    ask.get(f"{path}/get", {"name": "<u>-none", "version": "1"}, "unknown model", rank=2)
    ask.vary("GET", f"{path}/get", {"name": ("text", "<u>-m1"), "version": ("text", "1")})
    ask.get(f"{path}/get-download-uri", {"name": "<u>-m1", "version": "1"}, "found")
    ask.get(f"{path}/get-download-uri", {"name": "<u>-m1", "version": "99"}, "unknown", rank=2)
    ask.patch(f"{path}/update", {"name": "<u>-m1", "version": "1", "description": "better"}, "description")
    ask.patch(f"{path}/update", {"name": "<u>-m1", "version": "99", "description": "better"}, "unknown", rank=2)
    ask.vary("PATCH", f"{path}/update", {"name": ("text", "<u>-m1"), "version": ("text", "1"), "description": ("text", "d")})
    for stage in ("Staging", "production", "Archived", "None", "Nope", "", 5):
        ask.post(f"{path}/transition-stage", {"name": "<u>-m1", "version": "1", "stage": stage, "archive_existing_versions": False}, f"to {stage!r}", rank=2)
    ask.post(f"{path}/transition-stage", {"name": "<u>-m1", "version": "1", "stage": "Production"}, "one to production", rank=1)
    ask.post(f"{path}/transition-stage", {"name": "<u>-m1", "version": "2", "stage": "Production", "archive_existing_versions": True}, "two instead of one")
    ask.post(f"{path}/transition-stage", {"name": "<u>-m1", "version": "2", "stage": "Archived", "archive_existing_versions": True}, "archived with archiving", rank=3)
    ask.get(f"{path}/get", {"name": "<u>-m1", "version": "1"}, "after stages")
    ask.post("registered-models/get-latest-versions", {"name": "<u>-m1"}, "all stages")
    ask.post("registered-models/get-latest-versions", {"name": "<u>-m1", "stages": ["None"]}, "one stage")
    ask.post("registered-models/get-latest-versions", {"name": "<u>-m1", "stages": ["Nope"]}, "a wrong stage", rank=2)
    ask.get("registered-models/get-latest-versions", {"name": "<u>-m1"}, "by GET")
    ask.post("registered-models/get-latest-versions", {"name": "<u>-none"}, "unknown", rank=2)
    ask.post(f"{path}/set-tag", {"name": "<u>-m1", "version": "1", "key": "k", "value": "v"}, "plain")
    ask.post(f"{path}/set-tag", {"name": "<u>-m1", "version": "99", "key": "k", "value": "v"}, "unknown", rank=2)
    ask.vary("POST", f"{path}/set-tag", {"name": ("text", "<u>-m1"), "version": ("text", "1"), "key": ("text", "k"), "value": ("text", "v")})
    ask.delete(f"{path}/delete-tag", {"name": "<u>-m1", "version": "1", "key": "k"}, "plain")
    ask.delete(f"{path}/delete-tag", {"name": "<u>-m1", "version": "1", "key": "k"}, "gone", rank=2)
    ask.vary("DELETE", f"{path}/delete-tag", {"name": ("text", "<u>-m1"), "version": ("text", "1"), "key": ("text", "never")})
    ask.get("registered-models/get", {"name": "<u>-m1"}, "with versions")


def aliases(ask):
    path = "registered-models/alias"
    ask.post(path, {"name": "<u>-m1", "alias": "champion", "version": "1"}, "plain")
    ask.post(path, {"name": "<u>-m1", "alias": "champion", "version": "2"}, "moved")
    ask.post(path, {"name": "<u>-m1", "alias": "Champion", "version": "1"}, "in another case", rank=3)
    for alias in ("latest", "Latest", "v1", "V12", "v1x", "1", "a/b", "a b", "é", "a" * 255, "a" * 256, "a@b", ""):
        ask.post(path, {"name": "<u>-m1", "alias": alias, "version": "1"}, f"alias {alias[:20]!r} of {len(alias)}", rank=2)
    ask.post(path, {"name": "<u>-m1", "alias": "x", "version": "99"}, "unknown version", rank=2)
    ask.post(path, {"name": "<u>-none", "alias": "x", "version": "1"}, "unknown model", rank=2)
    ask.get(path, {"name": "<u>-m1", "alias": "champion"}, "found")
    ask.get(path, {"name": "<u>-m1", "alias": "CHAMPION"}, "in another case", rank=3)
    ask.get(path, {"name": "<u>-m1", "alias": "nobody"}, "unknown", rank=2)
    ask.get(path, {"name": "<u>-none", "alias": "champion"}, "of an unknown model", rank=2)
    ask.get("registered-models/get", {"name": "<u>-m1"}, "with aliases")
    ask.get("model-versions/get", {"name": "<u>-m1", "version": "2"}, "with aliases")
    ask.delete(path, {"name": "<u>-m1", "alias": "champion"}, "there")
    ask.delete(path, {"name": "<u>-m1", "alias": "champion"}, "gone", rank=2)
    ask.delete(path, {"name": "<u>-none", "alias": "champion"}, "gone with its model", rank=2)
    for method in ("POST", "GET", "DELETE"):
        ask.vary(method, path, {"name": ("text", "<u>-m1"), "alias": ("text", "zz"), **({"version": ("text", "1")} if method == "POST" else {})})


def searches(ask):
    for number in range(3):
        ask.post("registered-models/create", {"name": f"<u>q{number}", "tags": [{"key": "n", "value": str(number)}]}, f"for searching {number}")
        ask.post("model-versions/create", {"name": f"<u>q{number}", "source": f"s3://b/{number}", "run_id": "<rm>", "tags": [{"key": "n", "value": str(number)}]}, f"for searching {number}")
    mine = "name LIKE '<u>q%'"
    for text in ("", "name = '<u>q1'", "name != '<u>q1'", "name ILIKE '<u>Q%'", "tags.n = '1'", "tags.n != '1'", "tags.n LIKE '%'", "tag.n = '1'", "tags.`n` = '1'", "name = 5", "nope = 'x'", "name > 'a'", "name = 'a' OR name = 'b'", "name IN ('a')", "creation_timestamp > 0", "name LIKE 'x' AND", "tags.n IS NULL", "aliases = 'x'", "params.x = '1'", "attribute.name = '<u>q1'"):
        ask.get("registered-models/search", {"filter": f"{mine} AND {text}" if text else mine}, f"filter {text!r}", rank=1 if "=" in text and "'" in text else 2, pick="registered_models.*.name")
    for order in ("name", "name DESC", "last_updated_timestamp ASC", "last_updated_timestamp DESC", "timestamp", "timestamp DESC", "creation_timestamp", "nope", "name UP", "", "tags.n"):
        ask.get("registered-models/search", {"filter": "name LIKE '<u>q%' OR" if order == "" else mine, "order_by": [order]}, f"order {order!r}", rank=2)
    for most in ("1", "1000", "1001", "0", "-1", "x"):
        ask.get("registered-models/search", {"filter": mine, "max_results": most}, f"max_results {most!r}", rank=2)
    ask.get("registered-models/search", {"filter": mine, "max_results": 2}, "first page", save={"mtoken": "next_page_token"})
    ask.get("registered-models/search", {"filter": mine, "max_results": 2, "page_token": "<mtoken>"}, "second page")
    ask.get("registered-models/search", {"filter": mine, "page_token": "x"}, "a wrong token", rank=3)
    for text in ("", "name = '<u>q1'", "run_id = '<rm>'", "run_id IN ('<rm>', 'x')", "run_id IN ()", "run_id = 'x'", "source_path = 's3://b/1'", "source_path LIKE 's3%'", "tags.n = '1'", "version_number = 1", "version_number > 0", "version_number > 1", "version = '1'", "version_number = '1'", "nope = 'x'", "name = 'a' OR name = 'b'", "run_id != '<rm>'", "creation_timestamp > 0", "last_updated_timestamp > 0", "current_stage = 'None'", "user_id = 'a'", "model_id = 'm'"):
        ask.get("model-versions/search", {"filter": f"{mine} AND {text}" if text else mine}, f"filter {text!r}", rank=1 if "=" in text and "'" in text else 2, pick="model_versions.*.name")
    for order in ("name", "name DESC", "version_number DESC", "version_number ASC", "last_updated_timestamp DESC", "creation_timestamp", "version", "nope", "run_id"):
        ask.get("model-versions/search", {"filter": mine, "order_by": [order]}, f"order {order!r}", rank=2)
    ask.get("model-versions/search", {"filter": "name = '<u>-m1'"}, "many versions")
    for most in ("1", "200000", "200001", "0", "-1", "x"):
        ask.get("model-versions/search", {"filter": mine, "max_results": most}, f"max_results {most!r}", rank=2)
    ask.get("model-versions/search", {"filter": mine, "max_results": 2}, "first page", save={"vtoken": "next_page_token"})
    ask.get("model-versions/search", {"filter": mine, "max_results": 2, "page_token": "<vtoken>"}, "second page")


def removal(ask):
    ask.delete("model-versions/delete", {"name": "<u>-m1", "version": "1"}, "there")
    ask.delete("model-versions/delete", {"name": "<u>-m1", "version": "1"}, "gone", rank=2)
    ask.get("model-versions/get", {"name": "<u>-m1", "version": "1"}, "deleted", rank=2)
    ask.post("model-versions/create", {"name": "<u>-m1", "source": "s3://b/m"}, "after a deletion")
    ask.vary("DELETE", "model-versions/delete", {"name": ("text", "<u>-m1"), "version": ("text", "77")})
    ask.delete("registered-models/delete", {"name": "<u>-m1"}, "with versions")
    ask.get("registered-models/get", {"name": "<u>-m1"}, "deleted", rank=2)
    ask.delete("registered-models/delete", {"name": "<u>-m1"}, "gone", rank=2)
    ask.vary("DELETE", "registered-models/delete", {"name": ("text", "<u>-nobody")})
