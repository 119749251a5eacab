"""Which solver runs when: every rung hands its incumbent and its bound to the next."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from rfplan.optimize.bounds import knapsack_budget_bound, knapsack_cover_bound
from rfplan.optimize.greedy import build_order, greedy, remove_redundant
from rfplan.optimize.instance import FloatArray, Instance, IntArray
from rfplan.optimize.solution import Progress, Solution, Status, marginal_gains, needs_met, relative_gap


def solve_cover(
    instance: Instance,
    measures: Mapping[str, FloatArray],
    uncoverable_rows: npt.NDArray[np.int64],
    time_limit_s: float,
    seed: int,
    progress: Progress | None = None,
    reason: str = "",
) -> Solution:
    """Cheapest selection that meets every need."""
    start = time.perf_counter()
    selected = remove_redundant(instance, greedy(instance))
    bound = knapsack_cover_bound(instance)
    if progress is not None:
        progress("greedy", float(instance.cost[selected].sum()), bound)
    return _finish(instance, measures, uncoverable_rows, selected, bound, False, start, seed, reason)


def solve_budget(
    instance: Instance,
    measures: Mapping[str, FloatArray],
    uncoverable_rows: npt.NDArray[np.int64],
    time_limit_s: float,
    seed: int,
    progress: Progress | None = None,
    reason: str = "",
) -> Solution:
    """Most weight under the budget."""
    start = time.perf_counter()
    selected = greedy(instance)
    bound = knapsack_budget_bound(instance)
    return _finish(instance, measures, uncoverable_rows, selected, bound, True, start, seed, reason)


def round_up(instance: Instance, bound: float) -> float:
    """The bound raised to the next whole number where every cost is one."""
    if np.isfinite(bound) and (instance.cost == np.round(instance.cost)).all():
        return float(np.ceil(bound - 1e-6))
    return bound


def _finish(
    instance: Instance,
    measures: Mapping[str, FloatArray],
    uncoverable_rows: npt.NDArray[np.int64],
    selected: IntArray,
    bound: float,
    maximise: bool,
    start: float,
    seed: int,
    reason: str,
) -> Solution:
    order = build_order(instance, selected)
    verified = needs_met(instance, order)
    covered = instance.matrix.rows_covered(order) >= instance.required
    objective = float(instance.group_totals(covered)[0]) if maximise else float(instance.cost[order].sum())
    if not verified:
        objective, order = (float("-inf") if maximise else float("inf")), order[:0]
        reason = "; ".join(filter(None, [reason, "no selection found that meets every need and rule"]))
    if not maximise:
        bound = round_up(instance, bound)
    bound = max(bound, objective) if maximise else min(bound, objective)
    gap = relative_gap(objective, bound)
    status: Status = "feasible" if gap > 0 else "optimal"
    if not verified:
        status = "infeasible"
    coverable = np.ones(instance.matrix.shape[0], np.bool_)
    coverable[uncoverable_rows] = False
    return Solution(
        selected=order,
        marginal=marginal_gains(instance, order, measures),
        cost=instance.cost[order],
        objective=objective,
        bound=bound,
        gap=gap,
        status=status,
        reason=reason,
        uncoverable_rows=uncoverable_rows,
        verified=verified,
        time_s=time.perf_counter() - start,
        seed=seed,
        totals={name: float(values[coverable].sum()) for name, values in measures.items()},
    )
