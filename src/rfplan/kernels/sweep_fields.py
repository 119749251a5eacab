"""From the maxima of a block of pixels to their columns of the geometry, in vector instructions.

The fields are those of `rfplan.kernels.geometry`, by the same equations; the few paths that need more than
straight-line arithmetic are done one by one behind the loop that finds them.
"""

from __future__ import annotations

import math
from typing import Any

from rfplan.kernels import geometry as g, sweep_rows as s, sweep_state as m
from rfplan.kernels._jit import jit, jit_fused, jit_fused_inline
from rfplan.kernels.diffraction import NO_OBSTACLE_Q, smooth_bullington_q, sphere_clearance
from rfplan.kernels.elementary import atan
from rfplan.kernels.grid_exact import TX_COL, TX_ROW, UNIFORM_ZONE, pixel_latitude
from rfplan.kernels.sampling import nearest
from rfplan.kernels.sweep_rows import field
from rfplan.kernels.sweep_zones import set_zones

_NEWTON_STEPS = 5
_LOS_STEPS = 6
_STEEP = 500.0  # m/km: beyond this `atan` does not reach
_FAR = 1e9  # beyond any point of a radial
_NEWTON_TOLERANCE = 1e-6  # as in `sphere_clearance`


@jit
def set_terminals(w: Any, n: Any, ground: Any, site: Any, uniform_clutter: Any, settings: Any) -> Any:
    """Fill the fields that describe the terminals of n paths, and the stretches of the zones."""
    n = min(n, s.BLOCK)
    _, clutter, zone, strides = ground
    uniform = int(site[UNIFORM_ZONE])
    zone_tx = uniform if uniform > 0 else int(nearest(zone, site[TX_ROW], site[TX_COL]))
    coast_t = 0.0 if zone_tx == g.SEA else settings[g.TX_COAST_SETTING_KM]
    coast_r = settings[g.RX_COAST_SETTING_KM]
    for j in range(n):
        w[field(g.LATITUDE_DEG) + j] = pixel_latitude(site, w[s.ROW + j], w[s.COL + j])
        w[field(g.TX_COAST_KM) + j] = coast_t
        w[field(g.RX_CLUTTER_M) + j] = uniform_clutter
        w[field(g.RX_ZONE) + j] = uniform
        w[field(g.RX_COAST_KM) + j] = 0.0 if uniform == g.SEA else coast_r
    if uniform > 0:
        for j in range(n):
            w[field(g.SEA_FRACTION) + j] = 1.0 if uniform == g.SEA else 0.0
            w[field(g.LAND_KM) + j] = 0.0 if uniform == g.SEA else w[s.X + j]
            w[field(g.INLAND_KM) + j] = w[s.X + j] if uniform == g.INLAND else 0.0
    else:
        set_zones(w, n, strides, site)
        for j in range(n):
            kind = zone[int(w[s.ROW + j]), int(w[s.COL + j])]
            w[field(g.RX_ZONE) + j] = kind
            w[field(g.RX_COAST_KM) + j] = 0.0 if kind == g.SEA else coast_r
    if uniform_clutter < 0.0:
        for j in range(n):
            w[field(g.RX_CLUTTER_M) + j] = clutter[int(w[s.ROW + j]), int(w[s.COL + j])]


