"""Synthetic station positions where no list of real ones exists, sited as an operator would.

People first: the denser they live, the closer the stations stand; a station at every commune's seat; roads where
they are known; in hilly ground the mast goes to a rise near the people it serves. Nothing is tuned to a figure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import ndimage
from scipy.spatial import cKDTree

from rfplan.errors import ParameterError

if TYPE_CHECKING:
    from rfplan.demand import DemandGrid
    from rfplan.terrain import Terrain

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

_CLOSE_M, _FAR_M = 350.0, 4_500.0


def synthesize_sites(terrain: Terrain, demand: DemandGrid, count: int, seed: int, *,
                     attraction: F64 | None = None, seats: F64 | None = None) -> pd.DataFrame:  # fmt: skip
    """Return a synthetic list of existing stations in the form `read_network` takes.

    Parameters
    ----------
    terrain, demand
        The ground and the people on the same grid; only pixels inside the communes and on known ground get stations.
    count
        Number of stations, 1 to 100,000.
    seed
        Of the random draws; the same seed gives the same list.
    attraction
        Extra weight a pixel, shape of the grid, zero or more: roads, for example.
    seats
        Positions that get a station each before any other, shape (n, 2): x and y in metres.

    Returns
    -------
    pandas.DataFrame
        ``site_id, name, lon_deg, lat_deg, status, kind, operator, technologies, tx_height_agl_m``; names start with
        ``synthetic``.

    Raises
    ------
    ParameterError
        If ``count`` is not possible or the demand does not reach onto the terrain.
    """
    if not 1 <= count <= 100_000:
        raise ParameterError(f"count is {count}: allowed are 1 to 100,000 stations")
    population = np.asarray(demand.population, dtype=np.float64)
    usable = np.asarray(terrain.valid) & (np.asarray(demand.commune_index) >= 0)
    if not usable.any():
        raise ParameterError(
            "no pixel has both known ground and demand: the population or communes do not overlap the terrain"
        )
    resolution = terrain.resolution_m
    km2 = (resolution / 1000.0) ** 2
    density = ndimage.gaussian_filter(np.where(usable, population, 0.0), 600.0 / resolution) / km2
    rows, cols, spacing = _place(terrain, density, usable, count, seed, attraction, seats)
    rows, cols = _climb(np.asarray(terrain.elevation_amsl_m, dtype=np.float64), usable, rows, cols, spacing, resolution)
    x, y = terrain.x0_m + (cols + 0.5) * resolution, terrain.y0_m - (rows + 0.5) * resolution
    lon, lat = terrain.lonlat(x, y)
    return _table(np.asarray(lon), np.asarray(lat), density[rows, cols], seed)


def _place(terrain: Terrain, density: F64, usable: npt.NDArray[np.bool_], count: int, seed: int,
           attraction: F64 | None, seats: F64 | None) -> tuple[I64, I64, F64]:  # fmt: skip
    """Throw darts by demand and keep those far enough from the others, closing up until all stations stand."""
    rng = np.random.default_rng(seed)
    resolution = terrain.resolution_m
    wanted = np.where(usable, density**0.8 + 0.02 * density[usable].mean() ** 0.8, 0.0)
    if attraction is not None:
        wanted = wanted * (1.0 + np.asarray(attraction, dtype=np.float64))
    flat = np.cumsum(wanted.ravel())
    # An area of about 1,700 people or 12 km² for each station, whichever is smaller: the spacing is its width.
    per_station = np.minimum(1_700.0 / np.maximum(density, 1.0), 12.0)
    spacing = np.clip(1000.0 * np.sqrt(per_station) * 0.8, _CLOSE_M, _FAR_M)
    taken_row: list[int] = []
    taken_col: list[int] = []
    cell = _FAR_M
    bins: dict[tuple[int, int], list[int]] = {}

    def free(r: int, c: int, distance: float) -> bool:
        bi, bj = int(r * resolution // cell), int(c * resolution // cell)
        near = (k for i in (bi - 1, bi, bi + 1) for j in (bj - 1, bj, bj + 1) for k in bins.get((i, j), ()))
        limit = (distance / resolution) ** 2
        return all((r - taken_row[k]) ** 2 + (c - taken_col[k]) ** 2 >= limit for k in near)

    def take(r: int, c: int) -> None:
        bins.setdefault((int(r * resolution // cell), int(c * resolution // cell)), []).append(len(taken_row))
        taken_row.append(r)
        taken_col.append(c)

    for sx, sy in seats if seats is not None else ():
        r, c = int((terrain.y0_m - sy) // resolution), int((sx - terrain.x0_m) // resolution)
        inside = 0 <= r < usable.shape[0] and 0 <= c < usable.shape[1] and usable[r, c]
        if inside and len(taken_row) < count and free(r, c, _CLOSE_M):
            take(r, c)
    scale = 1.0
    while len(taken_row) < count:
        draws = np.searchsorted(flat, rng.random(4 * count) * flat[-1], side="right")
        for index in draws:
            r, c = divmod(int(min(index, usable.size - 1)), usable.shape[1])
            if usable[r, c] and free(r, c, scale * spacing[r, c]):
                take(r, c)
                if len(taken_row) == count:
                    break
        scale *= 0.9
    rows, cols = np.array(taken_row, dtype=np.int64), np.array(taken_col, dtype=np.int64)
    return rows, cols, spacing[rows, cols]


def _climb(elevation: F64, usable: npt.NDArray[np.bool_], rows: npt.NDArray[np.int64], cols: npt.NDArray[np.int64],
           spacing: F64, resolution: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:  # fmt: skip
    """Move each station to the highest ground within an eighth of its spacing, up to 400 m."""
    reach = np.minimum(spacing / 8.0, 400.0) / resolution
    new_rows, new_cols = rows.copy(), cols.copy()
    taken = set(zip(rows.tolist(), cols.tolist(), strict=True))
    for k, (r, c) in enumerate(zip(rows.tolist(), cols.tolist(), strict=True)):
        half = int(reach[k])
        if half < 1:
            continue
        window = (slice(max(0, r - half), r + half + 1), slice(max(0, c - half), c + half + 1))
        ground = np.where(usable[window], elevation[window], -np.inf)
        i, j = np.unravel_index(int(np.argmax(ground)), ground.shape)
        place = (window[0].start + int(i), window[1].start + int(j))
        if place not in taken:
            taken.remove((r, c))
            taken.add(place)
            new_rows[k], new_cols[k] = place
    return new_rows, new_cols


def _table(lon: F64, lat: F64, density: F64, seed: int) -> pd.DataFrame:
    """Give the stations names, heights and technologies by how many people live round them."""
    rng = np.random.default_rng(seed + 1)
    n = len(lon)
    town, village = density > 2_500.0, density > 150.0
    draw = rng.random((n, 2))
    share_3g = np.where(town, 0.99, np.where(village, 0.96, 0.90))
    share_4g = np.where(town, 1.0, np.where(village, 0.98, 0.92))
    technologies = [
        ";".join(["2G", *(["3G"] if a else []), *(["4G"] if b else []), *(["5G"] if c else [])])
        for a, b, c in zip(draw[:, 0] < share_3g, draw[:, 1] < share_4g, town, strict=True)
    ]
    name = [f"synthetic-{k + 1:05d}" for k in range(n)]
    return pd.DataFrame(
        {
            "site_id": name,
            "name": [f"synthetic station {k + 1}" for k in range(n)],
            "lon_deg": np.round(lon, 6),
            "lat_deg": np.round(lat, 6),
            "status": "existing",
            "kind": np.where(town, "rooftop", "mast"),
            "operator": "synthetic",
            "technologies": technologies,
            "tx_height_agl_m": np.where(town, 30.0, np.where(village, 36.0, 42.0)),
        }
    )


def nearest_spacing_m(x: F64, y: F64) -> F64:
    """Return each position's distance to its nearest neighbour in metres."""
    return cast("F64", cKDTree(np.column_stack([x, y])).query(np.column_stack([x, y]), k=2)[0][:, 1])
