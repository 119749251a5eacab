"""Irregular Terrain Model (Longley–Rice), point to point.

Source: G. A. Hufford, "The ITS Irregular Terrain Model, version 1.2.2: the algorithm", NTIA/ITS; A. G. Longley and
P. L. Rice, ESSA Technical Report ERL 79-ITS 67 (1968). Details follow NTIA's public release v1.4.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from rfplan.constants import NORTHERN_VIETNAM_N0
from rfplan.errors import DataWarning, ParameterError, ValidityWarning
from rfplan.kernels import itm as kernels
from rfplan.kernels.itm_variability import CLIMATE_TABLE, standard_normal_exceeded
from rfplan.profile import Paths
from rfplan.propagation.base import require, require_range
from rfplan.propagation.profile_checks import profile_points, read_only

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

__all__ = [
    "ITM",
    "Climate",
    "ITMFlag",
    "ITMMode",
    "ITMResult",
    "LongleyRiceSettings",
    "VariabilityMode",
]


class Climate(IntEnum):
    """Radio climates of the model's variability curves (NBS Technical Note 101, annex III)."""

    EQUATORIAL = 1
    CONTINENTAL_SUBTROPICAL = 2
    MARITIME_SUBTROPICAL = 3
    DESERT = 4
    CONTINENTAL_TEMPERATE = 5
    MARITIME_TEMPERATE_OVER_LAND = 6
    MARITIME_TEMPERATE_OVER_SEA = 7


class VariabilityMode(IntEnum):
    """How time, location and situation are told apart (Hufford, section 5).

    Add 10 to leave location variability out (both ends are surveyed points), 20 to leave out direct situation
    variability (interference studies), 30 for both; the sums are accepted as plain integers.
    """

    SINGLE_MESSAGE = 0
    ACCIDENTAL = 1
    MOBILE = 2
    BROADCAST = 3


class ITMMode(IntEnum):
    """Dominant mechanism of a path."""

    LINE_OF_SIGHT = 1
    DIFFRACTION = 2
    TROPOSCATTER = 3


class ITMFlag(IntFlag):
    """What the model warns about on a path. Values up to 0x4000 are those of NTIA's release."""

    NONE = 0
    TX_HEIGHT = kernels.TX_HEIGHT
    RX_HEIGHT = kernels.RX_HEIGHT
    FREQUENCY = kernels.FREQUENCY
    DISTANCE_LARGE = kernels.DISTANCE_LARGE
    DISTANCE_VERY_LARGE = kernels.DISTANCE_VERY_LARGE
    DISTANCE_STEEP = kernels.DISTANCE_STEEP
    DISTANCE_SMALL = kernels.DISTANCE_SMALL
    TX_HORIZON_ANGLE = kernels.TX_ANGLE
    RX_HORIZON_ANGLE = kernels.RX_ANGLE
    TX_HORIZON_NEAR = kernels.TX_HORIZON_NEAR
    RX_HORIZON_NEAR = kernels.RX_HORIZON_NEAR
    TX_HORIZON_FAR = kernels.TX_HORIZON_FAR
    RX_HORIZON_FAR = kernels.RX_HORIZON_FAR
    EXTREME_VARIABILITY = kernels.EXTREME_VARIABILITY
    REFRACTIVITY_LOW = kernels.REFRACTIVITY_LOW
    UNEVEN_SPACING = kernels.UNEVEN_SPACING
    DIFFRACTION_UNDEFINED = kernels.DIFFRACTION_UNDEFINED


# Said aloud by path_loss_db; the horizon flags depend on terrain, hold on most hilly paths and stay in the result.
_MEANING = {
    ITMFlag.TX_HEIGHT: "a transmitter height is outside 1 to 1000 m",
    ITMFlag.RX_HEIGHT: "a receiver height is outside 1 to 1000 m",
    ITMFlag.FREQUENCY: "a frequency is outside 40 to 10000 MHz",
    ITMFlag.DISTANCE_LARGE: "a path is longer than 1000 km",
    ITMFlag.DISTANCE_VERY_LARGE: "a path is longer than 2000 km",
    ITMFlag.DISTANCE_STEEP: "a path is shorter than 5 times the difference of effective heights",
    ITMFlag.DISTANCE_SMALL: "a path is shorter than 1 km",
    ITMFlag.EXTREME_VARIABILITY: "a percentage lies beyond 3.1 standard deviations",
    ITMFlag.REFRACTIVITY_LOW: "surface refractivity is below 250 N-units",
    ITMFlag.DIFFRACTION_UNDEFINED: "diffraction has no value behind so near a horizon and its attenuation counts as 0",
}


