"""Availability of line-of-sight microwave hops: rain and multipath fading (Recommendation ITU-R P.530-18).

Two quantities are climatic maps of the Recommendation that are not shipped: the geoclimatic factor K with dN75, and the
rain rate R0.01 (P.837). They are parameters; `rfplan.propagation.radio_climate` reads them from maps the user has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rfplan.propagation.base import check_range, require_range
from rfplan.propagation.p676 import gas_attenuation_db
from rfplan.propagation.p838 import rain_coefficients

FloatArray = npt.NDArray[np.float64]

__all__ = [
    "Hop",
    "annual_percent_from_worst_month",
    "fade_exceeded_percent",
    "first_fresnel_radius_m",
    "hop_availability_percent",
    "multipath_occurrence_percent",
    "multipath_occurrence_quick_percent",
    "rain_fade_db",
    "rain_outage_percent",
]

_MAX_PATH_REDUCTION = 2.5


@dataclass(frozen=True)
class Hop:
    """Geometry and frequency of a microwave hop.

    Parameters
    ----------
    distance_m
        Length, m.
    frequency_mhz
        Frequency, MHz.
    tx_height_amsl_m, rx_height_amsl_m
        Antenna heights above sea level, m.
    mean_terrain_amsl_m
        Mean terrain height along the path above sea level, m, trees excluded.
    latitude_deg
        Latitude, degrees.
    tilt_deg
        Tilt of polarisation, degrees: 0 horizontal, 90 vertical.
    """

    distance_m: float
    frequency_mhz: float
    tx_height_amsl_m: float
    rx_height_amsl_m: float
    mean_terrain_amsl_m: float = 0.0
    latitude_deg: float = 21.0
    tilt_deg: float = 90.0

    def __post_init__(self) -> None:
        require_range("distance_m", self.distance_m, 1.0, 200e3, "give metres")
        require_range("frequency_mhz", self.frequency_mhz, 1e3, 100e3, "give MHz")
        for name in ("tx_height_amsl_m", "rx_height_amsl_m", "mean_terrain_amsl_m"):
            require_range(name, getattr(self, name), -500.0, 9000.0, "give metres above sea level")
        require_range("latitude_deg", self.latitude_deg, -90.0, 90.0)
        require_range("tilt_deg", self.tilt_deg, -90.0, 90.0)

    @property
    def inclination_mrad(self) -> float:
        """Magnitude of the path's inclination, mrad."""
        return abs(self.rx_height_amsl_m - self.tx_height_amsl_m) / (self.distance_m / 1e3)


def first_fresnel_radius_m(to_tx_m: npt.ArrayLike, to_rx_m: npt.ArrayLike, frequency_mhz: npt.ArrayLike) -> FloatArray:
    """Radius of the first Fresnel ellipsoid, m (P.530-18, equation 2), at distances, m, from the two ends."""
    require_range("to_tx_m", to_tx_m, 0.0, 1e6)
    require_range("to_rx_m", to_rx_m, 0.0, 1e6)
    require_range("frequency_mhz", frequency_mhz, 10.0, 300e3)
    d1, d2 = np.asarray(to_tx_m, dtype=np.float64) / 1e3, np.asarray(to_rx_m, dtype=np.float64) / 1e3
    f_ghz = np.asarray(frequency_mhz, dtype=np.float64) / 1e3
    return np.asarray(17.3 * np.sqrt(d1 * d2 / (f_ghz * (d1 + d2))))


