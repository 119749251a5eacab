"""Covering kernels and the ladder on synthetic radio instances.

``pytest benchmarks/bench_cover.py`` times the kernels on a small instance;
``python benchmarks/bench_cover.py A|B|C full|budget|target seconds`` runs a whole solve and prints its proof.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from synthetic_cover import SIZES, radio_instance

from rfplan.optimize.greedy import greedy, remove_redundant
from rfplan.optimize.problems import MatrixMaximalCoverage, MatrixSetCover, MatrixTargetCover
from rfplan.optimize.reduce import FullCover, reduce_full_cover

SMALL = {"n_candidates": 800, "n_pixels": 30_000, "rows_per_candidate": 600}


def _full(covers, cost):
    import numpy as np

    problem = MatrixSetCover.from_matrix(covers, cost)
    n = problem.matrix.shape[1]
    return FullCover(
        problem.matrix, problem.cost, problem.required, np.arange(n), np.zeros(0, np.int32), np.zeros((0, 2), np.int64)
    )


def test_lazy_greedy(benchmark):
    covers, cost, _ = radio_instance(**SMALL)
    instance = _full(covers, cost).as_instance()
    greedy(instance)
    chosen = benchmark(greedy, instance)
    assert (instance.matrix.rows_covered(chosen) >= 1).all()


def test_redundancy_removal(benchmark):
    covers, cost, _ = radio_instance(**SMALL)
    instance = _full(covers, cost).as_instance()
    chosen = greedy(instance)
    kept = benchmark(remove_redundant, instance, chosen)
    assert len(kept) <= len(chosen)


def test_reductions(benchmark):
    covers, cost, _ = radio_instance(**SMALL)
    problem = _full(covers, cost)
    reduce_full_cover(problem)
    small = benchmark(reduce_full_cover, problem)
    assert small.matrix.shape[0] < problem.matrix.shape[0] / 5


def main(size, kind, time_limit_s):
    covers, cost, people = radio_instance(**SIZES[size])
    print(f"{size}: {covers.shape[1]:,} candidates x {covers.shape[0]:,} pixels, {covers.nnz:,} pairs (synthetic)")

    def show(stage, value, bound):
        print(f"  {stage:28s} {value:14.1f} {bound:14.1f}", flush=True)

    if kind == "full":
        problem = MatrixSetCover.from_matrix(covers, cost)
    elif kind == "budget":
        problem = MatrixMaximalCoverage.from_matrix(covers, cost, weight=people, budget=0.2 * FULL_COVER_COST[size])
    else:
        problem = MatrixTargetCover.from_matrix(covers, cost, weight=people, target=0.98)
    found = problem.solve(time_limit_s, seed=1, progress=show)
    memory_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{kind}: {found.objective:.1f}, bound {found.bound:.1f}, gap {100 * found.gap:.3f} %, "
        f"{len(found.selected)} sites, verified {found.verified}, {found.time_s:.1f} s, {memory_gb:.2f} GB"
    )


#: About what a full cover costs: budgets are a fifth of it.
FULL_COVER_COST = {"A": 41_000.0, "B": 82_000.0, "C": 79_000.0}

if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
