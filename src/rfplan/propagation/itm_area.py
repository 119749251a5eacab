"""Irregular Terrain Model (Longley–Rice), area mode: terrain known only by its irregularity Δh.

Source: G. A. Hufford, "The ITS Irregular Terrain Model, version 1.2.2: the algorithm", NTIA/ITS, section 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from rfplan.kernels import itm as kernels
from rfplan.profile import Paths, Polarization
from rfplan.propagation.base import require, require_choice
from rfplan.propagation.itm import ITMResult, LongleyRiceSettings, require_link, warn_of
from rfplan.propagation.profile_checks import read_only

FloatArray = npt.NDArray[np.float64]

__all__ = ["ITMArea", "Siting", "itm_area_loss_db"]


class Siting(IntEnum):
    """How carefully a terminal's site is chosen."""

    RANDOM = 0
    CAREFUL = 1
    VERY_CAREFUL = 2


_SITING_GAIN = {Siting.RANDOM: 0.0, Siting.CAREFUL: 4.0, Siting.VERY_CAREFUL: 9.0}


@dataclass(frozen=True)
class ITMArea(LongleyRiceSettings):
    """Longley–Rice loss from distance and terrain irregularity, 20 MHz to 20 GHz, 1 to 2000 km.

    Parameters
    ----------
    delta_h_m
        Terrain irregularity Δh, m, >= 0: about 0 water, 30 plains, 90 hills, 200 mountains, 500 rugged mountains.
    tx_siting, rx_siting
        `Siting` of each terminal.

    See `LongleyRiceSettings` for the other parameters.
    """

    delta_h_m: float = 90.0
    tx_siting: int = Siting.RANDOM
    rx_siting: int = Siting.RANDOM

    needs: ClassVar[Literal["distance"]] = "distance"
    citation: ClassVar[str] = (
        "G. A. Hufford, The ITS Irregular Terrain Model, version 1.2.2: the algorithm, NTIA/ITS, 1995, area mode; "
        "computation as in NTIA ITM v1.4"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0.0 <= self.delta_h_m < np.inf, "delta_h_m", self.delta_h_m, "at least 0 m")
        require_choice("tx_siting", self.tx_siting, tuple(Siting))
        require_choice("rx_siting", self.rx_siting, tuple(Siting))

    def evaluate(self, paths: Paths) -> ITMResult:
        """Loss, intermediate values and flags of each path; flags are returned, not warned about."""
        require_link(paths)
        n = len(paths)
        out = np.empty((n, len(kernels.FIELDS)))
        flags = np.zeros(n, dtype=np.int64)
        kernels.area_batch(
            read_only(paths.distance_m),
            read_only(np.full(n, float(self.delta_h_m))),
            read_only(paths.frequency_mhz),
            read_only(paths.tx_height_agl_m),
            read_only(paths.rx_height_agl_m),
            (_SITING_GAIN[Siting(self.tx_siting)], _SITING_GAIN[Siting(self.rx_siting)]),
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
        warn_of(result, "ITMArea")
        return result.loss_db

    def loss_parts(self, paths: Paths) -> dict[str, FloatArray]:
        """Free space, terrain and variability, dB, each of shape (n,); they sum to the loss."""
        return self.evaluate(paths).loss_parts()


def itm_area_loss_db(
    distance_m: npt.ArrayLike,
    frequency_mhz: npt.ArrayLike,
    tx_height_agl_m: npt.ArrayLike,
    rx_height_agl_m: npt.ArrayLike,
    *,
    delta_h_m: float = 90.0,
    polarization: Polarization = "vertical",
) -> FloatArray:
    """Longley-Rice area loss at random sites with the default settings of `ITMArea`, dB.

    Parameters
    ----------
    distance_m, frequency_mhz, tx_height_agl_m, rx_height_agl_m
        Path length, m, frequency, MHz, and antenna heights above ground, m; scalars or arrays that broadcast together.
    delta_h_m
        Terrain irregularity, m, >= 0.
    polarization
        "vertical" or "horizontal".

    Returns
    -------
    ndarray
        Loss, dB, in the shape the arguments broadcast to.
    """
    columns = (distance_m, frequency_mhz, tx_height_agl_m, rx_height_agl_m)
    shape = np.broadcast_shapes(*(np.shape(column) for column in columns))
    paths = Paths.from_distance(*columns, polarization=polarization)
    return ITMArea(delta_h_m=delta_h_m).path_loss_db(paths).reshape(shape)
