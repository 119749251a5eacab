"""Benders' method for budgets and targets: the rows are folded into one value a block, cut by cut.

For a block of rows with weights w the covered weight is at most ``Σ w·min(1, Σ a·x / required)``, a concave function of
x; its supergradients are the cuts ``θ <= Σ_{full} w + Σ_{partly} (w/required)·Σ a·x``. The master holds the columns
and one θ a block, so its size does not grow with the pixels. Its bound is a bound of the problem at every step; each
whole point is checked against the matrix itself. After Cordeau, Furini and Ljubić, "Benders decomposition for very
large scale partial set covering and maximal covering location problems", EJOR 275 (2019).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from rfplan.kernels.neighbourhood import voronoi_kernel
from rfplan.optimize.effort import TOUCH_S, Effort
from rfplan.optimize.instance import FloatArray, Instance
from rfplan.optimize.master import Master, MasterPoint
from rfplan.optimize.penalised import penalised_search
from rfplan.optimize.reduce import must_rows, undominated_rows

#: Blocks of rows, each with its own θ: more make tighter cuts and a larger master.
BLOCKS = 120
#: Smaller problems are closed by branch and bound sooner than by a search at prices.
PRICED_NONZEROS = 20_000
#: Nominal seconds without which branch and bound is not begun on those larger: its root cannot be stopped half-way.
LEAST_WHOLE_S = 5.0


@dataclass(frozen=True, eq=False)
class Folded:
    """The instance as the cuts see it.

    Attributes
    ----------
    covers
        csr_matrix of the counted rows × columns.
    required
        float64 columns each counted row wants.
    fold
        csr_matrix θ × counted rows: each θ's row weights.
    total
        float64: weight of each θ in all.
    group
        int64: the need each θ counts towards.
    must
        csr_matrix of the rows that must be covered, and what they want.
    """

    covers: Any
    required: FloatArray
    fold: Any
    total: FloatArray
    group: npt.NDArray[np.int64]
    must: Any
    must_required: FloatArray


def fold(instance: Instance, seed: int) -> Folded:
    """Split the counted rows into blocks and weigh them by need."""
    matrix = instance.matrix.to_csc().tocsr()
    maximise = bool(np.isinf(instance.need).any())
    must = np.zeros(matrix.shape[0], np.bool_) if maximise else must_rows(instance)
    counted = ((instance.layer_group >= 0) & (instance.layer_weight > 0)).any(axis=0)
    rows = np.flatnonzero(counted & ~must & (np.diff(matrix.indptr) > 0))
    binding = np.flatnonzero(must)
    binding = binding[undominated_rows(instance.matrix.take(binding), instance.required[binding])]
    block = _blocks(instance, rows, seed)
    parts, group, number = [], [], 0
    for labels, weight in zip(instance.layer_group[:, rows], instance.layer_weight[:, rows], strict=True):
        used = np.flatnonzero((labels >= 0) & (weight > 0))
        key = labels[used].astype(np.int64) * (BLOCKS + 1) + block[used]
        keys, theta = np.unique(key, return_inverse=True)
        parts.append(sparse.csr_matrix((weight[used], (theta, used)), shape=(len(keys), len(rows))))
        group.append(keys // (BLOCKS + 1))
        number += len(keys)
    folded = sparse.vstack(parts, format="csr") if parts else sparse.csr_matrix((0, len(rows)))
    return Folded(
        covers=matrix[rows],
        required=instance.required[rows].astype(np.float64),
        fold=folded,
        total=np.asarray(folded.sum(axis=1)).ravel(),
        group=np.concatenate(group) if group else np.zeros(0, np.int64),
        must=matrix[binding],
        must_required=instance.required[binding].astype(np.float64),
    )


def _blocks(instance: Instance, rows: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.int64]:
    """Compact blocks of rows by shared columns; rows out of reach of every seed share the last block."""
    matrix = instance.matrix
    if len(rows) <= BLOCKS:
        return np.arange(len(rows))
    rng = np.random.default_rng(seed)
    seeds = np.sort(rng.choice(rows, BLOCKS, replace=False)).astype(np.int32)
    block = np.empty(matrix.shape[0], np.int32)
    voronoi_kernel(seeds, matrix.row_ptr, matrix.row_cols, matrix.col_ptr, matrix.col_rows, block)
    block[block < 0] = BLOCKS
    return block[rows].astype(np.int64)


def benders(
    instance: Instance,
    *,
    effort: Effort,
    seed: int,
    incumbent: Callable[[], tuple[float, npt.NDArray[np.integer]]],
    offer: Callable[[npt.NDArray[np.integer]], object],
    prove: Callable[[float], None],
    report: Callable[[str], None],
    gap: float = 1e-4,
) -> bool:
    """Drive incumbent and bound together until they meet or the effort is spent. True when proven infeasible.

    Parameters
    ----------
    instance
        A budget (need infinite) or target problem.
    effort
        Work allowed.
    seed
        Of the blocks.
    incumbent, offer, prove, report
        The search's state: best value and columns so far; take a selection; take a bound; tell the caller.
    gap
        Relative gap at which the linear stage ends and whole points are sought.
    """
    folded = fold(instance, seed)
    maximise = bool(np.isinf(instance.need).any())
    master = _master(instance, folded, maximise, seed)
    n = instance.matrix.shape[1]
    sign = -1.0 if maximise else 1.0
    inner = _interior(instance)
    stall, last = 0, -np.inf
    rounding = 0
    linear = effort.slice(0.55)
    while linear.left() > 0.0:
        point = master.solve_relaxed(linear)
        linear.charge(4 * folded.covers.nnz * TOUCH_S)
        if point is None:
            break
        if point.finished:
            prove(sign * point.bound)
        report("Benders bound")
        added = _cut(master, folded, point, n, inner)
        rounding += 1
        if rounding % 5 == 0 or added == 0:
            offer(_round(instance, point.x))
        value, _ = incumbent()
        if added == 0 or _close(sign * value, point.bound, gap * 0.1):
            break
        stall = stall + 1 if point.bound < last + 1e-5 * abs(point.bound) else 0
        last = point.bound
        if stall >= 4:
            break
    if instance.matrix.nnz > PRICED_NONZEROS:
        penalised_search(
            instance,
            _price(instance, master.first_dual, maximise),
            effort=effort.slice(0.7),
            seed=seed,
            incumbent=incumbent,
            offer=offer,
            prove=prove,
            report=report,
        )
        if effort.left() < LEAST_WHOLE_S:
            return False
    while effort.left() > 0.0:
        value, columns = incumbent()
        start = _start(folded, columns, n) if np.isfinite(value) else None
        effort.charge(4 * folded.covers.nnz * TOUCH_S)
        found = master.solve_whole(effort.slice(0.4, at_most=effort.left()), start, 1e-7)
        if found is None:
            break
        if found.bound == np.inf:
            return True
        prove(sign * found.bound)
        report("Benders branch and bound")
        if len(found.x) == 0:
            break
        offer(np.flatnonzero(found.x > 0.5))
        value, _ = incumbent()
        added = _cut(master, folded, found, n, None)
        if (added == 0 and found.finished) or _close(sign * value, found.bound, 1e-9):
            break
        if added == 0:
            continue
    return False


def _price(instance: Instance, dual: FloatArray, maximise: bool) -> FloatArray:
    """What the master's budget or needs are worth: weight a unit of cost, or cost a unit of each need."""
    if maximise:
        return np.maximum(-dual[:1], 0.0)
    left = instance.need - instance.group_totals(must_rows(instance)) - instance.tolerance
    active = np.flatnonzero(left > 0)
    price = np.zeros(len(left))
    if len(dual) == len(active):
        price[active] = np.maximum(dual, 0.0) / left[active]
    return price


