"""The finish of Recommendation ITU-R P.1812-8: basic transmission loss from path geometry.

Here every term of every equation is worked out for one path and one band, by the plain road; `p1812_block` is the
quick one that grids take. Both use the tables of bands and parameters below.

Distances in km, heights in m, angles in mrad, frequencies in GHz, as in the Recommendation.
"""

from __future__ import annotations

import math
from typing import Any

from rfplan.kernels import geometry as g
from rfplan.kernels._jit import jit
from rfplan.kernels.diffraction import bullington_db, first_term_scaled_db, knife_edge_db

# what a band brings, one row a band
FREQUENCY_GHZ = 0
FREE_SPACE_DB = 1  # 92.4 + 20 log10 f
TROPO_DB = 2  # 25 log10 f - 2.5 log10(f / 2)^2
DUCT_DB = 3  # 102.45 + 20 log10 f + A_lf
FREQUENCY_THIRD = 4
SQRT_FREQUENCY = 5
NU_SCALE = 6  # sqrt(0.002 / lambda)
SQRT_WAVELENGTH = 7
ADMITTANCE_LAND = 8
ADMITTANCE_SEA = 9
SIGMA_DB = 10  # (0.52 + 0.024 f) w_a^0.28
N_BAND_FIELDS = 11

# what the model brings
TIME_PERCENT = 0
TIME_QUANTILE = 1  # I(p / 100)
LOG_TIME = 2  # log10(p / 50)
TROPO_TIME_DB = 3  # 190.1 - 0.15 N_0 - 10.125 log10(50 / p)^0.7
LOCATION_QUANTILE = 4  # I(p_L / 100), exactly 0 for 50 %
ENTRY_DB = 5  # median building entry loss
ENTRY_SIGMA_DB = 6
RADIUS_KM = 7  # median effective Earth radius a_e
N_PARAMETERS = 8

PARTS = (
    "free_space_db",
    "line_of_sight_db",
    "line_of_sight_beta_db",
    "bullington_median_db",
    "smooth_bullington_median_db",
    "spherical_median_db",
    "diffraction_median_db",
    "diffraction_beta_db",
    "diffraction_time_db",
    "diffraction_total_db",
    "ducting_db",
    "notional_los_db",
    "notional_ducting_db",
    "diffraction_ducting_db",
    "modified_db",
    "troposcatter_db",
    "combined_db",
    "location_db",
    "path_loss_db",
)
N_PARTS = len(PARTS)

_LN10 = math.log(10.0)
_PER_LN10 = 1.0 / _LN10


@jit
def inverse_normal(x: float) -> float:
    """Approximate inverse complementary cumulative normal distribution I(x) (P.1812-8 equations 96, 97)."""
    x = min(max(x, 1e-6), 0.999999)
    sign = 1.0
    if x > 0.5:
        x = 1.0 - x
        sign = -1.0
    t = math.sqrt(-2.0 * math.log(x))
    top = (0.010328 * t + 0.802853) * t + 2.515516698
    bottom = ((0.001308 * t + 0.189269) * t + 1.432788) * t + 1.0
    return sign * (t - top / bottom)


@jit
def beta0_terms(land_km: float, inland_km: float) -> tuple[float, float]:
    """The pair (tau, log10 mu_1) of P.1812-8 equations 2 and 3."""
    tau = 1.0 - math.exp(-4.12e-4 * inland_km**2.41)
    inner = math.exp(-_LN10 * land_km / (16.0 - 6.6 * tau)) + math.exp(-5.0 * _LN10 * (0.496 + 0.354 * tau))
    return tau, min(0.0, 0.2 * _PER_LN10 * math.log(inner))


@jit
def log10_beta0(latitude_deg: float, log_mu1: float) -> float:
    """log10 of beta_0, %, the incidence of anomalous propagation (P.1812-8 equations 4 and 5)."""
    phi = abs(latitude_deg)
    if phi <= 70.0:
        return -0.015 * phi + 1.67 + log_mu1 * (1.0 + (-0.935 + 0.0176 * phi))
    return math.log(4.17) * _PER_LN10 + log_mu1 * 1.3


@jit
def spherical_db(geo: Any, j: Any, first: Any, band: Any) -> Any:
    """Spherical-Earth diffraction loss, dB; ``first`` is the first of the five fields of one Earth radius."""
    clearance = geo[first + 2, j]
    need = geo[first + 3, j] * band[SQRT_WAVELENGTH]
    if clearance > need:
        return 0.0
    x = geo[g.DISTANCE_KM, j]
    h1 = geo[g.TX_SMOOTH_M, j]
    h2 = geo[g.RX_SMOOTH_M, j]
    third = math.exp(math.log(geo[first + 4, j]) / 3.0)
    sea = geo[g.SEA_FRACTION, j]
    loss = first_term_scaled_db(x, h1, h2, band[FREQUENCY_THIRD], third, band[ADMITTANCE_LAND])
    if sea > 0.0:
        wet = first_term_scaled_db(x, h1, h2, band[FREQUENCY_THIRD], third, band[ADMITTANCE_SEA])
        loss = sea * wet + (1.0 - sea) * loss
    if loss <= 0.0:
        return 0.0
    return loss * (1.0 - clearance / need)


