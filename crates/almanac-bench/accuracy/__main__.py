#!/usr/bin/env python3
"""How good are the program's forecasts on real data, used as a user would?

  python3 crates/almanac-bench/accuracy [--only SET …] [--quick] [--almanac bin/almanac] [--data DIR] [--write BENCHMARKS.md]

For each set the last steps are held out, or its official test is taken. `almanac init` is told the target, the horizon and, where there are
no dates, the season; then `almanac run` and `almanac forecast`. The official measure is computed here, apart from the program's own code.
Peers (statsforecast, mlforecast) get the same rows; their forecasts are kept on disk. Writes one JSON line a set to OUT/results.jsonl and
prints a Markdown table. Sets that are absent are skipped, and it says so.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import environment

ROOT = Path(__file__).resolve().parents[3]


def arguments():
    parser = argparse.ArgumentParser(prog="accuracy", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[], metavar="SET", help="these sets; all by default")
    parser.add_argument("--quick", action="store_true", help="a fixed sample of each set's series, to see whether it works")
    parser.add_argument("--almanac", type=Path, default=ROOT / "bin/almanac", help="the binary")
    data = Path(os.environ.get("ALMANAC_DATA", ROOT.parent / "shared/data"))
    parser.add_argument("--data", type=Path, default=data, help="the data folder; $ALMANAC_DATA")
    parser.add_argument("--out", type=Path, default=Path("/tmp/almanac-accuracy"), help="projects, logs and results")
    parser.add_argument("--cache", type=Path, default=environment.HOME / "peer-forecasts", help="forecasts of peers")
    parser.add_argument("--models", default="", metavar="A,B", help="instead of `auto`")
    parser.add_argument("--each-model", action="store_true", help="score every model of the run on what was held out")
    parser.add_argument("--combine", action="append", default=[], metavar="A,B", help="with --each-model: also the median and the mean of these")
    parser.add_argument("--no-peers", action="store_true", help="leave the peers out")
    parser.add_argument("--limit", type=float, default=7200, metavar="S", help="seconds a command or a peer may take")
    parser.add_argument("--threads", type=int, default=0, help="threads of the program and of peers; all cores by default")
    parser.add_argument("--python", help="interpreter with numpy, pandas and pyarrow; otherwise one is made")
    parser.add_argument("--peers-python", help="interpreter with statsforecast and mlforecast; otherwise one is made")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the newest full results of OUT between the marks of this Markdown file")
    return parser.parse_args()


def main():
    args = arguments()
    environment.ensure_libraries(args.python)
    import report
    from bench import Bench, say
    from program import Failed, Program
    from sets import SETS

    unknown = [name for name in args.only if name not in SETS]
    if unknown:
        raise SystemExit(f"no set {', '.join(unknown)}; there are {', '.join(SETS)}")
    if not args.almanac.exists():
        raise SystemExit(f"{args.almanac} is not there: `make build`, or name it with --almanac")
    args.out.mkdir(parents=True, exist_ok=True)
    bench = Bench(
        program=Program(args.almanac.resolve(), args.out, args.limit, args.threads), data=args.data, out=args.out, cache=args.cache,
        quick=args.quick, models=args.models.split(",") if args.models else None, each_model=args.each_model,
        combine=[text.split(",") for text in args.combine], threads=args.threads or os.cpu_count() or 1,
        peers_python=None if args.no_peers else environment.peers_python(args.peers_python),
    )
    failed, fresh, results = False, [], args.out / "results.jsonl"
    for name in args.only or SETS:
        module, folder = SETS[name]
        if not (args.data / folder).is_dir():
            say(f"{name}: skipped, {args.data / folder} is not there")
            continue
        of_set = []
        for task in module.tasks(bench):
            try:
                of_set.append(bench.run(task))
            except Failed as error:
                failed = True
                say(f"{task.name}: {error}")
        if of_set and hasattr(module, "summary"):
            of_set += module.summary(of_set)
        # Through JSON, so that the table shows what the file holds.
        place = [*SETS].index(name)
        lines = [report.line(result | {"order": place, "at": time.strftime("%Y-%m-%dT%H:%M:%S")}) for result in of_set]
        with open(results, "a") as out:
            out.writelines(line + "\n" for line in lines)
        fresh += map(json.loads, lines)
    print(report.table(fresh))
    if args.write:
        report.write_between(args.write, report.BEGIN, report.END, report.table(report.newest(results)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
