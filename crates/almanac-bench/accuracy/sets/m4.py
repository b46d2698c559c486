"""M4 hourly and weekly: sMAPE, MASE and OWA on the last steps of the train files (the official test is not used)."""

from dataclasses import dataclass

import numpy as np

import metrics
from naive import naive2
from sets.dateless import ended_together, last_steps
from task import Task

# Horizon; season of the measures (M4 takes weekly as without season); season that a user names, who knows what a step is; OWA of the best
# and of the winner on the official test, which is another window.
FREQUENCIES = {"hourly": (48, 24, 24, "0.410 best, 0.440 winner of M4"), "weekly": (13, 1, 52, "0.739 best, 0.851 winner of M4")}


@dataclass
class Frequency:
    """One of the two files."""

    name: str

    def tasks(self, bench):
        horizon, season, named, published = FREQUENCIES[self.name]
        full = bench.read(f"m4/{self.name}_train.parquet")
        full = full[full.unique_id.isin(bench.sample(full.unique_id))]
        train, held = ended_together(*last_steps(full, horizon))
        source = bench.raw(f"m4_{self.name}") / "train.parquet"
        train.to_parquet(source)
        scale = metrics.scales(train, metrics.absolute_scale, season)
        reference = naive2(metrics.histories(train), horizon, season)
        first = train.ds.max() + 1
        of_naive2 = np.array([reference[uid][ds - first] for uid, ds in zip(held.unique_id, held.ds)])
        naive2_smape, naive2_mase = metrics.smape(held, of_naive2), metrics.mase(held, of_naive2, scale)

        def score(held, f):
            smape, mase = metrics.smape(held, f), metrics.mase(held, f, scale)
            return {"OWA": (smape / naive2_smape + mase / naive2_mase) / 2, "sMAPE": smape, "MASE": mase}

        yield Task(
            name=f"m4_{self.name}", title=f"M4 {self.name}", horizon=horizon, metric="OWA", source=source, target="y",
            train=train, held=held, freq="step", naive_season=season, season=named, score=score,
            yardstick=f"{published} (official test)",
        )
