"""Demand and how it is shared out over a terrain's pixels."""

from __future__ import annotations

import math
import os
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from affine import Affine

from rfplan.errors import DataWarning, InputFileError, ParameterError
from rfplan.io.raster import Raster, resample_sum
from rfplan.io.tables import join_limited
from rfplan.terrain import Terrain

if TYPE_CHECKING:
    import geopandas as gpd

FloatArray = npt.NDArray[np.float64]
PathLike = str | os.PathLike[str]

MAX_DEMAND_PIXELS = 100_000_000
"""Largest grid over all communes."""


@dataclass(frozen=True, eq=False)
class DemandGrid:
    """People and communes on a terrain's grid.

    Parameters
    ----------
    population : ndarray of float64, shape (ny, nx)
        People in each pixel; 0 on unknown ground, where people count as off the terrain.
    commune_index : ndarray of int32, shape (ny, nx)
        Row in `communes`; -1 outside every commune and on unknown ground.
    communes : DataFrame
        A row a commune: ``code``, ``name``, ``area_km2`` (official where given, else of the polygon), ``grid_area_km2``
        (its pixels on the full grid), ``population``, and the parts ``area_on_terrain_km2``, ``population_on_terrain``,
        ``area_off_terrain_km2``, ``population_off_terrain``; areas of parts are of pixels.
    geometry : GeoSeries
        Polygons in EPSG:4326, row by row as `communes`.
    pixel_area_km2 : float
        Area of a pixel.
    attrs : dict
        Counts and methods.
    """

    population: FloatArray
    commune_index: npt.NDArray[np.int32]
    communes: pd.DataFrame
    geometry: gpd.GeoSeries
    pixel_area_km2: float
    attrs: dict[str, Any] = field(default_factory=dict)

    @property
    def inside(self) -> npt.NDArray[np.bool_]:
        """Mask of known ground inside a commune, shape (ny, nx)."""
        return self.commune_index >= 0

    def totals(self) -> dict[str, float]:
        """Return sums over all communes of the numeric columns of `communes`."""
        numbers = self.communes.select_dtypes("number")
        return {str(name): float(numbers[name].sum()) for name in numbers.columns}


@dataclass(frozen=True, eq=False)
class Demand:
    """Communes with their people, and how people spread inside them.

    Made by `open_demand`.

    Parameters
    ----------
    communes : GeoDataFrame
        EPSG:4326; ``code``, ``name``, ``population``, ``area_km2``, ``polygon_area_km2`` and what else the file holds.
    raster : Raster or None
        People per cell, used as weights inside each commune; None spreads people evenly.
    attrs : dict
        Where it came from.
    """

    communes: gpd.GeoDataFrame
    raster: Raster | None = None
    attrs: dict[str, Any] = field(default_factory=dict)
    _latest: list[Any] = field(default_factory=list, repr=False)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north of all communes, degrees."""
        west, south, east, north = (float(v) for v in self.communes.total_bounds)
        return (west, south, east, north)

    @property
    def population(self) -> float:
        """People in all communes."""
        return float(self.communes["population"].sum())

    def on_grid(self, terrain: Terrain) -> DemandGrid:
        """Share the people of every commune out over pixels of the terrain's lattice.

        The lattice is continued beyond the terrain to cover every commune, so that each commune's pixels sum to its
        official figure and the part that the terrain does not cover is counted, not guessed. A pixel belongs to the
        commune that holds its centre; a commune too small for that gets the pixel of an inner point. Weights are the
        people of the raster, each cell shared out by area; a commune in which the raster has nobody is filled evenly.

        Parameters
        ----------
        terrain : Terrain

        Returns
        -------
        DemandGrid

        Raises
        ------
        ParameterError
            If no commune lies on the terrain, or the grid over all communes would be too large or too coarse.
        InputFileError
            If the population raster does not overlap the communes.

        Warns
        -----
        DataWarning
            If communes have nobody in the population raster.
        """
        key = (terrain.elevation_amsl_m, terrain.x0_m, terrain.y0_m, terrain.resolution_m, terrain.crs)
        if self._latest and self._latest[0][0] is key[0] and self._latest[0][1:] == key[1:]:
            grid: DemandGrid = self._latest[1]
            return grid
        grid = _share_out(self, terrain)
        self._latest[:] = [key, grid]
        return grid


def _share_out(demand: Demand, terrain: Terrain) -> DemandGrid:
    top, left, shape = _full_grid(demand, terrain)
    res = terrain.resolution_m
    transform = Affine(res, 0.0, terrain.x0_m + left * res, 0.0, -res, terrain.y0_m - top * res)
    index = commune_pixels(demand.communes, transform, shape, terrain.crs)
    n = len(demand.communes)
    official = demand.communes["population"].to_numpy(dtype=np.float64)
    flat = index.ravel()
    pixels = np.bincount(flat[flat >= 0], minlength=n)
    population, empty = _spread(demand, index, transform, terrain.crs, official)
    on_index, on_population = _cut_out(index, population, terrain, top, left)
    if not (on_index >= 0).any():
        raise ParameterError(
            f"no commune of {demand.attrs.get('communes', 'the demand')} lies on the terrain: communes span "
            f"{tuple(round(v, 3) for v in demand.bounds)}, terrain {tuple(round(v, 3) for v in terrain.bounds_lonlat)} "
            "(west, south, east, north); open the elevation of the area"
        )
    inside = on_index >= 0
    pixels_on = np.bincount(on_index[inside], minlength=n)
    people_on = np.bincount(on_index[inside], weights=on_population[inside], minlength=n)
    area = terrain.pixel_area_km2
    communes = pd.DataFrame(
        {
            "code": demand.communes["code"].to_numpy(),
            "name": demand.communes["name"].to_numpy(),
            "area_km2": demand.communes["area_km2"].to_numpy(dtype=np.float64),
            "grid_area_km2": pixels * area,
            "area_on_terrain_km2": pixels_on * area,
            "area_off_terrain_km2": (pixels - pixels_on) * area,
            "population": official,
            "population_on_terrain": np.where(pixels_on == pixels, official, people_on),
            "population_off_terrain": np.where(pixels_on == pixels, 0.0, official - people_on),
        }
    )
    attrs = demand.attrs | {"communes_spread_evenly": empty}
    return DemandGrid(on_population, on_index, communes, demand.communes.geometry, area, attrs)


def _full_grid(demand: Demand, terrain: Terrain) -> tuple[int, int, tuple[int, int]]:
    """Row and column on the terrain's lattice of the corner of a grid over all communes, and its shape."""
    west, south, east, north = demand.communes.geometry.to_crs(terrain.crs).total_bounds
    if not all(math.isfinite(v) for v in (west, south, east, north)):
        raise ParameterError(f"the communes cannot be projected to {terrain.crs}; open the terrain of their area")
    res = terrain.resolution_m
    top, bottom = math.floor((terrain.y0_m - north) / res), math.ceil((terrain.y0_m - south) / res)
    left, right = math.floor((west - terrain.x0_m) / res), math.ceil((east - terrain.x0_m) / res)
    shape = (max(1, bottom - top), max(1, right - left))
    if shape[0] * shape[1] > MAX_DEMAND_PIXELS:
        raise ParameterError(
            f"the communes span {shape[1]:,} x {shape[0]:,} pixels of {res:g} m; keep only the communes of the area, "
            "or take a coarser terrain"
        )
    return top, left, shape


