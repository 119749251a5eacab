"""Ducting of P.1812-8 and P.452-18 for a block of paths at a time, and where it can be left out.

Equations are numbered as in P.1812-8. Ducting is blended into diffraction only where its loss, softened with that in
line of sight, is at most diffraction's (equation 60). At 50 % of time that is hardly ever so over land: half of the
finish's transcendental functions would be spent to find the total unchanged. `_may_duct` knows it beforehand.
"""

from __future__ import annotations

import math
from typing import Any

from rfplan.kernels import finish_rows as r, geometry as g, p1812 as p
from rfplan.kernels._jit import jit_fused, jit_fused_inline
from rfplan.kernels.elementary import LN2, LOG2_10, LOG2_E, LOG10_2, exp2, log2
from rfplan.kernels.finish_rows import DB20, LOG10_50

_LONGEST_KM = 50.0  # the bound of `_may_duct` holds to there


@jit_fused
def logistic(n: Any, x: Any, scale: Any, centre: Any, out: Any) -> Any:
    """1 - (1 + tanh y) / 2 = 1 / (1 + exp 2y), 2y = scale (x - centre)."""
    for j in range(n):
        out[j] = 1.0 / (1.0 + exp2(LOG2_E * scale * (x[j] - centre)))


@jit_fused
def duct_angle(n: Any, x: Any, at: Any, ar: Any, lt: Any, lr: Any, radius: Any, out: Any) -> Any:
    """Angle of the ducting model, mrad (equations 53 and 54)."""
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
        ratio = log_time + LOG10_50 - beta
        out[j] = -12.0 + (1.2 + 3.7e-3 * x[j]) * ratio + 12.0 * exp2(LOG2_10 * gamma * ratio)


@jit_fused_inline
def _shield(angle: Any, horizon: Any, root: Any) -> Any:
    over = max(angle - 0.1 * horizon, 0.0)
    return 1.0 + 0.361 * over * root * math.sqrt(horizon), over


@jit_fused
def _shields(n: Any, at: Any, ar: Any, lt: Any, lr: Any, root: Any, third: Any, out: Any) -> Any:
    """Add both terminals' site shielding, dB (equation 48)."""
    for j in range(n):
        tx, over_t = _shield(at[j], lt[j], root)
        rx, over_r = _shield(ar[j], lr[j], root)
        out[j] = out[j] + DB20 * log2(tx * rx) + 0.264 * third * (over_t + over_r)


@jit_fused
def _coupling(n: Any, coast: Any, horizon: Any, sea: Any, amsl: Any, out: Any) -> Any:
    """Add a terminal's over-sea duct coupling, dB (equation 49)."""
    for j in range(n):
        if sea[j] >= 0.75 and coast[j] <= 5.0 and coast[j] <= horizon[j]:
            out[j] -= 3.0 * math.exp(-0.25 * coast[j] * coast[j]) * (1.0 + math.tanh(0.07 * (50.0 - amsl[j])))


@jit_fused
def _duct(n: Any, horizons: Any, angle: Any, fixed: Any, per_mrad: Any, out: Any) -> Any:
    """Add the loss of ducting but for time, shielding and coupling, dB (equations 46 and 47)."""
    for j in range(n):
        out[j] += fixed + horizons[j] + per_mrad * angle[j]


@jit_fused
def _mixed(n: Any, duct: Any, los: Any, total: Any, near: Any, out: Any) -> Any:
    """Diffraction with ducting blended in, dB (equations 60 and 61); ``los`` is the loss in line of sight."""
    for j in range(n):
        high = max(duct[j], los[j])
        low = min(duct[j], los[j])
        soft = high + 2.5 * LN2 * log2(1.0 + exp2((low - high) * (LOG2_E / 2.5)))
        value = soft + (total[j] - soft) * near[j]
        out[j] = value if soft <= total[j] else total[j]


@jit_fused
def prepare_beta0(geo: Any, w: Any, n: Any) -> Any:
    """Fill TAU and LOG_B0: the time of anomalous propagation."""
    _tau(n, geo[g.INLAND_KM], w[r.TAU])
    _log_beta0(n, geo[g.LAND_KM], w[r.TAU], geo[g.LATITUDE_DEG], w[r.LOG_B0])


