"""Targets and budgets at a price: what is not covered is paid for, which makes a full cover of them.

The needs (or the budget) are taken into the objective at prices λ ≥ 0, by Lagrangian relaxation. Minimising
``cost·x + Σ worth·(1 − covered)`` is a full cover with one more column a row, which serves this row alone and costs
what the row is worth; every rung for full covers then applies. Its bound less a constant is a bound of the problem for
any prices; its covers, completed or thinned until the need is met, are selections. Prices near the duals of the linear
relaxation make both good.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from rfplan.optimize.blocks import block_bound
from rfplan.optimize.dual import lp_prices
from rfplan.optimize.effort import TOUCH_S, Effort
from rfplan.optimize.greedy import greedy, remove_redundant
from rfplan.optimize.instance import CoverMatrix, FloatArray, Instance, IntArray
from rfplan.optimize.local_search import row_weighting_search
from rfplan.optimize.reduce import FullCover, merge_rows
from rfplan.optimize.windows import window_search

#: Problems with more nonzeros are left to Benders' method: their linear programs take too long.
NONZEROS = 1_500_000
#: Turns of the search, each at another price.
TURNS = 12
#: Rows of the blocks the bound is proven on, and the most by which a price moves in one turn of the search.
BLOCK_ROWS, PRICE_STEP = (300, 700, 1200), 0.02


@dataclass(frozen=True, eq=False)
class Penalised:
    """The problem at a price.

    Attributes
    ----------
    problem
        Full cover: first the columns that can pay for themselves, then one a row at the row's worth.
    columns
        int64 column of the instance behind each of the first columns.
    row_of
        int64 (m,) row of `problem` that stands for each row of the instance, -1 for rows that no such column covers.
    constant
        The Lagrangian bound is the optimum of `problem` plus this.
    """

    problem: FullCover
    columns: npt.NDArray[np.int64]
    row_of: npt.NDArray[np.int64]
    constant: float

    def cover_of(self, selected: npt.NDArray[np.integer]) -> IntArray:
        """The cover that a selection stands for."""
        first = np.flatnonzero(np.isin(self.columns, selected))
        served = self.problem.matrix.rows_covered(first) > 0
        return np.concatenate([first, len(self.columns) + np.flatnonzero(~served)]).astype(np.int32)

    def selection_of(self, instance: Instance, cover: npt.NDArray[np.integer]) -> IntArray:
        """The instance's columns in a cover, fixed ones first."""
        mine = self.columns[cover[cover < len(self.columns)]]
        return np.concatenate([instance.fixed, mine]).astype(np.int32)


def penalise(instance: Instance, price: FloatArray) -> Penalised:
    """The problem at the given prices.

    Parameters
    ----------
    instance
        Every row wants one column; rows merged already.
    price
        Target: cost that a unit of each need is worth, (G,). Budget: weight that a unit of cost is worth, (1,).
    """
    maximise = bool(np.isinf(instance.need).any())
    scale = float(price[0]) if maximise else 1.0
    rate = np.ones(1) if maximise else price
    worth = np.zeros(instance.matrix.shape[0])
    for labels, weight in zip(instance.layer_group, instance.layer_weight, strict=True):
        worth += np.where(labels >= 0, rate[np.maximum(labels, 0)] * weight, 0.0)
    cost = instance.cost * scale
    if maximise:
        constant = -float(worth.sum()) - scale * instance.budget
    else:
        constant = float(price @ np.where(instance.need > 0, instance.need - instance.tolerance, 0.0)) - worth.sum()
    constant += float(cost[instance.fixed].sum())
    matrix = instance.matrix.to_csc()
    worth = np.where(instance.matrix.rows_covered(instance.fixed) > 0, 0.0, worth)
    usable = instance.blocked == 0
    usable[instance.fixed] = False
    # A column whose rows together are worth less than its cost is in no best cover of this problem.
    columns = np.flatnonzero(usable & (matrix.T @ worth > cost))
    inner = matrix[:, columns].tocsr()
    rows = np.flatnonzero((np.diff(inner.indptr) > 0) & (worth > 0))
    constant += float(worth.sum() - worth[rows].sum())
    row_of = np.full(len(worth), -1, np.int64)
    row_of[rows] = np.arange(len(rows))
    wide = sparse.hstack([inner[rows], sparse.identity(len(rows))], format="csc")
    problem = FullCover(
        CoverMatrix.from_sparse(wide),
        np.concatenate([cost[columns], worth[rows]]),
        np.ones(len(rows), np.int32),
        np.arange(wide.shape[1]),
        np.zeros(0, np.int32),
        np.zeros((0, 2), np.int64),
    )
    return Penalised(problem, columns, row_of, constant)


