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
* maxima of s and h by blocks of 16 points, as bounds for searches no hull can answer: those of 32 blocks are
  compared at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rfplan.kernels import sweep_rows as s
from rfplan.kernels._jit import jit_inline, jit_light
from rfplan.kernels.sampling import bilinear, nearest

# rows of the line table: a row is a quantity, a column a point
H = 0  # bare ground, m
G = 1  # top of the clutter, m
SLOPE_H = 2  # s of the bare ground, m/km
SLOPE_G = 3
FLAT = 4  # slope without curvature
V1 = 5  # least-squares sums up to the point
V2 = 6
N_LINES = 7
AHEAD = 64  # points sampled at once
N_AHEAD = N_LINES * AHEAD

# rows of a hull: a column is a vertex. Searches walk it, so it is kept small and apart from the line table.
AT = 0  # index of the point
Y = 1  # its flattened height, m
N_HULL = 2

# rows of the block table
TOP_SLOPE_H = 0
TOP_SLOPE_G = 1
TOP_H = 2
N_BLOCK_ROWS = 3
BLOCK_BITS = 4
BLOCK = 1 << BLOCK_BITS
GROUP_BITS = 5  # blocks are judged by groups, in vector code: the table has whole groups
GROUP = 1 << GROUP_BITS

# scalars
LAST = 0  # index of the last point inserted
HULL_H = 1  # sizes of the hulls
HULL_G = 2
BEST_H = 3  # running maximum of s: value, index; best before it and since it, outside its window
BEST_G = 9  # the same with clutter
FLAT_BEST = 15  # highest slope without curvature
# what the receiver before found, a good first guess for the next: where nu is highest (bare, with clutter, the same at
# the beta Earth radius), which vertices of the hulls are the tangents
NU_AT_H = 16
NU_AT_G = 17
NU_AT_BETA = 18
TANGENT_H = 19
TANGENT_G = 20
ABOVE_AT = 21  # the vertex that is highest above the chord
LOST = 22  # not 0: the radial met unknown ground
N_SCALARS = 23

NOWHERE = -1.0e300


@jit_light
def clear_state(state: Any) -> Any:
    """Empty the state of a radial."""
    for i in range(N_SCALARS):
        state[i] = 0.0
    for i in (BEST_H, BEST_H + 2, BEST_H + 4, BEST_G, BEST_G + 2, BEST_G + 4, FLAT_BEST):
        state[i] = NOWHERE


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
def _push_hull(hull: Any, size: Any, i: Any, y: Any) -> Any:
    """Append a point to an upper hull and return the new size: vertices below the new edge go."""
    while size >= 2:
        rise = hull[Y, size - 1] - hull[Y, size - 2]
        if rise * (i - hull[AT, size - 1]) > (y - hull[Y, size - 1]) * (hull[AT, size - 1] - hull[AT, size - 2]):
            break
        size -= 1
    hull[AT, size] = i
    hull[Y, size] = y
    return size + 1


