"""A calibrated model: any model plus what measurements taught, usable wherever a model is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from rfplan.profile import Paths
from rfplan.propagation.base import PropagationModel

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CalibratedModel:
    """A base model with an offset, a correction of its distance slope and offsets by clutter.

    ``L = L_base − offset_db − slope_db_per_decade · lg(d / 1 km) − clutter``: a positive offset means that measured
    levels are higher than the base model says.

    Parameters
    ----------
    base : PropagationModel
        The model that was calibrated.
    offset_db : float
        Mean of measured minus predicted level at 1 km, dB.
    slope_db_per_decade : float
        Its change with each tenfold distance, dB.
    clutter_offset_db : tuple of (float, float)
        Pairs of representative clutter height at the receiver, m, and offset, dB. The nearest height counts. Only
        models that look at the terrain use it; for others it is empty.
    sigma_within_db, sigma_between_db : float, optional
        Standard deviation of measured minus predicted level within a site, and between sites.
    """

    base: Any
    offset_db: float = 0.0
    slope_db_per_decade: float = 0.0
    clutter_offset_db: tuple[tuple[float, float], ...] = ()
    sigma_within_db: float | None = None
    sigma_between_db: float | None = None
    citation: ClassVar[str] = "The base model's source; offset and slope from measurements (rfplan.calibration)"

    @property
    def needs(self) -> Any:
        """What the base model needs."""
        return self.base.needs

    @property
    def shadowing_sigma_db(self) -> float | None:
        """Standard deviation for a site never measured, dB: within and between sites together; None if not known.

        The probability of coverage takes it where the service states no standard deviation of its own.
        """
        if self.sigma_within_db is None:
            return None
        return float(np.hypot(self.sigma_within_db, self.sigma_between_db or 0.0))

    @property
    def location_percent(self) -> float:
        """Share of locations the base model's loss holds for; calibrated levels are medians."""
        return 50.0

    @property
    def delta_n(self) -> float | None:
        """The base model's lapse of refractivity, N-units/km, where it has one."""
        return getattr(self.base, "delta_n", None)

    def correction_db(self, distance_m: npt.ArrayLike, clutter_height_m: npt.ArrayLike | None = None) -> FloatArray:
        """What is added to the predicted level at a distance, m, and clutter height at the receiver, m; dB."""
        distance = np.maximum(np.asarray(distance_m, dtype=np.float64), 1.0)
        result: FloatArray = self.offset_db + self.slope_db_per_decade * np.log10(distance / 1000.0)
        if self.clutter_offset_db and clutter_height_m is not None:
            known = np.array([height for height, _ in self.clutter_offset_db])
            offset = np.array([value for _, value in self.clutter_offset_db])
            height = np.asarray(clutter_height_m, dtype=np.float64)
            result = result + offset[np.abs(height[..., None] - known).argmin(axis=-1)]
        return result

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Path loss of each path, dB, shape (n,)."""
        base: PropagationModel = self.base
        clutter = None
        if paths.point_stop is not None and paths.point_clutter_height_m is not None:
            clutter = paths.point_clutter_height_m[paths.point_stop - 1]
        return base.path_loss_db(paths) - self.correction_db(paths.distance_m, clutter)

    def check_validity(
        self, frequency_mhz: npt.ArrayLike, tx_height_agl_m: npt.ArrayLike, rx_height_agl_m: npt.ArrayLike
    ) -> None:
        """Warn or raise as the base model does, if it does."""
        check = getattr(self.base, "check_validity", None)
        if check is not None:
            check(frequency_mhz, tx_height_agl_m, rx_height_agl_m)

    def geometry_settings(self) -> FloatArray:
        """Geometry settings of a base model of the geometry family."""
        settings: FloatArray = self.base.geometry_settings()
        return settings

    def finish_db(self, geometry: FloatArray, frequency_mhz: npt.ArrayLike, polarization: str) -> FloatArray:
        """Finish of a base model of the geometry family, corrected; dB, shape (bands, n)."""
        from rfplan.kernels.geometry import DISTANCE_KM, RX_CLUTTER_M

        loss: FloatArray = self.base.finish_db(geometry, frequency_mhz, polarization)
        return loss - self.correction_db(geometry[DISTANCE_KM] * 1000.0, geometry[RX_CLUTTER_M])
