"""What all pixels of one point-to-area prediction share: the transmitter on its grid, the model, the bands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from rfplan.kernels import geometry as _geometry, grid_exact as _exact
from rfplan.kernels.diffraction import LIGHT_M_GHZ
from rfplan.profile import Polarization
from rfplan.propagation.base import GeometryModel, PropagationModel, require, require_choice, require_range

if TYPE_CHECKING:
    from rfplan.terrain import Terrain

FloatArray = npt.NDArray[np.float64]

__all__ = ["Link", "geometry_settings", "make_link", "window_around"]


@dataclass(frozen=True)
class Link:
    """What all pixels of one prediction share."""

    terrain: Terrain
    model: PropagationModel
    frequency_mhz: FloatArray
    site: FloatArray
    polarization: Polarization


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
    site[_exact.UNIFORM_ZONE] = terrain.uniform_zone
    site[_exact.LATITUDE_DEG] = 0.5 * (latitude[0] + latitude[1])
    site[_exact.LATITUDE_PER_ROW] = 0.5 * (latitude[3] - latitude[1]) / 1000.0
    site[_exact.LATITUDE_PER_COL] = 0.5 * (latitude[2] - latitude[1]) / 1000.0
    return site


def make_link(
    terrain: Terrain,
    x_m: float,
    y_m: float,
    model: PropagationModel,
    frequency_mhz: npt.ArrayLike,
    heights_m: tuple[float, float],
    polarization: Polarization,
) -> Link:
    """Check what was asked for and gather it; raises `ParameterError` for what is impossible."""
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
    return Link(terrain, model, f, _site_settings(terrain, x_m, y_m, *heights_m), polarization)


def geometry_settings(link: Link) -> npt.NDArray[np.float64]:
    """Settings of the geometry kernels for a link's model and its bands.

    What only a wavelength longer than any of the bands' could need is then left out.
    """
    settings = cast(GeometryModel, link.model).geometry_settings()
    if settings[_geometry.SQRT_WAVELENGTH] > 0.0:
        longest = math.sqrt(LIGHT_M_GHZ * 1e3 / float(link.frequency_mhz.min()))
        settings[_geometry.SQRT_WAVELENGTH] = (1.0 + 1e-9) * longest
    return settings


def window_around(terrain: Terrain, x_m: float, y_m: float, radius_m: float) -> tuple[slice, slice]:
    """Rows and columns of the terrain whose pixel centres can lie within a radius of a point; may be empty."""
    require(math.isfinite(radius_m) and radius_m > 0.0, "radius_m", radius_m, "above 0 m")
    row, col = (float(v) for v in terrain.rowcol(x_m, y_m))
    reach = radius_m / terrain.resolution_m
    ny, nx = terrain.shape
    rows = slice(min(ny, max(0, math.ceil(row - reach))), max(0, min(ny, math.floor(row + reach) + 1)))
    cols = slice(min(nx, max(0, math.ceil(col - reach))), max(0, min(nx, math.floor(col + reach) + 1)))
    return rows, cols
