"""Neighbour lists from geometry: who hands over to whom, within and between technologies."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.errors import ParameterError


@dataclass(frozen=True)
class NeighbourRules:
    """How neighbour lists are made.

    Attributes
    ----------
    max_neighbours
        Most neighbours of a cell on its own carrier; co-site cells count and always belong.
    max_inter
        Most neighbours of a cell in each other technology or carrier.
    max_distance_m
        No neighbour farther than this.
    """

    max_neighbours: int = 32
    max_inter: int = 8
    max_distance_m: float = 15_000.0

    def __post_init__(self) -> None:
        """Check the limits."""
        if self.max_neighbours < 1 or self.max_inter < 0 or not self.max_distance_m > 0:
            raise ParameterError(
                f"neighbour limits {self.max_neighbours}, {self.max_inter}, {self.max_distance_m} m: "
                "give at least 1, at least 0 and above 0"
            )


def facing_distance_m(
    dx_m: npt.NDArray[np.float64],
    dy_m: npt.NDArray[np.float64],
    azimuth_deg: npt.NDArray[np.float64],
    other_azimuth_deg: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Distance stretched where the antennas look away: ×1 face to face, ×4 back to back; 0 at the same site.

    ``dx_m, dy_m`` point from the first cell to the other, east and north.
    """
    distance = np.hypot(dx_m, dy_m)
    bearing = np.degrees(np.arctan2(dx_m, dy_m))
    away = (
        2.0 - np.cos(np.radians(bearing - azimuth_deg)) - np.cos(np.radians(bearing + 180.0 - other_azimuth_deg))
    ) / 4.0
    return np.asarray(distance * (1.0 + 3.0 * away))


def neighbour_pairs(
    xy_m: npt.NDArray[np.float64],
    azimuth_deg: npt.NDArray[np.float64],
    site: npt.NDArray[np.int64],
    limit: int,
    max_distance_m: float,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Symmetric neighbour pairs (k, 2), smaller index first, with their facing distance, nearest first.

    Co-site pairs all belong; other pairs are taken by facing distance while both cells have room.

    Raises
    ------
    ParameterError
        If a site has more cells of one carrier than `limit` + 1.
    """
    from scipy.spatial import cKDTree

    n = len(xy_m)
    if n < 2:
        return np.zeros((0, 2), np.int64), np.zeros(0)
    k = min(n, 4 * limit + 8)
    distance, index = cKDTree(xy_m).query(xy_m, k=k, distance_upper_bound=max_distance_m)
    first = np.repeat(np.arange(n), k)
    second = index.ravel()
    good = np.isfinite(distance.ravel()) & (second < n) & (first != second)
    pairs = np.unique(np.sort(np.column_stack([first[good], second[good]]), axis=1), axis=0)
    order = np.lexsort((np.arange(n), site))
    starts = np.flatnonzero(np.r_[True, np.diff(site[order]) != 0, True])
    together = [order[a:b] for a, b in pairwise(starts) if b - a > 1]
    for cells in together:
        if len(cells) > limit + 1:
            raise ParameterError(f"a site has {len(cells)} cells of one carrier; max_neighbours = {limit} is too few")
    inner = [np.sort(np.column_stack([c[i] for i in np.triu_indices(len(c), 1)]), axis=1) for c in together]
    pairs = np.unique(np.concatenate([pairs, *inner]), axis=0) if inner else pairs
    step = xy_m[pairs[:, 1]] - xy_m[pairs[:, 0]]
    score = facing_distance_m(step[:, 0], step[:, 1], azimuth_deg[pairs[:, 0]], azimuth_deg[pairs[:, 1]])
    score[site[pairs[:, 0]] == site[pairs[:, 1]]] = 0.0
    rank = np.lexsort((pairs[:, 1], pairs[:, 0], score))
    room = np.full(n, limit)
    kept = []
    for position in rank.tolist():
        a, b = pairs[position]
        if room[a] > 0 and room[b] > 0:
            room[a] -= 1
            room[b] -= 1
            kept.append(position)
    return pairs[kept], score[kept]


def inter_relations(
    cells: pd.DataFrame, xy_m: npt.NDArray[np.float64], site: npt.NDArray[np.int64], rules: NeighbourRules
) -> pd.DataFrame:
    """For each cell its nearest cells on every other carrier or technology, co-site first; one direction a row."""
    from scipy.spatial import cKDTree

    layer = cells.groupby(["technology", "frequency_mhz"], sort=True).ngroup().to_numpy()
    azimuth = cells["azimuth_deg"].to_numpy(np.float64)
    ids = cells["cell_id"].to_numpy(dtype=object)
    frames = []
    for target in range(int(layer.max()) + 1 if len(layer) else 0):
        members, others = np.flatnonzero(layer == target), np.flatnonzero(layer != target)
        if len(others) == 0 or len(members) == 0 or rules.max_inter == 0:
            continue
        k = min(len(members), 3 * rules.max_inter)
        distance, index = cKDTree(xy_m[members]).query(xy_m[others], k=[*range(1, k + 1)])
        a, b = np.repeat(others, k), members[np.minimum(index, len(members) - 1).ravel()]
        step = xy_m[b] - xy_m[a]
        score = facing_distance_m(step[:, 0], step[:, 1], azimuth[a], azimuth[b])
        score[site[a] == site[b]] = 0.0
        frame = pd.DataFrame({"from": a, "to": b, "score": score})[distance.ravel() <= rules.max_distance_m]
        frame = frame.sort_values(["from", "score", "to"], kind="stable").groupby("from").head(rules.max_inter)
        frames.append(frame)
    if not frames:
        return pd.DataFrame({"cell_id": [], "neighbour_id": [], "kind": [], "distance_m": []})
    every = pd.concat(frames, ignore_index=True)
    a, b = every["from"].to_numpy(), every["to"].to_numpy()
    same = cells["technology"].to_numpy(dtype=object)[a] == cells["technology"].to_numpy(dtype=object)[b]
    return pd.DataFrame(
        {
            "cell_id": ids[a],
            "neighbour_id": ids[b],
            "kind": np.where(same, "inter-frequency", "inter-technology"),
            "distance_m": np.hypot(*(xy_m[b] - xy_m[a]).T),
        }
    )