@jit_light
def read_ahead(ahead: Any, lines: Any, first: Any, blocks: Any, elevation: Any, clutter: Any, f: Any) -> Any:
    """Sample AHEAD points of a radial from ``first`` on, a multiple of AHEAD, before they are inserted.

    Their blocks' maxima, too, hold them beforehand: bounds they are none the less. ``ahead`` is room for N_AHEAD
    numbers: at constant offsets of one flat array the loops become vector code.
    """
    tx = f[s.TX]
    c = f[s.C]
    spacing = f[s.SPACING]
    uniform = f[s.CLUTTER]
    v1 = 0.0
    v2 = 0.0
    before = 0.0
    if first > 0:
        v1 = lines[V1, first - 1]
        v2 = lines[V2, first - 1]
        before = lines[H, first - 1] - f[s.BASE]
    for k in range(AHEAD):
        i = float(first + k)
        ahead[H * AHEAD + k] = bilinear(elevation, f[s.TX_ROW] + i * f[s.WAY_ROW], f[s.TX_COL] + i * f[s.WAY_COL])
    if uniform >= 0.0:
        for k in range(AHEAD):
            ahead[G * AHEAD + k] = uniform
    else:
        for k in range(AHEAD):
            i = float(first + k)
            row = f[s.TX_ROW] + i * f[s.WAY_ROW]
            ahead[G * AHEAD + k] = float(nearest(clutter, row, f[s.TX_COL] + i * f[s.WAY_COL]))
    if f[s.BARE_END] > first * spacing:
        for k in range(AHEAD):
            counts = (first + k) * spacing >= f[s.BARE_END]
            ahead[G * AHEAD + k] = ahead[G * AHEAD + k] if counts else 0.0
    for k in range(AHEAD):
        d = (first + k) * spacing
        per_d = 1.0 / max(d, 1e-9)
        h = ahead[H * AHEAD + k]
        r = ahead[G * AHEAD + k]
        flat = (h - tx) * per_d
        fall = c * d
        ahead[FLAT * AHEAD + k] = flat
        ahead[SLOPE_H * AHEAD + k] = flat - fall
        ahead[SLOPE_G * AHEAD + k] = flat - fall + r * per_d
        ahead[G * AHEAD + k] = h + r
    if first == 0:  # the transmitter's own place obstructs nothing
        ahead[SLOPE_H * AHEAD] = NOWHERE
        ahead[SLOPE_G * AHEAD] = NOWHERE
        before = ahead[H * AHEAD] - f[s.BASE]
    for k in range(AHEAD):
        d = (first + k) * spacing
        h = ahead[H * AHEAD + k] - f[s.BASE]
        if first + k > 0:
            v1 += spacing * (h + before)
            v2 += spacing * (h * (3.0 * d - spacing) + before * (3.0 * d - 2.0 * spacing))
        before = h
        ahead[V1 * AHEAD + k] = v1
        ahead[V2 * AHEAD + k] = v2
    for row in range(N_LINES):
        line = lines[row, first : first + AHEAD]
        part = ahead[row * AHEAD : (row + 1) * AHEAD]
        for k in range(AHEAD):
            line[k] = part[k]
    for b in range(AHEAD >> BLOCK_BITS):
        bare = NOWHERE
        top = NOWHERE
        h = NOWHERE
        for k in range(b << BLOCK_BITS, (b + 1) << BLOCK_BITS):
            bare = max(bare, ahead[SLOPE_H * AHEAD + k])
            top = max(top, ahead[SLOPE_G * AHEAD + k])
            h = max(h, ahead[H * AHEAD + k])
        block = (first >> BLOCK_BITS) + b
        blocks[TOP_SLOPE_H, block] = bare
        blocks[TOP_SLOPE_G, block] = top
        blocks[TOP_H, block] = h


@jit_inline
def insert_point(i: Any, state: Any, lines: Any, hull_h: Any, hull_g: Any, f: Any) -> Any:
    """Insert the next point i of a radial, which has been read ahead."""
    state[LAST] = i
    state[FLAT_BEST] = max(state[FLAT_BEST], lines[FLAT, i])
    d = i * f[s.SPACING]
    fall = f[s.C] * d * d
    _record(state, BEST_H, i, lines[SLOPE_H, i])
    state[HULL_H] = _push_hull(hull_h, int(state[HULL_H]), i, lines[H, i] - fall)
    if s.topped(f):
        _record(state, BEST_G, i, lines[SLOPE_G, i])
    if s.one_hull(f):
        state[HULL_G] = state[HULL_H]
    else:
        state[HULL_G] = _push_hull(hull_g, int(state[HULL_G]), i, lines[G, i] - fall)


@jit_inline
def extend_radial(
    target: Any,
    state: Any,
    lines: Any,
    blocks: Any,
    hull_h: Any,
    hull_g: Any,
    ahead: Any,
    elevation: Any,
    clutter: Any,
    suspect: Any,
    f: Any,
) -> Any:
    """Insert points up to index ``target``; returns False where the ground, there or beside it, is unknown: LOST."""
    for i in range(int(state[LAST]) + 1, target + 1):
        if i & (AHEAD - 1) == 0 or i == 1:
            read_ahead(ahead, lines, i & ~(AHEAD - 1), blocks, elevation, clutter, f)
        if suspect.size > 0 and nearest(suspect, f[s.TX_ROW] + i * f[s.WAY_ROW], f[s.TX_COL] + i * f[s.WAY_COL]):
            state[LOST] = 1.0
            return False
        insert_point(i, state, lines, hull_h, hull_g, f)
    return True


@jit_inline
def tangent(hull: Any, size: Any, step: Any, x: Any, y_rx: Any, guess: Any) -> Any:
    """Position on the hull of the vertex seen highest from a receiver at distance x, km, and flattened height y_rx.

    Along the hull from the receiver inwards the slope (y - y_rx) / (x - d) rises and then falls: where ``guess`` is
    not its peak, gallop from the near end, then bisect.
    """
    if (
        guess < size
        and (guess == size - 1 or _better(hull, guess, guess + 1, step, x, y_rx))
        and (guess == 0 or not _better(hull, guess - 1, guess, step, x, y_rx))
    ):
        return guess
    good = size - 1
    stride = 1
    bad = -1
    while True:
        probe = max(good - stride, 0)
        if good == 0:
            return 0
        if _better(hull, probe, probe + 1, step, x, y_rx):
            good = probe
            stride *= 2
        else:
            bad = probe
            break
    while good - bad > 1:
        probe = (good + bad) >> 1
        if _better(hull, probe, probe + 1, step, x, y_rx):
            good = probe
        else:
            bad = probe
    return good


