"""Microwave hops between masts: which ones clear the terrain and are available enough."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    cost_per_hop, cost_per_km, relay_cost, fibre_cost_per_km
        Of a hop, of its length, of equipping a relay without a cost of its own, and of fibre from a route to a site;
        in the unit of the candidates' costs.
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
    fibre_cost_per_km: float = 0.5

    def __post_init__(self) -> None:
        """Check lengths, shares and costs."""
        for name in ("max_hop_m", "frequency_mhz", "effective_earth_radius_factor", "hop_capacity_mbps"):
            if not getattr(self, name) > 0:
                raise ParameterError(f"{name} = {getattr(self, name)}: give a value above 0")
        costs = ("cost_per_hop", "cost_per_km", "relay_cost", "fibre_cost_per_km")
        for name in ("fibre_reach_m", "clearance_share", "site_load_mbps", *costs):
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

    def take(self, index: npt.NDArray[np.int64]) -> Hops:
        """Some of the hops."""
        return Hops(
            self.pairs[index],
            self.distance_m[index],
            self.clearance_m[index],
            self.availability_percent[index],
            self.cost[index],
        )


def hop_clearances_m(
    terrain: Terrain,
    a_m: npt.NDArray[np.float64],
    b_m: npt.NDArray[np.float64],
    a_height_agl_m: npt.NDArray[np.float64],
    b_height_agl_m: npt.NDArray[np.float64],
    rules: BackhaulRules,
) -> npt.NDArray[np.float64]:
    """Least height of each ray above terrain, clutter, Earth's bulge and the wanted share of the Fresnel zone, m.

    Negative: blocked. NaN: the path crosses unknown ground. Points are a pixel apart at most; what stands at the two
    ends does not block. Positions are (k, 2), heights (k,).
    """
    distance = np.hypot(*(b_m - a_m).T)
    steps = np.maximum(2, np.ceil(distance / terrain.resolution_m)).astype(np.int64)
    out = np.empty(len(steps))
    for count in np.unique(steps).tolist():
        same = np.flatnonzero(steps == count)
        for some in np.array_split(same, max(1, len(same) * count // 2_000_000)):
            ends = (a_m[some], b_m[some], a_height_agl_m[some], b_height_agl_m[some])
            out[some] = _clearances_of_equal_steps(terrain, *ends, distance[some], count, rules)
    return out


def _clearances_of_equal_steps(
    terrain: Terrain,
    a_m: npt.NDArray[np.float64],
    b_m: npt.NDArray[np.float64],
    a_height_agl_m: npt.NDArray[np.float64],
    b_height_agl_m: npt.NDArray[np.float64],
    distance_m: npt.NDArray[np.float64],
    steps: int,
    rules: BackhaulRules,
) -> npt.NDArray[np.float64]:
    part = np.arange(steps + 1) / steps
    x, y = (a_m[:, k : k + 1] + part * (b_m - a_m)[:, k : k + 1] for k in (0, 1))
    ground = np.asarray(terrain.elevation_at(x, y), np.float64)
    row, column = terrain.nearest(x, y)
    clutter = np.asarray(terrain.clutter_height_m, np.float64)[row, column]
    length = distance_m[:, None]
    along = (part * length)[:, 1:-1]
    bulge = along * (length - along) / (2e3 * EARTH_RADIUS_KM * rules.effective_earth_radius_factor)
    start, stop = ground[:, :1] + a_height_agl_m[:, None], ground[:, -1:] + b_height_agl_m[:, None]
    ray = (start + (stop - start) * part)[:, 1:-1]
    zone = rules.clearance_share * first_fresnel_radius_m(along, length - along, rules.frequency_mhz)
    free: npt.NDArray[np.float64] = (ray - bulge - ground[:, 1:-1] - clutter[:, 1:-1] - zone).min(axis=1)
    return np.where(np.isnan(ground).any(axis=1), np.nan, free)


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


@dataclass(frozen=True, eq=False)
class Masts:
    """Nodes as arrays, each (n,): grid position, antenna height above ground, ground above sea, latitude."""

    x_m: npt.NDArray[np.float64]
    y_m: npt.NDArray[np.float64]
    height_agl_m: npt.NDArray[np.float64]
    ground_amsl_m: npt.NDArray[np.float64]
    latitude_deg: npt.NDArray[np.float64]

    @classmethod
    def on(cls, terrain: Terrain, lon_deg: Any, lat_deg: Any, height_agl_m: Any) -> Masts:
        """Put nodes on the terrain."""
        lon, lat = np.asarray(lon_deg, np.float64), np.asarray(lat_deg, np.float64)
        x, y = terrain.xy(lon, lat)
        ground = np.asarray(terrain.elevation_at(x, y), np.float64)
        return cls(x, y, np.asarray(height_agl_m, np.float64), ground, lat)

    @property
    def points(self) -> npt.NDArray[np.float64]:
        """Positions, (n, 2)."""
        return np.column_stack([self.x_m, self.y_m])


def tested_hops(terrain: Terrain, masts: Masts, pairs: npt.NDArray[np.int64], rules: BackhaulRules) -> Hops:
    """Those of the pairs of nodes, (k, 2), that are clear and available enough, in the order given."""
    a, b = pairs[:, 0], pairs[:, 1]
    points, height = masts.points, masts.height_agl_m
    distance = np.hypot(*(points[b] - points[a]).T)
    clearance = hop_clearances_m(terrain, points[a], points[b], height[a], height[b], rules)
    share = np.zeros(len(pairs))
    top = masts.ground_amsl_m + height
    for k in np.flatnonzero((clearance >= 0) & (distance >= 1.0)).tolist():
        latitude = 0.5 * float(masts.latitude_deg[a[k]] + masts.latitude_deg[b[k]])
        share[k] = hop_availability(float(distance[k]), float(top[a[k]]), float(top[b[k]]), latitude, rules)
    good = share >= max(rules.min_availability_percent, np.nextafter(0.0, 1.0))
    cost = rules.cost_per_hop + rules.cost_per_km * distance / 1000.0
    return Hops(pairs[good], distance[good], clearance[good], share[good], cost[good])


def nearest_hops(
    terrain: Terrain,
    masts: Masts,
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    rules: BackhaulRules,
) -> Hops:
    """For each of `starts` its shortest hop to one of `ends` that is clear and available enough, where there is one.

    Pairs are (start, end). Since a hop's cost rises with its length, a shorter good hop makes longer ones needless.
    """
    from scipy.spatial import cKDTree

    found = [_no_hops()]
    if not len(starts) or not len(ends):
        return _joined(found)
    tree = cKDTree(masts.points[ends])
    waiting, done = starts, 0
    while len(waiting) and done < len(ends):
        count = min(max(8, 3 * done), len(ends))  # a growing number of the nearest: most are served by the first few
        distance, index = tree.query(masts.points[waiting], k=[*range(done + 1, count + 1)])
        near = distance <= rules.max_hop_m
        row = np.repeat(np.arange(len(waiting)), near.sum(axis=1))
        hops = tested_hops(terrain, masts, np.column_stack([waiting[row], ends[index[near]]]), rules)
        _, first = np.unique(hops.pairs[:, 0], return_index=True)
        found.append(hops.take(first))
        waiting = waiting[near.all(axis=1) & ~np.isin(waiting, hops.pairs[:, 0])]
        done = count
    return _joined(found)


def _no_hops() -> Hops:
    return Hops(np.zeros((0, 2), np.int64), *(np.zeros(0) for _ in range(4)))


def _joined(parts: list[Hops]) -> Hops:
    columns = ("pairs", "distance_m", "clearance_m", "availability_percent", "cost")
    return Hops(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


def clear_hops(terrain: Terrain, masts: Masts, root: npt.NDArray[np.bool_], rules: BackhaulRules) -> Hops:
    """Every good hop between nodes without fibre, and of each such node the shortest good hop to one with fibre."""
    from scipy.spatial import cKDTree

    others = np.flatnonzero(~root)
    direct = nearest_hops(terrain, masts, others, np.flatnonzero(root), rules)
    pairs = np.zeros((0, 2), np.int64)
    if len(others) > 1:
        near = cKDTree(masts.points[others]).query_pairs(rules.max_hop_m, output_type="ndarray")
        pairs = np.sort(others[near.astype(np.int64).reshape(-1, 2)], axis=1)
        pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    return _joined([direct, tested_hops(terrain, masts, pairs, rules)])


def hops_to_fibre(
    terrain: Terrain, masts: Masts, root: npt.NDArray[np.bool_], rules: BackhaulRules
) -> npt.NDArray[np.int64]:
    """Fewest good hops from each node to one with fibre over any of the nodes; 0 at a root, -1 beyond the hop limit."""
    count = np.where(root, 0, -1)
    for step in range(1, rules.max_hops + 1):
        front, rest = np.flatnonzero(count == step - 1), np.flatnonzero(count < 0)
        count[nearest_hops(terrain, masts, rest, front, rules).pairs[:, 0]] = step
    return count
