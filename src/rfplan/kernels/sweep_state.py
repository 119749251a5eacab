"""What a radial remembers: the incremental state of the sweep, one point at a time.

A radial leaves the transmitter and is sampled every pixel width. After point i (distance d_i, ground h_i, with
clutter g_i) has been inserted, everything a receiver further out needs of the points 1..i is at hand:

* s_i = (y_i - h_ts) / d_i with y_i = h_i - c d_i^2 (c = 500 / a_e): the slope from the transmitter over the
flattened terrain, for the bare
  ground and for clutter tops, with its running maximum, the maximum before it and the maximum since;
* the highest slope without curvature, for the effective heights;
* the trapezoid sums v1, v2 of the least-squares surface, on heights above the transmitter's ground;
* the upper hulls of (d, y), bare and with clutter: the receiver's horizon is a tangent to them. A hull at one
curvature holds every
  vertex of the hull at any smaller curvature, because h - c d^2 - k d = (h - k' d) - c (d - d_v)^2 + const: so the
  chord's highest obstruction (no curvature) and the beta Earth radius (less curvature) are looked up on the same
  hull;
* maxima of s and h by blocks of 16 points, as bounds for searches no hull can answer.
"""

from __future__ import annotations

from typing import Any

from rfplan.kernels._jit import jit_inline, jit_light
from rfplan.kernels.geometry import INLAND, SEA

# columns of the point table: a point is one cache line
H = 0  # bare ground, m
G = 1  # top of the clutter, m
SLOPE_H = 2  # s of the bare ground, m/km
SLOPE_G = 3
Y_H = 4  # flattened heights, m
Y_G = 5
N_COLUMNS = 8

# rows of the block table
TOP_SLOPE_H = 0
TOP_SLOPE_G = 1
TOP_H = 2
N_BLOCK_ROWS = 3
BLOCK = 16

# scalars
LAST = 0  # index of the last point inserted
HULL_H = 1  # sizes of the hulls
HULL_G = 2
BEST_H = 3  # running maximum of s: value, index; best before it and since it, outside its window
AT_H = 4
BEFORE_H = 5
BEFORE_AT_H = 6
SINCE_H = 7
SINCE_AT_H = 8
BEST_G = 9
AT_G = 10
BEFORE_G = 11
BEFORE_AT_G = 12
SINCE_G = 13
SINCE_AT_G = 14
V1 = 15
V2 = 16
SEA_KM = 17
LAND_RUN = 18
INLAND_RUN = 19
LAND_LONGEST = 20
INLAND_LONGEST = 21
FLAT_BEST = 22  # highest slope without curvature
FLAT_AT = 23
ROUGH_AT = 24  # where the terrain was roughest for the receiver before: a good first guess for the next
N_SCALARS = 25

NOWHERE = -1.0e300


@jit_light
def clear_state(state: Any, h0: Any, zone0: Any, step: Any) -> Any:
    """Empty state of a radial that starts on ground h0 in a zone; with its own half step's zone."""
    for i in range(N_SCALARS):
        state[i] = 0.0
    for i in (BEST_H, BEFORE_H, SINCE_H, BEST_G, BEFORE_G, SINCE_G, FLAT_BEST):
        state[i] = NOWHERE
    extend_zone(state, zone0, 0.5 * step)


@jit_inline
def extend_zone(state: Any, zone: Any, length: Any) -> Any:
    """Add a stretch of one zone, km, to the running lengths."""
    if zone == SEA:
        state[SEA_KM] += length
        state[LAND_RUN] = 0.0
        state[INLAND_RUN] = 0.0
        return
    state[LAND_RUN] += length
    state[INLAND_RUN] = state[INLAND_RUN] + length if zone == INLAND else 0.0
    state[LAND_LONGEST] = max(state[LAND_LONGEST], state[LAND_RUN])
    state[INLAND_LONGEST] = max(state[INLAND_LONGEST], state[INLAND_RUN])


@jit_inline
def _record(state: Any, first: Any, i: Any, slope: Any) -> Any:
    """Keep the running maximum of a slope, with the best on either side of its window of one point."""
    if slope > state[first]:
        if i - state[first + 1] > 2.0 and state[first] > NOWHERE:
            state[first + 2] = state[first]
            state[first + 3] = state[first + 1]
        if state[first + 4] > state[first + 2] and i - state[first + 5] > 2.0:
            state[first + 2] = state[first + 4]
            state[first + 3] = state[first + 5]
        state[first] = slope
        state[first + 1] = i
        state[first + 4] = NOWHERE
    elif slope > state[first + 4] and i - state[first + 1] > 2.0:
        state[first + 4] = slope
        state[first + 5] = i


@jit_inline
def _push_hull(hull: Any, size: Any, points: Any, row: Any, i: Any, step: Any) -> Any:
    """Append point i to an upper hull and return the new size: vertices below the new edge go."""
    y = points[i, row]
    while size >= 2:
        a = hull[size - 2]
        b = hull[size - 1]
        if (points[b, row] - points[a, row]) * (i - b) > (y - points[b, row]) * (b - a):
            break
        size -= 1
    hull[size] = i
    return size + 1


