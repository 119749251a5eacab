"""The sweep against the exact paths, pixel by pixel, on real and synthetic ground, for docs/performance.md.

    python benchmarks/study_sweep_error.py [--data-dir ../shared/data] [--maps FOLDER] [--radius-km 7]
        [--time-percent 50] [--only WORDS]

The sweep, ``recompute=True`` and the exact paths take turns; compare their CPU with NUMBA_NUM_THREADS=1. Without the
SRTM tile N21E105 in the data folder its terrains are left out, and said to be.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import rfplan as rf
from rfplan.bench import synthetic_relief
from rfplan.terrain import Terrain

LINK = {"frequency_mhz": 1800.0, "tx_height_agl_m": 40.0, "rx_height_agl_m": 1.5}
BARS_DB = (0.1, 1.0)
ROADS: dict[str, dict[str, Any]] = {"sweep": {}, "recompute": {"recompute": True}, "exact": {"method": "exact"}}


@dataclass(frozen=True)
class Ground:
    """A terrain, a transmitter's place on it (x, y in m), and whether its map may be drawn for the docs."""

    name: str
    terrain: Terrain
    at: tuple[float, float]
    slug: str = ""


def with_clutter(terrain: Terrain, height_m: npt.ArrayLike) -> Terrain:
    """The same ground under another clutter height."""
    height = np.broadcast_to(np.asarray(height_m, dtype=np.float32), terrain.shape).copy()
    return Terrain.from_arrays(
        terrain.elevation_amsl_m,
        x0_m=terrain.x0_m,
        y0_m=terrain.y0_m,
        resolution_m=terrain.resolution_m,
        crs=terrain.crs,
        clutter_height_m=height,
    )


def middle(terrain: Terrain) -> tuple[float, float]:
    """A place near the middle, off every pixel's centre."""
    west, south, east, north = terrain.bounds
    return (west + east) / 2 + 0.11 * terrain.resolution_m, (south + north) / 2 + 0.23 * terrain.resolution_m


def jacksboro() -> Terrain:
    """The sample elevation model that comes with Matplotlib, at its 3″ as if 90 m both ways."""
    from matplotlib.cbook import get_sample_data

    with get_sample_data("jacksboro_fault_dem.npz") as file:
        elevation = file["elevation"].astype(np.float32)
    return Terrain.from_arrays(elevation, x0_m=500_000.0, y0_m=4_000_000.0, resolution_m=90.0, crs="EPSG:32616")


