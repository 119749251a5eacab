"""What a sweep does alike for every pixel, a block of pixels at a time, in vector instructions.

Before the search along the radial: each pixel's path, the samples before its receiver and their maxima. After it:
the smooth surfaces and what stands above them. One flat array holds a block; a row of it is one quantity, and with
all rows at constant offsets of one array the compiler sees that they never overlap and turns whole loops into
vector code. Bounding a loop by BLOCK tells it that no index wraps.
"""

from __future__ import annotations

import math
from typing import Any

from rfplan.kernels import geometry as g, sweep_query as q
from rfplan.kernels._jit import jit, jit_inline
from rfplan.kernels.diffraction import NO_OBSTACLE_Q, smooth_bullington_q, sphere_clearance
from rfplan.kernels.grid_exact import RESOLUTION_M, RX_AGL_M, TX_COL, TX_ROW
from rfplan.kernels.sampling import SHORTEST_PATH_M, bilinear, nearest

BLOCK = 64

TAIL_POINTS = 5
"""Points before the receiver that are always sampled on the exact path."""

# rows, as offsets into a block's array
ROW = 0 * BLOCK
COL = 1 * BLOCK
X = 2 * BLOCK  # path length, km
STEPS = 3 * BLOCK
STEP = 4 * BLOCK  # km
DROW = 5 * BLOCK  # rows and columns a step
DCOL = 6 * BLOCK
CHORD = 7 * BLOCK  # slope between the antennas, m/km
V1 = 8 * BLOCK  # the last points' share of the least-squares sums
V2 = 9 * BLOCK
UNKNOWN = 10 * BLOCK  # not 0: one of the last points lies on unknown ground
MAXIMA = 11 * BLOCK  # eleven rows, as the maxima of `rfplan.kernels.sweep_query` from BARE_T on
SAMPLE_H = (11 + 11) * BLOCK  # ground of the last points, m, a row a point
H_RX = SAMPLE_H + TAIL_POINTS * BLOCK  # ground at the receiver, the next point
SAMPLE_R = H_RX + BLOCK  # clutter of the last points, m
FIT_T = SAMPLE_R + TAIL_POINTS * BLOCK  # least-squares surface at the ends, m
FIT_R = FIT_T + BLOCK
H1 = FIT_T + 2 * BLOCK  # antennas above the smooth surface, m
H2 = FIT_T + 3 * BLOCK
CLEARANCE = FIT_T + 4 * BLOCK
REQUIRED = FIT_T + 5 * BLOCK
SPHERE = FIT_T + 6 * BLOCK
STEP_LEFT = FIT_T + 7 * BLOCK
N_BLOCK = FIT_T + 8 * BLOCK

_BARE_T = MAXIMA + (q.BARE_T - q.BARE_T) * BLOCK
_BARE_T_AT = MAXIMA + (q.BARE_T_AT - q.BARE_T) * BLOCK
_BARE_R = MAXIMA + (q.BARE_R - q.BARE_T) * BLOCK
_BARE_R_AT = MAXIMA + (q.BARE_R_AT - q.BARE_T) * BLOCK
_TOP_T = MAXIMA + (q.TOP_T - q.BARE_T) * BLOCK
_TOP_R = MAXIMA + (q.TOP_R - q.BARE_T) * BLOCK
_TOP_T_BETA = MAXIMA + (q.TOP_T_BETA - q.BARE_T) * BLOCK
_TOP_R_BETA = MAXIMA + (q.TOP_R_BETA - q.BARE_T) * BLOCK
_ABOVE = MAXIMA + (q.ABOVE - q.BARE_T) * BLOCK
_FLAT_T = MAXIMA + (q.FLAT_T - q.BARE_T) * BLOCK
_FLAT_R = MAXIMA + (q.FLAT_R - q.BARE_T) * BLOCK
_NOWHERE = -1.0e300
_NEWTON_STEPS = 5
_NEWTON_TOLERANCE = 1e-6  # as in `sphere_clearance`


@jit_inline
def _ceil(x: Any) -> Any:
    """Smallest whole number not below x >= 0, as a float."""
    whole = float(int(x))
    return whole + 1.0 if whole < x else whole


