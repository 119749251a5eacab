"""Roll-outs whose sites cost something in the first year that builds on them, against trying every schedule."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from rfplan.optimize.instance import Rules
from rfplan.optimize.rollout import MatrixRollOut

N, YEARS = 6, (2025, 2026, 2027)


def instance(seed):
    """Covers, cost, people, rules, budgets, milestones and carry-over of a small roll-out; every rule in turn."""
    rng = np.random.default_rng(seed)
    covers = rng.random((14, N)) < 0.35
    if seed % 4 == 0:  # the second column of a site covers more than the first: cheap now, better later
        covers[:, 1] |= covers[:, 0]
    cost = rng.integers(0, 4, N).astype(float) + (seed % 2) * rng.random(N)
    people = rng.integers(1, 20, 14).astype(float)
    site_of = rng.integers(-1, 3, N)
    site_of[:2] = 0
    side = [
        {},
        {"fixed": (int(rng.integers(N)),)},
        {"forbidden": tuple(rng.choice(N, 2, replace=False).tolist())},
        {"exclusive": (tuple(rng.choice(N, 3, replace=False).tolist()),)},
        {"exclusive": tuple(tuple(np.flatnonzero(site_of == s).tolist()) for s in range(3))},
    ][seed % 5]
    rules = Rules(site_of=site_of, opening_cost=rng.integers(0, 6, 3).astype(float), **side)
    first = 9.0 if "fixed" in side else float(rng.integers(3, 8))
    budgets = dict(zip(YEARS, [first, float(rng.integers(2, 7)), float(rng.integers(1, 7))], strict=True))
    milestones = [{}, {2026: 0.4}, {2025: 0.5, 2027: 0.8}][seed % 3]
    return covers, cost, people, rules, budgets, milestones, seed % 2 == 0


def yearly(when, cost, rules):
    """What each year costs, a site's opening when its first column is built; written down anew."""
    spent = []
    for t in range(len(YEARS)):
        sites_now = {int(rules.site_of[j]) for j in range(len(cost)) if when[j] == t} - {-1}
        sites_before = {int(rules.site_of[j]) for j in range(len(cost)) if when[j] < t}
        openings = sum(rules.opening_cost[site] for site in sites_now - sites_before)
        spent.append(sum(cost[j] for j in range(len(cost)) if when[j] == t) + openings)
    return np.array(spent)


def within(spent, budgets, carry):
    money = np.array(list(budgets.values()))
    return (np.cumsum(spent) <= np.cumsum(money) + 1e-9).all() if carry else (spent <= money + 1e-9).all()


def schedules(cost, rules, budgets, carry, columns=range(N)):
    """Every permitted and affordable schedule: the year of each column, len(YEARS) for never."""
    pairs = rules.conflict_pairs(len(cost)).tolist()
    for years in itertools.product(range(len(YEARS) + 1), repeat=len(columns)):
        when = np.full(len(cost), len(YEARS))
        when[list(columns)] = years
        built = when < len(YEARS)
        if any(when[j] != 0 for j in rules.fixed) or any(built[j] for j in rules.forbidden):
            continue
        if any(built[a] and built[b] for a, b in pairs):
            continue
        if within(yearly(when, cost, rules), budgets, carry):
            yield when


def reached(when, covers, people):
    return np.array([people[covers[:, when <= t].any(axis=1)].sum() for t in range(len(YEARS))])


def best_of(covers, cost, people, rules, budgets, milestones, carry, **more):
    """Best value of any schedule, and the most any covers by each year's end."""
    allowed = np.setdiff1d(np.arange(N), rules.forbidden)
    total = people[covers[:, allowed].any(axis=1)].sum()
    best, most = None, np.zeros(len(YEARS))
    for when in schedules(cost, rules, budgets, carry, **more):
        got = reached(when, covers, people)
        most = np.maximum(most, got)
        if all(got[YEARS.index(year)] >= share * total - 1e-6 for year, share in milestones.items()):
            best = got.sum() if best is None else max(best, got.sum())
    return best, most, total


def holds(solution, problem, cost, rules, budgets, carry):
    """What a schedule promises, recounted."""
    when = np.full(N, len(YEARS))
    when[solution.selected] = [YEARS.index(year) for year in solution.year]
    spent = yearly(when, cost, rules)
    np.testing.assert_allclose(solution.years["spent"], spent)
    assert within(spent, budgets, carry)
    np.testing.assert_allclose(solution.years["covered"], reached(when, problem.to_dense(), problem.weight))
    return when


class Dense:
    """The naive side of a problem."""

    def __init__(self, covers, people):
        self.covers, self.weight = covers, people

    def to_dense(self):
        return self.covers


@pytest.mark.parametrize("seed", range(60))
def test_schedules_are_the_best_there_are(seed):
    covers, cost, people, rules, budgets, milestones, carry = instance(seed)
    best, most, total = best_of(covers, cost, people, rules, budgets, milestones, carry)
    problem = MatrixRollOut.from_matrix(
        covers, cost, weight=people, budgets=budgets, milestones=milestones, carry_over=carry, rules=rules
    )
    solution = problem.solve(20)
    holds(solution, Dense(covers, people), cost, rules, budgets, carry)
    assert (solution.years["bound_percent"] >= 100 * most / total - 1e-6).all()
    plain = solution.as_solution(problem, {"weight": people})
    assert plain.verified
    assert plain.cost.sum() == pytest.approx(solution.years["spent"].sum())
    if best is None:
        assert solution.status == "infeasible"
    else:
        assert solution.status == "optimal"
        assert solution.objective == pytest.approx(best)


