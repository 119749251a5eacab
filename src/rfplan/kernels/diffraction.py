"""Diffraction over one path: knife edge, Bullington, spherical Earth, delta-Bullington.

The scalar pieces that Recommendations ITU-R P.526-15 (section 4.5), P.1812-8 (section 4.3) and P.452-18
(section 4.2) share.
Distances are in km, heights in m, frequencies in GHz, effective Earth radii in km; c = 500 / a is the fall of
a sphere of radius
a below its tangent, m per km squared. Diffraction parameters travel without their frequency, q = nu /
sqrt(0.002 / lambda), so that
one geometry serves every band.
"""

from __future__ import annotations

import math
from typing import Any

from rfplan.kernels._jit import jit

LIGHT_M_GHZ = 0.2998
"""Wavelength in m times frequency in GHz, as the ITU-R Recommendations round it."""

NO_OBSTACLE_Q = -1.0e30
"""Frequency-free diffraction parameter of a path without any obstacle."""

_DB_PER_LN = 20.0 / math.log(10.0)  # 20 log10(x) = _DB_PER_LN ln(x)


@jit
def knife_edge_db(nu: float) -> float:
    """Loss over one knife edge, dB: J(nu) = 6.9 + 20 log10(sqrt((nu - 0.1)^2 + 1) + nu - 0.1), 0 for nu <= -0.78.

    P.526-15 equation 31; P.1812-8 equation 12; P.452-18 equation 13.
    """
    if not nu > -0.78:
        return 0.0
    v = nu - 0.1
    return 6.9 + _DB_PER_LN * math.log(math.sqrt(v * v + 1.0) + v)


@jit
def bullington_db(edge_db: float, distance_km: float) -> float:
    """Bullington loss of a path, dB: L + (1 - exp(-L / 6)) (10 + 0.02 d) (P.1812-8 eq. 21, P.452-18 eq. 22)."""
    if edge_db == 0.0:
        return 0.0
    return edge_db + (1.0 - math.exp(-edge_db / 6.0)) * (10.0 + 0.02 * distance_km)


@jit
def bullington_point_q(
    slope_tx: float, slope_rx: float, tx_amsl_m: float, rx_amsl_m: float, distance_km: float
) -> float:
    """Frequency-free parameter of the Bullington point of a transhorizon path.

    ``slope_tx`` and ``slope_rx`` are the highest slopes from the terminals to the curved terrain, m/km
    (P.1812-8 equations 13
    and 17). The point lies d_b = (h_rs - h_ts + S_rim d) / (S_tim + S_rim) from the transmitter (equation 18)
    and
    q = (h_ts + S_tim d_b - chord) sqrt(d / (d_b (d - d_b))) (equation 20).
    """
    b = (rx_amsl_m - tx_amsl_m + slope_rx * distance_km) / (slope_tx + slope_rx)
    rest = distance_km - b
    if not (b > 0.0 and rest > 0.0):  # slopes that meet at a terminal: a path that only grazes
        return 0.0
    height = slope_tx * b - (rx_amsl_m - tx_amsl_m) * b / distance_km
    return height * math.sqrt(distance_km / (b * rest))


@jit
def smooth_los_fraction(distance_km: float, h1: float, h2: float, c: float) -> float:
    """Fraction u = d_1 / d at which nu over a smooth sphere is highest, for a path in line of sight.

    The ray clears the sphere by h1 (1 - u) + h2 u - k u (1 - u) with k = c d^2, so nu is proportional to
    (k u (1 - u) - h1 (1 - u) - h2 u) / sqrt(u (1 - u)), concave in arcsin sqrt(u). Its stationary point,
    k (1 - 2 u) u (1 - u) + h1 (1 - u) - h2 u = 0, is found by Newton, held by bisection, from the marginal case
    u = sqrt(h1) / (sqrt(h1) + sqrt(h2)).
    """
    r1 = math.sqrt(h1)
    u = r1 / (r1 + math.sqrt(h2))
    k = c * distance_km * distance_km
    low = 0.0
    high = 1.0
    for _ in range(60):
        f = k * (1.0 - 2.0 * u) * u * (1.0 - u) + h1 * (1.0 - u) - h2 * u
        if f > 0.0:
            low = u
        else:
            high = u
        slope = k * (1.0 - 6.0 * u + 6.0 * u * u) - h1 - h2
        step = -f / slope if slope < 0.0 else 2.0
        following = u + step
        if not (following > low and following < high):
            following = 0.5 * (low + high)
        if abs(following - u) < 1e-7:
            return following
        u = following
    return u


