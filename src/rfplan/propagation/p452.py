"""Interference between stations on the surface of the Earth, clear air: Recommendation ITU-R P.452-18."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from rfplan.constants import (
    BETA0_EARTH_RADIUS_FACTOR,
    EARTH_RADIUS_KM,
    NORTHERN_VIETNAM_DELTA_N,
    NORTHERN_VIETNAM_N0,
)
from rfplan.kernels import geometry as _geometry, p452 as _kernel, p1812 as _shared
from rfplan.kernels.p452_gas import specific_attenuations
from rfplan.profile import Paths
from rfplan.propagation.base import check_range, require, require_range
from rfplan.propagation.p676_lines import OXYGEN_LINES, WATER_VAPOUR_LINES
from rfplan.propagation.p1812 import P1812
from rfplan.propagation.profile_checks import ProfilePoints, profile_points, read_only

FloatArray = npt.NDArray[np.float64]

__all__ = ["P452"]

_TROPOSCATTER_VAPOUR_G_M3 = 3.0  # section 4.3


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

    needs: ClassVar[Literal["profile"]] = "profile"
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

    def _settings(self) -> FloatArray:
        settings = np.zeros(_geometry.N_SETTINGS)
        settings[_geometry.MEDIAN_RADIUS_KM] = self.median_earth_radius_km
        settings[_geometry.BETA_RADIUS_KM] = EARTH_RADIUS_KM * BETA0_EARTH_RADIUS_FACTOR
        settings[_geometry.WITH_BETA] = float(self.time_percent < 50.0)
        settings[_geometry.TX_COAST_SETTING_KM] = self.dct_km
        settings[_geometry.RX_COAST_SETTING_KM] = self.dcr_km
        return settings

    def _parameters(self) -> FloatArray:
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

    def _geometry(self, paths: Paths, points: ProfilePoints) -> tuple[FloatArray, FloatArray, npt.NDArray[np.int64]]:
        """Geometry and slope excess of the distinct paths, and each path's column: bands share their geometry."""
        unknown = np.full(len(paths), self.latitude_deg)
        latitude = unknown if paths.latitude_deg is None else paths.latitude_deg
        latitude = np.where(np.isnan(latitude), unknown, latitude)
        key = np.stack([points.start, points.stop, paths.tx_height_agl_m, paths.rx_height_agl_m, latitude])
        fresh = np.ones(len(paths), dtype=np.bool_)
        fresh[1:] = (key[:, 1:] != key[:, :-1]).any(axis=0)
        own = np.flatnonzero(fresh)
        geometry = _geometry.empty_geometry(own.size)
        excess = np.empty(own.size)
        heights = np.stack([paths.tx_height_agl_m[own], paths.rx_height_agl_m[own]])
        flat = (
            read_only(points.start[own]),
            read_only(points.stop[own]),
            points.distance_m,
            points.elevation_amsl_m,
            points.clutter_height_m,
            points.zone,
        )
        _kernel.p452_geometry(flat, heights, latitude[own], self._settings(), geometry, excess)
        return geometry, excess, np.cumsum(fresh) - 1

    def _gases(self, frequency_mhz: FloatArray, sea: FloatArray) -> FloatArray:
        """Specific attenuation, dB/km, (n, 2): along the path (eq. 9a) and through the troposcatter volume."""
        out = np.empty((frequency_mhz.size, 2))
        density = (7.5 + 2.5 * sea, np.full(sea.size, _TROPOSCATTER_VAPOUR_G_M3))
        for column, rho in enumerate(density):
            pairs, which = np.unique(frequency_mhz / 1e3 + 1j * rho, return_inverse=True)
            values = np.empty(pairs.size)
            air = (float(self.dry_pressure_hpa), self.temperature_c + 273.15)
            specific_attenuations(
                np.ascontiguousarray(pairs.real),
                np.ascontiguousarray(pairs.imag),
                *air,
                read_only(OXYGEN_LINES),
                read_only(WATER_VAPOUR_LINES),
                values,
            )
            out[:, column] = values[which]
        return out

    def _parts(self, paths: Paths) -> FloatArray:
        points = profile_points(paths, "P452")
        steps = points.stop - points.start
        if (steps < 3).any():
            i = int(np.argmin(steps))
            require(False, f"paths[{i}]", int(steps[i]), "at least 3 profile points", "sample the profile more finely")
        require_range("frequency_mhz", paths.frequency_mhz, 30.0, 100_000.0, "MHz")
        for name, height in (("tx_height_agl_m", paths.tx_height_agl_m), ("rx_height_agl_m", paths.rx_height_agl_m)):
            lowest = float(height.min(initial=1.0))
            require(lowest > 0.0, name, lowest, "above 0 m", "give the antenna's height above ground")
        check_range("frequency_mhz", paths.frequency_mhz, 100.0, 50_000.0, self.citation, stacklevel=4)
        check_range("distance_m", paths.distance_m, 0.0, 1e7, self.citation, stacklevel=4)
        geometry, excess, column = self._geometry(paths, points)
        distinct, which = np.unique(paths.frequency_mhz, return_inverse=True)
        bands = P1812().finish_bands(distinct, paths.polarization)[which]
        gases = self._gases(paths.frequency_mhz, geometry[_geometry.SEA_FRACTION, column])
        out = np.empty((len(paths), _kernel.N_PARTS))
        _kernel.p452_finish(geometry, excess, column, bands, gases, self._parameters(), out)
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
