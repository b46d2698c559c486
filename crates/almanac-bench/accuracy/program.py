"""The program as a user runs it: `almanac init`, `almanac run`, `almanac forecast`, in a fresh project, with time and memory."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

GATE_FAILED = 6
MEASURED = Path(__file__).with_name("measured.py")
DONE = re.compile(r"^(?:backtest/fold-\d+|fit)/(\S+): done in ([\d.]+) s", re.M)


class Failed(Exception):
    """A command of the program that did not do its work; the text says which, and where its log lies."""


@dataclass
class Program:
    """The binary and the limits it runs under."""

    binary: Path
    out: Path
    limit: float
    threads: int = 0

    def project(self, name, source, target, horizon, season=None, models=None, init=()):
        """Makes a project with the keys that a user would name and brings it up to date."""
        folder = self.out / name / "project"
        log = folder.parent / "log.txt"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        log.unlink(missing_ok=True)
        project = Project(self, folder, log)
        project.call(["init", Path(source).resolve(), "--target", target, "--horizon", horizon, "--yes", *init])
        project.configure(season, models)
        project.run()
        return project


@dataclass
class Project:
    """One project and what its run cost."""

    program: Program
    folder: Path
    log: Path
    summary: dict = field(default_factory=dict)
    cost: dict = field(default_factory=dict)

    def call(self, args, accept=(0,)):
        """Runs one command; returns its output, exit code, and cost."""
        threads = ["--threads", self.program.threads] if self.program.threads else []
        command = [str(part) for part in [self.program.binary, "-C", self.folder, *threads, *args]]
        cost = self.folder.parent / "cost.json"
        with open(self.log, "a") as log:
            log.write(f"$ {' '.join(command)}\n")
            log.flush()
            measured = [sys.executable, "-S", MEASURED, cost, *command]
            with subprocess.Popen(measured, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL) as process:
                try:
                    text = process.communicate(timeout=self.program.limit)[0].decode()
                except subprocess.TimeoutExpired:
                    process.terminate()
                    raise Failed(f"`almanac {args[0]}` ran past {self.program.limit:.0f} s: see {self.log}") from None
        if process.returncode not in accept:
            raise Failed(f"`almanac {args[0]}` ended with {process.returncode}: see {self.log}")
        return text, process.returncode, json.loads(cost.read_text())

    def configure(self, season, models):
        """Names the season and the models, where `init` has no flag for them."""
        file = self.folder / "almanac.toml"
        text = file.read_text()
        for key, value in (("season_length", season), ("models", models and json.dumps(models))):
            if value:
                text, n = re.subn(rf"^#?{key} = .*$", f"{key} = {value}", text, flags=re.M)
                assert n == 1, f"{file} has one line for {key}"
        file.write_text(text)

    def run(self):
        text, code, self.cost = self.call(["run", "--format", "json"], accept=(0, GATE_FAILED))
        if code == GATE_FAILED:
            raise Failed(f"no model passed the gates: see {self.log}")
        self.summary = json.loads(text)

    @property
    def selection(self):
        return self.summary["selection"]

    @property
    def champion(self):
        """Name of the champion, and what it is made of where it is an ensemble."""
        mix = self.selection["mix"]
        if not mix:
            return self.selection["champion"]
        kind = mix["kind"]["kind"] if isinstance(mix["kind"], dict) else mix["kind"]
        shares = ", ".join(f"{model} {weight:.0%}".replace("%", " %") for model, weight in mix["members"])
        return f"{self.selection['champion']}, {kind.replace('_', ' ')}: {shares}"

    @property
    def models(self):
        return self.summary["forecast"]["models"]

    def seconds_by_model(self):
        """Wall time of each model over all cutoffs and the final fit."""
        seconds = {}
        for model, spent in DONE.findall(self.log.read_text()):
            seconds[model] = round(seconds.get(model, 0.0) + float(spent), 1)
        return seconds

    def forecast(self, model=None):
        """The forecasts of the champion, or of another model of the run."""
        out = self.folder.parent / "forecast.parquet"
        self.call(["forecast", "--out", out.resolve(), *(["--model", model] if model else [])])
        table = pd.read_parquet(out)
        return table.astype({"unique_id": str, "model": str})
