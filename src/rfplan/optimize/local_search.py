"""Row-weighting local search on a full-cover problem, in chunks so that it stops when asked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from rfplan.kernels.row_weighting import start_kernel, walk_kernel
from rfplan.optimize.effort import TOUCH_S, Effort
from rfplan.optimize.instance import IntArray
from rfplan.optimize.reduce import FullCover

#: Entries a walk touches between two looks at the clock and at Ctrl-C.
CHUNK_TOUCHES = 20_000_000


def row_weighting_search(
    problem: FullCover,
    start: npt.NDArray[np.integer],
    *,
    effort: Effort,
    seed: int = 0,
    max_steps: int = 2**62,
    target: float = -np.inf,
    on_better: Callable[[float], None] | None = None,
) -> IntArray:
    """The best cover a walk from `start` finds; at least as good as `start`.

    Parameters
    ----------
    problem
        Full cover without conflicts between columns.
    start
        A cover to start from.
    effort, max_steps
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
    counters = np.zeros(4, np.int64)
    random = np.array([(seed * 2654435761 + 88172645463325252) % 2**64 or 1], np.uint64)
    start_kernel(data, columns, member, count, weight, score, fresh, lists, counters)
    effort.charge(int(counters[3]) * TOUCH_S)
    total = float(cost[columns].sum())
    totals = np.array([total, total])
    best[columns] = 1
    while counters[2] < max_steps and totals[1] > target + 1e-9:
        before = int(counters[3])
        touches = min(CHUNK_TOUCHES, int(effort.left() / TOUCH_S))
        if touches <= 0:
            break
        steps = min(max_steps - int(counters[2]), 2**31)
        state = (member, count, weight, score, fresh, stamp, lists, counters)
        improved = walk_kernel(data, state, totals, best, random, steps, before + touches)
        effort.charge((int(counters[3]) - before) * TOUCH_S)
        if improved and on_better is not None:
            on_better(float(totals[1]))
        if counters[0] == 0:
            break
    return np.flatnonzero(best).astype(np.int32)