@jit_inline
def _better(hull: Any, a: Any, b: Any, step: Any, x: Any, y_rx: Any) -> Any:
    """Whether vertex a is seen at least as high from the receiver as vertex b."""
    return (hull[Y, a] - y_rx) * (x - hull[AT, b] * step) >= (hull[Y, b] - y_rx) * (x - hull[AT, a] * step)


@jit_inline
def _highest(bits: Any) -> Any:
    """Number of the highest bit set: the exponent of the number they make."""
    return (np.float64(bits).view(np.int64) >> 52) - 1023


@jit_inline
def los_search(
    lines: Any,
    row: Any,
    blocks: Any,
    block_row: Any,
    last: Any,
    step: Any,
    x: Any,
    sight: Any,
    change: Any,
    best: Any,
    guess: Any,
) -> Any:
    """Index of the point of least (sight - s)^2 d / (x - d), below ``best``: where nu is highest in line of sight.

    0 if there is none. ``sight`` is the slope to the receiver less c x. ``change`` is c minus the fall at the wanted
    Earth radius: s there is s + change d. A block from distance a is skipped when even its highest s at a cannot
    win: (sight - S)^2 a / (x - a) is a lower bound. ``guess`` is looked at first.
    """
    where = 0
    if 0 < guess <= last:
        d = guess * step
        gap = sight - lines[row, guess] - change * d
        value = gap * gap * d / (x - d)
        if value < best:
            best = value
            where = guess
    for group in range(last >> (BLOCK_BITS + GROUP_BITS), -1, -1):
        tops = blocks[block_row, group << GROUP_BITS : (group + 1) << GROUP_BITS]
        open_blocks = 0
        for k in range(GROUP):
            a = max(((group << GROUP_BITS) + k) * BLOCK * step, step)
            low = sight - tops[k] - change * (a + BLOCK * step)
            hopeless = (low > 0.0) & (low * low * a >= best * (x - a))
            open_blocks |= (0 if hopeless else 1) << k
        reached = (last >> BLOCK_BITS) - (group << GROUP_BITS)
        open_blocks &= (2 << min(reached, GROUP - 1)) - 1
        while open_blocks > 0:
            b = _highest(open_blocks)
            open_blocks ^= 1 << b
            first = ((group << GROUP_BITS) + b) << BLOCK_BITS
            line = lines[row, first : first + BLOCK]
            open_points = 0
            for k in range(BLOCK):
                d = (first + k) * step
                gap = sight - line[k] - change * d
                open_points |= (1 if (gap * gap * d < best * (x - d)) & (first + k <= last) else 0) << k
            while open_points > 0:
                k = _highest(open_points)
                open_points ^= 1 << k
                d = (first + k) * step
                gap = sight - line[k] - change * d
                value = gap * gap * d
                if value < best * (x - d):
                    best = value / (x - d)
                    where = first + k
    return where


@jit_light
def roughness(w: Any, lines: Any, blocks: Any, step: Any) -> Any:
    """Raise ROUGH of LANES paths to the highest h - (START + SLOPE d) over their points MIDDLE..SOUGHT, m.

    All look at the same blocks in vector code, for neighbours' stretches are nearly the same.
    """
    low = np.int64(1 << 40)
    high = np.int64(-1)
    for j in range(s.LANES):
        low = min(low, np.int64(w[s.MIDDLE + j]))
        high = max(high, np.int64(w[s.SOUGHT + j]))
    for b in range(low >> BLOCK_BITS, (high >> BLOCK_BITS) + 1):
        top = blocks[TOP_H, b]
        a = float(b << BLOCK_BITS) * step
        z = a + BLOCK * step
        first = float(b << BLOCK_BITS)
        last = first + (BLOCK - 1.0)
        higher = False
        for j in range(s.LANES):
            slope = w[s.SLOPE + j]
            above = top - w[s.START + j] - min(slope * a, slope * z) > w[s.ROUGH + j]
            higher = higher | (above & (w[s.MIDDLE + j] <= last) & (w[s.SOUGHT + j] >= first))
        if not higher:
            continue
        for i in range(b << BLOCK_BITS, (b + 1) << BLOCK_BITS, 4):  # four points for one look at the paths
            for j in range(s.LANES):
                best = w[s.ROUGH + j]
                for k in range(4):
                    at = float(i + k)
                    above = lines[H, i + k] - w[s.START + j] - w[s.SLOPE + j] * (at * step)
                    better = (above > best) & (w[s.MIDDLE + j] <= at) & (w[s.SOUGHT + j] >= at)
                    best = above if better else best
                w[s.ROUGH + j] = best
