"""The Python environments: one for the measures, one for the peers. Only the standard library is used here."""

import importlib.util
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
HOME = Path.home() / ".cache" / "almanac" / "bench"
MARK = "ALMANAC_BENCH_PYTHON"


def ensure_libraries(python=None):
    """Starts this program again in an interpreter with numpy, pandas and pyarrow: the one given, or one made here."""
    if MARK in os.environ or (python is None and all(map(importlib.util.find_spec, ("numpy", "pandas", "pyarrow")))):
        return
    chosen = Path(python) if python else made("measures", "requirements.txt")
    os.execve(chosen, [str(chosen), *sys.argv], os.environ | {MARK: str(chosen)})


def peers_python(python=None):
    """The interpreter of the peers: the one given, or one made here."""
    return Path(python) if python else made("peers", "requirements-peers.txt")


def made(name, requirements):
    folder = HOME / name
    python, done = folder / "bin" / "python", folder / ".complete"
    wanted = (HERE / requirements).read_text()
    if not done.exists() or done.read_text() != wanted:
        print(f"making {folder} with {requirements}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", HERE / requirements], check=True, stdout=sys.stderr)
        done.write_text(wanted)
    return python