def multipath_occurrence_percent(hop: Hop, *, geoclimatic_factor: float, dn75: float) -> float:
    """Multipath occurrence factor p0 of the average worst month, % (P.530-18, section 2.3.1).

    Parameters
    ----------
    hop
        The hop.
    geoclimatic_factor
        K at the path's centre, from the Recommendation's map of lg K.
    dn75
        Empirical refractivity increase over the lowest 75 m exceeded for 0.1 % of the average worst month, N-units,
        from the Recommendation's map.

    Returns
    -------
    float
        p0, %; can exceed 100. Meaningful from 5 km up.

    Raises
    ------
    ParameterError
        When an argument is impossible.

    Warns
    -----
    ValidityWarning
        When the frequency is outside 15/d (d in km) to 45 GHz.
    """
    require_range("geoclimatic_factor", geoclimatic_factor, 1e-12, 1.0)
    require_range("dn75", dn75, 0.0, 1000.0)
    d, f = hop.distance_m / 1e3, hop.frequency_mhz / 1e3
    check_range("frequency_mhz", hop.frequency_mhz, 15e3 / d, 45e3, "P.530-18 section 2.3.1")
    clearance = (hop.tx_height_amsl_m + hop.rx_height_amsl_m) / 2.0 - d**2 / 102.0 - hop.mean_terrain_amsl_m
    surface = min((dn75 / 50.0) ** 1.8 * np.exp(-clearance / (2.5 * np.sqrt(d))), dn75 * d**1.5 * np.sqrt(f) / 24730.0)
    lowest = min(hop.tx_height_amsl_m, hop.rx_height_amsl_m)
    exponent = (
        -0.376 * np.tanh((clearance - 147.0) / 125.0)
        - 0.334 * hop.inclination_mrad**0.39
        - 0.00027 * lowest
        + 17.85 * surface
    )
    return float(geoclimatic_factor * d**3.51 * (f**2 + 13.0) ** 0.447 * 10.0**exponent)


def multipath_occurrence_quick_percent(hop: Hop, *, dn1: float) -> float:
    """Multipath occurrence factor p0 of the average worst month, %, as P.530-17 plans without terrain data.

    Earlier edition (P.530-17, equations 5 and 8), kept because it needs one climatic number only.

    Parameters
    ----------
    hop
        The hop.
    dn1
        Point refractivity gradient in the lowest 65 m not exceeded for 1 % of an average year, N-units/km (P.453);
        negative.

    Returns
    -------
    float
        p0, %; can exceed 100.

    Raises
    ------
    ParameterError
        When an argument is impossible.
    """
    require_range("dn1", dn1, -2000.0, 0.0, "a gradient per kilometre, negative")
    d, f = hop.distance_m / 1e3, hop.frequency_mhz / 1e3
    lowest = min(hop.tx_height_amsl_m, hop.rx_height_amsl_m)
    factor = 10.0 ** (-4.6 - 0.0027 * dn1)
    slope = (1.0 + hop.inclination_mrad) ** -1.29
    return float(factor * d**3.1 * slope * f**0.8 * 10.0 ** (-0.00089 * lowest))


def fade_exceeded_percent(fade_db: npt.ArrayLike, occurrence_percent: float) -> FloatArray:
    """Share of the average worst month in which multipath fades deeper, % (P.530-18, section 2.3.2).

    Parameters
    ----------
    fade_db
        Fade depth, dB, not negative.
    occurrence_percent
        Multipath occurrence factor p0, %, above 0 and at most 2000.

    Returns
    -------
    ndarray
        %, in the shape of ``fade_db``. Shallow fades are interpolated to 63.2 % at 0 dB.

    Raises
    ------
    ParameterError
        When an argument is impossible.
    """
    require_range("fade_db", fade_db, 0.0, 300.0)
    require_range("occurrence_percent", occurrence_percent, 1e-12, 2000.0)
    depth = np.asarray(fade_db, dtype=np.float64)
    p0 = occurrence_percent
    transition = 25.0 + 1.2 * np.log10(p0)
    at_transition = p0 * 10.0 ** (-transition / 10.0)

    def bend(a: FloatArray | float) -> FloatArray:
        return np.asarray((1.0 + 0.3 * 10.0 ** (-np.asarray(a) / 20.0)) * 10.0 ** (-0.016 * np.asarray(a)))

    def lift(a: FloatArray | float) -> FloatArray:
        return np.asarray(4.3 * (10.0 ** (-np.asarray(a) / 20.0) + np.asarray(a) / 800.0))

    q_prime = -20.0 * np.log10(-np.log1p(-at_transition / 100.0)) / transition
    q_t = (q_prime - 2.0) / bend(transition) - lift(transition)
    q = 2.0 + bend(depth) * (q_t + lift(depth))
    shallow = -100.0 * np.expm1(-(10.0 ** (-q * depth / 20.0)))
    return np.where(depth >= transition, p0 * 10.0 ** (-depth / 10.0), shallow)


