"""Point to area over the exact path of every pixel in vector instructions: what ``recompute=True`` takes."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import numpy.typing as npt

from rfplan.kernels import grid_exact as _exact, grid_strips as _strips
from rfplan.kernels.geometry import BARE_END_KM, empty_geometry
from rfplan.kernels.sweep_rows import TAIL_POINTS
from rfplan.propagation.area import Link, geometry_settings
from rfplan.propagation.base import GeometryModel
from rfplan.propagation.sweep import uniform_clutter

FloatArray = npt.NDArray[np.float64]

__all__ = ["fits_strips", "needs_strips", "strip_loss"]

_CHUNK = 8_200  # pixels whose geometry is held at once: as for the plain exact paths
_MOST_PIXELS = 2**31 - 1  # of a terrain: places in it are 32-bit numbers


def fits_strips(link: Link) -> bool:
    """Whether a link's model and terrain can take this road: geometry, 2 rows and columns, below 2^31 pixels."""
    shape = link.terrain.shape
    return link.model.needs == "geometry" and min(shape) >= 2 and shape[0] * shape[1] <= _MOST_PIXELS


def needs_strips(link: Link) -> bool:
    """Whether a sweep can't serve: the model leaves clutter near the ends out, farther than the last points reach.

    A step is at least nine tenths of a pixel wherever a sweep serves.
    """
    bare_end_km = geometry_settings(link)[BARE_END_KM]
    tail_km = 0.9e-3 * (TAIL_POINTS + 1) * link.site[_exact.RESOLUTION_M]
    return bool(tail_km < bare_end_km < math.inf) and fits_strips(link)


def _box(tx: float, pixels: FloatArray, size: int) -> slice:
    """Rows (or columns) of the pixels that paths from a transmitter can touch."""
    low = min(tx, float(pixels.min()))
    high = max(tx, float(pixels.max()))
    return slice(max(0, math.floor(low) - 1), min(size, math.ceil(high) + 2))


def strip_loss(link: Link, rows: FloatArray, cols: FloatArray) -> FloatArray:
    """Loss to pixels over their exact paths, dB, shape (bands, n); NaN where a path meets unknown ground.

    ``rows`` and ``cols`` are whole numbers. Ask `fits_strips` first.
    """
    model = cast(GeometryModel, link.model)
    out = np.empty((link.frequency_mhz.size, rows.size))
    if rows.size == 0:
        return out
    terrain = link.terrain
    settings = geometry_settings(link)
    box = (
        _box(link.site[_exact.TX_ROW], rows, terrain.shape[0]),
        _box(link.site[_exact.TX_COL], cols, terrain.shape[1]),
    )
    clutter = uniform_clutter(link, *box)
    known = not bool(np.isnan(terrain.elevation_amsl_m[box]).any())
    pairs = _strips.neighbour_pairs(terrain.elevation_amsl_m)
    geometry = empty_geometry(min(rows.size, _CHUNK))
    for start in range(0, rows.size, _CHUNK):
        stop = min(start + _CHUNK, rows.size)
        part = geometry if stop - start == geometry.shape[1] else empty_geometry(stop - start)
        _strips.strip_pixels(
            terrain.elevation_amsl_m,
            pairs,
            terrain.clutter_height_m,
            terrain.zone,
            clutter,
            known,
            link.site,
            rows[start:stop],
            cols[start:stop],
            settings,
            part,
        )
        out[:, start:stop] = model.finish_db(part, link.frequency_mhz, link.polarization)
    return out
