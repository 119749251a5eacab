"""Attenuation by oxygen and water vapour along a terrestrial path (Recommendation ITU-R P.676-13, Annex 1).

The line-by-line method of Annex 1 is implemented, not the approximations of Annex 2: it holds from 1 to 1000 GHz at
any pressure, temperature and humidity met near the ground.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from rfplan.profile import Paths
from rfplan.propagation.base import require_range
from rfplan.propagation.p676_lines import OXYGEN_LINES, WATER_VAPOUR_LINES
from rfplan.propagation.validity import broadcast

FloatArray = npt.NDArray[np.float64]

__all__ = ["GasAttenuation", "gas_attenuation_db", "oxygen_attenuation_db_km", "water_vapour_attenuation_db_km"]

_FREQUENCY_MHZ = (1e3, 1e6)
_DRY_PRESSURE_HPA = (0.0, 1200.0)
_TEMPERATURE_K = (150.0, 350.0)
_WATER_VAPOUR_G_M3 = (0.0, 60.0)


def _checked(
    frequency_mhz: npt.ArrayLike,
    dry_pressure_hpa: npt.ArrayLike,
    temperature_k: npt.ArrayLike,
    water_vapour_g_m3: npt.ArrayLike,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Frequency GHz, dry pressure hPa, 300/T and vapour pressure hPa (equation 4), with an axis for the lines."""
    require_range("frequency_mhz", frequency_mhz, *_FREQUENCY_MHZ, "P.676-13 covers 1 to 1000 GHz; give MHz")
    require_range("dry_pressure_hpa", dry_pressure_hpa, *_DRY_PRESSURE_HPA, "give hectopascal")
    require_range("temperature_k", temperature_k, *_TEMPERATURE_K, "give kelvin, not degrees Celsius")
    require_range("water_vapour_g_m3", water_vapour_g_m3, *_WATER_VAPOUR_G_M3, "give grams a cubic metre")
    columns = broadcast(
        frequency_mhz=frequency_mhz,
        dry_pressure_hpa=dry_pressure_hpa,
        temperature_k=temperature_k,
        water_vapour_g_m3=water_vapour_g_m3,
    )
    f, p, t, rho = (column[..., None] for column in columns)
    return f / 1e3, p, 300.0 / t, rho * t / 216.7


def oxygen_attenuation_db_km(
    frequency_mhz: npt.ArrayLike,
    dry_pressure_hpa: npt.ArrayLike = 1013.25,
    temperature_k: npt.ArrayLike = 288.15,
    water_vapour_g_m3: npt.ArrayLike = 7.5,
) -> FloatArray:
    """Specific attenuation by oxygen and pressure-induced nitrogen, dB/km (P.676-13, Annex 1, equations 1 to 9).

    Parameters
    ----------
    frequency_mhz
        1e3 to 1e6 MHz.
    dry_pressure_hpa, temperature_k, water_vapour_g_m3
        Pressure of dry air, hPa, temperature, K, and water vapour density, g/m3; scalars or arrays that broadcast.

    Returns
    -------
    ndarray
        dB/km, in the shape the arguments broadcast to.

    Raises
    ------
    ParameterError
        When an argument is outside the range the Recommendation covers, or not physical.
    """
    f, p, theta, e = _checked(frequency_mhz, dry_pressure_hpa, temperature_k, water_vapour_g_m3)
    line, a1, a2, a3, a4, a5, a6 = OXYGEN_LINES.T
    strength = a1 * 1e-7 * p * theta**3 * np.exp(a2 * (1.0 - theta))  # equation 3
    width = a3 * 1e-4 * (p * theta ** (0.8 - a4) + 1.1 * e * theta)  # equation 6a
    width = np.sqrt(width**2 + 2.25e-6)  # equation 6b: Zeeman splitting
    interference = (a5 + a6 * theta) * 1e-4 * (p + e) * theta**0.8  # equation 7
    below, above = line - f, line + f
    shape = (f / line) * (  # equation 5
        (width - interference * below) / (below**2 + width**2) + (width - interference * above) / (above**2 + width**2)
    )
    debye_width = 5.6e-4 * (p + e) * theta**0.8  # equation 9
    continuum = (  # equation 8
        f
        * p
        * theta**2
        * (
            6.14e-5 / (debye_width * (1.0 + (f / debye_width) ** 2))
            + 1.4e-12 * p * theta**1.5 / (1.0 + 1.9e-5 * f**1.5)
        )
    )
    imaginary = (strength * shape).sum(axis=-1) + continuum[..., 0]  # equation 2a
    return np.asarray(0.1820 * f[..., 0] * imaginary)  # equation 1


