"""The built-in province: synthetic input files that stand in for data which may not be shipped.

Everything is synthetic and says so, except the names, codes, areas and seats of the 148 units and a few published
figures the rest is anchored on (``NOTICE.md``). The files are ordinary GeoTIFF, GeoJSON and CSV, which the same
code reads as reads real data.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.builtin import people as people_module, units as units_module
from rfplan.builtin.noise import Field
from rfplan.builtin.relief import Relief, make_relief
from rfplan.builtin.sites import synthesize_sites
from rfplan.builtin.units import Partition

CRS = "EPSG:32648"
RESOLUTION_M = 90.0
STATIONS = 2_283
SEED = 2025
MARGIN_M = 6_000.0
#: A pixel of 270 m of the population raster is three pixels of the ground.
_POPULATION_BLOCK = 3
_DENSEST_PER_KM2 = 15_000.0

FILES = {
    "terrain": "synthetic_dem.tif",
    "population": "synthetic_population.tif",
    "communes": "synthetic_communes.geojson",
    "sites": "synthetic_sites.csv",
}
NOTE = (
    "Synthetic: outline, borders, relief, rivers, roads, where people live and all stations are invented. Real are the "
    "names, codes, areas and seats of the 148 units, and the published totals and heights they are anchored on."
)
#: What has been published about the real province's 4G, to stand beside the computed figures.
PUBLISHED = {
    "label": "4G in the real province, as published",
    "population_percent": 96.0,
    "area_percent": 90.0,
    "source": "figures published by the province and its operators",
}


@dataclass(frozen=True)
class Province:
    """The synthetic province in memory.

    Attributes
    ----------
    field
        The raster frame in `CRS`.
    relief
        Ground and water.
    unit
        Row of ``units`` a pixel belongs to, −1 outside.
    units
        code, name, kind, area_km2, population, seat_lon, seat_lat, seat_x, seat_y.
    partition
        Outline and borders in metres of `CRS`.
    road_m
        Distance to the nearest road (m).
    people
        People per pixel.
    """

    field: Field
    relief: Relief
    unit: npt.NDArray[np.int32]
    units: pd.DataFrame
    partition: Partition
    road_m: npt.NDArray[np.float64]
    people: npt.NDArray[np.float64]


def make_province(seed: int = SEED, resolution_m: float = RESOLUTION_M) -> Province:
    """Make the province; the same seed gives the same province.

    Parameters
    ----------
    seed
        Of every random field.
    resolution_m
        Pixel size of the ground in metres.
    """
    from rfplan.io.crs import transformer

    to_metres = transformer("EPSG:4326", CRS)
    units = units_module.read_units()
    extent = _extent(units, to_metres)
    field = _frame(extent, resolution_m)
    seat_x, seat_y = (
        np.asarray(v) for v in to_metres.transform(units["seat_lon"].to_numpy(), units["seat_lat"].to_numpy())
    )
    partition = units_module.partition(seat_x, seat_y, units["area_km2"].to_numpy(np.float64), extent, seed)
    relief = make_relief(field, to_metres, seed)
    unit = _rasterised(partition, field)
    population = _population(units, relief, unit, seed)
    units = units.assign(population=population, seat_x=seat_x, seat_y=seat_y)
    road_m = people_module.road_distance(field, relief.elevation_amsl_m, relief.water, seat_x, seat_y)
    weight = people_module.attraction(field, relief.elevation_amsl_m, relief.water, road_m, unit, seat_x, seat_y,
                                      population, seed)  # fmt: skip
    people = people_module.spread(weight, unit, population, _DENSEST_PER_KM2 * (resolution_m / 1000.0) ** 2)
    return Province(field, relief, unit, units, partition, road_m, people)


def write_inputs(folder: str | os.PathLike[str], *, seed: int = SEED, stations: int = STATIONS) -> dict[str, Path]:
    """Write the synthetic province's input files into ``folder``.

    Parameters
    ----------
    folder
        Where to; made when missing.
    seed
        Of every random draw.
    stations
        Number of existing stations.

    Returns
    -------
    dict
        ``terrain``, ``population``, ``communes`` and ``sites`` to their files, all named ``synthetic_*``.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    import rasterio.shutil  # noqa: F401  (write_cog uses it)
    from affine import Affine

    from rfplan.io.atomic import make_folder, write_text
    from rfplan.io.raster import write_cog
    from rfplan.io.tables import write_csv

    root = make_folder(folder)
    files = {role: root / name for role, name in FILES.items()}
    province = make_province(seed)
    field = province.field
    tags = {"SYNTHETIC": "yes", "NOTE": NOTE, "SEED": str(seed)}
    corner = Affine(field.resolution_m, 0.0, field.x0_m, 0.0, -field.resolution_m, field.y0_m)
    ground = np.round(province.relief.elevation_amsl_m * 10.0) / 10.0
    write_cog(files["terrain"], ground.astype(np.float32), transform=corner, crs=CRS, unit="m",
              tags={**tags, "DESCRIPTION": "synthetic ground elevation"}, resampling="average")  # fmt: skip
    factor = _POPULATION_BLOCK
    wide = Affine(corner.a * factor, 0.0, corner.c, 0.0, corner.e * factor, corner.f)
    blocks = people_module.block_mean(province.people, factor) * factor**2
    write_cog(files["population"], blocks.astype(np.float32), transform=wide, crs=CRS,
              unit="people", tags={**tags, "DESCRIPTION": "synthetic people per pixel"}, nodata=-1.0)  # fmt: skip
    write_text(files["communes"], json.dumps(_geojson(province), ensure_ascii=False))
    write_csv(files["sites"], station_table(province, stations, seed))
    return files


