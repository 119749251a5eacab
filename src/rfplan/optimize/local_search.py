"""Row-weighting local search on a full-cover problem, in chunks so that it stops when asked."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from rfplan.kernels.row_weighting import start_kernel, walk_kernel
from rfplan.optimize.instance import IntArray
from rfplan.optimize.reduce import FullCover


def row_weighting_search(
    problem: FullCover,
    start: npt.NDArray[np.integer],
    *,
    time_limit_s: float,
    seed: int = 0,
    max_steps: int = 10_000_000,
    target: float = -np.inf,
    on_better: Callable[[float], None] | None = None,
) -> IntArray:
    """The best cover a walk from `start` finds; at least as good as `start`.

    The walk is the same for the same seed: the time limit only decides how far along it the answer is read off.

    Parameters
    ----------
    problem
        Full cover without conflicts between columns.
    start
        A cover to start from.
    time_limit_s, max_steps
        Where to stop, whichever comes first.
    seed
        Of the walk.
    target
        Stop once the best costs no more than this (a proven bound).
    on_better
        Called with every better cost, between chunks.
    """
    m, n = problem.matrix.shape
    columns = np.asarray(start, np.int32)
    if m == 0 or n == 0 or len(problem.conflicts):
        return columns
    matrix = problem.matrix
    # A free column would divide by zero in the walk's comparisons; a tiny price keeps it the first choice.
    cost = np.maximum(problem.cost, 1e-9 * max(1.0, float(problem.cost.max())))
    data = (matrix.col_ptr, matrix.col_rows, matrix.row_ptr, matrix.row_cols, problem.required, cost)
    member, best = np.zeros(n, np.uint8), np.zeros(n, np.uint8)
    count, weight = np.zeros(m, np.int32), np.ones(m, np.int64)
    score, stamp = np.zeros(n, np.int64), np.zeros(n, np.int64)
    fresh = np.ones(n, np.uint8)
    lists = (np.zeros(m, np.int32), np.full(m, -1, np.int32), np.zeros(n, np.int32), np.zeros(n, np.int32))
    counters = np.zeros(3, np.int64)
    random = np.array([(seed * 2654435761 + 88172645463325252) % 2**64 or 1], np.uint64)
    start_kernel(data, columns, member, count, weight, score, fresh, lists, counters)
    total = float(cost[columns].sum())
    totals = np.array([total, total])
    best[columns] = 1
    began = time.perf_counter()
    chunk, done = 256, 0
    while done < max_steps and totals[1] > target + 1e-9:
        steps = min(chunk, max_steps - done)
        lap = time.perf_counter()
        improved = walk_kernel(
            data, member, count, weight, score, fresh, stamp, lists, counters, totals, best, random, steps
        )
        done += steps
        now = time.perf_counter()
        if improved and on_better is not None:
            on_better(float(totals[1]))
        if now - began >= time_limit_s or counters[0] == 0:
            break
        if now - lap < 0.05:
            chunk *= 2
    return np.flatnonzero(best).astype(np.int32)