@jit
def delta_bullington_db(geo: Any, j: Any, first: Any, band: Any) -> Any:
    """Diffraction loss of the general path at one Earth radius, dB (P.1812-8 equation 39)."""
    x = geo[g.DISTANCE_KM, j]
    actual = bullington_db(knife_edge_db(geo[first, j] * band[NU_SCALE]), x)
    sphere = spherical_db(geo, j, first, band)
    if sphere == 0.0:
        return actual
    smooth = bullington_db(knife_edge_db(geo[first + 1, j] * band[NU_SCALE]), x)
    return actual + max(sphere - smooth, 0.0)


@jit
def _shield_db(angle_mrad: Any, horizon_km: Any, band: Any) -> Any:
    """Site-shielding loss of one terminal, dB (P.1812-8 equation 48)."""
    over = angle_mrad - 0.1 * horizon_km
    if over <= 0.0:
        return 0.0
    edge = math.log(1.0 + 0.361 * over * band[SQRT_FREQUENCY] * math.sqrt(horizon_km))
    return 20.0 * _PER_LN10 * edge + 0.264 * over * band[FREQUENCY_THIRD]


@jit
def _coupling_db(coast_km: Any, horizon_km: Any, sea: Any, amsl_m: Any) -> Any:
    """Over-sea duct coupling correction of one terminal, dB (P.1812-8 equation 49)."""
    if sea < 0.75 or coast_km > 5.0 or coast_km > horizon_km:
        return 0.0
    return -3.0 * math.exp(-0.25 * coast_km * coast_km) * (1.0 + math.tanh(0.07 * (50.0 - amsl_m)))


@jit
def duct_angle(geo: Any, j: Any, radius_km: Any) -> Any:
    """Angular distance of the ducting model, mrad (P.1812-8 equations 52 and 52a)."""
    out = 1e3 * geo[g.DISTANCE_KM, j] / radius_km
    out += min(geo[g.TX_HORIZON_MRAD, j], 0.1 * geo[g.TX_HORIZON_KM, j])
    return out + min(geo[g.RX_HORIZON_MRAD, j], 0.1 * geo[g.RX_HORIZON_KM, j])


@jit
def duct_time_db(geo: Any, j: Any, tau: Any, log_b0: Any, parameters: Any) -> Any:
    """Time-percentage variability of the ducting model A(p), dB (P.1812-8 equations 53 to 56); free of frequency."""
    x = geo[g.DISTANCE_KM, j]
    i_km = min(x - geo[g.TX_HORIZON_KM, j] - geo[g.RX_HORIZON_KM, j], 40.0)
    ln_mu3 = 0.0
    if geo[g.ROUGHNESS_M, j] > 10.0:
        ln_mu3 = -4.6e-5 * (geo[g.ROUGHNESS_M, j] - 10.0) * (43.0 + 6.0 * i_km)
    ln_x = math.log(x)
    alpha = max(-0.6 - 3.5e-9 * math.exp(3.1 * ln_x) * tau, -3.4)
    roots = math.sqrt(geo[g.TX_DUCT_M, j]) + math.sqrt(geo[g.RX_DUCT_M, j])
    ln_mu2 = min(alpha * math.log(500.0 / parameters[RADIUS_KM] * x * x / (roots * roots)), 0.0)
    log_beta = log_b0 + (ln_mu2 + ln_mu3) * _PER_LN10
    shape = (9.51 - 4.8 * log_beta + 0.198 * log_beta * log_beta) * 1e-6 * math.exp(1.13 * ln_x)
    gamma = 1.076 * math.exp(-1.012 * math.log(2.0058 - log_beta) - shape)
    log_ratio = parameters[LOG_TIME] + 1.6989700043360187 - log_beta  # log10(p / beta)
    return -12.0 + (1.2 + 3.7e-3 * x) * log_ratio + 12.0 * math.exp(_LN10 * gamma * log_ratio)


@jit
def duct_fixed_db(geo: Any, j: Any, band: Any) -> Any:
    """Fixed coupling losses of the ducting model A_f, dB (P.1812-8 equation 47)."""
    lt = geo[g.TX_HORIZON_KM, j]
    lr = geo[g.RX_HORIZON_KM, j]
    total = band[DUCT_DB] + 20.0 * _PER_LN10 * math.log(lt + lr)
    total += _shield_db(geo[g.TX_HORIZON_MRAD, j], lt, band) + _shield_db(geo[g.RX_HORIZON_MRAD, j], lr, band)
    sea = geo[g.SEA_FRACTION, j]
    if sea >= 0.75:
        total += _coupling_db(geo[g.TX_COAST_KM, j], lt, sea, geo[g.TX_AMSL_M, j])
        total += _coupling_db(geo[g.RX_COAST_KM, j], lr, sea, geo[g.RX_AMSL_M, j])
    return total


