"""Cover by several imperfect servers: a row counts where some of the chosen columns serves it with enough probability.

Columns serve a row with probabilities p_j, independently of each other: shadowing differs from site to site. At least
one does with 1 − Π (1 − p_j), which reaches P where Σ log(1 − p_j) / log(1 − P) >= 1: a covering row with real weights.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from rfplan.errors import ParameterError
from rfplan.optimize.effort import Effort
from rfplan.optimize.instance import (
    FloatArray,
    IntArray,
    Rules,
    apply_rules,
    check_cost,
    check_weights,
    cost_step,
    round_up,
)
from rfplan.optimize.joint_bound import relaxed_bound, solve_joint_exact
from rfplan.optimize.joint_rows import UNITS, JointRows, server_units
from rfplan.optimize.joint_search import greedy_joint, improve_joint, in_build_order, prune_joint
from rfplan.optimize.solution import Ending, Progress, Solution, Status, relative_gap

#: Branch and bound is tried up to this many nonzeros; above, the linear relaxation bounds and local search chooses.
EXACT_NONZEROS = 400_000
#: So small that branch and bound comes at once.
SMALL_NONZEROS = 5_000
#: Share of the effort that branch and bound is given: a look at its limits takes longer than on plain covers, and the
#: wall clock is not to end it.
BRANCH_SHARE, BRANCH_SHARE_SMALL = 0.15, 0.5


@dataclass(frozen=True)
class MatrixJointCover:
    """Cheapest columns that serve enough rows with the required probability. Made by ``JointCover.from_matrix``.

    Weights are whole numbers, rounded down to 1/10,000 of what a row needs, so that sums are exact whatever their
    order; a row whose probability passes the requirement by less than that may not count.
    """

    units: Any
    need: IntArray
    cost: FloatArray
    measures: Mapping[str, FloatArray]
    targets: Mapping[str, float]
    rules: Rules = field(default_factory=Rules)

    @classmethod
    def from_matrix(
        cls,
        probability: Any,
        cost: Any = 1.0,
        *,
        required: float,
        weight: Any = None,
        target: float | Mapping[str, float] = 1.0,
        already: Any = 0.0,
        rules: Rules | None = None,
        **refused: Any,
    ) -> MatrixJointCover:
        """From demand rows × candidate columns.

        Parameters
        ----------
        probability
            scipy.sparse or dense, 0…1: with what probability each column alone serves each row.
        cost
            One number or one a column, >= 0.
        required
            Probability, above 0 and below 1, with which at least one server must serve a row for it to count.
        weight
            Measures of rows, (m,) or a mapping of names to (m,).
        target
            Share 0–1 of each measure's reachable total: of rows that are served well enough already, or with every
            permitted column would be. 1 asks for every such row that has weight.
        already
            Probability (m,) or one number with which each row is served without any column.
        rules
            Fixed, forbidden, exclusive and spaced columns.

        Raises
        ------
        ParameterError
            For values out of range, or an option that joint coverage does not have.
        """
        _refuse(refused, rules)
        if not 0.0 < required < 1.0:
            raise ParameterError(f"required = {required}: give a probability above 0 and below 1, such as 0.95")
        given = sparse.csc_matrix(probability, dtype=np.float64)
        m, n = given.shape
        _check_probability(given.data, "probability")
        before = np.broadcast_to(np.asarray(already, np.float64), (m,))
        _check_probability(before, "already")
        units = sparse.csc_matrix((server_units(given.data, required), given.indices, given.indptr), shape=(m, n))
        measures = check_weights(weight, m)
        targets = dict(target) if isinstance(target, Mapping) else dict.fromkeys(measures, float(target))
        for name, share in targets.items():
            if name not in measures:
                raise ParameterError(f"target names measure {name!r}; weight has {sorted(measures)}")
            if not 0.0 <= share <= 1.0:
                raise ParameterError(f"target {name!r} = {share}: give a share between 0 and 1")
        need = (UNITS - server_units(before, required)).astype(np.int32)
        return cls(units, need, check_cost(cost, n), measures, targets, rules or Rules())

    def as_rows(self) -> tuple[JointRows, npt.NDArray[np.bool_]]:
        """The problem on the rows that need something and can get it, and which rows those are."""
        fixed, blocked, conflicts = apply_rules(self.rules, len(self.cost))
        units = sparse.csc_matrix(self.units)
        reach = np.asarray(units @ (blocked == 0).astype(np.int64)).ravel()
        served, open_rows = self.need <= 0, (self.need > 0) & (reach >= self.need)
        must = np.zeros(len(self.need), np.bool_)
        worth, amount = [], []
        for name, share in self.targets.items():
            values = self.measures[name]
            if share >= 1.0:
                must |= open_rows & (values > 0)
                continue
            before = float(values[served].sum())
            wanted = share * (before + float(values[open_rows].sum())) - before
            if wanted > 0.0:
                worth.append(values[open_rows])
                amount.append(wanted)
        rows = JointRows.of(
            units[np.flatnonzero(open_rows)],
            self.need[open_rows],
            self.cost,
            must[open_rows],
            np.array(worth, np.float64).reshape(len(worth), int(open_rows.sum())),
            np.array(amount, np.float64),
            (fixed, blocked, conflicts),
        )
        return rows, open_rows

    def solve(self, time_limit_s: float = 60.0, seed: int = 0, progress: Progress | None = None) -> Solution:
        """Solve; see `Solution`. Stops at the time limit or Ctrl-C with the best found and its bound."""
        start = time.perf_counter()
        rows, open_rows = self.as_rows()
        search = _Search(rows, progress)
        effort = Effort.within(time_limit_s)
        try:
            _ladder(search, effort, seed)
        except KeyboardInterrupt:
            search.ending = "interrupt"
        if effort.cut_short:
            search.ending = "time"
        return self._solution(search, open_rows, time.perf_counter() - start, seed)

    def _solution(self, search: _Search, open_rows: npt.NDArray[np.bool_], time_s: float, seed: int) -> Solution:
        order = in_build_order(search.rows, search.selected) if search.found else np.zeros(0, np.int32)
        verified = search.found and self.recounted(order, open_rows)
        objective = float(self.cost[order].sum()) if search.found else np.inf
        bound = min(search.bound, objective) if verified else search.bound
        gap = relative_gap(objective, bound)
        status: Status = "infeasible" if not verified else "feasible" if gap > 0 else "optimal"
        reason = ""
        if not verified:
            reason = (
                "the needs and rules contradict each other: no selection meets them all"
                if search.infeasible
                else "no selection that meets every need and rule was found in the time"
            )
        counted = {name: np.where(open_rows, values, 0.0) for name, values in self.measures.items()}
        return Solution(
            selected=order,
            marginal=self.marginal(order, counted),
            cost=self.cost[order],
            objective=objective,
            bound=bound,
            gap=gap,
            status=status,
            reason=reason,
            uncoverable_rows=np.flatnonzero((self.need > 0) & ~open_rows),
            verified=verified,
            time_s=time_s,
            seed=seed,
            totals={name: float(values.sum()) for name, values in counted.items()},
            ended_by="proof" if status == "optimal" or search.infeasible else search.ending,
        )

    def served(self, columns: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
        """Rows served well enough, those that were before included."""
        chosen = np.zeros(len(self.cost), np.int64)
        chosen[columns] = 1
        return np.asarray(np.asarray(self.units @ chosen).ravel() >= self.need, np.bool_)

    def recounted(self, columns: npt.NDArray[np.integer], open_rows: npt.NDArray[np.bool_]) -> bool:
        """Targets and rules recounted from the matrix, apart from the searches."""
        fixed, blocked, conflicts = apply_rules(self.rules, len(self.cost))
        if len(np.unique(columns)) != len(columns) or blocked[columns].any() or not np.isin(fixed, columns).all():
            return False
        if len(conflicts) and np.isin(conflicts, columns).all(axis=1).any():
            return False
        now, before = self.served(columns), self.need <= 0
        for name, share in self.targets.items():
            values = self.measures[name]
            if share >= 1.0 and not now[open_rows & (values > 0)].all():
                return False
            wanted = share * float(values[before | open_rows].sum())
            if float(values[now & (before | open_rows)].sum()) < wanted * (1 - 1e-9):
                return False
        return True

    def marginal(self, order: npt.NDArray[np.integer], measures: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        """Weight of each measure that every column newly serves well enough, in the order given."""
        units = sparse.csc_matrix(self.units)
        have = np.zeros(len(self.need), np.int64)
        gains = {name: np.zeros(len(order)) for name in measures}
        for position, column in enumerate(np.asarray(order).tolist()):
            part = slice(units.indptr[column], units.indptr[column + 1])
            rows = units.indices[part]
            missing = have[rows] < self.need[rows]
            have[rows] += units.data[part]
            fresh = rows[missing & (have[rows] >= self.need[rows])]
            for name, values in measures.items():
                gains[name][position] = values[fresh].sum()
        return gains


class _Search:
    """The running state of a solve."""

    def __init__(self, rows: JointRows, progress: Progress | None) -> None:
        self.rows, self.progress = rows, progress
        self.selected: IntArray = np.zeros(0, np.int32)
        self.found = self.infeasible = False
        self.bound = 0.0
        self.ending: Ending = "effort"

    def offer(self, given: npt.NDArray[np.integer]) -> bool:
        """Take a selection if it meets every need and rule and is cheaper; True if taken."""
        columns = np.unique(given).astype(np.int32)
        cheaper = not self.found or self.rows.cost[columns].sum() < self.rows.cost[self.selected].sum() - 1e-12
        if cheaper and self.rows.met(columns):
            self.selected, self.found = columns, True
            return True
        return False

    def prove(self, bound: float, stage: str) -> None:
        """Tighten the bound and tell."""
        self.bound = max(self.bound, round_up(bound, cost_step(self.rows.cost)))
        if self.progress is not None:
            self.progress(stage, float(self.rows.cost[self.selected].sum()) if self.found else np.inf, self.bound)

    @property
    def closed(self) -> bool:
        """Whether the best is proven best."""
        return self.found and relative_gap(float(self.rows.cost[self.selected].sum()), self.bound) == 0.0


def _ladder(search: _Search, effort: Effort, seed: int) -> None:
    """Greedy, linear relaxation, local search, branch and bound where the problem is small enough."""
    rows = search.rows
    first = greedy_joint(rows, rows.fixed)
    if first is not None:
        search.offer(prune_joint(rows, first))
    search.prove(float(rows.cost[rows.fixed].sum()), "greedy")
    small = rows.units.nnz <= SMALL_NONZEROS
    if not small and not search.closed:
        upper = float(rows.cost[search.selected].sum()) if search.found else float(rows.cost.sum())
        search.prove(relaxed_bound(rows, effort.slice(0.4), upper), "linear relaxation")
    if not small and search.found and not search.closed:
        improve_joint(rows, effort.slice(0.4), seed, lambda: search.selected, search.offer)
        search.prove(search.bound, "local search")
    if search.closed or rows.units.nnz > EXACT_NONZEROS:
        return
    start = search.selected if search.found else None
    share = BRANCH_SHARE_SMALL if small else BRANCH_SHARE
    chosen, bound, search.infeasible = solve_joint_exact(rows, effort.slice(share), seed, start)
    if chosen is not None:
        search.offer(chosen)
    search.prove(bound, "branch and bound")


def _check_probability(values: FloatArray, name: str) -> None:
    if len(values) and not ((values >= 0.0) & (values <= 1.0)).all():
        bad = values[~((values >= 0.0) & (values <= 1.0))][0]
        raise ParameterError(f"{name} has {bad}: probabilities are 0 to 1")


def _refuse(options: Mapping[str, Any], rules: Rules | None) -> None:
    """Say what joint coverage does not do, and what does."""
    known = {
        "cover_times": "several sites a row is SetCover's and TargetCover's cover_times",
        "groups": "floors by commune are TargetCover's",
        "group_floor": "floors by commune are TargetCover's",
        "budget": "a budget is MaximalCoverage's",
        "budgets": "years are RollOut's",
        "correlation": "shadowing is taken as independent from site to site",
    }
    for name in options:
        raise ParameterError(f"{name}: joint coverage has no such option; {known.get(name, 'see JointCover')}")
    if rules is not None and rules.site_of is not None:
        raise ParameterError(
            "rules.site_of: columns of one site share its shadowing, so they are not independent servers; "
            "offer one column a site, or make those of a site exclusive"
        )