@jit
def set_frames(w: Any, m: Any, rows: Any, cols: Any, elevation: Any, site: Any, tx: Any) -> Any:
    """Describe the paths from the transmitter, antenna at ``tx`` m above sea level, to m pixels."""
    m = min(m, BLOCK)
    for j in range(m):
        w[ROW + j] = rows[j]
        w[COL + j] = cols[j]
        w[H_RX + j] = elevation[rows[j], cols[j]]
    tx_row = site[TX_ROW]
    tx_col = site[TX_COL]
    resolution = site[RESOLUTION_M]
    rx_agl = site[RX_AGL_M]
    for j in range(m):
        dr = w[ROW + j] - tx_row
        dc = w[COL + j] - tx_col
        length = math.sqrt(dr * dr + dc * dc)
        n = max(2.0, _ceil(length - 1e-9))
        x = max(length * resolution, SHORTEST_PATH_M) * 1e-3
        per = 1.0 / n
        w[X + j] = x
        w[STEPS + j] = n
        w[STEP + j] = x * per
        w[DROW + j] = dr * per
        w[DCOL + j] = dc * per
        w[CHORD + j] = (w[H_RX + j] + rx_agl - tx) / x


@jit
def sample_tail(w: Any, m: Any, elevation: Any, clutter: Any, uniform_clutter: Any, site: Any) -> Any:
    """Sample the last points of the exact paths."""
    m = min(m, BLOCK)
    tx_row = site[TX_ROW]
    tx_col = site[TX_COL]
    for k in range(TAIL_POINTS):
        for j in range(m):
            i = w[STEPS + j] - (TAIL_POINTS - k)
            row = tx_row + i * w[DROW + j]
            col = tx_col + i * w[DCOL + j]
            w[SAMPLE_H + k * BLOCK + j] = bilinear(elevation, row, col)
        for j in range(m):
            r = uniform_clutter
            if r < 0.0:
                i = w[STEPS + j] - (TAIL_POINTS - k)
                r = float(nearest(clutter, tx_row + i * w[DROW + j], tx_col + i * w[DCOL + j]))
            w[SAMPLE_R + k * BLOCK + j] = r


@jit_inline
def _measure_point(k: Any, w: Any, m: Any, tx: Any, base: Any, rx_agl: Any, c: Any, change: Any) -> Any:
    """Take one of the last points into the maxima and sums; ``k`` is a constant where this is inlined."""
    heights = SAMPLE_H + k * BLOCK
    clutter = SAMPLE_R + k * BLOCK
    for j in range(m):
        step = w[STEP + j]
        rest = (TAIL_POINTS - k) * step
        d = w[X + j] - rest
        h = w[heights + j]
        r = w[clutter + j]
        per_d = 1.0 / d
        per_rest = 1.0 / rest
        over_tx = h - tx
        value = over_tx * per_d - c * d
        top = value + r * per_d
        seen = (h - w[H_RX + j] - rx_agl) * per_rest - c * rest
        top_seen = seen + r * per_rest
        over = over_tx - w[CHORD + j] * d
        w[UNKNOWN + j] = w[UNKNOWN + j] if h == h else 1.0
        w[_BARE_T_AT + j] = d if value > w[_BARE_T + j] else w[_BARE_T_AT + j]
        w[_BARE_T + j] = value if value > w[_BARE_T + j] else w[_BARE_T + j]
        w[_BARE_R_AT + j] = d if seen > w[_BARE_R + j] else w[_BARE_R_AT + j]
        w[_BARE_R + j] = seen if seen > w[_BARE_R + j] else w[_BARE_R + j]
        w[_ABOVE + j] = over if over > w[_ABOVE + j] else w[_ABOVE + j]
        w[_FLAT_T + j] = over * per_d if over * per_d > w[_FLAT_T + j] else w[_FLAT_T + j]
        w[_FLAT_R + j] = over * per_rest if over * per_rest > w[_FLAT_R + j] else w[_FLAT_R + j]
        w[_TOP_T + j] = top if top > w[_TOP_T + j] else w[_TOP_T + j]
        w[_TOP_R + j] = top_seen if top_seen > w[_TOP_R + j] else w[_TOP_R + j]
        top += change * d
        top_seen += change * rest
        w[_TOP_T_BETA + j] = top if top > w[_TOP_T_BETA + j] else w[_TOP_T_BETA + j]
        w[_TOP_R_BETA + j] = top_seen if top_seen > w[_TOP_R_BETA + j] else w[_TOP_R_BETA + j]
        # the trapezoid to the next point; the receiver's ground comes after the last
        h1 = w[heights + BLOCK + j] - base
        h0 = h - base
        d1 = d + step
        w[V1 + j] += step * (h1 + h0)
        w[V2 + j] += step * (h1 * (2.0 * d1 + d) + h0 * (d1 + 2.0 * d))