@jit
def neighbours(position_km: float, distances_km: Any, n: int) -> int:
    """Index i in 1..n-2 (or 1) such that a position lies between interior points i and i + 1 where it can.

    ``distances_km`` holds the points' distances; an empty array means n equal steps and then position is in
    steps.
    """
    if distances_km.size == 0:
        i = math.floor(position_km)
    else:
        low = 0
        high = n
        while high - low > 1:
            middle = (low + high) >> 1
            if distances_km[middle] <= position_km:
                low = middle
            else:
                high = middle
        i = low
    return max(1, min(i, n - 2))


@jit
def smooth_bullington_q(distance_km: float, h1: float, h2: float, c: float, distances_km: Any, n: int) -> float:
    """Frequency-free Bullington parameter over a smooth sphere sampled at the profile's own points, in O(log n).

    P.1812-8 section 4.3.4 applies equations 13 to 21 to a profile of zero heights and terminals h1, h2 above
    it. Slopes
    c (d - d_i) - h1 / d_i peak beside sqrt(h1 / c), so two neighbours hold the exact discrete maximum; in line
    of sight nu is
    unimodal (see `smooth_los_fraction`).

    Parameters
    ----------
    distance_km, h1, h2, c
        Path length, km; terminal heights above the sphere, m; fall of the sphere, m/km^2.
    distances_km
        Distances of the points 0..n, km; an empty array means n equal steps.
    n
        Number of steps, at least 2.
    """
    uniform = distances_km.size == 0
    step = distance_km / n
    # highest slope from the transmitter
    at = math.sqrt(h1 / c)
    i = neighbours(at / step if uniform else at, distances_km, n)
    slope_tx = -1.0e300
    for k in range(i, min(i + 2, n)):
        d = k * step if uniform else distances_km[k]
        slope_tx = max(slope_tx, c * (distance_km - d) - h1 / d)
    if slope_tx < (h2 - h1) / distance_km:
        at = smooth_los_fraction(distance_km, h1, h2, c) * distance_km
        i = neighbours(at / step if uniform else at, distances_km, n)
        best = 1.0e300
        for k in range(i, min(i + 2, n)):
            d = k * step if uniform else distances_km[k]
            along = d * (distance_km - d)
            gap = (h1 * (distance_km - d) + h2 * d) / distance_km - c * along
            best = min(best, gap * gap * distance_km / along)
        return -math.sqrt(best)
    at = distance_km - math.sqrt(h2 / c)
    i = neighbours(at / step if uniform else at, distances_km, n)
    slope_rx = -1.0e300
    for k in range(i, min(i + 2, n)):
        d = k * step if uniform else distances_km[k]
        slope_rx = max(slope_rx, c * d - h2 / (distance_km - d))
    return bullington_point_q(slope_tx, slope_rx, h1, h2, distance_km)


