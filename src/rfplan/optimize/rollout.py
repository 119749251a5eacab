"""Roll-out over years: which sites in which year, under a budget a year, with milestones on the way."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.errors import ParameterError
from rfplan.optimize.greedy import build_order
from rfplan.optimize.instance import CoverMatrix, FloatArray, IntArray, Rules, check_cost, check_weights
from rfplan.optimize.openings import SiteCosts
from rfplan.optimize.problems import MatrixMaximalCoverage, MatrixTargetCover, check_required
from rfplan.optimize.rollout_exact import solve_years_exactly
from rfplan.optimize.solution import Progress, Solution, Status, marginal_gains, relative_gap


@dataclass(frozen=True)
class RollOutSolution:
    """A schedule and its proof.

    Attributes
    ----------
    selected, year
        int32 columns and the year each is built, in build order.
    years
        A row a year: ``year, budget, spent, sites, covered, covered_percent, bound_percent, milestone_percent, met``
        and the ``reason`` where a milestone is not met.
        Percentages are of what is covered already or can be covered.
    objective
        Discounted sum over the years of the weight covered at each year's end (weight-years), gained by the schedule.
    bound, gap
        No schedule exceeds the bound; relative distance.
    status
        ``optimal``, ``feasible``, or ``infeasible`` when a milestone is missed: the schedule is then the nearest found.
    reason
        For each missed milestone: whether it is proven out of reach, what is reached, when it is met, what it costs.
    """

    selected: IntArray
    year: npt.NDArray[np.int64]
    years: pd.DataFrame
    objective: float
    bound: float
    gap: float
    status: Status
    reason: str
    time_s: float
    seed: int

    def as_solution(self, problem: MatrixRollOut, measures: Mapping[str, FloatArray]) -> Solution:
        """The schedule as a `Solution` in build order, its cover recounted from the matrix."""
        matrix = problem.matrix
        indicator = np.zeros(matrix.shape[1])
        indicator[self.selected] = 1.0
        covered = matrix.to_csc() @ indicator >= problem.required
        last = float(self.years["covered"].iloc[-1])
        agrees = abs(problem.already + float(problem.weight[covered].sum()) - last) <= 1e-9 * max(1.0, last)
        affordable = problem.affordable(self._recounted_spent(problem))
        coverable = np.diff(matrix.row_ptr) >= problem.required
        return Solution(
            selected=self.selected,
            marginal=marginal_gains(matrix, self.selected, problem.required, measures),
            cost=problem.paid(self.selected),
            objective=self.objective,
            bound=self.bound,
            gap=self.gap,
            status=self.status,
            reason=self.reason,
            uncoverable_rows=np.flatnonzero(~coverable),
            verified=bool(agrees and affordable),
            time_s=self.time_s,
            seed=self.seed,
            totals={name: float(values[coverable].sum()) for name, values in measures.items()},
        )

    def _recounted_spent(self, problem: MatrixRollOut) -> FloatArray:
        """What each year costs, counted column by column: a site's opening in the first year that builds on it."""
        rules = problem.rules
        spent = dict.fromkeys(problem.budgets, 0.0)
        opened = {-1}
        for column, year in sorted(
            zip(self.selected.tolist(), self.year.tolist(), strict=True), key=lambda pair: pair[1]
        ):
            site = -1 if rules.site_of is None else int(rules.site_of[column])
            spent[year] += float(problem.cost[column])
            if site not in opened:
                opened.add(site)
                spent[year] += float(np.ravel(rules.opening_cost)[site if np.ndim(rules.opening_cost) else 0])
        return np.array(list(spent.values()))


