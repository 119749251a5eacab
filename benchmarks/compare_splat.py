"""CPU time a pixel of rfplan's P.1812 sweep and of SPLAT!-HD's Longley–Rice, side by side on the same 1″ terrain.

    python benchmarks/compare_splat.py N21E105.hgt [--radius-km 15] [--runs 3]

Needs SPLAT! (Debian: ``apt-get install splat``) and an SRTM tile; a 3″ tile is interpolated to 1″ for both. Both run on
one thread. SPLAT! reads its terrain and draws a picture in each run, so what a run of 1 km takes is subtracted from it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["NUMBA_NUM_THREADS"] = "1"

import numpy as np
from scipy.ndimage import map_coordinates

TX_LAT, TX_LON, TX_HEIGHT_M, RX_HEIGHT_M, FREQUENCY_MHZ = 0.45, 0.50, 40.0, 1.5, 1800.0


def one_arcsecond(tile: Path, folder: Path) -> Path:
    """The tile at 1″ as both programs read it, voids and pits set to sea level."""
    raw = np.fromfile(tile, ">i2").astype(np.float64)
    side = int(np.sqrt(raw.size))
    heights = raw.reshape(side, side)
    heights[heights < -10] = 0.0
    if side != 3601:
        at = np.linspace(0, side - 1, 3601)
        heights = map_coordinates(heights, np.meshgrid(at, at, indexing="ij"), order=1)
    path = folder / tile.name
    np.rint(heights).astype(">i2").tofile(path)
    return path


def splat_seconds(folder: Path, radius_km: float) -> float:
    """CPU seconds of one SPLAT!-HD run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        ["splat-hd", "-t", "tx.qth", "-L", str(RX_HEIGHT_M), "-R", str(radius_km), "-metric", "-o", "loss.ppm", "-N"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tile", type=Path)
    parser.add_argument("--radius-km", type=float, default=15.0)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    if shutil.which("splat-hd") is None:
        print("splat-hd is not installed; on Debian: apt-get install splat")
        return 2
    import rfplan as rf

    south, west = int(arguments.tile.stem[1:3]), int(arguments.tile.stem[4:7])
    radius_m = arguments.radius_km * 1000.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tile = one_arcsecond(arguments.tile, folder)
        subprocess.run(["srtm2sdf-hd", tile.name], cwd=folder, check=True, capture_output=True)
        # SPLAT! counts longitude westwards.
        site = f"TX\n{south + TX_LAT}\n{360.0 - west - TX_LON}\n{TX_HEIGHT_M:g}m\n"
        (folder / "tx.qth").write_text(site, encoding="ascii")
        (folder / "tx.lrp").write_text(f"15.0\n0.005\n301.0\n{FREQUENCY_MHZ}\n5\n1\n0.5\n0.5\n", encoding="ascii")
        terrain = rf.open_terrain(tile, resolution_m=30)

        def sweep() -> int:
            grid = rf.path_loss_grid(
                terrain,
                (west + TX_LON, south + TX_LAT),
                model=rf.P1812(),
                frequency_mhz=[FREQUENCY_MHZ],
                tx_height_agl_m=TX_HEIGHT_M,
                rx_height_agl_m=RX_HEIGHT_M,
                radius_m=radius_m,
                method="sweep",
            )
            return int(np.isfinite(grid.values).sum())

        pixels = sweep()  # compiles
        splat_pixels = np.pi * radius_m**2 / (30.87 * 30.87 * np.cos(np.radians(south + TX_LAT)))
        splat, own = [], []
        for _ in range(arguments.runs):  # in turn, so that both see the same machine
            splat.append((splat_seconds(folder, arguments.radius_km) - splat_seconds(folder, 1.0)) / splat_pixels)
            times = []
            for _ in range(5):  # one is over in half a second; SPLAT! runs for ten times as long
                start = time.process_time()
                sweep()
                times.append((time.process_time() - start) / pixels)
            own.append(statistics.median(times))
    result = {
        "radius_km": arguments.radius_km,
        "splat_hd_itm_ns_per_pixel": statistics.median(splat) * 1e9,
        "rfplan_p1812_sweep_ns_per_pixel": statistics.median(own) * 1e9,
        "ratio": statistics.median(a / b for a, b in zip(splat, own, strict=True)),
    }
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