@dataclass(frozen=True, eq=False)
class ITMResult:
    """Loss, intermediate values and flags of n paths; every array has shape (n,).

    ``loss_db`` is basic transmission loss: ``free_space_db`` plus ``reference_db`` (median attenuation) moved by
    variability. Angles in radians above the horizontal, lengths in metres, refractivity in N-units.
    """

    loss_db: FloatArray
    reference_db: FloatArray
    free_space_db: FloatArray
    distance_m: FloatArray
    theta_tx_rad: FloatArray
    theta_rx_rad: FloatArray
    horizon_tx_m: FloatArray
    horizon_rx_m: FloatArray
    effective_tx_m: FloatArray
    effective_rx_m: FloatArray
    surface_refractivity: FloatArray
    delta_h_m: FloatArray
    mode: IntArray
    flags: IntArray

    def flags_of(self, index: int) -> ITMFlag:
        """Flags of one path, by name."""
        return ITMFlag(int(self.flags[index]))

    def mode_of(self, index: int) -> ITMMode:
        """Dominant mechanism of one path, by name."""
        return ITMMode(int(self.mode[index]))

    def loss_parts(self) -> dict[str, FloatArray]:
        """Free space, terrain (reference attenuation) and variability; they sum to the loss."""
        return {
            "free_space_db": self.free_space_db,
            "terrain_db": self.reference_db,
            "variability_db": self.loss_db - self.free_space_db - self.reference_db,
        }


@dataclass(frozen=True)
class LongleyRiceSettings:
    """Parameters that the point-to-point and the area mode share.

    Parameters
    ----------
    time_percent, location_percent, situation_percent
        Percentage of times, locations and situations on which the loss is not exceeded, above 0 and below 100.
    variability_mode
        `VariabilityMode`, optionally + 10, + 20 or + 30.
    climate
        `Climate`; the default fits the monsoon climate of northern Vietnam.
    n0
        Surface refractivity reduced to sea level, N-units, 250 to 400; the default is for northern Vietnam.
    permittivity, conductivity_s_m
        Relative permittivity (>= 1) and conductivity (S/m, > 0) of the ground; the defaults are average ground.

    Raises
    ------
    ParameterError
        When a parameter is out of range.
    """

    time_percent: float = 50.0
    location_percent: float = 50.0
    situation_percent: float = 50.0
    variability_mode: int = VariabilityMode.BROADCAST
    climate: int = Climate.CONTINENTAL_SUBTROPICAL
    n0: float = NORTHERN_VIETNAM_N0
    permittivity: float = 15.0
    conductivity_s_m: float = 0.005

    def __post_init__(self) -> None:
        for name in ("time_percent", "location_percent", "situation_percent"):
            value = getattr(self, name)
            require(0.0 < value < 100.0, name, value, "above 0 and below 100 (percent)")
        mode = self.variability_mode
        allowed = "0 to 3, optionally + 10, + 20 or + 30 (see VariabilityMode)"
        require(mode == int(mode) and 0 <= mode < 40 and mode % 10 <= 3, "variability_mode", mode, allowed)
        require(self.climate in tuple(Climate), "climate", self.climate, "1 to 7 (see Climate)")
        require_range("n0", self.n0, 250.0, 400.0, "surface refractivity at sea level, N-units")
        require(self.permittivity >= 1.0, "permittivity", self.permittivity, "at least 1")
        require(self.conductivity_s_m > 0.0, "conductivity_s_m", self.conductivity_s_m, "above 0 (S/m)")

    @classmethod
    def with_confidence(cls, confidence_percent: float, reliability_percent: float, **settings: Any) -> Any:
        """The same model asked by confidence (situations) and reliability (time), locations at 50 %.

        Parameters
        ----------
        confidence_percent, reliability_percent
            Percentages above 0 and below 100.
        settings
            Other parameters of the class.
        """
        for name, value in (("confidence_percent", confidence_percent), ("reliability_percent", reliability_percent)):
            require(0.0 < value < 100.0, name, value, "above 0 and below 100 (percent)")
        return cls(
            time_percent=reliability_percent, location_percent=50.0, situation_percent=confidence_percent, **settings
        )

    def _quantiles(self) -> tuple[float, float, float]:
        time, location, situation = (
            float(standard_normal_exceeded(percent / 100.0))
            for percent in (self.time_percent, self.location_percent, self.situation_percent)
        )
        return time, location, situation

    def _ground(self) -> tuple[float, float, float]:
        return float(self.n0), float(self.permittivity), float(self.conductivity_s_m)

    def _climate_row(self) -> FloatArray:
        return read_only(CLIMATE_TABLE[int(self.climate) - 1])

    def _result(self, out: FloatArray, flags: IntArray) -> ITMResult:
        """Check what the kernel found and name its columns."""
        kind = int(self.variability_mode) % 10
        time, location, situation = self._quantiles()
        used = {0: (situation,), 1: (time, situation), 2: (time, situation)}.get(kind, (time, location, situation))
        if max(abs(value) for value in used) > 3.10:
            flags |= int(ITMFlag.EXTREME_VARIABILITY)
        _raise_for_errors(out, flags)
        columns = {name: np.ascontiguousarray(out[:, i]) for i, name in enumerate(kernels.FIELDS[:-1])}
        return ITMResult(**columns, mode=out[:, -1].astype(np.int64), flags=flags)


