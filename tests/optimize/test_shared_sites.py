"""Opening costs that the configurations of a site share, against trying all subsets."""

from __future__ import annotations

import numpy as np
import pytest

import rfplan.optimize.ladder as ladder
from naive.cover import brute_force
from rfplan.errors import ParameterError
from rfplan.optimize.instance import Rules
from rfplan.optimize.problems import MatrixMaximalCoverage, MatrixSetCover, MatrixTargetCover
from rfplan.optimize.rollout import MatrixRollOut
from rfplan.optimize.shared_sites import greedy_with_openings, improve, prune, shared_relaxation
from rfplan.optimize.solution import needs_met

N = 7


def instance(seed, m=12, density=0.35):
    rng = np.random.default_rng(seed)
    covers = rng.random((m, N)) < density
    cost = rng.integers(0, 4, N).astype(float) + (seed % 2) * rng.random(N)
    people = rng.integers(1, 20, m).astype(float)
    site_of = rng.integers(-1, 3, N)
    opening = rng.integers(0, 8, 3).astype(float)
    side = [
        {},
        {"fixed": (int(rng.integers(N)),)},
        {"forbidden": tuple(rng.choice(N, 2, replace=False).tolist())},
        {"exclusive": (tuple(rng.choice(N, 3, replace=False).tolist()),)},
        {"exclusive": tuple(tuple(np.flatnonzero(site_of == s)[:2].tolist()) for s in range(3))},
        {"exclusive": tuple(tuple(np.flatnonzero(site_of == s).tolist()) for s in range(3))},
    ][seed % 6]
    return covers, cost, people, Rules(site_of=site_of, opening_cost=opening, **side)


def total(cost, rules, chosen):
    sites = {int(rules.site_of[column]) for column in chosen} - {-1}
    return sum(cost[column] for column in chosen) + sum(rules.opening_cost[site] for site in sites)


def sides(rules):
    return {"fixed": rules.fixed, "forbidden": rules.forbidden, "pairs": rules.conflict_pairs(N).tolist()}


def permitted(rules):
    out = set(rules.forbidden)
    for a, b in rules.conflict_pairs(N).tolist():
        out |= {b} if a in rules.fixed else {a} if b in rules.fixed else set()
    return [column for column in range(N) if column not in out]


def agrees(solution, best, cost, rules, way):
    if best is None:
        assert solution.status == "infeasible"
        assert len(solution.selected) == 0
        return
    sign = -1.0 if way.endswith("budget") else 1.0
    assert solution.verified
    if way.startswith("exact"):
        assert solution.status == "optimal"
        assert solution.objective == pytest.approx(best, abs=1e-6)
    assert sign * solution.bound <= sign * best + 1e-5
    assert sign * best <= sign * solution.objective + 1e-6
    assert solution.cost.sum() == pytest.approx(total(cost, rules, solution.selected.tolist()))


def take(way, monkeypatch):
    """With ``shares``, only what serves large instances: shared costs for the bound, greedy and local search."""
    if way == "shares":
        monkeypatch.setattr(ladder, "SMALL_NONZEROS", -1)
        monkeypatch.setattr(ladder, "SHARED_NONZEROS", 1e-9)


@pytest.mark.parametrize(("way", "seeds"), [("exact", range(200)), ("shares", range(40))])
@pytest.mark.parametrize("times", [1, 2])
def test_full_cover(way, seeds, times, monkeypatch):
    take(way, monkeypatch)
    for seed in seeds[times - 1 :: 2]:
        covers, cost, _, rules = instance(seed)
        coverable = covers[:, permitted(rules)].sum(axis=1) >= times
        best = brute_force(
            covers,
            cost,
            lambda counts, _: (counts[coverable] >= times).all(),  # noqa: B023
            objective=lambda _, chosen: -total(cost, rules, chosen),  # noqa: B023
            **sides(rules),
        )
        solution = MatrixSetCover.from_matrix(covers, cost, cover_times=times, rules=rules).solve(20)
        agrees(solution, None if best is None else -best, cost, rules, way)


@pytest.mark.parametrize(("way", "seeds"), [("exact", range(200)), ("shares", range(24))])
def test_targets_with_floors(way, seeds, monkeypatch):
    take(way, monkeypatch)
    for seed in seeds:
        covers, cost, people, rules = instance(seed)
        groups = np.arange(len(people)) % 3
        reachable = covers[:, permitted(rules)].any(axis=1)
        need = 0.75 * people[reachable].sum()
        floor = 0.6 * np.bincount(groups[reachable], weights=people[reachable], minlength=3)

        def accept(counts, _):
            hit = counts > 0
            return (
                people[hit & reachable].sum() >= need - 1e-6  # noqa: B023
                and (np.bincount(groups[hit], weights=people[hit], minlength=3) >= floor - 1e-6).all()  # noqa: B023
            )

        best = brute_force(
            covers,
            cost,
            accept,
            objective=lambda _, chosen: -total(cost, rules, chosen),  # noqa: B023
            **sides(rules),
        )
        solution = MatrixTargetCover.from_matrix(
            covers, cost, weight=people, target=0.75, groups=groups, group_floor={"weight": floor}, rules=rules
        ).solve(20)
        agrees(solution, None if best is None else -best, cost, rules, way)


