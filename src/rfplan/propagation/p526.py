"""Diffraction methods by name: Recommendation ITU-R P.526-15."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, cast

import numpy as np
import numpy.typing as npt

from rfplan.constants import EARTH_RADIUS_KM
from rfplan.kernels import geometry as _geometry, p526 as _kernel, p526_block as _block, p1812 as _shared
from rfplan.kernels.diffraction import (
    LIGHT_M_GHZ,
    first_term_db,
    sphere_clearance,
    surface_admittance,
)
from rfplan.kernels.finish import finish_paths
from rfplan.profile import Paths, Polarization
from rfplan.propagation.base import check_range, require, require_choice, require_range
from rfplan.propagation.free_space import free_space_loss_db
from rfplan.propagation.p1812 import P1812, path_geometry
from rfplan.propagation.profile_checks import profile_points, read_only

FloatArray = npt.NDArray[np.float64]
DiffractionMethod = Literal[
    "single", "bullington", "deygout", "epstein-peterson", "delta-bullington", "spherical-earth"
]

__all__ = [
    "DIFFRACTION_METHODS",
    "P526",
    "DiffractionMethod",
    "knife_edge_loss_db",
    "knife_edge_parameter",
    "spherical_earth_loss_db",
]

STANDARD_EARTH_RADIUS_KM = EARTH_RADIUS_KM * 4.0 / 3.0

_EDGE_METHODS = {
    "single": _kernel.SINGLE,
    "deygout": _kernel.DEYGOUT,
    "epstein-peterson": _kernel.EPSTEIN_PETERSON,
}
_GEOMETRY_METHODS = {
    "bullington": _kernel.BULLINGTON,
    "delta-bullington": _kernel.DELTA_BULLINGTON,
    "spherical-earth": _kernel.SPHERICAL_EARTH,
}
DIFFRACTION_METHODS = ("single", "bullington", "deygout", "epstein-peterson", "delta-bullington", "spherical-earth")


def knife_edge_parameter(
    height_m: npt.ArrayLike, distance_1_m: npt.ArrayLike, distance_2_m: npt.ArrayLike, frequency_mhz: npt.ArrayLike
) -> FloatArray:
    """Fresnel-Kirchhoff parameter nu = h sqrt(2 / lambda (1 / d1 + 1 / d2)) of an edge (P.526-15, equation 26).

    Parameters
    ----------
    height_m
        Height of the edge above the line between the antennas, m; negative below it.
    distance_1_m, distance_2_m
        Distances from the edge to the two ends, m, above 0.
    frequency_mhz
        Frequency, MHz, above 0.

    Returns
    -------
    ndarray
        In the shape the arguments broadcast to.
    """
    h, d1, d2, f = (
        np.asarray(v, dtype=np.float64) for v in (height_m, distance_1_m, distance_2_m, frequency_mhz)
    )  # fmt: skip
    for name, value in (("distance_1_m", d1), ("distance_2_m", d2), ("frequency_mhz", f)):
        require(bool((value > 0.0).all()), name, float(np.min(value)), "above 0")
    require(bool(np.isfinite(h).all()), "height_m", float(np.max(h)), "a finite height, m")
    wavelength_m = LIGHT_M_GHZ * 1e3 / f
    return np.asarray(h * np.sqrt(2.0 / wavelength_m * (1.0 / d1 + 1.0 / d2)))


def knife_edge_loss_db(nu: npt.ArrayLike) -> FloatArray:
    """Loss over a knife edge of parameter nu, dB, by P.526-15's approximation; 0 for nu <= -0.78 (equation 31)."""
    values = np.asarray(nu, dtype=np.float64)
    require(not bool(np.isnan(values).any()), "nu", math.nan, "a number")
    shifted = np.maximum(values, -0.78) - 0.1
    loss = 6.9 + 20.0 * np.log10(np.sqrt(shifted**2 + 1.0) + shifted)
    return np.asarray(np.where(values > -0.78, loss, 0.0))


