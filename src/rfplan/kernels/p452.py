"""Clear-air interference loss of Recommendation ITU-R P.452-18 over path geometry.

Geometry, ducting and diffraction arithmetic are those P.452 shares with P.1812; this module adds what differs: gases,
the interpolation by slope, the troposcatter constants and the way the parts combine.
Distances in km, heights in m, angles in mrad, frequencies in GHz.
"""

from __future__ import annotations

import math
from typing import Any

import numba

from rfplan.kernels import geometry as g, p1812 as k
from rfplan.kernels._jit import jit, jit_parallel
from rfplan.kernels.diffraction import bullington_db, knife_edge_db

# Clutter does not count nearer than 50 m to either end (P.452-18, section 3, step 4). A point at 50 m counts, so
# rounding must not decide.
BARE_END_KM = 1e-3 * (50.0 - 1e-6)

PARTS = (
    "free_space_db",
    "gas_db",
    "line_of_sight_db",
    "line_of_sight_beta_db",
    "spherical_median_db",
    "diffraction_median_db",
    "diffraction_db",
    "troposcatter_db",
    "ducting_db",
    "path_loss_db",
)
N_PARTS = len(PARTS)

_LN10 = math.log(10.0)
_PER_LN10 = 1.0 / _LN10


@jit
def p452_parts(geo: Any, j: Any, band: Any, gas: Any, parameters: Any, parts: Any) -> None:
    """Every named part of the loss of one path, dB; see `PARTS`.

    ``gas`` is the specific attenuation, dB/km, along the path and through the troposcatter volume.
    """
    x = geo[g.DISTANCE_KM, j]
    p = parameters[k.TIME_PERCENT]
    sea = geo[g.SEA_FRACTION, j]
    tau, log_mu1 = k.beta0_terms(geo[g.LAND_KM, j], geo[g.INLAND_KM, j])
    log_b0 = k.log10_beta0(geo[g.LATITUDE_DEG, j], log_mu1)
    b0 = math.exp(_LN10 * log_b0)
    ratio = parameters[k.TIME_QUANTILE] / k.inverse_normal(b0 / 100.0)

    rise = (geo[g.TX_AMSL_M, j] - geo[g.RX_AMSL_M, j]) / 1000.0
    square = x * x + rise * rise
    parts[0] = band[k.FREE_SPACE_DB] + 10.0 * _PER_LN10 * math.log(square)
    parts[1] = gas[0] * math.sqrt(square)
    free = parts[0] + parts[1]
    focus = 2.6 * (1.0 - math.exp(-0.1 * (geo[g.TX_HORIZON_KM, j] + geo[g.RX_HORIZON_KM, j])))
    los_p = free + focus * parameters[k.LOG_TIME]
    los_b = free + focus * _PER_LN10 * math.log(b0 / 50.0)
    parts[2] = los_p
    parts[3] = los_b

    parts[4] = k.spherical_db(geo, j, g.Q_MEDIAN, band)
    terrain = bullington_db(knife_edge_db(geo[g.Q_MEDIAN, j] * band[k.NU_SCALE]), x)
    smooth = bullington_db(knife_edge_db(geo[g.Q_SMOOTH_MEDIAN, j] * band[k.NU_SCALE]), x)
    median = terrain + max(parts[4] - smooth, 0.0)
    loss_p = median
    if p < 50.0:
        beta = k.delta_bullington_db(geo, j, g.Q_BETA, band)
        loss_p = median + (ratio if p > b0 else 1.0) * (beta - median)
    parts[5] = median
    parts[6] = loss_p

    notional = los_p + (1.0 - sea) * loss_p
    if p >= b0:
        notional = free + median + (los_b + (1.0 - sea) * loss_p - free - median) * ratio
    angle = k.duct_angle(geo, j, parameters[k.RADIUS_KM])
    duct = k.duct_fixed_db(geo, j, band) + 5e-5 * parameters[k.RADIUS_KM] * band[k.FREQUENCY_THIRD] * angle
    duct += k.duct_time_db(geo, j, tau, log_b0, parameters) + gas[0] * x
    parts[8] = duct

    total = los_p + loss_p
    soft = k.soft_maximum(duct, los_p)
    if soft <= total:
        total = soft + (total - soft) * (1.0 - 0.5 * (1.0 + math.tanh(1.5 * (x - 20.0) / 20.0)))
    modified = total + (notional - total) * (1.0 - 0.5 * (1.0 + math.tanh(2.4 * geo[g.SLOPE_EXCESS, j] / 0.3)))
    theta = 1e3 * x / parameters[k.RADIUS_KM] + geo[g.TX_HORIZON_MRAD, j] + geo[g.RX_HORIZON_MRAD, j]
    tropo = parameters[k.TROPO_TIME_DB] + band[k.TROPO_DB] + 20.0 * _PER_LN10 * math.log(x) + 0.573 * theta
    tropo += gas[1] * x
    parts[7] = tropo
    low = min(tropo, modified)
    high = max(tropo, modified)
    parts[9] = low - 5.0 * _PER_LN10 * math.log(1.0 + math.exp(-0.2 * _LN10 * (high - low)))


@jit_parallel
def p452_finish(geo: Any, column: Any, bands: Any, gas: Any, parameters: Any, out: Any) -> None:
    """All parts of n pairs of a geometry column and a band, dB, into ``out`` of shape (n, N_PARTS)."""
    for i in numba.prange(column.size):
        p452_parts(geo, column[i], bands[i], gas[i], parameters, out[i])
