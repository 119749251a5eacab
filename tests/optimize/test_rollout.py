from __future__ import annotations

import itertools

import numpy as np
import pytest

from rfplan.errors import ParameterError
from rfplan.optimize.instance import Rules
from rfplan.optimize.rollout import MatrixRollOut


def small(seed, m=14, n=6):
    rng = np.random.default_rng(seed)
    return rng.random((m, n)) < 0.35, rng.integers(1, 5, n).astype(float), rng.integers(1, 20, m).astype(float)


def brute(covers, cost, people, budgets, milestones, rate, carry):
    """Best value over every year (or never) of every column that keeps budgets and milestones, or None."""
    years = sorted(budgets)
    total = people[covers.any(axis=1)].sum()
    best = None
    for when in itertools.product(range(len(years) + 1), repeat=len(cost)):
        when = np.array(when)
        spent = np.array([cost[when == t].sum() for t in range(len(years))])
        limit = np.array([budgets[year] for year in years])
        if (np.cumsum(spent) > np.cumsum(limit) + 1e-9).any() if carry else (spent > limit + 1e-9).any():
            continue
        reached = np.array([people[covers[:, when <= t].any(axis=1)].sum() for t in range(len(years))])
        if any(reached[years.index(y)] < share * total - 1e-6 for y, share in milestones.items()):
            continue
        value = sum(reached[t] / (1 + rate) ** t for t in range(len(years)))
        best = value if best is None else max(best, value)
    return best


@pytest.mark.parametrize("seed", range(12))
def test_schedules_are_the_best_there_are(seed):
    covers, cost, people = small(seed)
    budgets = {2025: 3.0, 2026: 4.0, 2027: 2.0}
    milestones = [{}, {2026: 0.5}, {2025: 0.6, 2027: 0.9}][seed % 3]
    carry = seed % 2 == 0
    best = brute(covers, cost, people, budgets, milestones, 0.1, carry)
    solution = MatrixRollOut.from_matrix(
        covers, cost, weight=people, budgets=budgets, milestones=milestones, discount_rate=0.1, carry_over=carry
    ).solve(20)
    spent = solution.years["spent"].to_numpy()
    limit = np.array(list(budgets.values()))
    assert ((np.cumsum(spent) <= np.cumsum(limit) + 1e-9) if carry else (spent <= limit + 1e-9)).all()
    assert len(set(solution.selected.tolist())) == len(solution.selected)
    if best is None:
        assert solution.status == "infeasible"
        assert "asked" in solution.reason
        assert "costs" in solution.reason
    else:
        assert solution.status == "optimal"
        assert solution.years["met"].all()
        assert solution.objective == pytest.approx(best)


def test_years_by_hand_when_the_problem_is_too_large_for_the_exact_model():
    rng = np.random.default_rng(1)
    covers = rng.random((1200, 60)) < 0.03
    cost, people = rng.integers(1, 6, 60).astype(float), rng.integers(1, 9, 1200).astype(float)
    budgets = dict.fromkeys(range(2025, 2031), 12.0)
    solution = MatrixRollOut.from_matrix(
        covers, cost, weight=people, budgets=budgets, milestones={2027: 0.4, 2029: 0.99}
    ).solve(8)
    years = solution.years
    assert (years["spent"] <= 12.0 + 1e-9).all()
    assert (np.diff(years["covered"]) >= 0).all()
    assert (years["covered_percent"] <= years["bound_percent"] + 1e-6).all()
    assert solution.bound >= solution.objective
    assert solution.gap < 0.2
    assert years.loc[years["year"] == 2027, "met"].all()
    assert solution.status == "infeasible"
    assert "2029" in solution.reason
    assert "out of reach" in solution.reason


def test_rules_hold_over_the_years():
    covers, cost, people = small(4)
    rules = Rules(fixed=(2,), forbidden=(1,), exclusive=((0, 3),))
    solution = MatrixRollOut.from_matrix(
        covers, cost, weight=people, budgets={2025: 9.0, 2026: 9.0}, rules=rules
    ).solve(20)
    chosen = solution.selected.tolist()
    assert 2 in chosen
    assert 1 not in chosen
    assert not {0, 3} <= set(chosen)
    assert solution.year[chosen.index(2)] == 2025


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"budgets": {}}, "budgets is empty"),
        ({"budgets": {2025: -1.0}}, "budget of 2025"),
        ({"budgets": {2025: 1.0}, "milestones": {2026: 0.5}}, "no budget for that year"),
        ({"budgets": {2025: 1.0}, "milestones": {2025: 98}}, "between 0 and 1"),
    ],
)
def test_bad_roll_outs_are_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        MatrixRollOut.from_matrix(np.ones((3, 2)), **arguments)


