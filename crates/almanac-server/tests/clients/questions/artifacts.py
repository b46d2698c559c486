"""Files: put, listed, fetched, deleted, through the proxy and by the run."""

PROXY = "/api/2.0/mlflow-artifacts/artifacts"


def questions(ask):
    ask.post("runs/create", {"experiment_id": "<em>", "run_name": "files", "start_time": 1}, "for files", save={"ra": "run.info.run_id"})
    root = "<em>/<ra>/artifacts"

    def put(name, body=b"hello", rank=1, root=root):
        headers = {"Content-Type": "application/octet-stream"}
        ask.add("PUT", f"{PROXY}/{root}/{name}", f"put {name!r}", raw=body, headers=headers, rank=rank)

    def fetch(name, rank=1, root=root, **headers):
        ask.add("GET", f"{PROXY}/{root}/{name}", f"fetch {name!r} {headers}", headers=headers, rank=rank, bytes=True)

    for name in ("a.txt", "d/b.json", "d/e/c.bin", "empty.txt", "with%20blank.txt", "%C3%A9.txt", "plus+sign.txt", "at@sign;semi=x&amp.txt", "100%25.txt"):
        put(name, b"" if name.startswith("empty") else b"hello " + name.encode())
        fetch(name)
    put("a.txt", b"overwritten")
    fetch("a.txt", Range="bytes=0-3", rank=2)
    fetch("a.txt", Range="bytes=-3", rank=3)
    fetch("a.txt", Range="bytes=99-", rank=3)
    fetch("nope.txt", rank=2)
    fetch("d", rank=2)
    for name in ("../x", "..%2Fx", "%2e%2e/x", "d/../../x", "%2Fetc%2Fpasswd", "", "a//b", "d%5Ce", "%00", "%252e%252e%252fx", "./x", "file:%2F%2Fx"):
        put(name, rank=3, root="<em>/odd/<u>")
        fetch(name, rank=3, root="<em>/odd/<u>")
        ask.add("DELETE", f"{PROXY}/<em>/odd/<u>/{name or '%20'}", f"delete {name!r}", rank=3)
    for path in (root, f"{root}/d", f"{root}/nope", f"{root}/a.txt", "../x", "/etc", "%2e%2e"):
        ask.get(PROXY, {"path": path}, f"list {path!r}", rank=1 if path.startswith(root) else 2)
    for path in (None, "d", "d/e", "nope", "a.txt", "..", "/etc", "../x", "%2e%2e", ""):
        ask.get("artifacts/list", {"run_id": "<ra>", **({} if path is None else {"path": path})}, f"path {path!r}", rank=1 if path in (None, "d") else 2)
    ask.get("artifacts/list", {"run_id": "0" * 32}, "unknown run", rank=2)
    ask.get("artifacts/list", {}, "no run", rank=3)
    for path in ("a.txt", "d/b.json", "nope", "../x", "/etc/passwd", "", "d"):
        ask.get("/get-artifact", {"run_id": "<ra>", "path": path}, f"path {path!r}", rank=2, bytes=True)
    ask.get("/get-artifact", {"run_uuid": "<ra>", "path": "a.txt"}, "by the old name", rank=2, bytes=True)
    ask.get("/get-artifact", {"path": "a.txt"}, "no run", rank=3)
    ask.add("DELETE", f"{PROXY}/{root}/a.txt", "delete there")
    ask.add("DELETE", f"{PROXY}/{root}/a.txt", "delete gone", rank=2)
    ask.add("DELETE", f"{PROXY}/{root}/d", "delete a folder", rank=2)
    ask.get("artifacts/list", {"run_id": "<ra>"}, "after deleting")
