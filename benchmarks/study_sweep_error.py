"""The sweep against the exact paths, pixel by pixel, on real and synthetic ground, for docs/performance.md.

    python benchmarks/study_sweep_error.py [--data-dir ../shared/data] [--maps FOLDER] [--radius-km 7]

Without the SRTM tile N21E105 in the data folder its two terrains are left out, and said to be.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

import rfplan as rf
from rfplan.bench import synthetic_relief
from rfplan.terrain import Terrain

LINK = {"frequency_mhz": 1800.0, "tx_height_agl_m": 40.0, "rx_height_agl_m": 1.5}
BARS_DB = (0.1, 1.0)


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
    plain = synthetic_relief(1100, 30.0, relief_m=0.0)
    yield Ground("synthetic plain, 30 m, clutter 10 m", plain, middle(plain))


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


def main() -> None:
    """Print the table, and draw the maps when asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, default=Path("../shared/data"))
    parser.add_argument("--maps", type=Path, default=None, help="folder for maps of ground that is free to publish")
    parser.add_argument("--radius-km", type=float, default=7.0, help="at 30 m pixels; 90 m ground takes twice as much")
    options = parser.parse_args()
    print("| ground | pixels | mean, dB | within 0.1 dB | within 1 dB | worst, dB | CPU, exact over sweep |")
    print("|---|---|---|---|---|---|---|")
    for ground in grounds(options.data_dir):
        radius_m = options.radius_km * 1e3 * (2.0 if ground.terrain.resolution_m > 60.0 else 1.0)
        radius_m = min(radius_m, 0.5 * min(ground.terrain.shape) * ground.terrain.resolution_m)
        found, seconds = {}, {}
        for method in ("sweep", "exact"):
            rf.path_loss_window(ground.terrain, *ground.at, model=rf.P1812(), radius_m=300.0, method=method, **LINK)
            start = time.process_time()
            found[method] = rf.path_loss_window(
                ground.terrain, *ground.at, model=rf.P1812(), radius_m=radius_m, method=method, **LINK
            ).path_loss_db[0]
            seconds[method] = time.process_time() - start
        error = np.abs(found["sweep"] - found["exact"])
        known = error[np.isfinite(error)]
        within = " | ".join(f"{100.0 * (known <= bar).mean():.3f} %" for bar in BARS_DB)
        ratio = seconds["exact"] / seconds["sweep"]
        print(f"| {ground.name} | {known.size:,} | {known.mean():.4f} | {within} | {known.max():.1f} | {ratio:.1f} |")
        if options.maps is not None and ground.slug:
            draw(ground, found["exact"], error, options.maps)


if __name__ == "__main__":
    main()
