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