def annual_percent_from_worst_month(worst_month_percent: npt.ArrayLike, hop: Hop) -> FloatArray:
    """Share of the average year from that of the average worst month, % (P.530-18, section 2.3.4).

    Parameters
    ----------
    worst_month_percent
        Share of the worst month, %.
    hop
        The hop: its latitude, length and inclination matter.

    Returns
    -------
    ndarray
        %, lower by the geoclimatic conversion factor, which is at most 10.8 dB.
    """
    require_range("worst_month_percent", worst_month_percent, 0.0, 1e4)
    sign = 1.0 if abs(hop.latitude_deg) <= 45.0 else -1.0
    seasons = 1.1 + sign * abs(np.cos(2.0 * np.radians(hop.latitude_deg))) ** 0.7
    gain = 10.5 - 5.6 * np.log10(seasons) - 2.7 * np.log10(hop.distance_m / 1e3)
    gain = min(gain + 1.7 * np.log10(1.0 + hop.inclination_mrad), 10.8)
    return np.asarray(np.asarray(worst_month_percent, dtype=np.float64) * 10.0 ** (-gain / 10.0))


def _rain_law(hop: Hop, rain_rate_mm_h: float) -> tuple[float, float, float, float]:
    """Fade exceeded for 0.01 % of the year, dB, and the constants C1, C2, C3 that scale it to other percentages."""
    require_range("rain_rate_mm_h", rain_rate_mm_h, 0.0, 500.0)
    d, f = hop.distance_m / 1e3, hop.frequency_mhz / 1e3
    check_range("distance_m", hop.distance_m, 0.0, 60e3, "P.530-18 section 2.4.1", stacklevel=4)
    elevation = float(np.degrees(np.arcsin(min(1.0, hop.inclination_mrad / 1e3))))
    k, alpha = rain_coefficients(hop.frequency_mhz, elevation_deg=elevation, tilt_deg=hop.tilt_deg)
    rate = float(rain_rate_mm_h)
    # r = 1 / denominator, at most 2.5 as the Recommendation advises for short hops
    denominator = 0.477 * d**0.633 * rate ** (0.073 * alpha) * f**0.123 - 10.579 * (1.0 - np.exp(-0.024 * d))
    reduction = 1.0 / max(float(denominator), 1.0 / _MAX_PATH_REDUCTION)
    fade = float(k) * rate ** float(alpha) * d * reduction
    c0 = 0.12 + (0.4 * np.log10((f / 10.0) ** 0.8) if f >= 10.0 else 0.0)
    c1 = 0.07**c0 * 0.12 ** (1.0 - c0)
    return fade, float(c1), float(0.855 * c0 + 0.546 * (1.0 - c0)), float(0.139 * c0 + 0.043 * (1.0 - c0))


def rain_fade_db(hop: Hop, time_percent: npt.ArrayLike = 0.01, *, rain_rate_mm_h: float) -> FloatArray:
    """Rain attenuation exceeded for a share of the average year, dB (P.530-18, section 2.4.1).

    Parameters
    ----------
    hop
        The hop, up to 60 km.
    time_percent
        Share of the year, 0.001 to 1 %.
    rain_rate_mm_h
        Rain rate exceeded for 0.01 % of the year, mm/h over one minute (P.837).

    Returns
    -------
    ndarray
        Fade, dB, in the shape of ``time_percent``.

    Raises
    ------
    ParameterError
        When an argument is impossible.

    Warns
    -----
    ValidityWarning
        Beyond 60 km.
    """
    require_range("time_percent", time_percent, 0.001, 1.0, "P.530-18 scales rain between 0.001 and 1 % of a year")
    fade, c1, c2, c3 = _rain_law(hop, rain_rate_mm_h)
    p = np.asarray(time_percent, dtype=np.float64)
    return np.asarray(fade * c1 * p ** -(c2 + c3 * np.log10(p)))


