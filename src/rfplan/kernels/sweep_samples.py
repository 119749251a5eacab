"""Exact samples of a block of pixels, in vector instructions, and the maxima over them.

A radial runs within a pixel of the paths it serves, so its own heights are not those of the contract (see
`rfplan.kernels.sampling`): it only says *where* a path may be decided (`rfplan.kernels.sweep_search`). Each such
place is sampled on the exact path with its two neighbours, following the crest while it rises, and so are the last
few points before the receiver. All maxima are taken over exact samples only.

Pieces for one pixel are inlined both into loops over the block, which become vector code, and where few pixels
need a further sample.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rfplan.kernels import sweep_rows as s
from rfplan.kernels._jit import jit_fused, jit_fused_inline, jit_inline, jit_light
from rfplan.kernels.sampling import SHORTEST_PATH_M, bilinear, nearest

# what is sought at a place
BARE_T = 0.0
TOP_T = 1.0
BARE_R = 2.0
TOP_R = 3.0
ABOVE = 4.0
NU_BARE = 5.0
NU_TOP = 6.0

CLIMB = 4  # steps a crest is followed on either side

DOUBT_CLIMB = 1.0
DOUBT_RIVAL = 2.0

_BELOW_ALL = -1.0e6  # ground of a sample that is none, m


@jit_inline
def _ceil(x: Any) -> Any:
    """Smallest whole number not below x >= 0, as a float."""
    whole = float(int(x))
    return whole + 1.0 if whole < x else whole


@jit_fused
def set_frames(w: Any, m: Any, rows: Any, cols: Any, elevation: Any, f: Any) -> Any:
    """Describe the exact paths to m pixels and clear what is known of them."""
    m = min(m, s.BLOCK)
    for j in range(m):
        w[s.ROW + j] = rows[j]
        w[s.COL + j] = cols[j]
        w[s.H_RX + j] = elevation[rows[j], cols[j]]
    tx_row = f[s.TX_ROW]
    tx_col = f[s.TX_COL]
    resolution = f[s.RESOLUTION]
    spacing = f[s.SPACING]
    rise = f[s.RX_AGL] - f[s.TX]
    for j in range(m):
        dr = w[s.ROW + j] - tx_row
        dc = w[s.COL + j] - tx_col
        length = math.sqrt(dr * dr + dc * dc)
        n = max(2.0, _ceil(length - 1e-9))
        x = max(length * resolution, SHORTEST_PATH_M) * 1e-3
        per = 1.0 / n
        w[s.X + j] = x
        w[s.STEPS + j] = n
        w[s.STEP + j] = x * per
        w[s.RATIO + j] = spacing / (x * per)
        w[s.DROW + j] = dr * per
        w[s.DCOL + j] = dc * per
        w[s.CHORD + j] = (w[s.H_RX + j] + rise) / x
    for j in range(m):
        w[s.DOUBT + j] = 0.0
        w[s.UNKNOWN + j] = 0.0
        w[s.TAIL_V1 + j] = 0.0
        w[s.TAIL_V2 + j] = 0.0
        w[s.RADIAL_V1 + j] = 0.0  # pixels no radial serves stay without
        w[s.RADIAL_V2 + j] = 0.0
        w[s.D0 + j] = 0.0
        w[s.H0 + j] = 0.0
        w[s.SLOTS + j] = 0.0
    for j in range(s.N_MAXIMA * s.BLOCK):
        w[s.BARE_T + j] = s.NOWHERE
    for j in range(m):
        w[s.NU_BARE + j] = -s.NOWHERE
        w[s.NU_TOP + j] = -s.NOWHERE
        w[s.NU_TOP_BETA + j] = -s.NOWHERE
    for j in range(s.MAX_RIVALS * s.BLOCK):
        w[s.RIVAL + j] = s.NOWHERE


@jit_inline
def _ground_at(w: Any, j: Any, elevation: Any, tx_row: Any, tx_col: Any) -> Any:
    """Sample the ground at point INDEX of a path."""
    i = w[s.INDEX + j]
    w[s.SAMPLE_H + j] = bilinear(elevation, tx_row + i * w[s.DROW + j], tx_col + i * w[s.DCOL + j])


@jit_inline
def _clutter_at(w: Any, j: Any, clutter: Any, tx_row: Any, tx_col: Any) -> Any:
    """Sample the clutter there."""
    i = w[s.INDEX + j]
    w[s.SAMPLE_R + j] = float(nearest(clutter, tx_row + i * w[s.DROW + j], tx_col + i * w[s.DCOL + j]))


@jit_inline
def _bare_end_at(w: Any, j: Any, bare_end: Any) -> Any:
    """Leave the clutter there out where it is nearer than ``bare_end`` km to either end."""
    d = w[s.INDEX + j] * w[s.STEP + j]
    counts = (d >= bare_end) & (w[s.X + j] - d >= bare_end)
    w[s.SAMPLE_R + j] = w[s.SAMPLE_R + j] if counts else 0.0


@jit_fused_inline
def _take_at(w: Any, j: Any, tx: Any, agl: Any, c: Any) -> Any:
    """Take one sample into the maxima; not where the ground is unknown."""
    h = w[s.SAMPLE_H + j]
    r = w[s.SAMPLE_R + j]
    d = w[s.INDEX + j] * w[s.STEP + j]
    rest = w[s.X + j] - d
    per_both = 1.0 / (d * rest)
    per_d = per_both * rest
    per_rest = per_both * d
    over_tx = h - tx
    value = over_tx * per_d - c * d
    top = value + r * per_d
    seen = (h - w[s.H_RX + j] - agl) * per_rest - c * rest
    top_seen = seen + r * per_rest
    over = over_tx - w[s.CHORD + j] * d
    w[s.UNKNOWN + j] = w[s.UNKNOWN + j] if h == h else 1.0
    better = value > w[s.BARE_T + j]
    w[s.BARE_T_AT + j] = d if better else w[s.BARE_T_AT + j]
    w[s.BARE_T_H + j] = h if better else w[s.BARE_T_H + j]
    w[s.BARE_T + j] = value if better else w[s.BARE_T + j]
    better = seen > w[s.BARE_R + j]
    w[s.BARE_R_AT + j] = d if better else w[s.BARE_R_AT + j]
    w[s.BARE_R_H + j] = h if better else w[s.BARE_R_H + j]
    w[s.BARE_R + j] = seen if better else w[s.BARE_R + j]
    w[s.ABOVE + j] = over if over > w[s.ABOVE + j] else w[s.ABOVE + j]
    w[s.FLAT_T + j] = over * per_d if over * per_d > w[s.FLAT_T + j] else w[s.FLAT_T + j]
    w[s.FLAT_R + j] = over * per_rest if over * per_rest > w[s.FLAT_R + j] else w[s.FLAT_R + j]
    w[s.TOP_T + j] = top if top > w[s.TOP_T + j] else w[s.TOP_T + j]
    w[s.TOP_R + j] = top_seen if top_seen > w[s.TOP_R + j] else w[s.TOP_R + j]
    gap = over + c * d * rest
    scale = w[s.X + j] * per_both
    value = gap * gap * scale
    better = value < w[s.NU_BARE + j]
    w[s.NU_BARE_AT + j] = d if better else w[s.NU_BARE_AT + j]
    w[s.NU_BARE_H + j] = h if better else w[s.NU_BARE_H + j]
    w[s.NU_BARE + j] = value if better else w[s.NU_BARE + j]
    value = (gap + r) * (gap + r) * scale
    w[s.NU_TOP + j] = value if value < w[s.NU_TOP + j] else w[s.NU_TOP + j]


@jit_fused_inline
def _take_beta_at(w: Any, j: Any, tx: Any, agl: Any, c: Any) -> Any:
    """Take one sample, with clutter, into the maxima at the beta Earth radius."""
    top = w[s.SAMPLE_H + j] + w[s.SAMPLE_R + j]
    d = w[s.INDEX + j] * w[s.STEP + j]
    rest = w[s.X + j] - d
    per_both = 1.0 / (d * rest)
    value = (top - tx) * (per_both * rest) - c * d
    w[s.TOP_T_BETA + j] = value if value > w[s.TOP_T_BETA + j] else w[s.TOP_T_BETA + j]
    value = (top - w[s.H_RX + j] - agl) * (per_both * d) - c * rest
    w[s.TOP_R_BETA + j] = value if value > w[s.TOP_R_BETA + j] else w[s.TOP_R_BETA + j]
    gap = top - tx - w[s.CHORD + j] * d + c * d * rest
    value = gap * gap * (w[s.X + j] * per_both)
    w[s.NU_TOP_BETA + j] = value if value < w[s.NU_TOP_BETA + j] else w[s.NU_TOP_BETA + j]


@jit_inline
def _read_ground(w: Any, m: Any, elevation: Any, tx_row: Any, tx_col: Any) -> Any:
    """`bilinear` at the points INDEX of m paths: only the loop that loads heights is not one of vector code."""
    last_row = elevation.shape[0] - 1.0
    last_col = elevation.shape[1] - 1.0
    for j in range(m):
        i = w[s.INDEX + j]
        row = min(max(tx_row + i * w[s.DROW + j], 0.0), last_row)
        col = min(max(tx_col + i * w[s.DCOL + j], 0.0), last_col)
        cell_row = max(min(math.floor(row), last_row - 1.0), 0.0)
        cell_col = max(min(math.floor(col), last_col - 1.0), 0.0)
        w[s.CELL_ROW + j] = cell_row
        w[s.CELL_COL + j] = cell_col
        w[s.PART_ROW + j] = row - cell_row
        w[s.PART_COL + j] = col - cell_col
    down = np.uint64(min(1, elevation.shape[0] - 1))
    right = np.uint64(min(1, elevation.shape[1] - 1))
    for j in range(m):
        i = np.uint64(np.int64(w[s.CELL_ROW + j]))
        k = np.uint64(np.int64(w[s.CELL_COL + j]))
        upper = elevation[i, k]
        lower = elevation[i + down, k]
        w[s.UPPER + j] = upper
        w[s.LOWER + j] = lower
        w[s.UPPER_RISE + j] = elevation[i, k + right] - upper
        w[s.LOWER_RISE + j] = elevation[i + down, k + right] - lower
    for j in range(m):
        top = w[s.UPPER + j] + w[s.PART_COL + j] * w[s.UPPER_RISE + j]
        bottom = w[s.LOWER + j] + w[s.PART_COL + j] * w[s.LOWER_RISE + j]
        w[s.SAMPLE_H + j] = top + w[s.PART_ROW + j] * (bottom - top)


@jit_inline
def _read_clutter(w: Any, m: Any, clutter: Any, tx_row: Any, tx_col: Any) -> Any:
    """`nearest` at the same points."""
    last_row = clutter.shape[0] - 1.0
    last_col = clutter.shape[1] - 1.0
    for j in range(m):
        i = w[s.INDEX + j]
        w[s.CELL_ROW + j] = min(max(math.floor(tx_row + i * w[s.DROW + j] + 0.5), 0.0), last_row)
        w[s.CELL_COL + j] = min(max(math.floor(tx_col + i * w[s.DCOL + j] + 0.5), 0.0), last_col)
    for j in range(m):
        i = np.uint64(np.int64(w[s.CELL_ROW + j]))
        k = np.uint64(np.int64(w[s.CELL_COL + j]))
        w[s.SAMPLE_R + j] = clutter[i, k]


@jit_inline
def _read(w: Any, m: Any, elevation: Any, clutter: Any, f: Any) -> Any:
    """Sample the ground, and the clutter, at the points INDEX of m paths."""
    m = min(m, s.BLOCK)
    tx_row = f[s.TX_ROW]
    tx_col = f[s.TX_COL]
    uniform = f[s.CLUTTER]
    _read_ground(w, m, elevation, tx_row, tx_col)
    if uniform >= 0.0:
        for j in range(m):
            w[s.SAMPLE_R + j] = uniform
    else:
        _read_clutter(w, m, clutter, tx_row, tx_col)
    bare_end = f[s.BARE_END]
    if bare_end > 0.0:
        for j in range(m):
            _bare_end_at(w, j, bare_end)


@jit_fused_inline
def _take(w: Any, m: Any, f: Any) -> Any:
    """Take the samples of m paths into the maxima."""
    m = min(m, s.BLOCK)
    tx = f[s.TX]
    agl = f[s.RX_AGL]
    c = f[s.C]
    for j in range(m):
        _take_at(w, j, tx, agl, c)
    c = f[s.C_BETA]
    if c > 0.0:
        for j in range(m):
            _take_beta_at(w, j, tx, agl, c)


@jit_fused
def sample_tail(w: Any, m: Any, elevation: Any, clutter: Any, f: Any) -> Any:
    """Sample the last points of the exact paths, nearest the transmitter first, and sum their trapezoids."""
    m = min(m, s.BLOCK)
    base = f[s.BASE]
    for k in range(s.TAIL_POINTS):
        for j in range(m):
            w[s.INDEX + j] = max(w[s.STEPS + j] - (s.TAIL_POINTS - k), 1.0)
            w[s.LAST_H + j] = w[s.SAMPLE_H + j]
        _read(w, m, elevation, clutter, f)
        _take(w, m, f)
        if k == 0:
            for j in range(m):
                w[s.TAIL_H + j] = w[s.SAMPLE_H + j]
            continue
        for j in range(m):
            step = w[s.STEP + j]
            d1 = w[s.INDEX + j] * step
            d0 = d1 - step
            h1 = w[s.SAMPLE_H + j] - base
            h0 = w[s.LAST_H + j] - base
            w[s.TAIL_V1 + j] += step * (h1 + h0)
            w[s.TAIL_V2 + j] += step * (h1 * (2.0 * d1 + d0) + h0 * (d1 + 2.0 * d0))
    for j in range(m):
        step = w[s.STEP + j]
        d1 = w[s.X + j]
        d0 = d1 - step
        h1 = w[s.H_RX + j] - base
        h0 = w[s.SAMPLE_H + j] - base
        w[s.TAIL_V1 + j] += step * (h1 + h0)
        w[s.TAIL_V2 + j] += step * (h1 * (2.0 * d1 + d0) + h0 * (d1 + 2.0 * d0))


@jit_fused_inline
def _worth_at(w: Any, j: Any, tx: Any, agl: Any, c: Any) -> Any:
    """How well a sample serves what is sought there."""
    kind = w[s.SOUGHT + j]
    topped = (kind == TOP_T) | (kind == TOP_R) | (kind == NU_TOP)
    h = w[s.SAMPLE_H + j] + (w[s.SAMPLE_R + j] if topped else 0.0)
    d = w[s.INDEX + j] * w[s.STEP + j]
    rest = w[s.X + j] - d
    per_both = 1.0 / (d * rest)
    from_tx = (h - tx) * (per_both * rest) - c * d
    from_rx = (h - w[s.H_RX + j] - agl) * (per_both * d) - c * rest
    over = h - tx - w[s.CHORD + j] * d
    gap = over + c * d * rest
    nu = gap * abs(gap) * per_both
    return from_tx if kind <= TOP_T else (from_rx if kind <= TOP_R else (over if kind == ABOVE else nu))


@jit_fused_inline
def _rate_at(w: Any, j: Any, tx: Any, agl: Any, c: Any, aside: Any) -> Any:
    """Note whether a sample of a window serves best."""
    worth = _worth_at(w, j, tx, agl, c)
    better = worth > w[s.WORTH + j]
    w[s.ASIDE + j] = aside if better else w[s.ASIDE + j]
    w[s.WORTH + j] = worth if better else w[s.WORTH + j]


@jit_fused_inline
def _look(w: Any, m: Any, elevation: Any, clutter: Any, f: Any, aside: Any) -> Any:
    """Sample m paths at the points ``aside`` of their windows' middles; not where that is 0."""
    m = min(m, s.BLOCK)
    for j in range(m):
        last = w[s.STEPS + j] - (s.TAIL_POINTS + 1.0)
        w[s.INDEX + j] = max(min(w[s.MIDDLE + j] + aside, last), 1.0)
    _read(w, m, elevation, clutter, f)
    for j in range(m):
        w[s.SAMPLE_H + j] = w[s.SAMPLE_H + j] if w[s.MIDDLE + j] > 0.0 else _BELOW_ALL
    _take(w, m, f)
    tx = f[s.TX]
    agl = f[s.RX_AGL]
    c = f[s.C]
    for j in range(m):
        _rate_at(w, j, tx, agl, c, aside)


