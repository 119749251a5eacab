"""Attenuation in vegetation (Recommendation ITU-R P.833-10): woodland, a slant path through trees, a tree or row.

The radiative energy transfer model for one group of trees above 1 GHz (section 3.2) is not implemented: it needs
measured parameters of species and leaf state that planners don't have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from rfplan.profile import Paths
from rfplan.propagation.base import check_range, require_choice, require_range
from rfplan.propagation.validity import broadcast

FloatArray = npt.NDArray[np.float64]
Woodland = Literal["tropical", "mixed-forest", "parkland"]

__all__ = [
    "VegetationLoss",
    "Woodland",
    "slant_woodland_loss_db",
    "tree_loss_db",
    "vegetation_specific_attenuation_db_m",
    "woodland_loss_db",
]

# Measured in mixed coniferous-deciduous forest near St Petersburg, trees of 16 m (section 2.1): MHz, dB/m
_MEASURED_MHZ = np.array([105.9, 466.475, 949.0, 1852.2, 2117.5])
_MEASURED_DB_M = np.array([0.04, 0.12, 0.17, 0.30, 0.34])
# A_m = a f^b, f in MHz (section 2.1), and the frequencies of the measurements behind it
_MAXIMUM: dict[str, tuple[float, float, float, float]] = {
    "tropical": (0.18, 0.752, 900.0, 1800.0),  # tropical trees of 15 m in Rio de Janeiro, receiver at 2.4 m
    "mixed-forest": (1.37, 0.42, 105.9, 2117.5),  # mixed forest of 16 m near St Petersburg
    "parkland": (1.15, 0.43, 900.0, 2200.0),  # parkland trees of 15 m in Mulhouse, receiver at 1.6 m
}


def vegetation_specific_attenuation_db_m(frequency_mhz: npt.ArrayLike) -> FloatArray:
    """Specific attenuation in woodland, dB/m: the measured values of P.833-10 section 2.1 between frequencies.

    Parameters
    ----------
    frequency_mhz
        105.9 to 2117.5 MHz; beyond, the law of the nearest interval goes on, with a warning.

    Returns
    -------
    ndarray
        dB/m, a power law of frequency in each interval.

    Raises
    ------
    ParameterError
        Outside 30 MHz to 30 GHz.

    Warns
    -----
    ValidityWarning
        Outside the measured range.
    """
    require_range("frequency_mhz", frequency_mhz, 30.0, 30e3, "give MHz")
    check_range("frequency_mhz", frequency_mhz, 105.9, 2117.5, "the measurements in P.833-10 section 2.1")
    lg_f = np.log10(np.asarray(frequency_mhz, dtype=np.float64))
    x, y = np.log10(_MEASURED_MHZ), np.log10(_MEASURED_DB_M)
    interval = np.clip(np.searchsorted(x, lg_f) - 1, 0, x.size - 2)
    slope = (y[interval + 1] - y[interval]) / (x[interval + 1] - x[interval])
    return np.asarray(10.0 ** (y[interval] + slope * (lg_f - x[interval])))


def woodland_loss_db(
    depth_m: npt.ArrayLike,
    frequency_mhz: npt.ArrayLike,
    *,
    woodland: Woodland = "tropical",
    specific_attenuation_db_m: npt.ArrayLike | None = None,
    maximum_db: npt.ArrayLike | None = None,
) -> FloatArray:
    """Excess loss where one terminal stands within woodland, dB (P.833-10, section 2.1, equations 1 and 2).

    It saturates at the loss of the path that passes over the trees and comes down.

    Parameters
    ----------
    depth_m
        Length of the path within the woodland, m.
    frequency_mhz
        Frequency, MHz; the ranges of the measurements are 106 to 2118 (mixed forest), 900 to 1800 (tropical) and
        900 to 2200 MHz (parkland).
    woodland
        Whose measured maximum to take: "tropical", "mixed-forest" or "parkland".
    specific_attenuation_db_m, maximum_db
        Your own measurements instead of the Recommendation's; None takes those.

    Returns
    -------
    ndarray
        Loss, dB, in the shape the arguments broadcast to.

    Raises
    ------
    ParameterError
        When a value is impossible.

    Warns
    -----
    ValidityWarning
        Outside the measured frequencies.
    """
    require_choice("woodland", woodland, _MAXIMUM)
    broadcast(depth_m=depth_m, frequency_mhz=frequency_mhz)
    require_range("depth_m", depth_m, 0.0, 100e3)
    if specific_attenuation_db_m is None:
        gamma = vegetation_specific_attenuation_db_m(frequency_mhz)
    else:
        require_range("specific_attenuation_db_m", specific_attenuation_db_m, 1e-6, 20.0)
        gamma = np.asarray(specific_attenuation_db_m, dtype=np.float64)
    if maximum_db is None:
        a, b, low, high = _MAXIMUM[woodland]
        require_range("frequency_mhz", frequency_mhz, 30.0, 30e3, "give MHz")
        check_range("frequency_mhz", frequency_mhz, low, high, f"the {woodland} measurements in P.833-10 section 2.1")
        most = a * np.asarray(frequency_mhz, dtype=np.float64) ** b
    else:
        require_range("maximum_db", maximum_db, 1e-6, 200.0)
        most = np.asarray(maximum_db, dtype=np.float64)
    return np.asarray(-most * np.expm1(-np.asarray(depth_m, dtype=np.float64) * gamma / most))


def slant_woodland_loss_db(
    depth_m: npt.ArrayLike, frequency_mhz: npt.ArrayLike, elevation_deg: npt.ArrayLike
) -> FloatArray:
    """Loss of a slant path through woodland, dB (P.833-10, section 2.2, fitted to pine woodland in Austria).

    Parameters
    ----------
    depth_m
        Length of the slant path within foliage, m.
    frequency_mhz
        Frequency, MHz.
    elevation_deg
        Elevation of the path, above 0 to 90 degrees.

    Returns
    -------
    ndarray
        Loss, dB.

    Raises
    ------
    ParameterError
        When a value is impossible.
    """
    broadcast(depth_m=depth_m, frequency_mhz=frequency_mhz, elevation_deg=elevation_deg)
    require_range("depth_m", depth_m, 0.0, 10e3)
    require_range("frequency_mhz", frequency_mhz, 30.0, 100e3, "give MHz")
    require_range("elevation_deg", elevation_deg, 1e-3, 90.0)
    f, d = np.asarray(frequency_mhz, dtype=np.float64), np.asarray(depth_m, dtype=np.float64)
    return np.asarray(0.25 * f**0.39 * d**0.25 * np.asarray(elevation_deg, dtype=np.float64) ** 0.05)


def tree_loss_db(
    depth_m: npt.ArrayLike,
    frequency_mhz: npt.ArrayLike,
    *,
    specific_attenuation_db_m: npt.ArrayLike | None = None,
    other_path_db: npt.ArrayLike = np.inf,
) -> FloatArray:
    """Loss through a single tree or row of trees with both ends outside, dB (P.833-10, section 3.1; up to 1 GHz).

    Parameters
    ----------
    depth_m
        Path length within the canopy, m.
    frequency_mhz
        30 to 1000 MHz.
    specific_attenuation_db_m
        dB/m; None takes `vegetation_specific_attenuation_db_m`.
    other_path_db
        Lowest excess loss of any other path, such as diffraction around the tree, dB; the result never exceeds it.

    Returns
    -------
    ndarray
        Loss, dB.

    Raises
    ------
    ParameterError
        When a value is impossible.

    Warns
    -----
    ValidityWarning
        Above 1 GHz.
    """
    broadcast(depth_m=depth_m, frequency_mhz=frequency_mhz)
    require_range("depth_m", depth_m, 0.0, 1e3)
    check_range("frequency_mhz", frequency_mhz, 30.0, 1000.0, "P.833-10 section 3.1")
    if specific_attenuation_db_m is None:
        gamma = vegetation_specific_attenuation_db_m(frequency_mhz)
    else:
        require_range("specific_attenuation_db_m", specific_attenuation_db_m, 1e-6, 20.0)
        gamma = np.asarray(specific_attenuation_db_m, dtype=np.float64)
    other = np.asarray(other_path_db, dtype=np.float64)
    return np.asarray(np.minimum(np.asarray(depth_m, dtype=np.float64) * gamma, other))


@dataclass(frozen=True)
class VegetationLoss:
    """Woodland around the receiver as a correction to a model that knows no trees.

    Parameters
    ----------
    depth_m
        Depth of the receiver within the woodland along the path, m; shorter paths are within it entirely.
    woodland
        Whose measured maximum to take.
    """

    depth_m: float = 100.0
    woodland: Woodland = "tropical"

    needs: ClassVar[Literal["distance"]] = "distance"
    citation: ClassVar[str] = "Recommendation ITU-R P.833-10 (09/2021), section 2.1"
    part: ClassVar[str] = "vegetation_db"

    def correction_db(self, paths: Paths) -> FloatArray:
        """Excess loss of each path, dB, shape (n,)."""
        return woodland_loss_db(np.minimum(self.depth_m, paths.distance_m), paths.frequency_mhz, woodland=self.woodland)
