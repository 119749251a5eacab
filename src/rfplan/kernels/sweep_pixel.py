"""One receiver of the sweep: from the radial's memory to a column of the geometry."""

from __future__ import annotations

import math
from typing import Any

from rfplan.kernels import geometry as g, sweep_block as block, sweep_query as q, sweep_state as m
from rfplan.kernels._jit import jit_inline
from rfplan.kernels.diffraction import bullington_point_q
from rfplan.kernels.sampling import nearest
from rfplan.kernels.sweep_block import TAIL_POINTS

SHORTEST_STEPS = TAIL_POINTS + 5
"""Shorter paths are left to the exact maker."""


@jit_inline
def set_zones(path: Any, zone: Any, uniform: Any, state: Any, out: Any, j: Any) -> Any:
    """Fill the zone fields: the radial's stretches, then the exact last points."""
    x = path[q.X]
    if uniform > 0:
        out[g.SEA_FRACTION, j] = 1.0 if uniform == g.SEA else 0.0
        out[g.LAND_KM, j] = 0.0 if uniform == g.SEA else x
        out[g.INLAND_KM, j] = x if uniform == g.INLAND else 0.0
        return
    keep = (
        state[m.SEA_KM],
        state[m.LAND_RUN],
        state[m.INLAND_RUN],
        state[m.LAND_LONGEST],
        state[m.INLAND_LONGEST],
    )
    at = (state[m.LAST] + 0.5) * path[q.SPACING]
    n = int(path[q.STEPS])
    for i in range(int(path[q.TAIL]), n + 1):
        kind = nearest(zone, path[q.TX_ROW] + i * path[q.DROW], path[q.TX_COL] + i * path[q.DCOL])
        end = min((i + 0.5) * path[q.STEP], x)
        m.extend_zone(state, kind, max(end - at, 0.0))
        at = max(at, end)
    out[g.SEA_FRACTION, j] = min(state[m.SEA_KM] / x, 1.0)
    out[g.LAND_KM, j] = state[m.LAND_LONGEST]
    out[g.INLAND_KM, j] = state[m.INLAND_LONGEST]
    state[m.SEA_KM], state[m.LAND_RUN], state[m.INLAND_RUN] = keep[0], keep[1], keep[2]
    state[m.LAND_LONGEST], state[m.INLAND_LONGEST] = keep[3], keep[4]


@jit_inline
def find_points(
    path: Any,
    elevation: Any,
    clutter: Any,
    state: Any,
    points: Any,
    blocks: Any,
    hull_h: Any,
    hull_g: Any,
    with_beta: Any,
) -> Any:
    """Sample everywhere a deciding point may be."""
    margin = q.margin_with_clutter(path)
    q.look_from_tx(m.BEST_G, q.KIND_TOP_T, q.TOP_T, margin, state, path, elevation, clutter)
    q.look_from_tx(m.BEST_H, q.KIND_BARE_T, q.BARE_T, q.MARGIN_M, state, path, elevation, clutter)
    x = path[q.X]
    last = int(state[m.LAST])
    sight = path[q.CHORD] - path[q.C] * x
    size_g = int(state[m.HULL_G])
    if path[q.TOP_T] >= sight:
        position = q.look_from_rx(
            hull_g, size_g, points, m.Y_G, q.KIND_TOP_R, q.TOP_R, margin, path, elevation, clutter
        )
    else:
        position = size_g - 1
        at = m.los_search(points, m.SLOPE_G, blocks, m.TOP_SLOPE_G, last, path[q.SPACING], x, sight, 0.0)
        q.look_at(at, q.KIND_NU_TOP, path[q.C], path, elevation, clutter)
    if with_beta:
        sight_beta = path[q.CHORD] - path[q.C_BETA] * x
        if path[q.TOP_T_BETA] >= sight_beta:
            q.look_beta_tangent(hull_g, position, points, margin, path, elevation, clutter)
        else:
            change = path[q.C] - path[q.C_BETA]
            at = m.los_search(points, m.SLOPE_G, blocks, m.TOP_SLOPE_G, last, path[q.SPACING], x, sight_beta, change)
            q.look_at(at, q.KIND_NU_TOP, path[q.C_BETA], path, elevation, clutter)
    if path[q.BARE_T] > sight:
        position = q.look_from_rx(
            hull_h,
            int(state[m.HULL_H]),
            points,
            m.Y_H,
            q.KIND_BARE_R,
            q.BARE_R,
            q.MARGIN_M,
            path,
            elevation,
            clutter,
        )
        if state[m.FLAT_BEST] > path[q.CHORD] or path[q.FLAT_T] > 0.0:
            q.look_above_chord(hull_h, position, points, path, elevation, clutter)
    else:
        at = m.los_search(points, m.SLOPE_H, blocks, m.TOP_SLOPE_H, last, path[q.SPACING], x, sight, 0.0)
        q.look_at(at, q.KIND_NU_BARE, path[q.C], path, elevation, clutter)