@jit_fused
def set_surfaces(w: Any, n: Any, f: Any) -> Any:
    """Least-squares surface at the ends of n paths, and what the ducting and diffraction models make of it."""
    n = min(n, s.BLOCK)
    base = f[s.BASE]
    tx = f[s.TX]
    agl = f[s.RX_AGL]
    for j in range(n):
        x = w[s.X + j]
        d0 = w[s.D0 + j]
        h0 = w[s.H0 + j]
        d = (w[s.STEPS + j] - s.TAIL_POINTS) * w[s.STEP + j]
        h = w[s.TAIL_H + j] - base
        v1 = w[s.RADIAL_V1 + j] + w[s.TAIL_V1 + j] + (d - d0) * (h + h0)
        v2 = w[s.RADIAL_V2 + j] + w[s.TAIL_V2 + j] + (d - d0) * (h * (2.0 * d + d0) + h0 * (d + 2.0 * d0))
        per = 1.0 / (x * x)
        w[s.FIT_T + j] = base + (2.0 * v1 * x - v2) * per
        w[s.FIT_R + j] = base + (v2 - v1 * x) * per
    for j in range(n):
        h_rx = w[s.H_RX + j]
        fit_t = w[s.FIT_T + j]
        fit_r = w[s.FIT_R + j]
        surface_t = min(fit_t, base)
        surface_r = min(fit_r, h_rx)
        w[s.START + j] = surface_t
        w[s.SLOPE + j] = (surface_r - surface_t) / w[s.X + j]
        # P.1812-8 equations 37 and 89 to 91
        over = max(w[s.ABOVE + j], 0.0)
        a_t = w[s.FLAT_T + j]
        share = a_t / (a_t + w[s.FLAT_R + j])
        fit_t = fit_t - over * share if over > 0.0 else fit_t
        fit_r = fit_r - over * (1.0 - share) if over > 0.0 else fit_r
        w[s.H1 + j] = tx - min(fit_t, base)
        w[s.H2 + j] = h_rx + agl - min(fit_r, h_rx)
    for j in range(n):
        w[field(g.DISTANCE_KM) + j] = w[s.X + j]
        w[field(g.TX_AMSL_M) + j] = tx
        w[field(g.RX_AMSL_M) + j] = w[s.H_RX + j] + agl
        w[field(g.RX_AGL_M) + j] = agl
        w[field(g.TX_DUCT_M) + j] = tx - w[s.START + j]
        w[field(g.RX_DUCT_M) + j] = w[s.H_RX + j] + agl - (w[s.START + j] + w[s.SLOPE + j] * w[s.X + j])
        w[field(g.TX_SMOOTH_M) + j] = w[s.H1 + j]
        w[field(g.RX_SMOOTH_M) + j] = w[s.H2 + j]


@jit_fused
def set_horizons(w: Any, n: Any, lines: Any, blocks: Any, f: Any) -> Any:
    """Fill the horizon fields of n paths and the terrain roughness between the horizons."""
    n = min(n, s.BLOCK)
    c = f[s.C]
    for j in range(n):
        x = w[s.X + j]
        chord = w[s.CHORD + j]
        sight = chord - c * x
        beyond = w[s.BARE_T + j] > sight
        at_t = w[s.BARE_T_AT + j] if beyond else w[s.NU_BARE_AT + j]
        at_r = max(w[s.BARE_R_AT + j], at_t) if beyond else at_t
        start = w[s.START + j]
        slope = w[s.SLOPE + j]
        rough_t = w[s.BARE_T_H + j] - start - slope * w[s.BARE_T_AT + j]
        rough_r = w[s.BARE_R_H + j] - start - slope * w[s.BARE_R_AT + j]
        rough = max(rough_t, rough_r) if w[s.BARE_R_AT + j] >= at_t else rough_t
        w[s.ROUGH + j] = rough if beyond else w[s.NU_BARE_H + j] - start - slope * at_t
        slope_t = w[s.BARE_T + j] if beyond else sight
        slope_r = w[s.BARE_R + j] if beyond else -chord - c * x
        w[s.WORTH + j] = slope_t
        w[s.ASIDE + j] = slope_r
        w[s.MIDDLE + j] = at_t
        w[s.SOUGHT + j] = at_r
        w[s.INDEX + j] = 1.0 if beyond else 0.0
        w[field(g.TRANSHORIZON) + j] = w[s.INDEX + j]
        w[field(g.SLOPE_EXCESS) + j] = w[s.BARE_T + j] - sight
        w[field(g.TX_HORIZON_KM) + j] = at_t
        w[field(g.RX_HORIZON_KM) + j] = x - at_r
        w[field(g.TX_HORIZON_MRAD) + j] = 1000.0 * atan(1e-3 * slope_t)
        w[field(g.RX_HORIZON_MRAD) + j] = 1000.0 * atan(1e-3 * slope_r)
    for j in range(n):
        if abs(w[s.WORTH + j]) > _STEEP:
            w[field(g.TX_HORIZON_MRAD) + j] = g.horizon_mrad(w[s.WORTH + j])
        if abs(w[s.ASIDE + j]) > _STEEP:
            w[field(g.RX_HORIZON_MRAD) + j] = g.horizon_mrad(w[s.ASIDE + j])
    _between_horizons(w, n, f)
    for a in range(0, n, s.LANES):
        m.roughness(w[a:], lines, blocks, f[s.SPACING])
    for j in range(n):
        w[field(g.ROUGHNESS_M) + j] = w[s.ROUGH + j]


