"""Which solver runs when: every rung hands its incumbent and its bound to the next."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rfplan.optimize.benders import benders
from rfplan.optimize.bounds import knapsack_budget_bound, knapsack_cover_bound
from rfplan.optimize.effort import TOUCH_S, Effort
from rfplan.optimize.exact import solve_exact
from rfplan.optimize.full_cover import Part, solve_part, split
from rfplan.optimize.greedy import build_order, greedy, remove_redundant
from rfplan.optimize.instance import FloatArray, Instance, IntArray, cost_step, round_up
from rfplan.optimize.reduce import is_full_cover, reduce_full_cover, to_full_cover
from rfplan.optimize.shared_sites import (
    greedy_with_openings,
    improve,
    prune,
    shared_relaxation,
    smaller_rows,
    solve_shared_exact,
)
from rfplan.optimize.solution import (
    Ending,
    Progress,
    Solution,
    Status,
    marginal_gains,
    needs_met,
    recounted_cost,
    relative_gap,
)
from rfplan.optimize.warm import warm_up

#: Budgets and targets up to this size go to branch and bound with a variable a row; larger ones to Benders' method.
EXACT_ROWS, EXACT_NONZEROS = 3000, 60_000
#: With opening costs, branch and bound is tried up to this size, after what the shared costs give, or at once if small.
SHARED_ROWS, SHARED_NONZEROS, SMALL_NONZEROS = 20_000, 400_000, 5_000


@dataclass
class Search:
    """The running state of a solve: the best selection and the proven bound, whatever interrupts it."""

    instance: Instance
    maximise: bool
    progress: Progress | None
    selected: IntArray = field(default_factory=lambda: np.zeros(0, np.int32))
    found: bool = False
    bound: float = 0.0
    infeasible: bool = False
    ending: Ending = "effort"

    def __post_init__(self) -> None:
        """Start from the bound that needs no search."""
        self.bound = np.inf if self.maximise else 0.0

    @property
    def value(self) -> float:
        """Objective of the best selection; infinitely bad while there is none."""
        if not self.found:
            return -np.inf if self.maximise else np.inf
        return self.worth(self.selected)

    def worth(self, columns: npt.NDArray[np.integer]) -> float:
        """Objective of a selection."""
        if self.maximise:
            covered = self.instance.matrix.rows_covered(columns) >= self.instance.required
            return float(self.instance.group_totals(covered)[0])
        return self.instance.total_cost(columns)

    def offer(self, columns: npt.NDArray[np.integer]) -> bool:
        """Take a selection if it meets every need and rule and is better; True if taken."""
        columns = np.unique(columns)
        better = self.worth(columns) > self.value if self.maximise else self.worth(columns) < self.value
        if (not self.found or better) and needs_met(self.instance, columns):
            self.selected, self.found = np.asarray(columns, np.int32), True
            return True
        return False

    def prove(self, bound: float) -> None:
        """Tighten the bound."""
        if self.maximise:
            self.bound = min(self.bound, bound)
        else:
            self.bound = max(self.bound, round_up(bound, cost_step(self.instance.amounts)))

    def report(self, stage: str) -> None:
        """Tell the caller how far the solve is."""
        if self.progress is not None:
            self.progress(stage, self.value, self.bound)

    @property
    def closed(self) -> bool:
        """Whether the best is proven best."""
        return self.found and relative_gap(self.value, self.bound) == 0.0


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
    warm_up()
    start = time.perf_counter()
    effort = Effort.within(time_limit_s)
    search = Search(instance, False, progress)
    try:
        if instance.openings is None:
            _cover(search, effort, seed)
        else:
            _shared(search, effort, seed)
    except KeyboardInterrupt:
        search.ending = "interrupt"
        search.report("stopped")
    if effort.cut_short:
        search.ending = "time"
    return _finish(search, measures, uncoverable_rows, start, seed, reason)


def _cover(search: Search, effort: Effort, seed: int) -> None:
    """Greedy, the bound that needs no search, then the ladder for full covers or the one for targets."""
    search.offer(remove_redundant(search.instance, greedy(search.instance)))
    search.prove(knapsack_cover_bound(search.instance))
    search.report("greedy")
    if not search.closed:
        if is_full_cover(search.instance):
            _full_cover(search, effort, seed)
        else:
            _partial(search, effort, seed)


def _budget(search: Search, effort: Effort, seed: int) -> None:
    """Greedy, the bound that needs no search, then the ladder for budgets."""
    search.offer(greedy(search.instance))
    search.prove(knapsack_budget_bound(search.instance))
    search.report("greedy")
    if not search.closed:
        _partial(search, effort, seed)


def _shared(search: Search, effort: Effort, seed: int) -> None:
    """Opening costs: greedy, the ladder with the costs shared out, local search, branch and bound where it can."""
    instance = search.instance
    first = greedy_with_openings(instance)
    search.offer(first if search.maximise else prune(instance, first))
    search.report("greedy")
    model = smaller_rows(instance)
    rows, nonzeros = model.matrix.shape[0], model.matrix.nnz
    settled = instance.openings is not None and instance.openings.settled
    if settled or nonzeros > SMALL_NONZEROS:
        _relaxed(search, effort.slice(0.8 if settled else 0.4), seed)
    if search.found and not search.closed:
        improve(instance, effort.slice(0.2), seed, lambda: search.selected, search.offer)
        search.report("local search")
    if search.closed or search.infeasible or max(rows / SHARED_ROWS, nonzeros / SHARED_NONZEROS) > 1.0:
        return
    start = search.selected if search.found else None
    chosen, bound, search.infeasible = solve_shared_exact(model, effort=effort, seed=seed, start=start)
    if chosen is not None:
        search.offer(chosen)
    search.prove(bound)
    search.report("branch and bound")


def _relaxed(search: Search, effort: Effort, seed: int) -> None:
    """The bound of the problem whose columns bear shares of their sites' costs, and its selection at true costs."""
    inner = Search(shared_relaxation(search.instance), search.maximise, None)
    try:
        (_budget if search.maximise else _cover)(inner, effort, seed)
    finally:
        search.infeasible = inner.infeasible
        search.prove(inner.bound)
        if inner.found:
            search.offer(inner.selected if search.maximise else prune(search.instance, inner.selected))
        search.report("shared costs")


