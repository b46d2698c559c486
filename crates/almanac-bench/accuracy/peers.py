"""Forecasts of other libraries on the same training rows, kept on disk: they are slow, and the same every time.

They run in an interpreter of their own (`peer_worker.py`), since they need more libraries than the measures do.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pandas as pd

WORKER = Path(__file__).with_name("peer_worker.py")


@dataclass
class Peer:
    """A model of another library: a name of `statsforecast.models`, or `LightGBM` for a global one through mlforecast."""

    name: str
    season: int
    freq: str
    horizon: int
    quantiles: bool = False
    options: dict = field(default_factory=dict)


class Unavailable(Exception):
    """The peer could not be run; the text says why."""


def forecast(peer, train, ahead, python, cache, limit, threads):
    """The forecast table of a peer (unique_id, ds, mean, q0.1 …) and the seconds it took, from the cache where it has been made before.

    `ahead` has the rows to forecast with the columns known ahead, for peers that use them.
    """
    spec = asdict(peer) | {"threads": threads}
    digest = hashlib.sha256(json.dumps(asdict(peer), sort_keys=True).encode() + WORKER.read_bytes())
    for frame in (train, ahead):
        digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    kept = cache / f"{peer.name}-{digest.hexdigest()[:16]}.parquet"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            scratch = Path(scratch)
            train.to_parquet(scratch / "train.parquet")
            ahead.to_parquet(scratch / "ahead.parquet")
            (scratch / "spec.json").write_text(json.dumps(spec))
            try:
                done = subprocess.run([str(python), str(WORKER), str(scratch)], capture_output=True, text=True, timeout=limit)
            except subprocess.TimeoutExpired:
                raise Unavailable(f"{peer.name} ran past {limit:.0f} s") from None
            if done.returncode:
                raise Unavailable(f"{peer.name}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
            table = pd.read_parquet(scratch / "forecast.parquet")
            table.attrs["seconds"] = float(done.stdout.strip().splitlines()[-1])
            table.to_parquet(kept)
            print(f"  {peer.name}: {table.attrs['seconds']:.0f} s", file=sys.stderr)
    table = pd.read_parquet(kept).astype({"unique_id": str})
    return table, table.attrs.get("seconds")
