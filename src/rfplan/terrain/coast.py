"""Radio-climatic zones: where the sea is, and which land counts as coastal."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, label

from rfplan.clutter import Clutter
from rfplan.errors import DataWarning, ParameterError
from rfplan.io.vector import read_vector
from rfplan.profile import Zone
from rfplan.terrain.grid import Terrain

COASTAL_BELOW_M = 100.0
COASTAL_WITHIN_M = 50_000.0
SEA_LEVEL_M = 5.0
LEAST_SEA_KM2 = 50.0

BoolArray = npt.NDArray[np.bool_]


def with_sea(
    terrain: Terrain,
    sea: str | os.PathLike[str] = "water",
    *,
    land: bool = False,
    least_sea_km2: float = LEAST_SEA_KM2,
) -> Terrain:
    """Set the zones of a terrain: sea, coastal land, inland (P.1812-8 and P.452-18, radio-climatic zones).

    Land up to 100 m above sea level and within 50 km of the sea is coastal. Ground without a known height is sea
    where it is drawn as sea, else inland. Sea beyond the terrain's edge is not known of.

    Parameters
    ----------
    terrain : Terrain
    sea : "water" or path
        "water": regions of clutter class water that lie within 5 m of sea level and are large enough. A path: areas
        of the sea (polygons of any vector format).
    land : bool
        The file's areas are land, and the rest is sea.
    least_sea_km2 : float
        Smallest region of the class water that is taken for sea, km².

    Returns
    -------
    Terrain

    Raises
    ------
    InputFileError
        The file can't be read.
    ParameterError
        The file has no areas, or `least_sea_km2` is negative.

    Warns
    -----
    DataWarning
        No sea was found.
    """
    if str(sea) == "water":
        wet = _sea_by_class(terrain, least_sea_km2)
        source = f"clutter class water within {SEA_LEVEL_M:g} m of sea level, {least_sea_km2:g} km2 or more"
    else:
        drawn = _drawn(terrain, sea)
        wet, source = (~drawn if land else drawn), f"{'land' if land else 'sea'} areas of {Path(sea).name}"
    if not wet.any():
        warnings.warn(DataWarning(f"no sea found ({source}): every pixel is inland"), stacklevel=2)
        return terrain.with_zone(int(Zone.INLAND), f"inland everywhere: no sea found ({source})")
    near = distance_transform_edt(~wet, sampling=terrain.resolution_m) <= COASTAL_WITHIN_M
    with np.errstate(invalid="ignore"):
        coastal = near & (terrain.elevation_amsl_m <= COASTAL_BELOW_M) & ~wet
    zone = np.where(wet, int(Zone.SEA), np.where(coastal, int(Zone.COASTAL), int(Zone.INLAND)))
    return terrain.with_zone(zone, f"{source}; coastal land up to 100 m high within 50 km")


def _sea_by_class(terrain: Terrain, least_sea_km2: float) -> BoolArray:
    if not least_sea_km2 >= 0.0:
        raise ParameterError(f"least_sea_km2 is {least_sea_km2}; it must be 0 or more")
    with np.errstate(invalid="ignore"):
        low = ~(np.abs(terrain.elevation_amsl_m) > SEA_LEVEL_M)  # height unknown: a void over open water
    wet = (terrain.clutter_class == int(Clutter.WATER)) & low
    regions, count = label(wet, np.ones((3, 3), dtype=int))
    area_km2 = np.bincount(regions.ravel(), minlength=count + 1) * terrain.pixel_area_km2
    large = area_km2 >= least_sea_km2
    large[0] = False
    return np.asarray(large[regions])


def _drawn(terrain: Terrain, path: str | os.PathLike[str]) -> BoolArray:
    import rasterio.features

    frame = read_vector(path)
    areas = frame[frame.geometry.geom_type.isin(["Polygon", "MultiPolygon"])]
    if areas.empty:
        raise ParameterError(f"{path} has no areas; give polygons of the sea, or of the land with land=True")
    west, south, east, north = terrain.bounds_lonlat
    areas = areas.clip((west - 0.1, south - 0.1, east + 0.1, north + 0.1)).to_crs(terrain.crs)
    if areas.empty:
        return np.zeros(terrain.shape, dtype=np.bool_)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        mask = rasterio.features.rasterize(
            [(shape, 1) for shape in areas.geometry],
            out_shape=terrain.shape,
            transform=terrain.transform,
            dtype="uint8",
        )
    return np.asarray(mask == 1)
