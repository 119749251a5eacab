"""Windowed neighbourhood search: free the sites of a small area, solve that area exactly, keep what is better."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from rfplan.kernels.neighbourhood import window_kernel
from rfplan.optimize.effort import TOUCH_S, Effort
from rfplan.optimize.exact import cover_model
from rfplan.optimize.greedy import greedy, remove_redundant
from rfplan.optimize.highs import run_highs
from rfplan.optimize.instance import FloatArray, IntArray
from rfplan.optimize.reduce import FullCover, reduce_full_cover

#: Branch-and-bound nodes allowed a window: past them the window is too large and the next one is made smaller.
NODES = 60
#: Nominal seconds allowed a window.
WINDOW_S = 1.0


def window_search(
    problem: FullCover,
    start: npt.NDArray[np.integer],
    *,
    effort: Effort,
    seed: int = 0,
    max_windows: int = 100_000,
    size: int = 16,
    useful: npt.NDArray[np.bool_] | None = None,
    target: float = -np.inf,
    on_better: Callable[[float], None] | None = None,
) -> IntArray:
    """The best cover found by re-solving windows of `start`; at least as good.

    Window sizes follow branch-and-bound node counts, not the clock, so the same seed walks the same way.

    Parameters
    ----------
    problem
        Full cover.
    start
        A cover.
    effort, max_windows
        Where to stop.
    seed
        Of the windows' places.
    size
        Sites freed at first.
    useful
        Columns worth considering (by reduced cost); None for all.
    target
        Stop once the cost is no more than this.
    on_better
        Called with every better cost.
    """
    matrix = problem.matrix
    m, n = matrix.shape
    best = np.unique(np.asarray(start, np.int32))
    if m == 0 or len(best) == 0:
        return best
    rng = np.random.default_rng(seed)
    seen = np.zeros(m, np.uint8)
    usable = np.ones(n, np.bool_) if useful is None else useful.copy()
    usable[best] = True
    idle = 0
    for _ in range(max_windows):
        cost = float(problem.cost[best].sum())
        if effort.left() <= 0.0 or cost <= target + 1e-9 or idle > 400:
            break
        member = np.zeros(n, np.uint8)
        member[best] = 1
        out = np.empty(size, np.int32)
        row = int(rng.integers(m))
        effort.charge((matrix.nnz + m + n) * TOUCH_S)
        found = window_kernel(
            row,
            min(size, len(best)),
            matrix.row_ptr,
            matrix.row_cols,
            matrix.col_ptr,
            matrix.col_rows,
            member,
            seen,
            out,
        )
        free = np.sort(out[:found])
        new, nodes = _solve_window(
            problem, best, free, usable, effort.slice(1.0, at_most=WINDOW_S), int(rng.integers(2**31))
        )
        if nodes >= NODES:
            size = max(4, int(size * 0.85))
        elif nodes <= 1 and size < len(best):
            size = min(len(best), max(size + 1, int(size * 1.06)))
        idle += 1
        if new is not None and problem.cost[new].sum() <= cost + 1e-9:
            if problem.cost[new].sum() < cost - 1e-9:
                idle = 0
                if on_better is not None:
                    on_better(float(problem.cost[new].sum()))
            best = new
        if found == len(best) and nodes < NODES:
            break  # the window was the whole problem, solved to the end
    return best


def _solve_window(
    problem: FullCover,
    selected: IntArray,
    free: IntArray,
    usable: npt.NDArray[np.bool_],
    effort: Effort,
    seed: int,
) -> tuple[IntArray | None, int]:
    """The selection with the freed columns chosen anew, and the nodes that took; None when no point was found."""
    matrix = problem.matrix
    kept = np.setdiff1d(selected, free)
    residual = problem.required - matrix.rows_covered(kept)
    rows = np.flatnonzero(residual > 0)
    if len(rows) == 0:
        return kept, 0
    allowed = usable.copy()
    allowed[kept] = False
    for pair in problem.conflicts[np.isin(problem.conflicts, kept).any(axis=1)]:
        allowed[pair] = False
    touched = np.unique(np.concatenate([matrix.row_cols[matrix.row_ptr[r] : matrix.row_ptr[r + 1]] for r in rows]))
    columns = touched[allowed[touched]].astype(np.int64)
    number = np.full(matrix.shape[1], -1, np.int64)
    number[columns] = np.arange(len(columns))
    pairs = number[problem.conflicts]
    sub = FullCover(
        matrix=matrix.take(rows, columns),
        cost=problem.cost[columns],
        required=residual[rows].astype(np.int32),
        columns=columns,
        forced=np.zeros(0, np.int32),
        conflicts=pairs[(pairs >= 0).all(axis=1)].reshape(-1, 2),
    )
    small = reduce_full_cover(sub)
    if small.matrix.shape[0] == 0:
        return np.sort(np.concatenate([kept, small.forced])).astype(np.int32), 0
    inner = small.as_instance()
    built = cover_model(inner)
    first = built.point(inner, remove_redundant(inner, greedy(inner))) if len(small.conflicts) == 0 else None
    result = run_highs(built.model, effort=effort, seed=seed, node_limit=NODES, start=first)
    if result.interrupted:
        raise KeyboardInterrupt
    if result.x is None:
        return None, result.nodes
    chosen = small.lift(built.selected(result.x))
    nodes = result.nodes if result.status == "optimal" else max(result.nodes, NODES)
    return np.sort(np.concatenate([kept, chosen])).astype(np.int32), nodes


def reduced_cost_useful(reduced: FloatArray, bound: float, upper: float) -> npt.NDArray[np.bool_]:
    """Columns that a cover cheaper than `upper` may hold: reduced cost at most ``upper − bound``."""
    keep: npt.NDArray[np.bool_] = reduced <= (upper - bound) * (1 + 1e-9) + 1e-9
    return keep
