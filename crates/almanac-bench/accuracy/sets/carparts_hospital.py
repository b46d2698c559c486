"""Monthly counts: car parts (intermittent) and hospital (patients by product). RMSSE, and pinball loss on the scale of MASE.

Car parts are held out for 6 months, not the 12 that are also seen: 51 months then leave three cutoffs to judge models on.
"""

from dataclasses import dataclass

import metrics
from peers import Peer
from task import Task

SETS = {"carparts": ("demand", 6, "car parts, intermittent"), "hospital": ("counts", 12, "hospital, patient counts")}
PEERS = ["SeasonalNaive", "AutoETS", "CrostonSBA", "TSB", "IMAPA", "ADIDA", "AutoTheta", "AutoCES"]
SEASON = 12


@dataclass
class Counts:
    """One of the two sets."""

    name: str

    def tasks(self, bench):
        file, horizon, title = SETS[self.name]
        full = bench.read(f"{self.name}/{file}.parquet")[["unique_id", "ds", "y"]]
        full = full[full.unique_id.isin(bench.sample(full.unique_id))]
        first_held = sorted(full.ds.unique())[-horizon]
        train = full[full.ds < first_held].reset_index(drop=True)
        # Parts that were given up before the cutoff have nothing to be scored on.
        held = full[(full.ds >= first_held) & full.y.notna()].reset_index(drop=True)
        source = bench.raw(self.name) / "train.parquet"
        train.to_parquet(source)
        squared, absolute = metrics.scales(train, metrics.squared_scale), metrics.scales(train, metrics.absolute_scale, SEASON)
        peers = [(Peer(name, SEASON, "MS", horizon, quantiles=True), None) for name in PEERS]
        yield Task(
            name=self.name, title=title, horizon=horizon, metric="RMSSE", source=source, target="y", train=train, held=held,
            freq="MS", naive_season=SEASON, peers=peers,
            score=lambda held, f: {"RMSSE": metrics.rmsse(held, f, squared), "MASE": metrics.mase(held, f, absolute)},
            quantile_score=lambda held, table: {"scaled pinball": metrics.scaled_pinball(held, table, absolute)},
        )