@jit_fused
def _between_horizons(w: Any, n: Any, f: Any) -> Any:
    """From the horizons' distances, MIDDLE and SOUGHT, to the radial's points between them; none in line of sight."""
    n = min(n, s.BLOCK)
    per = 1.0 / f[s.SPACING]
    for j in range(n):
        first = float(math.ceil(w[s.MIDDLE + j] * per))
        last = min(float(int(w[s.SOUGHT + j] * per)), float(int(w[s.D0 + j] * per + 0.5)))
        some = (w[s.INDEX + j] > 0.0) & (first <= last)
        w[s.MIDDLE + j] = first if some else _FAR
        w[s.SOUGHT + j] = last if some else -1.0
    for j in range(n, s.BLOCK):
        w[s.MIDDLE + j] = _FAR
        w[s.SOUGHT + j] = -1.0


@jit_fused_inline
def _point_q(slope_t: Any, slope_r: Any, rise: Any, x: Any) -> Any:
    """`bullington_point_q` without branches; ``rise`` is the receiver's height less the transmitter's."""
    b = (rise + slope_r * x) / (slope_t + slope_r)
    rest = x - b
    inside = (b > 0.0) & (rest > 0.0)
    both = b * rest if inside else 1.0
    q = (slope_t * b - rise * b / x) * math.sqrt(x / both)
    return q if inside else 0.0


@jit_fused_inline
def _obstacle_q(w: Any, n: Any, top_t: Any, top_r: Any, least: Any, c: Any, row: Any) -> Any:
    """Bullington parameter over terrain and clutter at one Earth radius; ``top_t`` to ``least`` are rows."""
    for j in range(n):
        x = w[s.X + j]
        slope_t = w[top_t + j] + c * x
        q = _point_q(slope_t, w[top_r + j] + c * x, w[s.CHORD + j] * x, x)
        w[row + j] = -math.sqrt(w[least + j]) if slope_t < w[s.CHORD + j] else q


@jit_fused
def set_obstacles(w: Any, n: Any, f: Any, settings: Any) -> Any:
    """Fill the Bullington parameters of n paths, over the terrain and over the smooth surface."""
    n = min(n, s.BLOCK)
    _obstacle_q(w, n, s.TOP_T, s.TOP_R, s.NU_TOP, f[s.C], field(g.Q_MEDIAN))
    _above_sphere(w, n, settings[g.MEDIAN_RADIUS_KM], settings[g.SQRT_WAVELENGTH], g.Q_MEDIAN)
    if settings[g.WITH_BETA] != 0.0:
        _obstacle_q(w, n, s.TOP_T_BETA, s.TOP_R_BETA, s.NU_TOP_BETA, f[s.C_BETA], field(g.Q_BETA))
        _above_sphere(w, n, settings[g.BETA_RADIUS_KM], settings[g.SQRT_WAVELENGTH], g.Q_BETA)
    else:
        for k in range(g.Q_BETA, g.SPHERE_BETA + 1):
            for j in range(n):
                w[field(k) + j] = 0.0


@jit_fused
def _clearances(w: Any, n: Any, radius: Any) -> Any:
    """`sphere_clearance` of a block, with a set number of Newton steps; the last one's size into STEP_LEFT."""
    n = min(n, s.BLOCK)
    c = 500.0 / radius
    for j in range(n):
        x = w[s.X + j]
        h1 = w[s.H1 + j]
        h2 = w[s.H2 + j]
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
        w[s.CLEARANCE + j] = 0.0 if beyond else clearance
        w[s.REQUIRED + j] = 1.0 if beyond else 17.456 * math.sqrt(max(d1 * d2, 0.0) / x)
        w[s.SPHERE + j] = radius if beyond else marginal_radius
        w[s.STEP_LEFT + j] = 0.0 if beyond else abs(step)


@jit_fused_inline
def _whole(x: Any) -> Any:
    """Whole part of a number from 0 on; 0 of what is none, as for paths left to the exact maker."""
    return float(int(min(max(0.0, x), 1e9)))


@jit_fused
def _beyond_smooth(w: Any, n: Any, radius: Any) -> Any:
    """`smooth_bullington_q` of a block beyond the smooth horizon; True where any path is within it (WORTH not 0)."""
    n = min(n, s.BLOCK)
    c = 500.0 / radius
    for j in range(n):
        x = w[s.X + j]
        h1 = w[s.H1 + j]
        h2 = w[s.H2 + j]
        step = w[s.STEP + j]
        last = w[s.STEPS + j] - 2.0
        # slopes peak beside sqrt(h / c): two neighbouring points hold the highest
        i = max(1.0, min(_whole(math.sqrt(h1 / c) / step), last))
        d = i * step
        slope_t = max(c * (x - d) - h1 / d, c * (x - d - step) - h1 / (d + step))
        i = max(1.0, min(_whole((x - math.sqrt(h2 / c)) / step), last))
        d = i * step
        slope_r = max(c * d - h2 / (x - d), c * (d + step) - h2 / (x - d - step))
        w[s.SMOOTH + j] = _point_q(slope_t, slope_r, h2 - h1, x)
        w[s.WORTH + j] = 1.0 if slope_t < (h2 - h1) / x else 0.0
    found = False
    for j in range(n):
        found = found | (w[s.WORTH + j] != 0.0)
    return found


