"""Exact geometry of pixels: each path sampled on its own, then measured by the exact maker."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from rfplan.kernels._jit import jit, jit_parallel
from rfplan.kernels.geometry import N_FIELDS, profile_geometry
from rfplan.kernels.sampling import sample_path

# the transmitter and the grid, one float64 array
TX_ROW = 0
TX_COL = 1
RESOLUTION_M = 2
TX_AGL_M = 3
RX_AGL_M = 4
UNIFORM_ZONE = 5  # the zone of the whole grid, or 0
LATITUDE_DEG = 6  # of the centre of a path to pixel (0, 0), with its change per row and column of the pixel
LATITUDE_PER_ROW = 7
LATITUDE_PER_COL = 8
N_SITE = 9


@jit
def pixel_latitude(site: Any, row: Any, col: Any) -> Any:
    """Latitude of the centre of the path to a pixel, degrees, linear in the pixel's position."""
    return site[LATITUDE_DEG] + site[LATITUDE_PER_ROW] * row + site[LATITUDE_PER_COL] * col


@jit
def longest_steps(site: Any, rows: Any, cols: Any) -> Any:
    """Upper bound of the number of points of any path to the pixels."""
    most = 0.0
    for j in range(rows.size):
        dr = rows[j] - site[TX_ROW]
        dc = cols[j] - site[TX_COL]
        most = max(most, dr * dr + dc * dc)
    return int(math.sqrt(most)) + 5


@jit_parallel
def exact_pixels(
    elevation: Any, clutter: Any, zone: Any, site: Any, rows: Any, cols: Any, settings: Any, out: Any
) -> Any:
    """Geometry, shape (N_FIELDS, n), of the exact paths to pixels (rows[j], cols[j]); NaN over unknown ground."""
    n = rows.size
    size = longest_steps(site, rows, cols)
    block = 64
    for chunk in numba.prange((n + block - 1) // block):
        d = np.empty(size)
        h = np.empty(size)
        r = np.empty(size)
        z = np.empty(size, dtype=np.int8)
        heights = (site[TX_AGL_M], site[RX_AGL_M])
        uniform = int(site[UNIFORM_ZONE])
        for j in range(chunk * block, min(n, (chunk + 1) * block)):
            m = sample_path(
                elevation,
                clutter,
                zone,
                uniform,
                site[TX_ROW],
                site[TX_COL],
                rows[j],
                cols[j],
                site[RESOLUTION_M],
                d,
                h,
                r,
                z,
            )
            if m < 0:
                for field in range(N_FIELDS):
                    out[field, j] = math.nan
            else:
                latitude = pixel_latitude(site, rows[j], cols[j])
                profile_geometry(d[: m + 1], h[: m + 1], r[: m + 1], z[: m + 1], heights, latitude, settings, out, j)


@jit_parallel
def sample_pixels(
    elevation: Any,
    clutter: Any,
    zone: Any,
    site: Any,
    rows: Any,
    cols: Any,
    start: Any,
    d: Any,
    h: Any,
    r: Any,
    z: Any,
    known: Any,
) -> Any:
    """Write the exact profiles of pixels into flat arrays, path j from ``start[j]``; ``known[j]`` if all is known."""
    for j in numba.prange(rows.size):
        s = start[j]
        m = sample_path(
            elevation,
            clutter,
            zone,
            int(site[UNIFORM_ZONE]),
            site[TX_ROW],
            site[TX_COL],
            rows[j],
            cols[j],
            site[RESOLUTION_M],
            d[s:],
            h[s:],
            r[s:],
            z[s:],
        )
        known[j] = m > 0