def _raise_for_errors(out: FloatArray, flags: IntArray) -> None:
    refractivity = out[:, kernels.FIELDS.index("surface_refractivity")]
    messages = {
        kernels.ERROR_REFRACTIVITY: "surface refractivity {:.1f} N-units is outside 150 to 400: "
        "check n0 and elevations",
        kernels.ERROR_EARTH_RADIUS: "surface refractivity {:.1f} N-units gives an effective Earth radius outside "
        "4000 to 13333 km: check n0 and elevations",
        kernels.ERROR_IMPEDANCE: "the ground impedance is more reactive than resistive (N_s {:.1f}): lower "
        "conductivity_s_m or raise permittivity or frequency_mhz",
    }
    for bit, message in messages.items():
        bad = np.flatnonzero(flags & bit)
        if bad.size:
            raise ParameterError(f"path {bad[0]}: " + message.format(refractivity[bad[0]]))


def warn_of(result: ITMResult, model: str, stacklevel: int = 4) -> None:
    """One warning for each named condition that holds somewhere in the batch."""
    seen = ITMFlag(int(np.bitwise_or.reduce(result.flags, initial=0)))
    if ITMFlag.UNEVEN_SPACING in seen:
        warnings.warn(
            f"{model}: a profile's points are not equally spaced; its elevations were interpolated to equal steps",
            DataWarning,
            stacklevel=stacklevel,
        )
    for flag, meaning in _MEANING.items():
        if flag in seen:
            warnings.warn(
                f"{model} {flag.name}: {meaning}, the range of its source; the result is returned as it is",
                ValidityWarning,
                stacklevel=stacklevel,
            )


def require_link(paths: Paths) -> None:
    """Raise `ParameterError` for heights or frequencies the model cannot take."""
    require_range("frequency_mhz", paths.frequency_mhz, 20.0, 20_000.0, "MHz")
    require_range("tx_height_agl_m", paths.tx_height_agl_m, 0.5, 3000.0, "metres above ground")
    require_range("rx_height_agl_m", paths.rx_height_agl_m, 0.5, 3000.0, "metres above ground")


@dataclass(frozen=True)
class ITM(LongleyRiceSettings):
    """Longley–Rice point-to-point loss over a bare terrain profile, 20 MHz to 20 GHz, 1 to 2000 km.

    The model's contract is bare ground: its own clutter term stands for what grows on it. Clutter heights of the
    profile are ignored unless ``add_clutter``, which adds them to every point between the terminals.

    See `LongleyRiceSettings` for the other parameters.
    """

    add_clutter: bool = False

    needs: ClassVar[Literal["profile"]] = "profile"
    citation: ClassVar[str] = (
        "G. A. Hufford, The ITS Irregular Terrain Model, version 1.2.2: the algorithm, NTIA/ITS, 1995; "
        "computation as in NTIA ITM v1.4"
    )

    def evaluate(self, paths: Paths) -> ITMResult:
        """Loss, intermediate values and flags of each path; flags are returned, not warned about.

        Raises
        ------
        ParameterError
            When paths carry no terrain, heights or frequencies are out of range, or a path's surface refractivity,
            effective Earth radius or ground impedance is impossible.
        """
        points = profile_points(paths, "ITM")
        require_link(paths)
        elevation = points.elevation_amsl_m
        if self.add_clutter:
            raised = elevation + points.clutter_height_m
            ends = np.concatenate([points.start, points.stop - 1])
            raised[ends] = elevation[ends]
            elevation = read_only(raised)
        out = np.empty((len(paths), len(kernels.FIELDS)))
        flags = np.zeros(len(paths), dtype=np.int64)
        kernels.point_to_point_batch(
            (points.start, points.stop, points.distance_m, elevation),
            read_only(paths.frequency_mhz),
            read_only(paths.tx_height_agl_m),
            read_only(paths.rx_height_agl_m),
            self._ground(),
            paths.polarization == "vertical",
            self._climate_row(),
            int(self.variability_mode),
            self._quantiles(),
            out,
            flags,
        )
        return self._result(out, flags)

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Basic transmission loss of each path, dB, shape (n,); `ValidityWarning` outside the model's ranges."""
        result = self.evaluate(paths)
        warn_of(result, "ITM")
        return result.loss_db

    def loss_parts(self, paths: Paths) -> dict[str, FloatArray]:
        """Free space, terrain and variability, dB, each of shape (n,); they sum to the loss."""
        return self.evaluate(paths).loss_parts()
