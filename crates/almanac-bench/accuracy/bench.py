"""Runs tasks: the program's forecast, its single models, rivals and peers, all scored alike on what was held out."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

import metrics
import peers
from program import Program

QUICK_SERIES = 40


@dataclass
class Bench:
    """What all sets share: where things are, and what was asked for."""

    program: Program
    data: Path
    out: Path
    cache: Path
    quick: bool = False
    models: list | None = None
    each_model: bool = False
    combine: list = field(default_factory=list)
    peers_python: Path | None = None
    threads: int = 1

    def read(self, path):
        return pd.read_parquet(self.data / path)

    def raw(self, name):
        """The folder of what a task gives to the program, emptied."""
        folder = self.out / name / "raw"
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        return folder

    def sample(self, ids, n=QUICK_SERIES, always=False):
        """All series, or under `--quick` (or `always`) the same `n` of them each time, spread over the whole."""
        ids = np.array(sorted(set(ids)))
        if not (self.quick or always) or len(ids) <= n:
            return ids
        return ids[np.linspace(0, len(ids) - 1, n).round().astype(int)]

    def run(self, task):
        """Runs one task and returns its figures as a plain dictionary."""
        say(f"{task.name}: {task.held.unique_id.nunique()} series, h = {task.horizon}")
        naive = task.score(task.held, task.baseline())
        wrong = {name: naive[name] for name, known in task.known.items() if not self.quick and abs(naive[name] - known) > 6e-4}
        if wrong:
            raise SystemExit(f"{task.name}: the seasonal naive forecast should score {task.known}, here {wrong}")
        project = self.program.project(task.name, task.source, task.target, task.horizon, task.season, self.models)
        table = task.align(project.forecast())
        figures, lost = task.figures(table)
        result = {
            "set": task.name, "title": task.title, "series": int(task.held.unique_id.nunique()), "h": task.horizon, "metric": task.metric,
            "score": figures[task.metric], "figures": figures, **metrics.coverage(task.held, table), "rows_without_forecast": lost,
            "seasonal_naive": naive, "yardstick": task.yardstick, "quick": self.quick,
            "champion": project.champion, "leaderboard": project.selection["scores"], "cutoffs": len(project.summary["folds"]["labels"]),
            "binary": str(self.program.binary), **project.cost, "model_s": project.seconds_by_model(), "models_asked": self.models or ["auto"],
        }
        if self.each_model:
            result["models"], result["combined"] = self.single_models(task, project, table)
        result["rivals"] = self.rivals(task, project)
        result["peers"] = self.peers(task, table) if self.peers_python else {}
        return result

    def single_models(self, task, project, champion):
        """The held-out figures of every model of the run and of the combinations asked for; the forecasts are kept beside the project."""
        means = task.held.assign(champion=champion["mean"].to_numpy())
        found = {}
        for model in project.models:
            table = task.align(project.forecast(model))
            means[model] = table["mean"].to_numpy()
            found[model] = task.figures(table)[0] | metrics.coverage(task.held, table)
        means.to_parquet(self.out / task.name / "means.parquet")
        combined = {}
        for members in self.combine:
            if set(members) <= set(project.models):
                for how, row in (("median", means[list(members)].median(axis=1)), ("mean", means[list(members)].mean(axis=1))):
                    combined[f"{how} of {', '.join(members)}"] = task.figures(champion[["unique_id", "ds"]].assign(mean=row.to_numpy()))[0]
        return found, combined

    def rivals(self, task, project):
        """Other configurations of the program itself: single models, by the name under which they are reported."""
        found = {}
        for name, model in task.rivals.items():
            if model in project.models:
                table = project.forecast(model)
            else:
                models = ["naive", "seasonal_naive", model]
                alone = self.program.project(f"{task.name}/{model}", task.source, task.target, task.horizon, task.season, models)
                table = alone.forecast(model)
            found[name] = task.figures(task.align(table))[0]
        return found

    def peers(self, task, ours):
        """Models of other libraries; those that run on a sample are scored on it, and so is the program's own forecast."""
        found = {}
        for peer, ids in task.peers:
            here = task if ids is None else task.of_series(ids)
            try:
                ahead = here.held.drop(columns="y")
                table, seconds = peers.forecast(peer, here.train, ahead, self.peers_python, self.cache, self.program.limit, self.threads)
            except peers.Unavailable as error:
                say(f"  {error}")
                found[peer.name] = {"error": str(error)}
                continue
            aligned = here.align(table)
            found[peer.name] = here.figures(aligned)[0] | metrics.coverage(here.held, aligned)
            found[peer.name] |= {"seconds": seconds, "series": int(here.held.unique_id.nunique())}
            if ids is not None:
                found[peer.name]["almanac_on_the_same"] = here.figures(here.align(ours))[0]
        return found


def say(text):
    print(text, file=sys.stderr, flush=True)
