"""From a population raster and commune polygons to demand."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from affine import Affine

from rfplan.demand.grid import Demand, FloatArray, PathLike, commune_pixels
from rfplan.errors import DataWarning, InputFileError, ParameterError
from rfplan.io.crs import LONLAT
from rfplan.io.raster import Raster, RasterFile, read_raster
from rfplan.io.tables import join_limited, to_float
from rfplan.io.vector import read_vector

if TYPE_CHECKING:
    import geopandas as gpd


def open_demand(
    population: PathLike | RasterFile | None = None,
    communes: PathLike | None = None,
    *,
    population_field: str = "population",
    code_field: str = "code",
    name_field: str = "name",
    area_field: str = "area_km2",
) -> Demand:
    """Read who lives where: a population raster, commune polygons with official counts, or both.

    With both, the raster gives the weights and the polygons the figures. Polygons alone spread their people evenly. A
    raster alone makes one unit, ``"total"``, over the raster's extent.

    Parameters
    ----------
    population : path or RasterFile, optional
        Raster of people per cell (not per km²).
    communes : path, optional
        Polygons (GeoJSON, GeoPackage, Shapefile, FlatGeobuf, KML).
    population_field, code_field, name_field : str
        Fields of the polygons. Without the population field the raster's own sums are taken.
    area_field : str
        Official area in km², if the polygons have it.

    Returns
    -------
    Demand

    Raises
    ------
    InputFileError
        If a file cannot be used, codes repeat, figures are negative, features are no polygons, or the raster lies
        elsewhere.
    ParameterError
        If neither file is given.

    Warns
    -----
    DataWarning
        If communes have no people, no code or no name.
    """
    if population is None and communes is None:
        raise ParameterError("open_demand needs a population raster, commune polygons, or both")
    if communes is None:
        assert population is not None
        return _raster_alone(read_raster(population, dtype="float64"))
    frame = read_vector(communes)
    path = str(communes)
    _check_polygons(frame, path)
    raster = None
    if population is not None:
        raster = read_raster(population, dtype="float64", bounds=_padded(frame.total_bounds))
    frame = _with_identity(frame, path, code_field, name_field)
    frame = _with_areas(frame, path, area_field)
    figures = _official(frame, path, population_field)
    if figures is None:
        if raster is None:
            raise InputFileError(
                f"{path} has no field {population_field!r} (fields: {join_limited(frame.columns)}) and no population "
                "raster is given; name the field with population_field or give a raster"
            )
        figures = _zonal_sums(raster, frame)
        _note(f"{path} has no field {population_field!r}: people are the sums of {raster.path}, not official figures")
    frame["population"] = figures
    nobody = frame["name"][figures == 0]
    if len(nobody):
        _note(f"{path}: {len(nobody)} commune(s) have no people: {join_limited(nobody)}")
    attrs = {
        "communes": path,
        "population": "evenly in each commune" if raster is None else raster.path,
        "figures": f"field {population_field!r}",
        "communes_without_people": len(nobody),
    }
    return Demand(frame, raster, attrs)


def _note(message: str) -> None:
    warnings.warn(DataWarning(message), stacklevel=3)


def _padded(box: npt.NDArray[np.float64]) -> tuple[float, float, float, float]:
    west, south, east, north = (float(v) for v in box)
    return (west - 0.02, max(-90.0, south - 0.02), east + 0.02, min(90.0, north + 0.02))


def _check_polygons(frame: gpd.GeoDataFrame, path: str) -> None:
    kinds = frame.geom_type
    other = kinds[~kinds.isin(["Polygon", "MultiPolygon", "GeometryCollection"])]
    if len(other):
        raise InputFileError(f"{path}: feature {other.index[0] + 1} is a {other.iloc[0]}; communes must be polygons")


def _with_identity(frame: gpd.GeoDataFrame, path: str, code_field: str, name_field: str) -> gpd.GeoDataFrame:
    out = frame.copy()
    if code_field in out.columns:
        out["code"] = out[code_field].astype(str)
    else:
        out["code"] = [str(i + 1) for i in range(len(out))]
        _note(f"{path} has no field {code_field!r}; communes are numbered 1 to {len(out)}")
    out["name"] = out[name_field].astype(str) if name_field in out.columns else out["code"]
    repeated = out["code"][out["code"].duplicated()].unique()
    if len(repeated):
        raise InputFileError(
            f"{path}: the code(s) {join_limited(repeated)} occur more than once in {code_field!r}; join these parts "
            "into one feature or choose another code_field"
        )
    return out


def _numbers(column: pd.Series[Any], path: str, name: str) -> FloatArray:
    if column.dtype.kind in "iuf":
        return column.to_numpy(dtype=np.float64)
    text = column.fillna("").astype(str)
    text.attrs.update(path=path, first_row=1)
    return to_float(text, name)


def _with_areas(frame: gpd.GeoDataFrame, path: str, area_field: str) -> gpd.GeoDataFrame:
    import pyproj

    geod = pyproj.Geod(ellps="WGS84")
    out = frame.copy()
    own = np.array([abs(geod.geometry_area_perimeter(shape)[0]) / 1e6 for shape in out.geometry])
    out["polygon_area_km2"] = own
    if area_field in out.columns:
        stated = _numbers(out[area_field], path, area_field)
        out["area_km2"] = np.where(stated > 0, stated, own)
        off = np.flatnonzero((stated > 0) & (np.abs(stated - own) > 0.2 * own))
        if off.size:
            first = out.iloc[off[0]]
            _note(
                f"{path}: {off.size} commune(s) differ by more than 20 % from the area of their polygon, first "
                f"{first['name']} ({stated[off[0]]:g} against {own[off[0]]:.2f} km²)"
            )
    else:
        out["area_km2"] = own
    return out


def _official(frame: gpd.GeoDataFrame, path: str, population_field: str) -> FloatArray | None:
    if population_field not in frame.columns:
        return None
    figures = _numbers(frame[population_field], path, population_field)
    negative = np.flatnonzero(figures < 0)
    if negative.size:
        raise InputFileError(
            f"{path}: {population_field} of {frame['name'].iloc[negative[0]]} is {figures[negative[0]]:g}; "
            "people are not negative"
        )
    return np.where(np.isfinite(figures), figures, 0.0)


def _raster_alone(raster: Raster) -> Demand:
    import geopandas as gpd
    import pyproj
    import shapely

    total = float(raster.values[raster.values > 0].sum())
    if total <= 0:
        raise InputFileError(f"{raster.path} holds no people; check its nodata value")
    box = shapely.segmentize(shapely.box(*raster.bounds), max(raster.dx, raster.dy) * 8)
    outline = gpd.GeoSeries([box], crs=raster.crs).to_crs(LONLAT)
    area = abs(pyproj.Geod(ellps="WGS84").geometry_area_perimeter(outline.iloc[0])[0]) / 1e6
    fields = {"code": ["total"], "name": ["total"], "population": [total], "area_km2": [area]}
    frame = gpd.GeoDataFrame(fields | {"polygon_area_km2": [area]}, geometry=outline)
    attrs = {"population": raster.path, "figures": "sum of the raster", "communes_without_people": 0}
    return Demand(frame, raster, attrs)


def _zonal_sums(raster: Raster, frame: gpd.GeoDataFrame) -> FloatArray:
    """People of the raster in each polygon, on a lattice four times as fine as its cells."""
    fine = Affine(raster.dx / 4, 0.0, raster.x0, 0.0, -raster.dy / 4, raster.y0)
    shape = (raster.values.shape[0] * 4, raster.values.shape[1] * 4)
    index = commune_pixels(frame, fine, shape, raster.crs)
    people = np.repeat(np.repeat(np.where(raster.values > 0, raster.values, 0.0), 4, axis=0), 4, axis=1) / 16.0
    inside = index >= 0
    return np.asarray(np.bincount(index[inside], weights=people[inside], minlength=len(frame)))