def spherical_earth_loss_db(
    distance_m: npt.ArrayLike,
    frequency_mhz: npt.ArrayLike,
    tx_height_m: npt.ArrayLike,
    rx_height_m: npt.ArrayLike,
    *,
    polarization: Polarization = "vertical",
    earth_radius_km: float = STANDARD_EARTH_RADIUS_KM,
    permittivity: float = 22.0,
    conductivity_s_m: float = 0.003,
) -> FloatArray:
    """Diffraction loss over a smooth sphere at any distance, dB, from 10 MHz (P.526-15, section 3.2).

    Parameters
    ----------
    distance_m, frequency_mhz
        Path length, m, and frequency, MHz.
    tx_height_m, rx_height_m
        Antenna heights above the sphere, m, above 0.
    polarization
        "vertical" or "horizontal".
    earth_radius_km
        Effective Earth radius, km.
    permittivity, conductivity_s_m
        Relative permittivity and conductivity, S/m, of the ground.

    Returns
    -------
    ndarray
        In the shape the first four arguments broadcast to.
    """
    columns = (distance_m, frequency_mhz, tx_height_m, rx_height_m)
    d, f, h1, h2 = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in columns))
    names = ("distance_m", "frequency_mhz", "tx_height_m", "rx_height_m")
    for name, value in zip(names, (d, f, h1, h2), strict=True):
        require(bool((value > 0.0).all()), name, float(np.min(value)), "above 0")
    require_choice("polarization", polarization, ("vertical", "horizontal"))
    require_range("earth_radius_km", earth_radius_km, 1000.0, 1e6)
    require_range("permittivity", permittivity, 1.0, 1000.0)
    require_range("conductivity_s_m", conductivity_s_m, 0.0, 100.0)
    check_range("frequency_mhz", f, 10.0, np.inf, P526.citation)
    out = np.empty(d.shape)
    for i in np.ndindex(d.shape):
        km, f_ghz, tx, rx = float(d[i]) / 1e3, float(f[i]) / 1e3, float(h1[i]), float(h2[i])
        clearance, required, radius = sphere_clearance(km, tx, rx, earth_radius_km)
        needed = required * math.sqrt(LIGHT_M_GHZ / f_ghz)
        admittance = surface_admittance(permittivity, conductivity_s_m, f_ghz, polarization == "vertical")
        loss = max(first_term_db(km, tx, rx, f_ghz, radius, admittance), 0.0)
        out[i] = 0.0 if clearance > needed else loss * (1.0 - clearance / needed)
    return out


