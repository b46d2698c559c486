"""How long does a search over 100,000 runs take, here and on MLflow's own server?

Fills a database of MLflow with 100,000 runs of 10 metrics and 5 params, half of the metrics under 12,000 names (an experiment
with 12,000 columns), imports it with `almanac tracking import`, and times the same searches over HTTP on both servers, one
client, in turn. The database must have MLflow's tables: `mlflow db upgrade sqlite:///m.db` makes them.

    python3 tracking_search.py fill m.db 100000
    almanac tracking import sqlite:///m.db && almanac serve --listen 127.0.0.1:5313 &
    mlflow server --backend-store-uri sqlite:///m.db --port 5314 --workers 1 &
    python3 tracking_search.py ask 5313 && python3 tracking_search.py ask 5314
"""
import http.client
import json
import random
import sqlite3
import sys
import time
import uuid

EXPERIMENT = "hundred thousand"
COLUMNS = 12_000
REPEATS = 5


def fill(path, count):
    random.seed(1)
    now = int(time.time() * 1000)
    database = sqlite3.connect(path)
    columns = {row[1] for row in database.execute("PRAGMA table_info(experiments)")}
    experiment = {
        "experiment_id": 900,
        "name": EXPERIMENT,
        "artifact_location": "/tmp/artifacts",
        "lifecycle_stage": "active",
        "creation_time": now,
        "last_update_time": now,
        "workspace": "default",
    }
    insert(database, "experiments", [{key: value for key, value in experiment.items() if key in columns}])
    runs, metrics, params, tags = [], [], [], []
    for number in range(count):
        run = uuid.UUID(int=random.getrandbits(128)).hex
        runs.append({
            "run_uuid": run, "name": f"run {number}", "source_type": "UNKNOWN", "source_name": "", "entry_point_name": "", "user_id": "me",
            "status": "FINISHED", "start_time": now + number, "end_time": now + number + 5, "source_version": "",
            "lifecycle_stage": "active", "artifact_uri": f"/tmp/artifacts/{run}", "experiment_id": 900,
        })
        keys = {f"m{place}" for place in range(5)} | {f"feature_importance/column_{random.randrange(COLUMNS)}" for _ in range(5)}
        for key in keys:
            metrics.append({"run_uuid": run, "key": key, "value": number * 37 % 1000 / 1000, "timestamp": now, "step": 0, "is_nan": 0})
        params += [{"run_uuid": run, "key": f"p{place}", "value": str(number % (7 + place))} for place in range(5)]
        tags.append({"run_uuid": run, "key": "mlflow.runName", "value": f"run {number}"})
    for table, rows in [("runs", runs), ("metrics", metrics), ("latest_metrics", metrics), ("params", params), ("tags", tags)]:
        insert(database, table, rows)
    database.commit()


def insert(database, table, rows):
    names = list(rows[0])
    places = ", ".join(f":{name}" for name in names)
    database.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})", rows)


def ask(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)

    def call(method, path, body=None):
        connection.request(method, f"/api/2.0/mlflow/{path}", body and json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status == 200, text[:300]
        return json.loads(text)

    found = call("GET", f"experiments/get-by-name?experiment_name={EXPERIMENT.replace(' ', '%20')}")
    everywhere = {"experiment_ids": [found["experiment"]["experiment_id"]], "max_results": 100}
    for what, query in {
        "first page": {},
        "by a metric": {"order_by": ["metrics.m1 DESC"]},
        "one of 12,000 columns": {"filter": "metrics.`feature_importance/column_77` > 0"},
        "filter and order": {"filter": "metrics.m0 > 0.5 and params.p0 = '3'", "order_by": ["metrics.m1 DESC"]},
    }.items():
        took = []
        for _ in range(REPEATS):
            started = time.perf_counter()
            runs = call("POST", "runs/search", everywhere | query).get("runs", [])
            took.append(time.perf_counter() - started)
        print(f"{what}: {len(runs)} runs, median {sorted(took)[REPEATS // 2] * 1e3:.1f} ms, slowest {max(took) * 1e3:.1f} ms")


if __name__ == "__main__":
    if sys.argv[1:2] == ["fill"] and len(sys.argv) == 4:
        fill(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1:2] == ["ask"] and len(sys.argv) == 3:
        ask(int(sys.argv[2]))
    else:
        sys.exit(__doc__)