@pytest.mark.parametrize("seed", range(40))
def test_bounds_hold_where_the_exact_model_is_too_large(seed, monkeypatch):
    monkeypatch.setattr(MatrixRollOut, "_fits_exact_model", lambda _: False)
    covers, cost, people, rules, budgets, _, carry = instance(seed + 100)
    best, most, total = best_of(covers, cost, people, rules, budgets, {}, carry)
    solution = MatrixRollOut.from_matrix(
        covers, cost, weight=people, budgets=budgets, carry_over=carry, rules=rules
    ).solve(20)
    holds(solution, Dense(covers, people), cost, rules, budgets, carry)
    assert solution.objective <= best + 1e-6 <= solution.bound + 2e-6
    assert (solution.years["bound_percent"] >= 100 * most / total - 1e-6).all()


@pytest.mark.parametrize("seed", range(24))
def test_a_settled_selection_is_put_into_years(seed):
    covers, cost, people, rules, budgets, _, carry = instance(5 * seed)  # rules without fixed or excluded columns
    selection = np.flatnonzero(np.random.default_rng(seed).random(N) < 0.7)
    problem = MatrixRollOut.from_matrix(covers, cost, weight=people, budgets=budgets, carry_over=carry, rules=rules)
    found = problem.schedule(selection, 20)
    holds(found, Dense(covers, people), cost, rules, budgets, carry)
    assert set(found.selected.tolist()) <= set(selection.tolist())
    _, most, total = best_of(covers, cost, people, rules, budgets, {}, carry)
    assert (found.years["bound_percent"] >= 100 * most / total - 1e-6).all()
    affordable = [
        (np.sum(when < len(YEARS)), reached(when, covers, people).sum())
        for when in schedules(cost, rules, budgets, carry, columns=selection.tolist())
    ]
    count = len(found.selected)
    assert count <= max(size for size, _ in affordable)
    assert found.objective <= max(value for size, value in affordable if size >= count) + 1e-6


def test_the_lesser_band_may_come_first_and_the_opening_is_paid_then():
    # Column 1 covers all that column 0 does: no selection needs both, but a schedule does.
    covers = np.array([[1, 1], [0, 1]], bool)
    rules = Rules(site_of=np.array([0, 0]), opening_cost=4.0)
    problem = MatrixRollOut.from_matrix(
        covers, [1.0, 3.0], weight=[10.0, 1.0], budgets={2025: 5.0, 2026: 3.0}, rules=rules
    )
    solution = problem.solve(5)
    assert solution.selected.tolist() == [0, 1]
    assert solution.year.tolist() == [2025, 2026]
    assert solution.years["spent"].tolist() == [5.0, 3.0]
    assert (solution.status, solution.objective) == ("optimal", 21.0)
    assert solution.as_solution(problem, {}).cost.tolist() == [5.0, 3.0]


def test_no_opening_cost_changes_nothing_and_a_site_apiece_is_a_plain_cost():
    rng = np.random.default_rng(2)
    covers, cost, people = rng.random((30, 8)) < 0.3, rng.integers(1, 5, 8).astype(float), rng.integers(1, 9, 30) + 0.0
    budgets, opening = {2025: 9.0, 2026: 9.0}, rng.integers(1, 4, 8).astype(float)

    def objective(cost, rules):
        found = MatrixRollOut.from_matrix(covers, cost, weight=people, budgets=budgets, rules=rules).solve(10)
        return found.objective, found.bound

    assert objective(cost, Rules(site_of=np.arange(8) // 2)) == pytest.approx(objective(cost, Rules()))
    apiece = Rules(site_of=np.arange(8), opening_cost=opening)
    assert objective(cost, apiece) == pytest.approx(objective(cost + opening, Rules()))


def test_a_larger_roll_out_pays_less_for_sharing_and_keeps_its_bound():
    rng = np.random.default_rng(7)
    covers = rng.random((1500, 90)) < 0.03
    people = rng.integers(1, 9, 1500).astype(float)
    cost, opening = rng.integers(1, 4, 90).astype(float), rng.integers(2, 7, 30).astype(float)
    rules = Rules(site_of=np.arange(90) // 3, opening_cost=opening)
    budgets = dict.fromkeys(range(2025, 2029), 15.0)
    problem = MatrixRollOut.from_matrix(covers, cost, weight=people, budgets=budgets, rules=rules)
    found = problem.solve(6)
    assert found.as_solution(problem, {"weight": people}).verified
    assert (found.years["spent"] <= 15.0 + 1e-9).all()
    assert (found.years["covered_percent"] <= found.years["bound_percent"] + 1e-6).all()
    assert found.gap < 0.5
    blind = MatrixRollOut.from_matrix(covers, cost + opening[np.arange(90) // 3], weight=people, budgets=budgets)
    assert found.objective > blind.solve(6).objective
