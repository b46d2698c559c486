"""The feature store beside Feast, both sides in turn: the point-in-time join, materialising, and lookups.

    python feature_store.py --almanac target/release/almanac [--rows 1000000] [--seconds 10] [--rate 2000] [--jobs joins,lookups]

Run it with a Python that has Feast: `pip install feast==0.67.0`; a million rows take Feast 7 GB. Data as in Feast's own tutorial, larger:
5,000 entities with 60 days of ten numbers; an entity table of a million rows at random times. Lookups ask a server for one entity at a
time, at a steady rate: each request has a time at which it is due, and its latency counts from then, so that a server that stalls is
charged for those that wait. They are asked three times: with nothing else going on, while one process after the other adds new rows to the
online values, and while one after the other makes all of them anew. What other
programs do to the numbers is not taken out: the load of the machine is told with them.
"""
import argparse
import asyncio
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import warnings
from datetime import datetime, timedelta, timezone
from pathlib import Path

warnings.filterwarnings("ignore")
os.environ["FEAST_USAGE"] = "False"
import numpy as np
import pandas as pd

ENTITIES, DAYS, FEATURES = 5_000, 60, 10
NOW = datetime(2024, 3, 1, tzinfo=timezone.utc)
# What `almanac features` is started with: `chrt --other 0` where all this runs at the priority of real time, which the writer is not to have.
BEFORE = os.environ.get("BENCH_BEFORE", "").split()


def data(folder, rows):
    random = np.random.default_rng(1)
    source = pd.DataFrame(
        {
            "unique_id": np.repeat([f"s{i:05d}" for i in range(ENTITIES)], DAYS),
            "event_timestamp": np.tile(pd.date_range(NOW - timedelta(days=DAYS), periods=DAYS, freq="D"), ENTITIES),
            **{f"f{j}": random.normal(size=ENTITIES * DAYS) for j in range(FEATURES)},
        }
    )
    source.to_parquet(folder / "source.parquet")
    entities = pd.DataFrame(
        {
            "unique_id": [f"s{i:05d}" for i in random.integers(0, ENTITIES, rows)],
            "event_timestamp": NOW - pd.to_timedelta(random.integers(0, (DAYS - 1) * 86_400, rows), unit="s"),
        }
    )
    entities["event_timestamp"] = entities["event_timestamp"].astype("datetime64[us, UTC]")
    # Feast answers rows that are alike once, we as often as they are there.
    entities = entities.drop_duplicates(ignore_index=True)
    entities.to_parquet(folder / "entities.parquet")
    fields = ", ".join(f"f{j}" for j in range(FEATURES))
    (folder / "features.yaml").write_text(
        "entities: [{name: unique_id}]\nviews:\n"
        f"  - {{name: fv, entities: [unique_id], source: {{file: source.parquet}}, time: event_timestamp, ttl: 365d, fields: [{fields}]}}\n"
    )
    return entities


def feast_store(folder):
    from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig
    from feast.types import Float64
    from feast.value_type import ValueType

    config = RepoConfig(
        project="bench",
        provider="local",
        registry=str(folder / "registry.db"),
        online_store={"type": "sqlite", "path": str(folder / "online.db")},
        offline_store={"type": "file"},
        entity_key_serialization_version=3,
    )
    store = FeatureStore(config=config)
    entity = Entity(name="unique_id", join_keys=["unique_id"], value_type=ValueType.STRING)
    view = FeatureView(
        name="fv",
        entities=[entity],
        ttl=timedelta(days=365),
        schema=[Field(name=f"f{j}", dtype=Float64) for j in range(FEATURES)],
        source=FileSource(path=str(folder / "source.parquet"), timestamp_field="event_timestamp"),
    )
    store.apply([entity, view])
    return store


def timed(work):
    start = time.perf_counter()
    answer = work()
    return time.perf_counter() - start, answer


def almanac(binary, folder, *arguments):
    subprocess.run([*BEFORE, binary, "-q", "-C", str(folder), *arguments], check=True, stdout=subprocess.DEVNULL)


def joins(binary, folder, entities, turns):
    store = feast_store(folder)
    names = [f"fv:f{j}" for j in range(FEATURES)]
    ours, theirs = [], []
    out = folder / "training.parquet"
    for _ in range(turns):
        ours.append(timed(lambda: almanac(binary, folder, "features", "get", "--entities", "entities.parquet", "--features", "fv", "--out", out.name))[0])

        def feast():
            frame = store.get_historical_features(entity_df=pd.read_parquet(folder / "entities.parquet"), features=names).to_df()
            frame.to_parquet(folder / "feast.parquet")
            return frame

        seconds, frame = timed(feast)
        theirs.append(seconds)
    key = ["unique_id", "event_timestamp"]
    left, right = (table.sort_values(key).reset_index(drop=True) for table in (pd.read_parquet(out), frame))
    is_same = len(left) == len(right) == len(entities) and all(np.array_equal(left[f"f{j}"], right[f"f{j}"], equal_nan=True) for j in range(FEATURES))
    print(json.dumps({"job": "join", "load1": round(os.getloadavg()[0], 1), "rows": len(entities), "almanac_s": min(ours), "feast_s": min(theirs), "ratio": min(theirs) / min(ours), "same_values": bool(is_same)}))
    until = NOW.isoformat()
    ours = timed(lambda: almanac(binary, folder, "features", "materialise", "--until", until, "--full"))[0]
    theirs = timed(lambda: store.materialize(NOW - timedelta(days=DAYS + 1), NOW))[0]
    print(json.dumps({"job": "materialise", "entities": ENTITIES, "almanac_s": ours, "feast_s": theirs, "ratio": theirs / ours}))


