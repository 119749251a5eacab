"""The built-in synthetic province to best server and the k strongest: how long, how much memory, and where it goes.

    python benchmarks/bench_province.py --sites 60                # scaled down; says what the whole would take
    python benchmarks/bench_province.py                           # 2,283 sites, 15 km, 30 m, three bands
    python benchmarks/bench_province.py --sites 60 --store DIR    # twice: into a cold path-loss store, from a warm one

Everything runs once on a small part first, so that compiling is not counted. CPU seconds count all threads. Other load
on the machine shows in both: compare figures of one run, best as ratios.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
import numpy as np

import rfplan as rf
import rfplan.coverage.strongest as strongest_module
from rfplan.builtin import write_inputs
from rfplan.coverage.predict import Predictor

BANDS_MHZ = ((796.0, 837.0), (1842.5, 1747.5), (2650.0, 2530.0))
ALL_SITES = 2_283
BAR = "bar: 15 min of wall time and 4 GB on 2 cores; 3 sectors a site at most 15 % more than 1"


class Clock:
    """Wall and CPU seconds by stage."""

    def __init__(self) -> None:
        self.wall: dict[str, float] = {}
        self.cpu: dict[str, float] = {}

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.wall[name] = self.wall.get(name, 0.0) + time.perf_counter() - wall
            self.cpu[name] = self.cpu.get(name, 0.0) + time.process_time() - cpu


@contextlib.contextmanager
def watched(clock: Clock) -> Iterator[None]:
    """Time path loss, and antennas with budget and sorting, of whatever runs inside."""
    window, merge = Predictor.window, strongest_module.merge_strongest_kernel

    def timed_window(*args: Any) -> Any:
        with clock.stage("path loss"):
            return window(*args)

    def timed_merge(*args: Any) -> None:
        with clock.stage("antennas, budget, sorting"):
            merge(*args)

    Predictor.window, strongest_module.merge_strongest_kernel = timed_window, timed_merge  # type: ignore[method-assign]
    try:
        with clock.stage("all"):
            yield
    finally:
        Predictor.window, strongest_module.merge_strongest_kernel = window, merge  # type: ignore[method-assign]


def network_of(sites: Any, bands: int, sectors: int) -> rf.Network:
    """Sites with so many sectors, one LTE cell a band in each."""
    network = rf.Network.with_sectors(sites, azimuth_deg=tuple(np.arange(sectors) * 360.0 / sectors))
    first = network.cells
    for number, (down, up) in enumerate(BANDS_MHZ[:bands]):
        names = first["cell_id"] + f"-{number}"
        cells = first.assign(cell_id=names, frequency_mhz=down, uplink_frequency_mhz=up)
        network = rf.Network.with_cells(network, cells)
    return rf.Network(network.sites, network.sectors, network.cells.iloc[len(first) :].reset_index(drop=True))


def pixels_of(terrain: rf.Terrain, network: rf.Network, radius_m: float) -> int:
    """Pixels within the radius of every site and on the grid, in all."""
    x, y = terrain.xy(network.sites["lon_deg"].to_numpy(), network.sites["lat_deg"].to_numpy())
    row, col = terrain.rowcol(x, y)
    reach = radius_m / terrain.resolution_m
    count = 0
    for r, c in zip(row, col, strict=True):
        rows = np.arange(max(0, np.ceil(r - reach)), min(terrain.shape[0], np.floor(r + reach) + 1))
        half = np.sqrt(np.maximum(reach**2 - (rows - r) ** 2, 0.0))
        count += int(
            (np.minimum(np.floor(c + half), terrain.shape[1] - 1) - np.maximum(np.ceil(c - half), 0) + 1).sum()
        )
    return count


def run(network: rf.Network, terrain: rf.Terrain, args: argparse.Namespace) -> Clock:
    """Predict the network once."""
    clock = Clock()
    with watched(clock):
        rf.strongest_servers(network, terrain, args.k, radius_m=args.radius_m, path_loss_store=args.store)
    return clock


def show(name: str, clock: Clock, pixels: int, bands: int, sites: int) -> dict[str, Any]:
    """Print a run's stages and return them."""
    wall, cpu = clock.wall["all"], clock.cpu["all"]
    print(f"\n{name}: {wall:.1f} s wall, {cpu:.1f} s CPU for {sites} sites")
    stages = dict(clock.cpu)
    stages["the rest"] = 2.0 * cpu - sum(clock.cpu.values())
    for stage, seconds in stages.items():
        each = 1e9 * seconds / pixels
        share = 100.0 * seconds / cpu
        print(f"  {stage:<28}{each:9.1f} ns CPU a pixel{each / bands:9.1f} a pixel and band{share:7.1f} %")
    return {"name": name, "wall_s": wall, "cpu_s": cpu, "pixels": pixels, "bands": bands, "sites": sites} | stages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=ALL_SITES)
    parser.add_argument("--resolution", type=float, default=30.0, help="pixel, m")
    parser.add_argument("--radius-m", type=float, default=15_000.0)
    parser.add_argument("--bands", type=int, default=3, choices=(1, 2, 3))
    parser.add_argument("--k", type=int, default=4)
    parser.add_argument("--sectors", type=int, nargs="+", default=[3], help="sectors a site; several are compared")
    parser.add_argument("--store", default=None, help="folder of a path-loss store; the run is made twice")
    parser.add_argument("--json", type=Path, default=None, help="file for the figures")
    args = parser.parse_args()
    store, args.store = args.store, None
    with tempfile.TemporaryDirectory() as folder:
        files = write_inputs(folder)
        terrain = rf.open_terrain([files["terrain"]], resolution_m=args.resolution, clutter="default")
        sites = rf.read_network(files["sites"]).sites
    chosen = sites.iloc[np.linspace(0, len(sites) - 1, min(args.sites, len(sites))).round().astype(int)]
    chosen = chosen[["site_id", "lon_deg", "lat_deg"]].reset_index(drop=True)
    rf.strongest_servers(network_of(chosen[:1], args.bands, 1), terrain, args.k, radius_m=2_000.0)
    ny, nx = terrain.shape
    print(f"synthetic province: {nx} x {ny} pixels of {args.resolution:g} m, {len(chosen)} of {ALL_SITES} sites,")
    print(f"{args.radius_m / 1e3:g} km, {args.bands} band(s), k = {args.k}, {numba.get_num_threads()} thread(s)")
    rows = []
    for sectors in args.sectors:
        network = network_of(chosen, args.bands, sectors)
        pixels = pixels_of(terrain, network, args.radius_m)
        turns = [None] if store is None else [store, store]
        for turn, args.store in enumerate(turns):
            name = f"{sectors} sector(s)" + ("" if store is None else ", warm store" if turn else ", cold store")
            rows.append(show(name, run(network, terrain, args), pixels, args.bands, len(chosen)))
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"\npeak memory {peak_gb:.2f} GB")
    if len(rows) > 1:
        print("CPU against the first: " + ", ".join(f"{r['name']} {r['cpu_s'] / rows[0]['cpu_s']:.3f}" for r in rows))
    if len(chosen) < ALL_SITES:
        factor = ALL_SITES / len(chosen)
        for row in rows:
            wall, cpu = factor * row["wall_s"] / 60.0, factor * row["cpu_s"] / 60.0
            print(f"extrapolated, NOT run: {ALL_SITES} sites, {row['name']}: {wall:.1f} min wall, {cpu:.1f} min CPU")
    print(BAR)
    if args.json is not None:
        args.json.write_text(json.dumps({"peak_memory_gb": peak_gb, "rows": rows}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
