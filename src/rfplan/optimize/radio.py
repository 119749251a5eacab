"""The site-choice problems on a map: full cover, target cover and budget from a predicted coverage and candidates."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rfplan.errors import ParameterError
from rfplan.optimize.candidates import Candidates
from rfplan.optimize.instance import Rules
from rfplan.optimize.planning import Plan
from rfplan.optimize.prepare import Prepared, prepare
from rfplan.optimize.problems import MatrixMaximalCoverage, MatrixSetCover, MatrixTargetCover
from rfplan.optimize.rollout import MatrixRollOut
from rfplan.optimize.solution import Solution

if TYPE_CHECKING:
    from rfplan.coverage import Coverage
    from rfplan.demand import Demand, DemandGrid
    from rfplan.io.memo import Memo

#: Called with (stage, steps done, steps in all) while predicting, and (stage, objective, bound) while solving.
PlanProgress = Callable[[str, float, float], None]


@dataclass(frozen=True, eq=False)
class OnMap:
    """What every problem on a map needs.

    Parameters
    ----------
    coverage : Coverage
        Prediction of the existing network; its model, receiver, service and radius are used for candidates too.
    demand : Demand or DemandGrid
        People and communes.
    candidates : Candidates
        Possible sites.
    threshold_dbm : float, optional
        Required RSRP, in place of the service's.
    rules : Rules, optional
        Fixed, forbidden, mutually exclusive and spaced candidates (by their row in the candidates' table).
    memory_cap_gb : float
        Most memory for the coverage matrix.
    """

    coverage: Coverage
    demand: Demand | DemandGrid
    candidates: Candidates
    threshold_dbm: float | None = None
    rules: Rules | None = None
    memory_cap_gb: float = 4.0

    def prepare(self, progress: PlanProgress | None = None, memo: Memo | None = None) -> Prepared:
        """Predict the candidates and build the coverage matrix; a `Prepared` can be solved many times.

        With a memo, this and what is solved from it are taken from there where they are known.
        """
        return prepare(
            self.coverage, self.demand, self.candidates, self.threshold_dbm, self.memory_cap_gb, progress, memo
        )

    def solve(
        self,
        time_limit_s: float = 60.0,
        seed: int = 0,
        progress: PlanProgress | None = None,
        *,
        prepared: Prepared | None = None,
    ) -> Plan:
        """Predict, choose and check.

        Parameters
        ----------
        time_limit_s : float
            For the choice itself; prediction before and after takes what it takes.
        seed : int
            Of the search.
        progress : callable, optional
            Called with (stage, a, b).
        prepared : Prepared, optional
            From `prepare` on the same problem, to solve again without predicting again.
        """
        ready = prepared if prepared is not None else self.prepare(progress)

        def work() -> tuple[dict[str, Any], dict[str, Any]]:
            return self._solve_matrix(ready, time_limit_s, seed, progress).to_state()

        own = {
            f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("coverage", "demand", "candidates")
        }
        memo = ready.memo.on(type(self).__name__, own, self.candidates.cost, time_limit_s, seed)
        start = time.perf_counter()
        found = memo.recall("choice", work)
        solution = Solution.from_state(found.about, found.arrays, time.perf_counter() - start)
        return ready.finish(solution, self._targets(), progress)

    def _solve_matrix(self, ready: Prepared, time_limit_s: float, seed: int, progress: PlanProgress | None) -> Solution:
        raise NotImplementedError

    def _targets(self) -> Mapping[str, float]:
        return {}


@dataclass(frozen=True, eq=False)
class SetCover(OnMap):
    """Cheapest sites that cover every pixel any candidate can cover. ``SetCover.from_matrix`` takes plain arrays."""

    from_matrix: ClassVar[Callable[..., MatrixSetCover]] = MatrixSetCover.from_matrix

    def _solve_matrix(self, ready: Prepared, time_limit_s: float, seed: int, progress: PlanProgress | None) -> Solution:
        problem = MatrixSetCover(
            ready.covers.matrix, self.candidates.cost, ready.measures, ready.required, self.rules or Rules()
        )
        return problem.solve(time_limit_s, seed, progress)

    def _targets(self) -> Mapping[str, float]:
        return {"area_km2": 1.0}


@dataclass(frozen=True, eq=False)
class TargetCover(OnMap):
    """Cheapest sites that reach a share of the coverable people, area or both.

    Parameters
    ----------
    population_target, area_target : float, optional
        Shares 0–1 of the people and area that are covered already or that candidates can cover. 1 means every such
        pixel. With neither, 0.999 of people.
    commune_population_floor : float, optional
        No commune with less than this share of its people (on known terrain) covered; where candidates cannot reach
        it, as much as they can is asked for and the plan says so.
    """

    population_target: float | None = None
    area_target: float | None = None
    commune_population_floor: float | None = None

    from_matrix: ClassVar[Callable[..., MatrixTargetCover]] = MatrixTargetCover.from_matrix

    def __post_init__(self) -> None:
        """Check the targets."""
        for name in ("population_target", "area_target", "commune_population_floor"):
            value = getattr(self, name)
            if value is not None and not 0.0 <= value <= 1.0:
                raise ParameterError(f"{name} = {value}: give a share between 0 and 1 (0.999 is 99.9 %)")

    def _targets(self) -> Mapping[str, float]:
        targets = {}
        if self.population_target is not None:
            targets["people"] = self.population_target
        if self.area_target is not None:
            targets["area_km2"] = self.area_target
        return targets or {"people": 0.999}

    def _solve_matrix(self, ready: Prepared, time_limit_s: float, seed: int, progress: PlanProgress | None) -> Solution:
        groups, floors = None, {}
        if self.commune_population_floor is not None:
            groups = ready.covers.commune
            floors = {"people": ready.commune_shortfall(self.commune_population_floor)}
        problem = MatrixTargetCover(
            ready.covers.matrix,
            self.candidates.cost,
            ready.measures,
            self._targets(),
            {"people": ready.people.before, "area_km2": ready.area.before},
            ready.required,
            groups,
            floors,
            self.rules or Rules(),
        )
        return problem.solve(time_limit_s, seed, progress)


@dataclass(frozen=True, eq=False)
class MaximalCoverage(OnMap):
    """Most people (or area) covered under a budget.

    Parameters
    ----------
    budget : float
        Total cost allowed, in the unit of the candidates' costs.
    maximise : str
        ``people`` or ``area_km2``.
    """

    budget: float = field(default=0.0)
    maximise: str = "people"

    from_matrix: ClassVar[Callable[..., MatrixMaximalCoverage]] = MatrixMaximalCoverage.from_matrix

    def __post_init__(self) -> None:
        """Check the budget and the measure."""
        if not (np.isfinite(self.budget) and self.budget >= 0):
            raise ParameterError(f"budget = {self.budget}: give a finite amount >= 0 in the candidates' unit of cost")
        if self.maximise not in ("people", "area_km2"):
            raise ParameterError(f"maximise = {self.maximise!r}: allowed are 'people' and 'area_km2'")

    def _solve_matrix(self, ready: Prepared, time_limit_s: float, seed: int, progress: PlanProgress | None) -> Solution:
        problem = MatrixMaximalCoverage(
            ready.covers.matrix,
            self.candidates.cost,
            ready.measures[self.maximise],
            ready.measures,
            float(self.budget),
            ready.required,
            self.rules or Rules(),
        )
        return problem.solve(time_limit_s, seed, progress)


@dataclass(frozen=True, eq=False)
class RollOut(OnMap):
    """Which sites in which year: a budget a year, sites stay, milestones on the way.

    Parameters
    ----------
    budgets : mapping of year to cost
        Cost allowed in each year.
    milestones : mapping of year to share
        Share 0–1 of the people (or area) covered already or coverable, to be reached by the end of the year.
    maximise : str
        ``people`` or ``area_km2``: what the milestones and the discounted sum count.
    discount_rate : float
        Worth of a year's cover against the year before: 0.05 is 5 % less.
    carry_over : bool
        Whether money left of a year may be spent later.
    """

    budgets: Mapping[int, float] = field(default_factory=dict)
    milestones: Mapping[int, float] = field(default_factory=dict)
    maximise: str = "people"
    discount_rate: float = 0.0
    carry_over: bool = False

    from_matrix: ClassVar[Callable[..., MatrixRollOut]] = MatrixRollOut.from_matrix

    def __post_init__(self) -> None:
        """Check the measure."""
        if self.maximise not in ("people", "area_km2"):
            raise ParameterError(f"maximise = {self.maximise!r}: allowed are 'people' and 'area_km2'")

    def solve(
        self,
        time_limit_s: float = 60.0,
        seed: int = 0,
        progress: PlanProgress | None = None,
        *,
        prepared: Prepared | None = None,
    ) -> Plan:
        """Predict, schedule and check; the plan's sites have a ``year`` and its ``years`` a row a year."""
        ready = prepared if prepared is not None else self.prepare(progress)
        totals = ready.people if self.maximise == "people" else ready.area
        problem = MatrixRollOut.from_matrix(
            ready.covers.matrix.to_csc(),
            self.candidates.cost,
            weight=ready.measures[self.maximise],
            budgets=self.budgets,
            milestones=self.milestones,
            rules=self.rules,
            discount_rate=self.discount_rate,
            already=totals.before,
            carry_over=self.carry_over,
        )
        schedule = problem.solve(time_limit_s, seed, progress)
        plan = ready.finish(schedule.as_solution(problem, ready.measures), {self.maximise: 1.0}, progress)
        return replace(plan, sites=plan.sites.assign(year=schedule.year), years=schedule.years)


def problem_rules(candidates: Candidates, spacing_m: float | None = None, **rules: Any) -> Rules:
    """Rules for these candidates; `spacing_m` uses their positions."""
    positions = candidates.table[["x_m", "y_m"]].to_numpy(np.float64)
    return Rules(spacing_m=spacing_m, positions_m=positions if spacing_m is not None else None, **rules)
