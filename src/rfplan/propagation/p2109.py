"""Building entry loss (Recommendation ITU-R P.2109-2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from rfplan.profile import Paths
from rfplan.propagation.base import require, require_choice, require_range
from rfplan.propagation.validity import broadcast

FloatArray = npt.NDArray[np.float64]
Building = Literal["traditional", "thermally-efficient"]

__all__ = ["Building", "BuildingEntryLoss", "building_entry_loss_db"]

# r, s, t, u, v, w, x, y, z of Table 1
_COEFFICIENTS: dict[str, tuple[float, ...]] = {
    "traditional": (12.64, 3.72, 0.96, 9.6, 2.0, 9.1, -3.0, 4.5, -2.0),
    "thermally-efficient": (28.19, -3.0, 8.48, 13.5, 3.8, 27.8, -2.9, 9.4, -2.1),
}
_FLOOR_DB = -3.0  # C of equation 1


def building_entry_loss_db(
    frequency_mhz: npt.ArrayLike,
    probability_percent: npt.ArrayLike = 50.0,
    *,
    building: Building = "traditional",
    elevation_deg: npt.ArrayLike = 0.0,
) -> FloatArray:
    """Building entry loss not exceeded with a probability, dB (P.2109-2, equations 1 to 9).

    Parameters
    ----------
    frequency_mhz
        80 to 100 000 MHz.
    probability_percent
        Share of terminal positions and buildings whose loss is at most the result, above 0 and below 100 %.
    building
        "traditional" or "thermally-efficient" (metallised glass, foil-backed panels).
    elevation_deg
        Elevation of the path at the facade, -90 to 90 degrees; its sign does not matter.

    Returns
    -------
    ndarray
        Loss, dB, in the shape the arguments broadcast to. It can be slightly negative at small probabilities.

    Raises
    ------
    ParameterError
        When an argument is outside the range the Recommendation covers.
    """
    require_choice("building", building, _COEFFICIENTS)
    broadcast(frequency_mhz=frequency_mhz, probability_percent=probability_percent, elevation_deg=elevation_deg)
    require_range("frequency_mhz", frequency_mhz, 80.0, 100e3, "P.2109-2 covers 0.08 to 100 GHz; give MHz")
    require_range("elevation_deg", elevation_deg, -90.0, 90.0)
    p = np.asarray(probability_percent, dtype=np.float64)
    inside = (p > 0.0) & (p < 100.0)
    require(bool(inside.all()), "probability_percent", p[~inside].tolist()[:1], "above 0 and below 100 %")

    r, s, t, u, v, w, x, y, z = _COEFFICIENTS[building]
    lg_f = np.log10(np.asarray(frequency_mhz, dtype=np.float64) / 1e3)
    median = r + s * lg_f + t * lg_f**2 + 0.212 * np.abs(np.asarray(elevation_deg, dtype=np.float64))
    quantile = ndtri(p / 100.0)
    a = quantile * (u + v * lg_f) + median
    b = quantile * (y + z * lg_f) + (w + x * lg_f)
    return np.asarray(10.0 * np.log10(10.0 ** (a / 10.0) + 10.0 ** (b / 10.0) + 10.0 ** (_FLOOR_DB / 10.0)))


@dataclass(frozen=True)
class BuildingEntryLoss:
    """Building entry loss as a correction for receivers indoors, or as a service's penetration loss.

    Parameters
    ----------
    building
        "traditional" or "thermally-efficient".
    probability_percent
        Probability that the loss is not exceeded, %.
    elevation_deg
        Elevation of the path at the facade, degrees; 0 is right for most terrestrial links.
    """

    building: Building = "traditional"
    probability_percent: float = 50.0
    elevation_deg: float = 0.0

    needs: ClassVar[Literal["distance"]] = "distance"
    citation: ClassVar[str] = "Recommendation ITU-R P.2109-2 (08/2023)"
    part: ClassVar[str] = "building_entry_db"

    def correction_db(self, paths: Paths) -> FloatArray:
        """Building entry loss of each path, dB, shape (n,)."""
        return building_entry_loss_db(
            paths.frequency_mhz, self.probability_percent, building=self.building, elevation_deg=self.elevation_deg
        )
