"""Path-specific prediction over terrain: Recommendation ITU-R P.1812-8."""

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
from rfplan.kernels import geometry as _geometry, p1812 as _kernel, p1812_block as _block
from rfplan.kernels.diffraction import LIGHT_M_GHZ, surface_admittance
from rfplan.kernels.finish import finish_paths
from rfplan.profile import Paths
from rfplan.propagation.base import check_range, require, require_choice, require_profile, require_range
from rfplan.propagation.profile_checks import read_only

FloatArray = npt.NDArray[np.float64]

__all__ = ["P1812", "path_geometry"]

_PARALLEL_POINTS = 200_000  # fewer profile points in all than this are quicker on one thread


def path_geometry(
    paths: Paths, settings: FloatArray, default_latitude_deg: float
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Exact geometry of a batch of paths: paths that differ in frequency only share one column.

    Parameters
    ----------
    paths
        Paths with terrain, at least 3 points each.
    settings
        Settings of the geometry kernels, as a model's ``geometry_settings()`` gives them.
    default_latitude_deg
        Latitude for paths whose own is unknown, degrees.

    Returns
    -------
    geometry, column
        Geometry of shape (fields, distinct paths), and each path's column in it.
    """
    require_profile(paths, "this model")
    start, stop = paths.point_start, paths.point_stop
    assert start is not None
    assert stop is not None
    assert paths.latitude_deg is not None
    assert paths.point_distance_m is not None
    assert paths.point_elevation_amsl_m is not None
    assert paths.point_clutter_height_m is not None
    assert paths.point_zone is not None
    steps = stop - start
    if (steps < 3).any():
        i = int(np.argmin(steps))
        require(False, f"paths[{i}]", int(steps[i]), "at least 3 profile points", "sample the profile more finely")
    latitude = np.where(np.isnan(paths.latitude_deg), default_latitude_deg, paths.latitude_deg)
    key = np.stack([start, stop, paths.tx_height_agl_m, paths.rx_height_agl_m, latitude])
    fresh = np.ones(len(paths), dtype=bool)
    fresh[1:] = (key[:, 1:] != key[:, :-1]).any(axis=0)
    column = np.cumsum(fresh) - 1
    first = np.flatnonzero(fresh)
    out = _geometry.empty_geometry(first.size)
    fill = _geometry.fill_geometry
    if int(steps[first].sum()) > _PARALLEL_POINTS:
        fill = _geometry.fill_geometry_parallel
    fill(
        start[first],
        stop[first],
        read_only(paths.point_distance_m / 1e3),
        read_only(paths.point_elevation_amsl_m),
        read_only(paths.point_clutter_height_m),
        read_only(paths.point_zone),
        paths.tx_height_agl_m[first],
        paths.rx_height_agl_m[first],
        latitude[first],
        settings,
        out,
    )
    return out, column


@dataclass(frozen=True)
class P1812:
    """Basic transmission loss over terrain by P.1812-8: diffraction, ducting, troposcatter, clutter and
    variability.

    Parameters
    ----------
    time_percent
        Percentage of an average year for which the loss is not exceeded, 1 to 50.
    location_percent
        Percentage of locations for which the loss is not exceeded, 1 to 99. At 50 the location variability
        drops out.
    delta_n
        Average lapse rate of radio refractivity through the lowest 1 km, N-units/km (positive). The default is
        a rounded
        planning value for the Red River delta of northern Vietnam
        (`rfplan.constants.NORTHERN_VIETNAM_DELTA_N`).
    n0
        Sea-level surface refractivity, N-units; default as for ``delta_n``.
    dct_km, dcr_km
        Distance over land from transmitter and receiver to the coast along the path, km; 0 for a terminal at
        sea (set by
        itself where the profile's end lies in the sea zone).
    location_width_m
        Width of the square area over which location variability applies, m (the prediction's resolution).
    entry_loss_db, entry_sigma_db
        Median building entry loss and its standard deviation, dB, for indoor receivers (for example from ITU-R
        P.2109);
        0 outdoors.
    latitude_deg
        Latitude used for paths that do not know their own, degrees.

    Notes
    -----
    Range of the Recommendation: 30 MHz to 6 GHz, 0.25 to 3000 km, antenna heights of 1 to 3000 m above ground.
    Outside a
    `ValidityWarning` is issued and nothing is clipped. A grid around a site is evaluated with the
    transmitter's own
    parameters: delta N and N_0 do not vary along the path.
    """

    time_percent: float = 50.0
    location_percent: float = 50.0
    delta_n: float = NORTHERN_VIETNAM_DELTA_N
    n0: float = NORTHERN_VIETNAM_N0
    dct_km: float = 500.0
    dcr_km: float = 500.0
    location_width_m: float = 100.0
    entry_loss_db: float = 0.0
    entry_sigma_db: float = 0.0
    latitude_deg: float = 21.3

    needs: ClassVar[Literal["geometry"]] = "geometry"
    citation: ClassVar[str] = "Recommendation ITU-R P.1812-8"

    def __post_init__(self) -> None:
        require_range("time_percent", self.time_percent, 1.0, 50.0)
        require_range("location_percent", self.location_percent, 1.0, 99.0)
        require_range("delta_n", self.delta_n, 0.0, 156.0, "it is a positive number of N-units/km in this model")
        require_range("n0", self.n0, 200.0, 500.0)
        require_range("dct_km", self.dct_km, 0.0, 1e5)
        require_range("dcr_km", self.dcr_km, 0.0, 1e5)
        require_range("location_width_m", self.location_width_m, 1.0, 1e4)
        require_range("entry_loss_db", self.entry_loss_db, 0.0, 200.0)
        require_range("entry_sigma_db", self.entry_sigma_db, 0.0, 50.0)
        require_range("latitude_deg", self.latitude_deg, -90.0, 90.0)

    @property
    def median_earth_radius_km(self) -> float:
        """Median effective Earth radius a_e, km (P.1812-8 equations 6 and 7a)."""
        return EARTH_RADIUS_KM * 157.0 / (157.0 - self.delta_n)

    def geometry_settings(self) -> FloatArray:
        """Settings of the geometry kernels: effective Earth radii, coast distances, whether beta_0 is wanted."""
        settings = np.zeros(_geometry.N_SETTINGS)
        settings[_geometry.MEDIAN_RADIUS_KM] = self.median_earth_radius_km
        settings[_geometry.BETA_RADIUS_KM] = EARTH_RADIUS_KM * BETA0_EARTH_RADIUS_FACTOR
        settings[_geometry.WITH_BETA] = float(self.time_percent < 50.0)
        settings[_geometry.SQRT_WAVELENGTH] = math.sqrt(10.0)  # 30 MHz
        settings[_geometry.TX_COAST_SETTING_KM] = self.dct_km
        settings[_geometry.RX_COAST_SETTING_KM] = self.dcr_km
        return settings

    def finish_parameters(self) -> FloatArray:
        """The model's constants for the finish kernels."""
        p = self.time_percent
        out = np.zeros(_kernel.N_PARAMETERS)
        out[_kernel.TIME_PERCENT] = p
        out[_kernel.TIME_QUANTILE] = _kernel.inverse_normal(p / 100.0)
        out[_kernel.LOG_TIME] = math.log10(p / 50.0)
        out[_kernel.TROPO_TIME_DB] = 190.1 - 0.15 * self.n0 - 10.125 * math.log10(50.0 / p) ** 0.7
        if self.location_percent != 50.0:
            out[_kernel.LOCATION_QUANTILE] = _kernel.inverse_normal(self.location_percent / 100.0)
        out[_kernel.ENTRY_DB] = self.entry_loss_db
        out[_kernel.ENTRY_SIGMA_DB] = self.entry_sigma_db
        out[_kernel.RADIUS_KM] = self.median_earth_radius_km
        return out

    def finish_bands(self, frequency_mhz: npt.ArrayLike, polarization: str) -> FloatArray:
        """What the finish kernels need of each frequency, MHz: shape (bands, fields)."""
        require_choice("polarization", polarization, ("vertical", "horizontal"))
        f = np.atleast_1d(np.asarray(frequency_mhz, dtype=np.float64)) / 1e3
        require(bool((f > 0.0).all()), "frequency_mhz", float(f.min()) * 1e3, "above 0 MHz")
        wavelength = LIGHT_M_GHZ / f
        vertical = polarization == "vertical"
        log_f = np.log10(f)
        out = np.empty((f.size, _kernel.N_BAND_FIELDS))
        out[:, _kernel.FREQUENCY_GHZ] = f
        out[:, _kernel.FREE_SPACE_DB] = 92.4 + 20.0 * log_f
        out[:, _kernel.TROPO_DB] = 25.0 * log_f - 2.5 * np.log10(f / 2.0) ** 2
        low = np.where(f < 0.5, 45.375 - 137.0 * f + 92.5 * f * f, 0.0)
        out[:, _kernel.DUCT_DB] = 102.45 + 20.0 * log_f + low
        out[:, _kernel.FREQUENCY_THIRD] = np.cbrt(f)
        out[:, _kernel.SQRT_FREQUENCY] = np.sqrt(f)
        out[:, _kernel.NU_SCALE] = np.sqrt(0.002 / wavelength)
        out[:, _kernel.SQRT_WAVELENGTH] = np.sqrt(wavelength)
        out[:, _kernel.ADMITTANCE_LAND] = [surface_admittance(22.0, 0.003, v, vertical) for v in f]
        out[:, _kernel.ADMITTANCE_SEA] = [surface_admittance(80.0, 5.0, v, vertical) for v in f]
        out[:, _kernel.SIGMA_DB] = (0.52 + 0.024 * f) * self.location_width_m**0.28
        return out

    finish_kernel: ClassVar[Any] = staticmethod(_block.p1812_block)
    """The model behind the geometry, a block of paths at a time (see ``rfplan.kernels.finish``)."""

    def finish_db(self, geometry: FloatArray, frequency_mhz: npt.ArrayLike, polarization: str) -> FloatArray:
        """Basic transmission loss, dB, shape (bands, n), from geometry of shape (fields, n) and frequencies, MHz."""
        bands = self.finish_bands(frequency_mhz, polarization)
        return cast(FloatArray, finish_paths(self.finish_kernel, geometry, bands, self.finish_parameters()))

    def check_validity(
        self, frequency_mhz: npt.ArrayLike, tx_height_agl_m: npt.ArrayLike, rx_height_agl_m: npt.ArrayLike
    ) -> None:
        """Warn outside the Recommendation's range; raise where the equations have no meaning."""
        for name, height in (("tx_height_agl_m", tx_height_agl_m), ("rx_height_agl_m", rx_height_agl_m)):
            lowest = float(np.min(np.asarray(height, dtype=np.float64)))
            require(lowest > 0.0, name, lowest, "above 0 m", "give the antenna's height above ground")
            check_range(name, height, 1.0, 3000.0, self.citation, stacklevel=4)
        check_range("frequency_mhz", frequency_mhz, 30.0, 6000.0, self.citation, stacklevel=4)

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Basic transmission loss not exceeded for the model's percentages, dB, shape (n,).

        Raises
        ------
        ParameterError
            When the paths carry no terrain, fewer than 3 points, or an antenna at ground level.
        """
        self.check_validity(paths.frequency_mhz, paths.tx_height_agl_m, paths.rx_height_agl_m)
        geometry, column = path_geometry(paths, self.geometry_settings(), self.latitude_deg)
        loss = np.empty(len(paths))
        for f in np.unique(paths.frequency_mhz):
            these = paths.frequency_mhz == f
            part = geometry[:, column[these]]
            loss[these] = self.finish_db(part, f, paths.polarization)[0]
        return loss

    def loss_parts(self, paths: Paths) -> dict[str, FloatArray]:
        """Named parts of the loss, dB, each of shape (n,); ``path_loss_db`` is their outcome."""
        self.check_validity(paths.frequency_mhz, paths.tx_height_agl_m, paths.rx_height_agl_m)
        settings = self.geometry_settings()
        settings[_geometry.WITH_BETA] = 1.0
        geometry, column = path_geometry(paths, settings, self.latitude_deg)
        out = np.empty((len(paths), _kernel.N_PARTS))
        _kernel.p1812_parts_pairs(geometry, column, self._bands_of(paths), self.finish_parameters(), out)
        return {name: out[:, i].copy() for i, name in enumerate(_kernel.PARTS)}

    def _bands_of(self, paths: Paths) -> FloatArray:
        """A band row a path."""
        distinct, which = np.unique(paths.frequency_mhz, return_inverse=True)
        return np.ascontiguousarray(self.finish_bands(distinct, paths.polarization)[which])