def commune_pixels(
    communes: gpd.GeoDataFrame, transform: Affine, shape: tuple[int, int], crs: str
) -> npt.NDArray[np.int32]:
    """Row of the commune that holds each pixel's centre, -1 outside; every commune has at least one pixel."""
    import rasterio.features

    polygons = communes.geometry.to_crs(crs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        index: npt.NDArray[np.int32] = rasterio.features.rasterize(
            zip(polygons, range(len(polygons)), strict=True),
            out_shape=shape,
            transform=transform,
            fill=-1,
            dtype="int32",
        )
    n = len(polygons)
    missing = np.flatnonzero(np.bincount(index[index >= 0], minlength=n) == 0)
    if missing.size:
        points = polygons.iloc[missing].representative_point()
        rows = np.floor((transform.f - points.y.to_numpy()) / transform.a).astype(int)
        cols = np.floor((points.x.to_numpy() - transform.c) / transform.a).astype(int)
        index[np.clip(rows, 0, shape[0] - 1), np.clip(cols, 0, shape[1] - 1)] = missing
        lost = np.flatnonzero(np.bincount(index[index >= 0], minlength=n) == 0)
        if lost.size:
            names = join_limited(communes["name"].iloc[lost])
            raise ParameterError(
                f"{lost.size} commune(s) are too small for pixels of {transform.a:g} m ({names}); "
                "take a finer resolution_m"
            )
    return index


def _spread(
    demand: Demand, index: npt.NDArray[np.int32], transform: Affine, crs: str, official: FloatArray
) -> tuple[FloatArray, int]:
    """People per pixel of the full grid, and how many communes were filled evenly for want of weights."""
    n = official.size
    inside = index >= 0
    owner = index[inside]
    if demand.raster is None:
        weights = np.ones(owner.size)
    else:
        weights = resample_sum(demand.raster, transform, (index.shape[0], index.shape[1]), crs)[inside]
    sums = np.bincount(owner, weights=weights, minlength=n)
    if demand.raster is not None and sums.sum() <= 0:
        raise InputFileError(
            f"{demand.raster.path} does not overlap the communes ({tuple(round(v, 3) for v in demand.bounds)} degrees) "
            "or holds nobody there; check its area and nodata value"
        )
    empty = np.flatnonzero((sums <= 0) & (official > 0))
    if empty.size:
        weights = np.where(np.isin(owner, empty), 1.0, weights)
        sums = np.bincount(owner, weights=weights, minlength=n)
        warnings.warn(
            DataWarning(
                f"{empty.size} commune(s) have nobody in the population raster and are filled evenly: "
                f"{join_limited(demand.communes['name'].iloc[empty])}"
            ),
            stacklevel=4,
        )
    factor = np.divide(official, sums, out=np.zeros(n), where=sums > 0)
    population = np.zeros(index.shape)
    population[inside] = weights * factor[owner]
    return population, int(empty.size)


def _cut_out(
    index: npt.NDArray[np.int32], population: FloatArray, terrain: Terrain, top: int, left: int
) -> tuple[npt.NDArray[np.int32], FloatArray]:
    """Bring the full grid onto the terrain's own, leaving unknown ground empty."""
    ny, nx = terrain.shape
    on_index = np.full((ny, nx), -1, dtype=np.int32)
    on_population = np.zeros((ny, nx))
    r0, r1 = max(0, top), min(ny, top + index.shape[0])
    c0, c1 = max(0, left), min(nx, left + index.shape[1])
    if r0 < r1 and c0 < c1:
        part = (slice(r0 - top, r1 - top), slice(c0 - left, c1 - left))
        valid = terrain.valid[r0:r1, c0:c1]
        on_index[r0:r1, c0:c1] = np.where(valid, index[part], -1)
        on_population[r0:r1, c0:c1] = np.where(valid, population[part], 0.0)
    return on_index, on_population