@pytest.mark.parametrize(("way", "seeds"), [("exact", range(200)), ("shares", range(24))])
def test_budgets(way, seeds, monkeypatch):
    take(way, monkeypatch)
    for seed in seeds:
        covers, cost, people, rules = instance(seed)
        budget = max(9.0, total(cost, rules, rules.fixed))
        best = brute_force(
            covers,
            cost,
            lambda _, chosen: total(cost, rules, chosen) <= budget + 1e-9,  # noqa: B023
            objective=lambda counts, _: people[counts > 0].sum(),  # noqa: B023
            **sides(rules),
        )
        solution = MatrixMaximalCoverage.from_matrix(covers, cost, weight=people, budget=budget, rules=rules).solve(20)
        agrees(solution, best, cost, rules, f"{way} budget")
        assert solution.cost.sum() <= budget + 1e-9


@pytest.mark.parametrize("seed", range(20))
def test_shares_never_exceed_what_a_permitted_selection_pays(seed):
    covers, cost, people, rules = instance(6 * (seed // 2) + 3 * (seed % 2))
    whole = MatrixMaximalCoverage.from_matrix(covers, cost, weight=people, budget=1e6, rules=rules).as_instance()
    if whole.openings is None:
        return
    relaxed = shared_relaxation(whole)
    pairs = rules.conflict_pairs(N).tolist()
    for a in set(range(N)) - set(rules.fixed):
        # Of two columns of a site of which one covers all the other does, no best selection needs both.
        same = [b for b in range(N) if b != a and rules.site_of[b] == rules.site_of[a] >= 0 and b not in rules.fixed]
        pairs += [[a, b] for b in same if not (covers[:, a] & ~covers[:, b]).any()]
    for bits in range(2**N):
        chosen = [column for column in range(N) if bits >> column & 1]
        if not any(a in chosen and b in chosen for a, b in pairs):
            assert relaxed.total_cost(np.array(chosen, int)) <= total(cost, rules, chosen) + 1e-9


def test_the_searches_pay_an_opening_once_and_local_search_only_improves():
    rng = np.random.default_rng(5)
    covers = rng.random((80, 60)) < 0.08
    rules = Rules(site_of=np.arange(60) // 4, opening_cost=rng.integers(4, 12, 15).astype(float))
    problem = MatrixTargetCover.from_matrix(covers, rng.integers(1, 4, 60).astype(float), target=0.9, rules=rules)
    whole = problem.as_instance()
    start = prune(whole, greedy_with_openings(whole))
    assert needs_met(whole, start)
    best = [start]

    def offer(columns):
        better = needs_met(whole, np.unique(columns)) and whole.total_cost(columns) < whole.total_cost(best[-1])
        if better:
            best.append(columns)
        return better

    improve(whole, ladder.Effort(2.0), 1, lambda: best[-1], offer)
    solution = problem.solve(20)
    assert solution.status == "optimal"
    blind = MatrixTargetCover.from_matrix(covers, problem.cost, target=0.9).solve(20)
    assert solution.objective <= whole.total_cost(best[-1]) < whole.total_cost(start)
    assert solution.objective < total(problem.cost, rules, blind.selected.tolist())


def test_empty_single_and_uncoverable():
    rules = Rules(site_of=np.array([0]), opening_cost=5.0)
    one = MatrixSetCover.from_matrix(np.ones((1, 1)), [2.0], rules=rules).solve(5)
    assert (one.objective, one.bound, one.status) == (7.0, 7.0, "optimal")
    none = MatrixSetCover.from_matrix(np.zeros((3, 0)), np.zeros(0), rules=Rules(site_of=np.zeros(0, int))).solve(5)
    assert (none.objective, none.status, len(none.uncoverable_rows)) == (0.0, "optimal", 3)
    two = Rules(site_of=np.array([0, 0]), opening_cost=5.0, fixed=(0,))
    fixed = MatrixSetCover.from_matrix(np.zeros((2, 2)), [1.0, 1.0], rules=two).solve(5)
    assert (fixed.objective, fixed.status, fixed.selected.tolist()) == (6.0, "optimal", [0])
    two = Rules(site_of=np.array([0, 0]), opening_cost=5.0)
    poor = MatrixMaximalCoverage.from_matrix(np.eye(2), [1.0, 1.0], budget=5.5, rules=two).solve(5)
    assert (poor.objective, poor.bound, len(poor.selected)) == (0.0, 0.0, 0)
    both = MatrixMaximalCoverage.from_matrix(np.eye(2), [1.0, 1.0], budget=7.0, rules=two).solve(5)
    assert (both.objective, both.cost.tolist()) == (2.0, [6.0, 1.0])


def test_bad_openings_are_refused():
    covers = np.eye(2)
    for site, cost, words in (
        (np.array([0]), 1.0, "site_of has shape"),
        (np.array([0.5, 1.0]), 1.0, "site_of has shape"),
        (np.array([0, -2]), 1.0, "site_of has -2"),
        (np.array([0, 1]), [1.0], "opening_cost has shape"),
        (np.array([0, 1]), [1.0, np.nan], r"opening_cost\[1\]"),
    ):
        with pytest.raises(ParameterError, match=words):
            MatrixSetCover.from_matrix(covers, rules=Rules(site_of=site, opening_cost=cost)).solve(1)
    rules = Rules(site_of=np.array([0, 0]), opening_cost=5.0, fixed=(0,))
    with pytest.raises(ParameterError, match="fixed columns cost 6"):
        MatrixMaximalCoverage.from_matrix(covers, 1.0, budget=5.0, rules=rules).solve(1)
    bad = Rules(site_of=np.array([0, 1]), opening_cost=[1.0])
    with pytest.raises(ParameterError, match="opening_cost has shape"):
        MatrixRollOut.from_matrix(covers, 1.0, budgets={2025: 5.0}, rules=bad)
    with pytest.raises(ParameterError, match="the fixed columns cost more than the budget of 2025"):
        MatrixRollOut.from_matrix(covers, 1.0, budgets={2025: 5.5}, rules=rules).solve(1)
