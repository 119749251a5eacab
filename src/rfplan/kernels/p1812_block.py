"""The quick road of P.1812-8: the finish for a block of paths at a time, in vector instructions.

The equations are those of `rfplan.kernels.p1812`, which is the plain road: tests hold one against the other. Each
stage is one loop over the block, reading a few rows and writing one, without branches or calls to the C library,
so that the compiler turns it into vector code. What is free of frequency is computed once for all bands. Work no
path of a block needs is left out: sea, the spherical Earth where every path clears it, ducting and the beta radius
at 50 % of time.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rfplan.kernels import geometry as g, p1812 as p
from rfplan.kernels._jit import jit_fused, jit_fused_inline
from rfplan.kernels.elementary import LN2, LOG2_10, LOG2_E, LOG10_2, exp2, log2

# rows of a block's work array
SPREAD = 0  # 10 log10 of the squared slant distance, km
RANGE = SPREAD + 1  # 20 log10 of the distance, km
THETA = SPREAD + 2
BENT = SPREAD + 3  # F_j
ANGLE = SPREAD + 4  # of the ducting model
NEAR = SPREAD + 5  # F_k
TAU = SPREAD + 6
LOG_B0 = SPREAD + 7
DUCT_TIME = SPREAD + 8
HORIZONS = SPREAD + 9  # 20 log10 (d_lt + d_lr)
FOCUS = SPREAD + 10
FACTOR = SPREAD + 11  # F_i
LOS_BETA = SPREAD + 12  # E_s beta
MEDIAN = SPREAD + 13
BETA = SPREAD + 14
SPHERE = SPREAD + 15
SMOOTH = SPREAD + 16
SPARE = SPREAD + 17
DUCT = SPREAD + 18
TOTAL = SPREAD + 19
MIXED = SPREAD + 20
LOSS_P = SPREAD + 21
LOG_X = SPREAD + 22  # binary logarithm of the distance, km
N_WORK = SPREAD + 23

_DB10 = 10.0 * LOG10_2
_DB20 = 20.0 * LOG10_2
_LOG10_50 = 1.6989700043360187


@jit_fused
def spread(n: Any, x: Any, tx: Any, rx: Any, out: Any) -> Any:
    """10 log10 of the squared slant distance, km."""
    for j in range(n):
        rise = 1e-3 * (tx[j] - rx[j])
        out[j] = _DB10 * log2(x[j] * x[j] + rise * rise)


@jit_fused
def _log_distance(n: Any, x: Any, out: Any, decibel: Any) -> Any:
    for j in range(n):
        out[j] = log2(x[j])
        decibel[j] = _DB20 * out[j]


@jit_fused
def _decibel20(n: Any, x: Any, y: Any, out: Any) -> Any:
    for j in range(n):
        out[j] = _DB20 * log2(x[j] + y[j])


@jit_fused
def _theta(n: Any, x: Any, at: Any, ar: Any, radius: Any, out: Any) -> Any:
    for j in range(n):
        out[j] = 1e3 * x[j] / radius + at[j] + ar[j]


@jit_fused
def logistic(n: Any, x: Any, scale: Any, centre: Any, out: Any) -> Any:
    """1 - (1 + tanh y) / 2 = 1 / (1 + exp 2y), 2y = scale (x - centre)."""
    for j in range(n):
        out[j] = 1.0 / (1.0 + exp2(LOG2_E * scale * (x[j] - centre)))


@jit_fused
def _angle(n: Any, x: Any, at: Any, ar: Any, lt: Any, lr: Any, radius: Any, out: Any) -> Any:
    for j in range(n):
        out[j] = 1e3 * x[j] / radius + min(at[j], 0.1 * lt[j]) + min(ar[j], 0.1 * lr[j])


@jit_fused
def _tau(n: Any, inland: Any, out: Any) -> Any:
    for j in range(n):
        out[j] = 1.0 - exp2(-LOG2_E * 4.12e-4 * exp2(2.41 * log2(inland[j] + 1e-100)))


@jit_fused
def _log_beta0(n: Any, land: Any, tau: Any, latitude: Any, out: Any) -> Any:
    for j in range(n):
        inner = exp2(-LOG2_10 * land[j] / (16.0 - 6.6 * tau[j])) + exp2(-5.0 * LOG2_10 * (0.496 + 0.354 * tau[j]))
        log_mu1 = min(0.0, 0.2 * LOG10_2 * log2(inner))
        phi = abs(latitude[j])
        low = -0.015 * phi + 1.67 + log_mu1 * (0.065 + 0.0176 * phi)
        high = 0.6201360549737576 + log_mu1 * 1.3  # log10 4.17
        out[j] = low if phi <= 70.0 else high


@jit_fused
def _log_mu2(n: Any, x: Any, log_x: Any, tau: Any, h1: Any, h2: Any, radius: Any, out: Any) -> Any:
    for j in range(n):
        alpha = max(-0.6 - 3.5e-9 * exp2(3.1 * log_x[j]) * tau[j], -3.4)
        roots = math.sqrt(h1[j]) + math.sqrt(h2[j])
        out[j] = min(LOG10_2 * alpha * log2(500.0 / radius * x[j] * x[j] / (roots * roots)), 0.0)


@jit_fused
def _log_mu3(n: Any, x: Any, lt: Any, lr: Any, rough: Any, out: Any) -> Any:
    for j in range(n):
        d = min(x[j] - lt[j] - lr[j], 40.0)
        out[j] = out[j] - 4.6e-5 * LOG2_E * LOG10_2 * max(rough[j] - 10.0, 0.0) * (43.0 + 6.0 * d)


@jit_fused
def _duct_time(n: Any, x: Any, log_x: Any, log_b0: Any, log_time: Any, out: Any) -> Any:
    # comes with log10 (mu_2 mu_3) in out
    for j in range(n):
        beta = log_b0[j] + out[j]
        shape = (9.51 - 4.8 * beta + 0.198 * beta * beta) * 1e-6 * exp2(1.13 * log_x[j])
        gamma = 1.076 * exp2(-1.012 * log2(2.0058 - beta) - LOG2_E * shape)
        ratio = log_time + _LOG10_50 - beta
        out[j] = -12.0 + (1.2 + 3.7e-3 * x[j]) * ratio + 12.0 * exp2(LOG2_10 * gamma * ratio)


@jit_fused
def _focus(n: Any, lt: Any, lr: Any, out: Any) -> Any:
    for j in range(n):
        out[j] = 2.6 * (1.0 - exp2(-0.1 * LOG2_E * (lt[j] + lr[j])))


@jit_fused
def _factor(n: Any, log_b0: Any, time: Any, quantile: Any, out: Any) -> Any:
    # I(p) / I(beta_0) above beta_0, else 1; I by P.1812-8 equations 96 and 97 for beta_0 below 50 %
    log_time = math.log10(time)
    for j in range(n):
        t = math.sqrt(-2.0 * LN2 * (LOG2_10 * (log_b0[j] - 2.0)))
        top = (0.010328 * t + 0.802853) * t + 2.515516698
        bottom = ((0.001308 * t + 0.189269) * t + 1.432788) * t + 1.0
        value = quantile / (t - top / bottom)
        out[j] = value if log_time > log_b0[j] else 1.0


@jit_fused
def _edge(n: Any, q: Any, x: Any, scale: Any, out: Any) -> Any:
    for j in range(n):
        v = q[j] * scale - 0.1
        edge = 6.9 + _DB20 * log2(math.sqrt(v * v + 1.0) + max(v, -10.0))
        edge = edge if v > -0.88 else 0.0
        out[j] = edge + (1.0 - exp2(-LOG2_E / 6.0 * edge)) * (10.0 + 0.02 * x[j])


@jit_fused_inline
def _gain(b: Any) -> Any:
    over = max(b - 1.1, 0.9)
    high = b > 2.0
    log = log2(over if high else b + 0.1 * b * b * b)
    return 17.6 * math.sqrt(over) - 0.5 * _DB10 * log - 8.0 if high else _DB20 * log


@jit_fused
def _first_term(n: Any, x: Any, h1: Any, h2: Any, radius: Any, third: Any, admittance: Any, out: Any) -> Any:
    log_admittance = math.log2(admittance)
    for j in range(n):
        log_third = log2(radius[j]) * (1.0 / 3.0)
        radius_third = exp2(log_third)
        k = admittance / radius_third
        k2 = k * k
        beta = (1.0 + 1.6 * k2 + 0.67 * k2 * k2) / (1.0 + 4.5 * k2 + 1.53 * k2 * k2)
        y = 21.88 * beta * third / (radius_third * radius_third) * x[j]
        lb = log2(y)
        far = 11.0 + _DB10 * lb - 17.6 * y
        close = -_DB20 * lb - 5.6488 * exp2(1.425 * lb)
        distance = far if y >= 1.6 else close
        scale = 0.9575 * beta * beta * third * third / radius_third
        floor = 2.0 + _DB20 * (log_admittance - log_third)
        out[j] = -distance - max(_gain(scale * h1[j]), floor) - max(_gain(scale * h2[j]), floor)


@jit_fused
def _blend(n: Any, sea: Any, wet: Any, out: Any) -> Any:
    for j in range(n):
        out[j] = sea[j] * wet[j] + (1.0 - sea[j]) * out[j]


@jit_fused
def _above_smooth(n: Any, clearance: Any, required: Any, sphere: Any, smooth: Any, scale: Any, out: Any) -> Any:
    # equation 39: the Bullington loss in out, and what the sphere adds to it
    for j in range(n):
        need = required[j] * scale
        part = max(sphere[j], 0.0) * (1.0 - clearance[j] / need)
        part = part if clearance[j] <= need else 0.0
        out[j] = out[j] + max(part - smooth[j], 0.0)


@jit_fused
def _any_below(n: Any, clearance: Any, required: Any, scale: Any) -> Any:
    found = False
    for j in range(n):
        found = found or clearance[j] <= required[j] * scale
    return found


@jit_fused
def any_above(n: Any, values: Any, limit: Any) -> Any:
    """Whether any value is above a limit."""
    found = False
    for j in range(n):
        found = found or values[j] > limit
    return found


@jit_fused_inline
def _shield(angle: Any, horizon: Any, root: Any) -> Any:
    over = max(angle - 0.1 * horizon, 0.0)
    return 1.0 + 0.361 * over * root * math.sqrt(horizon), over


@jit_fused
def shields(n: Any, at: Any, ar: Any, lt: Any, lr: Any, root: Any, third: Any, out: Any) -> Any:
    """Add both terminals' site shielding, dB (equation 48)."""
    for j in range(n):
        tx, over_t = _shield(at[j], lt[j], root)
        rx, over_r = _shield(ar[j], lr[j], root)
        out[j] = out[j] + _DB20 * log2(tx * rx) + 0.264 * third * (over_t + over_r)


