"""Exact geometry of pixels in vector instructions: every sample of every path, a strip of samples at a time.

Paths and samples are those of `rfplan.kernels.grid_exact`, and so is each question asked of them (see
`rfplan.kernels.geometry`). Answers differ by rounding only: reciprocals come from a table, and the sums of the
least-squares surface are added in another order. Where a border is sharp (of clutter, zones and unknown ground, and at
a sea fraction of three quarters) the very expressions of the plain maker decide.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from rfplan.kernels import geometry as g, strip_stages as s
from rfplan.kernels._jit import jit_inline, jit_light, jit_parallel
from rfplan.kernels.diffraction import NO_OBSTACLE_Q, bullington_point_q
from rfplan.kernels.grid_exact import (
    RESOLUTION_M,
    RX_AGL_M,
    TX_AGL_M,
    TX_COL,
    TX_ROW,
    UNIFORM_ZONE,
    longest_steps,
    pixel_latitude,
)
from rfplan.kernels.sampling import SHORTEST_PATH_M, bilinear, nearest, path_steps


@jit_inline
def _add_zone(runs: Any, kind: Any, length: Any) -> Any:
    """Add a stretch of one zone, km, to (sea, land run, inland run, longest land, longest inland)."""
    sea, land, inland, longest_land, longest_inland = runs
    if kind == g.SEA:
        return sea + length, 0.0, 0.0, longest_land, longest_inland
    land += length
    inland = inland + length if kind == g.INLAND else 0.0
    return sea, land, inland, max(longest_land, land), max(longest_inland, inland)


@jit_inline
def _add_zones(runs: Any, index: Any, first: Any, count: Any, zone: Any, step: Any) -> Any:
    """Take a strip's zones, each for the half steps to its neighbours, by the very expression of `zone_lengths`.

    A sea fraction of three quarters is a threshold of the ducting model: rounding must not tell the two apart.
    """
    for p in range(count):
        i = first + p
        length = 0.5 * (i * step - (i - 1) * step) + 0.5 * ((i + 1) * step - i * step)
        runs = _add_zone(runs, zone[np.uint64(index[p])], length)
    return runs


@jit_light
def _scan(
    w: Any,
    scratch: Any,
    layers: Any,
    first: Any,
    line: Any,
    shape: Any,
    path: s.Path,
    falls: Any,
    flags: Any,
    runs: Any,
) -> Any:
    """Look a strip up and measure it; returns the zones so far."""
    index, heights, taps, ground, tops, inverse = scratch
    pairs, clutter, zone = layers
    ny, nx = shape
    uniform_clutter, uniform_zone, with_beta, careful, bare_end = flags
    if careful:
        s.locate(w, index, first, line, ny, nx)
    else:
        s.locate_inside(w, index, first, line, nx)
    s.look_up(taps, index, pairs, nx)
    bare = ground[first : first + s.STRIP]
    s.interpolate(w, heights, bare)
    if uniform_clutter < 0.0 or uniform_zone <= 0:
        s.locate_nearest(index, first, line, ny, nx)
        if uniform_clutter < 0.0:
            for p in range(s.STRIP):
                w[s.R + p] = clutter[np.uint64(index[p])]
        if uniform_zone <= 0:
            runs = _add_zones(runs, index, first, min(s.STRIP, int(path[7]) - first), zone, path[1])
    if bare_end > 0.0:
        s.bare_ends(w, first, uniform_clutter, path[0], path[1], bare_end)
    over = tops[first : first + s.STRIP]
    for p in range(s.STRIP):
        over[p] = w[s.R + p]
    n = int(path[7])
    forth = inverse[s.STRIP + first : 2 * s.STRIP + first]
    back = inverse[n - first + 1 : n - first + 1 + s.STRIP]
    s.measure(w, first, bare, forth, back, path, falls[0])
    if with_beta:
        s.measure_beta(w, first, bare, forth, back, path, falls[1])
    return runs


@jit_light
def strip_geometry(
    w: Any,
    scratch: Any,
    layers: Any,
    shape: Any,
    site: Any,
    uniform_clutter: Any,
    known: Any,
    row: Any,
    col: Any,
    terminal: Any,
    settings: Any,
    out: Any,
    j: Any,
) -> Any:
    """Fill column j of the geometry with the path to a pixel; NaN over unknown ground."""
    h_tx, h_rx, clutter_rx, zone_tx, zone_rx, latitude = terminal
    drow = row - site[TX_ROW]
    dcol = col - site[TX_COL]
    length = math.sqrt(drow * drow + dcol * dcol)
    n = path_steps(length)
    line = (site[TX_ROW], site[TX_COL], drow, dcol, float(n))
    step = max(length * site[RESOLUTION_M], SHORTEST_PATH_M) / n * 1e-3
    x = n * step
    tx = h_tx + site[TX_AGL_M]
    rx = h_rx + site[RX_AGL_M]
    path = (x, step, 1.0 / step, tx, rx, (rx - tx) / x, h_tx, float(n))
    with_beta = settings[g.WITH_BETA] != 0.0
    falls = (500.0 / settings[g.MEDIAN_RADIUS_KM], 500.0 / settings[g.BETA_RADIUS_KM])
    uniform_zone = int(site[UNIFORM_ZONE])
    for p in range(2 * s.LANES):
        w[s.SUM + p] = 0.0
        w[s.R + p] = uniform_clutter
    for p in range(s.SLOPE_T, s.NU):
        w[p] = s.NOWHERE
    runs = _add_zone((0.0, 0.0, 0.0, 0.0, 0.0), zone_tx, 0.5 * step)
    last_row = max(site[TX_ROW], row)
    last_col = max(site[TX_COL], col)
    inside = min(site[TX_ROW], row) >= 0.0 and min(site[TX_COL], col) >= 0.0
    inside = inside and last_row < shape[0] - 1.5 and last_col < shape[1] - 1.5
    flags = (uniform_clutter, uniform_zone, with_beta, not (inside and known), settings[g.BARE_END_KM])
    for first in range(1, n, s.STRIP):
        runs = _scan(w, scratch, layers, first, line, shape, path, falls, flags, runs)
    total = s.fold_sum(w, s.SUM)
    if math.isnan(total + h_tx + h_rx):
        for field in range(g.N_FIELDS):
            out[field, j] = math.nan
        return
    g.set_terminals(out, j, x, tx, rx, site[RX_AGL_M], clutter_rx, zone_tx, zone_rx, latitude, settings)
    if uniform_zone > 0:
        out[g.SEA_FRACTION, j] = 1.0 if uniform_zone == g.SEA else 0.0
        out[g.LAND_KM, j] = 0.0 if uniform_zone == g.SEA else x
        out[g.INLAND_KM, j] = x if uniform_zone == g.INLAND else 0.0
    else:
        runs = _add_zone(runs, zone_rx, 0.5 * (x - (n - 1) * step))
        out[g.SEA_FRACTION, j] = runs[0] / x
        out[g.LAND_KM, j] = runs[3]
        out[g.INLAND_KM, j] = runs[4]
    rise = h_rx - h_tx
    v1 = step * (2.0 * total + rise)
    v2 = step * step * (6.0 * s.fold_sum(w, s.MOMENT) + rise * (3.0 * n - 1.0))
    ends = (h_rx, site[TX_AGL_M], site[RX_AGL_M], v1, v2)
    _finish(w, scratch, path, ends, falls, with_beta, settings, out, j)


@jit_inline
def _finish(
    w: Any, scratch: Any, path: s.Path, ends: Any, falls: Any, with_beta: Any, settings: Any, out: Any, j: Any
) -> Any:
    """Fill what follows from the maxima and sums of a whole path, as `profile_geometry` does."""
    _, _, _, ground, tops, inverse = scratch
    x, step, _, tx, rx, chord, h_tx, steps = path
    h_rx, tx_agl, rx_agl, v1, v2 = ends
    c, c_beta = falls
    n = int(steps)
    fit_t = h_tx + (2.0 * v1 * x - v2) / (x * x)
    fit_r = h_tx + (v2 - v1 * x) / (x * x)
    # where lanes are wanted after their maximum, the fold works on a copy
    for p in range(s.LANES):
        w[s.PART_COL + p] = w[s.BARE_T + p]
        w[s.PART_ROW + p] = w[s.BARE_R + p]
    bare_t = s.fold_max(w, s.PART_COL)
    bare_r = s.fold_max(w, s.PART_ROW)
    top_t = s.fold_max(w, s.TOP_T) + c * x
    top_t_beta = s.fold_max(w, s.TOP_T_BETA) + c_beta * x
    sight = chord - c * x
    beyond = bare_t > sight
    if not (beyond and top_t >= chord and (top_t_beta >= chord or not with_beta)):
        s.least_clearances(w, ground, tops, inverse, path, c, c_beta)
    if beyond:
        at_t = s.first_where(w, s.BARE_T, bare_t)
        at_r = s.last_where(w, s.BARE_R, bare_r)
        out[g.TRANSHORIZON, j] = 1.0
        out[g.TX_HORIZON_MRAD, j] = g.horizon_mrad(bare_t)
        out[g.RX_HORIZON_MRAD, j] = g.horizon_mrad(bare_r)
    else:
        at_t = s.last_where(w, s.NU, s.fold_min(w, s.NU))
        at_r = at_t
        out[g.TRANSHORIZON, j] = 0.0
        out[g.TX_HORIZON_MRAD, j] = g.horizon_mrad(sight)
        out[g.RX_HORIZON_MRAD, j] = g.horizon_mrad(-chord - c * x)
    out[g.SLOPE_EXCESS, j] = bare_t - sight
    out[g.TX_HORIZON_KM, j] = at_t * step
    out[g.RX_HORIZON_KM, j] = x - at_r * step
    start, slope = g.set_duct_heights(out, j, h_tx, h_rx, fit_t, fit_r, tx_agl, rx_agl)
    out[g.ROUGHNESS_M, j] = s.roughness(w, ground, at_t, at_r, step, start, slope)
    h_obs = s.fold_max(w, s.ABOVE)
    a_obt = s.fold_max(w, s.SLOPE_T) - chord
    a_obr = s.fold_max(w, s.SLOPE_R) + chord
    smooth_t, smooth_r = g.diffraction_smooth_heights(h_tx, h_rx, fit_t, fit_r, h_obs, a_obt, a_obr)
    if top_t < chord:
        q_median = -math.sqrt(s.fold_min(w, s.NU_TOP))
    else:
        q_median = bullington_point_q(top_t, s.fold_max(w, s.TOP_R) + c * x, tx, rx, x)
    q_beta = NO_OBSTACLE_Q
    if with_beta:
        if top_t_beta < chord:
            q_beta = -math.sqrt(s.fold_min(w, s.NU_BETA))
        else:
            q_beta = bullington_point_q(top_t_beta, s.fold_max(w, s.TOP_R_BETA) + c_beta * x, tx, rx, x)
    nothing = w[:0]
    g.finish_geometry(out, j, nothing, n, tx - smooth_t, rx - smooth_r, settings, q_median, q_beta)


@jit_parallel
def strip_pixels(
    elevation: Any,
    pairs: Any,
    clutter: Any,
    zone: Any,
    uniform_clutter: Any,
    known: Any,
    site: Any,
    rows: Any,
    cols: Any,
    settings: Any,
    out: Any,
) -> Any:
    """Geometry, shape (N_FIELDS, n), of the exact paths to pixels (rows[j], cols[j]); NaN over unknown ground.

    As `rfplan.kernels.grid_exact.exact_pixels`, for grids of at least 2 rows and columns and below 2^31 pixels.
    ``pairs`` is `neighbour_pairs` of the elevation, ``uniform_clutter`` the clutter's height where it is the same
    everywhere, else negative; ``known`` says that no ground is unknown: beside unknown ground rounding counts.
    """
    size = longest_steps(site, rows, cols)
    layers = (pairs, clutter.reshape(-1), zone.reshape(-1))
    inverse = np.ones(size + 2 * s.STRIP)  # 1 / k in place STRIP + k; samples past the receiver read around these
    for k in range(1, size):
        inverse[s.STRIP + k] = 1.0 / k
    block = 64
    for chunk in numba.prange((rows.size + block - 1) // block):
        w = np.empty(s.N_WORK)
        heights = np.empty(4 * s.STRIP, dtype=np.float32)
        scratch = (
            np.empty(s.STRIP, dtype=np.int32),
            heights,
            heights.view(np.complex64),
            np.empty(size + s.STRIP),
            np.empty(size + s.STRIP),
            inverse,
        )
        h_tx = bilinear(elevation, site[TX_ROW], site[TX_COL])
        uniform = int(site[UNIFORM_ZONE])
        zone_tx = uniform if uniform > 0 else int(nearest(zone, site[TX_ROW], site[TX_COL]))
        for j in range(chunk * block, min(rows.size, (chunk + 1) * block)):
            row = rows[j]
            col = cols[j]
            # as the path arrives there: beside unknown ground the rounding matters
            end_row = site[TX_ROW] + (row - site[TX_ROW])
            end_col = site[TX_COL] + (col - site[TX_COL])
            h_rx = bilinear(elevation, end_row, end_col)
            zone_rx = uniform if uniform > 0 else int(nearest(zone, end_row, end_col))
            clutter_rx = float(nearest(clutter, end_row, end_col))
            terminal = (h_tx, h_rx, clutter_rx, zone_tx, zone_rx, pixel_latitude(site, row, col))
            strip_geometry(
                w, scratch, layers, elevation.shape, site, uniform_clutter, known, row, col, terminal, settings, out, j
            )


def neighbour_pairs(elevation: Any) -> Any:
    """A view of a grid of float32 in which item k holds values k and k + 1 of the flat grid, as one complex number."""
    flat = elevation.reshape(-1)
    even = flat[: flat.size - flat.size % 2].view(np.complex64)
    return np.lib.stride_tricks.as_strided(even, (flat.size - 1,), (4,), writeable=False)