@dataclass(frozen=True)
class P526:
    """Free space and diffraction by one named method over a profile, from 30 MHz.

    Parameters
    ----------
    method
        - "single": the one edge with the highest parameter (section 4.1).
        - "bullington": the equivalent edge of section 4.5.1, with its correction for rough paths.
        - "deygout": main edge and the two on its sides (section 4.4.2).
        - "epstein-peterson": successive obstacles of the stretched string, each between its neighbours (section 4.3,
          carried to more than two); string points within ``obstacle_gap_m`` of each other are one obstacle.
        - "delta-bullington": Bullington corrected by spherical Earth (section 4.5.2), the general method.
        - "spherical-earth": a smooth Earth fitted to the terrain (section 3.2).
    earth_radius_km
        Effective Earth radius, km; default 4/3 of 6371 km.
    add_clutter
        Whether clutter heights of interior points are added to the ground.
    permittivity, conductivity_s_m
        Ground on land for the spherical-Earth part; sea counts with 80 and 5 S/m by its share of the path.
    obstacle_gap_m
        See "epstein-peterson".

    Raises
    ------
    ParameterError
        When a parameter is out of range.
    """

    method: DiffractionMethod = "delta-bullington"
    earth_radius_km: float = STANDARD_EARTH_RADIUS_KM
    add_clutter: bool = True
    permittivity: float = 22.0
    conductivity_s_m: float = 0.003
    obstacle_gap_m: float = 250.0

    needs = "geometry"  # no field: the methods of isolated edges look at every point and say so themselves
    citation: ClassVar[str] = "Recommendation ITU-R P.526-15"

    def __post_init__(self) -> None:
        require_choice("method", self.method, DIFFRACTION_METHODS)
        require_range("earth_radius_km", self.earth_radius_km, 1000.0, 1e6)
        require_range("permittivity", self.permittivity, 1.0, 1000.0)
        require_range("conductivity_s_m", self.conductivity_s_m, 0.0, 100.0)
        require_range("obstacle_gap_m", self.obstacle_gap_m, 0.0, 1e5)
        if self.method != "delta-bullington":
            object.__setattr__(self, "needs", "profile")

    def geometry_settings(self) -> FloatArray:
        """Settings of the geometry kernels: the effective Earth radius and whether clutter counts."""
        settings = np.zeros(_geometry.N_SETTINGS)
        settings[_geometry.MEDIAN_RADIUS_KM] = self.earth_radius_km
        settings[_geometry.BETA_RADIUS_KM] = self.earth_radius_km
        settings[_geometry.SQRT_WAVELENGTH] = math.sqrt(300.0)  # 1 MHz
        settings[_geometry.BARE_END_KM] = 0.0 if self.add_clutter else math.inf
        return settings

    def check_validity(
        self, frequency_mhz: npt.ArrayLike, tx_height_agl_m: npt.ArrayLike, rx_height_agl_m: npt.ArrayLike
    ) -> None:
        """Warn outside the Recommendation's range; raise where the equations have no meaning."""
        require_range("frequency_mhz", frequency_mhz, 1.0, 300_000.0, "MHz")
        for name, height in (("tx_height_agl_m", tx_height_agl_m), ("rx_height_agl_m", rx_height_agl_m)):
            lowest = float(np.min(np.asarray(height, dtype=np.float64), initial=1.0))
            require(lowest > 0.0, name, lowest, "above 0 m", "give the antenna's height above ground")
        check_range("frequency_mhz", frequency_mhz, 30.0, np.inf, self.citation, stacklevel=5)

    finish_kernel: ClassVar[Any] = staticmethod(_block.p526_block)
    """Loss by "delta-bullington" behind the geometry, a block of paths at a time (see ``rfplan.kernels.finish``)."""

    def finish_parameters(self) -> FloatArray:
        """The model's constants for the finish kernel: none."""
        return np.zeros(0)

    def finish_bands(self, frequency_mhz: npt.ArrayLike, polarization: str) -> FloatArray:
        """What the finish kernel needs of each frequency, MHz: P.1812's table with this model's ground."""
        f = np.atleast_1d(np.asarray(frequency_mhz, dtype=np.float64))
        bands = P1812().finish_bands(f, polarization)
        vertical = polarization == "vertical"
        bands[:, _shared.FREE_SPACE_DB] = free_space_loss_db(1000.0, f)
        bands[:, _shared.ADMITTANCE_LAND] = [
            surface_admittance(self.permittivity, self.conductivity_s_m, v / 1e3, vertical) for v in f
        ]
        return bands

    def finish_db(self, geometry: FloatArray, frequency_mhz: npt.ArrayLike, polarization: str) -> FloatArray:
        """Loss by "delta-bullington", dB, shape (bands, n), from geometry of shape (fields, n) and frequencies, MHz.

        Raises
        ------
        ParameterError
            When the method is another: those look at the whole profile.
        """
        require_choice("method", self.method, ("delta-bullington",))
        bands = self.finish_bands(frequency_mhz, polarization)
        return cast(FloatArray, finish_paths(self.finish_kernel, geometry, bands, self.finish_parameters()))

    def diffraction_db(self, paths: Paths) -> FloatArray:
        """Diffraction loss relative to free space, dB, shape (n,).

        Raises
        ------
        ParameterError
            When the paths carry no terrain, fewer than 3 points, or an antenna at ground level.
        """
        points = profile_points(paths, "P526")
        self.check_validity(paths.frequency_mhz, paths.tx_height_agl_m, paths.rx_height_agl_m)
        if self.method not in _EDGE_METHODS:
            return self._from_geometry(paths)
        steps = points.stop - points.start
        require(bool((steps >= 3).all()), "paths", int(steps.min(initial=3)), "at least 3 profile points a path")
        clutter = points.clutter_height_m if self.add_clutter else np.zeros_like(points.clutter_height_m)
        out = np.empty(len(paths))
        _kernel.edge_losses(
            (points.start, points.stop, points.distance_m, points.elevation_amsl_m, read_only(clutter)),
            read_only(paths.tx_height_agl_m),
            read_only(paths.rx_height_agl_m),
            np.sqrt(0.002 * paths.frequency_mhz / (LIGHT_M_GHZ * 1e3)),
            500.0 / self.earth_radius_km,
            _EDGE_METHODS[self.method],
            self.obstacle_gap_m / 1e3,
            out,
        )
        return out

    def _from_geometry(self, paths: Paths) -> FloatArray:
        geometry, column = path_geometry(paths, self.geometry_settings(), 0.0)
        distinct, which = np.unique(paths.frequency_mhz, return_inverse=True)
        bands = self.finish_bands(distinct, paths.polarization)
        out = np.empty(len(paths))
        _kernel.geometry_losses(geometry, column, bands, which, _GEOMETRY_METHODS[self.method], out)
        return out

    def loss_parts(self, paths: Paths) -> dict[str, FloatArray]:
        """Free space along the straight line between the antennas, and diffraction, dB, each of shape (n,)."""
        diffraction = self.diffraction_db(paths)
        points = profile_points(paths, "P526")
        z = points.elevation_amsl_m
        rise = (
            z[points.stop - 1] + paths.rx_height_agl_m - z[points.start] - paths.tx_height_agl_m
        )  # fmt: skip
        free = free_space_loss_db(np.hypot(paths.distance_m, rise), paths.frequency_mhz)
        return {"free_space_db": free, "diffraction_db": diffraction}

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Free-space and diffraction loss of each path, dB, shape (n,)."""
        parts = self.loss_parts(paths)
        return parts["free_space_db"] + parts["diffraction_db"]
