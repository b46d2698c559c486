"""Runs a command and writes its cost to a file, as JSON: `python3 -S measured.py COST COMMAND …`.

A small process of its own, since the peak memory that the kernel tells of a child counts what its parent held when it was started.
"""

import json
import os
import signal
import sys
import time

cost, command = sys.argv[1], sys.argv[2:]
started = time.monotonic()
child = os.fork()
if child == 0:
    os.execv(command[0], command)
signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGKILL))
_, status, usage = os.wait4(child, 0)
wall = time.monotonic() - started
with open(cost, "w") as out:
    json.dump({"wall_s": round(wall, 1), "cpu_s": round(usage.ru_utime + usage.ru_stime, 1), "peak_mb": round(usage.ru_maxrss / 1024)}, out)
code = os.waitstatus_to_exitcode(status)
sys.exit(code if code >= 0 else 128 - code)