@jit_fused
def _prepare_ducts(geo: Any, w: Any, n: Any, parameters: Any) -> Any:
    """Fill what else of ducting is free of frequency, behind `prepare_beta0`."""
    x = geo[g.DISTANCE_KM]
    lt = geo[g.TX_HORIZON_KM]
    lr = geo[g.RX_HORIZON_KM]
    log_x = w[r.LOG_X]
    logistic(n, x, 0.15, 20.0, w[r.NEAR])
    _log_mu2(n, x, log_x, w[r.TAU], geo[g.TX_DUCT_M], geo[g.RX_DUCT_M], parameters[p.RADIUS_KM], w[r.DUCT_TIME])
    _log_mu3(n, x, lt, lr, geo[g.ROUGHNESS_M], w[r.DUCT_TIME])
    _duct_time(n, x, log_x, w[r.LOG_B0], parameters[p.LOG_TIME], w[r.DUCT_TIME])


@jit_fused_inline
def least_time_db(latitude: Any) -> Any:
    """No more than what the 50 % of time adds to the loss of ducting, dB (equation 50), to `_LONGEST_KM`.

    With r = log10 (50 / beta) it adds (1.2 + 0.0037 d) r - 12 + 12 10^(Gamma r), Gamma = 1.076 (2.0058 -
    log10 beta)^-1.012 e^-s. mu_1 to mu_3 are at most 1, so beta is at most beta_0 of mu_1 = 1 and r at least
    0.029 + 0.015 |latitude|. Where s is small, within `_LONGEST_KM`, the sum grows with r, and at the least r
    Gamma r ln 10 is at least 2.46 r / (r + 0.3069). The exponential is at least its series to the third power.
    """
    phi = min(abs(latitude), 70.0)
    y = 2.46 * (0.0289 + 0.015 * phi) / (0.3358 + 0.015 * phi)
    return 12.0 * y * (1.0 + y * (0.5 + y / 6.0))


@jit_fused
def _may_duct(n: Any, x: Any, latitude: Any, duct: Any, total: Any) -> Any:
    """Whether at 50 % of time ducting could change the total of any path; ``duct`` is its loss but for the time's."""
    found = False
    for j in range(n):
        found = found | (x[j] > _LONGEST_KM) | (duct[j] + least_time_db(latitude[j]) <= total[j] + 1e-6)
    return found


@jit_fused
def blend_ducting(
    geo: Any, w: Any, n: Any, band: Any, parameters: Any, any_sea: Any, with_beta0: Any, prepared: Any
) -> Any:
    """Fill MIXED: diffraction, TOTAL, with ducting blended in; SPARE is the loss in line of sight.

    DUCT holds what the model adds to ducting. What ducting needs of its own is filled for the first band that may
    have any, beta_0 with it if ``with_beta0``; the return value is the ``prepared`` of the next band.
    """
    third = band[p.FREQUENCY_THIRD]
    lt = geo[g.TX_HORIZON_KM]
    lr = geo[g.RX_HORIZON_KM]
    _duct(n, w[r.HORIZONS], w[r.ANGLE], band[p.DUCT_DB], 5e-5 * parameters[p.RADIUS_KM] * third, w[r.DUCT])
    angles = geo[g.TX_HORIZON_MRAD], geo[g.RX_HORIZON_MRAD]
    _shields(n, angles[0], angles[1], lt, lr, band[p.SQRT_FREQUENCY], third, w[r.DUCT])
    if any_sea:
        sea = geo[g.SEA_FRACTION]
        _coupling(n, geo[g.TX_COAST_KM], lt, sea, geo[g.TX_AMSL_M], w[r.DUCT])
        _coupling(n, geo[g.RX_COAST_KM], lr, sea, geo[g.RX_AMSL_M], w[r.DUCT])
    if parameters[p.TIME_PERCENT] >= 50.0 and not _may_duct(
        n, geo[g.DISTANCE_KM], geo[g.LATITUDE_DEG], w[r.DUCT], w[r.TOTAL]
    ):
        for j in range(n):
            w[r.MIXED, j] = w[r.TOTAL, j]
        return prepared
    if not prepared:
        if with_beta0:
            prepare_beta0(geo, w, n)
        _prepare_ducts(geo, w, n, parameters)
    for j in range(n):
        w[r.DUCT, j] += w[r.DUCT_TIME, j]
    _mixed(n, w[r.DUCT], w[r.SPARE], w[r.TOTAL], w[r.NEAR], w[r.MIXED])
    return True