@jit_fused
def coupling(n: Any, coast: Any, horizon: Any, sea: Any, amsl: Any, out: Any) -> Any:
    """Add a terminal's over-sea duct coupling, dB (equation 49)."""
    for j in range(n):
        if sea[j] >= 0.75 and coast[j] <= 5.0 and coast[j] <= horizon[j]:
            out[j] -= 3.0 * math.exp(-0.25 * coast[j] * coast[j]) * (1.0 + math.tanh(0.07 * (50.0 - amsl[j])))


@jit_fused
def duct(n: Any, horizons: Any, time: Any, angle: Any, fixed: Any, per_mrad: Any, out: Any) -> Any:
    """Loss of ducting but for shielding and coupling, dB (equations 46, 47 and 50)."""
    for j in range(n):
        out[j] = fixed + horizons[j] + per_mrad * angle[j] + time[j]


@jit_fused
def mixed(n: Any, duct: Any, los: Any, offset: Any, total: Any, near: Any, out: Any) -> Any:
    """Diffraction with ducting blended in, dB (equations 60 and 61); los + offset is the line-of-sight loss."""
    for j in range(n):
        free = los[j] + offset
        high = max(duct[j], free)
        low = min(duct[j], free)
        soft = high + 2.5 * LN2 * log2(1.0 + exp2((low - high) * (LOG2_E / 2.5)))
        value = soft + (total[j] - soft) * near[j]
        out[j] = value if soft <= total[j] else total[j]


