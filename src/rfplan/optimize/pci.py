"""Network parameters: physical cell identities, PRACH root sequences and neighbour lists of a whole network."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.errors import ParameterError
from rfplan.kernels.colour import colour_kernel, two_hop_kernel
from rfplan.optimize.neighbours import NeighbourRules, inter_relations, neighbour_pairs

if TYPE_CHECKING:
    from rfplan.network import Network

#: Physical cell identities: TS 36.211 (504) and TS 38.211 (1008).
IDENTITIES = {"4G": 504, "5G": 1008}
#: Cyclic shifts of preamble formats 0–3, unrestricted set: TS 36.211 Table 5.7.2-2; the zero entry is 839 (no shift).
CYCLIC_SHIFTS = (13, 15, 18, 22, 26, 32, 38, 46, 59, 76, 93, 119, 167, 279, 419, 839)
SEQUENCE_LENGTH, PREAMBLES, ROOTS = 839, 64, 838


def prach_shift(cell_radius_m: float, delay_spread_us: float = 5.0) -> int:
    """Smallest cyclic shift that tells a cell's preambles apart: ``⌈(20·r_km/3 + τ_µs)·839/800⌉ + 2`` from the table.

    Raises
    ------
    ParameterError
        If the radius is not above 0 or beyond what the longest shift serves.
    """
    if not cell_radius_m > 0:
        raise ParameterError(f"cell_radius_m = {cell_radius_m}: give a radius above 0 m")
    wanted = math.ceil((20.0 * cell_radius_m / 3000.0 + delay_spread_us) * SEQUENCE_LENGTH / 800.0) + 2
    for shift in CYCLIC_SHIFTS:
        if shift >= wanted:
            return shift
    raise ParameterError(
        f"cell_radius_m = {cell_radius_m:g} needs a cyclic shift of {wanted}; the longest is {CYCLIC_SHIFTS[-1]}: "
        "plan a smaller radius or a longer preamble format"
    )


def prach_roots_needed(shift: int) -> int:
    """Root sequences a cell needs for its 64 preambles at a cyclic shift."""
    return math.ceil(PREAMBLES / (SEQUENCE_LENGTH // shift))


@dataclass(frozen=True, eq=False)
class ParameterPlan:
    """Identities, root sequences and neighbours.

    Attributes
    ----------
    cells
        ``cell_id, technology, frequency_mhz, pci, prach_root, prach_roots, cyclic_shift`` of each planned cell.
    neighbours
        ``cell_id, neighbour_id, kind, distance_m``: ``co-site`` and ``intra`` on the same carrier (both directions),
        ``inter-frequency`` and ``inter-technology`` otherwise.
    collisions, confusions
        Same-carrier neighbours with one identity; pairs of one cell's neighbours with one identity. Recounted from
        the tables, apart from the planner.
    mod3_share
        Share of same-carrier neighbour pairs whose identities agree modulo 3.
    root_conflicts
        Same-carrier neighbours that share a root sequence.
    """

    cells: pd.DataFrame
    neighbours: pd.DataFrame
    collisions: int
    confusions: int
    mod3_share: float
    root_conflicts: int
    rules: NeighbourRules = field(default_factory=NeighbourRules)

    def apply(self, network: Network) -> Network:
        """The network with the planned identities in its cells."""
        planned = dict(zip(self.cells["cell_id"], self.cells["pci"], strict=True))
        cells = network.cells.copy()
        cells["pci"] = [planned.get(cell, pci) for cell, pci in zip(cells["cell_id"], cells["pci"], strict=True)]
        return replace(network, cells=cells)


def plan_parameters(
    network: Network,
    *,
    rules: NeighbourRules | None = None,
    cell_radius_m: float = 15_000.0,
    delay_spread_us: float = 5.0,
    keep: bool = False,
) -> ParameterPlan:
    """Plan identities and root sequences of the 4G and 5G cells, and everybody's neighbours.

    Parameters
    ----------
    network
        Sites, sectors, cells.
    rules
        Neighbour limits.
    cell_radius_m, delay_spread_us
        What the preambles must serve.
    keep
        Keep identities already set (>= 0) and plan the others round them.

    Raises
    ------
    ParameterError
        If the identities or roots do not suffice; it says what to relax.
    """
    rules = rules or NeighbourRules()
    cells, xy_m, site = _located(network)
    shift = prach_shift(cell_radius_m, delay_spread_us)
    roots = prach_roots_needed(shift)
    pci, root = np.full(len(cells), -1, np.int64), np.full(len(cells), -1, np.int64)
    pairs_of: list[npt.NDArray[np.int64]] = []
    for (technology, frequency), group in cells.groupby(["technology", "frequency_mhz"], sort=True):
        rows = group.index.to_numpy()
        azimuth = group["azimuth_deg"].to_numpy(np.float64)
        pairs, score = neighbour_pairs(xy_m[rows], azimuth, site[rows], rules.max_neighbours, rules.max_distance_m)
        pairs_of.append(rows[pairs])
        if technology not in IDENTITIES:
            continue
        weight = 1.0 / (1.0 + score / 1000.0)
        start = group["pci"].to_numpy(np.int64) if keep else np.full(len(rows), -1, np.int64)
        pci[rows], failed = _identities(len(rows), pairs, weight, IDENTITIES[technology], start)
        if failed:
            raise ParameterError(
                f"{failed} cells of {technology} at {frequency:g} MHz find no free identity; "
                "lower max_neighbours or max_distance_m"
            )
        blocks, failed = _colour(len(rows), pairs, pairs, weight, (ROOTS // roots,), (1.0,), ROOTS // roots)
        if failed:
            raise ParameterError(
                f"{failed} cells of {technology} at {frequency:g} MHz find no free root sequences at radius "
                f"{cell_radius_m:g} m; plan a smaller cell_radius_m or lower max_neighbours"
            )
        root[rows] = blocks * roots
    table = cells[["cell_id", "technology", "frequency_mhz"]].assign(
        pci=pci, prach_root=root, prach_roots=np.where(root >= 0, roots, 0), cyclic_shift=np.where(root >= 0, shift, 0)
    )
    pairs = np.concatenate(pairs_of) if pairs_of else np.zeros((0, 2), np.int64)
    planned = pairs[(pci[pairs] >= 0).all(axis=1)] if len(pairs) else pairs
    collisions, confusions = count_conflicts(planned, pci)
    same3 = pci[planned[:, 0]] % 3 == pci[planned[:, 1]] % 3
    return ParameterPlan(
        cells=table.reset_index(drop=True),
        neighbours=_neighbour_table(cells, pairs, xy_m, site, rules),
        collisions=collisions,
        confusions=confusions,
        mod3_share=float(same3.mean()) if len(planned) else 0.0,
        root_conflicts=int((root[planned[:, 0]] == root[planned[:, 1]]).sum()),
        rules=rules,
    )


def count_conflicts(pairs: npt.NDArray[np.int64], pci: npt.NDArray[np.int64]) -> tuple[int, int]:
    """Collisions (neighbours with one identity) and confusions (two neighbours of a cell with one identity)."""
    collisions = int((pci[pairs[:, 0]] == pci[pairs[:, 1]]).sum())
    both = np.concatenate([pairs, pairs[:, ::-1]])
    seen = pd.DataFrame({"cell": both[:, 0], "pci": pci[both[:, 1]]}).value_counts()
    counts = seen.to_numpy(np.int64)
    return collisions, int((counts * (counts - 1) // 2).sum())


def _identities(
    n: int, pairs: npt.NDArray[np.int64], weight: npt.NDArray[np.float64], allowed: int, start: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], int]:
    """Identities that differ between neighbours and neighbours' neighbours; modulo 3 and 30 where possible."""
    pointer, members, weights = _adjacency(n, pairs, weight)
    wide_pointer = np.empty(n + 1, np.int64)
    total = two_hop_kernel(pointer, members, wide_pointer, np.zeros(0, np.int32), False)
    wide = np.empty(total, np.int32)
    two_hop_kernel(pointer, members, wide_pointer, wide, True)
    colour = start.astype(np.int64).copy()
    failed = colour_kernel(
        wide_pointer, wide, pointer, members, weights, np.array([3, 30]), np.array([1.0, 0.3]), allowed, colour
    )
    return colour, int(failed)