def water_vapour_attenuation_db_km(
    frequency_mhz: npt.ArrayLike,
    dry_pressure_hpa: npt.ArrayLike = 1013.25,
    temperature_k: npt.ArrayLike = 288.15,
    water_vapour_g_m3: npt.ArrayLike = 7.5,
) -> FloatArray:
    """Specific attenuation by water vapour, dB/km (P.676-13, Annex 1, equations 1 to 7).

    Parameters
    ----------
    frequency_mhz
        1e3 to 1e6 MHz.
    dry_pressure_hpa, temperature_k, water_vapour_g_m3
        Pressure of dry air, hPa, temperature, K, and water vapour density, g/m3; scalars or arrays that broadcast.

    Returns
    -------
    ndarray
        dB/km, in the shape the arguments broadcast to.

    Raises
    ------
    ParameterError
        When an argument is outside the range the Recommendation covers, or not physical.
    """
    f, p, theta, e = _checked(frequency_mhz, dry_pressure_hpa, temperature_k, water_vapour_g_m3)
    line, b1, b2, b3, b4, b5, b6 = WATER_VAPOUR_LINES.T
    strength = b1 * 1e-1 * e * theta**3.5 * np.exp(b2 * (1.0 - theta))  # equation 3
    width = b3 * 1e-4 * (p * theta**b4 + b5 * e * theta**b6)  # equation 6a
    width = 0.535 * width + np.sqrt(0.217 * width**2 + 2.1316e-12 * line**2 / theta)  # equation 6b: Doppler broadening
    shape = (f / line) * (width / ((line - f) ** 2 + width**2) + width / ((line + f) ** 2 + width**2))  # equation 5
    return np.asarray(0.1820 * f[..., 0] * (strength * shape).sum(axis=-1))


def gas_attenuation_db(
    distance_m: npt.ArrayLike,
    frequency_mhz: npt.ArrayLike,
    *,
    dry_pressure_hpa: npt.ArrayLike = 1013.25,
    temperature_k: npt.ArrayLike = 288.15,
    water_vapour_g_m3: npt.ArrayLike = 7.5,
) -> FloatArray:
    """Loss to gases along a terrestrial or slightly inclined path near the ground, dB (P.676-13, equation 10).

    Parameters
    ----------
    distance_m
        Length of the path, m, not negative.
    frequency_mhz
        1e3 to 1e6 MHz.
    dry_pressure_hpa, temperature_k, water_vapour_g_m3
        Pressure of dry air, hPa, temperature, K, and water vapour density, g/m3; the defaults are the mean annual
        global atmosphere of Recommendation ITU-R P.835 at sea level.

    Returns
    -------
    ndarray
        dB, in the shape the arguments broadcast to.

    Raises
    ------
    ParameterError
        When an argument is outside the range the Recommendation covers, or not physical.
    """
    require_range("distance_m", distance_m, 0.0, 1e6, "a path near the ground is at most some hundred kilometres")
    broadcast(distance_m=distance_m, frequency_mhz=frequency_mhz, dry_pressure_hpa=dry_pressure_hpa)
    air = (dry_pressure_hpa, temperature_k, water_vapour_g_m3)
    gamma = oxygen_attenuation_db_km(frequency_mhz, *air) + water_vapour_attenuation_db_km(frequency_mhz, *air)
    return np.asarray(gamma * np.asarray(distance_m, dtype=np.float64) / 1e3)


@dataclass(frozen=True)
class GasAttenuation:
    """Loss to oxygen and water vapour as a correction added to a model that leaves it out.

    Below 1 GHz the Recommendation gives no value and the loss, under 0.01 dB/km, is taken as 0. P.1812 and P.452
    include gases or neglect them on purpose: don't add this to them.

    Parameters
    ----------
    dry_pressure_hpa, temperature_k, water_vapour_g_m3
        State of the air: pressure of dry air, hPa, temperature, K, water vapour density, g/m3.
    """

    dry_pressure_hpa: float = 1013.25
    temperature_k: float = 288.15
    water_vapour_g_m3: float = 7.5

    needs: ClassVar[Literal["distance"]] = "distance"
    citation: ClassVar[str] = "Recommendation ITU-R P.676-13 (08/2022), Annex 1"
    part: ClassVar[str] = "gas_db"

    def correction_db(self, paths: Paths) -> FloatArray:
        """Loss to gases of each path, dB, shape (n,)."""
        loss = np.zeros(len(paths))
        # One line-by-line sum a distinct frequency: a batch usually has few.
        for f in np.unique(paths.frequency_mhz[paths.frequency_mhz >= _FREQUENCY_MHZ[0]]):
            rows = paths.frequency_mhz == f
            loss[rows] = gas_attenuation_db(
                paths.distance_m[rows],
                f,
                dry_pressure_hpa=self.dry_pressure_hpa,
                temperature_k=self.temperature_k,
                water_vapour_g_m3=self.water_vapour_g_m3,
            )
        return loss
