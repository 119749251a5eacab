"""A model with corrections added: vegetation, clutter, building entry or gases that the model itself leaves out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from rfplan.profile import Paths
from rfplan.propagation.base import PropagationModel, require
from rfplan.propagation.free_space import free_space_loss_db

FloatArray = npt.NDArray[np.float64]

__all__ = ["Correction", "WithCorrections"]


class Correction(Protocol):
    """Something that adds to a path's loss: `part` names it, `correction_db` computes it."""

    part: Any

    def correction_db(self, paths: Paths) -> FloatArray:
        """Additional loss of each path, dB, shape (n,)."""
        ...


@dataclass(frozen=True)
class WithCorrections:
    """A propagation model whose loss is another model's plus corrections.

    Which corrections belong is the planner's decision: P.1812 and P.452 already hold terminal clutter (from the
    profile) and P.452 holds gases.

    Parameters
    ----------
    model
        The model to start from.
    corrections
        What to add: `BuildingEntryLoss`, `TerrestrialClutterLoss`, `VegetationLoss`, `GasAttenuation` or your own.
    at_least_free_space
        Whether the model's loss, before corrections, is raised to free space where it is below: empirical models fall
        below it near the mast.
    """

    model: PropagationModel
    corrections: tuple[Correction, ...] = ()
    at_least_free_space: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "corrections", tuple(self.corrections))
        names = [correction.part for correction in self.corrections]
        require(
            len(set(names)) == len(names), "corrections", names, "one of each kind", "the same loss would count twice"
        )

    @property
    def needs(self) -> Literal["distance", "profile"]:
        """What the model looks at; the geometry family is evaluated on profiles."""
        return "distance" if self.model.needs == "distance" else "profile"

    @property
    def citation(self) -> str:
        """The sources of the model and of each correction."""
        parts = (self.model, *self.corrections)
        return "; ".join(str(getattr(part, "citation", type(part).__name__)) for part in parts)

    def loss_parts(self, paths: Paths) -> dict[str, FloatArray]:
        """``model_db``, ``free_space_floor_db`` where asked for, and each correction, dB; they add up to the loss."""
        loss = np.asarray(self.model.path_loss_db(paths), dtype=np.float64)
        parts = {"model_db": loss}
        if self.at_least_free_space:
            slant_m = np.hypot(paths.distance_m, paths.tx_height_agl_m - paths.rx_height_agl_m)
            parts["free_space_floor_db"] = np.maximum(free_space_loss_db(slant_m, paths.frequency_mhz) - loss, 0.0)
        for correction in self.corrections:
            parts[correction.part] = np.asarray(correction.correction_db(paths), dtype=np.float64)
        return parts

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Loss of each path with corrections, dB, shape (n,)."""
        return np.asarray(sum(self.loss_parts(paths).values()))