def _close(value: float, bound: float, gap: float) -> bool:
    return bool(np.isfinite(value)) and value - bound <= gap * max(1.0, abs(value))


def _interior(instance: Instance) -> FloatArray:
    """A point inside the polytope, where cuts are taken first: it steadies the sequence of masters."""
    usable = (instance.blocked == 0).astype(np.float64)
    spend = float(instance.cost @ usable)
    share = min(0.5, instance.budget / spend) if np.isfinite(instance.budget) and spend > 0 else 0.5
    return np.asarray(usable * share, np.float64)


def _master(instance: Instance, folded: Folded, maximise: bool, seed: int) -> Master:
    n, k = instance.matrix.shape[1], len(folded.total)
    lower, upper = np.zeros(n + k), np.concatenate([np.ones(n), folded.total])
    lower[instance.fixed] = 1.0
    upper[:n][instance.blocked == 1] = 0.0
    cost = np.concatenate([np.zeros(n), -np.ones(k)]) if maximise else np.concatenate([instance.cost, np.zeros(k)])
    master = Master(cost, lower, upper, n, seed)
    if maximise:
        spend = sparse.csr_matrix(np.concatenate([instance.cost, np.zeros(k)])[None, :])
        master.add(spend, np.array([-np.inf]), np.array([instance.budget]))
    else:
        must = must_rows(instance)
        left = instance.need - instance.group_totals(must) - instance.tolerance
        active = np.flatnonzero(left > 0)
        if len(active):
            towards = sparse.csr_matrix((np.ones(k), (folded.group, n + np.arange(k))), shape=(len(left), n + k))
            scaled = sparse.diags(1.0 / left[active]) @ towards[active]
            master.add(scaled, np.ones(len(active)), np.full(len(active), np.inf))
    pairs = len(instance.conflicts)
    if pairs:
        rows = sparse.csr_matrix(
            (np.ones(2 * pairs), (np.repeat(np.arange(pairs), 2), instance.conflicts.ravel())), shape=(pairs, n + k)
        )
        master.add(rows, np.full(pairs, -np.inf), np.ones(pairs))
    if folded.must.shape[0]:
        wide = sparse.hstack([folded.must, sparse.csr_matrix((folded.must.shape[0], k))], format="csr")
        master.add(wide, folded.must_required, np.full(folded.must.shape[0], np.inf))
    return master


