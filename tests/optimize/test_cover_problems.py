from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from naive.cover import brute_force, naive_greedy
from rfplan.errors import ParameterError
from rfplan.optimize.effort import Effort
from rfplan.optimize.greedy import greedy
from rfplan.optimize.instance import CoverMatrix, Instance, Rules, cost_step, round_up
from rfplan.optimize.problems import MatrixMaximalCoverage, MatrixSetCover, MatrixTargetCover


def _instance(covers, cost, weight, target):
    m, n = covers.shape
    return Instance(
        CoverMatrix.from_sparse(covers),
        cost,
        np.ones(m, np.int32),
        np.zeros((1, m), np.int32),
        weight[None, :],
        np.array([target]),
        np.inf,
        np.zeros(0, np.int32),
        np.zeros(n, np.uint8),
        np.zeros((0, 2), np.int64),
    )


@pytest.mark.nojit
@pytest.mark.boundscheck
@pytest.mark.parametrize("seed", range(20))
def test_lazy_greedy_equals_the_plain_greedy(seed):
    rng = np.random.default_rng(seed)
    covers = rng.random((30, 15)) < 0.15
    cost = rng.integers(0, 5, 15).astype(float)
    weight = rng.integers(1, 10, 30).astype(float)
    target = weight[covers.any(axis=1)].sum() * rng.choice([0.7, 1.0])
    assert greedy(_instance(covers, cost, weight, target)).tolist() == naive_greedy(covers, cost, weight, target)


def _random(seed, m=20, n=9, density=0.25):
    rng = np.random.default_rng(seed)
    covers = rng.random((m, n)) < density
    return covers, rng.integers(1, 6, n).astype(float), rng.integers(1, 20, m).astype(float)


@pytest.mark.parametrize("seed", range(40))
def test_full_cover_is_bracketed_by_brute_force(seed):
    covers, cost, _ = _random(seed)
    coverable = covers.any(axis=1)
    best = brute_force(covers, cost, lambda counts, _: (counts[coverable] >= 1).all())
    solution = MatrixSetCover.from_matrix(sparse.csr_array(covers), cost).solve(time_limit_s=5)
    assert solution.verified
    assert solution.bound - 1e-6 <= best <= solution.objective + 1e-9
    assert solution.uncoverable_rows.tolist() == np.flatnonzero(~coverable).tolist()
    assert (covers[:, solution.selected].any(axis=1) == coverable).all()


@pytest.mark.parametrize("seed", range(40))
def test_target_cover_is_bracketed_by_brute_force(seed):
    covers, cost, people = _random(seed)
    area = np.ones(len(people))
    target = {"people": 0.8, "area": 0.6}
    need = {"people": 0.8 * people[covers.any(axis=1)].sum(), "area": 0.6 * covers.any(axis=1).sum()}

    def accept(counts, _):
        return people[counts > 0].sum() >= need["people"] - 1e-9 and (counts > 0).sum() >= need["area"] - 1e-9

    best = brute_force(covers, cost, accept)
    solution = MatrixTargetCover.from_matrix(
        covers, cost, weight={"people": people, "area": area}, target=target
    ).solve(5)
    assert solution.verified
    assert accept(covers[:, solution.selected].sum(axis=1), None)
    assert solution.bound - 1e-6 <= best <= solution.objective + 1e-9


@pytest.mark.parametrize("seed", range(40))
def test_budget_is_bracketed_by_brute_force(seed):
    covers, cost, people = _random(seed)
    best = brute_force(
        covers,
        cost,
        lambda _, chosen: sum(cost[list(chosen)]) <= 7,
        objective=lambda counts, _: people[counts > 0].sum(),
    )
    solution = MatrixMaximalCoverage.from_matrix(covers, cost, weight=people, budget=7.0).solve(5)
    assert solution.verified
    assert cost[solution.selected].sum() <= 7
    assert people[covers[:, solution.selected].any(axis=1)].sum() == pytest.approx(solution.objective)
    assert solution.objective - 1e-9 <= best <= solution.bound + 1e-6


def test_bounds_are_rounded_to_sums_of_costs():
    assert cost_step(np.array([0.4, 1.0, 1.6])) == pytest.approx(0.2)
    assert cost_step(np.array([40.0, 100.0, 130.0])) == 10.0
    assert cost_step(np.array([1.0, 2.001])) == 0.0
    assert cost_step(np.zeros(0)) == 0.0
    assert round_up(143.83, 0.2) == pytest.approx(144.0)
    assert round_up(144.0 + 1e-9, 0.2) == pytest.approx(144.0)
    assert round_up(143.83, 0.0) == 143.83
    assert round_up(np.inf, 0.2) == np.inf