@jit_fused_inline
def _look_at(w: Any, j: Any, elevation: Any, clutter: Any, f: Any, at: Any) -> Any:
    """Sample pixel j alone at point ``at`` of its path; True if that serves better than the window's best so far."""
    tx = f[s.TX]
    agl = f[s.RX_AGL]
    w[s.INDEX + j] = at
    _ground_at(w, j, elevation, f[s.TX_ROW], f[s.TX_COL])
    if f[s.CLUTTER] < 0.0:
        _clutter_at(w, j, clutter, f[s.TX_ROW], f[s.TX_COL])
    else:
        w[s.SAMPLE_R + j] = f[s.CLUTTER]
    _bare_end_at(w, j, f[s.BARE_END])
    worth = _worth_at(w, j, tx, agl, f[s.C])
    if worth <= w[s.WORTH + j]:
        return False
    w[s.WORTH + j] = worth
    _take_at(w, j, tx, agl, f[s.C])
    if f[s.C_BETA] > 0.0:
        _take_beta_at(w, j, tx, agl, f[s.C_BETA])
    return True


@jit_fused_inline
def _climb(w: Any, j: Any, elevation: Any, clutter: Any, f: Any) -> Any:
    """Follow the crest of pixel j outwards while it rises."""
    way = w[s.ASIDE + j]
    at = w[s.MIDDLE + j] + way
    last = w[s.STEPS + j] - (s.TAIL_POINTS + 1.0)
    for _ in range(CLIMB):
        at += way
        if at < 1.0 or at > last or not _look_at(w, j, elevation, clutter, f, at):
            return
    w[s.DOUBT + j] = DOUBT_CLIMB


