#!/usr/bin/env python3
"""How long do versions of data take beside DVC?

  python3 crates/almanac-bench/speed/versions.py --almanac bin/almanac --dvc ~/.cache/almanac/clients-dvc/bin/dvc [--gb 2] [--files 10000]
          [--small 600000] [--runs 3] [--jobs one many share huge] [--s3 "s3s-fs --port {port} …"] [--huge-dvc] [--json out.json]

The same jobs on the same bytes, by turns, one process each, start included, for that is what a user waits for; the least time of each counts.
BENCH_DIR: where, a temporary folder otherwise. In brackets the processor's seconds, which other programs disturb less, and the most memory.

one    one file of --gb GB: add, status, checkout after removal, with copies and with hard links
many   --files files of 50 kB in 100 folders: the same, and add after one file changed
share  the --files files through a server that speaks S3: push, pull into an empty cache. moto, beside `dvc`, unless --s3 says how to start
       another: `{port}` and `{folder}` are filled in, keys are k and s unless the environment has others
huge   --small files of 200 bytes: add, status, checkout; ours only unless --huge-dvc
"""

import argparse
import json
import os
import random
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ENV = dict({"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}, **os.environ, DVC_NO_ANALYTICS="1", AWS_DEFAULT_REGION="us-east-1", NO_PROXY="127.0.0.1", GIT_CONFIG_GLOBAL="/dev/null")
BLOCK = random.Random(5).randbytes(1 << 24)


class Side:
    """One program in a repository of its own."""

    def __init__(self, name, program, folder):
        self.name, self.program, self.folder = name, program, folder
        folder.mkdir(parents=True)
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
        self.run("init", "-q")

    def run(self, *args):
        os.sync()
        with tempfile.TemporaryFile() as told:
            start = time.perf_counter()
            process = subprocess.Popen([*self.program, *args], cwd=self.folder, env=ENV, stdout=told, stderr=told)
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                told.seek(0)
                sys.exit(f"{self.name} {' '.join(args)}: exit {process.returncode}: {told.read().decode(errors='replace')}")
        return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def both(options, work, name):
    sides = [("ours", [options.almanac, "data"]), ("dvc", [options.dvc])]
    return [Side(side, program, work / f"{name}-{side}") for side, program in sides]


def turns(rows, job, sides, step, before=None, runs=1):
    best = {}
    for _ in range(runs):
        for side in sides:
            if before:
                before(side)
            best[side.name] = min(side.run(*step), best.get(side.name, (float("inf"),)))
    rows.append({"job": job, **{name: dict(zip(("seconds", "cpu", "mb"), one)) for name, one in best.items()}})
    text = "   ".join(f"{name} {one[0]:8.3f} s ({one[1]:.2f} s, {one[2]:.0f} MB)" for name, one in best.items())
    if "dvc" in best:
        rows[-1]["ratio"] = best["dvc"][0] / best["ours"][0]
        text += f"   {rows[-1]['ratio']:6.1f}x"
    print(f"{job:<44} {text}", flush=True)


def big(folder, gb):
    with open(folder / "big.bin", "wb") as file:
        for at in range(int(gb * 64)):
            file.write(at.to_bytes(8, "little"))
            file.write(BLOCK[8:])


def many(folder, count, size=50_000):
    for at in range(count):
        place = folder / "files" / f"{at % 100:02d}"
        place.mkdir(parents=True, exist_ok=True)
        start = (at * 977) % 1_000_000
        (place / f"f{at}.bin").write_bytes(at.to_bytes(8, "little") + BLOCK[start : start + size - 8])


def away(side, name):
    """Out of sight: removing as many files would be longer than what is measured, on some disks."""
    trash = side.folder.parent / "trash"
    trash.mkdir(exist_ok=True)
    (side.folder / name).rename(trash / f"{side.name}-{time.time_ns()}")


def job_one(options, work, rows):
    for link in ("copy", "hardlink"):
        sides = both(options, work, f"one-{link}")
        for side in sides:
            big(side.folder, options.gb)
            side.run("config", "cache.type", link)
        turns(rows, f"add of one {options.gb:g} GB file, {link}", sides, ["add", "-q", "big.bin"])
        turns(rows, f"status of one {options.gb:g} GB file, {link}", sides, ["status"], runs=options.runs)
        turns(rows, f"checkout of one {options.gb:g} GB file, {link}", sides, ["checkout", "-q"], lambda side: away(side, "big.bin"), options.runs)
        for side in sides:
            shutil.rmtree(side.folder)


def job_many(options, work, rows):
    for link in ("copy", "hardlink"):
        sides = both(options, work, f"many-{link}")
        for side in sides:
            many(side.folder, options.files)
            side.run("config", "cache.type", link)
        turns(rows, f"add of {options.files} x 50 kB, {link}", sides, ["add", "-q", "files"])
        turns(rows, f"status of {options.files} x 50 kB, {link}", sides, ["status"], runs=options.runs)

        def change(side):
            path = side.folder / "files/00/f0.bin"
            path.unlink()
            path.write_bytes(time.time_ns().to_bytes(8, "little"))

        turns(rows, f"add again after one changed, {link}", sides, ["add", "-q", "files"], change, options.runs)
        turns(rows, f"checkout of {options.files} x 50 kB, {link}", sides, ["checkout", "-q"], lambda side: away(side, "files"), options.runs)
        for side in sides:
            shutil.rmtree(side.folder)


def job_share(options, work, rows):
    sides = both(options, work, "share")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    folder = work / "s3"
    (folder / "bucket").mkdir(parents=True)
    command = options.s3 or f"{Path(options.dvc).with_name('moto_server')} -H 127.0.0.1 -p {{port}}"
    log = open(work / "s3.log", "wb")
    server = subprocess.Popen(shlex.split(command.format(port=port, folder=folder)), stdout=log, stderr=log)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(urllib.request.Request(f"{url}/bucket", method="PUT"))
                break
            except urllib.error.HTTPError:
                break  # It wants to know who asks, and has the bucket as a folder.
            except OSError:
                time.sleep(0.1)
        for side in sides:
            many(side.folder, options.files)
            side.run("remote", "add", "-d", "store", f"s3://bucket/{side.name}")
            side.run("remote", "modify", "store", "endpointurl", url)
            side.run("add", "-q", "files")
        turns(rows, f"push of {options.files} x 50 kB to S3", sides, ["push", "-q"])
        turns(rows, "push when nothing is new", sides, ["push", "-q"], runs=options.runs)

        def empty(side):
            away(side, ".dvc/cache")
            away(side, "files")

        turns(rows, f"pull of {options.files} x 50 kB from S3", sides, ["pull", "-q"], empty)
        ticks = [int(tick) for tick in Path(f"/proc/{server.pid}/stat").read_text().rsplit(")")[-1].split()[11:13]]
        print(f"{'':<44} the server used {sum(ticks) / os.sysconf('SC_CLK_TCK'):.1f} s of the processor", flush=True)
    finally:
        server.kill()
        server.wait()


def job_huge(options, work, rows):
    sides = both(options, work, "huge")[: 2 if options.huge_dvc else 1]
    for side in sides:
        many(side.folder, options.small, 200)
    turns(rows, f"add of {options.small} x 200 bytes", sides, ["add", "-q", "files"])
    turns(rows, f"status of {options.small} x 200 bytes", sides, ["status"])
    turns(rows, f"checkout of {options.small} x 200 bytes", sides, ["checkout", "-q"], lambda side: away(side, "files"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--almanac", default="bin/almanac", type=os.path.abspath)
    parser.add_argument("--dvc", default=os.path.expanduser("~/.cache/almanac/clients-dvc/bin/dvc"))
    parser.add_argument("--gb", type=float, default=2)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--small", type=int, default=600_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--jobs", nargs="+", default=["one", "many", "share", "huge"])
    parser.add_argument("--s3", help="how to start a server that speaks S3")
    parser.add_argument("--huge-dvc", action="store_true")
    parser.add_argument("--json")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="versions-", dir=os.environ.get("BENCH_DIR")) as work:
        for job in options.jobs:
            globals()[f"job_{job}"](options, Path(work) / job, rows)
            shutil.rmtree(Path(work) / job, ignore_errors=True)
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1))


main()
