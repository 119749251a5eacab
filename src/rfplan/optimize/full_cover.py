"""Full cover from end to end: reduce, split, search, prove. Every step improves the incumbent or the bound."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from rfplan.optimize.blocks import block_bound
from rfplan.optimize.dual import Prices, lp_prices, priced, subgradient_prices
from rfplan.optimize.exact import solve_exact
from rfplan.optimize.greedy import greedy, remove_redundant
from rfplan.optimize.instance import IntArray
from rfplan.optimize.lagrangian import lagrangian_search
from rfplan.optimize.local_search import row_weighting_search
from rfplan.optimize.reduce import FullCover, reduce_full_cover, take_columns
from rfplan.optimize.windows import reduced_cost_useful, window_search

#: Up to this many rows and columns branch and bound is tried on the whole component.
EXACT_ROWS, EXACT_COLUMNS = 3000, 10_000
#: The search looks at this many columns a row, the best by reduced cost: the core.
CORE_COLUMNS_PER_ROW = 20
#: The Lagrangian heuristic's greedy looks at every column at every pick: for problems up to this many rows.
LAGRANGIAN_ROWS = 3000
#: First local search: enough to settle a small problem, before any bound is known.
FIRST_STEPS = 50_000
#: Above this many nonzeros the linear relaxation is left to subgradient steps.
LP_NONZEROS = 2_000_000


@dataclass
class Part:
    """One component's state: best cover so far (its own columns) and proven bound. Read even after Ctrl-C."""

    problem: FullCover
    selected: IntArray
    complete: bool
    bound: float
    closed: bool = field(default=False)

    @property
    def value(self) -> float:
        """Cost of the best cover, infinite while there is none."""
        return float(self.problem.cost[self.selected].sum()) if self.complete else float("inf")

    def offer(self, columns: npt.NDArray[np.integer]) -> None:
        """Take a cover if it is complete, within the rules, and cheaper."""
        columns = np.unique(columns)
        covered = bool((self.problem.matrix.rows_covered(columns) >= self.problem.required).all())
        clash = bool(np.isin(self.problem.conflicts, columns).all(axis=1).any())
        if covered and not clash and self.problem.cost[columns].sum() < self.value:
            self.selected, self.complete = np.asarray(columns, np.int32), True

    def prove(self, bound: float) -> None:
        """Raise the bound (rounded up where costs are whole) and close the part when it meets the cost."""
        if np.isfinite(bound) and (self.problem.cost == np.round(self.problem.cost)).all():
            bound = float(np.ceil(bound - 1e-6))
        self.bound = max(self.bound, bound)
        if self.complete and self.bound >= self.value - 1e-9 * max(1.0, self.value):
            self.closed = True


