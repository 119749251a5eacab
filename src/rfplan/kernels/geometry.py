"""Path geometry, free of frequency: what the delta-Bullington family needs to know of a terrain profile.

One column of the geometry array is one path, one row a field below (float64, shape (N_FIELDS, n_paths)). This
module is the
exact maker: one pass over each profile. The sweep fills the same fields from its incremental state, and every
model of the
family finishes from them. Equations are those of Recommendation ITU-R P.1812-8, Annex 1 and its Attachment 1.

Fields that hold a "q" are diffraction parameters without their frequency: nu = q sqrt(0.002 / lambda).
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from rfplan.kernels._jit import jit, jit_light, jit_parallel
from rfplan.kernels.diffraction import NO_OBSTACLE_Q, bullington_point_q, smooth_bullington_q, sphere_clearance

DISTANCE_KM = 0
TX_AMSL_M = 1  # antenna heights above sea level
RX_AMSL_M = 2
RX_AGL_M = 3
RX_CLUTTER_M = 4  # representative clutter height at the receiver's own point
RX_ZONE = 5
LATITUDE_DEG = 6
SEA_FRACTION = 7  # omega
LAND_KM = 8  # d_tm: longest continuous inland and coastal stretch
INLAND_KM = 9  # d_lm: longest continuous inland stretch
TX_COAST_KM = 10  # d_ct, d_cr
RX_COAST_KM = 11
TX_HORIZON_KM = 12  # d_lt, d_lr
RX_HORIZON_KM = 13
TX_HORIZON_MRAD = 14  # theta_t, theta_r
RX_HORIZON_MRAD = 15
TX_DUCT_M = 16  # h_te, h_re of the ducting model
RX_DUCT_M = 17
ROUGHNESS_M = 18  # h_m
TX_SMOOTH_M = 19  # h_te', h_re': antennas above the smooth surface of the diffraction model
RX_SMOOTH_M = 20
TRANSHORIZON = 21  # 1 beyond the horizon of the bare terrain, 0 in line of sight
Q_MEDIAN = 22  # Bullington parameter over terrain and clutter
Q_SMOOTH_MEDIAN = 23  # the same over the smooth surface
CLEARANCE_MEDIAN = 24  # h_se, h_req / sqrt(lambda), radius of the first term: see `sphere_clearance`
REQUIRED_MEDIAN = 25
SPHERE_MEDIAN = 26
Q_BETA = 27  # the same five at the effective Earth radius exceeded for beta_0 % of time
Q_SMOOTH_BETA = 28
CLEARANCE_BETA = 29
REQUIRED_BETA = 30
SPHERE_BETA = 31
# highest slope from the transmitter to the bare, curved ground above that to the receiver, m/km (P.452-18 eq. 14, 15)
SLOPE_EXCESS = 32
N_FIELDS = 33

# settings of the geometry kernels
MEDIAN_RADIUS_KM = 0
BETA_RADIUS_KM = 1
WITH_BETA = 2  # 0: the beta fields are not wanted and stay 0
TX_COAST_SETTING_KM = 3
RX_COAST_SETTING_KM = 4
SQRT_WAVELENGTH = (
    5  # of the longest wavelength to come, sqrt(m): smooth-surface q is left out where no band can need it
)
BARE_END_KM = 6  # clutter nearer than this to either end does not count: 0, all between the ends does; infinity, none
N_SETTINGS = 7

SEA = 1
COASTAL = 3
INLAND = 4

_NOWHERE = -1.0e300


@jit_light
def zone_lengths(d: Any, zone: Any) -> Any:
    """Sea fraction, longest land and longest inland stretch of a path, km: (omega, d_tm, d_lm) (P.1812-8 section
    3.6).

    A point stands for the half steps to its neighbours, so a stretch ends halfway to the first point of
    another zone.
    """
    n = d.size - 1
    sea = 0.0
    land = 0.0
    inland = 0.0
    longest_land = 0.0
    longest_inland = 0.0
    for i in range(n + 1):
        before = 0.5 * (d[i] - d[i - 1]) if i > 0 else 0.0
        after = 0.5 * (d[i + 1] - d[i]) if i < n else 0.0
        length = before + after
        if zone[i] == SEA:
            sea += length
            land = 0.0
            inland = 0.0
        else:
            land += length
            inland = inland + length if zone[i] == INLAND else 0.0
            longest_land = max(longest_land, land)
            longest_inland = max(longest_inland, inland)
    return sea / d[n], longest_land, longest_inland


@jit_light
def finish_geometry(
    out: Any, j: Any, d: Any, n: Any, h_tx: Any, h_rx: Any, settings: Any, q_median: Any, q_beta: Any
) -> Any:
    """Fill the fields that follow from the smooth-surface heights, and the Bullington parameters.

    ``d`` holds the distances of the path's points, km; an empty array means n equal steps. ``h_tx`` and
    ``h_rx`` are the heights
    above the diffraction model's smooth surface (P.1812-8 equation 37).
    """
    x = out[DISTANCE_KM, j]
    out[TX_SMOOTH_M, j] = h_tx
    out[RX_SMOOTH_M, j] = h_rx
    radius = settings[MEDIAN_RADIUS_KM]
    clearance, required, sphere = sphere_clearance(x, h_tx, h_rx, radius)
    out[Q_MEDIAN, j] = q_median
    smooth = NO_OBSTACLE_Q
    if settings[SQRT_WAVELENGTH] <= 0.0 or clearance <= required * settings[SQRT_WAVELENGTH]:
        smooth = smooth_bullington_q(x, h_tx, h_rx, 500.0 / radius, d, n)
    out[Q_SMOOTH_MEDIAN, j] = smooth
    out[CLEARANCE_MEDIAN, j] = clearance
    out[REQUIRED_MEDIAN, j] = required
    out[SPHERE_MEDIAN, j] = sphere
    if settings[WITH_BETA] != 0.0:
        radius = settings[BETA_RADIUS_KM]
        clearance, required, sphere = sphere_clearance(x, h_tx, h_rx, radius)
        out[Q_BETA, j] = q_beta
        smooth = NO_OBSTACLE_Q
        if settings[SQRT_WAVELENGTH] <= 0.0 or clearance <= required * settings[SQRT_WAVELENGTH]:
            smooth = smooth_bullington_q(x, h_tx, h_rx, 500.0 / radius, d, n)
        out[Q_SMOOTH_BETA, j] = smooth
        out[CLEARANCE_BETA, j] = clearance
        out[REQUIRED_BETA, j] = required
        out[SPHERE_BETA, j] = sphere
    else:
        for field in range(Q_BETA, SPHERE_BETA + 1):
            out[field, j] = 0.0


@jit_light
def diffraction_smooth_heights(h_t: Any, h_r: Any, fit_t: Any, fit_r: Any, h_obs: Any, a_obt: Any, a_obr: Any) -> Any:
    """Smooth-surface heights under the terminals for the diffraction model (P.1812-8 equations 89 to 91).

    Ground heights h_t, h_r, least-squares surface fit_t, fit_r, highest obstruction above the chord and its
    slopes.
    """
    if h_obs > 0.0:
        share = a_obt / (a_obt + a_obr)
        fit_t -= h_obs * share
        fit_r -= h_obs * (1.0 - share)
    return min(fit_t, h_t), min(fit_r, h_r)


@jit_light
def set_terminals(
    out: Any,
    j: Any,
    x: Any,
    tx_amsl: Any,
    rx_amsl: Any,
    rx_agl: Any,
    rx_clutter: Any,
    zone_tx: Any,
    zone_rx: Any,
    latitude: Any,
    settings: Any,
) -> Any:
    """Fill the fields that describe the two terminals."""
    out[DISTANCE_KM, j] = x
    out[TX_AMSL_M, j] = tx_amsl
    out[RX_AMSL_M, j] = rx_amsl
    out[RX_AGL_M, j] = rx_agl
    out[RX_CLUTTER_M, j] = rx_clutter
    out[RX_ZONE, j] = zone_rx
    out[LATITUDE_DEG, j] = latitude
    out[TX_COAST_KM, j] = 0.0 if zone_tx == SEA else settings[TX_COAST_SETTING_KM]
    out[RX_COAST_KM, j] = 0.0 if zone_rx == SEA else settings[RX_COAST_SETTING_KM]


@jit_light
def set_duct_heights(out: Any, j: Any, h_t: Any, h_r: Any, fit_t: Any, fit_r: Any, tx_agl: Any, rx_agl: Any) -> Any:
    """Terminal heights of the ducting model (P.1812-8 equations 92 to 94); returns its surface (start, slope)."""
    surface_t = min(fit_t, h_t)
    surface_r = min(fit_r, h_r)
    out[TX_DUCT_M, j] = tx_agl + h_t - surface_t
    out[RX_DUCT_M, j] = rx_agl + h_r - surface_r
    return surface_t, (surface_r - surface_t) / out[DISTANCE_KM, j]


@jit_light
def horizon_mrad(slope_m_km: Any) -> Any:
    """Elevation angle, mrad, of a slope in m/km (P.1812-8 equations 77 to 82)."""
    t = 1e-3 * slope_m_km
    if abs(t) > 0.1:
        return 1000.0 * math.atan(t)
    s = t * t  # the series' next term is below 1e-13
    return 1000.0 * t * (1.0 - s * (1.0 / 3.0 - s * (0.2 - s * (1.0 / 7.0 - s * (1.0 / 9.0 - s / 11.0)))))


@jit_light
def los_minimum(d: Any, h: Any, r: Any, bare_end: Any, tx_amsl: Any, rx_amsl: Any, c: Any) -> Any:
    """Least (clearance)^2 d / (d_1 d_2) of a path in line of sight, and the last index where it occurs.

    nu = -sqrt(0.002 / lambda) sqrt of it (P.1812-8 equation 15): below the ray every nu is negative. Clutter counts
    from ``bare_end`` km of either end on.
    """
    n = d.size - 1
    x = d[n]
    best = 1.0e300
    where = 1
    slope = (rx_amsl - tx_amsl) / x
    for i in range(1, n):
        rest = x - d[i]
        along = d[i] * rest
        top = h[i] + r[i] if d[i] >= bare_end and rest >= bare_end else h[i]
        gap = tx_amsl + slope * d[i] - top - c * along
        value = gap * gap * x / along
        if value <= best:
            best = value
            where = i
    return best, where


@jit_light
def profile_geometry(
    d: Any, h: Any, r: Any, zone: Any, heights: Any, latitude: Any, settings: Any, out: Any, j: Any
) -> Any:
    """Fill column j of the geometry of one profile: the exact maker.

    Parameters
    ----------
    d, h, r, zone
        Distance from the transmitter, km; ground height, m; clutter height, m; zone: one value a point, at
        least 3 points.
    heights
        (tx_height_agl_m, rx_height_agl_m).
    latitude
        Latitude of the path's centre, degrees.
    settings, out, j
        Geometry settings; the array to fill; its column.
    """
    n = d.size - 1
    x = d[n]
    tx = h[0] + heights[0]
    rx = h[n] + heights[1]
    set_terminals(out, j, x, tx, rx, heights[1], r[n], zone[0], zone[n], latitude, settings)
    out[SEA_FRACTION, j], out[LAND_KM, j], out[INLAND_KM, j] = zone_lengths(d, zone)

    c_e = 500.0 / settings[MEDIAN_RADIUS_KM]
    c_b = 500.0 / settings[BETA_RADIUS_KM]
    bare_end = settings[BARE_END_KM]
    chord = (rx - tx) / x
    bare_t = _NOWHERE
    bare_r = _NOWHERE
    at_t = 1
    at_r = 1
    h_obs = _NOWHERE
    a_obt = _NOWHERE
    a_obr = _NOWHERE
    top_t = _NOWHERE
    top_r = _NOWHERE
    top_tb = _NOWHERE
    top_rb = _NOWHERE
    v1 = 0.0
    v2 = 0.0
    base = h[0]
    for i in range(1, n + 1):
        di = d[i]
        hi = h[i]
        step = di - d[i - 1]
        v1 += step * (hi + h[i - 1] - 2.0 * base)
        v2 += step * ((hi - base) * (2.0 * di + d[i - 1]) + (h[i - 1] - base) * (di + 2.0 * d[i - 1]))
        if i == n:
            break
        rest = x - di
        per_d = 1.0 / di
        per_rest = 1.0 / rest
        slope = (hi - tx) * per_d
        if slope - c_e * di > bare_t:
            bare_t = slope - c_e * di
            at_t = i
        back = (hi - rx) * per_rest
        if back - c_e * rest >= bare_r:
            bare_r = back - c_e * rest
            at_r = i
        above = hi - tx - chord * di
        h_obs = max(h_obs, above)
        a_obt = max(a_obt, above * per_d)
        a_obr = max(a_obr, above * per_rest)
        cover = r[i] if di >= bare_end and rest >= bare_end else 0.0
        slope += cover * per_d
        back += cover * per_rest
        top_t = max(top_t, slope - c_e * di)
        top_r = max(top_r, back - c_e * rest)
        top_tb = max(top_tb, slope - c_b * di)
        top_rb = max(top_rb, back - c_b * rest)
    fit_t = base + (2.0 * v1 * x - v2) / (x * x)
    fit_r = base + (v2 - v1 * x) / (x * x)

    if bare_t > chord - c_e * x:
        out[TRANSHORIZON, j] = 1.0
        out[TX_HORIZON_MRAD, j] = horizon_mrad(bare_t)
        out[RX_HORIZON_MRAD, j] = horizon_mrad(bare_r)
    else:
        out[TRANSHORIZON, j] = 0.0
        out[TX_HORIZON_MRAD, j] = horizon_mrad(chord - c_e * x)
        out[RX_HORIZON_MRAD, j] = horizon_mrad(-chord - c_e * x)
        _, at_t = los_minimum(d, h, r, math.inf, tx, rx, c_e)
        at_r = at_t
    out[SLOPE_EXCESS, j] = bare_t - (chord - c_e * x)
    out[TX_HORIZON_KM, j] = d[at_t]
    out[RX_HORIZON_KM, j] = x - d[at_r]

    start, slope = set_duct_heights(out, j, h[0], h[n], fit_t, fit_r, heights[0], heights[1])
    rough = _NOWHERE
    for i in range(at_t, at_r + 1):
        rough = max(rough, h[i] - start - slope * d[i])
    out[ROUGHNESS_M, j] = rough

    smooth_t, smooth_r = diffraction_smooth_heights(h[0], h[n], fit_t, fit_r, h_obs, a_obt, a_obr)
    if top_t + c_e * x < chord:
        best, _ = los_minimum(d, h, r, bare_end, tx, rx, c_e)
        q_median = -math.sqrt(best)
    else:
        q_median = bullington_point_q(top_t + c_e * x, top_r + c_e * x, tx, rx, x)
    q_beta = NO_OBSTACLE_Q
    if settings[WITH_BETA] != 0.0:
        if top_tb + c_b * x < chord:
            best, _ = los_minimum(d, h, r, bare_end, tx, rx, c_b)
            q_beta = -math.sqrt(best)
        else:
            q_beta = bullington_point_q(top_tb + c_b * x, top_rb + c_b * x, tx, rx, x)
    finish_geometry(out, j, d, n, tx - smooth_t, rx - smooth_r, settings, q_median, q_beta)


@jit_light
def _one_path(
    start: Any,
    stop: Any,
    d: Any,
    h: Any,
    r: Any,
    zone: Any,
    tx_agl: Any,
    rx_agl: Any,
    latitude: Any,
    settings: Any,
    out: Any,
    j: Any,
) -> Any:
    profile_geometry(
        d[start:stop], h[start:stop], r[start:stop], zone[start:stop], (tx_agl, rx_agl), latitude, settings, out, j
    )


@jit
def fill_geometry(
    start: Any,
    stop: Any,
    d: Any,
    h: Any,
    r: Any,
    zone: Any,
    tx_agl: Any,
    rx_agl: Any,
    latitude: Any,
    settings: Any,
    out: Any,
) -> Any:
    """Fill the geometry of a batch of paths on one thread; ``d`` in km, other arrays as in `rfplan.profile.Paths`."""
    for j in range(start.size):
        _one_path(start[j], stop[j], d, h, r, zone, tx_agl[j], rx_agl[j], latitude[j], settings, out, j)


@jit_parallel
def fill_geometry_parallel(
    start: Any,
    stop: Any,
    d: Any,
    h: Any,
    r: Any,
    zone: Any,
    tx_agl: Any,
    rx_agl: Any,
    latitude: Any,
    settings: Any,
    out: Any,
) -> Any:
    """`fill_geometry` over threads: each path owns its column."""
    for j in numba.prange(start.size):
        _one_path(start[j], stop[j], d, h, r, zone, tx_agl[j], rx_agl[j], latitude[j], settings, out, j)


def empty_geometry(n_paths: int) -> Any:
    """An unfilled geometry array for n paths."""
    return np.empty((N_FIELDS, n_paths))
