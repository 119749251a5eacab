"""Stretches of sea, coastal land and inland along the exact paths to pixels, by strides over ground of one zone.

A stride is the distance from a pixel to the nearest one of another zone, larger of rows and columns. A sample of a
path on that pixel answers for all further samples within the stride, so only the ground beside a border is looked at
sample by sample, and the zones met are those of every sample of the path.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rfplan.kernels import sweep_rows as s
from rfplan.kernels._jit import jit, jit_inline, jit_light
from rfplan.kernels.geometry import INLAND, INLAND_KM, LAND_KM, SEA, SEA_FRACTION
from rfplan.kernels.grid_exact import RESOLUTION_M, TX_COL, TX_ROW
from rfplan.kernels.sampling import SHORTEST_PATH_M, nearest

_ZONE_BITS = 3  # what the zone's code takes of a pixel's number; its stride has the rest
_ZONE_MASK = (1 << _ZONE_BITS) - 1
_FARTHEST = (1 << 16 - _ZONE_BITS) - 1
_SHORTFALL = 1.0 - 1e-7  # a stride ends a little early: rounding must not carry a sample over the border

_FAR = 1.0e6  # steps, more than any stride

_MANY_SEA = 0.75
"""The share of sea from which the ducting model takes a path for one over sea."""

# what a block of paths holds, one row a quantity, see `rfplan.kernels.sweep_rows`
_DROW = 0 * s.BLOCK  # of the whole path, pixels
_DCOL = 1 * s.BLOCK
_PER_PIXEL = 2 * s.BLOCK  # steps that surely stay within a pixel's distance
_POINT = 3 * s.BLOCK  # the next point
_REACHED = 4 * s.BLOCK  # end of the stretches counted, steps
_SEA = 5 * s.BLOCK  # steps over sea; since the last sea; since the last of sea or coast; and the longest of these
_LAND = 6 * s.BLOCK
_INLAND = 7 * s.BLOCK
_LONGEST_LAND = 8 * s.BLOCK
_LONGEST_INLAND = 9 * s.BLOCK
_N_ROWS = 10 * s.BLOCK


def zone_strides(zone: Any) -> Any:
    """Zones of a grid with their strides, pixels, as one number (uint16); an empty array where all is one zone."""
    from scipy.ndimage import distance_transform_cdt

    border = np.zeros(zone.shape, dtype=bool)  # one of the eight neighbours is of another zone
    ny, nx = zone.shape
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        a = (slice(0, ny - down), slice(max(-right, 0), nx - max(right, 0)))
        b = (slice(down, ny), slice(max(right, 0), nx + min(right, 0)))
        differs = zone[a] != zone[b]
        border[a] |= differs
        border[b] |= differs
    if not border.any():
        return np.zeros((0, 0), dtype=np.uint16)
    stride = distance_transform_cdt(~border, metric="chessboard")
    return (np.minimum(stride + 1, _FARTHEST) << _ZONE_BITS | zone).astype(np.uint16)


@jit
def set_zones(w: Any, n: Any, strides: Any, site: Any) -> Any:
    """Fill the stretches of the zones of n paths, see `rfplan.kernels.geometry.zone_lengths`.

    A point stands for the half steps to its neighbours; lengths are counted in steps, so nothing but the last factor
    rounds. All paths stride at once, for one alone would wait for every look-up; being neighbours, they need about
    as many strides each.
    """
    n = min(n, s.BLOCK)
    z = np.empty(_N_ROWS)
    index = np.empty(2 * s.BLOCK, dtype=np.int32)
    for j in range(n):
        drow = w[s.ROW + j] - site[TX_ROW]
        dcol = w[s.COL + j] - site[TX_COL]
        z[_DROW + j] = drow
        z[_DCOL + j] = dcol
        z[_PER_PIXEL + j] = _SHORTFALL * w[s.STEPS + j] / max(abs(drow), abs(dcol), 1e-9)
    for j in range((_LONGEST_INLAND - _POINT) + s.BLOCK):
        z[_POINT + j] = 0.0
    while _locate(w, z, index, n, strides, site):
        for j in range(n):
            row = np.uint64(index[j])
            index[j] = strides[row, np.uint64(index[s.BLOCK + j])]
        _stride(w, z, index, n)
    for j in range(n):
        steps = w[s.STEPS + j]
        w[s.field(SEA_FRACTION) + j] = z[_SEA + j] / steps
        w[s.field(LAND_KM) + j] = z[_LONGEST_LAND + j] * w[s.STEP + j]
        w[s.field(INLAND_KM) + j] = z[_LONGEST_INLAND + j] * w[s.STEP + j]
        if z[_SEA + j] == _MANY_SEA * steps:
            w[s.field(SEA_FRACTION) + j] = _summed_fraction(strides, site, z[_DROW + j], z[_DCOL + j], int(steps))


@jit_inline
def _locate(w: Any, z: Any, index: Any, n: Any, strides: Any, site: Any) -> Any:
    """Find the pixel of each path's next point, as `nearest` does; False where all paths have ended."""
    last_row = strides.shape[0] - 1.0
    last_col = strides.shape[1] - 1.0
    tx_row = site[TX_ROW]
    tx_col = site[TX_COL]
    left = False
    for j in range(n):
        left = left | (z[_POINT + j] <= w[s.STEPS + j])
        t = min(z[_POINT + j] / w[s.STEPS + j], 1.0)
        row = tx_row + t * z[_DROW + j]
        col = tx_col + t * z[_DCOL + j]
        index[j] = np.int32(min(max(row + 0.5, 0.0), last_row))
        index[s.BLOCK + j] = np.int32(min(max(col + 0.5, 0.0), last_col))
    return left


@jit_inline
def _stride(w: Any, z: Any, index: Any, n: Any) -> Any:
    """Take the zone of each path's point for all points of its stride."""
    for j in range(n):
        kind = index[j] & np.int32(_ZONE_MASK)
        pixels = np.float64((index[j] >> np.int32(_ZONE_BITS)) - np.int32(1))
        point = z[_POINT + j] + max(np.float64(np.int32(min(pixels * z[_PER_PIXEL + j], _FAR))), 1.0)
        z[_POINT + j] = point
        end = min(point - 0.5, w[s.STEPS + j])
        length = end - z[_REACHED + j]
        z[_REACHED + j] = end
        sea = kind == np.int32(SEA)
        z[_SEA + j] += length if sea else 0.0
        land = 0.0 if sea else z[_LAND + j] + length
        inland = z[_INLAND + j] + length if kind == np.int32(INLAND) else 0.0
        z[_LAND + j] = land
        z[_INLAND + j] = inland
        z[_LONGEST_LAND + j] = max(z[_LONGEST_LAND + j], land)
        z[_LONGEST_INLAND + j] = max(z[_LONGEST_INLAND + j], inland)


@jit_light
def _summed_fraction(strides: Any, site: Any, drow: Any, dcol: Any, n: Any) -> Any:
    """Sea fraction of a path by the very expression of `zone_lengths`, to fall on the same side of the threshold."""
    length = np.sqrt(drow * drow + dcol * dcol)
    step = max(length * site[RESOLUTION_M], SHORTEST_PATH_M) / n * 1e-3
    sea = 0.0
    for i in range(n + 1):
        t = i / n
        found = int(nearest(strides, site[TX_ROW] + t * drow, site[TX_COL] + t * dcol))
        before = 0.5 * (i * step - (i - 1) * step) if i > 0 else 0.0
        after = 0.5 * ((i + 1) * step - i * step) if i < n else 0.0
        if found & _ZONE_MASK == SEA:
            sea += before + after
    return sea / (n * step)