@jit_inline
def insert_point(
    i: Any,
    state: Any,
    points: Any,
    blocks: Any,
    hull_h: Any,
    hull_g: Any,
    one_hull: Any,
    step: Any,
    tx: Any,
    c: Any,
    base: Any,
    h: Any,
    r: Any,
) -> Any:
    """Insert the next point i of a radial: ground h, m, clutter r, m.

    ``step`` is the spacing, km; ``tx`` the antenna's height above sea level; ``c`` the fall at the median Earth
    radius; ``base`` the transmitter's ground. With ``one_hull`` (clutter the same everywhere) both hulls have the
    same vertices and only one is kept.
    """
    state[LAST] = i
    d = i * step
    before = points[i - 1, H] if i > 1 else base
    state[V1] += step * (h + before - 2.0 * base)
    state[V2] += step * ((h - base) * (3.0 * d - step) + (before - base) * (3.0 * d - 2.0 * step))
    flat = (h - tx) / d
    if flat > state[FLAT_BEST]:
        state[FLAT_BEST] = flat
        state[FLAT_AT] = i
    bare = flat - c * d
    top = bare + r / d
    points[i, H] = h
    points[i, G] = h + r
    points[i, SLOPE_H] = bare
    points[i, SLOPE_G] = top
    fall = c * d * d
    points[i, Y_H] = h - fall
    points[i, Y_G] = h + r - fall
    _record(state, BEST_H, i, bare)
    _record(state, BEST_G, i, top)
    b = i // BLOCK
    if i % BLOCK == 0 or i == 1:
        blocks[TOP_SLOPE_H, b] = bare
        blocks[TOP_SLOPE_G, b] = top
        blocks[TOP_H, b] = h
    else:
        blocks[TOP_SLOPE_H, b] = max(blocks[TOP_SLOPE_H, b], bare)
        blocks[TOP_SLOPE_G, b] = max(blocks[TOP_SLOPE_G, b], top)
        blocks[TOP_H, b] = max(blocks[TOP_H, b], h)
    state[HULL_H] = _push_hull(hull_h, int(state[HULL_H]), points, Y_H, i, step)
    if one_hull:
        state[HULL_G] = state[HULL_H]
    else:
        state[HULL_G] = _push_hull(hull_g, int(state[HULL_G]), points, Y_G, i, step)


@jit_inline
def tangent(hull: Any, size: Any, points: Any, row: Any, step: Any, x: Any, y_rx: Any) -> Any:
    """Position on the hull of the vertex seen highest from a receiver at distance x, km, and flattened height y_rx.

    Along the hull from the receiver inwards the slope (y - y_rx) / (x - d) rises and then falls: gallop from the
    near end, then bisect.
    """
    good = size - 1
    stride = 1
    bad = -1
    while True:
        probe = good - stride
        if probe < 0:
            probe = 0
            if good == 0:
                return 0
        if _better(hull[probe], hull[probe + 1], points, row, step, x, y_rx):
            good = probe
            if probe == 0:
                return 0
            stride *= 2
        else:
            bad = probe
            break
    while good - bad > 1:
        probe = (good + bad) >> 1
        if _better(hull[probe], hull[probe + 1], points, row, step, x, y_rx):
            good = probe
        else:
            bad = probe
    return good


@jit_inline
def _better(a: Any, b: Any, points: Any, row: Any, step: Any, x: Any, y_rx: Any) -> Any:
    """Whether point a is seen at least as high from the receiver as point b."""
    return (points[a, row] - y_rx) * (x - b * step) >= (points[b, row] - y_rx) * (x - a * step)


@jit_light
def los_search(
    points: Any, row: Any, blocks: Any, block_row: Any, last: Any, step: Any, x: Any, sight: Any, change: Any
) -> Any:
    """Index of the point of least (sight - s)^2 d / (x - d): where nu is highest in line of sight; 0 if none.

    ``sight`` is the slope to the receiver less c x. ``change`` is c minus the fall at the wanted Earth radius: s
    there is s + change d. A block from distance a is skipped when even its highest s at a cannot win: (sight -
    S)^2 a / (x - a) is a lower bound.
    """
    best = 1.0e300
    where = 0
    for b in range(last // BLOCK, -1, -1):
        first = max(b * BLOCK, 1)
        stop = min(b * BLOCK + BLOCK, last + 1)
        low = sight - blocks[block_row, b] - change * (stop * step)
        a = first * step
        if low > 0.0 and low * low * a >= best * (x - a):
            continue
        for i in range(first, stop):
            d = i * step
            gap = sight - points[i, row] - change * d
            value = gap * gap * d
            if value < best * (x - d):
                best = value / (x - d)
                where = i
    return where


@jit_inline
def roughness(points: Any, blocks: Any, first: Any, last: Any, step: Any, start: Any, slope: Any, guess: Any) -> Any:
    """Highest h - (start + slope d) over the points first..last, m, and its index; ``guess`` is looked at first."""
    where = min(max(guess, first), last)
    best = points[where, H] - start - slope * (where * step)
    i = first
    while i <= last:
        b = i // BLOCK
        stop = min(b * BLOCK + BLOCK - 1, last)
        fall = min(slope * (i * step), slope * (stop * step))
        if blocks[TOP_H, b] - start - fall > best:
            for k in range(i, stop + 1):
                value = points[k, H] - start - slope * (k * step)
                if value > best:
                    best = value
                    where = k
        i = stop + 1
    return best, where
