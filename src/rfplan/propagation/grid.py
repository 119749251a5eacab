"""Point to area: path loss from one transmitter to every pixel around it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from rfplan.errors import ParameterError
from rfplan.kernels import grid_exact as _exact
from rfplan.kernels.geometry import empty_geometry
from rfplan.profile import Paths, Polarization
from rfplan.propagation.base import GeometryModel, PropagationModel, require, require_choice, require_range

if TYPE_CHECKING:
    import xarray as xr

    from rfplan.terrain import Terrain

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

__all__ = ["PathLossWindow", "path_loss_grid", "path_loss_pixels", "path_loss_window", "window_around"]

_CHUNK = 8_200  # pixels whose geometry is held at once: small enough for the cache; no power of two, for its sets' sake
_PROFILE_POINTS = 2_000_000  # profile points held at once for models that look at whole profiles
SHORTEST_PATH_M = 1.0


@dataclass(frozen=True)
class PathLossWindow:
    """Path loss over the part of a terrain around one transmitter.

    Parameters
    ----------
    rows, cols
        The window's rows and columns in the terrain.
    path_loss_db
        Basic transmission loss, dB, shape (bands, h, w); NaN beyond the radius and where the path meets
        unknown ground.
    """

    rows: slice
    cols: slice
    path_loss_db: FloatArray


@dataclass(frozen=True)
class _Link:
    """What all pixels of one prediction share."""

    terrain: Terrain
    model: PropagationModel
    frequency_mhz: FloatArray
    site: FloatArray
    polarization: Polarization


def _uniform_zone(terrain: Terrain) -> int:
    first = int(terrain.zone[0, 0])
    return first if bool((terrain.zone == first).all()) else 0


def _site_settings(
    terrain: Terrain, x_m: float, y_m: float, tx_height_agl_m: float, rx_height_agl_m: float
) -> FloatArray:
    row, col = (float(v) for v in terrain.rowcol(x_m, y_m))
    ny, nx = terrain.shape
    inside = -0.5 <= row <= ny - 0.5 and -0.5 <= col <= nx - 0.5
    require(inside, "transmitter (x_m, y_m)", (x_m, y_m), f"within the terrain's bounds {terrain.bounds}")
    x, y = terrain.x0_m + 0.5 * terrain.resolution_m, terrain.y0_m - 0.5 * terrain.resolution_m
    step = 1000.0 * terrain.resolution_m
    _, latitude = terrain.lonlat([x_m, x, x + step, x], [y_m, y, y, y - step])
    site = np.zeros(_exact.N_SITE)
    site[_exact.TX_ROW] = row
    site[_exact.TX_COL] = col
    site[_exact.RESOLUTION_M] = terrain.resolution_m
    site[_exact.TX_AGL_M] = tx_height_agl_m
    site[_exact.RX_AGL_M] = rx_height_agl_m
    site[_exact.UNIFORM_ZONE] = _uniform_zone(terrain)
    site[_exact.LATITUDE_DEG] = 0.5 * (latitude[0] + latitude[1])
    site[_exact.LATITUDE_PER_ROW] = 0.5 * (latitude[3] - latitude[1]) / 1000.0
    site[_exact.LATITUDE_PER_COL] = 0.5 * (latitude[2] - latitude[1]) / 1000.0
    return site


def _link(
    terrain: Terrain,
    x_m: float,
    y_m: float,
    model: PropagationModel,
    frequency_mhz: npt.ArrayLike,
    heights_m: tuple[float, float],
    polarization: Polarization,
) -> _Link:
    needs = getattr(model, "needs", None)
    require_choice("model.needs", needs, ("distance", "geometry", "profile"))
    require_choice("polarization", polarization, ("vertical", "horizontal"))
    f = np.atleast_1d(np.asarray(frequency_mhz, dtype=np.float64))
    require(f.ndim == 1 and f.size > 0, "frequency_mhz", frequency_mhz, "a frequency or a row of them")
    require(bool((f > 0.0).all()), "frequency_mhz", float(f.min()), "above 0 MHz")
    for name, value in (("tx_height_agl_m", heights_m[0]), ("rx_height_agl_m", heights_m[1])):
        require_range(name, value, 0.0, 20_000.0)
    check = getattr(model, "check_validity", None)
    if check is not None:
        check(f, heights_m[0], heights_m[1])
    return _Link(terrain, model, f, _site_settings(terrain, x_m, y_m, *heights_m), polarization)


def _checked(loss: Any, shape: tuple[int, ...], model: PropagationModel) -> FloatArray:
    array = np.asarray(loss, dtype=np.float64)
    if array.shape != shape:
        raise ParameterError(
            f"{type(model).__name__}.path_loss_db gave shape {array.shape} for {shape[0]} paths; return one loss a path"
        )
    return array


def _distance_loss(link: _Link, rows: FloatArray, cols: FloatArray) -> FloatArray:
    site = link.site
    d = np.hypot(rows - site[_exact.TX_ROW], cols - site[_exact.TX_COL]) * site[_exact.RESOLUTION_M]
    d = np.maximum(d, SHORTEST_PATH_M)
    latitude = site[_exact.LATITUDE_DEG] + site[_exact.LATITUDE_PER_ROW] * rows + site[_exact.LATITUDE_PER_COL] * cols
    out = np.empty((link.frequency_mhz.size, d.size))
    for b, f in enumerate(link.frequency_mhz):
        paths = Paths(
            d,
            np.full(d.size, f),
            np.full(d.size, site[_exact.TX_AGL_M]),
            np.full(d.size, site[_exact.RX_AGL_M]),
            link.polarization,
            latitude,
        )
        out[b] = _checked(link.model.path_loss_db(paths), d.shape, link.model)
    return out


def _geometry_loss(link: _Link, rows: FloatArray, cols: FloatArray) -> FloatArray:
    model = cast(GeometryModel, link.model)
    terrain = link.terrain
    settings = model.geometry_settings()
    out = np.empty((link.frequency_mhz.size, rows.size))
    geometry = empty_geometry(min(rows.size, _CHUNK))
    for start in range(0, rows.size, _CHUNK):
        stop = min(start + _CHUNK, rows.size)
        part = geometry if stop - start == geometry.shape[1] else empty_geometry(stop - start)
        _exact.exact_pixels(
            terrain.elevation_amsl_m,
            terrain.clutter_height_m,
            terrain.zone,
            link.site,
            rows[start:stop],
            cols[start:stop],
            settings,
            part,
        )
        out[:, start:stop] = model.finish_db(part, link.frequency_mhz, link.polarization)
    return out


def _profile_chunk(link: _Link, rows: FloatArray, cols: FloatArray) -> FloatArray:
    site, terrain = link.site, link.terrain
    length_px = np.hypot(rows - site[_exact.TX_ROW], cols - site[_exact.TX_COL])
    points = np.maximum(2, np.ceil(length_px - 1e-9)).astype(np.int64) + 1
    stop = np.cumsum(points)
    start = stop - points
    d, h, r = np.empty(stop[-1]), np.empty(stop[-1]), np.empty(stop[-1])
    zone = np.empty(stop[-1], dtype=np.int8)
    known = np.empty(rows.size, dtype=np.bool_)
    _exact.sample_pixels(
        terrain.elevation_amsl_m, terrain.clutter_height_m, terrain.zone, site, rows, cols, start, d, h, r, zone, known
    )
    h = np.where(np.isnan(h), 0.0, h)  # paths over unknown ground are blanked below
    latitude = site[_exact.LATITUDE_DEG] + site[_exact.LATITUDE_PER_ROW] * rows + site[_exact.LATITUDE_PER_COL] * cols
    n = rows.size
    out = np.empty((link.frequency_mhz.size, n))
    for b, f in enumerate(link.frequency_mhz):
        paths = Paths(
            np.maximum(length_px * site[_exact.RESOLUTION_M], SHORTEST_PATH_M),
            np.full(n, f),
            np.full(n, site[_exact.TX_AGL_M]),
            np.full(n, site[_exact.RX_AGL_M]),
            link.polarization,
            latitude,
            start,
            stop,
            d * 1e3,
            h,
            r,
            zone,
        )
        out[b] = _checked(link.model.path_loss_db(paths), (n,), link.model)
    out[:, ~known] = np.nan
    return out


def _profile_loss(link: _Link, rows: FloatArray, cols: FloatArray) -> FloatArray:
    out = np.empty((link.frequency_mhz.size, rows.size))
    longest = float(np.hypot(rows - link.site[_exact.TX_ROW], cols - link.site[_exact.TX_COL]).max(initial=0.0))
    chunk = max(1, int(_PROFILE_POINTS / (longest + 3.0)))
    for start in range(0, rows.size, chunk):
        part = slice(start, start + chunk)
        out[:, part] = _profile_chunk(link, rows[part], cols[part])
    return out


def _exact_loss(link: _Link, rows: FloatArray, cols: FloatArray) -> FloatArray:
    """Loss to pixels, dB, shape (bands, n); NaN where the ground under the pixel or along the path is unknown."""
    if rows.size == 0:
        return np.empty((link.frequency_mhz.size, 0))
    loss = {"distance": _distance_loss, "geometry": _geometry_loss, "profile": _profile_loss}[link.model.needs](
        link, rows, cols
    )
    unknown = np.isnan(link.terrain.elevation_amsl_m[rows.astype(np.int64), cols.astype(np.int64)])
    loss[:, unknown] = np.nan
    return loss


def path_loss_pixels(
    terrain: Terrain,
    x_m: float,
    y_m: float,
    rows: npt.ArrayLike,
    cols: npt.ArrayLike,
    *,
    model: PropagationModel,
    frequency_mhz: npt.ArrayLike,
    tx_height_agl_m: float,
    rx_height_agl_m: float,
    polarization: Polarization = "vertical",
) -> FloatArray:
    """Exact path loss from one transmitter to given pixels only.

    Parameters
    ----------
    terrain
        The terrain.
    x_m, y_m
        Transmitter's position in the terrain's coordinates, m.
    rows, cols
        Pixels of the terrain, shape (n,).
    model
        Any propagation model.
    frequency_mhz
        One frequency or several bands, MHz.
    tx_height_agl_m, rx_height_agl_m
        Antenna heights above ground, m.
    polarization
        "vertical" or "horizontal".

    Returns
    -------
    ndarray
        Loss, dB, shape (bands, n); NaN where the path meets unknown ground.

    Raises
    ------
    ParameterError
        When the transmitter or a pixel is off the terrain, or a parameter is impossible.
    """
    link = _link(
        terrain, x_m, y_m, model, frequency_mhz, (float(tx_height_agl_m), float(rx_height_agl_m)), polarization
    )
    r = np.atleast_1d(np.asarray(rows, dtype=np.int64))
    c = np.atleast_1d(np.asarray(cols, dtype=np.int64))
    ny, nx = terrain.shape
    outside = (r < 0) | (r >= ny) | (c < 0) | (c >= nx)
    if outside.any():
        i = int(np.flatnonzero(outside)[0])
        raise ParameterError(f"pixel {i} is row {r[i]}, column {c[i]}; the terrain has {ny} rows and {nx} columns")
    return _exact_loss(link, r.astype(np.float64), c.astype(np.float64))


def window_around(terrain: Terrain, x_m: float, y_m: float, radius_m: float) -> tuple[slice, slice]:
    """Rows and columns of the terrain whose pixel centres can lie within a radius of a point; may be empty."""
    require(math.isfinite(radius_m) and radius_m > 0.0, "radius_m", radius_m, "above 0 m")
    row, col = (float(v) for v in terrain.rowcol(x_m, y_m))
    reach = radius_m / terrain.resolution_m
    ny, nx = terrain.shape
    rows = slice(min(ny, max(0, math.ceil(row - reach))), max(0, min(ny, math.floor(row + reach) + 1)))
    cols = slice(min(nx, max(0, math.ceil(col - reach))), max(0, min(nx, math.floor(col + reach) + 1)))
    return rows, cols


def path_loss_window(
    terrain: Terrain,
    x_m: float,
    y_m: float,
    *,
    model: PropagationModel,
    frequency_mhz: npt.ArrayLike,
    tx_height_agl_m: float,
    rx_height_agl_m: float,
    radius_m: float,
    method: str = "exact",
    polarization: Polarization = "vertical",
) -> PathLossWindow:
    """Path loss from one transmitter to every pixel within a radius, on the terrain's own grid.

    The path to a pixel's centre has n = max(2, ceil(length / resolution)) equal steps; ground height is
    bilinear, clutter and
    zone are those of the nearest pixel. Lengths are measured on the terrain's grid.

    Parameters
    ----------
    terrain
        The terrain.
    x_m, y_m
        Transmitter's position in the terrain's coordinates, m.
    model
        Any propagation model; plain Python will do for models that look at the distance only.
    frequency_mhz
        One frequency or several bands, MHz.
    tx_height_agl_m, rx_height_agl_m
        Antenna heights above ground, m.
    radius_m
        Pixels whose centre is farther away are left NaN, m.
    method
        "exact": a path of its own for every pixel.
    polarization
        "vertical" or "horizontal".

    Returns
    -------
    PathLossWindow
        The window and its losses, dB, bit-identical for every number of threads.

    Raises
    ------
    ParameterError
        When the transmitter is off the terrain or a parameter is impossible.
    """
    require_choice("method", method, ("exact",))
    link = _link(
        terrain, x_m, y_m, model, frequency_mhz, (float(tx_height_agl_m), float(rx_height_agl_m)), polarization
    )
    rows, cols = window_around(terrain, x_m, y_m, radius_m)
    r, c = np.meshgrid(
        np.arange(rows.start, rows.stop, dtype=np.float64),
        np.arange(cols.start, cols.stop, dtype=np.float64),
        indexing="ij",
    )
    reach = radius_m / terrain.resolution_m
    inside = (r - link.site[_exact.TX_ROW]) ** 2 + (c - link.site[_exact.TX_COL]) ** 2 <= reach * reach
    out = np.full((link.frequency_mhz.size, *r.shape), np.nan)
    out[:, inside] = _exact_loss(link, r[inside], c[inside])
    return PathLossWindow(rows, cols, out)


def path_loss_grid(
    terrain: Terrain,
    tx_lonlat: tuple[float, float],
    *,
    model: PropagationModel,
    frequency_mhz: npt.ArrayLike,
    tx_height_agl_m: float,
    rx_height_agl_m: float,
    radius_m: float,
    method: str = "exact",
    polarization: Polarization = "vertical",
) -> xr.DataArray:
    """Path loss around a transmitter given by longitude and latitude, as a labelled array.

    Parameters are those of `path_loss_window`, save ``tx_lonlat``: (longitude, latitude) of the transmitter,
    degrees.

    Returns
    -------
    xarray.DataArray
        Basic transmission loss, dB, dims (band, y, x): band in MHz, y and x in the terrain's coordinates,
        north-up.
    """
    import xarray as xr

    x_m, y_m = (float(v) for v in terrain.xy(*tx_lonlat))
    window = path_loss_window(
        terrain,
        x_m,
        y_m,
        model=model,
        frequency_mhz=frequency_mhz,
        tx_height_agl_m=tx_height_agl_m,
        rx_height_agl_m=rx_height_agl_m,
        radius_m=radius_m,
        method=method,
        polarization=polarization,
    )
    x, y = terrain.centres()
    return xr.DataArray(
        window.path_loss_db,
        dims=("band", "y", "x"),
        coords={
            "band": ("band", np.atleast_1d(np.asarray(frequency_mhz, dtype=np.float64)), {"units": "MHz"}),
            "y": ("y", y[window.rows], {"units": "m"}),
            "x": ("x", x[window.cols], {"units": "m"}),
        },
        name="path_loss_db",
        attrs={
            "units": "dB",
            "long_name": "basic transmission loss",
            "crs": terrain.crs,
            "model": repr(model),
            "citation": str(getattr(model, "citation", "")),
            "tx_lon_deg": float(tx_lonlat[0]),
            "tx_lat_deg": float(tx_lonlat[1]),
            "tx_height_agl_m": float(tx_height_agl_m),
            "rx_height_agl_m": float(rx_height_agl_m),
            "radius_m": float(radius_m),
            "method": method,
        },
    )