def _colour(
    n: int,
    hard: npt.NDArray[np.int64],
    soft: npt.NDArray[np.int64],
    weight: npt.NDArray[np.float64],
    moduli: tuple[int, ...],
    modulus_weight: tuple[float, ...],
    allowed: int,
) -> tuple[npt.NDArray[np.int64], int]:
    pointer, members, _ = _adjacency(n, hard, weight)
    soft_pointer, soft_members, soft_weight = _adjacency(n, soft, weight)
    colour = np.full(n, -1, np.int64)
    failed = colour_kernel(
        pointer,
        members,
        soft_pointer,
        soft_members,
        soft_weight,
        np.array(moduli),
        np.array(modulus_weight),
        allowed,
        colour,
    )
    return colour, int(failed)


def _adjacency(
    n: int, pairs: npt.NDArray[np.int64], weight: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    both, double = np.concatenate([pairs, pairs[:, ::-1]]), np.concatenate([weight, weight])
    order = np.lexsort((both[:, 1], both[:, 0]))
    pointer = np.concatenate([[0], np.cumsum(np.bincount(both[:, 0], minlength=n))]).astype(np.int64)
    return pointer, both[order, 1].astype(np.int32), double[order]


def _located(network: Network) -> tuple[pd.DataFrame, npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Cells with azimuth, and their positions on a local metric plane, and site numbers."""
    sectors = network.sectors.set_index("sector_id")
    cells = network.cells.reset_index(drop=True)
    azimuth = sectors["azimuth_deg"].reindex(cells["sector_id"]).to_numpy(np.float64)
    site = np.asarray(network.site_of_cell(), np.int64)
    lon = network.sites["lon_deg"].to_numpy(np.float64)[site]
    lat = network.sites["lat_deg"].to_numpy(np.float64)[site]
    scale = 111_320.0
    middle = math.cos(math.radians(float(lat.mean()))) if len(lat) else 1.0
    return cells.assign(azimuth_deg=azimuth), np.column_stack([lon * scale * middle, lat * scale]), site


def _neighbour_table(
    cells: pd.DataFrame,
    pairs: npt.NDArray[np.int64],
    xy_m: npt.NDArray[np.float64],
    site: npt.NDArray[np.int64],
    rules: NeighbourRules,
) -> pd.DataFrame:
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    ids = cells["cell_id"].to_numpy(dtype=object)
    own = pd.DataFrame(
        {
            "cell_id": ids[both[:, 0]],
            "neighbour_id": ids[both[:, 1]],
            "kind": np.where(site[both[:, 0]] == site[both[:, 1]], "co-site", "intra"),
            "distance_m": np.hypot(*(xy_m[both[:, 1]] - xy_m[both[:, 0]]).T),
        }
    )
    other = inter_relations(cells, xy_m, site, rules)
    return pd.concat([own, other], ignore_index=True) if len(other) else own