@jit_fused
def _sample_windows(w: Any, m: Any, elevation: Any, clutter: Any, f: Any) -> Any:
    """Sample m paths at MIDDLE (0: not at all) and beside it for what is SOUGHT, and follow the crest."""
    m = min(m, s.BLOCK)
    for j in range(m):
        w[s.WORTH + j] = s.NOWHERE
        w[s.ASIDE + j] = 0.0
    for k in range(3):
        _look(w, m, elevation, clutter, f, k - 1.0)
    for j in range(m):
        if w[s.ASIDE + j] != 0.0 and w[s.MIDDLE + j] > 0.0:
            _climb(w, j, elevation, clutter, f)


@jit_fused
def _sample_window(w: Any, j: Any, elevation: Any, clutter: Any, f: Any) -> Any:
    """The same for pixel j alone."""
    w[s.WORTH + j] = s.NOWHERE
    w[s.ASIDE + j] = 0.0
    last = w[s.STEPS + j] - (s.TAIL_POINTS + 1.0)
    for k in range(3):
        at = w[s.MIDDLE + j] + (k - 1.0)
        if 1.0 <= at <= last and _look_at(w, j, elevation, clutter, f, at):
            w[s.ASIDE + j] = k - 1.0
    if w[s.ASIDE + j] != 0.0:
        _climb(w, j, elevation, clutter, f)


