"""How fast and how exact this machine predicts: the table behind ``rfplan bench``."""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rfplan.errors import RfplanError
from rfplan.profile import PathProfile
from rfplan.propagation.base import PropagationModel, require
from rfplan.propagation.free_space import FreeSpace
from rfplan.propagation.grid import path_loss_pixels, path_loss_window
from rfplan.propagation.p452 import P452
from rfplan.propagation.p526 import P526
from rfplan.propagation.p1812 import P1812

if TYPE_CHECKING:
    import pandas as pd

    from rfplan.terrain import Terrain

FloatArray = npt.NDArray[np.float64]

__all__ = ["BenchResult", "run_bench", "synthetic_relief"]

FREQUENCIES_MHZ = (700.0, 1800.0, 2600.0)


@dataclass(frozen=True)
class BenchResult:
    """What a run measured.

    Parameters
    ----------
    rows
        One dictionary a measurement: case, value, unit and what it was taken with.
    machine
        Processor, Python, NumPy and Numba versions, threads.
    """

    rows: tuple[dict[str, Any], ...]
    machine: dict[str, Any]

    @property
    def table(self) -> pd.DataFrame:
        """The measurements as a table."""
        import pandas as pd

        return pd.DataFrame(list(self.rows))

    def to_json(self, path: str | Path) -> Path:
        """Write machine and measurements as JSON and return the file's path."""
        target = Path(path)
        target.write_text(json.dumps({"machine": self.machine, "rows": list(self.rows)}, indent=1), encoding="utf-8")
        return target

    def __str__(self) -> str:
        lines = [", ".join(f"{k} {v}" for k, v in self.machine.items())]
        lines += [f"{row['case']:<58} {row['value']:>14,.4g} {row['unit']}" for row in self.rows]
        return "\n".join(lines)


def synthetic_relief(pixels: int, resolution_m: float, *, relief_m: float = 600.0, seed: int = 1) -> Terrain:
    """Synthetic rough ground (amplitude falls with the square of the wave number) under 10 m of clutter."""
    from rfplan.terrain import Terrain

    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(rng.normal(size=(pixels, pixels)))
    k = np.hypot(np.fft.fftfreq(pixels)[:, None], np.fft.rfftfreq(pixels)[None])
    k[0, 0] = 1.0
    z = np.fft.irfft2(spectrum * k**-2.0 * (k > 0.5 / pixels), s=(pixels, pixels))
    z = (z - z.min()) / max(float(np.ptp(z)), 1e-9) * relief_m
    return Terrain.from_arrays(
        z.astype(np.float32),
        x0_m=500_000.0,
        y0_m=2_400_000.0,
        resolution_m=resolution_m,
        crs="EPSG:32648",
        clutter_height_m=10.0,
    )


def _best(work: Callable[[], object], repeat: int) -> tuple[float, float]:
    """Least CPU and wall seconds of several runs after one to warm up."""
    work()
    cpu = wall = math.inf
    for _ in range(repeat):
        c, w = time.process_time(), time.perf_counter()
        work()
        cpu, wall = min(cpu, time.process_time() - c), min(wall, time.perf_counter() - w)
    return cpu, wall


def _machine() -> dict[str, Any]:
    import numba

    return {
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "threads": numba.config.NUMBA_NUM_THREADS,
    }


def _peak_memory_mb() -> float:
    try:
        import resource
    except ImportError:  # not on Windows
        return math.nan
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak) / (1e6 if sys.platform == "darwin" else 1e3)