@jit_fused
def combine(n: Any, mixed: Any, notional: Any, bent: Any, span: Any, theta: Any, fixed: Any, out: Any) -> Any:
    """Add the notional minimum and troposcatter, dB (equations 62, 44 and 63)."""
    for j in range(n):
        modified = mixed[j] + (notional[j] - mixed[j]) * bent[j]
        tropo = fixed + span[j] + 0.573 * theta[j]
        gap = abs(tropo - modified)
        out[j] = min(tropo, modified) - 5.0 * LOG10_2 * log2(1.0 + exp2(-0.2 * LOG2_10 * gap))


@jit_fused
def _finish_location(n: Any, los: Any, zone: Any, agl: Any, clutter: Any, sigma: Any, q: Any, out: Any) -> Any:
    quantile, entry, entry_sigma = q
    for j in range(n):
        share = min(max(1.0 - (agl[j] - clutter[j]) / 10.0, 0.0), 1.0)
        spread = sigma * share if zone[j] != g.SEA else 0.0
        out[j] = max(los[j], out[j] + entry - quantile * math.sqrt(spread * spread + entry_sigma * entry_sigma))


@jit_fused
def delta_bullington(geo: Any, w: Any, n: Any, first: Any, band: Any, any_sea: Any, into: Any) -> Any:
    """Diffraction loss of the general path at the Earth radius whose five fields start at ``first`` (equation 39)."""
    x = geo[g.DISTANCE_KM]
    clearance = geo[first + 2]
    required = geo[first + 3]
    _edge(n, geo[first], x, band[p.NU_SCALE], w[into])
    scale = band[p.SQRT_WAVELENGTH]
    if not _any_below(n, clearance, required, scale):
        return
    h1 = geo[g.TX_SMOOTH_M]
    h2 = geo[g.RX_SMOOTH_M]
    third = band[p.FREQUENCY_THIRD]
    _first_term(n, x, h1, h2, geo[first + 4], third, band[p.ADMITTANCE_LAND], w[SPHERE])
    if any_sea:
        _first_term(n, x, h1, h2, geo[first + 4], third, band[p.ADMITTANCE_SEA], w[SPARE])
        _blend(n, geo[g.SEA_FRACTION], w[SPARE], w[SPHERE])
    _edge(n, geo[first + 1], x, band[p.NU_SCALE], w[SMOOTH])
    _above_smooth(n, clearance, required, w[SPHERE], w[SMOOTH], scale, w[into])