@dataclass(frozen=True)
class MatrixRollOut:
    """Budget a year, sites stay once built. Made by ``RollOut.from_matrix``."""

    matrix: CoverMatrix
    cost: FloatArray
    weight: FloatArray
    required: IntArray
    budgets: Mapping[int, float]
    milestones: Mapping[int, float] = field(default_factory=dict)
    discount_rate: float = 0.0
    already: float = 0.0
    carry_over: bool = False
    rules: Rules = field(default_factory=Rules)

    @classmethod
    def from_matrix(
        cls,
        covers: Any,
        cost: Any = 1.0,
        *,
        weight: Any = None,
        budgets: Mapping[int, float],
        milestones: Mapping[int, float] | None = None,
        cover_times: Any = 1,
        rules: Rules | None = None,
        **options: Any,
    ) -> MatrixRollOut:
        """From demand rows × candidate columns.

        Parameters
        ----------
        covers, cost, weight, cover_times, rules
            As for ``MaximalCoverage.from_matrix``; rows that the same columns cover are merged for the search. The
            opening cost of a site is paid in the first year that builds any of its columns.
        budgets
            Cost allowed in each year, such as ``{2025: 10.0, 2026: 12.0}``.
        milestones
            Share 0–1 to be covered by the end of a year, of what is covered already or can be covered.
        **options
            ``discount_rate`` a year (0.05 is 5 %), ``already`` weight covered before, ``carry_over`` of unspent budget.
        """
        matrix = CoverMatrix.from_sparse(covers)
        m, n = matrix.shape
        milestones = dict(milestones or {})
        if not budgets:
            raise ParameterError("budgets is empty: give a budget for each year, such as {2025: 10.0, 2026: 10.0}")
        for year, amount in budgets.items():
            if not (np.isfinite(amount) and amount >= 0):
                raise ParameterError(f"budget of {year} = {amount}: give a finite amount >= 0 in the unit of cost")
        for year, share in milestones.items():
            if year not in budgets:
                raise ParameterError(
                    f"milestone of {year}: there is no budget for that year, only for {sorted(budgets)}"
                )
            if not 0.0 <= share <= 1.0:
                raise ParameterError(f"milestone of {year} = {share}: give a share between 0 and 1")
        first = next(iter(check_weights(weight, m).values()))
        rules = rules or Rules()
        if rules.site_of is not None:
            SiteCosts.checked(rules.site_of, rules.opening_cost, n)
        return cls(
            matrix,
            check_cost(cost, n),
            first,
            check_required(cover_times, m),
            {year: float(budgets[year]) for year in sorted(budgets)},
            {year: milestones[year] for year in sorted(milestones)},
            rules=rules,
            **options,
        )

    @property
    def total(self) -> float:
        """Weight covered already or coverable by permitted columns."""
        permitted = np.setdiff1d(np.arange(self.matrix.shape[1]), self.rules.forbidden)
        return self.already + float(self.weight[self.matrix.rows_covered(permitted) >= self.required].sum())

    @property
    def sites(self) -> SiteCosts | None:
        """What opening a site costs; None where the rules name no sites."""
        if self.rules.site_of is None:
            return None
        return SiteCosts.checked(self.rules.site_of, self.rules.opening_cost, self.matrix.shape[1])

    def paid(self, columns: npt.NDArray[np.integer]) -> FloatArray:
        """What each column costs when built in this order: the first on a site pays for opening it."""
        sites = self.sites
        own: FloatArray = self.cost[columns]
        return own if sites is None else own + sites.in_order(columns)

    def spent(self, plan: Mapping[int, list[int]]) -> FloatArray:
        """What each year costs."""
        order = np.array([column for year in self.budgets for column in plan.get(year, [])], np.int64)
        position = np.repeat(np.arange(len(self.budgets)), [len(plan.get(year, [])) for year in self.budgets])
        return np.asarray(np.bincount(position, self.paid(order), len(self.budgets)), np.float64)

    def affordable(self, spent: FloatArray) -> bool:
        """Whether the budgets allow these costs by year."""
        money = np.array(list(self.budgets.values()))
        if self.carry_over:
            spent, money = np.cumsum(spent), np.cumsum(money)
        return bool((spent <= money * (1 + 1e-9)).all())

    @property
    def discount(self) -> FloatArray:
        """Worth of each year's end against the first's."""
        return np.asarray((1.0 + self.discount_rate) ** -np.arange(len(self.budgets), dtype=np.float64))

    def solve(self, time_limit_s: float = 60.0, seed: int = 0, progress: Progress | None = None) -> RollOutSolution:
        """Schedule; see `RollOutSolution`. Small problems are solved exactly, others by years with a bound a year."""
        start = time.perf_counter()
        merged = self.merged()
        if merged.matrix.shape[0] < self.matrix.shape[0]:
            return merged.solve(time_limit_s, seed, progress)
        options = [self._year_by_year(time_limit_s * 0.25, seed)]
        limits, last = self._yearly_bounds(time_limit_s * 0.5, seed, progress)
        options.append(self._schedule(last))
        if self.milestones:
            options += [self._schedule(self._cheapest_for(year, time_limit_s * 0.1, seed)) for year in self.milestones]
        exact_bound = np.inf
        if self._fits_exact_model():
            left = 0.25 * time_limit_s  # a fixed share: what is left on the clock would differ from run to run
            found, exact_bound, possible = solve_years_exactly(self, left, seed)
            if found is not None:
                options.append(found)
            if not possible:
                exact_bound = np.inf
        best = max(options, key=lambda plan: (-self._missed(plan), self._value(plan)))
        bound = min(float(self.discount @ (limits - self.already)), exact_bound)
        return self._solution(best, limits, bound, time.perf_counter() - start, seed)

    def covered_by_year(self, plan: Mapping[int, list[int]]) -> FloatArray:
        """Weight covered at each year's end, what was covered before included."""
        count = np.zeros(self.matrix.shape[0], np.int32)
        reached = []
        for year in self.budgets:
            count += self.matrix.rows_covered(plan.get(year, []))
            reached.append(self.already + float(self.weight[count >= self.required].sum()))
        return np.array(reached)

    def merged(self) -> MatrixRollOut:
        """The same problem with one row for all rows that count, that the same columns cover, as often required."""
        matrix = self.matrix
        useful = np.flatnonzero((self.weight > 0) & (np.diff(matrix.row_ptr) >= self.required))
        groups: dict[tuple[int, bytes], int] = {}
        where = np.array(
            [
                groups.setdefault(
                    (int(self.required[i]), matrix.row_cols[matrix.row_ptr[i] : matrix.row_ptr[i + 1]].tobytes()),
                    len(groups),
                )
                for i in useful
            ],
            np.int64,
        )
        _, first = np.unique(where, return_index=True)
        rows = useful[first]
        return replace(
            self,
            matrix=matrix.take(rows=rows),
            weight=np.asarray(np.bincount(where, weights=self.weight[useful], minlength=len(rows)), np.float64),
            required=self.required[rows],
        )

    def schedule(
        self,
        selection: npt.NDArray[np.integer],
        time_limit_s: float = 10.0,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> RollOutSolution:
        """Put a selection that is settled already into years; what no year can pay for is left out.

        The bounds, and what is said of missed milestones, are over all columns: no other selection could be faster
        than ``bound_percent`` for the same money.

        Parameters
        ----------
        selection
            Columns to build, each once.
        time_limit_s, seed, progress
            As for `solve`.
        """
        start = time.perf_counter()
        whole = self.merged()
        columns = np.unique(np.asarray(selection, np.int64))
        small = replace(
            whole,
            matrix=whole.matrix.take(columns=columns),
            cost=self.cost[columns],
            rules=Rules(
                fixed=tuple(np.flatnonzero(np.isin(columns, self.rules.fixed)).tolist()),
                site_of=None if self.rules.site_of is None else np.asarray(self.rules.site_of)[columns],
                opening_cost=self.rules.opening_cost,
            ),
        ).merged()
        scale = whole.total / max(small.total, 1e-300)
        small = replace(small, milestones={year: share * scale for year, share in self.milestones.items()})
        options = [small._year_by_year(time_limit_s * 0.2, seed), small._schedule(np.arange(len(columns)))]
        if small._fits_exact_model():
            found, _, _ = solve_years_exactly(small, time_limit_s * 0.3, seed)
            options += [] if found is None else [found]
        options = [small._completed(plan) for plan in options]
        limits, _ = whole._yearly_bounds(time_limit_s * 0.5, seed, progress)
        best = max(
            options,
            key=lambda plan: (sum(map(len, plan.values())), -whole._missed(_named(plan, columns)), small._value(plan)),
        )
        bound = float(self.discount @ (limits - self.already))
        return whole._solution(_named(best, columns), limits, bound, time.perf_counter() - start, seed)

    def _fits_exact_model(self) -> bool:
        count = len(self.budgets)
        return self.matrix.shape[0] * count <= 4000 and self.matrix.nnz * count <= 40_000

    def _completed(self, plan: Mapping[int, list[int]]) -> dict[int, list[int]]:
        """The plan with every column that is not in it yet put where money is left, early years first."""
        out = {year: list(plan.get(year, [])) for year in self.budgets}
        built = {column for columns in out.values() for column in columns}
        for column in (c for c in range(len(self.cost)) if c not in built):
            for year in self.budgets:
                trial = {**out, year: [*out[year], column]}
                if self.affordable(self.spent(trial)):
                    out = trial
                    break
        return out

    def _value(self, plan: Mapping[int, list[int]]) -> float:
        return float(self.discount @ (self.covered_by_year(plan) - self.already))

    def _missed(self, plan: Mapping[int, list[int]]) -> float:
        """Sum of what the milestones lack, as a share of the total."""
        reached = dict(zip(self.budgets, self.covered_by_year(plan), strict=True))
        total = max(self.total, 1e-300)
        lack = [max(0.0, share - reached[year] / total) for year, share in self.milestones.items()]
        return float(sum(value for value in lack if value > 1e-9))

    def _year_by_year(self, time_limit_s: float, seed: int) -> dict[int, list[int]]:
        """Each year as much as its budget buys, given the years before."""
        built: list[int] = list(self.rules.fixed)
        plan: dict[int, list[int]] = {}
        purse = 0.0
        for position, (year, budget) in enumerate(self.budgets.items()):
            purse = budget + (purse if self.carry_over else 0.0)
            mandatory = self.rules.fixed if position == 0 else ()
            spent = self._total(built) if position else 0.0
            if self._total(mandatory) > purse:
                raise ParameterError(f"the fixed columns cost more than the budget of {year}: {purse:g}")
            solution = self._budget_problem(spent + purse, tuple(built)).solve(time_limit_s / len(self.budgets), seed)
            fresh = [int(c) for c in solution.selected if c not in built]
            plan[year] = [*mandatory, *fresh]
            built += fresh
            purse -= self._total(built) - spent
        return plan

    def _total(self, columns: Sequence[int]) -> float:
        return float(self.paid(np.asarray(columns, np.int64)).sum())

    def _budget_problem(self, budget: float, fixed: tuple[int, ...]) -> MatrixMaximalCoverage:
        rules = replace(self.rules, fixed=fixed)
        measures = {"weight": self.weight}
        return MatrixMaximalCoverage(self.matrix, self.cost, self.weight, measures, budget, self.required, rules)

    def _yearly_bounds(
        self, time_limit_s: float, seed: int, progress: Progress | None
    ) -> tuple[FloatArray, npt.NDArray[np.integer]]:
        """The most any schedule covers by each year's end, and the best selection for all the money."""
        limits, purse = [], 0.0
        selected: npt.NDArray[np.integer] = np.zeros(0, np.int32)
        for year, budget in self.budgets.items():
            purse += budget
            solution = self._budget_problem(purse, self.rules.fixed).solve(time_limit_s / len(self.budgets), seed)
            limits.append(self.already + solution.bound)
            selected = solution.selected
            if progress is not None:
                progress(f"bound {year}", self.already + solution.objective, limits[-1])
        return np.array(limits), selected

    def _cheapest_for(self, year: int, time_limit_s: float, seed: int) -> npt.NDArray[np.integer]:
        """The cheapest selection that meets a year's milestone."""
        problem = MatrixTargetCover(
            self.matrix,
            self.cost,
            {"weight": self.weight},
            {"weight": self.milestones[year]},
            {"weight": self.already},
            self.required,
            rules=self.rules,
        )
        return problem.solve(max(0.5, time_limit_s), seed).selected

    def _schedule(self, selection: npt.NDArray[np.integer]) -> dict[int, list[int]]:
        """The selection put into years, the most gain per cost first; what is left of the money goes year by year."""
        problem = self._budget_problem(np.inf, self.rules.fixed)
        instance = problem.as_instance()
        ordered = build_order(instance, np.unique(selection)).tolist()
        waiting = [*self.rules.fixed, *(c for c in ordered if c not in self.rules.fixed)]
        banned = set(self.rules.forbidden)
        plan: dict[int, list[int]] = {}
        purse = 0.0
        sites = self.sites
        opened = {-1}
        for year, budget in self.budgets.items():
            purse = budget + (purse if self.carry_over else 0.0)
            plan[year] = []
            for column in list(waiting):
                site = -1 if sites is None else int(sites.site_of[column])
                price = float(self.cost[column]) + (0.0 if sites is None or site in opened else float(sites.cost[site]))
                if price <= purse * (1 + 1e-9) and column not in banned:
                    plan[year].append(column)
                    waiting.remove(column)
                    opened.add(site)
                    purse -= price
        return plan

    def _solution(
        self, plan: Mapping[int, list[int]], limits: FloatArray, bound: float, time_s: float, seed: int
    ) -> RollOutSolution:
        reached = self.covered_by_year(plan)
        total = max(self.total, 1e-300)
        spent = self.spent(plan)
        table = pd.DataFrame(
            {
                "year": list(self.budgets),
                "budget": list(self.budgets.values()),
                "spent": spent,
                "sites": [len(plan.get(year, [])) for year in self.budgets],
                "covered": reached,
                "covered_percent": 100.0 * reached / total,
                "bound_percent": 100.0 * np.minimum(limits / total, 1.0),
                "milestone_percent": [100.0 * self.milestones.get(year, np.nan) for year in self.budgets],
            }
        )
        table["met"] = ~(table["covered_percent"] < table["milestone_percent"] - 1e-7)
        objective = self._value(plan)
        bound = max(bound, objective)
        missed = table[~table["met"]]
        reasons = [self._why(row, table) for _, row in missed.iterrows()]
        table["reason"] = pd.Series(reasons, index=missed.index, dtype=object).reindex(table.index, fill_value="")
        gap = relative_gap(objective, bound)
        return RollOutSolution(
            selected=np.array([c for year in self.budgets for c in plan.get(year, [])], np.int32),
            year=np.array([year for year in self.budgets for _ in plan.get(year, [])], np.int64),
            years=table,
            objective=objective,
            bound=bound,
            gap=gap,
            status="infeasible" if reasons else "optimal" if gap == 0 else "feasible",
            reason="; ".join(reasons),
            time_s=time_s,
            seed=seed,
        )

    def _why(self, row: Any, table: pd.DataFrame) -> str:
        """Why a milestone is missed and what would be near."""
        year, asked = int(row["year"]), float(row["milestone_percent"])
        proven = float(row["bound_percent"]) < asked - 1e-7
        words = f"{year}: {asked:.4g} % asked, {row['covered_percent']:.4g} % reached"
        words += (
            f"; out of reach: no schedule covers more than {row['bound_percent']:.4g} % for the money until then"
            if proven
            else "; not found, though not proven out of reach"
        )
        later = table[(table["year"] > year) & (table["covered_percent"] >= asked - 1e-7)]
        words += f"; nearest feasible: by {int(later['year'].iloc[0])}" if len(later) else ""
        cheapest = float(self.paid(self._cheapest_for(year, 5.0, 0)).sum())
        have = float(table.loc[table["year"] <= year, "budget"].sum())
        return words + f"; a selection that meets it costs {cheapest:.4g} against {have:.4g} budgeted until then"


def _named(plan: Mapping[int, list[int]], columns: npt.NDArray[np.int64]) -> dict[int, list[int]]:
    """The plan with the columns' own numbers in place of their positions."""
    return {year: columns[chosen].tolist() for year, chosen in plan.items()}