@jit
def sphere_clearance(distance_km: float, h1: float, h2: float, radius_km: float) -> tuple[float, float, float]:
    """Clearance over a smooth sphere: (height, required height over sqrt(lambda), radius for the first term).

    Within the marginal distance sqrt(2 a) (sqrt(0.001 h1) + sqrt(0.001 h2)) (P.1812-8 equation 22) the least
    clearance h_se lies
    at d_1 = d (1 + b) / 2, where b solves m b^3 - (m + 1) b + c' = 0 (equations 23 and 24, here by Newton in
    place of the
    trigonometric solution); the loss is zero above h_req = 17.456 sqrt(d_1 d_2 lambda / d) (equation 25) and
    the first term
    is taken at the radius that makes the path marginal (equation 26). Beyond it: height 0, required 1 and the
    radius itself, so that the factor 1 - h_se / h_req of equation 27 is one.
    """
    r1 = math.sqrt(h1)
    r2 = math.sqrt(h2)
    marginal = distance_km / (r1 + r2)
    marginal_radius = 500.0 * marginal * marginal
    if marginal_radius >= radius_km:
        return 0.0, 1.0, radius_km
    total = h1 + h2
    cc = (h1 - h2) / total
    m = 250.0 * distance_km * distance_km / (radius_km * total)
    per = 1.0 / (m + 1.0)
    b = cc * per
    b = (cc + m * b * b * b) * per  # below the root in size, whence Newton climbs to it
    for _ in range(60):
        step = ((m * b * b - (m + 1.0)) * b + cc) / (3.0 * m * b * b - (m + 1.0))
        b = b - step
        if abs(step) < 1e-6:  # the error left is about its square
            break
    d1 = 0.5 * distance_km * (1.0 + b)
    d2 = distance_km - d1
    c = 500.0 / radius_km
    clearance = ((h1 - c * d1 * d1) * d2 + (h2 - c * d2 * d2) * d1) / distance_km
    return clearance, 17.456 * math.sqrt(d1 * d2 / distance_km), marginal_radius


@jit
def _height_gain_db(b: float) -> float:
    if b > 2.0:
        return 17.6 * math.sqrt(b - 1.1) - 0.25 * _DB_PER_LN * math.log(b - 1.1) - 8.0
    return _DB_PER_LN * math.log(b + 0.1 * b * b * b)


@jit
def first_term_db(
    distance_km: float, h1: float, h2: float, frequency_ghz: float, radius_km: float, admittance: float
) -> float:
    """First-term spherical-Earth diffraction loss over one kind of ground, dB (P.1812-8 equations 30 to 36).

    ``admittance`` is the part of the surface admittance K that does not hold the radius (see
    `surface_admittance`); equation 29 is
    K = admittance radius^(-1/3).
    """
    radius_third = math.exp(math.log(radius_km) / 3.0)
    frequency_third = math.exp(math.log(frequency_ghz) / 3.0)
    return first_term_scaled_db(distance_km, h1, h2, frequency_third, radius_third, admittance)


@jit
def first_term_scaled_db(
    distance_km: float, h1: float, h2: float, frequency_third: float, radius_third: float, admittance: float
) -> float:
    """`first_term_db` with the cube roots of frequency, GHz, and radius, km, taken beforehand."""
    k = admittance / radius_third
    k2 = k * k
    beta = (1.0 + 1.6 * k2 + 0.67 * k2 * k2) / (1.0 + 4.5 * k2 + 1.53 * k2 * k2)
    x = 21.88 * beta * frequency_third / (radius_third * radius_third) * distance_km
    scale = 0.9575 * beta * beta * frequency_third * frequency_third / radius_third
    if x >= 1.6:
        distance_db = 11.0 + 0.5 * _DB_PER_LN * math.log(x) - 17.6 * x
    else:
        ln_x = math.log(x)
        distance_db = -_DB_PER_LN * ln_x - 5.6488 * math.exp(1.425 * ln_x)
    floor_db = 2.0 + _DB_PER_LN * math.log(k)
    gain_tx = max(_height_gain_db(scale * h1), floor_db)
    gain_rx = max(_height_gain_db(scale * h2), floor_db)
    return -distance_db - gain_tx - gain_rx


@jit
def surface_admittance(permittivity: float, conductivity: float, frequency_ghz: float, vertical: bool) -> float:
    """Normalised surface admittance without its radius, K a^(1/3) (P.1812-8 equations 29a and 29b)."""
    loss = 18.0 * conductivity / frequency_ghz
    k: float = 0.036 * frequency_ghz ** (-1.0 / 3.0) * ((permittivity - 1.0) ** 2 + loss * loss) ** -0.25
    if vertical:
        k *= math.sqrt(permittivity * permittivity + loss * loss)
    return k
