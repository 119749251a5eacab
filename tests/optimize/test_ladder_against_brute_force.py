"""Every problem with every side rule, against trying all subsets."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import rfplan.optimize.ladder as ladder
from naive.cover import brute_force
from rfplan.optimize.blocks import block_bound
from rfplan.optimize.dual import lp_prices, priced, subgradient_prices
from rfplan.optimize.effort import Effort
from rfplan.optimize.full_cover import Part, solve_part, split
from rfplan.optimize.greedy import greedy, remove_redundant
from rfplan.optimize.instance import CoverMatrix, Rules
from rfplan.optimize.local_search import row_weighting_search
from rfplan.optimize.penalised import penalise, penalised_search
from rfplan.optimize.problems import MatrixMaximalCoverage, MatrixSetCover, MatrixTargetCover
from rfplan.optimize.reduce import FullCover, merge_rows, reduce_full_cover
from rfplan.optimize.solution import needs_met
from rfplan.optimize.windows import window_search


def instance(seed, m=18, n=9, density=0.3):
    rng = np.random.default_rng(seed)
    covers = rng.random((m, n)) < density
    cost = rng.integers(1, 7, n).astype(float) + (seed % 2) * rng.random(n)
    people = rng.integers(1, 20, m).astype(float)
    rules = [
        {},
        {"fixed": (int(rng.integers(n)),)},
        {"forbidden": tuple(rng.choice(n, 2, replace=False).tolist())},
        {"exclusive": tuple(tuple(rng.choice(n, size, replace=False).tolist()) for size in (3, 2))},
        {"spacing_m": 0.25, "positions_m": rng.random((n, 2))},
    ][seed % 5]
    return covers, cost, people, Rules(**rules)


def oracle_rules(rules, n):
    return {"fixed": rules.fixed, "forbidden": rules.forbidden, "pairs": rules.conflict_pairs(n).tolist()}


def agrees(solution, best):
    if best is None:
        assert solution.status == "infeasible"
        assert "contradict" in solution.reason
        assert len(solution.selected) == 0
    else:
        assert solution.verified
        assert solution.status == "optimal"
        assert solution.objective == pytest.approx(best, abs=1e-6)
        assert solution.bound == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("block", range(8))
@pytest.mark.parametrize("times", [1, 2])
def test_full_cover(block, times):
    for seed in range(block * 10, block * 10 + 10):
        covers, cost, _, rules = instance(seed, density=0.4)
        usable = [j for j in range(len(cost)) if j not in rules.forbidden]
        fixed_out = {
            int(b if a in rules.fixed else a)
            for a, b in rules.conflict_pairs(len(cost))
            if a in rules.fixed or b in rules.fixed
        }
        usable = [j for j in usable if j not in fixed_out]
        coverable = covers[:, usable].sum(axis=1) >= times
        best = brute_force(
            covers,
            cost,
            lambda counts, _: (counts[coverable] >= times).all(),  # noqa: B023
            **oracle_rules(rules, len(cost)),
        )
        agrees(MatrixSetCover.from_matrix(covers, cost, cover_times=times, rules=rules).solve(20), best)


@pytest.mark.parametrize("way", ["exact", "benders"])
@pytest.mark.parametrize("block", range(5))
def test_targets_with_floors(block, way, monkeypatch):
    if way == "benders":
        monkeypatch.setattr(ladder, "EXACT_ROWS", 0)
    for seed in range(block * 10, block * 10 + 10):
        covers, cost, people, rules = instance(seed)
        area, groups = np.ones(len(people)), np.arange(len(people)) % 3
        pairs = rules.conflict_pairs(len(cost))
        reachable = covers[:, [j for j in range(len(cost)) if j not in rules.forbidden]].any(axis=1)
        need = 0.75 * people[reachable].sum(), 0.5 * reachable.sum()
        total = np.bincount(groups[reachable], weights=people[reachable], minlength=3)
        floor = 0.6 * total

        def accept(counts, _):
            hit = counts > 0
            return (
                people[hit].sum() >= need[0] - 1e-6  # noqa: B023
                and hit.sum() >= need[1] - 1e-6  # noqa: B023
                and (np.bincount(groups[hit], weights=people[hit], minlength=3) >= floor - 1e-6).all()  # noqa: B023
            )

        best = brute_force(covers, cost, accept, fixed=rules.fixed, forbidden=rules.forbidden, pairs=pairs.tolist())
        solution = MatrixTargetCover.from_matrix(
            covers, cost, weight={"people": people, "area": area}, target={"people": 0.75, "area": 0.5},
            groups=groups, group_floor={"people": floor}, rules=rules,
        ).solve(20)  # fmt: skip
        agrees(solution, best)


@pytest.mark.parametrize("way", ["exact", "benders"])
@pytest.mark.parametrize("block", range(5))
def test_budgets(block, way, monkeypatch):
    if way == "benders":
        monkeypatch.setattr(ladder, "EXACT_ROWS", 0)
    for seed in range(block * 10, block * 10 + 10):
        covers, cost, people, rules = instance(seed)
        times = 1 + (seed % 3 == 0 and way == "exact")
        best = brute_force(
            covers,
            cost,
            lambda _, chosen: sum(cost[list(chosen)]) <= 12.0,  # noqa: B023
            objective=lambda counts, _: people[counts >= times].sum(),  # noqa: B023
            **oracle_rules(rules, len(cost)),
        )
        problem = MatrixMaximalCoverage.from_matrix(
            covers, cost, weight=people, budget=12.0, cover_times=times, rules=rules
        )
        agrees(problem.solve(20), best)


@pytest.mark.parametrize("seed", range(20))
def test_any_price_gives_a_bound_and_every_cover_a_selection(seed):
    covers, cost, people, rules = instance(seed)
    rng = np.random.default_rng(seed)
    rules = Rules(rules.fixed, rules.forbidden)
    floor = 0.6 * np.bincount(np.arange(len(people)) % 3, weights=people * covers.any(axis=1), minlength=3)
    target = MatrixTargetCover.from_matrix(
        covers, cost, weight=people, target=0.7, groups=np.arange(len(people)) % 3, group_floor={"weight": floor},
        rules=rules,
    )  # fmt: skip
    budget = MatrixMaximalCoverage.from_matrix(covers, cost, weight=people, budget=12.0, rules=rules)
    for problem in (target, budget):
        best = problem.solve(20)
        assert best.status == "optimal"
        whole = problem.as_instance()
        sign = -1.0 if np.isinf(whole.need).any() else 1.0
        small = merge_rows(whole)
        assert small.matrix.shape[0] <= whole.matrix.shape[0]
        now = penalise(small, rng.random(len(whole.need)) * 3.0)
        cover = now.cover_of(best.selected)
        assert (now.problem.matrix.rows_covered(cover) >= 1).all()
        least = MatrixSetCover(now.problem.matrix, now.problem.cost, {}, now.problem.required, Rules()).solve(20)
        assert least.status == "optimal"
        assert least.objective <= now.problem.cost[cover].sum() + 1e-9
        assert least.objective + now.constant <= sign * best.objective + 1e-6
        offered, proven = [best.selected], []
        penalised_search(
            whole, rng.random(len(whole.need)), effort=Effort(0.05), seed=seed, report=lambda _stage: None,
            incumbent=lambda: (best.objective, best.selected), offer=offered.append, prove=proven.append,  # noqa: B023
        )  # fmt: skip
        if sign > 0:
            assert all(needs_met(whole, columns) for columns in offered)
        assert all(bound * sign <= best.objective * sign + 1e-6 for bound in proven)
        assert proven


def full_cover(seed, m=60, n=40, density=0.08):
    rng = np.random.default_rng(seed)
    covers = rng.random((m, n)) < density
    covers = covers[covers.any(axis=1)]
    return FullCover(
        CoverMatrix.from_sparse(covers), rng.integers(1, 9, n).astype(float), np.ones(len(covers), np.int32),
        np.arange(n), np.zeros(0, np.int32), np.zeros((0, 2), np.int64),
    )  # fmt: skip


@pytest.mark.boundscheck
@pytest.mark.parametrize("seed", range(12))
def test_every_rung_alone_stays_on_its_side_of_the_optimum(seed):
    problem = full_cover(seed)
    best = MatrixSetCover(problem.matrix, problem.cost, {}, problem.required, Rules()).solve(20)
    assert best.status == "optimal"
    start = remove_redundant(problem.as_instance(), greedy(problem.as_instance()))
    prices = lp_prices(problem, effort=Effort(10.0))
    searches = (
        row_weighting_search(problem, start, effort=Effort(5.0), seed=seed, max_steps=300),
        window_search(problem, start, effort=Effort(5.0), seed=seed, max_windows=5, size=4),
    )
    for found in searches:
        assert (problem.matrix.rows_covered(found) >= 1).all()
        assert best.objective <= problem.cost[found].sum() <= problem.cost[start].sum()
    rng = np.random.default_rng(seed)
    bounds = (
        prices.bound,
        subgradient_prices(problem, best.objective, effort=Effort(5.0), max_iterations=200).bound,
        priced(problem, rng.random(problem.matrix.shape[0]) * 3).bound,
        block_bound(problem, prices, effort=Effort(5.0), rows_per_block=15, seed=seed),
    )
    assert max(bounds) <= best.objective + 1e-6
    assert bounds[3] >= prices.bound - 1e-6


@pytest.mark.parametrize("seed", range(12))
def test_reductions_keep_the_optimum(seed):
    problem = full_cover(seed, density=0.12)
    small = reduce_full_cover(problem)
    assert small.matrix.shape[0] <= problem.matrix.shape[0]
    whole = MatrixSetCover(problem.matrix, problem.cost, {}, problem.required, Rules()).solve(20)
    rest = MatrixSetCover(small.matrix, small.cost, {}, small.required, Rules()).solve(20)
    assert rest.objective + problem.cost[small.forced].sum() == pytest.approx(whole.objective)
    lifted = small.lift(rest.selected)
    assert (problem.matrix.rows_covered(lifted) >= 1).all()


def test_independent_parts_are_solved_apart():
    covers = sparse.block_diag([np.ones((3, 2)), np.eye(2)[[0, 1, 1]], np.ones((2, 3))]).toarray()
    problem = FullCover(
        CoverMatrix.from_sparse(covers), np.arange(1.0, 8.0), np.ones(8, np.int32), np.arange(7),
        np.zeros(0, np.int32), np.zeros((0, 2), np.int64),
    )  # fmt: skip
    parts = split(problem)
    assert [part.matrix.shape for part in parts] == [(3, 2), (1, 1), (2, 1), (2, 3)]
    assert sorted(np.concatenate([part.columns for part in parts]).tolist()) == list(range(7))


def test_same_seed_same_plan():
    covers, cost, people, _ = instance(3, m=60, n=30, density=0.1)
    first, second = (MatrixSetCover.from_matrix(covers, cost, weight=people).solve(20, seed=4) for _ in range(2))
    assert first.selected.tolist() == second.selected.tolist()
    assert first.bound == second.bound
    assert first.ended_by == "proof"


def test_work_is_counted_not_timed():
    covers = sparse.random(400, 300, density=0.03, random_state=0, format="csr")
    cost = np.random.default_rng(0).integers(1, 9, 300).astype(float)
    matrix = CoverMatrix.from_sparse(covers[np.diff(covers.indptr) > 0])
    none, rows = np.zeros(0, np.int32), matrix.shape[0]
    problem = FullCover(
        matrix, cost, np.ones(rows, np.int32), np.arange(300), none, np.zeros((0, 2), np.int64)
    )  # fmt: skip

    def run():
        part, effort = Part(problem, none, False, 0.0), Effort(1.5)
        solve_part(part, effort, 3, lambda _stage: None)
        return part.selected.tolist(), part.bound, effort.spent

    first = run()
    assert first[2] > 0.0
    assert run() == first


def test_time_limit_and_interrupt_return_the_best_so_far(monkeypatch):
    rng = np.random.default_rng(0)
    covers = sparse.random(400, 300, density=0.03, random_state=0, format="csr")
    cost = rng.integers(1, 9, 300).astype(float)
    quick = MatrixSetCover.from_matrix(covers, cost).solve(time_limit_s=0.5)
    assert quick.verified
    assert 0 < quick.bound <= quick.objective

    def stop(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("rfplan.optimize.full_cover.lp_prices", stop)
    stopped = MatrixSetCover.from_matrix(covers, cost).solve(20)
    assert stopped.verified
    assert 0 < stopped.bound <= stopped.objective
    assert stopped.status == "feasible"
    assert stopped.ended_by == "interrupt"