@jit_light
def sample_slots(w: Any, m: Any, elevation: Any, clutter: Any, f: Any) -> Any:
    """Sample all places the radial proposed for m pixels, LANES at a time: neighbours need as many.

    Pixels beyond the last need none.
    """
    for j in range(m, s.BLOCK):
        w[s.SLOTS + j] = 0.0
    for a in range(0, m, s.LANES):
        part = w[a:]
        most = 0.0
        for j in range(s.LANES):
            most = max(most, part[s.SLOTS + j])
        for k in range(int(most)):
            for j in range(s.LANES):
                part[s.MIDDLE + j] = part[s.CENTRE + k * s.BLOCK + j] if k < part[s.SLOTS + j] else 0.0
                part[s.SOUGHT + j] = part[s.KIND + k * s.BLOCK + j]
            _sample_windows(part, s.LANES, elevation, clutter, f)


@jit_light
def sample_rivals(w: Any, m: Any, elevation: Any, clutter: Any, f: Any) -> Any:
    """Sample the radial's next best places where they promise more than the exact samples hold so far.

    Rivals come in pairs: from the transmitter with clutter and bare, from the receiver with clutter and bare.
    """
    m = min(m, s.BLOCK)
    for j in range(m):
        top_t = max(w[s.RIVAL + j], w[s.RIVAL + s.BLOCK + j]) > w[s.TOP_T + j]
        bare_t = max(w[s.RIVAL + 2 * s.BLOCK + j], w[s.RIVAL + 3 * s.BLOCK + j]) > w[s.BARE_T + j]
        top_r = max(w[s.RIVAL + 4 * s.BLOCK + j], w[s.RIVAL + 5 * s.BLOCK + j]) > w[s.TOP_R + j]
        bare_r = max(w[s.RIVAL + 6 * s.BLOCK + j], w[s.RIVAL + 7 * s.BLOCK + j]) > w[s.BARE_R + j]
        w[s.WORTH + j] = 1.0 if top_t | bare_t | top_r | bare_r else 0.0
    for j in range(m):
        if w[s.WORTH + j] == 0.0:
            continue
        for k in range(s.MAX_RIVALS):
            best = (s.TOP_T, s.BARE_T, s.TOP_R, s.BARE_R)[k // 2] + j
            promise = w[s.RIVAL + k * s.BLOCK + j]
            if promise > w[best]:
                at = middle(w, j, w[s.RIVAL_AT + k * s.BLOCK + j])
                known = False
                for slot in range(int(w[s.SLOTS + j])):
                    known = known or abs(w[s.CENTRE + slot * s.BLOCK + j] - at) <= 1.0
                if not known:
                    w[s.MIDDLE + j] = at
                    w[s.SOUGHT + j] = (TOP_T, BARE_T, TOP_R, BARE_R)[k // 2]
                    _sample_window(w, j, elevation, clutter, f)
                if promise > w[best]:
                    w[s.DOUBT + j] = DOUBT_RIVAL


@jit_inline
def middle(w: Any, j: Any, index: Any) -> Any:
    """Index on the exact path of pixel j of a point of the radial, before the last points."""
    at = float(int(index * w[s.RATIO + j] + 0.5))
    return max(min(at, w[s.STEPS + j] - (s.TAIL_POINTS + 1.0)), 1.0)
