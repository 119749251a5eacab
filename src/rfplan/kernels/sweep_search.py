"""Where along a radial the path to one receiver may be decided: searches in the radial's memory.

The radial's own heights are those of another line, within a pixel of the receiver's path: its extremes propose
places to sample (`rfplan.kernels.sweep_samples`), with room for what may lie higher on the exact path.
"""

from __future__ import annotations

from typing import Any

from rfplan.kernels import sweep_rows as s, sweep_samples as x, sweep_state as m
from rfplan.kernels._jit import jit_inline

MARGIN_M = 6.0  # how far a radial's height may be below the exact path's before its point is not worth a sample
PATIENCE = 3  # vertices of a hull looked at beyond the best
SEED = 1.2  # of the best of the last points: what a point of the radial must beat, with room likewise

_RIVAL_TOP_T = s.RIVAL
_RIVAL_BARE_T = s.RIVAL + 2 * s.BLOCK
_RIVAL_TOP_R = s.RIVAL + 4 * s.BLOCK
_RIVAL_BARE_R = s.RIVAL + 6 * s.BLOCK
_TO_AT = s.RIVAL_AT - s.RIVAL


@jit_inline
def propose(w: Any, j: Any, index: Any, kind: Any) -> Any:
    """Put a point of the radial on pixel j's list of places to sample, unless its window is there already."""
    centre = x.middle(w, j, index)
    slots = int(w[s.SLOTS + j])
    for k in range(slots):
        if abs(w[s.CENTRE + k * s.BLOCK + j] - centre) <= 1.0:
            return
    w[s.CENTRE + slots * s.BLOCK + j] = centre
    w[s.KIND + slots * s.BLOCK + j] = kind
    w[s.SLOTS + j] = slots + 1.0


@jit_inline
def _from_tx(w: Any, j: Any, first: Any, kind: Any, best: Any, rivals: Any, margin: Any, state: Any, f: Any) -> Any:
    """Propose the radial's highest slope from the transmitter, and keep its rivals on either side.

    ``first`` is the first of the six state scalars of the slope, ``best`` the row of the maximum over the last
    points. Returns the lowest and highest the slope may be on the exact path.
    """
    at = state[first + 1]
    if at <= 0.0:
        return s.NOWHERE, s.NOWHERE
    slack = margin / (at * f[s.SPACING])
    if state[first] + slack > w[best + j]:
        propose(w, j, at, kind)
    w[rivals + j] = state[first + 2]
    w[rivals + _TO_AT + j] = state[first + 3]
    w[rivals + s.BLOCK + j] = state[first + 4]
    w[rivals + _TO_AT + s.BLOCK + j] = state[first + 5]
    return state[first] - slack, state[first] + slack


@jit_inline
def _seen(hull: Any, position: Any, length: Any, y_rx: Any, f: Any) -> Any:
    return (hull[m.Y, position] - y_rx) / (length - hull[m.AT, position] * f[s.SPACING]) - 2.0 * f[s.C] * length


@jit_inline
def _from_rx(
    w: Any, j: Any, hull: Any, kind: Any, best: Any, rivals: Any, length: Any, y_rx: Any, state: Any, f: Any
) -> Any:
    """Propose the receiver's tangent to a hull and keep its rivals; returns the tangent's position on the hull."""
    topped = kind == x.TOP_R
    size = int(state[m.HULL_G if topped else m.HULL_H])
    remembered = m.TANGENT_G if topped else m.TANGENT_H
    position = m.tangent(hull, size, f[s.SPACING], length, y_rx, int(state[remembered]))
    state[remembered] = position
    index = hull[m.AT, position]
    margin = MARGIN_M - (min(f[s.CLUTTER], 0.0) if topped else 0.0)
    slack = margin / (length - index * f[s.SPACING])
    if _seen(hull, position, length, y_rx, f) + slack <= w[best + j]:
        return position
    propose(w, j, index, kind)
    for side in range(2):
        way = 2 * side - 1
        rival = position + way
        while 0 <= rival < size and abs(hull[m.AT, rival] - index) <= 2.0:
            rival += way
        if 0 <= rival < size:
            w[rivals + side * s.BLOCK + j] = _seen(hull, rival, length, y_rx, f)
            w[rivals + _TO_AT + side * s.BLOCK + j] = hull[m.AT, rival]
    return position


@jit_inline
def _in_sight(
    w: Any,
    j: Any,
    lines: Any,
    blocks: Any,
    topped: Any,
    best: Any,
    remembered: Any,
    sight: Any,
    change: Any,
    state: Any,
    f: Any,
) -> Any:
    """Propose where nu is highest of a path in line of sight, unless one of the last points is better."""
    length = w[s.X + j]
    row = m.SLOPE_G if topped else m.SLOPE_H
    block_row = m.TOP_SLOPE_G if topped else m.TOP_SLOPE_H
    seed = SEED * w[best + j] / length
    guess = int(state[remembered])
    last = int(state[m.LAST])
    at = m.los_search(lines, row, blocks, block_row, last, f[s.SPACING], length, sight, change, seed, guess)
    if at > 0:
        state[remembered] = at
        propose(w, j, at, x.NU_TOP if topped else x.NU_BARE)


@jit_inline
def _over(hull: Any, position: Any, chord: Any, c: Any, step: Any) -> Any:
    """Height of a vertex, not flattened, above a line of slope ``chord`` through the origin."""
    d = hull[m.AT, position] * step
    return hull[m.Y, position] + (c * d - chord) * d


