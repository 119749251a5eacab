"""Microwave hops between masts: which ones clear the terrain and are available enough."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rfplan.constants import EARTH_RADIUS_KM
from rfplan.errors import ParameterError
from rfplan.propagation.p530 import Hop, first_fresnel_radius_m, hop_availability_percent

if TYPE_CHECKING:
    from rfplan.terrain import Terrain


@dataclass(frozen=True)
class BackhaulRules:
    """What a hop must satisfy and what it costs.

    Attributes
    ----------
    fibre_reach_m
        A node this near to a fibre route is connected by it.
    max_hop_m, max_hops
        Longest hop and most hops between a site and the fibre.
    frequency_mhz
        Of the hops.
    clearance_share
        Share of the first Fresnel zone's radius that must be free, over terrain with clutter.
    effective_earth_radius_factor
        4/3 for the median atmosphere.
    system_gain_db
        Transmit power and both antennas' gains less the receiver's threshold, dB.
    rain_rate_mm_h, min_availability_percent
        Rain exceeded for 0.01 % of the year (P.837) and the least availability of a hop (P.530).
    hop_capacity_mbps, site_load_mbps
        Most traffic on a hop; traffic of a site where its table has no ``load_mbps``.
    cost_per_hop, cost_per_km, relay_cost
        Costs, in the unit of the candidates' costs.
    """

    fibre_reach_m: float = 500.0
    max_hop_m: float = 25_000.0
    max_hops: int = 4
    frequency_mhz: float = 13_000.0
    clearance_share: float = 0.6
    effective_earth_radius_factor: float = 4.0 / 3.0
    system_gain_db: float = 175.0
    rain_rate_mm_h: float = 95.0
    min_availability_percent: float = 99.9
    hop_capacity_mbps: float = 1000.0
    site_load_mbps: float = 100.0
    cost_per_hop: float = 0.15
    cost_per_km: float = 0.005
    relay_cost: float = 0.3

    def __post_init__(self) -> None:
        """Check lengths, shares and costs."""
        for name in ("max_hop_m", "frequency_mhz", "effective_earth_radius_factor", "hop_capacity_mbps"):
            if not getattr(self, name) > 0:
                raise ParameterError(f"{name} = {getattr(self, name)}: give a value above 0")
        for name in ("fibre_reach_m", "clearance_share", "cost_per_hop", "cost_per_km", "relay_cost", "site_load_mbps"):
            if not getattr(self, name) >= 0:
                raise ParameterError(f"{name} = {getattr(self, name)}: give a value >= 0")
        if self.max_hops < 1:
            raise ParameterError(f"max_hops = {self.max_hops}: give at least 1")


@dataclass(frozen=True, eq=False)
class Hops:
    """Hops that satisfy the rules, SoA: ``pairs`` (k, 2) node numbers, the smaller first."""

    pairs: npt.NDArray[np.int64]
    distance_m: npt.NDArray[np.float64]
    clearance_m: npt.NDArray[np.float64]
    availability_percent: npt.NDArray[np.float64]
    cost: npt.NDArray[np.float64]


def hop_clearance_m(
    terrain: Terrain,
    a_m: tuple[float, float],
    b_m: tuple[float, float],
    a_height_agl_m: float,
    b_height_agl_m: float,
    rules: BackhaulRules,
) -> float:
    """Least height of the ray above terrain, clutter, Earth's bulge and the wanted share of the Fresnel zone, m.

    Negative: blocked. NaN: the path crosses unknown ground. Points are a pixel apart at most; what stands at the two
    ends does not block.
    """
    distance = math.hypot(b_m[0] - a_m[0], b_m[1] - a_m[1])
    steps = max(2, math.ceil(distance / terrain.resolution_m))
    part = np.arange(steps + 1) / steps
    x, y = a_m[0] + part * (b_m[0] - a_m[0]), a_m[1] + part * (b_m[1] - a_m[1])
    ground = terrain.elevation_at(x, y)
    if np.isnan(ground).any():
        return float("nan")
    row, column = terrain.nearest(x, y)
    clutter = np.asarray(terrain.clutter_height_m, np.float64)[row, column]
    along = part * distance
    bulge = along * (distance - along) / (2e3 * EARTH_RADIUS_KM * rules.effective_earth_radius_factor)
    start, stop = ground[0] + a_height_agl_m, ground[-1] + b_height_agl_m
    ray = start + (stop - start) * part
    inner = slice(1, -1)
    zone = rules.clearance_share * first_fresnel_radius_m(along[inner], (distance - along)[inner], rules.frequency_mhz)
    return float((ray[inner] - bulge[inner] - ground[inner] - clutter[inner] - zone).min())


def hop_availability(
    distance_m: float, a_amsl_m: float, b_amsl_m: float, latitude_deg: float, rules: BackhaulRules
) -> float:
    """Availability of a hop in rain, percent of the year (P.530); 0 when the margin is gone in clear air."""
    loss_db = 32.45 + 20.0 * math.log10(distance_m / 1000.0) + 20.0 * math.log10(rules.frequency_mhz)
    margin_db = rules.system_gain_db - loss_db
    if margin_db <= 0:
        return 0.0
    hop = Hop(distance_m, rules.frequency_mhz, a_amsl_m, b_amsl_m, latitude_deg=latitude_deg)
    try:
        found = hop_availability_percent(hop, margin_db, rain_rate_mm_h=rules.rain_rate_mm_h)
    except ParameterError:  # gases alone use the margin up
        return 0.0
    return float(found["availability_percent"])


def clear_hops(
    terrain: Terrain,
    x_m: npt.NDArray[np.float64],
    y_m: npt.NDArray[np.float64],
    height_agl_m: npt.NDArray[np.float64],
    rules: BackhaulRules,
) -> Hops:
    """Every hop between two nodes that is short, clear and available enough."""
    from scipy.spatial import cKDTree

    points = np.column_stack([x_m, y_m])
    pairs = cKDTree(points).query_pairs(rules.max_hop_m, output_type="ndarray").astype(np.int64).reshape(-1, 2)
    pairs = np.sort(pairs, axis=1)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    ground = terrain.elevation_at(x_m, y_m)
    _, latitude = terrain.lonlat(x_m, y_m)
    kept, figures = [], []
    for a, b in pairs.tolist():
        distance = float(np.hypot(*(points[b] - points[a])))
        if distance < 1.0:
            continue
        clearance = hop_clearance_m(
            terrain, tuple(points[a]), tuple(points[b]), float(height_agl_m[a]), float(height_agl_m[b]), rules
        )
        if not clearance >= 0:
            continue
        share = hop_availability(
            distance,
            float(ground[a] + height_agl_m[a]),
            float(ground[b] + height_agl_m[b]),
            float(0.5 * (latitude[a] + latitude[b])),
            rules,
        )
        if share >= rules.min_availability_percent:
            kept.append((a, b))
            figures.append((distance, clearance, share))
    table = np.array(figures, np.float64).reshape(-1, 3)
    return Hops(
        np.array(kept, np.int64).reshape(-1, 2),
        table[:, 0],
        table[:, 1],
        table[:, 2],
        rules.cost_per_hop + rules.cost_per_km * table[:, 0] / 1000.0,
    )
