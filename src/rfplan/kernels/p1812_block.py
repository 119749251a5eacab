"""The quick road of P.1812-8: the finish for a block of paths at a time, in vector instructions.

The equations are those of `rfplan.kernels.p1812`, which is the plain road: tests hold one against the other. Each
stage is one loop over the block, reading a few rows and writing one, without branches or calls to the C library,
so that the compiler turns it into vector code. What is free of frequency is computed once for all bands. Work no
path of a block needs is left out: sea, the spherical Earth where every path clears it, the beta radius at 50 % of
time and ducting that can change no path's total.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rfplan.kernels import finish_rows as r, geometry as g, p1812 as p
from rfplan.kernels._jit import jit, jit_fused, jit_fused_inline
from rfplan.kernels.ducting_block import blend_ducting, duct_angle, logistic, prepare_beta0
from rfplan.kernels.elementary import LN2, LOG2_10, LOG2_E, LOG10_2, exp2, log2
from rfplan.kernels.finish_rows import DB20, LOG10_50

_DB10 = 10.0 * LOG10_2


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
        decibel[j] = DB20 * out[j]


@jit_fused
def _decibel20(n: Any, x: Any, y: Any, out: Any) -> Any:
    for j in range(n):
        out[j] = DB20 * log2(x[j] + y[j])


@jit_fused
def _theta(n: Any, x: Any, at: Any, ar: Any, radius: Any, out: Any) -> Any:
    for j in range(n):
        out[j] = 1e3 * x[j] / radius + at[j] + ar[j]


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
        edge = 6.9 + DB20 * log2(math.sqrt(v * v + 1.0) + max(v, -10.0))
        edge = edge if v > -0.88 else 0.0
        out[j] = edge + (1.0 - exp2(-LOG2_E / 6.0 * edge)) * (10.0 + 0.02 * x[j])


@jit_fused_inline
def _gain(b: Any) -> Any:
    over = max(b - 1.1, 0.9)
    high = b > 2.0
    log = log2(over if high else b + 0.1 * b * b * b)
    return 17.6 * math.sqrt(over) - 0.5 * _DB10 * log - 8.0 if high else DB20 * log


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
        close = -DB20 * lb - 5.6488 * exp2(1.425 * lb)
        distance = far if y >= 1.6 else close
        scale = 0.9575 * beta * beta * third * third / radius_third
        floor = 2.0 + DB20 * (log_admittance - log_third)
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
    _first_term(n, x, h1, h2, geo[first + 4], third, band[p.ADMITTANCE_LAND], w[r.SPHERE])
    if any_sea:
        _first_term(n, x, h1, h2, geo[first + 4], third, band[p.ADMITTANCE_SEA], w[r.SPARE])
        _blend(n, geo[g.SEA_FRACTION], w[r.SPARE], w[r.SPHERE])
    _edge(n, geo[first + 1], x, band[p.NU_SCALE], w[r.SMOOTH])
    _above_smooth(n, clearance, required, w[r.SPHERE], w[r.SMOOTH], scale, w[into])


@jit_fused
def prepare(geo: Any, w: Any, n: Any, parameters: Any) -> Any:
    """Fill the rows that are free of frequency and of time."""
    x = geo[g.DISTANCE_KM]
    lt = geo[g.TX_HORIZON_KM]
    lr = geo[g.RX_HORIZON_KM]
    at = geo[g.TX_HORIZON_MRAD]
    ar = geo[g.RX_HORIZON_MRAD]
    radius = parameters[p.RADIUS_KM]
    spread(n, x, geo[g.TX_AMSL_M], geo[g.RX_AMSL_M], w[r.SPREAD])
    _log_distance(n, x, w[r.LOG_X], w[r.RANGE])
    _theta(n, x, at, ar, radius, w[r.THETA])
    duct_angle(n, x, at, ar, lt, lr, radius, w[r.ANGLE])
    _decibel20(n, lt, lr, w[r.HORIZONS])


@jit_fused
def prepare_time(geo: Any, w: Any, n: Any, parameters: Any) -> Any:
    """Fill the rows for the share of time, behind `prepare` and `prepare_beta0`."""
    _focus(n, geo[g.TX_HORIZON_KM], geo[g.RX_HORIZON_KM], w[r.FOCUS])
    _factor(n, w[r.LOG_B0], parameters[p.TIME_PERCENT], parameters[p.TIME_QUANTILE], w[r.FACTOR])
    for j in range(n):
        w[r.LOS_BETA, j] = w[r.FOCUS, j] * (w[r.LOG_B0, j] - LOG10_50)
        w[r.FOCUS, j] *= parameters[p.LOG_TIME]


@jit_fused
def _time_rows(geo: Any, w: Any, n: Any, rare: Any) -> Any:
    """Losses of a band for the wanted time, without free space: total in r.TOTAL, notional minimum in r.LOSS_P.

    ``rare`` is log10 of the time percentage: below log10 beta_0 the notional minimum is that of equation 59's
    other branch.
    """
    for j in range(n):
        median = w[r.MEDIAN, j]
        loss = median + w[r.FACTOR, j] * (w[r.BETA, j] - median)
        dry = (1.0 - geo[g.SEA_FRACTION, j]) * loss
        often = median + (w[r.LOS_BETA, j] + dry - median) * w[r.FACTOR, j]
        w[r.TOTAL, j] = w[r.FOCUS, j] + loss
        w[r.LOSS_P, j] = often if rare >= w[r.LOG_B0, j] else w[r.FOCUS, j] + dry


@jit
def p1812_block(geo: Any, n: Any, bands: Any, parameters: Any, out: Any, at: Any) -> Any:
    """Basic transmission loss of n paths, dB, into ``out[band, at : at + n]`` (see `rfplan.kernels.finish`).

    ``bands`` and ``parameters`` are as in `rfplan.kernels.p1812`.
    """
    w = np.empty((r.N_WORK, geo.shape[1]))
    prepare(geo, w, n, parameters)
    logistic(n, w[r.THETA], 16.0, 0.3, w[r.BENT])
    any_sea = any_above(n, geo[g.SEA_FRACTION], 0.0)
    median_only = parameters[p.TIME_PERCENT] >= 50.0
    ducts = False
    if not median_only:
        prepare_beta0(geo, w, n)
        prepare_time(geo, w, n, parameters)
    rare = math.log10(parameters[p.TIME_PERCENT])
    location = (parameters[p.LOCATION_QUANTILE], parameters[p.ENTRY_DB], parameters[p.ENTRY_SIGMA_DB])
    plain = location[0] == 0.0 and location[1] == 0.0
    for b in range(bands.shape[0]):
        band = bands[b]
        loss = out[b, at : at + n]
        delta_bullington(geo, w, n, g.Q_MEDIAN, band, any_sea, r.MEDIAN)
        free = band[p.FREE_SPACE_DB]
        if median_only:
            for j in range(n):
                w[r.TOTAL, j] = w[r.MEDIAN, j] + w[r.SPREAD, j] + free
                w[r.LOSS_P, j] = w[r.TOTAL, j]
        else:
            delta_bullington(geo, w, n, g.Q_BETA, band, any_sea, r.BETA)
            _time_rows(geo, w, n, rare)
            for j in range(n):
                w[r.TOTAL, j] += w[r.SPREAD, j] + free
                w[r.LOSS_P, j] += w[r.SPREAD, j] + free
        # line of sight for the time wanted, with free space
        for j in range(n):
            w[r.SPARE, j] = w[r.SPREAD, j] + free + (0.0 if median_only else w[r.FOCUS, j])
        for j in range(n):
            w[r.DUCT, j] = 0.0
        ducts = blend_ducting(geo, w, n, band, parameters, any_sea, median_only, ducts)
        tropo = parameters[p.TROPO_TIME_DB] + band[p.TROPO_DB]
        combine(n, w[r.MIXED], w[r.LOSS_P], w[r.BENT], w[r.RANGE], w[r.THETA], tropo, loss)
        if plain:
            for j in range(n):
                loss[j] = max(w[r.SPARE, j], loss[j])
        else:
            agl = geo[g.RX_AGL_M]
            clutter = geo[g.RX_CLUTTER_M]
            _finish_location(n, w[r.SPARE], geo[g.RX_ZONE], agl, clutter, band[p.SIGMA_DB], location, loss)
        for j in range(n):
            loss[j] += 0.0 * geo[g.DISTANCE_KM, j]  # NaN stays NaN: exp2 holds its argument within bounds
