"""One antenna pattern: gain, two cuts or a sampled sphere, and how the space between the cuts is filled."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from rfplan.errors import ParameterError
from rfplan.kernels import antenna as kernel

Floats = npt.NDArray[np.float64]
Method = Literal["horizontal-projection", "sum", "cross-weighted"]
_METHOD_KIND = {"sum": kernel.SUM, "horizontal-projection": kernel.PROJECTION, "cross-weighted": kernel.CROSS_WEIGHTED}
_NO_GRID = np.zeros((181, 360), dtype=np.float32)
_NO_GRID.flags.writeable = False


@dataclass(frozen=True)
class ParametricPattern:
    """Parabolic main lobe in both planes with floors (TR 36.814 Table A.2.1.1-2, TR 38.901 Table 7.3-1).

    ``A_H = min(12 (φ/φ3dB)², A_mh)``, ``A_V = min(12 (θ/θ3dB)², SLA)``, ``A = min(A_H + A_V, A_m)``, all in dB.
    A ``horizontal_width_deg`` of infinity is an omnidirectional antenna.
    """

    horizontal_width_deg: float = 70.0
    vertical_width_deg: float = 10.0
    max_horizontal_loss_db: float = 25.0
    max_vertical_loss_db: float = 20.0
    max_loss_db: float = 25.0

    def __post_init__(self) -> None:
        for name in ("horizontal_width_deg", "vertical_width_deg"):
            if not getattr(self, name) > 0.0:
                raise ParameterError(f"{name}={getattr(self, name)!r} must be above 0 degrees")
        for name in ("max_horizontal_loss_db", "max_vertical_loss_db", "max_loss_db"):
            if not getattr(self, name) >= 0.0:
                raise ParameterError(f"{name}={getattr(self, name)!r} must not be negative")


@dataclass(frozen=True, eq=False)
class Antenna:
    """A directional antenna.

    Parameters
    ----------
    name : str
        What sectors refer to.
    gain_dbi : float
        Maximum gain in dBi.
    horizontal_loss_db, vertical_loss_db : (360,) arrays
        Loss relative to the maximum at whole degrees. Horizontal angles turn clockwise from the antenna's zero;
        vertical angles go down from the horizon ahead (0), through straight down (90), to the horizon behind (180).
    method : str
        How the gain between the two cuts is filled, see :meth:`gain_dbi_at`.
    electrical_tilt_deg : float
        Down-tilt already contained in the vertical cut.
    parametric : ParametricPattern, optional
        Evaluated exactly in place of the cuts where given.
    sampled_loss_db : (181, 360) array, optional
        A whole sphere, rows depression −90…90, columns azimuth 0…359; used in place of the cuts.
    notes : tuple of str
        What a reader assumed, in words.
    traffic : Antenna, optional
        What the beams that carry data reach, where they are steered apart from this pattern (an active antenna whose
        broadcast beams this is). Rates use it; reference levels and coverage do not.

    Raises
    ------
    ParameterError
        On cuts of another length, non-finite values or an unknown method.
    """

    name: str
    gain_dbi: float
    horizontal_loss_db: Floats
    vertical_loss_db: Floats
    method: Method = "horizontal-projection"
    max_loss_db: float = np.inf
    electrical_tilt_deg: float = 0.0
    cut_azimuth_deg: float = 0.0
    frequency_mhz: float = np.nan
    parametric: ParametricPattern | None = None
    sampled_loss_db: npt.NDArray[np.float32] | None = None
    properties: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    traffic: Antenna | None = None

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise ParameterError(
                f"antenna {self.name!r}: method {self.method!r} is not one of {', '.join(get_args(Method))}"
            )
        if not np.isfinite(self.gain_dbi):
            raise ParameterError(f"antenna {self.name!r}: gain_dbi={self.gain_dbi!r} must be a number in dBi")
        for name in ("horizontal_loss_db", "vertical_loss_db"):
            cut = np.array(getattr(self, name), dtype=np.float64)
            if cut.shape != (360,) or not np.isfinite(cut).all():
                raise ParameterError(
                    f"antenna {self.name!r}: {name} needs 360 numbers, one a degree; got shape {cut.shape}"
                )
            cut.flags.writeable = False
            object.__setattr__(self, name, cut)
        if self.sampled_loss_db is not None:
            grid = np.array(self.sampled_loss_db, dtype=np.float32)
            if grid.shape != (181, 360) or not np.isfinite(grid).all():
                raise ParameterError(f"antenna {self.name!r}: sampled_loss_db needs shape (181, 360), got {grid.shape}")
            grid.flags.writeable = False
            object.__setattr__(self, "sampled_loss_db", grid)

    @property
    def kind(self) -> int:
        """Kernel code of the pattern."""
        if self.sampled_loss_db is not None:
            return kernel.SAMPLED
        if self.parametric is None:
            return _METHOD_KIND[self.method]
        return kernel.PARAMETRIC if np.isfinite(self.parametric.horizontal_width_deg) else kernel.OMNI

    @property
    def parameters(self) -> Floats:
        """Row of kernel parameters."""
        p = self.parametric or ParametricPattern(max_loss_db=self.max_loss_db)
        return np.array(
            [
                p.horizontal_width_deg,
                p.max_horizontal_loss_db,
                p.vertical_width_deg,
                p.max_vertical_loss_db,
                p.max_loss_db,
                self.cut_azimuth_deg,
            ]
        )

    @property
    def grid(self) -> npt.NDArray[np.float32]:
        """The sampled sphere, or zeros when there is none."""
        return _NO_GRID if self.sampled_loss_db is None else self.sampled_loss_db

    def electrical_shift_deg(self, electrical_tilt_deg: float | None) -> float:
        """How far the pattern is shifted down for a wanted electrical tilt (None or NaN: as the pattern is)."""
        if electrical_tilt_deg is None or np.isnan(electrical_tilt_deg):
            return 0.0
        return float(electrical_tilt_deg) - self.electrical_tilt_deg

    def gain_dbi_at(
        self,
        azimuth_off_deg: npt.ArrayLike,
        elevation_deg: npt.ArrayLike,
        *,
        mechanical_tilt_deg: float = 0.0,
        electrical_tilt_deg: float | None = None,
    ) -> Floats:
        """Gain towards directions, in dBi.

        Electrical tilt shifts the vertical cut down equally at every azimuth; mechanical tilt rotates the whole
        pattern, so the back lobe rises and the sides stay level. Between the cuts:

        ``horizontal-projection``
            ``H(φ) + (1−δ)(V(θ) − H(φc)) + δ (V(180°−θ) − H(φc+180°))`` with δ the angle from the vertical cut's
            azimuth φc over 180°: exact on both cuts, ahead and behind.
        ``sum``
            ``min(H + V, A_m)``, the 3GPP rule (TR 36.814 Table A.2.1.1-2).
        ``cross-weighted``
            Vasiliadis, Dimitriou and Sergiadis, IEEE Trans. AP 53(7), 2005, weighted-sum rule with k = 2.

        Parameters
        ----------
        azimuth_off_deg : array_like
            Clockwise from the antenna's zero direction.
        elevation_deg : array_like
            Above the true horizon; negative looks down.
        mechanical_tilt_deg, electrical_tilt_deg : float
            Positive down. None keeps the electrical tilt of the pattern itself.
        """
        azimuth, elevation = np.broadcast_arrays(
            np.asarray(azimuth_off_deg, dtype=np.float64), np.asarray(elevation_deg, dtype=np.float64)
        )
        directions = np.stack([azimuth.ravel(), elevation.ravel()], axis=1)
        out = np.empty(directions.shape[0])
        shift = self.electrical_shift_deg(electrical_tilt_deg)
        kernel.losses_kernel(PatternTable.of([self]).arrays, directions, float(mechanical_tilt_deg), shift, out)
        return self.gain_dbi - out.reshape(azimuth.shape)

    def renamed(self, name: str) -> Antenna:
        """The same antenna under another name."""
        return replace(self, name=name)


@dataclass(frozen=True, eq=False)
class PatternTable:
    """A set of antennas as arrays for kernels; row i is antenna i."""

    names: tuple[str, ...]
    gain_dbi: Floats
    built_in_tilt_deg: Floats
    kind: npt.NDArray[np.int64]
    parameters: Floats
    horizontal: Floats
    vertical: Floats
    grids: npt.NDArray[np.float32]
    grid_index: npt.NDArray[np.int64]

    @property
    def arrays(self) -> tuple[npt.NDArray[np.generic], ...]:
        """The tuple that kernels take: kind, parameters, horizontal, vertical, grids, grid_index."""
        return (self.kind, self.parameters, self.horizontal, self.vertical, self.grids, self.grid_index)

    @classmethod
    def of(cls, antennas: list[Antenna]) -> PatternTable:
        """Stack antennas; those without a sampled sphere share grid 0."""
        grids = [_NO_GRID]
        index = np.zeros(len(antennas), dtype=np.int64)
        for i, antenna in enumerate(antennas):
            if antenna.sampled_loss_db is not None:
                index[i] = len(grids)
                grids.append(antenna.sampled_loss_db)
        return cls(
            names=tuple(a.name for a in antennas),
            gain_dbi=np.array([a.gain_dbi for a in antennas]),
            built_in_tilt_deg=np.array([a.electrical_tilt_deg for a in antennas]),
            kind=np.array([a.kind for a in antennas], dtype=np.int64),
            parameters=np.array([a.parameters for a in antennas]).reshape(-1, kernel.N_PARAMETERS),
            horizontal=np.array([a.horizontal_loss_db for a in antennas]).reshape(-1, 360),
            vertical=np.array([a.vertical_loss_db for a in antennas]).reshape(-1, 360),
            grids=np.array(grids),
            grid_index=index,
        )
