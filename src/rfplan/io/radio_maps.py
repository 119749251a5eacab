"""World grids of radio-climatic parameters: ITU-R text files that the user has, or a raster in degrees.

ITU's digital maps may not be redistributed, so none is shipped: they are downloaded with their Recommendation from
itu.int and read from wherever the user put them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rfplan.errors import InputFileError, ParameterError

FloatArray = npt.NDArray[np.float64]

__all__ = ["GlobalGrid", "read_radio_map"]

# Shape of an ITU-R text map → latitude of its first row, longitude of its first column, steps in degrees.
_LAYOUTS: dict[tuple[int, int], tuple[float, float, float, float]] = {
    (121, 241): (90.0, 0.0, -1.5, 1.5),  # P.452, P.1812, P.2001: delta N and N0
    (721, 1441): (90.0, -180.0, -0.25, 0.25),  # P.530-18: lg K and dN75
    (1441, 2881): (-90.0, -180.0, 0.125, 0.125),  # P.837-7: R0.01
}
_MAX_BYTES = 200_000_000


@dataclass(frozen=True, eq=False)
class GlobalGrid:
    """Values at the nodes of a regular grid in longitude and latitude.

    Parameters
    ----------
    values
        Shape (ny, nx); NaN where unknown.
    lat0_deg, lon0_deg
        Latitude of row 0 and longitude of column 0.
    lat_step_deg, lon_step_deg
        From row to row (negative: north-up) and from column to column.
    path
        Where it came from, for messages.
    """

    values: FloatArray
    lat0_deg: float
    lon0_deg: float
    lat_step_deg: float
    lon_step_deg: float
    path: str = ""

    def at(self, lon_deg: npt.ArrayLike, lat_deg: npt.ArrayLike) -> FloatArray:
        """Value at positions by bilinear interpolation (P.1144-12, Annex 1, section 1b).

        Parameters
        ----------
        lon_deg, lat_deg
            Longitude, -180 to 360, and latitude, -90 to 90 degrees; scalars or arrays.

        Returns
        -------
        ndarray
            Values in the shape the arguments broadcast to.

        Raises
        ------
        ParameterError
            When a position is off the grid or its value unknown.
        """
        lon, lat = np.broadcast_arrays(np.asarray(lon_deg, dtype=np.float64), np.asarray(lat_deg, dtype=np.float64))
        ny, nx = self.values.shape
        row = (lat - self.lat0_deg) / self.lat_step_deg
        col = (lon - self.lon0_deg) / self.lon_step_deg
        if nx * abs(self.lon_step_deg) >= 360.0 - 1e-9:
            col = np.mod(col, 360.0 / self.lon_step_deg)
        off = ~((row >= 0.0) & (row <= ny - 1) & (col >= 0.0) & (col <= nx - 1))
        if off.any():
            where = f"({lon[off].ravel()[0]:g}, {lat[off].ravel()[0]:g})"
            raise ParameterError(f"position {where} (longitude, latitude) is not on the map {self.path}")
        r = np.clip(np.floor(row).astype(np.int64), 0, max(ny - 2, 0))
        c = np.clip(np.floor(col).astype(np.int64), 0, max(nx - 2, 0))
        down, across = row - r, col - c
        below, right = np.minimum(r + 1, ny - 1), np.minimum(c + 1, nx - 1)
        v = self.values
        # A node of weight 0 must not spread its NaN.
        total = np.zeros(row.shape)
        for rows, cols, weight in (
            (r, c, (1 - down) * (1 - across)),
            (r, right, (1 - down) * across),
            (below, c, down * (1 - across)),
            (below, right, down * across),
        ):
            total = total + np.where(weight > 0.0, v[rows, cols] * weight, 0.0)
        if np.isnan(total).any():
            raise ParameterError(f"the map {self.path} has no value at a position asked for")
        return total


def read_radio_map(path: str | os.PathLike[str]) -> GlobalGrid:
    """Read an ITU-R text map (recognised by its size) or a raster in longitude and latitude.

    Parameters
    ----------
    path
        ``.txt``/``.csv`` matrix of 121 x 241 (P.452, P.1812), 721 x 1441 (P.530-18) or 1441 x 2881 numbers (P.837-7),
        or a GeoTIFF in EPSG:4326, whose pixel centres become the nodes.

    Returns
    -------
    GlobalGrid

    Raises
    ------
    InputFileError
        When the file is missing, damaged, too large or of a size no map has.
    """
    file = Path(path)
    if not file.is_file():
        raise InputFileError(f"{file}: there is no such file; download the map with its Recommendation from itu.int")
    if file.suffix.lower() in (".tif", ".tiff"):
        from rfplan.io.raster import read_raster

        raster = read_raster(file, dtype="float64", nodata_needed=False)
        if raster.crs.upper() != "EPSG:4326":
            raise InputFileError(f"{file}: is in {raster.crs}; give a raster in longitude and latitude, EPSG:4326")
        return GlobalGrid(
            np.asarray(raster.values, dtype=np.float64),
            raster.y0 - raster.dy / 2,
            raster.x0 + raster.dx / 2,
            -raster.dy,
            raster.dx,
            str(file),
        )
    if file.stat().st_size > _MAX_BYTES:
        raise InputFileError(f"{file}: has {file.stat().st_size} bytes; no ITU-R map exceeds {_MAX_BYTES}")
    with file.open(encoding="utf-8", errors="replace") as lines:
        delimiter = "," if "," in lines.readline() else None
    try:
        values = np.loadtxt(file, delimiter=delimiter, ndmin=2)
    except ValueError as error:
        raise InputFileError(f"{file}: is not a matrix of numbers: {error}") from error
    layout = _LAYOUTS.get((values.shape[0], values.shape[1]))
    if layout is None:
        allowed = ", ".join(f"{rows} x {columns}" for rows, columns in _LAYOUTS)
        raise InputFileError(f"{file}: holds {values.shape[0]} x {values.shape[1]} numbers; ITU-R maps have {allowed}")
    return GlobalGrid(values, *layout, str(file))