async def steady(port, rate, seconds, connections, bodies):
    """Latencies in ms from the time each request was due."""
    loop = asyncio.get_running_loop()
    start = loop.time() + 0.2
    total = int(rate * seconds)
    latencies = []

    async def worker(number):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in range(number, total, connections):
            due = start + request / rate
            wait = due - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            body = bodies[request % len(bodies)]
            writer.write(b"POST /api/v1/features HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
            await reader.readexactly(length)
            latencies.append((loop.time() - due) * 1000)
        writer.close()

    await asyncio.gather(*(worker(number) for number in range(connections)))
    return np.array(latencies)


def again_and_again(binary, folder, stop, done, arguments):
    """Materialises until told to stop, each time until a second later than the last, or all anew."""
    turn = 0
    while not stop.is_set():
        turn += 1
        until = (NOW + timedelta(seconds=turn)).isoformat() if "--full" not in arguments else NOW.isoformat()
        if "--full" not in arguments:
            newer = pd.DataFrame({"unique_id": [f"s{i:05d}" for i in range(ENTITIES)], "event_timestamp": NOW + timedelta(seconds=turn), **{f"f{j}": np.full(ENTITIES, float(turn)) for j in range(FEATURES)}})
            newer.to_parquet(folder / "source" / f".more-{turn:04d}")
            os.rename(folder / "source" / f".more-{turn:04d}", folder / "source" / f"more-{turn:04d}.parquet")
        almanac(binary, folder, "features", "materialise", "--until", until, *arguments)
        done.append(turn)


def lookups(binary, folder, rate, seconds):
    (folder / "source").mkdir(exist_ok=True)
    if (folder / "source.parquet").exists():
        os.rename(folder / "source.parquet", folder / "source" / "first.parquet")
    declared = folder / "features.yaml"
    declared.write_text(declared.read_text().replace("file: source.parquet", "file: source"))
    almanac(binary, folder, "features", "materialise", "--until", NOW.isoformat(), "--full")
    server = subprocess.Popen([binary, "-C", str(folder), "serve", "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
    try:
        line = server.stderr.readline()
        while "http://" not in line:
            line = server.stderr.readline()
        port = int(line.split("http://127.0.0.1:")[1].split()[0])
        names = [f"fv:f{j}" for j in range(FEATURES)]
        body = lambda i: json.dumps({"features": names, "entities": {"unique_id": [f"s{i % ENTITIES:05d}"]}}).encode()
        bodies = [body(i) for i in range(1_000)]
        asyncio.run(steady(port, rate, 2, 16, bodies))
        for beside, arguments in [("nothing", None), ("all made anew", ["--full"]), ("new rows added", [])]:
            stop, done = threading.Event(), []
            writer = threading.Thread(target=again_and_again, args=(binary, folder, stop, done, arguments)) if arguments is not None else None
            # A process of its own asks: this one's threads are busy with the other job.
            context = multiprocessing.get_context("fork")
            ours, theirs = context.Pipe()
            asker = context.Process(target=lambda: theirs.send(asyncio.run(steady(port, rate, seconds, 16, bodies))))
            asker.start()
            if writer:
                writer.start()
            latencies = ours.recv()
            asker.join()
            stop.set()
            if writer:
                writer.join()
            at = lambda q: round(float(np.percentile(latencies, q)), 3)
            print(json.dumps({"job": "lookups", "beside": beside, "materialised": len(done), "rate": rate, "answers": len(latencies), "p50_ms": at(50), "p99_ms": at(99), "p99_9_ms": at(99.9), "max_ms": at(100), "load1": round(os.getloadavg()[0], 1)}), flush=True)
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--almanac", default="bin/almanac")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--rate", type=int, default=2_000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--jobs", default="joins,lookups")
    arguments = parser.parse_args()
    binary = str(Path(arguments.almanac).resolve())
    folder = Path(tempfile.mkdtemp(prefix="feature-store-"))
    try:
        entities = data(folder, arguments.rows)
        if "joins" in arguments.jobs:
            joins(binary, folder, entities, arguments.turns)
        if "lookups" in arguments.jobs:
            lookups(binary, folder, arguments.rate, arguments.seconds)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