def _cut(master: Master, folded: Folded, point: MasterPoint, n: int, inner: FloatArray | None) -> int:
    """Add the cuts that the point breaks; those taken nearer the inside first. Returns how many were added."""
    added = 0
    if inner is not None:
        added += _cut_at(master, folded, 0.6 * point.x + 0.4 * inner, point, n)
        inner *= 0.4
        inner += 0.6 * point.x
        if added:
            return added
    return added + _cut_at(master, folded, point.x, point, n)


def _cut_at(master: Master, folded: Folded, at: FloatArray, point: MasterPoint, n: int) -> int:
    served = (folded.covers @ at) / folded.required
    full = served >= 1.0 - 1e-9
    constant = folded.fold @ full.astype(np.float64)
    per_row = np.where(full, 0.0, 1.0 / folded.required)
    slope = folded.fold @ sparse.diags(per_row) @ folded.covers
    broken = point.theta > constant + slope @ point.x + 1e-7 * (1.0 + folded.total)
    which = np.flatnonzero(broken)
    if len(which) == 0:
        return 0
    k = len(folded.total)
    unit = sparse.csr_matrix((np.ones(len(which)), (np.arange(len(which)), which)), shape=(len(which), k))
    scale = sparse.diags(1.0 / np.maximum(folded.total[which], 1e-300))
    rows = scale @ sparse.hstack([-slope[which], unit], format="csr")
    master.add(rows, np.full(len(which), -np.inf), constant[which] / np.maximum(folded.total[which], 1e-300))
    return len(which)


def _round(instance: Instance, x: FloatArray) -> npt.NDArray[np.integer]:
    """A selection from a fractional point: greedy among its larger columns, completed by greedy among all."""
    from rfplan.optimize.greedy import greedy, remove_redundant

    near = np.flatnonzero(x > 0.05)
    first = greedy(instance, only=near)
    columns = greedy(instance, start=first[~np.isin(first, instance.fixed)])
    return columns if np.isinf(instance.need).any() else remove_redundant(instance, columns)


def _start(folded: Folded, columns: npt.NDArray[np.integer], n: int) -> FloatArray:
    """The master's point of a selection."""
    x = np.zeros(n)
    x[columns] = 1.0
    served = np.minimum(1.0, (folded.covers @ x) / folded.required)
    return np.concatenate([x, folded.fold @ served])
