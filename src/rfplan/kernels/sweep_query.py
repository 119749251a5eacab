"""What the sweep asks for one receiver: exact samples where they decide, the radial's memory for where that is.

A radial runs within half a pixel of the paths it serves, so its own heights are not those of the contract (see
`rfplan.kernels.sampling`). It is used to *find* the points that decide a path: horizons, Bullington tangents, the
highest nu, the highest obstruction. Every such point is then sampled on the exact path with its neighbours,
following the crest while it rises, and so are the last few points before the receiver. All maxima are taken over
exact samples only; the radial's next best points are sampled too wherever they might win.
"""

from __future__ import annotations

import math
from typing import Any

from rfplan.kernels import sweep_state as m
from rfplan.kernels._jit import jit_inline, jit_light
from rfplan.kernels.sampling import bilinear, nearest

# one path
X = 0  # length, km
STEPS = 1
STEP = 2  # km
TX_ROW = 3
TX_COL = 4
DROW = 5  # rows and columns a step
DCOL = 6
TX = 7  # antennas above sea level, m
RX = 8
CHORD = 9  # slope between the antennas, m/km
C = 10  # fall at the median Earth radius, m/km^2
C_BETA = 11  # the same at the beta Earth radius; 0 where that is not wanted
TAIL = 12  # index of the first of the last samples, all exact
SPACING = 13  # of the radial, km
CLUTTER = 14  # clutter height everywhere, m; below 0 it varies, by at most so much, and the grid is read
TX_GROUND = 15

# maxima over the exact samples so far, behind the path in the same array
BARE_T = 16  # slope from the transmitter over flattened bare ground, m/km, and its distance
BARE_T_AT = 17
BARE_R = 18
BARE_R_AT = 19
FLAT_T = 20  # above the chord, over distance
FLAT_R = 21
ABOVE = 22  # above the chord, m
TOP_T = 23  # with clutter
TOP_R = 24
TOP_T_BETA = 25
TOP_R_BETA = 26
COUNT = 27  # exact samples
WINDOWS = 28
UNKNOWN = 29  # a sample met unknown ground
DOUBT = 30  # the method's own doubts: see the flags below
PER_STEP = 31  # radial spacing over the step
WINDOW = 32  # centres of the windows sampled so far
SAMPLE_D = 48  # exact samples: distance, km; ground, m; top of the clutter, m
SAMPLE_H = 304
SAMPLE_G = 560
N_WORK = 816

# what is looked for at a window
KIND_BARE_T = 0
KIND_BARE_R = 1
KIND_TOP_T = 2
KIND_TOP_R = 3
KIND_ABOVE = 4
KIND_NU_BARE = 5
KIND_NU_TOP = 6

CLIMB = 4  # steps a crest is followed on either side
MARGIN_M = 6.0  # how far a radial's height may be below the exact path's before its point is not worth a sample
MAX_WINDOWS = 16

DOUBT_CLIMB = 1.0
DOUBT_RIVAL = 2.0


@jit_inline
def margin_with_clutter(w: Any) -> Any:
    """Like MARGIN_M, for points with their clutter: another pixel's may be the higher by its whole range."""
    return MARGIN_M - min(w[CLUTTER], 0.0)


@jit_inline
def load_maxima(w: Any) -> Any:
    """The maxima over the samples so far, as values that can stay in registers through a run of samples."""
    bare = (w[BARE_T], w[BARE_T_AT], w[BARE_R], w[BARE_R_AT])
    return bare, (w[ABOVE], w[FLAT_T], w[FLAT_R]), (w[TOP_T], w[TOP_R], w[TOP_T_BETA], w[TOP_R_BETA])


@jit_inline
def keep_maxima(w: Any, maxima: Any) -> Any:
    """Write maxima back."""
    bare, over, top = maxima
    w[BARE_T], w[BARE_T_AT], w[BARE_R], w[BARE_R_AT] = bare
    w[ABOVE], w[FLAT_T], w[FLAT_R] = over
    w[TOP_T], w[TOP_R], w[TOP_T_BETA], w[TOP_R_BETA] = top


@jit_inline
def load_frame(w: Any) -> Any:
    """What every sample of a path needs, likewise."""
    return w[X], w[STEP], w[TX], w[RX], w[CHORD], w[C], w[C_BETA]


