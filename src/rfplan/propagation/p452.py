"""Interference between stations on the surface of the Earth, clear air: Recommendation ITU-R P.452-18."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, cast

import numpy as np
import numpy.typing as npt

from rfplan.constants import (
    BETA0_EARTH_RADIUS_FACTOR,
    EARTH_RADIUS_KM,
    NORTHERN_VIETNAM_DELTA_N,
    NORTHERN_VIETNAM_N0,
)
from rfplan.kernels import geometry as _geometry, p452 as _kernel, p452_block as _block, p1812 as _shared
from rfplan.kernels.finish import finish_paths
from rfplan.kernels.p452_gas import specific_attenuations
from rfplan.profile import Paths
from rfplan.propagation.base import check_range, require, require_range
from rfplan.propagation.p676_lines import OXYGEN_LINES, WATER_VAPOUR_LINES
from rfplan.propagation.p1812 import P1812, path_geometry
from rfplan.propagation.profile_checks import profile_points, read_only

FloatArray = npt.NDArray[np.float64]

__all__ = ["P452"]

_TROPOSCATTER_VAPOUR_G_M3 = 3.0  # section 4.3
_GAS_TERMS = 9  # of the polynomial in the share of sea


def _path_vapour_g_m3(sea_share: FloatArray) -> FloatArray:
    """Water vapour density along a path (equation 9a)."""
    return 7.5 + 2.5 * sea_share


@dataclass(frozen=True)
class P452:
    """Basic transmission loss not exceeded for a small percentage of time, 0.1 to 50 GHz (P.452-18, section 4).

    Line of sight with gases, diffraction (delta-Bullington over terrain and clutter), troposcatter, and ducting with
    layer reflection. Clutter heights of the profile count from 50 m beyond each end on; losses by clutter around a
    terminal are a matter of P.2108. Hydrometeor scatter is not included.

    Parameters
    ----------
    time_percent
        Percentage of an average year for which the loss is not exceeded, 0.001 to 50.
    delta_n, n0
        Average lapse rate of radio refractivity through the lowest 1 km, N-units/km (positive), and sea-level surface
        refractivity, N-units, at the path's centre; the defaults are planning values for northern Vietnam.
    tx_gain_dbi, rx_gain_dbi
        Antenna gains towards the horizon along the path, dBi: they enter the troposcatter coupling loss only.
    dct_km, dcr_km
        Distance over land from transmitter and receiver to the coast along the path, km; 0 for a terminal at sea (set
        by itself where the profile's end lies in the sea zone).
    dry_pressure_hpa, temperature_c
        Pressure of dry air, hPa, and temperature, degrees Celsius, for the attenuation by gases.
    latitude_deg
        Latitude used for paths that do not know their own, degrees.

    Raises
    ------
    ParameterError
        When a parameter is out of range.
    """

    time_percent: float = 50.0
    delta_n: float = NORTHERN_VIETNAM_DELTA_N
    n0: float = NORTHERN_VIETNAM_N0
    tx_gain_dbi: float = 0.0
    rx_gain_dbi: float = 0.0
    dct_km: float = 500.0
    dcr_km: float = 500.0
    dry_pressure_hpa: float = 1013.25
    temperature_c: float = 15.0
    latitude_deg: float = 21.3

    needs: ClassVar[Literal["geometry"]] = "geometry"
    citation: ClassVar[str] = "Recommendation ITU-R P.452-18"

    def __post_init__(self) -> None:
        require_range("time_percent", self.time_percent, 0.001, 50.0)
        require_range("delta_n", self.delta_n, 0.0, 156.0, "it is a positive number of N-units/km in this model")
        require_range("n0", self.n0, 200.0, 500.0)
        require_range("tx_gain_dbi", self.tx_gain_dbi, -50.0, 80.0)
        require_range("rx_gain_dbi", self.rx_gain_dbi, -50.0, 80.0)
        require_range("dct_km", self.dct_km, 0.0, 1e5)
        require_range("dcr_km", self.dcr_km, 0.0, 1e5)
        require_range("dry_pressure_hpa", self.dry_pressure_hpa, 0.0, 1200.0)
        require_range("temperature_c", self.temperature_c, -100.0, 70.0, "degrees Celsius")
        require_range("latitude_deg", self.latitude_deg, -90.0, 90.0)

    @property
    def median_earth_radius_km(self) -> float:
        """Median effective Earth radius a_e, km (equations 5 and 6a)."""
        return EARTH_RADIUS_KM * 157.0 / (157.0 - self.delta_n)

    def geometry_settings(self) -> FloatArray:
        """Settings of the geometry kernels: effective Earth radii, coast distances, where clutter counts."""
        settings = np.zeros(_geometry.N_SETTINGS)
        settings[_geometry.MEDIAN_RADIUS_KM] = self.median_earth_radius_km
        settings[_geometry.BETA_RADIUS_KM] = EARTH_RADIUS_KM * BETA0_EARTH_RADIUS_FACTOR
        settings[_geometry.WITH_BETA] = float(self.time_percent < 50.0)
        settings[_geometry.TX_COAST_SETTING_KM] = self.dct_km
        settings[_geometry.RX_COAST_SETTING_KM] = self.dcr_km
        settings[_geometry.SQRT_WAVELENGTH] = math.sqrt(10.0)  # 30 MHz
        settings[_geometry.BARE_END_KM] = _kernel.BARE_END_KM
        return settings

    def finish_parameters(self) -> FloatArray:
        """The model's constants for the finish kernels."""
        p = self.time_percent
        coupling_db = 0.051 * math.exp(0.055 * (self.tx_gain_dbi + self.rx_gain_dbi))  # equation 45b
        out = np.zeros(_shared.N_PARAMETERS)
        out[_shared.TIME_PERCENT] = p
        out[_shared.TIME_QUANTILE] = _shared.inverse_normal(p / 100.0)
        out[_shared.LOG_TIME] = math.log10(p / 50.0)
        # equation 45 but for what depends on path and frequency
        out[_shared.TROPO_TIME_DB] = 190.0 - 0.15 * self.n0 + coupling_db - 10.1 * math.log10(50.0 / p) ** 0.7
        out[_shared.RADIUS_KM] = self.median_earth_radius_km
        return out

    def _gases(self, frequency_mhz: FloatArray, density_g_m3: FloatArray) -> FloatArray:
        """Specific attenuation, dB/km, at pairs of frequency, MHz, and water vapour density, g/m3; shape (n,)."""
        pairs, which = np.unique(frequency_mhz / 1e3 + 1j * density_g_m3, return_inverse=True)
        values = np.empty(pairs.size)
        specific_attenuations(
            np.ascontiguousarray(pairs.real),
            np.ascontiguousarray(pairs.imag),
            float(self.dry_pressure_hpa),
            self.temperature_c + 273.15,
            read_only(OXYGEN_LINES),
            read_only(WATER_VAPOUR_LINES),
            values,
        )
        return values[which]

    def _gas_terms(self, frequency_mhz: FloatArray) -> FloatArray:
        """Row by band: dB/km through the troposcatter volume, and a polynomial in the share of sea for the path's.

        Lines widen smoothly with the vapour, so the polynomial follows the line-by-line sums to rounding.
        """
        out = np.empty((frequency_mhz.size, 1 + _GAS_TERMS))
        out[:, 0] = self._gases(frequency_mhz, np.full(frequency_mhz.size, _TROPOSCATTER_VAPOUR_G_M3))
        share = 0.5 - 0.5 * np.cos(np.pi * np.arange(_GAS_TERMS) / (_GAS_TERMS - 1))
        powers = np.vander(share, increasing=True)
        for row, frequency in zip(out, frequency_mhz, strict=True):
            values = self._gases(np.full(share.size, frequency), _path_vapour_g_m3(share))
            row[1:] = np.linalg.solve(powers, values)
            row[1] = values[0]  # over land only, to the last bit
        return out

    def check_validity(
        self, frequency_mhz: npt.ArrayLike, tx_height_agl_m: npt.ArrayLike, rx_height_agl_m: npt.ArrayLike
    ) -> None:
        """Warn outside the Recommendation's range; raise where the equations have no meaning."""
        require_range("frequency_mhz", frequency_mhz, 30.0, 100_000.0, "MHz")
        for name, height in (("tx_height_agl_m", tx_height_agl_m), ("rx_height_agl_m", rx_height_agl_m)):
            lowest = float(np.min(np.asarray(height, dtype=np.float64), initial=1.0))
            require(lowest > 0.0, name, lowest, "above 0 m", "give the antenna's height above ground")
        check_range("frequency_mhz", frequency_mhz, 100.0, 50_000.0, self.citation, stacklevel=5)

    def finish_bands(self, frequency_mhz: npt.ArrayLike, polarization: str) -> FloatArray:
        """What the finish kernel needs of each frequency, MHz: P.1812's table and the gases; shape (bands, fields)."""
        f = np.atleast_1d(np.asarray(frequency_mhz, dtype=np.float64))
        return np.hstack([P1812().finish_bands(f, polarization), self._gas_terms(f)])

    finish_kernel: ClassVar[Any] = staticmethod(_block.p452_block)
    """The model behind the geometry, a block of paths at a time (see ``rfplan.kernels.finish``)."""

    def finish_db(self, geometry: FloatArray, frequency_mhz: npt.ArrayLike, polarization: str) -> FloatArray:
        """Basic transmission loss, dB, shape (bands, n), from geometry of shape (fields, n) and frequencies, MHz."""
        bands = self.finish_bands(frequency_mhz, polarization)
        return cast(FloatArray, finish_paths(self.finish_kernel, geometry, bands, self.finish_parameters()))

    def _parts(self, paths: Paths) -> FloatArray:
        profile_points(paths, "P452")
        self.check_validity(paths.frequency_mhz, paths.tx_height_agl_m, paths.rx_height_agl_m)
        check_range("distance_m", paths.distance_m, 0.0, 1e7, self.citation, stacklevel=4)
        geometry, column = path_geometry(paths, self.geometry_settings(), self.latitude_deg)
        distinct, which = np.unique(paths.frequency_mhz, return_inverse=True)
        bands = P1812().finish_bands(distinct, paths.polarization)[which]
        sea = geometry[_geometry.SEA_FRACTION, column]
        density = (_path_vapour_g_m3(sea), np.full(sea.size, _TROPOSCATTER_VAPOUR_G_M3))
        gases = np.stack([self._gases(paths.frequency_mhz, rho) for rho in density], axis=1)
        out = np.empty((len(paths), _kernel.N_PARTS))
        _kernel.p452_finish(geometry, column, bands, gases, self.finish_parameters(), out)
        return out

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Basic transmission loss not exceeded for the model's time percentage, dB, shape (n,).

        Raises
        ------
        ParameterError
            When the paths carry no terrain, fewer than 3 points, or an antenna at ground level.
        """
        return np.ascontiguousarray(self._parts(paths)[:, -1])

    def loss_parts(self, paths: Paths) -> dict[str, FloatArray]:
        """Named parts of the loss, dB, each of shape (n,); ``path_loss_db`` is their outcome."""
        out = self._parts(paths)
        return {name: np.ascontiguousarray(out[:, i]) for i, name in enumerate(_kernel.PARTS)}
