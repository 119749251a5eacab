"""Loss into buildings and cars, by what stands at the pixel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from rfplan.clutter import Clutter
from rfplan.errors import ParameterError
from rfplan.propagation.p2109 import building_entry_loss_db
from rfplan.propagation.tr38901 import tr38901_penetration_db, tr38901_penetration_sigma_db

N_CLASSES = max(Clutter) + 1


class Penetration(Protocol):
    """Loss on the way to the receiver, dB, at a carrier over a clutter class."""

    def loss_db(self, frequency_mhz: float, clutter_class: int) -> float:
        """Loss, dB."""
        ...


def _checked(probability: float) -> float:
    if not 0.0 < probability < 1.0:
        raise ParameterError(f"probability={probability!r} must be between 0 and 1 (share of places served)")
    return probability


@dataclass(frozen=True)
class CarEntry:
    """Loss into a car, normal with mean 9 dB and deviation 5 dB (TR 38.901 §7.4.3.2).

    ``probability`` is the share of cars whose loss is at most what is applied: 0.5 gives the mean.
    """

    probability: float = 0.5
    mean_db: float = 9.0
    sigma_db: float = 5.0

    def loss_db(self, frequency_mhz: float, clutter_class: int) -> float:
        """Loss, dB; alike everywhere."""
        return self.mean_db + self.sigma_db * float(ndtri(_checked(self.probability)))


def _default_buildings() -> Mapping[int, str]:
    kinds: dict[int, str] = {int(c): "traditional" for c in Clutter}
    kinds[int(Clutter.DENSE_URBAN)] = "thermally-efficient"
    return MappingProxyType(kinds)


@dataclass(frozen=True)
class BuildingEntry:
    """Loss into a building of the kind usual in a clutter class.

    Parameters
    ----------
    model : str
        "p2109" (ITU-R P.2109, median or any probability) or "tr38901" (low and high loss, with depth).
    probability : float
        Share of places inside whose loss is at most what is applied. Above one half this is a margin of its own:
        do not add another for the same thing.
    indoor_distance_m : float
        Depth behind the facade for "tr38901".
    buildings : mapping
        Clutter class → "traditional" or "thermally-efficient" (TR 38.901: low, high).
    """

    model: Literal["p2109", "tr38901"] = "p2109"
    probability: float = 0.5
    indoor_distance_m: float = 0.0
    buildings: Mapping[int, str] = field(default_factory=_default_buildings)

    def __post_init__(self) -> None:
        if self.model not in ("p2109", "tr38901"):
            raise ParameterError(f"model={self.model!r} must be 'p2109' or 'tr38901'")
        _checked(self.probability)

    def loss_db(self, frequency_mhz: float, clutter_class: int) -> float:
        """Loss, dB."""
        kind = self.buildings.get(int(clutter_class), "traditional")
        efficient = kind == "thermally-efficient"
        if self.model == "p2109":
            building: Literal["traditional", "thermally-efficient"] = (
                "thermally-efficient" if efficient else "traditional"
            )
            return float(building_entry_loss_db(frequency_mhz, 100.0 * self.probability, building=building))
        level: Literal["low", "high"] = "high" if efficient else "low"
        median = float(
            tr38901_penetration_db(frequency_mhz, penetration=level, indoor_distance_m=self.indoor_distance_m)
        )
        return median + tr38901_penetration_sigma_db(level) * float(ndtri(self.probability))


def penetration_table(penetration: Penetration | None, frequency_mhz: list[float]) -> npt.NDArray[np.float64]:
    """Loss by clutter class and band, (classes, bands), dB; zeros without a penetration."""
    table = np.zeros((N_CLASSES, len(frequency_mhz)))
    if penetration is not None:
        for c in range(N_CLASSES):
            for b, frequency in enumerate(frequency_mhz):
                table[c, b] = penetration.loss_db(frequency, c)
    return table
