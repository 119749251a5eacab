"""What the resolution of the elevation grid does to coverage figures; the table in docs/data.md comes from here.

Run ``python benchmarks/study_dem_resolution.py --data-dir ../shared/data``. One site of three sectors at every commune
seat in a hilly cut-out of the SRTM tile; the same network, model and demand on grids of 30 to 500 m, with derived
clutter and without any. The tile holds 3″ (some 90 m): finer grids interpolate it, they know nothing new.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import rfplan as rf

BOUNDS = (105.05, 21.05, 105.40, 21.40)
RADIUS_M = 8_000.0


def predict(data: Path, resolution_m: float, clutter: str = "derived") -> tuple[rf.Coverage, rf.DemandGrid, float]:
    """Coverage, demand and seconds at one resolution."""
    west, south, east, north = BOUNDS
    wide = (west - 0.08, south - 0.03, east + 0.08, north + 0.08)
    name = "bare-earth" if clutter == "bare-earth" else "default"
    terrain = rf.open_terrain(
        data / "dem" / "N21E105.hgt", crs="EPSG:32648", resolution_m=resolution_m, bounds=wide, clutter=name
    )
    demand = rf.open_demand(
        data / "population" / "worldpop_2020_1km_phu_tho.tif", data / "admin" / "phu_tho_communes.geojson"
    )
    grid = demand.on_grid(terrain)
    if clutter == "derived":
        terrain = rf.derive_clutter(terrain, grid)
    seats = pd.read_csv(data / "admin" / "phu_tho_communes.csv", dtype={"code": str})
    inside = seats["seat_lon"].between(west, east) & seats["seat_lat"].between(south, north)
    sites = seats[inside].rename(columns={"code": "site_id", "seat_lon": "lon_deg", "seat_lat": "lat_deg"})
    network = rf.Network.with_sectors(sites[["site_id", "lon_deg", "lat_deg"]], azimuth_deg=(0, 120, 240))
    start = time.perf_counter()
    coverage = rf.compute_coverage(network, terrain, model=rf.P1812(), radius_m=RADIUS_M, method="exact")
    return coverage, grid, time.perf_counter() - start


def at(coverage: rf.Coverage, name: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Layer values at the pixels that hold the points."""
    row, col = coverage.terrain.nearest(x, y)
    values = coverage.layers[name].to_numpy()
    return np.where(row >= 0, values[row, col], np.nan)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=Path("../shared/data"))
    parser.add_argument("--resolutions", type=float, nargs="+", default=[30.0, 60.0, 90.0, 250.0, 500.0])
    options = parser.parse_args()
    warnings.simplefilter("ignore", rf.RfplanWarning)
    print("| clutter | grid | area covered | people covered | points that change | RSRP against 90 m | time |")
    print("|---|---|---|---|---|---|---|")
    for clutter in ("derived", "bare-earth"):
        base, grid, _ = predict(options.data_dir, 90.0, clutter)
        px, py = (a.ravel() for a in np.meshgrid(*base.terrain.centres()))
        lon, lat = base.terrain.lonlat(px, py)
        cut = (lon >= BOUNDS[0]) & (lon <= BOUNDS[2]) & (lat >= BOUNDS[1]) & (lat <= BOUNDS[3]) & grid.inside.ravel()
        px, py, people = px[cut], py[cut], grid.population.ravel()[cut]
        level, hit = at(base, "rsrp_dbm", px, py), np.nan_to_num(at(base, "covered", px, py)) > 0
        for resolution in options.resolutions:
            coverage, _, seconds = predict(options.data_dir, resolution, clutter)
            now = np.nan_to_num(at(coverage, "covered", px, py)) > 0
            low, middle, high = np.nanpercentile(at(coverage, "rsrp_dbm", px, py) - level, [5, 50, 95])
            words = [
                clutter,
                f"{resolution:g} m",
                f"{100 * now.mean():.1f} %",
                f"{100 * (people * now).sum() / people.sum():.1f} %",
                f"{100 * (now != hit).mean():.1f} %",
                f"{middle:+.1f} dB ({low:+.1f} to {high:+.1f})",
                f"{seconds:.0f} s",
            ]
            print(f"| {' | '.join(words)} |", flush=True)


if __name__ == "__main__":
    main()
