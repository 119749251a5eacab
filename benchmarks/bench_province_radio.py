"""SINR, RSRQ and rates of 20,000 LTE cells over the built-in synthetic province at 90 m, apart from path loss.

Every one of the province's 2,283 synthetic stations gets three sectors on each of three bands (800, 1800 and
2600 MHz): 20,547 cells on three carriers. Prints wall and CPU time of path loss and of all the rest (sums of
interference, layers) apart, and the peak memory of the process.

    python benchmarks/bench_province_radio.py               # everything: some minutes
    python benchmarks/bench_province_radio.py --sites 100   # the first 100 stations, to try it
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rfplan.coverage import compute_radio
from rfplan.coverage.predict import Predictor
from rfplan.network import Network, SectorTemplate
from rfplan.plan import open_inputs
from rfplan.plan.bookkeeping import peak_memory_mb

BANDS_MHZ = {"a": (806.0, 847.0, "sector-900"), "b": (1842.5, 1747.5, "sector-1800"), "c": (2630.0, 2510.0, "tr36814")}


@dataclass
class Stopwatch:
    """Wall and CPU seconds spent inside it, summed."""

    wall_s: float = 0.0
    cpu_s: float = 0.0

    def __enter__(self) -> Stopwatch:
        self._start = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall_s += time.perf_counter() - self._start[0]
        self.cpu_s += time.process_time() - self._start[1]

    def __sub__(self, other: Stopwatch) -> Stopwatch:
        return Stopwatch(self.wall_s - other.wall_s, self.cpu_s - other.cpu_s)

    def __str__(self) -> str:
        return f"{self.wall_s:7.1f} s wall {self.cpu_s:7.1f} s CPU"


def three_bands(sites: pd.DataFrame) -> Network:
    """Three sectors on each of three bands at every site."""
    parts = []
    for suffix, (down, up, antenna) in BANDS_MHZ.items():
        template = SectorTemplate(
            technologies="4G", antenna=antenna, frequency_mhz=down, uplink_frequency_mhz=up, tx_height_agl_m=None
        )
        renamed = sites.assign(site_id=sites["site_id"] + suffix)
        parts.append(Network.with_sectors(renamed, template))
    whole = Network.concat(parts)
    # The three bands of a station share its mast: one site, nine sectors.
    sectors = whole.sectors.assign(site_id=whole.sectors["site_id"].str[:-1])
    return Network(parts[0].sites.assign(site_id=sites["site_id"].to_numpy()), sectors, whole.cells)


def run(count: int | None) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        given = open_inputs("phu-tho", out=Path(folder))
    sites = given.network.sites.merge(
        given.network.sectors.groupby("site_id")["tx_height_agl_m"].first(), on="site_id"
    ).drop(columns="technologies", errors="ignore")
    path_loss, everything, layers_watch = Stopwatch(), Stopwatch(), Stopwatch()
    original = Predictor.window

    def timed(self: Predictor, *arguments: Any) -> Any:
        with path_loss:
            return original(self, *arguments)

    settings: dict[str, Any] = {"model": given.scenario.make_model(), "radius_m": given.scenario.coverage.radius_m}
    compute_radio(three_bands(sites.head(1)), given.terrain, **settings).layers()  # compiling is not measured
    network = three_bands(sites if count is None else sites.head(count))
    Predictor.window = timed  # type: ignore[method-assign]
    before = peak_memory_mb()
    try:
        with everything:
            radio = compute_radio(network, given.terrain, **settings)
            with layers_watch:
                layers = radio.layers()
    finally:
        Predictor.window = original  # type: ignore[method-assign]
    ny, nx = given.terrain.shape
    print(f"{len(network.sites):,} sites, {len(network.cells):,} cells, {len(radio.carriers)} carriers")
    print(f"{ny} x {nx} pixels, radius {settings['radius_m']:g} m, {os.cpu_count()} cores")
    print(f"path loss                 {path_loss}")
    print(f"radio on top of path loss {everything - path_loss}")
    print(f"  of which layers()       {layers_watch}")
    print(f"peak memory {peak_memory_mb():,.0f} MB ({before:,.0f} MB before)")
    sinr = layers["sinr_db"].values
    print(f"median SINR {np.nanmedian(sinr):.2f} dB; layers: {', '.join(map(str, layers))}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, help="only the first so many stations")
    run(parser.parse_args().sites)
