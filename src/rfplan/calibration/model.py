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
    """A base model with an offset and a correction of its distance slope.

    ``L = L_base − offset_db − slope_db_per_decade · lg(d / 1 km)``: a positive offset means that measured levels are
    higher than the base model says.

    Parameters
    ----------
    base : PropagationModel
        The model that was calibrated.
    offset_db : float
        Mean of measured minus predicted level at 1 km, dB.
    slope_db_per_decade : float
        Its change with each tenfold distance, dB.
    """

    base: Any
    offset_db: float = 0.0
    slope_db_per_decade: float = 0.0
    citation: ClassVar[str] = "The base model's source; offset and slope from measurements (rfplan.calibration)"

    @property
    def needs(self) -> Any:
        """What the base model needs."""
        return self.base.needs

    def correction_db(self, distance_m: npt.ArrayLike) -> FloatArray:
        """What is added to the predicted level at a distance, dB."""
        distance = np.maximum(np.asarray(distance_m, dtype=np.float64), 1.0)
        result: FloatArray = self.offset_db + self.slope_db_per_decade * np.log10(distance / 1000.0)
        return result

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Path loss of each path, dB, shape (n,)."""
        base: PropagationModel = self.base
        return base.path_loss_db(paths) - self.correction_db(paths.distance_m)

    def geometry_settings(self, latitude_deg: float) -> FloatArray:
        """Geometry settings of a base model of the geometry family."""
        settings: FloatArray = self.base.geometry_settings(latitude_deg)
        return settings

    def finish_db(
        self, geometry: FloatArray, frequency_mhz: npt.ArrayLike, polarization: str, latitude_deg: npt.ArrayLike
    ) -> FloatArray:
        """Finish of a base model of the geometry family, corrected; dB, shape (bands, n)."""
        from rfplan.kernels.geometry import DISTANCE_KM

        loss: FloatArray = self.base.finish_db(geometry, frequency_mhz, polarization, latitude_deg)
        return loss - self.correction_db(geometry[DISTANCE_KM] * 1000.0)
