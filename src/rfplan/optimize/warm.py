"""Compile the solvers' kernels before the clock starts: a first run would otherwise spend its time limit compiling."""

from __future__ import annotations

from functools import cache

import numpy as np


@cache
def warm_up() -> None:
    """Run every kernel once on a problem of four rows; the second call does nothing."""
    from rfplan.optimize.blocks import row_blocks
    from rfplan.optimize.dual import subgradient_prices
    from rfplan.optimize.effort import Effort
    from rfplan.optimize.greedy import greedy, remove_redundant
    from rfplan.optimize.instance import CoverMatrix
    from rfplan.optimize.local_search import row_weighting_search
    from rfplan.optimize.reduce import FullCover, reduce_full_cover
    from rfplan.optimize.windows import window_search

    covers = np.array([[1, 0, 1, 0], [1, 1, 0, 0], [0, 1, 0, 1], [0, 0, 1, 1]])
    problem = FullCover(
        CoverMatrix.from_sparse(covers),
        np.array([1.0, 2.0, 3.0, 4.0]),
        np.ones(4, np.int32),
        np.arange(4),
        np.zeros(0, np.int32),
        np.zeros((0, 2), np.int64),
    )
    reduce_full_cover(problem)
    instance = problem.as_instance()
    start = remove_redundant(instance, greedy(instance))
    effort = Effort(10.0)
    row_weighting_search(problem, start, effort=effort, max_steps=2)
    subgradient_prices(problem, 10.0, effort=effort, max_iterations=2)
    window_search(problem, start, effort=effort, max_windows=1)
    row_blocks(problem, 2, 0)
