"""What no client sends: bodies that are no JSON, other content types, other methods, paths that lead nowhere."""

from .ask import API

JSON = {"Content-Type": "application/json"}


def questions(ask):
    def raw(title, body, path="runs/set-tag", headers=JSON, method="POST", rank=3):
        ask.add(method, path, f"raw, {title}", raw=body, headers=dict(headers), rank=rank)

    raw("cut off", b'{"run_id": "a", "key": ')
    raw("no JSON", b"hello")
    raw("a text", b'"hello"')
    raw("JSON in a text", b'"{\\"run_id\\": \\"abc\\", \\"key\\": \\"k\\"}"')
    raw("a number", b"5")
    raw("an empty body", b"")
    raw("blanks", b"   ")
    raw("not UTF-8", b'{"run_id": "\xff\xfe", "key": "k"}')
    raw("UTF-16", '{"run_id": "a"}'.encode("utf-16"))
    raw("half a surrogate", b'{"run_id": "\\ud800", "key": "k", "value": "v"}')
    raw("a NUL in the id", b'{"run_id": "a\\u0000b", "key": "k", "value": "v"}')
    raw("a name twice", b'{"run_id": "a", "run_id": "b", "key": "k"}')
    raw("NaN as JSON", b'{"run_id": "a", "key": "k", "value": NaN, "timestamp": 1}', path="runs/log-metric")
    raw("deep nesting", b'{"run_id": ' + b"[" * 5000 + b"]" * 5000 + b"}")
    raw("no content type", b'{"run_id": "a", "key": "k"}', headers={}, rank=2)
    raw("form", b"run_id=a&key=k", headers={"Content-Type": "application/x-www-form-urlencoded"}, rank=2)
    raw("plain text", b'{"run_id": "a", "key": "k"}', headers={"Content-Type": "text/plain"}, rank=2)
    raw("charset", b'{"run_id": "a", "key": "k", "value": "v"}', headers={"Content-Type": "application/json; charset=utf-8"}, rank=2)
    raw("upper case type", b'{"run_id": "a", "key": "k", "value": "v"}', headers={"Content-Type": "Application/JSON"})
    raw("JSON of another kind", b'{"run_id": "a", "key": "k", "value": "v"}', headers={"Content-Type": "application/vnd.api+json"})
    raw("another method", b"{}", method="PUT")
    for method, path in (("GET", "runs/create"), ("POST", "runs/get"), ("DELETE", "runs/get"), ("PATCH", "runs/search"), ("GET", "runs/log-batch"), ("GET", "no/such/route"), ("POST", "no/such/route"), ("GET", "runs/search"), ("GET", "experiments/create"), ("POST", "experiments/get")):
        ask.add(method, path, f"by {method}", body=None if method == "GET" else {}, rank=3)
    for path in ("/api/2.0/mlflow", API, "/api/2.0/mlflow/runs/get/", "/api/9.9/mlflow/runs/get", "/api/2.0//mlflow/runs/get", "/api/2.0/preview/mlflow/runs/get", "/api/3.0/mlflow/runs/get", "/ajax-api/3.0/mlflow/runs/get", "/ajax-api/2.0/mlflow/runs/get"):
        ask.get(path, {"run_id": "abc"}, "path", rank=3)
    ask.get("/health", None, "health", bytes=True)
    for path in ("/api/2.0/mlflow/runs/search", "/api/3.0/mlflow/runs/search", "/ajax-api/2.0/mlflow/runs/search", "/api/2.0/preview/mlflow/runs/search"):
        ask.post(path, {"experiment_ids": ["99999999"]}, "twin", rank=2)