def _full_cover(search: Search, effort: Effort, seed: int) -> None:
    """Reduce, split into independent parts, and solve each in its share of the effort."""
    problem = reduce_full_cover(to_full_cover(search.instance))
    effort.charge(20 * search.instance.matrix.nnz * TOUCH_S)
    base = float(search.instance.cost[problem.forced].sum())
    parts = [
        Part(piece, np.zeros(0, np.int32), False, 0.0)
        for piece in sorted(split(problem), key=lambda piece: piece.matrix.shape[0])
    ]

    def gather() -> None:
        if all(part.complete for part in parts):
            search.offer(np.concatenate([problem.forced, *(part.problem.columns[part.selected] for part in parts)]))
        search.prove(base + sum(part.bound for part in parts))

    def report(stage: str) -> None:
        gather()
        search.report(stage)

    search.infeasible = False
    try:
        rows_left = sum(part.problem.matrix.shape[0] for part in parts)
        for part in parts:
            rows = part.problem.matrix.shape[0]
            solve_part(part, effort.slice(rows / max(1, rows_left)), seed, report)
            rows_left -= rows
            if part.closed and not part.complete:
                search.infeasible = True
                return
    finally:
        gather()


def _partial(search: Search, effort: Effort, seed: int) -> None:
    """Budgets and targets: branch and bound where the whole model is small, else Benders' method."""
    if search.instance.matrix.shape[0] <= EXACT_ROWS and search.instance.matrix.nnz <= EXACT_NONZEROS:
        chosen, bound, result = solve_exact(
            search.instance,
            effort=effort,
            seed=seed,
            start=search.selected if search.found else None,
        )
        if chosen is not None:
            search.offer(chosen)
        search.infeasible = result.status == "infeasible"
        search.prove(bound)
        return
    search.infeasible = benders(
        search.instance,
        effort=effort,
        seed=seed,
        incumbent=lambda: (search.value, search.selected),
        offer=search.offer,
        prove=search.prove,
        report=search.report,
    )


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
    warm_up()
    start = time.perf_counter()
    effort = Effort.within(time_limit_s)
    search = Search(instance, True, progress)
    try:
        if instance.openings is None:
            _budget(search, effort, seed)
        else:
            _shared(search, effort, seed)
    except KeyboardInterrupt:
        search.ending = "interrupt"
        search.report("stopped")
    if effort.cut_short:
        search.ending = "time"
    return _finish(search, measures, uncoverable_rows, start, seed, reason)


def _finish(
    search: Search,
    measures: Mapping[str, FloatArray],
    uncoverable_rows: npt.NDArray[np.int64],
    start: float,
    seed: int,
    reason: str,
) -> Solution:
    instance = search.instance
    order = build_order(instance, search.selected) if search.found else np.zeros(0, np.int32)
    objective = search.value
    verified = search.found and needs_met(instance, order)
    if verified and not search.maximise:
        verified = abs(recounted_cost(instance, order) - objective) <= 1e-9 * max(1.0, objective)
    if not verified:
        why = (
            "the needs and rules contradict each other: no selection meets them all"
            if search.infeasible
            else "no selection that meets every need and rule was found in the time"
        )
        reason = "; ".join(filter(None, [reason, why]))
    bound = search.bound
    if verified:
        bound = max(bound, objective) if search.maximise else min(bound, objective)
    gap = relative_gap(objective, bound)
    status: Status = "infeasible" if not verified else "feasible" if gap > 0 else "optimal"
    coverable = np.ones(instance.matrix.shape[0], np.bool_)
    coverable[uncoverable_rows] = False
    return Solution(
        selected=order,
        marginal=marginal_gains(instance.matrix, order, instance.required, measures),
        cost=instance.cost[order] + (0.0 if instance.openings is None else instance.openings.in_order(order)),
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
        ended_by="proof" if status == "optimal" or search.infeasible else search.ending,
    )