@jit_fused
def prepare(geo: Any, w: Any, n: Any, parameters: Any) -> Any:
    """Fill the rows that are free of frequency."""
    x = geo[g.DISTANCE_KM]
    radius = parameters[p.RADIUS_KM]
    lt = geo[g.TX_HORIZON_KM]
    lr = geo[g.RX_HORIZON_KM]
    at = geo[g.TX_HORIZON_MRAD]
    ar = geo[g.RX_HORIZON_MRAD]
    spread(n, x, geo[g.TX_AMSL_M], geo[g.RX_AMSL_M], w[SPREAD])
    _log_distance(n, x, w[LOG_X], w[RANGE])
    _theta(n, x, at, ar, radius, w[THETA])
    _angle(n, x, at, ar, lt, lr, radius, w[ANGLE])
    logistic(n, x, 0.15, 20.0, w[NEAR])
    _decibel20(n, lt, lr, w[HORIZONS])
    _tau(n, geo[g.INLAND_KM], w[TAU])
    _log_beta0(n, geo[g.LAND_KM], w[TAU], geo[g.LATITUDE_DEG], w[LOG_B0])
    _log_mu2(n, x, w[LOG_X], w[TAU], geo[g.TX_DUCT_M], geo[g.RX_DUCT_M], radius, w[DUCT_TIME])
    _log_mu3(n, x, lt, lr, geo[g.ROUGHNESS_M], w[DUCT_TIME])
    _duct_time(n, x, w[LOG_X], w[LOG_B0], parameters[p.LOG_TIME], w[DUCT_TIME])


@jit_fused
def prepare_time(geo: Any, w: Any, n: Any, parameters: Any) -> Any:
    """Fill the rows for the share of time, behind `prepare`."""
    _focus(n, geo[g.TX_HORIZON_KM], geo[g.RX_HORIZON_KM], w[FOCUS])
    _factor(n, w[LOG_B0], parameters[p.TIME_PERCENT], parameters[p.TIME_QUANTILE], w[FACTOR])
    for j in range(n):
        w[LOS_BETA, j] = w[FOCUS, j] * (w[LOG_B0, j] - _LOG10_50)
        w[FOCUS, j] *= parameters[p.LOG_TIME]


