"""Conversions between decibels, powers, levels and fields; scalars or arrays in, the same shape out."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from rfplan.constants import BOLTZMANN_J_K, REFERENCE_TEMPERATURE_K, SPEED_OF_LIGHT_M_S

FloatArray = npt.NDArray[np.float64]

__all__ = [
    "db_from_ratio",
    "dbm_from_milliwatt",
    "field_dbuv_m_from_path_loss_db",
    "milliwatt_from_dbm",
    "ratio_from_db",
    "thermal_noise_dbm",
    "wavelength_m",
]


def ratio_from_db(value_db: npt.ArrayLike) -> FloatArray:
    """Power ratio of a value in dB."""
    return np.asarray(10.0 ** (np.asarray(value_db, dtype=np.float64) / 10.0))


def db_from_ratio(ratio: npt.ArrayLike) -> FloatArray:
    """Value in dB of a positive power ratio; zero gives minus infinity."""
    with np.errstate(divide="ignore"):
        return np.asarray(10.0 * np.log10(np.asarray(ratio, dtype=np.float64)))


def milliwatt_from_dbm(power_dbm: npt.ArrayLike) -> FloatArray:
    """Power in mW of a level in dBm."""
    return ratio_from_db(power_dbm)


def dbm_from_milliwatt(power_mw: npt.ArrayLike) -> FloatArray:
    """Level in dBm of a power in mW; zero gives minus infinity."""
    return db_from_ratio(power_mw)


def wavelength_m(frequency_mhz: npt.ArrayLike) -> FloatArray:
    """Wavelength in vacuum, m."""
    return np.asarray(SPEED_OF_LIGHT_M_S / (np.asarray(frequency_mhz, dtype=np.float64) * 1e6))


def thermal_noise_dbm(bandwidth_hz: npt.ArrayLike, noise_figure_db: float = 0.0) -> FloatArray:
    """Thermal noise power at 290 K in a bandwidth, dBm, raised by the receiver's noise figure."""
    density = 10.0 * math.log10(BOLTZMANN_J_K * REFERENCE_TEMPERATURE_K * 1e3)
    return np.asarray(density + 10.0 * np.log10(np.asarray(bandwidth_hz, dtype=np.float64)) + noise_figure_db)


def field_dbuv_m_from_path_loss_db(path_loss_db: npt.ArrayLike, frequency_mhz: npt.ArrayLike) -> FloatArray:
    """Field strength for 1 kW e.r.p., dB(uV/m), that goes with a basic transmission loss (P.1812-8, equation 70)."""
    f_ghz = np.asarray(frequency_mhz, dtype=np.float64) / 1e3
    return np.asarray(199.36 + 20.0 * np.log10(f_ghz) - np.asarray(path_loss_db, dtype=np.float64))
