"""Free-space basic transmission loss (Recommendation ITU-R P.525-4)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from rfplan.constants import SPEED_OF_LIGHT_M_S
from rfplan.profile import Paths
from rfplan.propagation.base import require

FloatArray = npt.NDArray[np.float64]

__all__ = ["FreeSpace", "free_space_loss_db"]

# 20 log10(4 pi d f / c) for d in m and f in MHz
_CONSTANT_DB = 20.0 * math.log10(4.0 * math.pi * 1e6 / SPEED_OF_LIGHT_M_S)


def free_space_loss_db(distance_m: npt.ArrayLike, frequency_mhz: npt.ArrayLike) -> FloatArray:
    """Free-space basic transmission loss 20 log10(4 pi d / lambda), dB (P.525-4, equation 3).

    Parameters
    ----------
    distance_m, frequency_mhz
        Distance between the antennas, m, and frequency, MHz; positive, scalars or arrays that broadcast together.

    Returns
    -------
    ndarray
        Loss, dB, in the shape the arguments broadcast to.

    Raises
    ------
    ParameterError
        When a distance or a frequency is not above 0.
    """
    d = np.asarray(distance_m, dtype=np.float64)
    f = np.asarray(frequency_mhz, dtype=np.float64)
    require(not bool((d <= 0.0).any()), "distance_m", float(d.min()) if d.size else 0.0, "above 0 m")
    require(not bool((f <= 0.0).any()), "frequency_mhz", float(f.min()) if f.size else 0.0, "above 0 MHz")
    return np.asarray(_CONSTANT_DB + 20.0 * np.log10(d) + 20.0 * np.log10(f))


@dataclass(frozen=True)
class FreeSpace:
    """Free-space loss over the straight line between the antennas.

    The slant distance uses the antenna heights above ground at both ends; terrain is not looked at. The result is a
    lower bound of the loss on land, for comparison, never a coverage prediction.
    """

    needs: ClassVar[Literal["distance"]] = "distance"
    citation: ClassVar[str] = "Recommendation ITU-R P.525-4 (08/2019)"

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Free-space loss of each path, dB, shape (n,)."""
        slant_m = np.hypot(paths.distance_m, paths.tx_height_agl_m - paths.rx_height_agl_m)
        return free_space_loss_db(slant_m, paths.frequency_mhz)

    def loss_parts(self, paths: Paths) -> dict[str, FloatArray]:
        """The loss, dB, under its name."""
        return {"free_space_db": self.path_loss_db(paths)}