@jit_inline
def add_exact(i: Any, at: Any, w: Any, frame: Any, maxima: Any, elevation: Any, clutter: Any) -> Any:
    """Sample point i of the exact path as sample number ``at`` and take it into all maxima.

    Returns the maxima, and of the point its distance, ground and clutter top, and the reciprocals of its distances
    from either end.
    """
    x, step, tx, rx, chord, c, c_beta = frame
    bare_t, bare_t_at, bare_r, bare_r_at = maxima[0]
    above, flat_t, flat_r = maxima[1]
    top_t, top_r, top_t_beta, top_r_beta = maxima[2]
    row = w[TX_ROW] + i * w[DROW]
    col = w[TX_COL] + i * w[DCOL]
    h = bilinear(elevation, row, col)
    r = w[CLUTTER]
    if r < 0.0:
        r = float(nearest(clutter, row, col))
    if math.isnan(h):
        w[UNKNOWN] = 1.0
        h = 0.0
    d = i * step
    rest = x - d
    per_both = 1.0 / (d * rest)
    per_d = per_both * rest
    per_rest = per_both * d
    over_tx = h - tx
    value = over_tx * per_d - c * d
    top = value + r * per_d
    bare_t_at = d if value > bare_t else bare_t_at
    bare_t = value if value > bare_t else bare_t
    top_t = top if top > top_t else top_t
    seen = (h - rx) * per_rest - c * rest
    top_seen = seen + r * per_rest
    bare_r_at = d if seen > bare_r else bare_r_at
    bare_r = seen if seen > bare_r else bare_r
    top_r = top_seen if top_seen > top_r else top_r
    over = over_tx - chord * d
    if over > 0.0:  # else it obstructs nothing
        above = over if over > above else above
        value = over * per_d
        flat_t = value if value > flat_t else flat_t
        value = over * per_rest
        flat_r = value if value > flat_r else flat_r
    if c_beta > 0.0:
        value = top + (c - c_beta) * d
        top_t_beta = value if value > top_t_beta else top_t_beta
        value = top_seen + (c - c_beta) * rest
        top_r_beta = value if value > top_r_beta else top_r_beta
    w[SAMPLE_D + at] = d
    w[SAMPLE_H + at] = h
    w[SAMPLE_G + at] = h + r
    maxima = (
        (bare_t, bare_t_at, bare_r, bare_r_at),
        (above, flat_t, flat_r),
        (top_t, top_r, top_t_beta, top_r_beta),
    )
    return maxima, (d, h, h + r, per_d, per_rest)


@jit_inline
def _worth(kind: Any, c: Any, w: Any, d: Any, h: Any, per_d: Any, per_rest: Any) -> Any:
    """How well a sample of height h serves the purpose of its window; the highest wins."""
    if kind in (KIND_BARE_T, KIND_TOP_T):
        return (h - w[TX]) * per_d - c * d
    rest = w[X] - d
    if kind in (KIND_BARE_R, KIND_TOP_R):
        return (h - w[RX]) * per_rest - c * rest
    above = h - w[TX] - w[CHORD] * d
    if kind == KIND_ABOVE:
        return above
    gap = above + c * d * rest
    return gap * abs(gap) * per_d * per_rest


@jit_light
def look_at(index: Any, kind: Any, c: Any, w: Any, elevation: Any, clutter: Any) -> Any:
    """Sample the exact path around a point of the radial (by index) and follow the crest while it rises."""
    centre = int(index * w[PER_STEP] + 0.5)
    tail = int(w[TAIL])
    windows = int(w[WINDOWS])
    if windows >= MAX_WINDOWS:
        return
    centre = max(min(centre, tail - 1), 1)  # rounding may lead into the tail, past the last point that is not in it
    for k in range(windows):
        if abs(w[WINDOW + k] - centre) <= 1.0:
            return
    w[WINDOW + windows] = centre
    w[WINDOWS] = windows + 1.0
    at = int(w[COUNT])
    topped = kind in (KIND_TOP_T, KIND_TOP_R, KIND_NU_TOP)
    first = max(centre - 1, 1)
    last = first
    stop = min(centre + 1, tail - 1)
    best = first
    top = m.NOWHERE
    i = first
    steps = 0
    frame = load_frame(w)
    maxima = load_maxima(w)
    while True:
        maxima, point = add_exact(i, at, w, frame, maxima, elevation, clutter)
        d, bare, high, per_d, per_rest = point
        at += 1
        value = _worth(kind, c, w, d, high if topped else bare, per_d, per_rest)
        if value > top:
            top = value
            best = i
        if last < stop:
            last += 1
            i = last
            continue
        if steps == CLIMB:
            w[DOUBT] = DOUBT_CLIMB
            break
        steps += 1
        if best == first and first > 1:
            first -= 1
            i = first
        elif best == last and last < tail - 1:
            last += 1
            stop = last
            i = last
        else:
            break
    w[COUNT] = at
    keep_maxima(w, maxima)