def rain_outage_percent(hop: Hop, fade_margin_db: float, *, rain_rate_mm_h: float) -> float:
    """Share of the average year in which rain exceeds a fade margin, % (P.530-18, section 2.4.1, inverted).

    Parameters
    ----------
    hop
        The hop, up to 60 km.
    fade_margin_db
        Fade margin, dB, above 0.
    rain_rate_mm_h
        Rain rate exceeded for 0.01 % of the year, mm/h.

    Returns
    -------
    float
        %, at most 1: the Recommendation scales from 0.001 to 1 %. Below 0.001 % the law is extrapolated, and 0 is
        returned for a margin that its parabola never reaches.

    Raises
    ------
    ParameterError
        When an argument is impossible.
    """
    require_range("fade_margin_db", fade_margin_db, 1e-6, 300.0)
    fade, c1, c2, c3 = _rain_law(hop, rain_rate_mm_h)
    if fade <= 0.0:
        return 0.0
    # lg(margin / (fade c1)) = -(c2 x + c3 x^2) with x = lg p; the larger root is the falling branch.
    level = np.log10(fade_margin_db / (fade * c1))
    discriminant = c2**2 - 4.0 * c3 * level
    if discriminant < 0.0:
        return 0.0
    return float(min(10.0 ** ((-c2 + np.sqrt(discriminant)) / (2.0 * c3)), 1.0))


def hop_availability_percent(
    hop: Hop, fade_margin_db: float, *, rain_rate_mm_h: float, multipath_occurrence_percent: float = 0.0
) -> dict[str, float]:
    """Share of the average year in which a hop works, and what stops it.

    Rain outage counts as unavailability and multipath as lost quality in ITU's terms; both are given, and their sum as
    the total outage. Multipath is left out below 5 km, where the Recommendation says it can be ignored. Gas
    attenuation at the P.835 mean atmosphere is taken off the margin first.

    Parameters
    ----------
    hop
        The hop.
    fade_margin_db
        Margin above the receiver's threshold in clear air without gases, dB.
    rain_rate_mm_h
        Rain rate exceeded for 0.01 % of the year, mm/h.
    multipath_occurrence_percent
        Multipath occurrence factor p0 of the worst month, %; 0 leaves multipath out.

    Returns
    -------
    dict
        ``gas_db``, ``rain_percent``, ``multipath_percent``, ``outage_percent`` and ``availability_percent``.

    Raises
    ------
    ParameterError
        When an argument is impossible or gases alone exceed the margin.
    """
    require_range("multipath_occurrence_percent", multipath_occurrence_percent, 0.0, 2000.0)
    gas = float(gas_attenuation_db(hop.distance_m, hop.frequency_mhz))
    margin = fade_margin_db - gas
    require_range("fade_margin_db less gas attenuation", margin, 1e-6, 300.0, "the hop doesn't work in clear air")
    rain = rain_outage_percent(hop, margin, rain_rate_mm_h=rain_rate_mm_h)
    multipath = 0.0
    if multipath_occurrence_percent > 0.0 and hop.distance_m > 5e3:
        worst = fade_exceeded_percent(margin, multipath_occurrence_percent)
        multipath = float(annual_percent_from_worst_month(worst, hop))
    outage = min(rain + multipath, 100.0)
    return {
        "gas_db": gas,
        "rain_percent": rain,
        "multipath_percent": multipath,
        "outage_percent": outage,
        "availability_percent": 100.0 - outage,
    }
