"""Terrain along the straight line between a transmitter and a pixel: the sampling contract of all grid predictions.

Positions are in pixels of the terrain, (row, column) floats with 0.5 added to none: (0.0, 0.0) is the centre
of the north-western
pixel. A path to a pixel's centre has n = max(2, ceil(length / resolution)) equal steps; ground height is
bilinear between pixel centres
(held constant in the outer half pixel), clutter and zone are those of the pixel a point falls in.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rfplan.kernels._jit import jit_inline, jit_light

SHORTEST_PATH_M = 1.0
"""Paths to the transmitter's own position are given this length, m."""


@jit_inline
def bilinear(values: Any, row: Any, col: Any) -> Any:
    """Bilinear value at a position; NaN where one of the four pixels is unknown."""
    ny, nx = values.shape
    r = min(max(row, 0.0), ny - 1.0)
    c = min(max(col, 0.0), nx - 1.0)
    # unsigned: an index that can't be negative costs no test for counting from the end
    i = np.uint64(max(min(int(r), ny - 2), 0))
    k = np.uint64(max(min(int(c), nx - 2), 0))
    i1 = np.uint64(min(i + np.uint64(1), np.uint64(ny - 1)))
    k1 = np.uint64(min(k + np.uint64(1), np.uint64(nx - 1)))
    fr = r - np.float64(i)
    fc = c - np.float64(k)
    top = values[i, k] + fc * (values[i, k1] - values[i, k])
    bottom = values[i1, k] + fc * (values[i1, k1] - values[i1, k])
    return top + fr * (bottom - top)


@jit_inline
def nearest(values: Any, row: Any, col: Any) -> Any:
    """Value of the pixel a position falls in."""
    i = min(max(math.floor(row + 0.5), 0), values.shape[0] - 1)
    k = min(max(math.floor(col + 0.5), 0), values.shape[1] - 1)
    return values[np.uint64(i), np.uint64(k)]


@jit_light
def path_steps(length_px: Any) -> Any:
    """Number of steps of a path of a length in pixels; rounding of exact multiples does not add a step."""
    return max(2, math.ceil(length_px - 1e-9))


@jit_light
def sample_path(
    elevation: Any,
    clutter: Any,
    zone: Any,
    uniform_zone: Any,
    tx_row: Any,
    tx_col: Any,
    row: Any,
    col: Any,
    resolution: Any,
    d: Any,
    h: Any,
    r: Any,
    z: Any,
) -> Any:
    """Fill d (km), h, r and z with the path's n + 1 points and return n; -1 where any ground height is unknown.

    ``zone`` is not read when ``uniform_zone`` is above 0: every point then has that zone.
    """
    drow = row - tx_row
    dcol = col - tx_col
    length = math.sqrt(drow * drow + dcol * dcol)
    n = path_steps(length)
    step_km = max(length * resolution, SHORTEST_PATH_M) / n * 1e-3
    known = True
    for i in range(n + 1):
        t = i / n
        pr = tx_row + t * drow
        pc = tx_col + t * dcol
        d[i] = i * step_km
        v = bilinear(elevation, pr, pc)
        known = known and not math.isnan(v)
        h[i] = v
        r[i] = nearest(clutter, pr, pc)
        z[i] = uniform_zone if uniform_zone > 0 else nearest(zone, pr, pc)
    return n if known else -1
