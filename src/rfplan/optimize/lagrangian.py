"""A Lagrangian heuristic for full cover: greedy covers at near-optimal prices, column fixing, and refinement.

After A. Caprara, M. Fischetti and P. Toth (Operations Research 47, 1999), on a core of columns.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from rfplan.kernels.lagrange_greedy import subgradient_heuristic_kernel
from rfplan.optimize.instance import CoverMatrix, FloatArray, IntArray
from rfplan.optimize.reduce import FullCover

#: Greedy covers made at each level of a descent, and the step length between them.
GREEDY_COUNT, GREEDY_STEP = 60, 0.1


def lagrangian_search(
    problem: FullCover,
    start: npt.NDArray[np.integer],
    price: FloatArray,
    *,
    time_limit_s: float,
    seed: int = 0,
    core: npt.NDArray[np.bool_] | None = None,
    target: float = -np.inf,
    max_rounds: int = 10_000,
    on_better: Callable[[float], None] | None = None,
) -> IntArray:
    """The best cover found; at least as good as `start`.

    Each round fixes some columns of the best cover (at first none), then alternates subgradient steps with greedy
    covers and the fixing of further columns until all rows are covered or the bound says that nothing better is left.

    Parameters
    ----------
    problem
        Full cover in which every row wants one column and no columns are in conflict; otherwise `start` is returned.
    start
        A cover.
    price
        Good row prices.
    time_limit_s, max_rounds
        Where to stop.
    seed
        Of the perturbations.
    core
        Columns to look at; None for all.
    target
        Stop at this cost.
    on_better
        Called with every better cost.
    """
    best = np.unique(np.asarray(start, np.int32))
    m, n = problem.matrix.shape
    if m == 0 or len(problem.conflicts) or (problem.required != 1).any():
        return best
    columns = np.arange(n) if core is None else np.unique(np.concatenate([np.flatnonzero(core), best]))
    matrix, cost = problem.matrix.take(None, columns), problem.cost[columns]
    whole = bool((cost == np.round(cost)).all())
    rng = np.random.default_rng(seed)
    deadline = time.perf_counter() + time_limit_s
    best_cost = float(problem.cost[best].sum())
    kept: npt.NDArray[np.integer] = np.zeros(0, np.int64)
    share, prices = 0.3, price.copy()
    for _ in range(max_rounds):
        if time.perf_counter() > deadline or best_cost <= target + 1e-9:
            break
        found, prices_now = _dive(matrix, cost, kept, prices, best_cost, whole, rng, deadline)
        if found is not None and cost[found].sum() < best_cost - 1e-9:
            best, best_cost = columns[found].astype(np.int32), float(cost[found].sum())
            share, prices = 0.3, prices_now
            if on_better is not None:
                on_better(best_cost)
        else:
            share = 0.3 if share > 0.9 else share * 1.1
        kept = _refine(matrix, cost, np.searchsorted(columns, best), prices, share)
    return np.sort(best)


def _refine(
    matrix: CoverMatrix, cost: FloatArray, selected: npt.NDArray[np.integer], price: FloatArray, share: float
) -> npt.NDArray[np.integer]:
    """The columns of a cover that contribute least to its gap, enough of them to cover `share` of the rows."""
    count = matrix.rows_covered(selected)
    extra = price * (count - 1) / np.maximum(count, 1)
    waste = np.empty(len(selected))
    for position, column in enumerate(selected):
        rows = matrix.col_rows[matrix.col_ptr[column] : matrix.col_ptr[column + 1]]
        waste[position] = max(cost[column] - price[rows].sum(), 0.0) + extra[rows].sum()
    covered = np.zeros(matrix.shape[0], np.bool_)
    kept = []
    for position in np.argsort(waste, kind="stable"):
        if covered.mean() >= share:
            break
        column = selected[position]
        covered[matrix.col_rows[matrix.col_ptr[column] : matrix.col_ptr[column + 1]]] = True
        kept.append(column)
    return np.array(kept, np.int64)


def _dive(
    matrix: CoverMatrix,
    cost: FloatArray,
    kept: npt.NDArray[np.integer],
    price: FloatArray,
    upper: float,
    whole: bool,
    rng: np.random.Generator,
    deadline: float,
) -> tuple[npt.NDArray[np.int64] | None, FloatArray]:
    """One descent: fix more and more columns; the best cover below `upper` found on the way, and full-size prices."""
    fixed = list(kept)
    found: npt.NDArray[np.int64] | None = None
    first_prices = price
    prices = price
    while time.perf_counter() < deadline:
        covered = matrix.rows_covered(np.array(fixed, np.int64)) > 0
        rows = np.flatnonzero(~covered)
        paid = float(cost[fixed].sum())
        if len(rows) == 0:
            if paid < upper - 1e-9:
                found, upper = np.array(fixed, np.int64), paid
            break
        sub = matrix.take(rows)
        used = np.flatnonzero(np.diff(sub.col_ptr))
        sub = sub.take(None, used)
        data = (sub.col_ptr, sub.col_rows, sub.row_ptr, sub.row_cols, cost[used])
        local = prices[rows] * rng.uniform(0.9, 1.1, len(rows))
        near, member = local.copy(), np.zeros(len(used), np.uint8)
        bound, _ = subgradient_heuristic_kernel(data, local, upper - paid, 0.1, 200, 0, near, member)
        if paid + bound > upper - (1.0 - 1e-6 if whole else 1e-9):
            break
        local = near.copy()
        again = near.copy()
        _, value = subgradient_heuristic_kernel(data, local, upper - paid, GREEDY_STEP, GREEDY_COUNT, 1, again, member)
        if paid + value < upper - 1e-9:
            found, upper = np.concatenate([np.array(fixed, np.int64), used[member == 1]]), paid + value
        if len(fixed) == len(kept) == 0:
            first_prices = near
        fixed += used[_to_fix(sub, cost[used], near, member)].tolist()
        prices = price.copy()
        prices[rows] = near
    return found, first_prices


def _to_fix(
    sub: CoverMatrix, cost: FloatArray, price: FloatArray, member: npt.NDArray[np.uint8]
) -> npt.NDArray[np.int64]:
    """Columns that pay for themselves and overlap no other such column, and a few of the best cover's best."""
    owner = np.repeat(np.arange(sub.shape[1]), np.diff(sub.col_ptr))
    reduced = cost - np.bincount(owner, weights=price[sub.col_rows], minlength=sub.shape[1])
    cheap = np.flatnonzero(reduced < -0.001)
    count = sub.rows_covered(cheap)
    alone = [j for j in cheap if (count[sub.col_rows[sub.col_ptr[j] : sub.col_ptr[j + 1]]] == 1).all()]
    chosen = np.flatnonzero(member == 1)
    few = max(1, sub.shape[0] // 200)
    best = chosen[np.argsort(reduced[chosen], kind="stable")][:few]
    return np.unique(np.concatenate([np.array(alone, np.int64), best]).astype(np.int64))