def station_table(province: Province, stations: int, seed: int) -> pd.DataFrame:
    """Return the synthetic stations of a province, sited by people, seats, roads and rises."""
    from rfplan.io.crs import transformer

    field = province.field
    to_degrees = transformer(CRS, "EPSG:4326")
    terrain = SimpleNamespace(
        valid=~province.relief.water,
        resolution_m=field.resolution_m,
        x0_m=field.x0_m,
        y0_m=field.y0_m,
        elevation_amsl_m=province.relief.elevation_amsl_m,
        lonlat=lambda x, y: to_degrees.transform(x, y),
    )
    demand = SimpleNamespace(population=province.people, commune_index=province.unit)
    return synthesize_sites(
        cast("Any", terrain),
        cast("Any", demand),
        stations,
        seed,
        attraction=np.exp(-province.road_m / 400.0),
        seats=province.units[["seat_x", "seat_y"]].to_numpy(np.float64),
    )


def _extent(units: pd.DataFrame, to_metres: Any) -> tuple[float, float, float, float]:
    """Return the published extent in metres, each side taken where the outermost seat is nearest to it."""
    lon, lat = units["seat_lon"].to_numpy(np.float64), units["seat_lat"].to_numpy(np.float64)
    west, _ = to_metres.transform(units_module.WEST_DEG, lat[lon.argmin()])
    east, _ = to_metres.transform(units_module.EAST_DEG, lat[lon.argmax()])
    _, south = to_metres.transform(lon[lat.argmin()], units_module.SOUTH_DEG)
    _, north = to_metres.transform(lon[lat.argmax()], units_module.NORTH_DEG)
    return float(west), float(south), float(east), float(north)


def _frame(extent: tuple[float, float, float, float], resolution_m: float) -> Field:
    """Lay a raster over the extent and a margin, its corner on a round multiple of the pixel."""
    west, south, east, north = extent
    block = resolution_m * _POPULATION_BLOCK
    x0 = np.floor((west - MARGIN_M) / block) * block
    y0 = np.ceil((north + MARGIN_M) / block) * block
    ny = int(np.ceil((y0 - south + MARGIN_M) / block)) * _POPULATION_BLOCK
    nx = int(np.ceil((east + MARGIN_M - x0) / block)) * _POPULATION_BLOCK
    return Field(float(x0), float(y0), resolution_m, ny, nx)


def _rasterised(partition: Partition, field: Field) -> npt.NDArray[np.int32]:
    from affine import Affine
    from rasterio.features import rasterize

    corner = Affine(field.resolution_m, 0.0, field.x0_m, 0.0, -field.resolution_m, field.y0_m)
    shapes = [(polygon, k) for k, polygon in enumerate(partition.polygons)]
    return cast(
        "npt.NDArray[np.int32]",
        rasterize(shapes, (field.ny, field.nx), fill=-1, transform=corner, dtype="int32"),
    )


def _population(units: pd.DataFrame, relief: Relief, unit: npt.NDArray[np.int32], seed: int) -> npt.NDArray[np.int64]:
    """Rank units by how urban and lowland they are and deal out the published total by rank."""
    inside = unit >= 0
    count = np.bincount(unit[inside], minlength=len(units))
    height = np.bincount(unit[inside], weights=relief.elevation_amsl_m[inside], minlength=len(units)) / count
    area = units["area_km2"].to_numpy(np.float64)
    chance = np.random.default_rng(seed + 51).standard_normal(len(units))
    score = (
        1.3 * (units["kind"] == "ward").to_numpy(np.float64)
        - height / 350.0
        + 0.4 * np.log(area / 63.0)
        + 0.45 * chance
    )
    return units_module.assign_population(score, list(units["code"]))


def _geojson(province: Province) -> dict[str, Any]:
    """Return the communes as GeoJSON in WGS 84, each marked synthetic."""
    from rfplan.io.crs import transformer

    to_degrees = transformer(CRS, "EPSG:4326")
    features = []
    for row, polygon in zip(province.units.itertuples(), province.partition.polygons, strict=True):
        x, y = np.asarray(polygon.exterior.coords).T
        lon, lat = to_degrees.transform(x, y)
        ring = [[round(float(a), 6), round(float(b), 6)] for a, b in zip(lon, lat, strict=True)]
        properties = {
            "code": row.code,
            "name": row.name,
            "kind": row.kind,
            "area_km2": row.area_km2,
            "population": int(cast("int", row.population)),
            "seat_lon": row.seat_lon,
            "seat_lat": row.seat_lat,
            "synthetic": True,
        }
        features.append(
            {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        )
    return {"type": "FeatureCollection", "name": "synthetic_communes", "note": NOTE, "features": features}
