"""Searches and the model for sites whose opening cost is shared by their configurations."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from rfplan.optimize.effort import TOUCH_S, Effort
from rfplan.optimize.exact import cover_model
from rfplan.optimize.greedy import remove_redundant
from rfplan.optimize.highs import LinearModel, run_highs
from rfplan.optimize.instance import FloatArray, Instance, IntArray
from rfplan.optimize.openings import Openings, make_openings
from rfplan.optimize.reduce import is_full_cover, must_rows, undominated_rows

#: Nominal work of one trial of the local search: touches of every entry of the matrix, and seconds a column.
TRIAL_TOUCHES, TRIAL_COLUMN_S = 20, 1e-5


def with_openings(instance: Instance, site_of: npt.NDArray[np.integer] | None, opening_cost: object) -> Instance:
    """The instance with opening costs; where the rules permit one column a site, they are put into the columns' own."""
    if site_of is None:
        return instance
    given = site_of, opening_cost, instance.fixed, instance.blocked, instance.conflicts
    plain = make_openings(*given, np.zeros((0, 2), np.int64))
    if plain.settled:
        return replace(instance, cost=instance.cost + plain.share)
    return replace(instance, openings=make_openings(*given, nested_pairs(instance, plain)))


def nested_pairs(instance: Instance, openings: Openings) -> npt.NDArray[np.int64]:
    """Pairs of columns of a site, one of which covers all that counts of the other's rows, neither of them fixed.

    Where one column is enough for those rows, a selection of both is no better without the lesser one, and cheaper
    or as cheap: some best selection holds no such pair.
    """
    matrix = instance.matrix
    counted = np.asarray(((instance.layer_group >= 0) & (instance.layer_weight > 0)).any(axis=0), np.bool_)
    free = (openings.site_of >= 0) & (instance.blocked == 0)
    free[instance.fixed] = False
    rows_of = [matrix.col_rows[low:high] for low, high in itertools.pairwise(matrix.col_ptr.tolist())]
    rows_of = [rows[counted[rows]] for rows in rows_of]
    inside = np.zeros(matrix.shape[0], np.bool_)
    pairs: list[tuple[int, int]] = []
    for columns in _columns_by_site(openings).values():
        mine = [column for column in columns if free[column]]
        for outer in mine if len(mine) > 1 else ():
            inside[rows_of[outer]] = True
            for inner in mine:
                rows = rows_of[inner]
                if inner != outer and inside[rows].all() and (instance.required[rows] <= 1).all():
                    pairs.append((inner, outer))
            inside[rows_of[outer]] = False
    return np.array(pairs, np.int64).reshape(-1, 2)


def shared_relaxation(instance: Instance) -> Instance:
    """The problem with every column bearing a share of its site's cost, of which some best selection pays no more.

    Its optimum so bounds the true one: a cover's cost from below and, since a budget reaches at least as far for that
    selection, a budget's weight from above.
    """
    return replace(instance, cost=instance.cost + _openings(instance).share, openings=None)


def _openings(instance: Instance) -> Openings:
    assert instance.openings is not None
    return instance.openings