@pytest.mark.parametrize("seed", range(12))
def test_two_sites_a_row_are_scheduled_best(seed):
    covers, cost, people = small(seed + 40, m=12, n=6)
    covers |= np.random.default_rng(seed).random(covers.shape) < 0.25
    required = np.random.default_rng(seed).integers(1, 3, len(people))
    budgets = {2025: 4.0, 2026: 5.0, 2027: 3.0}
    best = -1.0
    for when in itertools.product(range(4), repeat=len(cost)):
        when = np.array(when)
        if any(cost[when == t].sum() > limit for t, limit in enumerate(budgets.values())):
            continue
        reached = [people[covers[:, when <= t].sum(axis=1) >= required].sum() for t in range(3)]
        best = max(best, sum(reached))
    problem = MatrixRollOut.from_matrix(covers, cost, weight=people, budgets=budgets, cover_times=required)
    solution = problem.solve(20)
    assert solution.objective == pytest.approx(best)
    assert solution.status == "optimal"
    assert solution.as_solution(problem, {"weight": people}).verified


@pytest.mark.parametrize("seed", range(20))
def test_a_settled_selection_is_scheduled_best_and_bounded_over_all_columns(seed):
    covers, cost, people = small(seed + 80, m=30, n=8)
    selection = np.flatnonzero(np.random.default_rng(seed).random(8) < 0.6)
    carry = seed % 2 == 0
    total = people[covers.any(axis=1)].sum()
    budgets = dict.fromkeys((2025, 2026, 2027), float(cost[selection].sum()) / 3 if carry else 5.0)
    problem = MatrixRollOut.from_matrix(covers, cost, weight=people, budgets=budgets, carry_over=carry)
    found = problem.schedule(selection, 20)
    limit = np.array(list(budgets.values()))
    best, most = -1.0, 0
    for when in itertools.product(range(4), repeat=len(selection)):
        when = np.array(when)
        spent = np.array([cost[selection[when == t]].sum() for t in range(3)])
        if (np.cumsum(spent) > np.cumsum(limit) + 1e-9).any() if carry else (spent > limit + 1e-9).any():
            continue
        value = sum(people[covers[:, selection[when <= t]].any(axis=1)].sum() for t in range(3))
        best, most = max(best, value), max(most, int((when < 3).sum()))
    if carry:
        assert sorted(found.selected.tolist()) == selection.tolist()
        assert found.objective == pytest.approx(best)
    else:
        assert len(found.selected) <= most
        assert found.objective <= best + 1e-9
    for row in found.years.to_dict("records"):
        money = limit[: list(budgets).index(row["year"]) + 1].sum()
        reachable = max(
            people[covers[:, list(c)].any(axis=1)].sum()
            for k in range(9)
            for c in itertools.combinations(range(8), k)
            if cost[list(c)].sum() <= money + 1e-9
        )
        assert row["bound_percent"] >= 100 * reachable / total - 1e-6


def test_a_milestone_beyond_a_settled_selection_says_what_the_others_could_do():
    covers = np.array([[1, 0], [1, 0], [0, 1]], bool)
    problem = MatrixRollOut.from_matrix(
        covers, [3.0, 1.0], weight=[5.0, 5.0, 1.0], budgets={2025: 1.0, 2026: 4.0}, milestones={2025: 0.5, 2026: 0.9}
    )
    found = problem.schedule(np.array([1]), 5)
    assert found.status == "infeasible"
    assert "2025" in found.reason
    assert "out of reach" in found.reason
    assert "2026" in found.reason
    assert "not proven out of reach" in found.reason


def test_nothing_to_gain_is_scheduled_as_nothing():
    problem = MatrixRollOut.from_matrix(np.zeros((3, 2)), weight=np.ones(3), budgets={2025: 1.0}, already=4.0)
    assert problem.solve(2).years["covered_percent"].tolist() == [100.0]
    assert problem.schedule(np.array([], np.int64), 2).selected.tolist() == []