def penalised_search(
    instance: Instance,
    price: FloatArray,
    *,
    effort: Effort,
    seed: int,
    incumbent: Callable[[], tuple[float, npt.NDArray[np.integer]]],
    offer: Callable[[npt.NDArray[np.integer]], object],
    prove: Callable[[float], None],
    report: Callable[[str], None],
) -> None:
    """Selections and bounds at prices near `price`; it does nothing for conflicts, repeated cover or large problems.

    Parameters
    ----------
    instance
        Targets or a budget.
    price
        As for `penalise`: the duals of the linear relaxation.
    effort
        Work allowed.
    seed
        Of the searches.
    incumbent, offer, prove, report
        The search's state, as for `rfplan.optimize.benders.benders`.
    """
    if instance.matrix.nnz > NONZEROS or (instance.required != 1).any() or len(instance.conflicts):
        return
    if not (price > 0).any():
        return
    merged = merge_rows(instance)
    if merged.matrix.shape[0] == 0:
        return
    _search(merged, price, effort.slice(0.5), seed, incumbent, offer, report)
    _prove(merged, price, effort, seed, prove, report)


def _search(
    instance: Instance,
    price: FloatArray,
    effort: Effort,
    seed: int,
    incumbent: Callable[[], tuple[float, npt.NDArray[np.integer]]],
    offer: Callable[[npt.NDArray[np.integer]], object],
    report: Callable[[str], None],
) -> None:
    """Covers at prices that follow what they reach: a need is dearer while it is missed, cheaper while it is met."""
    maximise = bool(np.isinf(instance.need).any())
    factor, step, turn, selected = 1.0, PRICE_STEP, 0, incumbent()[1]
    while effort.left() > 0.0 and turn < TURNS:
        turn += 1
        now = penalise(instance, price * factor)
        problem = now.problem
        if problem.matrix.shape[0] == 0:
            return
        effort.charge(10 * problem.matrix.nnz * TOUCH_S)
        cover = now.cover_of(selected)
        cover = row_weighting_search(problem, cover, effort=effort.slice(0.1), seed=seed + turn)
        cover = window_search(problem, cover, effort=effort.slice(0.15), seed=seed + turn, size=30)
        selected = now.selection_of(instance, cover)
        reached = _reached(instance, selected, maximise)
        completed = _complete(instance, selected, maximise)
        effort.charge(10 * instance.matrix.nnz * TOUCH_S)
        offer(completed)
        report("penalised search")
        # The price of a budget rises when too much is spent, that of a need when too little is reached.
        factor *= 1.0 + step if reached == maximise else 1.0 / (1.0 + step)
        if turn % 2 == 0:
            step = max(0.002, step * 0.7)


def _reached(instance: Instance, selected: IntArray, maximise: bool) -> bool:
    """Budget: whether too much is spent. Target: whether every need is met."""
    if maximise:
        return bool(instance.cost[selected].sum() > instance.budget)
    totals = instance.group_totals(instance.matrix.rows_covered(selected) > 0)
    return bool((totals >= instance.need - instance.tolerance).all())


def _complete(instance: Instance, selected: IntArray, maximise: bool) -> IntArray:
    """A selection within budget, or one that meets every need, near the given one."""
    mine = selected[~np.isin(selected, instance.fixed)]
    if maximise:
        return greedy(instance, start=greedy(instance, only=mine)[len(instance.fixed) :])
    return remove_redundant(instance, greedy(instance, start=mine))


def _prove(
    instance: Instance,
    price: FloatArray,
    effort: Effort,
    seed: int,
    prove: Callable[[float], None],
    report: Callable[[str], None],
) -> None:
    """Block bounds of growing size at the given prices."""
    maximise = bool(np.isinf(instance.need).any())
    now = penalise(instance, price)
    if now.problem.matrix.shape[0] == 0:
        prove(-now.constant if maximise else now.constant)
        return
    prices = lp_prices(now.problem, effort=effort)
    if prices is None:
        return
    for rows in BLOCK_ROWS:
        if effort.left() <= 0.0:
            return
        share = effort.slice(0.3 if rows < BLOCK_ROWS[-1] else 1.0)
        found = block_bound(now.problem, prices, effort=share, rows_per_block=rows, seed=seed)
        bound = found + now.constant
        bound -= 1e-9 * (abs(found) + abs(now.constant))
        prove(-bound if maximise else bound)
        report("penalised block bound")