def components(problem: FullCover) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Rows and columns of each independent part, in the order of their first rows; conflicts join parts."""
    m, n = problem.matrix.shape
    if m == 0:
        return []
    owner = np.repeat(np.arange(n), np.diff(problem.matrix.col_ptr))
    edges_from = np.concatenate([problem.matrix.col_rows.astype(np.int64), m + problem.conflicts[:, 0]])
    edges_to = np.concatenate([m + owner, m + problem.conflicts[:, 1]])
    graph = sparse.coo_matrix((np.ones(len(edges_from), np.int8), (edges_from, edges_to)), shape=(m + n, m + n))
    _, label = connected_components(graph, directed=False)
    row_order, column_order = np.argsort(label[:m], kind="stable"), np.argsort(label[m:], kind="stable")
    parts = []
    for value in dict.fromkeys(label[:m].tolist()):
        left, right = np.searchsorted(label[:m][row_order], [value, value + 1])
        low, high = np.searchsorted(label[m:][column_order], [value, value + 1])
        parts.append((np.sort(row_order[left:right]), np.sort(column_order[low:high])))
    return parts


def split(problem: FullCover) -> list[FullCover]:
    """The independent parts as problems of their own; their ``columns`` still name the original columns."""
    pieces = components(problem)
    if len(pieces) == 1:
        return [problem]
    parts = []
    for rows, columns in pieces:
        part = take_columns(problem, columns)
        parts.append(
            FullCover(
                part.matrix.take(rows),
                part.cost,
                problem.required[rows],
                part.columns,
                np.zeros(0, np.int32),
                part.conflicts,
            )
        )
    return parts


def solve_part(part: Part, time_limit_s: float, seed: int, report: Callable[[str], None]) -> None:
    """Improve a part's cover and bound until they meet or the time is up."""
    problem = part.problem
    m, n = problem.matrix.shape
    deadline = time.perf_counter() + time_limit_s

    def left(share: float = 1.0) -> float:
        return max(0.0, (deadline - time.perf_counter()) * share)

    if (np.diff(problem.matrix.row_ptr) < problem.required).any():
        part.closed = True  # a row lost its columns to the rules: no cover exists
        return
    instance = problem.as_instance()
    part.offer(remove_redundant(instance, greedy(instance)))
    if not part.complete or (m <= 300 and n <= 300):
        chosen, bound, result = solve_exact(
            instance, time_limit_s=left(), seed=seed, start=part.selected if part.complete else None
        )
        if chosen is not None:
            part.offer(chosen)
        part.prove(bound)
        if result.interrupted:
            raise KeyboardInterrupt
        part.closed |= result.status == "infeasible"
        if part.closed or not part.complete:
            return
    first_s = min(left(0.08), 30.0)
    part.offer(row_weighting_search(problem, part.selected, time_limit_s=first_s, seed=seed, max_steps=FIRST_STEPS))
    report("local search")
    prices = _prices(part, left(0.35))
    part.prove(prices.bound)
    report("dual bound")
    if part.closed:
        return
    useful = reduced_cost_useful(prices.reduced, prices.bound, part.value)
    core = _core(prices, useful, CORE_COLUMNS_PER_ROW * m)
    small = m <= EXACT_ROWS and core.sum() <= EXACT_COLUMNS
    if not (small and core.sum() == useful.sum() and useful.sum() <= 2 * m):
        _search_core(part, core, left(0.1), seed)
        report("core local search")
        _lagrangian(part, core, prices, left(0.2), seed)
        report("Lagrangian heuristic")
        part.offer(
            window_search(problem, part.selected, time_limit_s=left(0.15), seed=seed, useful=core, target=part.bound)
        )
        part.prove(part.bound)
        report("core windows")
        if part.closed:
            return
        useful = reduced_cost_useful(prices.reduced, prices.bound, part.value)
        core &= useful
    if small:
        _exact(part, core, left(0.45), seed, proves=bool((core | ~useful).all()))
        report("branch and bound")
        if part.closed:
            return
    _improve(part, prices, core, left, seed, report)


def _improve(
    part: Part,
    prices: Prices,
    useful: npt.NDArray[np.bool_],
    left: Callable[[float], float],
    seed: int,
    report: Callable[[str], None],
) -> None:
    """Windows and local search in turn, block bounds of growing size between them."""
    problem = part.problem
    m = problem.matrix.shape[0]
    rows_per_block, turn, block_time = 300, 0, 0.0
    while left(1.0) > 0.2 and not part.closed:
        turn += 1
        slice_s = max(0.2, left(0.3))
        part.offer(
            window_search(
                problem, part.selected, time_limit_s=slice_s, seed=seed + turn, useful=useful, target=part.bound
            )
        )
        part.prove(part.bound)
        report("windows")
        if part.closed or left(1.0) <= 0.2:
            return
        if rows_per_block < 2 * m and block_time < 0.6 * left(1.0):
            began = time.perf_counter()
            part.prove(block_bound(problem, prices, time_limit_s=left(0.35), rows_per_block=rows_per_block, seed=seed))
            block_time = time.perf_counter() - began
            rows_per_block = int(rows_per_block * 2.2)
            report("block bound")
        elif turn % 2 and m <= LAGRANGIAN_ROWS:
            _lagrangian(part, useful, prices, left(0.3), seed + turn)
            report("Lagrangian heuristic")
        elif len(problem.conflicts) == 0:
            part.offer(
                row_weighting_search(
                    problem, part.selected, time_limit_s=left(0.3), seed=seed + 1000 * turn, target=part.bound
                )
            )
            report("local search")
        part.prove(part.bound)


