"""Coverage is tested over a distance-only path loss, so that every expected value is a short formula."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rfplan.terrain import Terrain


@dataclass(frozen=True)
class LogDistance:
    """A user's model: 32.4 + 35 lg d + 20 lg f_GHz."""

    needs: str = "distance"

    def path_loss_db(self, paths: Any) -> npt.NDArray[np.float64]:
        return np.asarray(32.4 + 35.0 * np.log10(paths.distance_m) + 20.0 * np.log10(paths.frequency_mhz / 1000.0))


def flat_terrain(size: int = 81, resolution_m: float = 90.0, height_m: float = 20.0) -> Terrain:
    return Terrain.from_arrays(
        np.full((size, size), height_m),
        x0_m=500_000.0,
        y0_m=2_340_000.0,
        resolution_m=resolution_m,
        crs="EPSG:32648",
        clutter_height_m=0.0,
    )