@jit_inline
def look_from_tx(
    first: Any, kind: Any, which: Any, margin: Any, state: Any, w: Any, elevation: Any, clutter: Any
) -> Any:
    """Sample where the radial's slope from the transmitter was highest, then its rivals on either side.

    ``first`` is the first of the six state scalars of the slope, ``which`` the maximum over exact samples.
    """
    at = state[first + 1]
    if at > 0.0 and state[first] + margin / (at * w[SPACING]) > w[which]:
        look_at(at, kind, w[C], w, elevation, clutter)
    for k in (2, 4):
        at = state[first + k + 1]
        if state[first + k] > m.NOWHERE and state[first + k] > w[which]:
            look_at(at, kind, w[C], w, elevation, clutter)
            if state[first + k] > w[which]:
                w[DOUBT] = DOUBT_RIVAL


@jit_inline
def _seen(index: Any, points: Any, row: Any, w: Any, y_rx: Any) -> Any:
    return (points[index, row] - y_rx) / (w[X] - index * w[SPACING]) - 2.0 * w[C] * w[X]


@jit_inline
def look_from_rx(
    hull: Any,
    size: Any,
    points: Any,
    row: Any,
    kind: Any,
    which: Any,
    margin: Any,
    w: Any,
    elevation: Any,
    clutter: Any,
) -> Any:
    """Sample the receiver's tangent to a hull and its rivals; returns the tangent's position on the hull."""
    y_rx = w[RX] - w[C] * w[X] * w[X]
    position = m.tangent(hull, size, points, row, w[SPACING], w[X], y_rx)
    index = hull[position]
    value = _seen(index, points, row, w, y_rx)
    if value + margin / (w[X] - index * w[SPACING]) <= w[which]:
        return position
    look_at(index, kind, w[C], w, elevation, clutter)
    for way in (-1, 1):
        rival = position + way
        while 0 <= rival < size and abs(hull[rival] - index) <= 2:
            rival += way
        if 0 <= rival < size:
            seen = _seen(hull[rival], points, row, w, y_rx)
            if seen > w[which]:
                look_at(hull[rival], kind, w[C], w, elevation, clutter)
                if seen > w[which]:
                    w[DOUBT] = DOUBT_RIVAL
    return position


@jit_inline
def look_above_chord(hull: Any, position: Any, points: Any, w: Any, elevation: Any, clutter: Any) -> Any:
    """Sample the highest point above the chord: on the hull, from the receiver's tangent to the transmitter."""
    best = m.NOWHERE
    where = 0
    missed = 0
    while position >= 0 and missed < 6:
        i = hull[position]
        value = points[i, m.H] - w[CHORD] * (i * w[SPACING])
        if value > best:
            best = value
            where = i
            missed = 0
        else:
            missed += 1
        position -= 1
    if best - w[TX] + MARGIN_M > max(w[ABOVE], 0.0):
        look_at(where, KIND_ABOVE, 0.0, w, elevation, clutter)


@jit_light
def look_beta_tangent(hull: Any, position: Any, points: Any, margin: Any, w: Any, elevation: Any, clutter: Any) -> Any:
    """Sample the receiver's tangent at the beta Earth radius: at or left of the median one, on the same hull."""
    best = m.NOWHERE
    where = 0
    missed = 0
    while position >= 0 and missed < 4:
        i = hull[position]
        rest = w[X] - i * w[SPACING]
        value = (points[i, m.G] - w[RX]) / rest - w[C_BETA] * rest
        if value > best:
            best = value
            where = i
            missed = 0
        else:
            missed += 1
        position -= 1
    if best + margin / (w[X] - where * w[SPACING]) > w[TOP_R_BETA]:
        look_at(where, KIND_TOP_R, w[C_BETA], w, elevation, clutter)


@jit_light
def los_best(w: Any, heights: Any, c: Any) -> Any:
    """Least (clearance)^2 d / (d_1 d_2) over the exact samples, and the number of the sample."""
    best = 1.0e300
    where = 0
    x = w[X]
    for k in range(int(w[COUNT])):
        d = w[SAMPLE_D + k]
        along = d * (x - d)
        gap = w[TX] + w[CHORD] * d - w[heights + k] - c * along
        value = gap * gap * x
        if value < best * along:
            best = value / along
            where = k
    return best, where