@jit_inline
def _above_chord(w: Any, j: Any, hull: Any, position: Any, state: Any, f: Any) -> Any:
    """Propose the highest point above the chord: on the hull, from the receiver's tangent to the transmitter.

    Looked for on both sides of where it was for the pixel before: along the hull it rises and falls but for little.
    """
    chord = w[s.CHORD + j]
    start = min(int(state[m.ABOVE_AT]), position)
    found = start
    best = _over(hull, start, chord, f[s.C], f[s.SPACING])
    for side in range(2):
        way = 2 * side - 1
        at = start + way
        missed = 0
        while 0 <= at <= position and missed < PATIENCE:
            value = _over(hull, at, chord, f[s.C], f[s.SPACING])
            missed = 0 if value > best else missed + 1
            if value > best:
                best = value
                found = at
            at += way
    state[m.ABOVE_AT] = found
    if best - f[s.TX] + MARGIN_M > max(w[s.ABOVE + j], 0.0):
        propose(w, j, hull[m.AT, found], x.ABOVE)


@jit_inline
def _beta_tangent(w: Any, j: Any, hull: Any, position: Any, margin: Any, length: Any, rx: Any, f: Any) -> Any:
    """Propose the receiver's tangent at the beta Earth radius: at or left of the median one, on the same hull."""
    best = m.NOWHERE
    where = 0.0
    missed = 0
    while position >= 0 and missed < 4:
        d = hull[m.AT, position] * f[s.SPACING]
        rest = length - d
        value = (hull[m.Y, position] + f[s.C] * d * d - rx) / rest - f[s.C_BETA] * rest
        if value > best:
            best = value
            where = hull[m.AT, position]
            missed = 0
        else:
            missed += 1
        position -= 1
    if best + margin / (length - where * f[s.SPACING]) > w[s.TOP_R_BETA + j]:
        propose(w, j, where, x.TOP_R)


@jit_inline
def search_radial(
    w: Any, j: Any, state: Any, lines: Any, blocks: Any, hull_h: Any, hull_g: Any, rx: Any, f: Any
) -> Any:
    """Propose everywhere the path to pixel j, antenna at ``rx`` m above sea level, may be decided.

    Near grazing, where the radial can't tell whether the path is in line of sight, both cases are looked into.
    """
    length = w[s.X + j]
    y_rx = rx - f[s.C] * length * length
    lift = f[s.CLUTTER] if s.one_hull(f) else 0.0  # of the hull over the clutter
    step = f[s.SPACING]
    last = int(state[m.LAST])
    w[s.RADIAL_V1 + j] = lines[m.V1, last]
    w[s.RADIAL_V2 + j] = lines[m.V2, last]
    w[s.D0 + j] = last * step
    w[s.H0 + j] = lines[m.H, last] - f[s.BASE]
    margin = MARGIN_M - min(f[s.CLUTTER], 0.0)
    chord = w[s.CHORD + j]
    sight = chord - f[s.C] * length
    topped = s.topped(f)
    low_g, high_g = s.NOWHERE, s.NOWHERE
    if topped:
        low_g, high_g = _from_tx(w, j, m.BEST_G, x.TOP_T, s.TOP_T, _RIVAL_TOP_T, margin, state, f)
    low_h, high_h = _from_tx(w, j, m.BEST_H, x.BARE_T, s.BARE_T, _RIVAL_BARE_T, MARGIN_M, state, f)
    seen_g = int(state[m.HULL_G]) - 1
    seen_h = int(state[m.HULL_H]) - 1
    if topped and max(w[s.TOP_T + j], high_g) >= sight:
        seen_g = _from_rx(w, j, hull_g, x.TOP_R, s.TOP_R, _RIVAL_TOP_R, length, y_rx - lift, state, f)
    if topped and max(w[s.TOP_T + j], low_g) < sight:
        _in_sight(w, j, lines, blocks, True, s.NU_TOP, m.NU_AT_G, sight, 0.0, state, f)
    if max(w[s.BARE_T + j], high_h) > sight:
        seen_h = _from_rx(w, j, hull_h, x.BARE_R, s.BARE_R, _RIVAL_BARE_R, length, y_rx, state, f)
        if state[m.FLAT_BEST] > chord or w[s.FLAT_T + j] > 0.0:
            _above_chord(w, j, hull_h, seen_h, state, f)
    if max(w[s.BARE_T + j], low_h) <= sight:
        _in_sight(w, j, lines, blocks, False, s.NU_BARE, m.NU_AT_H, sight, 0.0, state, f)
    if f[s.C_BETA] > 0.0:
        position = seen_g if topped else seen_h
        low, high = (low_g, high_g) if topped else (low_h, high_h)
        change = f[s.C] - f[s.C_BETA]
        sight_beta = chord - f[s.C_BETA] * length
        more = change * state[(m.BEST_G if topped else m.BEST_H) + 1] * step
        if max(w[s.TOP_T_BETA + j], high + more) >= sight_beta:
            _beta_tangent(w, j, hull_g, position, margin, length, rx - lift, f)
        if max(w[s.TOP_T_BETA + j], low + more) < sight_beta:
            _in_sight(w, j, lines, blocks, True, s.NU_TOP_BETA, m.NU_AT_BETA, sight_beta, change, state, f)