@jit
def measure_tail(w: Any, m: Any, tx: Any, base: Any, rx_agl: Any, c: Any, c_beta: Any) -> Any:
    """Take the last points into the maxima and the least-squares sums.

    Antenna ``tx`` and ground ``base`` of the transmitter above sea level, m; fall at both Earth radii, m/km^2.
    """
    m = min(m, BLOCK)
    for row in range(11):
        for j in range(m):
            w[MAXIMA + row * BLOCK + j] = _NOWHERE
    for j in range(m):
        w[UNKNOWN + j] = 0.0
        w[V1 + j] = 0.0
        w[V2 + j] = 0.0
    change = c - c_beta
    # one by one: with constants for rows the compiler sees that they do not overlap
    _measure_point(0, w, m, tx, base, rx_agl, c, change)
    _measure_point(1, w, m, tx, base, rx_agl, c, change)
    _measure_point(2, w, m, tx, base, rx_agl, c, change)
    _measure_point(3, w, m, tx, base, rx_agl, c, change)
    _measure_point(4, w, m, tx, base, rx_agl, c, change)


@jit
def _clearances(w: Any, m: Any, radius: Any) -> Any:
    """`sphere_clearance` of a block, with a set number of Newton steps; the last one's size into STEP_LEFT."""
    m = min(m, BLOCK)
    c = 500.0 / radius
    for j in range(m):
        x = w[X + j]
        h1 = w[H1 + j]
        h2 = w[H2 + j]
        marginal = x / (math.sqrt(h1) + math.sqrt(h2))
        marginal_radius = 500.0 * marginal * marginal
        total = h1 + h2
        cc = (h1 - h2) / total
        k = 250.0 * x * x / (radius * total)
        per = 1.0 / (k + 1.0)
        b = cc * per
        b = (cc + k * b * b * b) * per
        step = 0.0
        for _ in range(_NEWTON_STEPS):
            step = ((k * b * b - (k + 1.0)) * b + cc) / (3.0 * k * b * b - (k + 1.0))
            b = b - step
        d1 = 0.5 * x * (1.0 + b)
        d2 = x - d1
        beyond = marginal_radius >= radius
        clearance = ((h1 - c * d1 * d1) * d2 + (h2 - c * d2 * d2) * d1) / x
        w[CLEARANCE + j] = 0.0 if beyond else clearance
        w[REQUIRED + j] = 1.0 if beyond else 17.456 * math.sqrt(max(d1 * d2, 0.0) / x)
        w[SPHERE + j] = radius if beyond else marginal_radius
        w[STEP_LEFT + j] = 0.0 if beyond else abs(step)


@jit
def _smooth_heights(w: Any, m: Any, tx: Any, base: Any, rx_agl: Any) -> Any:
    """Antennas above the smooth surface of the diffraction model (P.1812-8 equations 37 and 89 to 91)."""
    m = min(m, BLOCK)
    for j in range(m):
        fit_t = w[FIT_T + j]
        fit_r = w[FIT_R + j]
        over = max(w[_ABOVE + j], 0.0)
        a_t = w[_FLAT_T + j]
        share = a_t / (a_t + w[_FLAT_R + j])
        fit_t = fit_t - over * share if over > 0.0 else fit_t
        fit_r = fit_r - over * (1.0 - share) if over > 0.0 else fit_r
        w[H1 + j] = tx - min(fit_t, base)
        w[H2 + j] = w[H_RX + j] + rx_agl - min(fit_r, w[H_RX + j])


@jit
def finish_block(w: Any, m: Any, tx: Any, base: Any, site: Any, settings: Any, out: Any, at: Any) -> Any:
    """Fill the fields of columns ``at`` onwards that follow from the smooth surface."""
    rx_agl = site[RX_AGL_M]
    _smooth_heights(w, m, tx, base, rx_agl)
    for j in range(m):
        out[g.DISTANCE_KM, at + j] = w[X + j]
        out[g.TX_AMSL_M, at + j] = tx
        out[g.RX_AMSL_M, at + j] = w[H_RX + j] + rx_agl
        out[g.RX_AGL_M, at + j] = rx_agl
        out[g.TX_SMOOTH_M, at + j] = w[H1 + j]
        out[g.RX_SMOOTH_M, at + j] = w[H2 + j]
    _above_sphere(w, m, settings[g.MEDIAN_RADIUS_KM], settings, out, at, g.Q_MEDIAN)
    if settings[g.WITH_BETA] != 0.0:
        _above_sphere(w, m, settings[g.BETA_RADIUS_KM], settings, out, at, g.Q_BETA)
    else:
        for field in range(g.Q_BETA, g.SPHERE_BETA + 1):
            out[field, at : at + m] = 0.0