@jit_fused
def _time_rows(geo: Any, w: Any, n: Any, rare: Any) -> Any:
    """Losses of a band for the wanted time, without free space: total in TOTAL, notional minimum in LOSS_P.

    ``rare`` is log10 of the time percentage: below log10 beta_0 the notional minimum is that of equation 59's
    other branch.
    """
    for j in range(n):
        median = w[MEDIAN, j]
        loss = median + w[FACTOR, j] * (w[BETA, j] - median)
        dry = (1.0 - geo[g.SEA_FRACTION, j]) * loss
        often = median + (w[LOS_BETA, j] + dry - median) * w[FACTOR, j]
        w[TOTAL, j] = w[FOCUS, j] + loss
        w[LOSS_P, j] = often if rare >= w[LOG_B0, j] else w[FOCUS, j] + dry


@jit_fused
def p1812_block(geo: Any, n: Any, bands: Any, parameters: Any, out: Any, at: Any) -> Any:
    """Basic transmission loss of n paths, dB, into ``out[band, at : at + n]`` (see `rfplan.kernels.finish`).

    ``bands`` and ``parameters`` are as in `rfplan.kernels.p1812`.
    """
    w = np.empty((N_WORK, geo.shape[1]))
    prepare(geo, w, n, parameters)
    logistic(n, w[THETA], 16.0, 0.3, w[BENT])
    any_sea = any_above(n, geo[g.SEA_FRACTION], 0.0)
    median_only = parameters[p.TIME_PERCENT] >= 50.0
    if not median_only:
        prepare_time(geo, w, n, parameters)
    rare = math.log10(parameters[p.TIME_PERCENT])
    location = (parameters[p.LOCATION_QUANTILE], parameters[p.ENTRY_DB], parameters[p.ENTRY_SIGMA_DB])
    plain = location[0] == 0.0 and location[1] == 0.0
    for b in range(bands.shape[0]):
        band = bands[b]
        loss = out[b, at : at + n]
        delta_bullington(geo, w, n, g.Q_MEDIAN, band, any_sea, MEDIAN)
        free = band[p.FREE_SPACE_DB]
        if median_only:
            for j in range(n):
                w[TOTAL, j] = w[MEDIAN, j] + w[SPREAD, j] + free
                w[LOSS_P, j] = w[TOTAL, j]
        else:
            delta_bullington(geo, w, n, g.Q_BETA, band, any_sea, BETA)
            _time_rows(geo, w, n, rare)
            for j in range(n):
                w[TOTAL, j] += w[SPREAD, j] + free
                w[LOSS_P, j] += w[SPREAD, j] + free
        # line of sight for the time wanted, with free space
        for j in range(n):
            w[SPARE, j] = w[SPREAD, j] + free + (0.0 if median_only else w[FOCUS, j])
        third = band[p.FREQUENCY_THIRD]
        per_mrad = 5e-5 * parameters[p.RADIUS_KM] * third
        duct(n, w[HORIZONS], w[DUCT_TIME], w[ANGLE], band[p.DUCT_DB], per_mrad, w[DUCT])
        root = band[p.SQRT_FREQUENCY]
        angles = geo[g.TX_HORIZON_MRAD], geo[g.RX_HORIZON_MRAD]
        shields(n, angles[0], angles[1], geo[g.TX_HORIZON_KM], geo[g.RX_HORIZON_KM], root, third, w[DUCT])
        if any_sea:
            sea = geo[g.SEA_FRACTION]
            coupling(n, geo[g.TX_COAST_KM], geo[g.TX_HORIZON_KM], sea, geo[g.TX_AMSL_M], w[DUCT])
            coupling(n, geo[g.RX_COAST_KM], geo[g.RX_HORIZON_KM], sea, geo[g.RX_AMSL_M], w[DUCT])
        mixed(n, w[DUCT], w[SPARE], 0.0, w[TOTAL], w[NEAR], w[MIXED])
        tropo = parameters[p.TROPO_TIME_DB] + band[p.TROPO_DB]
        combine(n, w[MIXED], w[LOSS_P], w[BENT], w[RANGE], w[THETA], tropo, loss)
        if plain:
            for j in range(n):
                loss[j] = max(w[SPARE, j], loss[j])
        else:
            zone = geo[g.RX_ZONE]
            _finish_location(n, w[SPARE], zone, geo[g.RX_AGL_M], geo[g.RX_CLUTTER_M], band[p.SIGMA_DB], location, loss)
        for j in range(n):
            loss[j] += 0.0 * geo[g.DISTANCE_KM, j]  # NaN stays NaN: exp2 holds its argument within bounds