def _path_rows(repeat: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(1)
    ground: FloatArray = np.asarray(np.abs(np.cumsum(rng.normal(0.0, 8.0, 300))), dtype=np.float64)
    profile = PathProfile(np.linspace(0.0, 14_950.0, 300), ground, np.full(300, 10.0))
    paths = profile.paths(frequency_mhz=1800.0, tx_height_agl_m=np.linspace(20, 60, 500), rx_height_agl_m=1.5)
    model = P1812()
    cpu, _ = _best(lambda: model.path_loss_db(paths), repeat)
    return [{"case": "P.1812, profile given, 300 points", "value": cpu / 500 * 1e6, "unit": "us CPU a path"}]


def _grid_rows(terrain: Terrain, radius_m: float, model: PropagationModel, repeat: int) -> list[dict[str, Any]]:
    west, south, east, north = terrain.bounds
    x, y = (west + east) / 2 + 0.11 * terrain.resolution_m, (south + north) / 2 + 0.23 * terrain.resolution_m
    common: dict[str, Any] = {"model": model, "tx_height_agl_m": 40.0, "rx_height_agl_m": 1.5}
    name = f"{type(model).__name__} {radius_m / 1e3:g} km"
    rows: list[dict[str, Any]] = []
    window = path_loss_window(terrain, x, y, frequency_mhz=1800.0, radius_m=radius_m, **common)
    count = int(np.isfinite(window.path_loss_db[0]).sum())

    def sweep(bands: Sequence[float]) -> Callable[[], object]:
        return lambda: path_loss_window(terrain, x, y, frequency_mhz=bands, radius_m=radius_m, **common)

    one, _ = _best(sweep((1800.0,)), repeat)
    three, _ = _best(sweep(FREQUENCIES_MHZ), repeat)
    rng = np.random.default_rng(3)
    r, c = np.nonzero(np.isfinite(window.path_loss_db[0]))
    chosen = np.sort(rng.choice(r.size, min(20_000, r.size), replace=False))  # in memory order, as a grid would
    r, c = r[chosen], c[chosen]
    args = (terrain, x, y, r + window.rows.start, c + window.cols.start)
    exact = path_loss_pixels(*args, frequency_mhz=1800.0, **common)[0]
    cpu, _ = _best(lambda: path_loss_pixels(*args, frequency_mhz=1800.0, **common), max(1, repeat - 1))
    per_exact = cpu / chosen.size * 1e9
    error = np.abs(window.path_loss_db[0, r, c] - exact)
    for case, value, unit in (
        (f"{name}: sweep, 1 band", one / count * 1e9, "ns CPU a pixel"),
        (f"{name}: each further band", (three / one - 1.0) * 50.0, "% more"),
        (f"{name}: exact paths", per_exact, "ns CPU a pixel"),
        (f"{name}: exact over sweep", per_exact / (one / count * 1e9), "times"),
        (f"{name}: mean error", float(error.mean()), "dB"),
        (f"{name}: within 0.1 dB", float((error <= 0.1).mean() * 100), "% of pixels"),
        (f"{name}: within 1 dB", float((error <= 1.0).mean() * 100), "% of pixels"),
    ):
        rows.append({"case": case, "value": value, "unit": unit, "radius_m": radius_m, "pixels": count})
    return rows


def _thread_rows(terrain: Terrain, radius_m: float, repeat: int) -> list[dict[str, Any]]:
    import numba

    west, south, east, north = terrain.bounds
    before = numba.get_num_threads()
    rows: list[dict[str, Any]] = []
    try:
        for threads in range(1, before + 1):
            numba.set_num_threads(threads)
            _, wall = _best(
                lambda: path_loss_window(
                    terrain,
                    (west + east) / 2,
                    (south + north) / 2,
                    model=P1812(),
                    frequency_mhz=1800.0,
                    tx_height_agl_m=40.0,
                    rx_height_agl_m=1.5,
                    radius_m=radius_m,
                ),
                repeat,
            )
            pixels = math.pi * (radius_m / terrain.resolution_m) ** 2
            case = f"P1812 {radius_m / 1e3:g} km: sweep on {threads} thread(s)"
            rows.append({"case": case, "value": pixels / wall / 1e6, "unit": "million pixels/s", "threads": threads})
    finally:
        numba.set_num_threads(before)
    return rows


_COLD_START = """
import json, time
began = time.perf_counter()
import rfplan
shell = time.perf_counter()
rfplan.compute_coverage, rfplan.P1812
loaded = time.perf_counter()
ground = rfplan.synthetic_relief(41, 90.0)
lon, lat = (float(v) for v in ground.lonlat(501_850.0, 2_398_150.0))
import pandas as pd
sites = pd.DataFrame({"site_id": ["a"], "lon_deg": [lon], "lat_deg": [lat]})
network = rfplan.Network.with_sectors(sites)
calls = []
for _ in range(2):
    start = time.perf_counter()
    rfplan.compute_coverage(network, ground, radius_m=1_500.0)
    calls.append(time.perf_counter() - start)
print(json.dumps([shell - began, loaded - shell, *calls]))
"""


def cold_start() -> list[dict[str, Any]]:
    """Seconds from nothing to a first prediction: import, first call of a fresh installation, first call ever after.

    Measured in processes of their own with a cache of compiled kernels of their own, which is empty at first.
    """
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        source = str(Path(__file__).resolve().parents[1])
        environment["PYTHONPATH"] = os.pathsep.join(p for p in (source, environment.get("PYTHONPATH", "")) if p)
        for name in ("nothing cached", "kernels cached"):
            run = subprocess.run(
                [sys.executable, "-c", _COLD_START], env=environment, capture_output=True, text=True, check=False
            )
            if run.returncode != 0:
                raise RfplanError(f"the cold start could not be measured: {run.stderr.strip()[-500:]}")
            cases = ("import rfplan", "load what predicts", "first coverage of a site", "the same again")
            rows += [
                {"case": f"cold start, {name}: {case}", "value": seconds, "unit": "s"}
                for case, seconds in zip(cases, json.loads(run.stdout), strict=True)
            ]
    return rows


def run_bench(
    *,
    terrain: Terrain | None = None,
    radius_m: Sequence[float] = (5_000.0, 15_000.0),
    resolution_m: float = 30.0,
    repeat: int = 3,
    with_cold_start: bool = True,
    progress: Callable[[str], None] | None = None,
) -> BenchResult:
    """Measure paths and pixels per second, the cost of a band, threads, memory, the sweep's error and the cold start.

    Every kernel is warmed up first; each figure is the best of ``repeat`` runs. CPU figures are taken on one
    thread. The processor's other load still shows: compare figures of one run, best as ratios.

    Parameters
    ----------
    terrain
        Ground to predict on, the transmitter in its middle; by default `synthetic_relief` large enough for the
        radii.
    radius_m
        Radii, m.
    resolution_m
        Pixel of the synthetic ground, m; not used with ``terrain``.
    repeat
        Timed runs a figure, 1 or more.
    with_cold_start
        Also measure import, the first call of a fresh installation (it compiles for a minute or so) and later ones.
    progress
        Called with the name of each step.

    Returns
    -------
    BenchResult
        ``.table``, ``.to_json(path)``, and a printed form.
    """
    import numba

    require(repeat >= 1, "repeat", repeat, "1 or more")
    require(len(radius_m) > 0 and min(radius_m) > 0.0, "radius_m", radius_m, "one or more lengths above 0 m")
    tell = progress or (lambda _: None)
    started = time.perf_counter()
    ground = terrain or synthetic_relief(2 * math.ceil(max(radius_m) / resolution_m) + 9, resolution_m)
    threads = numba.get_num_threads()
    models: tuple[PropagationModel, ...] = (P1812(), P1812(time_percent=10.0), P452(), P526(), FreeSpace())
    rows: list[dict[str, Any]] = []
    try:
        numba.set_num_threads(1)
        tell("paths")
        rows += _path_rows(repeat)
        for radius in radius_m:
            for model in models:
                tell(f"{type(model).__name__}, {radius / 1e3:g} km")
                part = _grid_rows(ground, float(radius), model, repeat)
                if isinstance(model, P1812) and model.time_percent != 50.0:
                    part = [row | {"case": row["case"].replace("P1812", "P1812 10 % time")} for row in part]
                rows += part if not isinstance(model, FreeSpace) else part[:1]
    finally:
        numba.set_num_threads(threads)
    tell("threads")
    rows += _thread_rows(ground, float(min(radius_m)), repeat)
    if with_cold_start:
        tell("cold start")
        rows += cold_start()
    rows.append({"case": "peak memory", "value": _peak_memory_mb(), "unit": "MB"})
    rows.append({"case": "whole run", "value": time.perf_counter() - started, "unit": "s"})
    return BenchResult(tuple(rows), _machine())