@jit_inline
def set_horizons(path: Any, state: Any, points: Any, blocks: Any, surface: Any, out: Any, j: Any) -> Any:
    """Fill the horizon fields and the terrain roughness between the horizons."""
    x = path[q.X]
    start, slope = surface
    sight = path[q.CHORD] - path[q.C] * x
    if path[q.BARE_T] > sight:
        at_t = path[q.BARE_T_AT]
        at_r = max(path[q.BARE_R_AT], at_t)
        out[g.TRANSHORIZON, j] = 1.0
        out[g.TX_HORIZON_MRAD, j] = g.horizon_mrad(path[q.BARE_T])
        out[g.RX_HORIZON_MRAD, j] = g.horizon_mrad(path[q.BARE_R])
        first = math.ceil(at_t / path[q.SPACING])
        last = min(int(at_r / path[q.SPACING]), int(state[m.LAST]))
        rough = m.NOWHERE
        if first <= last:
            guess = int(state[m.ROUGH_AT])
            rough, guess = m.roughness(points, blocks, first, last, path[q.SPACING], start, slope, guess)
            state[m.ROUGH_AT] = guess
        for k in range(int(path[q.COUNT])):
            d = path[q.SAMPLE_D + k]
            if at_t <= d <= at_r:
                rough = max(rough, path[q.SAMPLE_H + k] - start - slope * d)
    else:
        _, k = q.los_best(path, q.SAMPLE_H, path[q.C])
        at_t = path[q.SAMPLE_D + k]
        at_r = at_t
        out[g.TRANSHORIZON, j] = 0.0
        out[g.TX_HORIZON_MRAD, j] = g.horizon_mrad(sight)
        out[g.RX_HORIZON_MRAD, j] = g.horizon_mrad(-path[q.CHORD] - path[q.C] * x)
        rough = path[q.SAMPLE_H + k] - start - slope * at_t
    out[g.TX_HORIZON_KM, j] = at_t
    out[g.RX_HORIZON_KM, j] = x - at_r
    out[g.ROUGHNESS_M, j] = rough


@jit_inline
def bullington_q(path: Any, top_t: Any, top_r: Any, c: Any) -> Any:
    """Frequency-free Bullington parameter over terrain and clutter at one Earth radius."""
    x = path[q.X]
    if top_t + c * x < path[q.CHORD]:
        best, _ = q.los_best(path, q.SAMPLE_G, c)
        return -math.sqrt(best)
    return bullington_point_q(top_t + c * x, top_r + c * x, path[q.TX], path[q.RX], x)


@jit_inline
def pixel_geometry(
    w: Any,
    jj: Any,
    path: Any,
    elevation: Any,
    clutter: Any,
    zone: Any,
    uniform: Any,
    state: Any,
    points: Any,
    blocks: Any,
    hull_h: Any,
    hull_g: Any,
    terminal: Any,
    settings: Any,
    out: Any,
    j: Any,
) -> Any:
    """Search the radial for one pixel and fill what follows of column j of the geometry.

    Returns the doubt: 0 none, below 0 when unknown ground was met.

    Parameters
    ----------
    w, jj
        The block of pixels and the pixel's place in it (see `rfplan.kernels.sweep_block`).
    path
        The path and room for its samples (see `rfplan.kernels.sweep_query`), loaded from the block.
    elevation, clutter, zone
        The grids.
    uniform
        The zone of the whole grid, or 0.
    state, points, blocks, hull_h, hull_g
        The radial's memory, holding points up to about the first tail point.
    terminal
        (receiver's ground height, antenna above ground, clutter, zone, latitude, transmitter's antenna above
        ground, its zone).
    settings, out, j
        Geometry settings; the array to fill; its column.
    """
    h_rx, rx_agl, rx_clutter, rx_zone, latitude, tx_agl, tx_zone = terminal
    last = int(state[m.LAST])
    h_tx = path[q.TX_GROUND]
    fit_t, fit_r = block.close_sums(
        w, jj, path, state[m.V1], state[m.V2], last * path[q.SPACING], points[last, m.H] - h_tx
    )
    with_beta = settings[g.WITH_BETA] != 0.0
    find_points(path, elevation, clutter, state, points, blocks, hull_h, hull_g, with_beta)
    out[g.DISTANCE_KM, j] = path[q.X]
    out[g.RX_CLUTTER_M, j] = rx_clutter
    out[g.RX_ZONE, j] = rx_zone
    out[g.LATITUDE_DEG, j] = latitude
    out[g.TX_COAST_KM, j] = 0.0 if tx_zone == g.SEA else settings[g.TX_COAST_SETTING_KM]
    out[g.RX_COAST_KM, j] = 0.0 if rx_zone == g.SEA else settings[g.RX_COAST_SETTING_KM]
    set_zones(path, zone, uniform, state, out, j)
    surface = g.set_duct_heights(out, j, h_tx, h_rx, fit_t, fit_r, tx_agl, rx_agl)
    set_horizons(path, state, points, blocks, surface, out, j)
    out[g.Q_MEDIAN, j] = bullington_q(path, path[q.TOP_T], path[q.TOP_R], path[q.C])
    if with_beta:
        out[g.Q_BETA, j] = bullington_q(path, path[q.TOP_T_BETA], path[q.TOP_R_BETA], path[q.C_BETA])
    block.keep_obstruction(w, jj, path)
    if path[q.UNKNOWN] != 0.0:
        return -1.0
    return path[q.DOUBT]
