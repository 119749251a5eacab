"""The roll-out of a plan: which of its sites in which year, what each year costs and gains, and how good that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.optimize.candidates import WORK
from rfplan.optimize.planning import Plan, Totals, curve_table, site_table
from rfplan.optimize.rollout import MatrixRollOut, RollOutSolution
from rfplan.optimize.solution import Solution, marginal_gains, relative_gap

if TYPE_CHECKING:
    from rfplan.optimize.instance import Rules
    from rfplan.optimize.prepare import Prepared
    from rfplan.plan.bookkeeping import Progress
    from rfplan.scenario import RollOutSection, Scenario

MEASURES = {"people": "people", "area": "area_km2"}


@dataclass(frozen=True, eq=False)
class YearPlan:
    """A plan put into years.

    Attributes
    ----------
    years
        A row a year: ``year, budget, spent, sites, people_gained, km2_gained, cumulative_cost, people_percent,
        area_percent`` (of what lies on known terrain, at the year's end), ``bound_percent`` (of the measure: no choice
        among the candidates covers more for the budgets until then), ``reached_percent`` and ``milestone_percent`` (of
        what is covered already or can be covered, as milestones count), ``met, reason``.
    measure
        ``people`` or ``area``: what is put first, bounded, and counted by the milestones.
    before_percent
        Share of the measure covered before, of what lies on known terrain.
    left_out
        Sites of the plan for which no year had money.
    own_budget
        The budgets were not given but split from the plan's cost.
    whole_plan
        Every site of the target's plan is built; else the sites are the best found for the money.
    """

    years: pd.DataFrame
    measure: str
    before_percent: float
    left_out: pd.DataFrame
    own_budget: bool
    whole_plan: bool


def roll_out(
    scenario: Scenario, ready: Prepared, solved: Plan, rules: Rules, tell: Progress | None
) -> tuple[Plan, YearPlan | None]:
    """Put the chosen sites into years; where the money does not reach, choose anew what it buys.

    Parameters
    ----------
    scenario
        Its section ``rollout``; without one the plan comes back with the kind of work only.
    ready
        The predicted candidates.
    solved
        The plan that meets the target.
    rules
        Side conditions the sites were chosen under.
    tell
        Called with (stage, objective, bound).
    """
    section = scenario.rollout
    solved = replace(solved, sites=_with_work(solved.sites))
    if section is None or not len(solved.sites):
        return solved, None
    measure = MEASURES[section.measure]
    totals = ready.people if measure == "people" else ready.area
    selection = np.asarray(solved.solution.selected)
    given = section.yearly()
    problem = MatrixRollOut.from_matrix(
        ready.covers.matrix.to_csc(),
        ready.candidates.cost,
        weight=ready.measures[measure],
        budgets=even_budgets(_by_site(solved.solution, rules), section) if given is None else given,
        milestones=section.milestones,
        discount_rate=section.discount_rate,
        already=totals.before,
        carry_over=section.carry_over,
        rules=rules,
    )
    found = problem.schedule(selection, section.time_limit_s, scenario.solve.seed, tell)
    whole = len(found.selected) == len(selection)
    plan = solved
    if not whole:
        free = problem.solve(section.time_limit_s, scenario.solve.seed, tell)
        found = max((found, free), key=lambda s: (bool(s.years["met"].all()), s.objective))
        plan = ready.finish(_for_the_money(problem, found, ready, solved), solved.targets, tell, "coverage_rolled_out")
    order, year = _order(problem, found, ready)
    solution = replace(
        plan.solution,
        selected=order,
        marginal=marginal_gains(ready.covers.matrix, order, ready.required, ready.measures),
        cost=problem.paid(order),
    )
    sites = _with_work(site_table(ready.candidates, solution, ready.people, ready.area)).assign(year=year)
    table = year_table(sites, found, ready, totals)
    left_out = solved.sites[~solved.sites["site_id"].isin(sites["site_id"])].reset_index(drop=True)
    before = float(totals.percent(np.zeros(1))[0])
    years = YearPlan(table, section.measure, before, left_out, given is None, whole)
    curve = curve_table(solution, ready.people, ready.area)
    return replace(plan, sites=sites, solution=solution, curve=curve, years=table), years


def _by_site(solution: Solution, rules: Rules) -> npt.NDArray[np.float64]:
    """Cost of a selection, in one amount what shares an opening cost: whatever the years, no part of it costs more."""
    if rules.site_of is None:
        return solution.cost
    site = np.asarray(rules.site_of)[solution.selected]
    unit = np.where(site >= 0, site, site.max(initial=-1) + 1 + np.arange(len(site)))
    _, where = np.unique(unit, return_inverse=True)
    return np.asarray(np.bincount(where, weights=solution.cost), np.float64)


def even_budgets(cost: npt.NDArray[np.float64], section: RollOutSection) -> dict[int, float]:
    """The least equal budget a year that pays for sites of these costs."""
    share = float(cost.sum()) / len(section.years)
    if section.carry_over:
        return dict.fromkeys(section.years, share)
    low, high = max(share, float(cost.max())), float(cost.sum())
    if _packs(cost, low, len(section.years)):
        return dict.fromkeys(section.years, low)
    while high - low > 1e-6 * high:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if _packs(cost, middle, len(section.years)) else (middle, high)
    return dict.fromkeys(section.years, high)


def _packs(cost: npt.NDArray[np.float64], budget: float, years: int) -> bool:
    """Whether dearest-first fills that many equal years at most."""
    left = np.full(years, budget * (1 + 1e-9))
    for value in np.sort(cost)[::-1]:
        room = np.flatnonzero(left >= value)
        if not len(room):
            return False
        left[room[0]] -= value
    return True


def _with_work(sites: pd.DataFrame) -> pd.DataFrame:
    return sites.assign(work=sites["kind"].map(WORK).fillna("greenfield"))


def _for_the_money(problem: MatrixRollOut, found: RollOutSolution, ready: Prepared, solved: Plan) -> Solution:
    """The schedule as a budget problem's solution: what is covered in the end against the most the money can cover."""
    end = found.years.iloc[-1]
    bound = max(float(end["bound_percent"]) / 100.0 * problem.total, float(end["covered"]))
    money, needed = float(found.years["budget"].sum()), float(solved.solution.cost.sum())
    reason = f"the target needs {needed:g}, the budgets allow {money:g}: this is what they buy"
    return replace(
        found.as_solution(problem, ready.measures),
        objective=float(end["covered"]),
        bound=bound,
        gap=relative_gap(float(end["covered"]), bound),
        status="infeasible",
        reason="; ".join([reason, *(text for text in found.years["reason"] if text)]),
    )