@jit
def _above_sphere(w: Any, m: Any, radius: Any, settings: Any, out: Any, at: Any, first: Any) -> Any:
    """Fill the four fields behind ``first``: smooth-surface q, clearance, required clearance, radius."""
    _clearances(w, m, radius)
    nothing = w[:0]
    need = settings[g.SQRT_WAVELENGTH]
    for j in range(m):
        if w[STEP_LEFT + j] > _NEWTON_TOLERANCE:
            found = sphere_clearance(w[X + j], w[H1 + j], w[H2 + j], radius)
            w[CLEARANCE + j], w[REQUIRED + j], w[SPHERE + j] = found
        smooth = NO_OBSTACLE_Q
        if need <= 0.0 or w[CLEARANCE + j] <= w[REQUIRED + j] * need:
            c = 500.0 / radius
            smooth = smooth_bullington_q(w[X + j], w[H1 + j], w[H2 + j], c, nothing, int(w[STEPS + j]))
        out[first + 1, at + j] = smooth
        out[first + 2, at + j] = w[CLEARANCE + j]
        out[first + 3, at + j] = w[REQUIRED + j]
        out[first + 4, at + j] = w[SPHERE + j]


@jit_inline
def load_path(w: Any, j: Any, rx_agl: Any, path: Any) -> Any:
    """Copy pixel j of a block to where the search along the radial works; returns its number of steps."""
    x = w[X + j]
    n = int(w[STEPS + j])
    path[q.X] = x
    path[q.STEPS] = n
    path[q.STEP] = w[STEP + j]
    path[q.PER_STEP] = path[q.SPACING] * w[STEPS + j] / x
    path[q.DROW] = w[DROW + j]
    path[q.DCOL] = w[DCOL + j]
    path[q.CHORD] = w[CHORD + j]
    path[q.RX] = w[H_RX + j] + rx_agl
    path[q.TAIL] = n - TAIL_POINTS
    path[q.COUNT] = TAIL_POINTS
    path[q.WINDOWS] = 0.0
    path[q.UNKNOWN] = w[UNKNOWN + j]
    path[q.DOUBT] = 0.0
    for i in range(11):
        path[q.BARE_T + i] = w[MAXIMA + i * BLOCK + j]
    for k in range(TAIL_POINTS):
        h = w[SAMPLE_H + k * BLOCK + j]
        path[q.SAMPLE_D + k] = x - (TAIL_POINTS - k) * w[STEP + j]
        path[q.SAMPLE_H + k] = h
        path[q.SAMPLE_G + k] = h + w[SAMPLE_R + k * BLOCK + j]
    return n


@jit_inline
def close_sums(w: Any, j: Any, path: Any, v1: Any, v2: Any, d0: Any, h0: Any) -> Any:
    """Least-squares surface at both ends, m, from the sums up to the radial's last point (d0 km, h0 m above base)."""
    x = w[X + j]
    base = path[q.TX_GROUND]
    d = path[q.SAMPLE_D]
    h = path[q.SAMPLE_H] - base
    v1 += w[V1 + j] + (d - d0) * (h + h0)
    v2 += w[V2 + j] + (d - d0) * (h * (2.0 * d + d0) + h0 * (d + 2.0 * d0))
    fit_t = base + (2.0 * v1 * x - v2) / (x * x)
    fit_r = base + (v2 - v1 * x) / (x * x)
    w[FIT_T + j] = fit_t
    w[FIT_R + j] = fit_r
    return fit_t, fit_r


@jit_inline
def keep_obstruction(w: Any, j: Any, path: Any) -> Any:
    """Copy what obstructs a path back to its block."""
    w[_ABOVE + j] = path[q.ABOVE]
    w[_FLAT_T + j] = path[q.FLAT_T]
    w[_FLAT_R + j] = path[q.FLAT_R]