def greedy_with_openings(
    instance: Instance,
    *,
    start: npt.NDArray[np.integer] | None = None,
    banned: npt.NDArray[np.integer] | None = None,
) -> IntArray:
    """Columns by the most gain for what they add to the cost, until the needs are met or the budget is spent.

    A column of a site that is open costs its own extra only; when a site opens, its other columns are looked at anew.
    Gains only fall otherwise, so a column is recounted when it comes first.
    """
    openings, matrix = _openings(instance), instance.matrix
    count = np.zeros(matrix.shape[0], np.int32)
    first = list(dict.fromkeys([*instance.fixed.tolist(), *([] if start is None else np.asarray(start).tolist())]))
    closed = instance.blocked.astype(np.bool_)
    if banned is not None:
        closed[banned] = True
    conflict_ptr, conflict_cols = instance.conflict_csr()
    is_open = np.zeros(len(openings.cost) + 1, np.bool_)
    is_open[-1] = True  # columns of no site
    siblings = _columns_by_site(openings)

    def take(column: int) -> None:
        count[matrix.col_rows[matrix.col_ptr[column] : matrix.col_ptr[column + 1]]] += 1
        closed[column] = True
        closed[conflict_cols[conflict_ptr[column] : conflict_ptr[column + 1]]] = True
        is_open[openings.site_of[column]] = True

    def missing() -> npt.NDArray[np.bool_]:
        return instance.need - instance.group_totals(count >= instance.required) > instance.tolerance

    for column in first:
        take(column)
    wanting = missing()
    worth = _worth(instance, wanting)
    gains = np.asarray(matrix.to_csc().T @ np.where(count < instance.required, worth, 0.0))

    def key(column: int, gain: float) -> tuple[float, float, int]:
        price = _price(instance, openings, is_open, column)
        return (-gain / price if price > 0 else -np.inf, -gain, column)

    heap = [key(column, gains[column]) for column in np.flatnonzero((gains > 0) & ~closed).tolist()]
    heapq.heapify(heap)
    spent = instance.total_cost(np.array(first, np.int64))
    chosen = first
    while heap and wanting.any():
        known = heapq.heappop(heap)
        column = known[2]
        if closed[column]:
            continue
        rows = matrix.col_rows[matrix.col_ptr[column] : matrix.col_ptr[column + 1]]
        gain = float(worth[rows][count[rows] < instance.required[rows]].sum())
        price = _price(instance, openings, is_open, column)
        if gain <= 0.0 or spent + price > instance.budget * (1 + 1e-12):
            continue
        now = key(column, gain)
        if heap and now > heap[0]:
            heapq.heappush(heap, now)
            continue
        opened = not is_open[openings.site_of[column]]
        take(column)
        spent += price
        chosen.append(column)
        if opened:
            for other in siblings.get(int(openings.site_of[column]), ()):
                if not closed[other] and gains[other] > 0:
                    heapq.heappush(heap, key(other, gains[other]))
        if np.isfinite(instance.need).any():
            still = missing()
            if (still != wanting).any():
                wanting, worth = still, _worth(instance, still)
    return np.array(chosen, np.int32)


def _columns_by_site(openings: Openings) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for column, site in enumerate(openings.site_of.tolist()):
        if site >= 0:
            found.setdefault(site, []).append(column)
    return found


def _price(instance: Instance, openings: Openings, is_open: npt.NDArray[np.bool_], column: int) -> float:
    site = openings.site_of[column]
    return float(instance.cost[column] + (0.0 if is_open[site] else openings.cost[site]))


def _worth(instance: Instance, wanting: npt.NDArray[np.bool_]) -> FloatArray:
    """What covering each row once more is worth towards the needs still open."""
    worth = np.zeros(instance.matrix.shape[0])
    for labels, weight in zip(instance.layer_group, instance.layer_weight, strict=True):
        used = (labels >= 0) & wanting[np.maximum(labels, 0)]
        worth[used] += weight[used] / instance.scale[labels[used]]
    return np.asarray(worth / np.maximum(instance.required, 1))


def prune(instance: Instance, columns: npt.NDArray[np.integer]) -> IntArray:
    """Drop columns no need feels, those that save most first: the last column of a site saves its opening as well."""
    priced = replace(instance, cost=instance.cost + _openings(instance).marginal(columns))
    return remove_redundant(priced, columns)