def _order(
    problem: MatrixRollOut, found: RollOutSolution, ready: Prepared
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Year by year, within a year the most gain per cost first: first of the measure, then of people and area."""
    matrix = problem.matrix
    covered = np.zeros(matrix.shape[0], np.bool_)
    weights = (problem.weight, *ready.measures.values())
    order: list[int] = []
    for year in problem.budgets:
        waiting = np.sort(found.selected[found.year == year]).tolist()
        while waiting:
            keys = []
            for column in waiting:
                rows = matrix.col_rows[matrix.col_ptr[column] : matrix.col_ptr[column + 1]]
                fresh = rows[~covered[rows]]
                price = max(float(problem.cost[column]), 1e-12)
                keys.append((*(float(weight[fresh].sum()) / price for weight in weights), -column))
            best = max(range(len(waiting)), key=keys.__getitem__)
            column = waiting.pop(best)
            covered[matrix.col_rows[matrix.col_ptr[column] : matrix.col_ptr[column + 1]]] = True
            order.append(column)
    year_of = dict(zip(found.selected.tolist(), found.year.tolist(), strict=True))
    return np.array(order, np.int32), np.array([year_of[column] for column in order], np.int64)


def year_table(sites: pd.DataFrame, found: RollOutSolution, ready: Prepared, totals: Totals) -> pd.DataFrame:
    """A row a year; see `YearPlan`."""
    years = found.years
    by_year = sites.groupby("year")[["gained_people", "gained_km2"]].sum().reindex(years["year"], fill_value=0.0)
    reachable = totals.before + totals.coverable
    shares: Mapping[str, Any] = {
        "people_percent": ready.people.percent(np.cumsum(by_year["gained_people"].to_numpy(np.float64))),
        "area_percent": ready.area.percent(np.cumsum(by_year["gained_km2"].to_numpy(np.float64))),
        "bound_percent": years["bound_percent"] * reachable / totals.total if totals.total > 0 else 100.0,
    }
    return pd.DataFrame(
        {
            "year": years["year"],
            "budget": years["budget"],
            "spent": years["spent"],
            "sites": years["sites"],
            "people_gained": by_year["gained_people"].to_numpy(np.float64),
            "km2_gained": by_year["gained_km2"].to_numpy(np.float64),
            "cumulative_cost": np.cumsum(years["spent"]),
            **shares,
            "reached_percent": years["covered_percent"],
            "milestone_percent": years["milestone_percent"],
            "met": years["met"],
            "reason": years["reason"],
        }
    )
