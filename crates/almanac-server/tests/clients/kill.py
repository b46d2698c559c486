"""Does a server that is killed lose anything it had acknowledged, or keep half of anything it had not?

    python3 kill.py --times 50 --url http://127.0.0.1:5389 -- SERVER ARGUMENTS…

Starts the server, lets eight processes write to it, kills it with SIGKILL at a random moment, starts it again, and checks that
1. it answers within `--within` seconds of its start,
2. everything that was acknowledged is there,
3. of what was under way when it died, each run and each batch is there wholly or not at all,
and in the end that whatever was acknowledged in any round is still there. The server must keep its store between starts.

Needs nothing but Python. Exit status: 0 if all held, 1 otherwise, with a line for each thing that did not.
"""

import argparse
import http.client
import json
import multiprocessing
import random
import subprocess
import sys
import time
import urllib.parse

API = "/api/2.0/mlflow/"
WRITERS = 8
BATCHES_A_RUN = 15


class Speaker:
    """One connection to the server. Anything but an answer raises `OSError`; a refusal raises `RuntimeError`."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)

    def ask(self, method, path, body=None):
        text = None if body is None else json.dumps(body)
        try:
            self.connection.request(method, path, text, {"Content-Type": "application/json"})
            response = self.connection.getresponse()
            answer = response.read()
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        if response.status != 200:
            raise RuntimeError(f"{method} {path}: {response.status} {answer[:300]!r}")
        return json.loads(answer)

    def post(self, path, **body):
        return self.ask("POST", API + path, body)


def entities(mark):
    """What one batch writes; every part carries the mark of the batch."""
    return {
        "metrics": [{"key": f"{mark}/m{i}", "value": i + 0.5, "timestamp": 1000 + i, "step": i} for i in range(5)],
        "params": [{"key": f"{mark}/p{i}", "value": f"{mark} {i}"} for i in range(3)],
        "tags": [{"key": f"{mark}/t{i}", "value": f"{mark} {i}"} for i in range(2)],
    }


def write(url, experiment, writer, results):
    """Writes until the server is gone; then hands over what was sent and what was acknowledged."""
    done = {"runs": {}, "acknowledged": [], "pending": None, "trouble": None}
    number = 0
    try:
        speaker = Speaker(url)
        while True:
            number += 1
            mark = f"{writer}-{number}"
            done["pending"] = ("run", mark, None)
            tags = [{"key": key, "value": mark} for key in ("mark", "second", "third")]
            made = speaker.post("runs/create", experiment_id=experiment, run_name=f"run {mark}", start_time=number, tags=tags)
            run = made["run"]["info"]["run_id"]
            done["runs"][mark] = run
            for step in range(BATCHES_A_RUN):
                for kind, path, body in (
                    ("batch", "runs/log-batch", entities(f"b{step}")),
                    ("param", "runs/log-parameter", {"key": f"p{step}", "value": str(step)}),
                    ("tag", "runs/set-tag", {"key": f"t{step}", "value": str(step)}),
                    ("metric", "runs/log-metric", {"key": f"m{step}", "value": step + 0.25, "timestamp": 5, "step": step}),
                ):
                    done["pending"] = (kind, step, run)
                    speaker.post(path, run_id=run, **body)
                    done["acknowledged"].append((kind, step, run))
    except OSError:
        pass
    except RuntimeError as error:
        done["trouble"] = str(error)
    results.put(done)


def parts(kind, step):
    """Returns what a write leaves in a run: (list, key, value)."""
    if kind == "batch":
        body = entities(f"b{step}")
        return [(name, item["key"], item["value"]) for name, items in body.items() for item in items]
    return [{"param": ("params", f"p{step}", str(step)), "tag": ("tags", f"t{step}", str(step)), "metric": ("metrics", f"m{step}", step + 0.25)}[kind]]


def contents(speaker, run):
    """Returns all that a run holds as a set of (list, key, value)."""
    data = speaker.ask("GET", f"{API}runs/get?run_id={run}")["run"]["data"]
    return {(name, item["key"], item["value"]) for name in ("metrics", "params", "tags") for item in data.get(name, [])}


def check(speaker, experiment, done, complaints):
    """Compares what one writer was told with what is there. Returns how many writes were acknowledged."""
    held = {}
    for mark, run in done["runs"].items():
        try:
            held[run] = contents(speaker, run)
        except RuntimeError as error:
            complaints.append(f"lost run {mark}: {error}")
            held[run] = set()
        if not {("tags", key, mark) for key in ("mark", "second", "third")} <= held[run]:
            complaints.append(f"run {mark} has lost tags it was made with")
    for kind, step, run in done["acknowledged"]:
        missing = [part for part in parts(kind, step) if part not in held[run]]
        if missing:
            complaints.append(f"lost of {kind} {step} of run {run}, which was acknowledged: {missing}")
    if done["pending"]:
        kind, step, run = done["pending"]
        if kind == "run":
            found = speaker.post("runs/search", experiment_ids=[experiment], filter=f"tags.mark = '{step}'").get("runs", [])
            for one in found:
                tags = {tag["key"] for tag in one["data"].get("tags", [])}
                if not {"mark", "second", "third", "mlflow.runName"} <= tags:
                    complaints.append(f"half a run {step}: tags {sorted(tags)}")
        else:
            there = [part in held[run] for part in parts(kind, step)]
            if any(there) and not all(there):
                complaints.append(f"half of {kind} {step} of run {run}: {there}")
    if done["trouble"]:
        complaints.append(f"refused: {done['trouble']}")
    return len(done["acknowledged"]) + len(done["runs"])


def start(command, url, log, within, complaints):
    """Starts the server and waits for its first answer."""
    begun = time.monotonic()
    server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    while True:
        try:
            Speaker(url).ask("GET", f"{API}experiments/get?experiment_id=0")
            break
        except (OSError, RuntimeError):
            if server.poll() is not None or time.monotonic() - begun > 60:
                server.kill()
                sys.exit(f"the server did not start: exit status {server.poll()}")
            time.sleep(0.01)
    took = time.monotonic() - begun
    if took > within:
        complaints.append(f"the server took {took:.1f} s to answer")
    return server, took


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=3, help="how often the server is killed (3)")
    parser.add_argument("--url", default="http://127.0.0.1:5389", help="where the server will listen")
    parser.add_argument("--within", type=float, default=5.0, help="seconds until the first answer after a start (5)")
    parser.add_argument("--seed", type=int, default=1, help="for the moments of killing (1)")
    parser.add_argument("--log", default="/dev/null", help="file for what the server prints")
    parser.add_argument("command", nargs="+", help="the server, after `--`")
    args = parser.parse_args()
    dice = random.Random(args.seed)
    complaints, rounds, starts = [], [], []
    acknowledged = 0
    with open(args.log, "ab") as log:
        server, _ = start(args.command, args.url, log, 60.0, complaints)
        try:
            for number in range(args.times):
                experiment = Speaker(args.url).post("experiments/create", name=f"killed {time.time_ns()}")["experiment_id"]
                results = multiprocessing.Queue()
                writers = [multiprocessing.Process(target=write, args=(args.url, experiment, writer, results)) for writer in range(WRITERS)]
                for writer in writers:
                    writer.start()
                time.sleep(dice.uniform(0.1, 1.2))
                server.kill()
                server.wait()
                told = [results.get(timeout=60) for _ in writers]
                for writer in writers:
                    writer.join()
                server, took = start(args.command, args.url, log, args.within, complaints)
                starts.append(took)
                speaker = Speaker(args.url)
                acknowledged += sum(check(speaker, experiment, done, complaints) for done in told)
                rounds.append((experiment, told))
                if complaints:
                    break
            speaker = Speaker(args.url)
            for experiment, told in rounds[:-1]:
                for done in told:
                    check(speaker, experiment, {**done, "pending": None}, complaints)
        finally:
            server.kill()
            server.wait()
    for complaint in complaints[:50]:
        print(complaint)
    slowest = max(starts, default=0.0)
    print(f"killed {len(starts)} times; {acknowledged} acknowledged writes, {len(complaints)} complaints; slowest start {slowest:.2f} s")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