@jit_fused_inline
def _smooth_gap(x: Any, d: Any, h1: Any, h2: Any, c: Any) -> Any:
    along = d * (x - d)
    gap = (h1 * (x - d) + h2 * d) / x - c * along
    return gap * gap * x / along


@jit_fused
def _within_smooth(w: Any, n: Any, radius: Any) -> Any:
    """The same within it, by the Newton of `smooth_los_fraction` with a set number of steps; WORTH: 2 if too few."""
    n = min(n, s.BLOCK)
    c = 500.0 / radius
    for j in range(n):
        x = w[s.X + j]
        h1 = w[s.H1 + j]
        h2 = w[s.H2 + j]
        k = c * x * x
        r1 = math.sqrt(h1)
        u = r1 / (r1 + math.sqrt(h2))
        move = 0.0
        for _ in range(_LOS_STEPS):
            value = k * (1.0 - 2.0 * u) * u * (1.0 - u) + h1 * (1.0 - u) - h2 * u
            move = value / (k * (1.0 - 6.0 * u + 6.0 * u * u) - h1 - h2)
            u = u - move
        step = w[s.STEP + j]
        found = (abs(move) < 1e-7) & (u > 0.0) & (u < 1.0)
        at = u * x / step if found else 1.0
        d = max(1.0, min(float(int(at)), w[s.STEPS + j] - 2.0)) * step
        best = min(_smooth_gap(x, d, h1, h2, c), _smooth_gap(x, d + step, h1, h2, c))
        inside = w[s.WORTH + j] != 0.0
        w[s.SMOOTH + j] = -math.sqrt(best) if inside else w[s.SMOOTH + j]
        w[s.WORTH + j] = 2.0 if inside & (not found) else 0.0


@jit_fused
def _smooth(w: Any, n: Any, radius: Any, need: Any) -> Any:
    """Smooth-surface q of a block, SMOOTH; see `_above_sphere`."""
    n = min(n, s.BLOCK)
    if _beyond_smooth(w, n, radius):
        _within_smooth(w, n, radius)
    nothing = w[:0]
    for j in range(n):
        if need > 0.0 and w[s.CLEARANCE + j] > w[s.REQUIRED + j] * need:
            w[s.SMOOTH + j] = NO_OBSTACLE_Q
        elif w[s.WORTH + j] != 0.0:
            steps = int(w[s.STEPS + j])
            w[s.SMOOTH + j] = smooth_bullington_q(w[s.X + j], w[s.H1 + j], w[s.H2 + j], 500.0 / radius, nothing, steps)


@jit_fused
def _above_sphere(w: Any, n: Any, radius: Any, need: Any, first: Any) -> Any:
    """Fill the four fields behind ``first``: smooth-surface q, clearance, required clearance, radius.

    ``need`` is the root of the longest wavelength: above it nothing needs the smooth surface; 0 if not known.
    """
    n = min(n, s.BLOCK)
    _clearances(w, n, radius)
    for j in range(n):
        if w[s.STEP_LEFT + j] > _NEWTON_TOLERANCE:
            found = sphere_clearance(w[s.X + j], w[s.H1 + j], w[s.H2 + j], radius)
            w[s.CLEARANCE + j], w[s.REQUIRED + j], w[s.SPHERE + j] = found
    near = need <= 0.0
    for j in range(n):
        near = near | (w[s.CLEARANCE + j] <= w[s.REQUIRED + j] * need)
    if not near:
        for j in range(n):
            w[s.SMOOTH + j] = NO_OBSTACLE_Q
    else:
        _smooth(w, n, radius, need)
    for j in range(n):
        w[field(first + 1) + j] = w[s.SMOOTH + j]
        w[field(first + 2) + j] = w[s.CLEARANCE + j]
        w[field(first + 3) + j] = w[s.REQUIRED + j]
        w[field(first + 4) + j] = w[s.SPHERE + j]
