"""What opening a site costs, once for all of its configurations, and how that cost may be shared among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rfplan.errors import ParameterError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class SiteCosts:
    """Sites that cost something once, whichever and however many of their configurations are selected.

    Attributes
    ----------
    site_of
        int32 (n,): site of each column, -1 for none.
    cost
        float64 (s,): cost of opening each site, >= 0.
    """

    site_of: IntArray
    cost: FloatArray

    @classmethod
    def checked(cls, site_of: Any, opening_cost: Any, n_cols: int) -> SiteCosts:
        """From a rule's arrays; a single cost is every site's.

        Raises
        ------
        ParameterError
            For a wrong shape, a site without a cost, a cost that is negative or not finite.
        """
        site = check_sites(site_of, n_cols)
        return cls(site, _check_cost(opening_cost, int(site.max()) + 1 if len(site) else 0))

    def of(self, columns: npt.NDArray[np.integer]) -> float:
        """What the sites of these columns cost together."""
        sites = np.unique(self.site_of[columns])
        return float(self.cost[sites[sites >= 0]].sum())

    def in_order(self, columns: npt.NDArray[np.integer]) -> FloatArray:
        """What each column pays for its site when built in this order: the first on a site all, others nothing."""
        sites = self.site_of[columns]
        first = np.zeros(len(sites), np.bool_)
        first[np.unique(sites, return_index=True)[1]] = True
        paid = np.zeros(len(sites))
        paying = first & (sites >= 0)
        paid[paying] = self.cost[sites[paying]]
        return paid


@dataclass(frozen=True, eq=False)
class Openings(SiteCosts):
    """Site costs with what the columns of a site bear of them.

    Attributes
    ----------
    clique
        int32 (n,): of the columns of one site with the same number no best selection holds two; -1 for none.
    share
        float64 (n,): what of its site's cost each column bears. The shares of some best selection add up to no more
        than what it pays for its sites: a site whose columns fall into k cliques has at most k of them selected, and
        each bears 1/k; a site with a fixed column is open anyway, and that column bears all.
    settled
        Every site has one clique, a fixed column or no cost: branch and bound would find no better bound.
    """

    clique: IntArray
    share: FloatArray
    settled: bool

    def marginal(self, columns: npt.NDArray[np.integer]) -> FloatArray:
        """What of its site's cost each column (n,) would add to these, or save as the only one of them on its site."""
        used = np.bincount(self.site_of[columns][self.site_of[columns] >= 0], minlength=len(self.cost))
        inside = np.zeros(len(self.site_of), np.int64)
        inside[columns] = 1
        here = self.site_of >= 0
        alone = np.zeros(len(self.site_of))
        site = self.site_of[here]
        alone[here] = np.where(used[site] - inside[here] == 0, self.cost[site], 0.0)
        return alone


def make_openings(
    site_of: Any,
    opening_cost: Any,
    fixed: IntArray,
    blocked: npt.NDArray[np.uint8],
    conflicts: npt.NDArray[np.int64],
    nested: npt.NDArray[np.int64],
) -> Openings:
    """Openings of checked arrays; `nested` are pairs of columns of a site of which no best selection needs both.

    Raises
    ------
    ParameterError
        For a wrong shape, a site without a cost, a cost that is negative or not finite.
    """
    given = SiteCosts.checked(site_of, opening_cost, len(blocked))
    site, cost = given.site_of, given.cost
    clique, cliques_at = _cliques(site, len(cost), blocked, np.concatenate([conflicts, nested]))
    usable = (site >= 0) & (blocked == 0)
    share = np.zeros(len(site))
    share[usable] = cost[site[usable]] / np.maximum(cliques_at[site[usable]], 1)
    held = np.zeros(len(cost), np.bool_)
    for column in fixed:
        if site[column] < 0:
            continue
        if not held[site[column]]:
            share[site == site[column]] = 0.0
            share[column] = cost[site[column]]
        held[site[column]] = True
    settled = bool(((cliques_at <= 1) | held | (cost == 0.0)).all())
    return Openings(site, cost, clique, share, settled)


def check_sites(site_of: Any, n_cols: int) -> IntArray:
    """Site of each column as int32; ParameterError for another shape or anything but whole numbers from -1."""
    site = np.asarray(site_of)
    if site.shape != (n_cols,) or (n_cols and site.dtype.kind not in "iu"):
        raise ParameterError(
            f"site_of has shape {site.shape} and type {site.dtype}; "
            f"give a whole number a column, ({n_cols},), -1 for none"
        )
    if n_cols and site.min() < -1:
        raise ParameterError(f"site_of has {site.min()}; give 0 and above, or -1 for a column of no site")
    return site.astype(np.int32)


def _check_cost(opening_cost: Any, n_sites: int) -> FloatArray:
    cost = np.asarray(opening_cost, np.float64)
    if cost.ndim == 0:
        cost = np.full(n_sites, float(cost))
    if cost.ndim != 1 or len(cost) < n_sites:
        raise ParameterError(
            f"opening_cost has shape {cost.shape}; site_of names {n_sites} sites, so give ({n_sites},) or a number"
        )
    if not np.isfinite(cost).all() or (cost < 0).any():
        bad = int(np.flatnonzero(~(np.isfinite(cost) & (cost >= 0)))[0])
        raise ParameterError(f"opening_cost[{bad}] = {cost[bad]}: costs must be finite and not negative")
    return cost


def _cliques(
    site: IntArray, n_sites: int, blocked: npt.NDArray[np.uint8], conflicts: npt.NDArray[np.int64]
) -> tuple[IntArray, npt.NDArray[np.int64]]:
    """Each site's permitted columns in few groups whose members exclude each other, or need not be with each other."""
    clique = np.full(len(site), -1, np.int32)
    within = conflicts[site[conflicts[:, 0]] == site[conflicts[:, 1]]]
    excludes = {(min(a, b), max(a, b)) for a, b in within.tolist()}
    groups: list[list[list[int]]] = [[] for _ in range(n_sites)]
    number = 0
    names: dict[tuple[int, int], int] = {}
    for column in np.flatnonzero((site >= 0) & (blocked == 0)).tolist():
        here = groups[site[column]]
        fits = (i for i, members in enumerate(here) if all((other, column) in excludes for other in members))
        index = next(fits, len(here))
        if index == len(here):
            here.append([])
            names[(int(site[column]), index)] = number
            number += 1
        here[index].append(column)
        clique[column] = names[(int(site[column]), index)]
    return clique, np.array([len(here) for here in groups], np.int64)
