"""Small roll-outs solved exactly: one copy of the problem a year, columns never leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from rfplan.optimize.effort import Effort
from rfplan.optimize.highs import LinearModel, run_highs
from rfplan.optimize.instance import NEED_TOLERANCE

if TYPE_CHECKING:
    from rfplan.optimize.rollout import MatrixRollOut


def solve_years_exactly(
    problem: MatrixRollOut, time_limit_s: float, seed: int
) -> tuple[dict[int, list[int]] | None, float, bool]:
    """Best schedule that meets every milestone, the proven bound on its value, and whether any exists.

    Variables are x[j, t] (built by the end of year t) and y[i, t] (covered then); maximise the discounted weight.
    """
    m, n = problem.matrix.shape
    years = list(problem.budgets)
    count = len(years)
    covers = problem.matrix.to_csc().tocsr()
    one_year = sparse.hstack([covers, -sparse.diags(problem.required.astype(np.float64))], format="csr")
    blocks = [sparse.block_diag([one_year] * count, format="csr")]
    low, high = [np.zeros(m * count)], [np.full(m * count, np.inf)]
    size = n + m
    spend = sparse.csr_matrix(np.concatenate([problem.cost, np.zeros(m)])[None, :])
    money = np.array(list(problem.budgets.values()))
    for t, year in enumerate(years):
        now = _at(t, spend, count, size)
        if t:
            stay = sparse.hstack([sparse.identity(n), sparse.csr_matrix((n, m))], format="csr")
            blocks.append(_at(t, stay, count, size) - _at(t - 1, stay, count, size))
            low.append(np.zeros(n))
            high.append(np.full(n, np.inf))
        before = _at(t - 1, spend, count, size) if t and not problem.carry_over else 0 * now
        blocks.append(now - before)
        low.append(np.array([-np.inf]))
        high.append(np.array([money[: t + 1].sum() if problem.carry_over else money[t]]))
        if year in problem.milestones:
            need = problem.milestones[year] * problem.total - problem.already
            gain = sparse.csr_matrix(np.concatenate([np.zeros(n), problem.weight])[None, :])
            blocks.append(_at(t, gain, count, size))
            low.append(np.array([need - NEED_TOLERANCE * abs(need)]))
            high.append(np.array([np.inf]))
    pairs = problem.rules.conflict_pairs(n)
    if len(pairs):
        index = np.repeat(np.arange(len(pairs)), 2)
        rows = sparse.csr_matrix((np.ones(2 * len(pairs)), (index, pairs.ravel())), shape=(len(pairs), size))
        blocks.append(_at(count - 1, rows, count, size))
        low.append(np.full(len(pairs), -np.inf))
        high.append(np.ones(len(pairs)))
    lower, upper = np.zeros((count, size)), np.ones((count, size))
    lower[:, list(problem.rules.fixed)] = 1.0
    upper[:, list(problem.rules.forbidden)] = 0.0
    # A row that one column covers is whole by itself; one that wants several must be told not to count in part.
    integer = np.tile(np.concatenate([np.ones(n, np.bool_), problem.required > 1]), count)
    cost = -np.concatenate([np.concatenate([np.zeros(n), worth * problem.weight]) for worth in problem.discount])
    model = LinearModel(
        cost,
        lower.ravel(),
        upper.ravel(),
        sparse.vstack(blocks, format="csr"),
        np.concatenate(low),
        np.concatenate(high),
        integer,
    )
    result = run_highs(model, effort=Effort.within(time_limit_s), seed=seed)
    if result.status == "infeasible":
        return None, -np.inf, False
    if result.x is None:
        return None, -result.bound, True
    built = result.x.reshape(count, size)[:, :n] > 0.5
    first = np.where(built.any(axis=0), built.argmax(axis=0), -1)
    return (
        {year: np.flatnonzero(first == t).tolist() for t, year in enumerate(years)},
        float(-result.bound),
        True,
    )


def _at(year: int, rows: sparse.csr_matrix, count: int, size: int) -> sparse.csr_matrix:
    """Rows of one year's variables placed among all years'."""
    k = rows.shape[0]
    return sparse.hstack(
        [sparse.csr_matrix((k, year * size)), rows, sparse.csr_matrix((k, (count - year - 1) * size))], format="csr"
    )
