"""Full cover from end to end: reduce, split, search, prove. Every step improves the incumbent or the bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from rfplan.optimize.blocks import block_bound
from rfplan.optimize.dual import Prices, lp_prices, priced, subgradient_prices
from rfplan.optimize.effort import TOUCH_S, Effort
from rfplan.optimize.exact import solve_exact
from rfplan.optimize.greedy import greedy, remove_redundant
from rfplan.optimize.instance import IntArray, cost_step, round_up
from rfplan.optimize.local_search import row_weighting_search
from rfplan.optimize.reduce import FullCover, reduce_full_cover, take_columns
from rfplan.optimize.windows import reduced_cost_useful, window_search

#: Up to this many rows and columns branch and bound is tried on the whole component.
EXACT_ROWS, EXACT_COLUMNS = 3000, 10_000
#: The search looks at this many columns a row, the best by reduced cost: the core.
CORE_COLUMNS_PER_ROW = 20
#: Columns a row in the cores that are walked, and the rounds of walks, each twice as long as the last.
CORE_WIDTHS = (3.0, 4.5, 10.0)
WALK_ROUNDS = 4
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

    def useful(self, prices: Prices) -> npt.NDArray[np.bool_]:
        """Columns that a cheaper cover may hold, by their reduced costs."""
        better = self.value - 0.999 * cost_step(self.problem.cost)  # a better cover is better by a step at least
        return reduced_cost_useful(prices.reduced, prices.bound, better)

    def prove(self, bound: float) -> None:
        """Raise the bound (rounded up to a sum of costs) and close the part when it meets the cost."""
        self.bound = max(self.bound, round_up(bound, cost_step(self.problem.cost)))
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


def solve_part(part: Part, effort: Effort, seed: int, report: Callable[[str], None]) -> None:
    """Improve a part's cover and bound until they meet or the effort is spent."""
    problem = part.problem
    m, n = problem.matrix.shape
    if (np.diff(problem.matrix.row_ptr) < problem.required).any():
        part.closed = True  # a row lost its columns to the rules: no cover exists
        return
    instance = problem.as_instance()
    part.offer(remove_redundant(instance, greedy(instance)))
    effort.charge(4 * problem.matrix.nnz * TOUCH_S)
    if not part.complete or (m <= 300 and n <= 300):
        chosen, bound, result = solve_exact(
            instance, effort=effort, seed=seed, start=part.selected if part.complete else None
        )
        if chosen is not None:
            part.offer(chosen)
        part.prove(bound)
        if result.interrupted:
            raise KeyboardInterrupt
        part.closed |= result.status == "infeasible"
        if part.closed or not part.complete:
            return
    first = effort.slice(0.08, at_most=30.0)
    part.offer(row_weighting_search(problem, part.selected, effort=first, seed=seed, max_steps=FIRST_STEPS))
    report("local search")
    prices = _prices(part, effort.slice(0.35))
    part.prove(prices.bound)
    report("dual bound")
    if part.closed:
        return
    useful = part.useful(prices)
    if not (m <= EXACT_ROWS and useful.sum() <= min(EXACT_COLUMNS, 2 * m)):
        _walk_cores(part, prices, useful, effort.slice(0.3), seed)
        report("core local search")
        core = _core(prices, useful, CORE_COLUMNS_PER_ROW * m)
        windows = effort.slice(0.15)
        part.offer(window_search(problem, part.selected, effort=windows, seed=seed, useful=core, target=part.bound))
        part.prove(part.bound)
        report("core windows")
        if part.closed:
            return
        useful = part.useful(prices)
    core = _core(prices, useful, CORE_COLUMNS_PER_ROW * m)
    if m <= EXACT_ROWS and core.sum() <= EXACT_COLUMNS:
        _exact(part, core, effort.slice(0.45), seed, proves=bool((core | ~useful).all()))
        report("branch and bound")
        if part.closed:
            return
    _improve(part, prices, effort, seed, report)


