"""How losses scatter about their median from place to place: sigmas of several sources, and margins from them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from rfplan.propagation.base import require, require_range
from rfplan.propagation.validity import broadcast

FloatArray = npt.NDArray[np.float64]

__all__ = ["combined_sigma_db", "location_margin_db", "location_sigma_db"]


def location_sigma_db(
    frequency_mhz: npt.ArrayLike,
    area_width_m: npt.ArrayLike = 500.0,
    *,
    rx_height_agl_m: npt.ArrayLike = 1.5,
    clutter_height_m: npt.ArrayLike = 10.0,
) -> FloatArray:
    """Standard deviation of location variability outdoors, dB (P.1812-8, section 4.8).

    Parameters
    ----------
    frequency_mhz
        30 to 6000 MHz.
    area_width_m
        Width of the square within which the signal varies, m: the resolution of the prediction, 50 to 1000 m.
    rx_height_agl_m, clutter_height_m
        Receiver and surrounding clutter, m above ground: from the clutter's top the variability fades, to none 10 m
        above it.

    Returns
    -------
    ndarray
        Sigma, dB, in the shape the arguments broadcast to.

    Raises
    ------
    ParameterError
        When a value is impossible.
    """
    broadcast(
        frequency_mhz=frequency_mhz,
        area_width_m=area_width_m,
        rx_height_agl_m=rx_height_agl_m,
        clutter_height_m=clutter_height_m,
    )
    require_range("frequency_mhz", frequency_mhz, 30.0, 6000.0, "P.1812-8 covers 30 MHz to 6 GHz; give MHz")
    require_range("area_width_m", area_width_m, 1.0, 1e4)
    require_range("rx_height_agl_m", rx_height_agl_m, 0.0, 9e3)
    require_range("clutter_height_m", clutter_height_m, 0.0, 500.0)
    over = np.asarray(rx_height_agl_m, dtype=np.float64) - np.asarray(clutter_height_m, dtype=np.float64)
    f_ghz = np.asarray(frequency_mhz, dtype=np.float64) / 1e3
    width = np.asarray(area_width_m, dtype=np.float64)
    return np.asarray((0.52 + 0.024 * f_ghz) * width**0.28 * np.clip(1.0 - over / 10.0, 0.0, 1.0))


def location_margin_db(sigma_db: npt.ArrayLike, location_percent: npt.ArrayLike) -> FloatArray:
    """What to add to a median loss so that it is not exceeded at a share of locations, dB; normal in dB.

    Don't apply it to a loss that already holds a location percentage.

    Parameters
    ----------
    sigma_db
        Standard deviation, dB, not negative.
    location_percent
        Share of locations, above 0 and below 100 %.

    Returns
    -------
    ndarray
        Margin, dB; 0 at 50 %.

    Raises
    ------
    ParameterError
        When a value is impossible.
    """
    broadcast(sigma_db=sigma_db, location_percent=location_percent)
    require_range("sigma_db", sigma_db, 0.0, 100.0)
    p = np.asarray(location_percent, dtype=np.float64)
    inside = (p > 0.0) & (p < 100.0)
    require(bool(inside.all()), "location_percent", p[~inside].tolist()[:1], "above 0 and below 100 %")
    return np.asarray(np.asarray(sigma_db, dtype=np.float64) * ndtri(p / 100.0))


def combined_sigma_db(*sigmas_db: npt.ArrayLike) -> FloatArray:
    """Standard deviation of independent scatters together, dB: outdoors and indoors, for instance."""
    require(len(sigmas_db) > 0, "sigmas_db", sigmas_db, "at least one")
    total: FloatArray | float = 0.0
    for sigma in sigmas_db:
        require_range("sigmas_db", sigma, 0.0, 100.0)
        total = total + np.asarray(sigma, dtype=np.float64) ** 2
    return np.asarray(np.sqrt(total))
