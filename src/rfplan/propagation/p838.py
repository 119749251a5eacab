"""Specific attenuation by rain (Recommendation ITU-R P.838-3)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rfplan.propagation.base import require_choice, require_range
from rfplan.propagation.validity import broadcast

FloatArray = npt.NDArray[np.float64]

__all__ = ["polarization_tilt_deg", "rain_attenuation_db_km", "rain_coefficients"]

# Tables 1 to 4: per quantity the Gaussians' a, b, c and then the line's m and c
_Fit = tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...], float, float]
_K_H: _Fit = (
    (-5.33980, -0.35351, -0.23789, -0.94158),
    (-0.10008, 1.26970, 0.86036, 0.64552),
    (1.13098, 0.45400, 0.15354, 0.16817),
    -0.18961,
    0.71147,
)
_K_V: _Fit = (
    (-3.80595, -3.44965, -0.39902, 0.50167),
    (0.56934, -0.22911, 0.73042, 1.07319),
    (0.81061, 0.51059, 0.11899, 0.27195),
    -0.16398,
    0.63297,
)
_ALPHA_H: _Fit = (
    (-0.14318, 0.29591, 0.32177, -5.37610, 16.1721),
    (1.82442, 0.77564, 0.63773, -0.96230, -3.29980),
    (-0.55187, 0.19822, 0.13164, 1.47828, 3.43990),
    0.67849,
    -1.95537,
)
_ALPHA_V: _Fit = (
    (-0.07771, 0.56727, -0.20238, -48.2991, 48.5833),
    (2.33840, 0.95545, 1.14520, 0.791669, 0.791459),
    (-0.76284, 0.54039, 0.26809, 0.116226, 0.116479),
    -0.053739,
    0.83433,
)


def _fitted(lg_f: FloatArray, fit: _Fit) -> FloatArray:
    a, b, c, slope, offset = fit
    total = slope * lg_f + offset
    for height, centre, width in zip(a, b, c, strict=True):
        total = total + height * np.exp(-(((lg_f - centre) / width) ** 2))
    return np.asarray(total)


def polarization_tilt_deg(polarization: str) -> float:
    """Tilt of the polarisation against the horizontal, degrees: 0 horizontal, 90 vertical, 45 circular."""
    tilts = {"horizontal": 0.0, "vertical": 90.0, "circular": 45.0}
    require_choice("polarization", polarization, tilts)
    return tilts[polarization]


def rain_coefficients(
    frequency_mhz: npt.ArrayLike, *, elevation_deg: npt.ArrayLike = 0.0, tilt_deg: npt.ArrayLike = 90.0
) -> tuple[FloatArray, FloatArray]:
    """Coefficients k and alpha of the power law gamma = k R^alpha (P.838-3, equations 2 to 5).

    Parameters
    ----------
    frequency_mhz
        1000 to 1 000 000 MHz.
    elevation_deg
        Elevation of the path, degrees; about 0 for terrestrial hops.
    tilt_deg
        Tilt of the polarisation against the horizontal, degrees: 0 horizontal, 90 vertical, 45 circular.

    Returns
    -------
    k, alpha : ndarray
        In the shape the arguments broadcast to; k gives dB/km for rain in mm/h.

    Raises
    ------
    ParameterError
        When an argument is outside the Recommendation's range.
    """
    broadcast(frequency_mhz=frequency_mhz, elevation_deg=elevation_deg, tilt_deg=tilt_deg)
    require_range("frequency_mhz", frequency_mhz, 1e3, 1e6, "P.838-3 covers 1 to 1000 GHz; give MHz")
    require_range("elevation_deg", elevation_deg, -90.0, 90.0)
    require_range("tilt_deg", tilt_deg, -90.0, 90.0)
    lg_f = np.log10(np.asarray(frequency_mhz, dtype=np.float64) / 1e3)
    k_h, k_v = 10.0 ** _fitted(lg_f, _K_H), 10.0 ** _fitted(lg_f, _K_V)
    alpha_h, alpha_v = _fitted(lg_f, _ALPHA_H), _fitted(lg_f, _ALPHA_V)
    mix = np.cos(np.radians(elevation_deg)) ** 2 * np.cos(2.0 * np.radians(tilt_deg))
    k = (k_h + k_v + (k_h - k_v) * mix) / 2.0
    alpha = (k_h * alpha_h + k_v * alpha_v + (k_h * alpha_h - k_v * alpha_v) * mix) / (2.0 * k)
    return np.asarray(k), np.asarray(alpha)


def rain_attenuation_db_km(
    rain_rate_mm_h: npt.ArrayLike,
    frequency_mhz: npt.ArrayLike,
    *,
    elevation_deg: npt.ArrayLike = 0.0,
    tilt_deg: npt.ArrayLike = 90.0,
) -> FloatArray:
    """Specific attenuation by rain, dB/km (P.838-3, equation 1).

    Parameters
    ----------
    rain_rate_mm_h
        Rain rate, mm/h, 0 to 500.
    frequency_mhz, elevation_deg, tilt_deg
        As for `rain_coefficients`.

    Returns
    -------
    ndarray
        dB/km, in the shape the arguments broadcast to.

    Raises
    ------
    ParameterError
        When an argument is outside the Recommendation's range.
    """
    broadcast(rain_rate_mm_h=rain_rate_mm_h, frequency_mhz=frequency_mhz, tilt_deg=tilt_deg)
    require_range("rain_rate_mm_h", rain_rate_mm_h, 0.0, 500.0)
    k, alpha = rain_coefficients(frequency_mhz, elevation_deg=elevation_deg, tilt_deg=tilt_deg)
    return np.asarray(k * np.asarray(rain_rate_mm_h, dtype=np.float64) ** alpha)