@jit
def soft_maximum(a: float, b: float) -> float:
    """2.5 ln(exp(a / 2.5) + exp(b / 2.5)) without overflow (P.1812-8 equation 60)."""
    high = max(a, b)
    low = min(a, b)
    return high + 2.5 * math.log(1.0 + math.exp((low - high) / 2.5))


@jit
def location_db(geo: Any, j: Any, band: Any, parameters: Any) -> Any:
    """Building entry loss and location variability, dB (P.1812-8 sections 4.8 to 4.10)."""
    sigma = 0.0
    if geo[g.RX_ZONE, j] != g.SEA:
        above = geo[g.RX_AGL_M, j] - geo[g.RX_CLUTTER_M, j]
        sigma = band[SIGMA_DB] * min(max(1.0 - above / 10.0, 0.0), 1.0)
    entry = parameters[ENTRY_SIGMA_DB]
    return parameters[ENTRY_DB] - parameters[LOCATION_QUANTILE] * math.sqrt(sigma * sigma + entry * entry)


@jit
def p1812_parts(geo: Any, j: Any, band: Any, parameters: Any, parts: Any) -> Any:
    """Every named part of the loss of one path in one band, dB, by the plain road; see `PARTS`."""
    x = geo[g.DISTANCE_KM, j]
    p = parameters[TIME_PERCENT]
    sea = geo[g.SEA_FRACTION, j]
    tau, log_mu1 = beta0_terms(geo[g.LAND_KM, j], geo[g.INLAND_KM, j])
    log_b0 = log10_beta0(geo[g.LATITUDE_DEG, j], log_mu1)
    b0 = math.exp(_LN10 * log_b0)
    rise = (geo[g.TX_AMSL_M, j] - geo[g.RX_AMSL_M, j]) / 1000.0
    free = band[FREE_SPACE_DB] + 10.0 * _PER_LN10 * math.log(x * x + rise * rise)
    focus = 2.6 * (1.0 - math.exp(-0.1 * (geo[g.TX_HORIZON_KM, j] + geo[g.RX_HORIZON_KM, j])))
    los_p = free + focus * parameters[LOG_TIME]
    los_b = free + focus * _PER_LN10 * math.log(b0 / 50.0)
    parts[0] = free
    parts[1] = los_p
    parts[2] = los_b
    parts[3] = bullington_db(knife_edge_db(geo[g.Q_MEDIAN, j] * band[NU_SCALE]), x)
    parts[4] = bullington_db(knife_edge_db(geo[g.Q_SMOOTH_MEDIAN, j] * band[NU_SCALE]), x)
    parts[5] = spherical_db(geo, j, g.Q_MEDIAN, band)
    median = parts[3] + max(parts[5] - parts[4], 0.0)
    beta = delta_bullington_db(geo, j, g.Q_BETA, band)
    factor = parameters[TIME_QUANTILE] / inverse_normal(b0 / 100.0) if p > b0 else 1.0
    loss_p = median + factor * (beta - median) if p < 50.0 else median
    parts[6] = median
    parts[7] = beta
    parts[8] = loss_p
    total = los_p + loss_p
    parts[9] = total
    if p >= b0:
        notional = free + median + (los_b + (1.0 - sea) * loss_p - free - median) * (factor if p < 50.0 else 0.0)
    else:
        notional = los_p + (1.0 - sea) * loss_p
    angle = duct_angle(geo, j, parameters[RADIUS_KM])
    duct = duct_fixed_db(geo, j, band) + 5e-5 * parameters[RADIUS_KM] * band[FREQUENCY_THIRD] * angle
    duct += duct_time_db(geo, j, tau, log_b0, parameters)
    parts[10] = duct
    parts[11] = notional
    soft = soft_maximum(duct, los_p)
    parts[12] = soft
    near = 1.0 - 0.5 * (1.0 + math.tanh(1.5 * (x - 20.0) / 20.0))
    mixed = soft + (total - soft) * near if soft <= total else total
    parts[13] = mixed
    theta = 1e3 * x / parameters[RADIUS_KM] + geo[g.TX_HORIZON_MRAD, j] + geo[g.RX_HORIZON_MRAD, j]
    bent = 1.0 - 0.5 * (1.0 + math.tanh(2.4 * (theta - 0.3) / 0.3))
    modified = mixed + (notional - mixed) * bent
    parts[14] = modified
    tropo = parameters[TROPO_TIME_DB] + band[TROPO_DB] + 20.0 * _PER_LN10 * math.log(x) + 0.573 * theta
    parts[15] = tropo
    low = min(tropo, modified)
    parts[16] = low - 5.0 * _PER_LN10 * math.log(1.0 + math.exp(-0.2 * _LN10 * (max(tropo, modified) - low)))
    parts[17] = location_db(geo, j, band, parameters)
    parts[18] = max(los_p, parts[16] + parts[17])


@jit
def p1812_parts_pairs(geo: Any, column: Any, bands: Any, parameters: Any, out: Any) -> Any:
    """All parts of pairs as in `p1812_finish_pairs`, shape (pairs, N_PARTS)."""
    for i in range(column.size):
        p1812_parts(geo, column[i], bands[i], parameters, out[i])
