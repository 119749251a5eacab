"""Coverage is tested over a distance-only path loss, so that every expected value is a short formula."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.network import Network, SectorTemplate
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


NOISE_MW = 10 ** ((-174 + 10 * math.log10(15e3) + 7.0) / 10)


def omni_network(
    terrain: Terrain, xy: list[tuple[float, float]], load: float = 0.5, power_dbm: float = 46.0, technology: str = "4G"
) -> Network:
    """Isotropic one-sector sites at metres east and south of the terrain's north-west corner."""
    lon, lat = terrain.lonlat([terrain.x0_m + x for x, _ in xy], [terrain.y0_m - y for _, y in xy])
    sites = pd.DataFrame({"site_id": [f"s{i}" for i in range(len(xy))], "lon_deg": lon, "lat_deg": lat})
    template = SectorTemplate(
        technologies=technology,
        antenna="isotropic",
        load=load,
        max_power_dbm=power_dbm,
        tx_height_agl_m=1.5,
        electrical_tilt_deg=0.0,
    )
    return Network.with_sectors(sites, template, azimuth_deg=(0.0,))


def level_mw(distance_m: float, power_dbm: float = 46.0) -> float:
    loss = 32.4 + 35 * math.log10(distance_m) + 20 * math.log10(1.8425)
    return 10 ** ((power_dbm - 10 * math.log10(1200) - 0.5 - 1.0 - loss) / 10)
