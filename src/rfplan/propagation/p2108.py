"""Clutter loss (Recommendation ITU-R P.2108-1): height gain at a terminal, terrestrial and slant-path statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from rfplan.profile import Paths
from rfplan.propagation.base import require, require_choice, require_range
from rfplan.propagation.validity import broadcast

FloatArray = npt.NDArray[np.float64]
Clutter = Literal["water", "open", "suburban", "urban", "trees", "dense-urban"]

__all__ = [
    "DEFAULT_CLUTTER_HEIGHT_M",
    "Clutter",
    "TerrestrialClutterLoss",
    "clutter_height_gain_db",
    "clutter_loss_slant_db",
    "clutter_loss_terrestrial_db",
]

DEFAULT_CLUTTER_HEIGHT_M: dict[str, float] = {
    "water": 10.0,
    "open": 10.0,
    "suburban": 10.0,
    "urban": 15.0,
    "trees": 15.0,
    "dense-urban": 20.0,
}
"""Representative clutter height, m, of each class (P.2108-1, Table 3)."""

_MAX_HEIGHT_M = 1000.0


def _above(name: str, value: npt.ArrayLike, low: float, unit: str) -> FloatArray:
    values = np.asarray(value, dtype=np.float64)
    good = np.isfinite(values) & (values > low)
    require(bool(good.all()), name, values[~good].tolist()[:1], f"above {low:g} {unit}")
    return values


def _locations(location_percent: npt.ArrayLike) -> FloatArray:
    p = np.asarray(location_percent, dtype=np.float64)
    good = (p > 0.0) & (p < 100.0)
    require(bool(good.all()), "location_percent", p[~good].tolist()[:1], "above 0 and below 100 %")
    return p / 100.0


def clutter_height_gain_db(
    frequency_mhz: npt.ArrayLike,
    height_agl_m: npt.ArrayLike,
    *,
    clutter: Clutter = "urban",
    clutter_height_m: npt.ArrayLike | None = None,
    street_width_m: npt.ArrayLike = 27.0,
) -> FloatArray:
    """Loss of a terminal below its surrounding clutter, dB (P.2108-1, section 3.1, equations 2a to 2g).

    Add it, at each end that is within clutter, to a loss computed to the top of the clutter. P.1812 with clutter
    heights in its profile already holds this loss.

    Parameters
    ----------
    frequency_mhz
        30 to 3000 MHz.
    height_agl_m
        Antenna height above ground, m, above 0.
    clutter
        Class of the surroundings: "water", "open", "suburban", "urban", "trees" or "dense-urban".
    clutter_height_m
        Representative clutter height, m, above 0; None takes the class's default of Table 3.
    street_width_m
        Distance across the street between clutter, m, above 0.

    Returns
    -------
    ndarray
        Loss, dB; 0 where the antenna is at or above the clutter. Slightly negative where the equations say so.

    Raises
    ------
    ParameterError
        When an argument is outside the range the Recommendation covers.
    """
    require_choice("clutter", clutter, DEFAULT_CLUTTER_HEIGHT_M)
    given = DEFAULT_CLUTTER_HEIGHT_M[clutter] if clutter_height_m is None else clutter_height_m
    broadcast(
        frequency_mhz=frequency_mhz, height_agl_m=height_agl_m, clutter_height_m=given, street_width_m=street_width_m
    )
    require_range("frequency_mhz", frequency_mhz, 30.0, 3000.0, "P.2108-1 section 3.1 covers 0.03 to 3 GHz; give MHz")
    f = np.asarray(frequency_mhz, dtype=np.float64) / 1e3
    h = _above("height_agl_m", height_agl_m, 0.0, "m")
    width = _above("street_width_m", street_width_m, 0.0, "m")
    top = _above("clutter_height_m", given, 0.0, "m")
    below = np.maximum(top - h, 0.0)
    if clutter in ("water", "open"):
        loss = -(21.8 + 6.2 * np.log10(f)) * np.log10(np.minimum(h / top, 1.0))
    else:
        angle_deg = np.degrees(np.arctan(below / width))
        nu = 0.342 * np.sqrt(f) * np.sqrt(below * angle_deg)
        loss = 6.9 + 20.0 * np.log10(np.sqrt((nu - 0.1) ** 2 + 1.0) + nu - 0.1) - 6.03
    return np.asarray(np.where(h >= top, 0.0, loss) + 0.0)


def _terrestrial(f_ghz: FloatArray, d_km: FloatArray, share: FloatArray) -> FloatArray:
    long_db = -2.0 * np.log10(10.0 ** (-5.0 * np.log10(f_ghz) - 12.5) + 10.0**-16.5)  # equation 4a
    short_db = 32.98 + 23.9 * np.log10(d_km) + 3.0 * np.log10(f_ghz)  # equation 5a
    long_w, short_w = 10.0 ** (-0.2 * long_db), 10.0 ** (-0.2 * short_db)
    sigma = np.sqrt((4.0**2 * long_w + 6.0**2 * short_w) / (long_w + short_w))  # equation 3b
    return np.asarray(-5.0 * np.log10(long_w + short_w) + sigma * ndtri(share))  # equation 3a: -Q^-1(p) is ndtri(p)


def clutter_loss_terrestrial_db(
    frequency_mhz: npt.ArrayLike, distance_m: npt.ArrayLike, location_percent: npt.ArrayLike = 50.0
) -> FloatArray:
    """Clutter loss not exceeded for a share of locations on a terrestrial path, dB (P.2108-1, section 3.2).

    For one end below urban or suburban clutter; add it a second time for the other end when that is below clutter too
    and the path is at least 1 km long.

    Parameters
    ----------
    frequency_mhz
        500 to 67 000 MHz.
    distance_m
        Length of the path, m, at least 250. Beyond 2 km the loss no longer grows (equation 6).
    location_percent
        Share of locations, above 0 and below 100 %.

    Returns
    -------
    ndarray
        Loss, dB, in the shape the arguments broadcast to.

    Raises
    ------
    ParameterError
        When an argument is outside the range the Recommendation covers.
    """
    broadcast(frequency_mhz=frequency_mhz, distance_m=distance_m, location_percent=location_percent)
    require_range("frequency_mhz", frequency_mhz, 500.0, 67e3, "P.2108-1 section 3.2 covers 0.5 to 67 GHz; give MHz")
    require_range("distance_m", distance_m, 250.0, 2e6, "P.2108-1 section 3.2 starts at 0.25 km; give metres")
    share = _locations(location_percent)
    f_ghz = np.asarray(frequency_mhz, dtype=np.float64) / 1e3
    d_km = np.asarray(distance_m, dtype=np.float64) / 1e3
    return np.minimum(_terrestrial(f_ghz, d_km, share), _terrestrial(f_ghz, np.asarray(2.0), share))


def clutter_loss_slant_db(
    frequency_mhz: npt.ArrayLike, elevation_deg: npt.ArrayLike, location_percent: npt.ArrayLike = 50.0
) -> FloatArray:
    """Clutter loss not exceeded for a share of locations towards an aircraft or satellite, dB (P.2108-1, section 3.3).

    Parameters
    ----------
    frequency_mhz
        10 000 to 100 000 MHz.
    elevation_deg
        Elevation of the platform seen from the terminal, 0 to 90 degrees.
    location_percent
        Share of locations, above 0 and below 100 %.

    Returns
    -------
    ndarray
        Loss, dB, in the shape the arguments broadcast to.

    Raises
    ------
    ParameterError
        When an argument is outside the range the Recommendation covers.
    """
    broadcast(frequency_mhz=frequency_mhz, elevation_deg=elevation_deg, location_percent=location_percent)
    require_range("frequency_mhz", frequency_mhz, 10e3, 100e3, "P.2108-1 section 3.3 covers 10 to 100 GHz; give MHz")
    require_range("elevation_deg", elevation_deg, 0.0, 90.0)
    share = _locations(location_percent)
    f_ghz = np.asarray(frequency_mhz, dtype=np.float64) / 1e3
    theta = np.asarray(elevation_deg, dtype=np.float64)
    angle = 0.05 * (1.0 - theta / 90.0) + np.radians(theta)
    base = -93.0 * f_ghz**0.175 * np.log1p(-share) / np.tan(angle)
    return np.asarray(base ** (0.5 * (90.0 - theta) / 90.0) - 1.0 + 0.6 * ndtri(share))


@dataclass(frozen=True)
class TerrestrialClutterLoss:
    """P.2108 terrestrial clutter loss as a correction to a model that has no clutter of its own.

    Paths shorter than 250 m, below the Recommendation's range, raise.

    Parameters
    ----------
    location_percent
        Share of locations at which the loss is not exceeded, %.
    both_ends
        Whether both antennas are below the clutter; then the loss counts twice on paths of 1 km and more.
    """

    location_percent: float = 50.0
    both_ends: bool = False

    needs: ClassVar[Literal["distance"]] = "distance"
    citation: ClassVar[str] = "Recommendation ITU-R P.2108-1 (09/2021), section 3.2"
    part: ClassVar[str] = "clutter_db"

    def correction_db(self, paths: Paths) -> FloatArray:
        """Clutter loss of each path, dB, shape (n,)."""
        one_end = clutter_loss_terrestrial_db(paths.frequency_mhz, paths.distance_m, self.location_percent)
        return one_end * np.where(self.both_ends & (paths.distance_m >= 1000.0), 2.0, 1.0)
