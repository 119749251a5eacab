"""Joint coverage by imperfect servers, against every selection multiplied out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import rfplan.optimize.joint as joint
import rfplan.optimize.joint_bound as joint_bound
from naive.joint import cheapest, served
from rfplan.errors import ParameterError
from rfplan.optimize.effort import Effort
from rfplan.optimize.instance import Rules
from rfplan.optimize.joint import MatrixJointCover
from rfplan.optimize.joint_rows import UNITS, server_units

N = 8


def instance(seed, m=12):
    rng = np.random.default_rng(seed)
    probability = np.where(rng.random((m, N)) < 0.6, rng.random((m, N)) ** 0.7, 0.0)
    probability[rng.random((m, N)) < 0.05] = 1.0
    already = np.where(rng.random(m) < 0.5, rng.random(m), 0.0) * (seed % 2)
    cost = rng.integers(0, 6, N).astype(float) + (seed % 3 == 0) * rng.random(N)
    weight = {"people": rng.integers(0, 20, m).astype(float), "area": np.ones(m)}
    target = [{"people": 1.0}, {"people": 0.8}, {"people": 0.7, "area": 0.85}, {"people": 1.0, "area": 0.75}][seed % 4]
    side = [
        {},
        {"fixed": (int(rng.integers(N)),)},
        {"forbidden": tuple(rng.choice(N, 2, replace=False).tolist())},
        {"exclusive": (tuple(rng.choice(N, 3, replace=False).tolist()),)},
        {},
    ][seed % 5]
    return probability, already, cost, weight, target, Rules(**side), (0.9, 0.95, 0.6)[seed % 3]


def bracket(probability, already, cost, weight, target, rules, required):
    """Least cost with the probability asked for, and with so much more that weights rounded down reach it too."""
    sides = (rules.fixed, rules.forbidden, rules.conflict_pairs(N).tolist())
    tight = cheapest(probability, cost, required, weight, target, already, *sides)
    return tight, cheapest(probability, cost, required, weight, target, already, *sides, slack=(N + 1) / UNITS)


def agrees(solution, given, exact):
    probability, already, cost, weight, target, rules, required = given
    low, high = bracket(*given)
    if low is None:
        assert solution.status == "infeasible"
        return False
    assert solution.bound <= (low if high is None else high) + 1e-6
    if not exact and rules.exclusive and not solution.verified:
        return False  # the greedy search may have shut itself off
    if high is None:  # reached by less than rounding: no telling
        return False
    assert solution.verified
    assert low - 1e-6 <= solution.objective
    if exact:
        assert solution.status == "optimal"
        assert solution.objective <= high + 1e-6
    chosen = solution.selected.tolist()
    assert cost[chosen].sum() == pytest.approx(solution.objective)
    got, before = served(probability, already, chosen, required), served(probability, already, [], required)
    reachable = before | served(probability, already, [j for j in range(N) if j not in rules.forbidden], required)
    for name, share in target.items():
        values = weight[name]
        assert values[got & reachable].sum() >= share * values[reachable].sum() * (1 - 1e-6)
    return low == high


def solved(given, **more):
    probability, already, cost, weight, target, rules, required = given
    return MatrixJointCover.from_matrix(
        sparse.csr_matrix(probability), cost, required=required, weight=weight, target=target, already=already,
        rules=rules, **more,
    ).solve(20)  # fmt: skip


def test_the_best_selection_is_found_and_proven():
    told = [agrees(solved(given), given, exact=True) for given in map(instance, range(160))]
    assert np.mean(told) > 0.8  # elsewhere rounding leaves the answer open


@pytest.mark.parametrize("way", ["linear", "subgradient"])
def test_bounds_and_searches_of_large_instances_hold_on_small_ones(way, monkeypatch):
    monkeypatch.setattr(joint, "SMALL_NONZEROS", -1)
    monkeypatch.setattr(joint, "EXACT_NONZEROS", -1)
    if way == "subgradient":
        monkeypatch.setattr(joint_bound, "LINEAR_NONZEROS", -1)
    monkeypatch.setattr(Effort, "within", classmethod(lambda cls, _: cls(0.05)))
    above, below = [], []
    for seed in range(48):
        given = instance(seed)
        solution = solved(given)
        agrees(solution, given, exact=False)
        low, high = bracket(*given)
        if low is not None and low == high and solution.verified:
            above.append((solution.objective - low) / max(low, 1.0))
            below.append((low - solution.bound) / max(low, 1.0))
    assert len(above) > 40
    assert np.mean(above) < 0.02
    assert np.mean(below) < 0.45  # so few servers leave much to the whole numbers


def test_any_prices_prove_a_bound():
    rng = np.random.default_rng(4)
    for seed in range(40):
        given = instance(seed)
        probability, already, cost, weight, target, rules, required = given
        problem = MatrixJointCover.from_matrix(
            probability, cost, required=required, weight=weight, target=target, already=already, rules=rules
        )
        rows, _ = problem.as_rows()
        low, _ = bracket(*given)
        for _ in range(5):
            u, v = rng.normal(1.0, 2.0, len(rows.need)), rng.normal(2.0, 3.0, len(rows.amount))
            bound = joint_bound.proven(rows, u, v)
            assert low is None or bound <= solved(given).objective + 1e-9


def test_weights_are_rounded_down_and_one_good_server_is_enough():
    p = np.array([0.0, 1e-6, 0.5, 0.9499999, 0.95, 0.99, 1.0])
    units = server_units(p, 0.95)
    exact = UNITS * np.log(1 - p[:5]) / np.log(0.05)
    assert (units[:4] <= exact[:4]).all()
    assert (exact[:4] - units[:4] < 1).all()
    assert units[4:].tolist() == [UNITS] * 3
    two = MatrixJointCover.from_matrix(np.array([[0.8, 0.8, 0.96]]), [1.0, 1.0, 3.0], required=0.95).solve(5)
    assert (two.selected.tolist(), two.objective, two.status) == ([0, 1], 2.0, "optimal")
    one = MatrixJointCover.from_matrix(np.array([[0.8, 0.8, 0.96]]), [1.0, 1.0, 1.5], required=0.95).solve(5)
    assert one.selected.tolist() == [2]
    assert one.marginal["weight"].tolist() == [1.0]


def test_a_larger_instance_is_chosen_and_bounded_and_searched_the_same_each_time(monkeypatch):
    rng = np.random.default_rng(1)
    place, towards = rng.random((400, 2)), rng.random((70, 2))
    distance = np.linalg.norm(place[:, None] - towards[None], axis=2)
    probability = np.where(distance < 0.35, 1 / (1 + np.exp((distance - 0.16) * 30)), 0.0)
    people = rng.integers(1, 100, 400).astype(float)
    problem = MatrixJointCover.from_matrix(
        probability, rng.integers(5, 9, 70).astype(float), required=0.95, weight={"people": people}, target=0.95
    )
    first = problem.solve(6, seed=3)
    assert first.verified
    assert first.gap < 0.5  # it ends by the clock: 0.18 on a quiet machine, 0.33 seen on a very busy one
    alone = people[(probability >= 0.95).any(axis=1)].sum()
    reach = people[served(probability, np.zeros(400), range(70), 0.95)].sum()
    assert reach > alone  # servers together reach what none does alone
    got = served(probability, np.zeros(400), first.selected.tolist(), 0.95)
    assert people[got].sum() >= 0.95 * reach * (1 - 1e-3)
    assert first.marginal["people"].sum() == pytest.approx(people[problem.served(first.selected)].sum())
    monkeypatch.setattr(joint, "SMALL_NONZEROS", -1)
    monkeypatch.setattr(joint, "EXACT_NONZEROS", -1)
    monkeypatch.setattr(Effort, "within", classmethod(lambda cls, _: cls(1.0)))
    searched, again, other = (problem.solve(6, seed=seed) for seed in (3, 3, 4))
    assert searched.selected.tolist() == again.selected.tolist()
    assert searched.objective < 1.08 * first.objective
    assert other.verified


def test_empty_already_served_and_out_of_reach():
    none = MatrixJointCover.from_matrix(np.zeros((3, 2)), required=0.9).solve(5)
    assert (none.objective, none.bound, none.status, len(none.uncoverable_rows)) == (0.0, 0.0, "optimal", 3)
    done = MatrixJointCover.from_matrix(np.full((3, 2), 0.5), required=0.9, already=0.95).solve(5)
    assert (done.objective, done.status, len(done.uncoverable_rows)) == (0.0, "optimal", 0)
    clash = Rules(exclusive=((0, 1),))
    torn = MatrixJointCover.from_matrix(np.array([[0.8, 0.8]]), required=0.9, rules=clash).solve(5)
    assert torn.status == "infeasible"
    assert "contradict" in torn.reason


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"required": 1.0}, "above 0 and below 1"),
        ({"required": 0.9, "already": -0.1}, "already has -0.1"),
        ({"required": 0.9, "target": 95}, "between 0 and 1"),
        ({"required": 0.9, "target": {"cows": 0.5}}, "names measure 'cows'"),
        ({"required": 0.9, "cover_times": 2}, "cover_times: joint coverage has no such option"),
        ({"required": 0.9, "budget": 2.0}, "a budget is MaximalCoverage's"),
        ({"required": 0.9, "group_floor": {}}, "floors by commune are TargetCover's"),
        ({"required": 0.9, "correlation": 0.5}, "independent from site to site"),
        ({"required": 0.9, "rules": Rules(site_of=np.zeros(2, int))}, "share its shadowing"),
    ],
)
def test_what_it_cannot_do_is_refused(options, words):
    with pytest.raises(ParameterError, match=words):
        MatrixJointCover.from_matrix(np.full((2, 2), 0.5), **options)
    with pytest.raises(ParameterError, match=r"probability has 1\.5"):
        MatrixJointCover.from_matrix(np.full((2, 2), 1.5), required=0.9)