def test_redundant_columns_are_removed():
    # Greedy takes the wide column 0 first, which 1 and 2 then make superfluous.
    covers = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 1], [1, 0, 1], [0, 1, 0], [0, 0, 1]])
    solution = MatrixSetCover.from_matrix(covers, [1.0, 1.0, 1.0]).solve(5)
    assert sorted(solution.selected.tolist()) == [1, 2]
    assert solution.objective == 2.0


def test_curve_and_marginals_add_up():
    covers, cost, people = _random(3)
    solution = MatrixSetCover.from_matrix(covers, cost, weight={"people": people}).solve(5)
    curve = solution.curve
    assert curve["cost"].iloc[-1] == pytest.approx(solution.objective)
    assert curve["people"].iloc[-1] == pytest.approx(people[covers.any(axis=1)].sum())
    assert curve["people_percent"].iloc[-1] == pytest.approx(100.0)
    assert (np.diff(curve["people"]) >= 0).all()


def test_nothing_to_do_and_nothing_possible():
    empty = MatrixSetCover.from_matrix(np.zeros((4, 3)), 1.0).solve(5)
    assert (empty.objective, empty.gap, empty.status, len(empty.uncoverable_rows)) == (0.0, 0.0, "optimal", 4)
    no_rows = MatrixSetCover.from_matrix(sparse.csr_array((0, 3)), 1.0).solve(5)
    assert (no_rows.objective, len(no_rows.selected)) == (0.0, 0)
    no_columns = MatrixTargetCover.from_matrix(sparse.csr_array((5, 0)), 1.0, target=0.9).solve(5)
    assert (no_columns.objective, len(no_columns.uncoverable_rows)) == (0.0, 5)
    met = MatrixTargetCover.from_matrix(np.ones((4, 1)), 1.0, target=0.5, already={"weight": 40.0}).solve(5)
    assert (met.objective, met.status) == (0.0, "optimal")
    one = MatrixSetCover.from_matrix(np.ones((4, 1)), 3.0).solve(5)
    assert (one.selected.tolist(), one.objective, one.status) == ([0], 3.0, "optimal")
    broke = MatrixMaximalCoverage.from_matrix(np.ones((4, 1)), 3.0, budget=2.0).solve(5)
    assert (broke.objective, len(broke.selected)) == (0.0, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cost": [1.0, 2.0]}, "cost has shape"),
        ({"cost": [1.0, -2.0, 1.0]}, r"cost\[1\]"),
        ({"weight": np.ones(3)}, "weight 'weight' has shape"),
        ({"target": 1.5}, "between 0 and 1"),
        ({"target": {"people": 0.5}}, "names measure 'people'"),
        ({"cover_times": 0}, "cover_times"),
        ({"group_floor": {"weight": [1.0]}}, "needs groups"),
    ],
)
def test_bad_arguments_say_what_to_do(arguments, message):
    with pytest.raises(ParameterError, match=message):
        MatrixTargetCover.from_matrix(np.ones((4, 3)), **arguments)


def test_rules_that_contradict_themselves_are_refused():
    covers = np.ones((2, 3))
    with pytest.raises(ParameterError, match="both fixed and forbidden"):
        MatrixSetCover.from_matrix(covers, rules=Rules(fixed=(1,), forbidden=(1,))).solve(5)
    with pytest.raises(ParameterError, match="exclude each other"):
        MatrixSetCover.from_matrix(covers, rules=Rules(fixed=(0, 1), exclusive=((0, 1),))).solve(5)
    with pytest.raises(ParameterError, match="names column 7"):
        MatrixSetCover.from_matrix(covers, rules=Rules(fixed=(7,))).solve(5)


def test_effort_is_shared_out_and_tells_when_the_clock_ended_it():
    whole = Effort(10.0)
    part = whole.slice(0.5)
    part.charge(4.0)
    assert (part.left(), whole.left(), whole.spent) == (1.0, 6.0, 4.0)
    part.charge(2.0)
    assert (part.left(), whole.left(0.5)) == (0.0, 2.0)
    assert whole.slice(0.0).left() == pytest.approx(0.1)  # the least share, so that halving ends
    assert not whole.cut_short
    late = Effort(10.0, deadline=0.0)
    assert late.slice(0.5).left() == 0.0
    assert late.cut_short
