"""Point to area by radial sweep: the geometry of whole radials at once, for models of the delta-Bullington family."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from rfplan.kernels import grid_exact as _exact, sweep_grid as _sweep
from rfplan.kernels.geometry import N_FIELDS
from rfplan.propagation.area import Link, geometry_settings
from rfplan.propagation.base import GeometryModel

FloatArray = npt.NDArray[np.float64]
FlagArray = npt.NDArray[np.uint8]

__all__ = ["LEFT_TO_EXACT", "sweep_loss", "uniform_clutter"]

RADIAL_SPACING_PX = 1.5
"""Distance between neighbouring radials at the radius, pixels: a path lies at most half of it beside its radial."""

LEFT_TO_EXACT = _sweep.FLAG_EXACT
"""Flag of pixels the sweep left to the exact maker: near the transmitter, or beyond unknown ground."""

_CHUNK = 50_000  # pixels whose geometry is held at once
_REACH_OF_VOIDS = 3  # pixels around unknown ground where a radial is not trusted


def _suspect(link: Link, rows: slice, cols: slice) -> FlagArray:
    """Mark pixels near unknown ground; an empty array where all ground is known."""
    elevation = link.terrain.elevation_amsl_m
    part = np.isnan(elevation[rows, cols])
    if not part.any():
        return np.zeros((0, 0), dtype=np.uint8)
    from scipy.ndimage import maximum_filter

    mask = np.zeros(elevation.shape, dtype=np.uint8)
    mask[rows, cols] = maximum_filter(part.astype(np.uint8), size=2 * _REACH_OF_VOIDS + 1)
    return mask


def uniform_clutter(link: Link, rows: slice, cols: slice) -> float:
    """Clutter height, m, where it is the same everywhere; else minus the range it varies over."""
    clutter = link.terrain.clutter_height_m[rows, cols]
    low, high = float(clutter.min()), float(clutter.max())
    return low if low == high else low - high


def _radials(per_quadrant: int, sector_deg: tuple[float, float] | None) -> npt.NDArray[np.int64]:
    """Radials whose wedge touches a sector (azimuth of its centre, width), degrees; all without one."""
    every = np.arange(4 * per_quadrant, dtype=np.int64)
    if sector_deg is None:
        return every
    # wedge k starts at azimuth 45 + 90 k / per_quadrant: quadrants begin half a right angle before their axis,
    # east first
    middle = 45.0 + 90.0 * (every + 0.5) / per_quadrant
    away = np.abs((middle - sector_deg[0] + 180.0) % 360.0 - 180.0)
    return every[away <= 0.5 * sector_deg[1] + 90.0 / per_quadrant]


def sweep_loss(
    link: Link, rows: slice, cols: slice, reach_px: float, sector_deg: tuple[float, float] | None
) -> tuple[FloatArray, FlagArray]:
    """Loss to the pixels of a window within ``reach_px``, dB, shape (bands, h, w), and the sweep's flags, shape
    (h, w).

    Flags: 0 no doubt; 1 a crest ran on beyond the samples; 2 a point of the radial promised more than the exact
    path held; `LEFT_TO_EXACT` computed by the exact maker. Pixels that were not asked for are NaN.
    """
    model = cast(GeometryModel, link.model)
    terrain = link.terrain
    shape = (rows.stop - rows.start, cols.stop - cols.start)
    loss = np.full((link.frequency_mhz.size, *shape), np.nan)
    flags = np.zeros(shape, dtype=np.uint8)
    if 0 in shape:
        return loss, flags
    wide = (  # a path may touch pixels just outside the window of its ends
        slice(max(rows.start - 2, 0), min(rows.stop + 2, terrain.shape[0])),
        slice(max(cols.start - 2, 0), min(cols.stop + 2, terrain.shape[1])),
    )
    window = np.array([rows.start, rows.stop, cols.start, cols.stop], dtype=np.int64)
    per_quadrant = max(4, math.ceil(0.5 * math.pi * reach_px / RADIAL_SPACING_PX))
    radials = _radials(per_quadrant, sector_deg)
    ground = (terrain.elevation_amsl_m, terrain.clutter_height_m, terrain.zone, terrain.zone_strides)
    surroundings = (per_quadrant, link.site, ground, _suspect(link, *wide), uniform_clutter(link, *wide))
    reach = (window, reach_px, geometry_settings(link))
    kernel = _finish_kernel(model)
    if kernel is not None:
        finisher = cast(Any, model)
        bands = finisher.finish_bands(link.frequency_mhz, link.polarization)
        parameters = finisher.finish_parameters()
        _sweep.sweep_to_window(kernel)(radials, *surroundings, *reach, bands, parameters, loss, flags)
        return loss, flags
    counts = np.empty(radials.size, dtype=np.int64)
    _sweep.count_wedges(radials, counts, per_quadrant, link.site, window, reach_px)
    ends = np.cumsum(counts)
    sweep = _sweep.sweep_to_columns()
    room = _CHUNK + int(counts.max(initial=0))
    store = np.empty(N_FIELDS * room)  # one for all chunks: fresh pages would cost more than the arithmetic on them
    all_r, all_c = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    all_doubts = np.empty(room, dtype=np.uint8)
    first = 0
    while first < radials.size:
        base = int(ends[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(ends, base + _CHUNK, side="right")))
        starts = np.concatenate([[0], ends[first:last] - base])
        n = int(starts[-1])
        geometry = store[: N_FIELDS * n].reshape(N_FIELDS, n)
        r, c, doubts = all_r[:n], all_c[:n], all_doubts[:n]
        sweep(radials[first:last], starts, *surroundings, *reach, geometry, doubts, r, c)
        part = np.ascontiguousarray(model.finish_db(geometry, link.frequency_mhz, link.polarization))
        _sweep.scatter(part, doubts, r, c, rows.start, cols.start, loss, flags)
        first = last
    return loss, flags


def _finish_kernel(model: GeometryModel) -> Any:
    """A model's kernel of `rfplan.kernels.finish`; None where it has none, or a `finish_db` of its own above it."""
    for kind in type(model).__mro__:
        if "finish_kernel" in vars(kind):
            return cast(Any, kind).finish_kernel
        if "finish_db" in vars(kind):
            return None
    return None


def on_a_centre(link: Link, rows: slice, cols: slice) -> tuple[FloatArray, FloatArray]:
    """The pixel on whose centre the transmitter stands, which no radial serves: one row and column, or none."""
    r, c = round(link.site[_exact.TX_ROW]), round(link.site[_exact.TX_COL])
    near = max(abs(link.site[_exact.TX_ROW] - r), abs(link.site[_exact.TX_COL] - c)) < 1e-5
    inside = rows.start <= r < rows.stop and cols.start <= c < cols.stop
    n = 1 if near and inside else 0
    return np.full(n, float(r)), np.full(n, float(c))