def patches(shape: tuple[int, int], seed: int = 7, size: int = 8) -> npt.NDArray[np.float64]:
    """Squares of 0, 10, 15 or 20 m."""
    rng = np.random.default_rng(seed)
    blocks = rng.choice([0.0, 10.0, 15.0, 20.0], size=(shape[0] // size + 1, shape[1] // size + 1))
    return np.kron(blocks, np.ones((size, size)))[: shape[0], : shape[1]]


def with_coast(terrain: Terrain) -> Terrain:
    """The same ground with its lowest third under the sea and a coastal belt above it."""
    level, belt = (float(v) for v in np.quantile(terrain.elevation_amsl_m, (1 / 3, 1 / 2)))
    height = terrain.elevation_amsl_m - level
    zone = np.where(height <= 0.0, 1, np.where(height <= belt - level, 3, 4)).astype(np.int8)
    flooded = Terrain.from_arrays(
        np.maximum(height, 0.0),
        x0_m=terrain.x0_m,
        y0_m=terrain.y0_m,
        resolution_m=terrain.resolution_m,
        crs=terrain.crs,
        clutter_height_m=np.where(zone == 1, 0.0, 10.0),
    )
    return flooded.with_zone(zone, "synthetic")


def grounds(data: Path) -> Iterator[Ground]:
    """All terrains of the study."""
    tile = data / "dem" / "N21E105.hgt"
    if tile.is_file():
        wide = rf.open_terrain(tile, crs="EPSG:32648", resolution_m=30.0)
        for name, lon, lat in (("SRTM around Tam Đảo", 105.60, 21.47), ("SRTM around Ba Vì", 105.37, 21.08)):
            at = tuple(float(v) for v in wide.xy(lon, lat))
            yield Ground(f"{name}, 30 m, clutter 10 m", with_clutter(wide, 10.0), at)
            yield Ground(f"{name}, 30 m, bare", with_clutter(wide, 0.0), at)
    else:
        print(f"{tile} is not there: Tam Đảo and Ba Vì are left out")
    dem = jacksboro()
    yield Ground("Jacksboro (Matplotlib), 90 m, clutter 10 m", with_clutter(dem, 10.0), middle(dem), "jacksboro")
    yield Ground("Jacksboro (Matplotlib), 90 m, bare", with_clutter(dem, 0.0), middle(dem))
    fractal = synthetic_relief(1100, 30.0)
    yield Ground("synthetic fractal, 30 m, clutter 10 m", fractal, middle(fractal))
    yield Ground("synthetic fractal, 30 m, bare", with_clutter(fractal, 0.0), middle(fractal))
    patched = with_clutter(fractal, patches(fractal.shape))
    yield Ground("synthetic fractal, 30 m, patches of 0 to 20 m", patched, middle(fractal), "synthetic_patches")
    yield Ground("synthetic fractal, 30 m, sea, coast and inland", with_coast(fractal), middle(fractal))
    plain = synthetic_relief(1100, 30.0, relief_m=0.0)
    yield Ground("synthetic plain, 30 m, clutter 10 m", plain, middle(plain))
    yield Ground("synthetic plain, 30 m, bare", with_clutter(plain, 0.0), middle(plain))
    sea = with_clutter(plain, 0.0).with_zone(np.ones(plain.shape, dtype=np.int8), "synthetic")
    yield Ground("synthetic sea, 30 m", sea, middle(plain))


def draw(ground: Ground, loss: npt.NDArray[np.float64], error: npt.NDArray[np.float64], target: Path) -> None:
    """Map of the loss beside that of the error, the worst pixel ringed."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.colors import LogNorm

    figure, axes = plt.subplots(1, 2, figsize=(11, 4.8), layout="constrained")
    half_km = 0.5e-3 * ground.terrain.resolution_m * loss.shape[1]
    extent = (-half_km, half_km, -half_km, half_km)
    left = axes[0].imshow(loss, extent=extent, cmap="viridis_r", interpolation="nearest")
    figure.colorbar(left, ax=axes[0], label="basic transmission loss, dB")
    shown = np.where(np.isfinite(error), np.maximum(error, 1e-3), np.nan)
    right = axes[1].imshow(shown, extent=extent, cmap="magma_r", norm=LogNorm(1e-3, 10.0), interpolation="nearest")
    figure.colorbar(right, ax=axes[1], label="|sweep − exact|, dB")
    row, col = np.unravel_index(int(np.nanargmax(error)), error.shape)
    x = -half_km + (col + 0.5) * 2 * half_km / error.shape[1]
    y = half_km - (row + 0.5) * 2 * half_km / error.shape[0]
    axes[1].plot(x, y, "o", ms=14, mfc="none", mec="tab:blue", mew=2, label=f"worst: {np.nanmax(error):.1f} dB")
    axes[1].legend(loc="lower left")
    for axis, title in zip(axes, ("P.1812-8, 1800 MHz, exact paths", "error of the sweep"), strict=True):
        axis.set(title=title, xlabel="east of the site, km", ylabel="north of the site, km")
    figure.suptitle(ground.name)
    target.mkdir(parents=True, exist_ok=True)
    figure.savefig(target / f"sweep_error_{ground.slug}.png", dpi=80)
    plt.close(figure)


def measure(ground: Ground, radius_m: float, model: rf.P1812, turns: int) -> tuple[dict[str, Any], dict[str, float]]:
    """Loss, dB, and median CPU seconds of each road, in turns; nothing is compiled on the clock."""
    found: dict[str, Any] = {}
    seconds: dict[str, list[float]] = {road: [] for road in ROADS}
    for arguments in ROADS.values():
        rf.path_loss_window(ground.terrain, *ground.at, model=model, radius_m=3000.0, **arguments, **LINK)
    for _ in range(turns):
        for road, arguments in ROADS.items():
            start = time.process_time()
            found[road] = rf.path_loss_window(
                ground.terrain, *ground.at, model=model, radius_m=radius_m, **arguments, **LINK
            ).path_loss_db[0]
            seconds[road].append(time.process_time() - start)
    return found, {road: float(np.median(taken)) for road, taken in seconds.items()}


def main() -> None:
    """Print the table, and draw the maps when asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, default=Path("../shared/data"))
    parser.add_argument("--maps", type=Path, default=None, help="folder for maps of ground that is free to publish")
    parser.add_argument("--radius-km", type=float, default=7.0, help="at 30 m pixels; 90 m ground takes twice as much")
    parser.add_argument("--time-percent", type=float, default=50.0)
    parser.add_argument("--turns", type=int, default=1, help="runs of each road whose median CPU time counts")
    parser.add_argument("--only", default="", help="leave out terrains whose name does not hold these words")
    options = parser.parse_args()
    model = rf.P1812(time_percent=options.time_percent)
    names = ["ground", "pixels", "mean, dB", "within 0.1 dB", "within 1 dB", "worst, dB", "sweep, ns of CPU a pixel"]
    names += ["CPU of exact over sweep", "recompute: mean, dB", "within 0.1 dB", "worst, dB"]
    print("| " + " | ".join([*names, "its CPU over exact", "over sweep"]) + " |")
    print("|---" * 13 + "|")
    for ground in grounds(options.data_dir):
        if options.only not in ground.name:
            continue
        radius_m = options.radius_km * 1e3 * (2.0 if ground.terrain.resolution_m > 60.0 else 1.0)
        radius_m = min(radius_m, 0.5 * min(ground.terrain.shape) * ground.terrain.resolution_m)
        found, seconds = measure(ground, radius_m, model, options.turns)
        known = np.isfinite(found["exact"])
        swept, again = (np.abs(found[road] - found["exact"])[known] for road in ("sweep", "recompute"))
        within = " | ".join(f"{100.0 * (swept <= bar).mean():.3f} %" for bar in BARS_DB)
        ratio = seconds["exact"] / seconds["sweep"]
        print(
            f"| {ground.name} | {swept.size:,} | {swept.mean():.4f} | {within} | {swept.max():.1f}"
            f" | {1e9 * seconds['sweep'] / swept.size:.0f} | {ratio:.1f}",
            end="",
        )
        print(f" | {again.mean():.0e} | {100.0 * (again <= 0.1).mean():.3f} % | {again.max():.0e}", end="")
        shares = (seconds["recompute"] / seconds[road] for road in ("exact", "sweep"))
        print(" | " + " | ".join(f"{share:.2f}" for share in shares) + " |", flush=True)
        if options.maps is not None and ground.slug:
            draw(ground, found["exact"], np.abs(found["sweep"] - found["exact"]), options.maps)


if __name__ == "__main__":
    main()