def _improve(part: Part, prices: Prices, effort: Effort, seed: int, report: Callable[[str], None]) -> None:
    """Windows and local search in turn, block bounds of growing size between them."""
    problem = part.problem
    m = problem.matrix.shape[0]
    rows_per_block, turn, block_s = 300, 0, 0.0
    while effort.left() > 0.0 and not part.closed:
        turn += 1
        core = _core(prices, part.useful(prices), CORE_COLUMNS_PER_ROW * m)
        part.offer(
            window_search(
                problem, part.selected, effort=effort.slice(0.3), seed=seed + turn, useful=core, target=part.bound
            )
        )
        part.prove(part.bound)
        report("windows")
        if part.closed or effort.left() <= 0.0:
            return
        if rows_per_block < 2 * m and block_s < effort.left(0.6):
            before = effort.left()
            part.prove(
                block_bound(problem, prices, effort=effort.slice(0.35), rows_per_block=rows_per_block, seed=seed)
            )
            block_s = before - effort.left()
            rows_per_block = int(rows_per_block * 2.2)
            report("block bound")
        elif len(problem.conflicts) == 0:
            _walk_cores(part, prices, part.useful(prices), effort.slice(0.3), seed + 1000 * turn)
            report("core local search")
        else:
            effort.charge(problem.matrix.nnz * TOUCH_S)  # a turn that only repeats windows must end, too
        part.prove(part.bound)


def _prices(part: Part, effort: Effort) -> Prices:
    """Row prices: by linear programming where that can finish, else by subgradient steps."""
    problem = part.problem
    if problem.matrix.nnz <= LP_NONZEROS:
        prices = lp_prices(problem, effort=effort.slice(0.7))
        if prices is not None and prices.bound > 0:
            return prices
    if (problem.required < 1).any():
        return priced(problem, np.zeros(problem.matrix.shape[0]))
    return subgradient_prices(problem, part.value, effort=effort.slice(0.6))


def _core(prices: Prices, useful: npt.NDArray[np.bool_], size: float) -> npt.NDArray[np.bool_]:
    """The useful columns of least reduced cost, at most `size` and ties."""
    if useful.sum() <= size:
        return useful
    limit = np.partition(prices.reduced[useful], int(size))[int(size)]
    core: npt.NDArray[np.bool_] = useful & (prices.reduced <= limit)
    return core


def _walk_cores(part: Part, prices: Prices, useful: npt.NDArray[np.bool_], effort: Effort, seed: int) -> None:
    """Row-weighting walks on cores of several widths, in rounds that grow: which width suits shows only in the walk.

    On a narrow core a step costs little and goes where good covers are; what it leaves out, a wider one holds.
    """
    m = part.problem.matrix.shape[0]
    if len(part.problem.conflicts):
        return
    plain, cores, sizes = _plain(part.problem), [], set()
    for width in CORE_WIDTHS:
        core = _core(prices, useful, width * m)
        if int(core.sum()) not in sizes:
            sizes.add(int(core.sum()))
            cores.append(core)
    walks, share, number = len(cores), effort.left() / 2**WALK_ROUNDS, seed
    for _ in range(WALK_ROUNDS):
        for core in cores:
            if part.closed or effort.left() <= 0.0:
                return
            number += 1
            keep = core.copy()
            keep[part.selected] = True
            kept = np.flatnonzero(keep)
            start = np.searchsorted(kept, part.selected)
            walk = effort.slice(1.0, at_most=share / walks)
            found = row_weighting_search(take_columns(plain, kept), start, effort=walk, seed=number, target=part.bound)
            part.offer(kept[found])
            part.prove(part.bound)
        share *= 2


def _exact(part: Part, useful: npt.NDArray[np.bool_], effort: Effort, seed: int, *, proves: bool) -> None:
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
        start = row_weighting_search(inner, start, effort=effort.slice(0.15), seed=seed, max_steps=400_000)
    part.offer(inner.lift(start))
    first = start if len(inner.conflicts) == 0 else None
    chosen, bound, result = solve_exact(instance, effort=effort, seed=seed, start=first)
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
