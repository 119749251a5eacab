"""Vertical datums: heights over EGM96, EGM2008 or the ellipsoid, and the way from one to another.

The geoid grids that PROJ needs are not part of rfplan. Where they are installed (``projsync`` fetches them) heights
are converted; where they are not, that is said: a warning between the geoids, which lie within a metre of each other
over most land, and a refusal for ellipsoidal heights, which are off by up to 100 m.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from pyproj import Transformer
from pyproj.exceptions import ProjError

from rfplan.errors import InputFileError, ParameterError
from rfplan.io.crs import LONLAT, transformer
from rfplan.io.raster import Raster

FloatArray = npt.NDArray[np.float64]

ELLIPSOID: Final = "ellipsoid"
GEOID_GRIDS: Final = {
    "EGM96": ("us_nga_egm96_15.tif", "egm96_15.gtx"),
    "EGM2008": ("us_nga_egm08_25.tif", "egm08_25.gtx"),
}
DATUMS: Final = (*GEOID_GRIDS, ELLIPSOID)
_NAMES: Final = {"egm96": "EGM96", "egm2008": "EGM2008", "egm08": "EGM2008", "ellipsoid": ELLIPSOID, "wgs84": ELLIPSOID}
_NODES = 33  # per side: undulations are smooth, so they are taken on a coarse lattice and interpolated


def known_datum(name: str) -> str | None:
    """The datum of `DATUMS` a name stands for, or None."""
    return _NAMES.get(name.lower().replace(" ", "").replace("-", "").replace("_", ""))


def checked_datum(name: str) -> str:
    """The datum of `DATUMS` a name stands for.

    Raises
    ------
    ParameterError
        It stands for none.
    """
    found = known_datum(name)
    if found is None:
        raise ParameterError(f"vertical_datum {name!r} is not known; allowed are {', '.join(DATUMS)}")
    return found


def undulation_m(lon_deg: npt.ArrayLike, lat_deg: npt.ArrayLike, datum: str) -> FloatArray | None:
    """Height of a datum's zero over the WGS 84 ellipsoid, m, or None where its grid is not installed here."""
    lon, lat = np.asarray(lon_deg, dtype=np.float64), np.asarray(lat_deg, dtype=np.float64)
    if datum == ELLIPSOID:
        return np.zeros(np.broadcast(lon, lat).shape)
    for grid in GEOID_GRIDS[datum]:
        try:
            pipeline = Transformer.from_pipeline(
                "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
                f"+step +proj=vgridshift +grids={grid} +multiplier=1"
            )
            height = pipeline.transform(lon, lat, np.zeros(np.broadcast(lon, lat).shape), errcheck=False)[2]
        except ProjError:
            continue
        values = np.asarray(height, dtype=np.float64)
        if np.isfinite(values).all():
            return values
    return None


def to_datum(raster: Raster, source: str, target: str) -> Raster | None:
    """Heights of a raster over another datum, or None where a grid is missing.

    The undulation is taken on a lattice of 33 x 33 over the raster and interpolated bilinearly.

    Raises
    ------
    InputFileError
        The heights are ellipsoidal, or shall be, and a grid is missing: unconverted they are off by up to 100 m.
    """
    if source == target:
        return raster
    west, south, east, north = raster.bounds
    x, y = np.meshgrid(np.linspace(west, east, _NODES), np.linspace(north, south, _NODES))
    lon, lat = transformer(raster.crs, LONLAT).transform(x, y)
    shifts = [undulation_m((np.asarray(lon) + 180.0) % 360.0 - 180.0, lat, datum) for datum in (source, target)]
    if shifts[0] is None or shifts[1] is None:
        if ELLIPSOID in (source, target):
            missing = source if shifts[0] is None else target
            raise InputFileError(
                f"{raster.path}: heights over {source} can't be turned into heights over {target}: the geoid grid of "
                f"{missing} is not installed; fetch it with `projsync --file {GEOID_GRIDS[missing][0]}`, or convert "
                "the file first. Unconverted heights would be off by up to 100 m"
            )
        return None
    nodes = shifts[0] - shifts[1]
    ny, nx = raster.values.shape
    rows, cols = (np.arange(ny) + 0.5) / ny * (_NODES - 1), (np.arange(nx) + 0.5) / nx * (_NODES - 1)
    k, j = np.minimum(rows.astype(int), _NODES - 2), np.minimum(cols.astype(int), _NODES - 2)
    down, right = (rows - k)[:, None], (cols - j)[None, :]
    upper = nodes[k][:, j] * (1 - right) + nodes[k][:, j + 1] * right
    lower = nodes[k + 1][:, j] * (1 - right) + nodes[k + 1][:, j + 1] * right
    return raster.with_values((raster.values + upper * (1 - down) + lower * down).astype(np.float32))