def _prices(part: Part, time_limit_s: float) -> Prices:
    """Row prices: by linear programming where that can finish, else by subgradient steps."""
    problem = part.problem
    if problem.matrix.nnz <= LP_NONZEROS:
        prices = lp_prices(problem, time_limit_s=max(0.5, time_limit_s * 0.7))
        if prices is not None and prices.bound > 0:
            return prices
    if (problem.required < 1).any():
        return priced(problem, np.zeros(problem.matrix.shape[0]))
    return subgradient_prices(problem, part.value, time_limit_s=max(0.2, time_limit_s * 0.6))


def _core(prices: Prices, useful: npt.NDArray[np.bool_], size: int) -> npt.NDArray[np.bool_]:
    """The useful columns of least reduced cost, at most `size` and ties."""
    if useful.sum() <= size:
        return useful
    limit = np.partition(prices.reduced[useful], size)[size]
    core: npt.NDArray[np.bool_] = useful & (prices.reduced <= limit)
    return core


def _search_core(part: Part, core: npt.NDArray[np.bool_], time_limit_s: float, seed: int) -> None:
    """Row-weighting search on the core's columns."""
    if len(part.problem.conflicts):
        return
    keep = core.copy()
    keep[part.selected] = True
    kept = np.flatnonzero(keep)
    inner = take_columns(_plain(part.problem), kept)
    start = np.searchsorted(kept, part.selected)
    found = row_weighting_search(inner, start, time_limit_s=time_limit_s, seed=seed + 1, target=part.bound)
    part.offer(kept[found])
    part.prove(part.bound)


def _lagrangian(part: Part, core: npt.NDArray[np.bool_], prices: Prices, time_limit_s: float, seed: int) -> None:
    """Lagrangian heuristic on the core."""
    if part.problem.matrix.shape[0] <= LAGRANGIAN_ROWS:
        part.offer(
            lagrangian_search(
                part.problem,
                part.selected,
                prices.price,
                time_limit_s=time_limit_s,
                seed=seed,
                core=core,
                target=part.bound,
            )
        )
        part.prove(part.bound)


def _exact(part: Part, useful: npt.NDArray[np.bool_], time_limit_s: float, seed: int, *, proves: bool) -> None:
    """Branch and bound on the given columns; its bound counts when they are all that a cheaper cover may hold."""
    keep = useful.copy()
    keep[part.selected] = True
    inner = reduce_full_cover(take_columns(_plain(part.problem), np.flatnonzero(keep)))
    if inner.matrix.shape[0] == 0:
        part.offer(inner.forced)
        if proves:
            part.prove(part.value)
        return
    instance = inner.as_instance()
    start = remove_redundant(instance, greedy(instance))
    if len(inner.conflicts) == 0:
        start = row_weighting_search(inner, start, time_limit_s=time_limit_s * 0.15, seed=seed, max_steps=400_000)
    part.offer(inner.lift(start))
    chosen, bound, result = solve_exact(
        instance,
        time_limit_s=time_limit_s * 0.85,
        seed=seed,
        start=start if len(inner.conflicts) == 0 else None,
    )
    if chosen is not None:
        part.offer(inner.lift(chosen))
    # A cover without a dropped column costs at least `bound`; one with a dropped column at least the incumbent's cost.
    if proves:
        part.prove(min(bound + float(part.problem.cost[inner.forced].sum()), part.value))
    if result.interrupted:
        raise KeyboardInterrupt


def _plain(problem: FullCover) -> FullCover:
    """The same problem with its own columns numbered from 0 and nothing forced, so that `lift` stays inside it."""
    return FullCover(
        problem.matrix,
        problem.cost,
        problem.required,
        np.arange(problem.matrix.shape[1]),
        np.zeros(0, np.int32),
        problem.conflicts,
    )
