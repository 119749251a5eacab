"""The stages of `rfplan.kernels.grid_strips`: find, look up and measure a strip of samples, fold what it left.

A maximum over a path is kept in lanes, two samples of each strip a lane, and folded at the path's end: a loop over
lanes has no order to keep, so the compiler turns it into vector code without leave to reorder arithmetic. For the same
reason loops over a strip have a constant length: samples past the receiver are looked up like others and left out of
account. Rows at constant offsets of one array never overlap, which spares tests.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rfplan.kernels._jit import jit_inline, jit_light

LANES = 16
"""Places in which each maximum and sum is kept."""

STRIP = 2 * LANES
"""Samples looked up and measured at a time: two a lane, so that a lane is read and written half as often."""

# rows of the work array, as offsets: a strip's samples
R = 0 * LANES  # clutter, m
PART_ROW = 2 * LANES  # position within the four pixels around it
PART_COL = 4 * LANES
# by lane, over the strips so far
SUM = 6 * LANES  # of h - h_0, and of the same times the sample's number
MOMENT = 7 * LANES
SLOPE_T = 8 * LANES  # maxima: slopes from either end without curvature, height above the chord
SLOPE_R = 9 * LANES
ABOVE = 10 * LANES
BARE_T = 11 * LANES  # slopes at the median Earth radius, and numbers of the samples
BARE_T_AT = 12 * LANES
BARE_R = 13 * LANES
BARE_R_AT = 14 * LANES
TOP_T = 15 * LANES  # with clutter
TOP_R = 16 * LANES
TOP_T_BETA = 17 * LANES
TOP_R_BETA = 18 * LANES
NU = 19 * LANES  # minima of (clearance)^2 d / (d_1 d_2), and numbers of the samples
NU_AT = 20 * LANES
NU_TOP = 21 * LANES
NU_BETA = 22 * LANES
ROUGH = 23 * LANES
N_WORK = 24 * LANES

NOWHERE = -1.0e300
FAR = 1.0e300
PIT = -1.0e30  # ground of samples past the receiver, m: never a maximum

# a tuple: length and step, km, the step's reciprocal, both antennas above sea level, m, the slope between them, m/km,
# the transmitter's ground, m, and the number of steps
Path = Any


@jit_inline
def locate(w: Any, index: Any, first: Any, line: Any, ny: Any, nx: Any) -> Any:
    """Find the four pixels around each sample: index of the first, position within them."""
    tx_row, tx_col, drow, dcol, n = line
    last_row = ny - 1.0
    last_col = nx - 1.0
    for p in range(STRIP):
        t = float(first + p) / n
        row = min(max(tx_row + t * drow, 0.0), last_row)
        col = min(max(tx_col + t * dcol, 0.0), last_col)
        i = min(float(np.int32(row)), last_row - 1.0)
        k = min(float(np.int32(col)), last_col - 1.0)
        w[PART_ROW + p] = row - i
        w[PART_COL + p] = col - k
        index[p] = np.int32(i * nx + k)


@jit_inline
def locate_inside(w: Any, index: Any, first: Any, line: Any, nx: Any) -> Any:
    """`locate` for a path that keeps off the grid's border: nothing to hold within it, and no division.

    Positions may differ by rounding, so that a sample on the line between four pixels and their neighbours may take the
    neighbours; its height is the same.
    """
    tx_row, tx_col, drow, dcol, n = line
    per_n = 1.0 / n
    for p in range(STRIP):
        t = min(float(first + p) * per_n, 1.0)
        row = tx_row + t * drow
        col = tx_col + t * dcol
        i = float(np.int32(row))
        k = float(np.int32(col))
        w[PART_ROW + p] = row - i
        w[PART_COL + p] = col - k
        index[p] = np.int32(i * nx + k)


@jit_inline
def locate_nearest(index: Any, first: Any, line: Any, ny: Any, nx: Any) -> Any:
    """Index of the pixel each sample falls in, by the very expression of `sample_path`: borders are sharp."""
    tx_row, tx_col, drow, dcol, n = line
    for p in range(STRIP):
        t = float(first + p) / n
        # below 0 the whole part is 0 as well, where the first row or column is wanted
        row = min(float(np.int32(max(tx_row + t * drow + 0.5, 0.0))), ny - 1.0)
        col = min(float(np.int32(max(tx_col + t * dcol + 0.5, 0.0))), nx - 1.0)
        index[p] = np.int32(row * nx + col)


@jit_inline
def look_up(taps: Any, index: Any, pairs: Any, nx: Any) -> Any:
    """Copy the four heights around each sample, two neighbours of a row at once: loads that follow no order."""
    for p in range(STRIP):
        at = np.uint64(index[p])
        taps[p] = pairs[at]
        taps[STRIP + p] = pairs[at + np.uint64(nx)]


@jit_inline
def interpolate(w: Any, heights: Any, ground: Any) -> Any:
    """`bilinear` from the heights copied; ``heights`` holds the same four as `look_up` wrote, as real numbers."""
    for p in range(STRIP):
        a = heights[2 * p]
        b = heights[2 * STRIP + 2 * p]
        top = a + w[PART_COL + p] * (heights[2 * p + 1] - a)
        bottom = b + w[PART_COL + p] * (heights[2 * STRIP + 2 * p + 1] - b)
        ground[p] = top + w[PART_ROW + p] * (bottom - top)


@jit_inline
def bare_ends(w: Any, first: Any, uniform_clutter: Any, x: Any, step: Any, bare_end: Any) -> Any:
    """Leave out the clutter of samples nearer than ``bare_end`` km to either end."""
    for p in range(STRIP):
        d = (first + p) * step
        cover = w[R + p] if uniform_clutter < 0.0 else uniform_clutter
        w[R + p] = cover if (d >= bare_end) & (x - d >= bare_end) else 0.0


@jit_inline
def _measure_sample(number: Any, h: Any, r: Any, per: Any, per_back: Any, path: Path, c: Any) -> Any:
    """What one sample offers to each sum and maximum."""
    x, step, per_step, tx, rx, chord, base, n = path
    d = number * step
    rest = x - d
    per_d = per * per_step
    per_rest = per_back * per_step
    within = number < n
    over = h - base if within else 0.0
    h = h if within else PIT
    slope = (h - tx) * per_d
    back = (h - rx) * per_rest
    above = h - tx - chord * d
    bare_t = slope - c * d
    bare_r = back - c * rest
    return over, number * over, slope, back, above, bare_t, bare_r, bare_t + r * per_d, bare_r + r * per_rest


@jit_inline
def measure(w: Any, first: Any, ground: Any, inverse: Any, back: Any, path: Path, c: Any) -> Any:
    """Take a strip into the maxima and sums; ``inverse`` and ``back`` hold 1 / k of its samples from either end."""
    for p in range(LANES):
        at = float(first + p)
        sum1, moment1, slope1, seen1, above1, bare_t1, bare_r1, top_t1, top_r1 = _measure_sample(
            at, ground[p], w[R + p], inverse[p], back[STRIP - 1 - p], path, c
        )
        later = at + LANES
        sum2, moment2, slope2, seen2, above2, bare_t2, bare_r2, top_t2, top_r2 = _measure_sample(
            later, ground[LANES + p], w[R + LANES + p], inverse[LANES + p], back[LANES - 1 - p], path, c
        )
        w[SUM + p] += sum1 + sum2
        w[MOMENT + p] += moment1 + moment2
        slope = slope1 if slope1 > slope2 else slope2
        w[SLOPE_T + p] = slope if slope > w[SLOPE_T + p] else w[SLOPE_T + p]
        seen = seen1 if seen1 > seen2 else seen2
        w[SLOPE_R + p] = seen if seen > w[SLOPE_R + p] else w[SLOPE_R + p]
        above = above1 if above1 > above2 else above2
        w[ABOVE + p] = above if above > w[ABOVE + p] else w[ABOVE + p]
        where = later if bare_t2 > bare_t1 else at
        bare = bare_t2 if bare_t2 > bare_t1 else bare_t1
        w[BARE_T_AT + p] = where if bare > w[BARE_T + p] else w[BARE_T_AT + p]
        w[BARE_T + p] = bare if bare > w[BARE_T + p] else w[BARE_T + p]
        where = later if bare_r2 >= bare_r1 else at
        bare = bare_r2 if bare_r2 >= bare_r1 else bare_r1
        w[BARE_R_AT + p] = where if bare >= w[BARE_R + p] else w[BARE_R_AT + p]
        w[BARE_R + p] = bare if bare >= w[BARE_R + p] else w[BARE_R + p]
        top = top_t1 if top_t1 > top_t2 else top_t2
        w[TOP_T + p] = top if top > w[TOP_T + p] else w[TOP_T + p]
        top = top_r1 if top_r1 > top_r2 else top_r2
        w[TOP_R + p] = top if top > w[TOP_R + p] else w[TOP_R + p]


@jit_inline
def measure_beta(w: Any, first: Any, ground: Any, inverse: Any, back: Any, path: Path, c: Any) -> Any:
    """Take a strip into the maxima at the beta Earth radius."""
    x, step, per_step, tx, rx, _, _, n = path
    for p in range(STRIP):
        number = float(first + p)
        d = number * step
        top = ground[p] + w[R + p] if number < n else PIT
        w[PART_ROW + p] = (top - tx) * (inverse[p] * per_step) - c * d
        w[PART_COL + p] = (top - rx) * (back[STRIP - 1 - p] * per_step) - c * (x - d)
    for p in range(LANES):
        slope = w[PART_ROW + p] if w[PART_ROW + p] > w[PART_ROW + LANES + p] else w[PART_ROW + LANES + p]
        w[TOP_T_BETA + p] = slope if slope > w[TOP_T_BETA + p] else w[TOP_T_BETA + p]
        seen = w[PART_COL + p] if w[PART_COL + p] > w[PART_COL + LANES + p] else w[PART_COL + LANES + p]
        w[TOP_R_BETA + p] = seen if seen > w[TOP_R_BETA + p] else w[TOP_R_BETA + p]


@jit_inline
def fold_max(w: Any, row: Any) -> Any:
    """Highest of a row; the row is spoilt."""
    for p in range(LANES // 2):
        w[row + p] = max(w[row + p], w[row + LANES // 2 + p])
    for p in range(LANES // 4):
        w[row + p] = max(w[row + p], w[row + LANES // 4 + p])
    return max(max(w[row], w[row + 1]), max(w[row + 2], w[row + 3]))


@jit_inline
def fold_sum(w: Any, row: Any) -> Any:
    """Sum of a row; the row is spoilt."""
    for p in range(LANES // 2):
        w[row + p] += w[row + LANES // 2 + p]
    for p in range(LANES // 4):
        w[row + p] += w[row + LANES // 4 + p]
    return (w[row] + w[row + 1]) + (w[row + 2] + w[row + 3])


@jit_inline
def first_where(w: Any, row: Any, best: Any) -> Any:
    """Least of the sample numbers in the next row among the lanes that hold ``best``."""
    for p in range(LANES):
        w[PART_ROW + p] = -w[row + LANES + p] if w[row + p] == best else -1.0e9
    return int(-fold_max(w, PART_ROW))


@jit_inline
def last_where(w: Any, row: Any, best: Any) -> Any:
    """Greatest of them."""
    for p in range(LANES):
        w[PART_ROW + p] = w[row + LANES + p] if w[row + p] == best else 0.0
    return int(fold_max(w, PART_ROW))


@jit_light
def least_clearances(w: Any, ground: Any, tops: Any, inverse: Any, path: Path, c: Any, c_beta: Any) -> Any:
    """Lane by lane the least (clearance)^2 d / (d_1 d_2): see `los_minimum`; bare, and with clutter at both radii."""
    x, step, per_step, tx, _, chord, _, steps = path
    n = int(steps)
    for p in range(LANES):
        w[NU + p] = FAR
        w[NU_AT + p] = 1.0
        w[NU_TOP + p] = FAR
        w[NU_BETA + p] = FAR
    per = x * per_step * per_step
    for first in range(1, n, LANES):
        bare = ground[first : first + LANES]
        forth = inverse[STRIP + first : STRIP + first + LANES]
        back = inverse[STRIP + n - first - LANES + 1 : STRIP + n - first + 1]
        clutter = tops[first : first + LANES]
        for p in range(LANES):
            number = float(first + p)
            d = number * step
            along = d * (x - d)
            scale = per * forth[p] * back[LANES - 1 - p]
            gap = tx + chord * d - bare[p] - c * along
            value = gap * gap * scale if number < n else FAR
            w[NU_AT + p] = number if value <= w[NU + p] else w[NU_AT + p]
            w[NU + p] = value if value <= w[NU + p] else w[NU + p]
            gap -= clutter[p]
            value = gap * gap * scale if number < n else FAR
            w[NU_TOP + p] = value if value < w[NU_TOP + p] else w[NU_TOP + p]
            gap += (c - c_beta) * along
            value = gap * gap * scale if number < n else FAR
            w[NU_BETA + p] = value if value < w[NU_BETA + p] else w[NU_BETA + p]


@jit_inline
def fold_min(w: Any, row: Any) -> Any:
    """Lowest of a row."""
    best = w[row]
    for p in range(1, LANES):
        best = min(best, w[row + p])
    return best


@jit_light
def roughness(w: Any, ground: Any, first: Any, last: Any, step: Any, start: Any, slope: Any) -> Any:
    """Highest ground above a line over the samples first..last, m; `NOWHERE` for none."""
    for p in range(LANES):
        w[ROUGH + p] = NOWHERE
    for k in range(first, last + 1, LANES):
        bare = ground[k : k + LANES]
        for p in range(LANES):
            value = bare[p] - start - slope * (float(k + p) * step) if k + p <= last else NOWHERE
            w[ROUGH + p] = value if value > w[ROUGH + p] else w[ROUGH + p]
    return fold_max(w, ROUGH)