def improve(
    instance: Instance,
    effort: Effort,
    seed: int,
    selected: Callable[[], IntArray],
    offer: Callable[[npt.NDArray[np.integer]], bool],
) -> None:
    """Local search: close one site, fill up without it and with it, take what is better, until no site helps."""
    openings = _openings(instance)
    maximise = bool(np.isinf(instance.need).any())
    rng = np.random.default_rng(seed)
    unit = np.where(openings.site_of >= 0, openings.site_of, len(openings.cost) + np.arange(len(openings.site_of)))
    better = True
    while better:
        better = False
        for site in rng.permutation(np.unique(unit[selected()])).tolist():
            if effort.left() <= 0.0:
                return
            mine = np.flatnonzero(unit == site)
            current = selected()
            kept = current[~np.isin(current, mine) | np.isin(current, instance.fixed)]
            if len(kept) == len(current):
                continue
            for banned in (np.setdiff1d(mine, instance.fixed), None):
                found = greedy_with_openings(instance, start=kept, banned=banned)
                effort.charge(TRIAL_TOUCHES * instance.matrix.nnz * TOUCH_S + TRIAL_COLUMN_S * len(instance.cost))
                better |= offer(found if maximise else prune(instance, found))


def smaller_rows(instance: Instance) -> Instance:
    """A full cover on the rows no other row implies; other problems as they are."""
    if not is_full_cover(instance):
        return instance
    must = np.flatnonzero(must_rows(instance))
    matrix = instance.matrix.take(must)
    kept = undominated_rows(matrix, instance.required[must])
    rows = len(kept)
    return replace(
        instance,
        matrix=matrix.take(kept),
        required=instance.required[must][kept],
        layer_group=np.zeros((1, rows), np.int32),
        layer_weight=np.ones((1, rows)),
        need=np.array([float(rows)]),
    )


def solve_shared_exact(
    instance: Instance, *, effort: Effort, seed: int, start: npt.NDArray[np.integer] | None
) -> tuple[IntArray | None, float, bool]:
    """Branch and bound with a variable a site, 1 where any of its columns is selected.

    Columns of a clique hold their site open together, ``Σ x_j <= y_s``, which is tighter than one by one.

    Returns
    -------
    selected columns or None, proven bound (cost from below, weight from above), whether no selection exists.
    """
    openings = _openings(instance)
    built = cover_model(replace(instance, budget=np.inf))
    plain = built.model
    n_plain, n_sites = len(plain.cost), len(openings.cost)
    members = np.flatnonzero(openings.clique >= 0)
    n_cliques = int(openings.clique.max()) + 1 if len(members) else 0
    holds = sparse.csr_matrix((np.ones(len(members)), (openings.clique[members], members)), shape=(n_cliques, n_plain))
    site_of_clique = np.zeros(n_cliques, np.int64)
    site_of_clique[openings.clique[members]] = openings.site_of[members]
    opens = sparse.csr_matrix((-np.ones(n_cliques), (np.arange(n_cliques), site_of_clique)), shape=(n_cliques, n_sites))
    blocks = [
        sparse.hstack([plain.matrix, sparse.csr_matrix((plain.matrix.shape[0], n_sites))]),
        sparse.hstack([holds, opens]),
    ]
    low = [plain.row_lower, np.full(n_cliques, -np.inf)]
    high = [plain.row_upper, np.zeros(n_cliques)]
    if built.maximise:
        spent = np.concatenate([instance.cost, np.zeros(n_plain - len(instance.cost)), openings.cost])
        blocks.append(sparse.csr_matrix(spent[None, :]))
        low.append(np.array([-np.inf]))
        high.append(np.array([instance.budget]))
    model = LinearModel(
        np.concatenate([plain.cost, np.zeros(n_sites) if built.maximise else openings.cost]),
        np.concatenate([plain.lower, np.zeros(n_sites)]),
        np.concatenate([plain.upper, np.ones(n_sites)]),
        sparse.vstack(blocks, format="csr"),
        np.concatenate(low),
        np.concatenate(high),
        np.concatenate([plain.integer, np.ones(n_sites, np.bool_)]),
    )
    first = None
    if start is not None:
        used = np.zeros(n_sites)
        sites = openings.site_of[start]
        used[sites[sites >= 0]] = 1.0
        first = np.concatenate([built.point(instance, start), used])
    result = run_highs(model, effort=effort, seed=seed, start=first)
    if result.status == "infeasible":
        return None, (-np.inf if built.maximise else np.inf), True
    selected = None if result.x is None else built.selected(result.x)
    return selected, -result.bound if built.maximise else result.bound, False
