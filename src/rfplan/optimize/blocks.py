"""A bound beyond the linear relaxation: split the rows into blocks, share every column's cost among them, and solve
each block to the end. Any cover pays at least every block's optimum, whatever the shares.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rfplan.kernels.neighbourhood import voronoi_kernel
from rfplan.optimize.dual import Prices
from rfplan.optimize.effort import Effort
from rfplan.optimize.exact import cover_model
from rfplan.optimize.highs import run_highs
from rfplan.optimize.reduce import FullCover, reduce_full_cover


def row_blocks(problem: FullCover, rows_per_block: int, seed: int) -> npt.NDArray[np.int32]:
    """A block number for every row: the cells of random seed rows, made more even by re-seeding."""
    matrix = problem.matrix
    m = matrix.shape[0]
    count = max(1, round(m / rows_per_block))
    rng = np.random.default_rng(seed)
    seeds = rng.choice(m, size=count, replace=False).astype(np.int32)
    block = np.empty(m, np.int32)
    for _ in range(6):
        voronoi_kernel(seeds, matrix.row_ptr, matrix.row_cols, matrix.col_ptr, matrix.col_rows, block)
        sizes = np.bincount(block[block >= 0], minlength=count)
        # Move the seeds of the smallest cells into the largest ones.
        small, large = np.argsort(sizes, kind="stable"), np.argsort(-sizes, kind="stable")
        moves = max(1, count // 5)
        for target, source in zip(small[:moves], large[:moves], strict=True):
            if sizes[source] > 2 * max(1, sizes[target]):
                members = np.flatnonzero(block == source)
                seeds[target] = members[int(rng.integers(len(members)))]
    block[block < 0] = 0
    return block


def block_bound(
    problem: FullCover,
    prices: Prices,
    *,
    effort: Effort,
    rows_per_block: int = 500,
    seed: int = 0,
) -> float:
    """Proven lower bound: the sum of the blocks' own bounds, each at least its prices' worth.

    Columns pay each block what its rows' prices are worth there, and the slack goes to the block with the most.
    A block that is not finished in its share of the effort still counts with the bound it has proven.
    """
    matrix = problem.matrix
    m, n = matrix.shape
    if m == 0:
        return 0.0
    block = row_blocks(problem, rows_per_block, seed)
    count = int(block.max()) + 1
    owner = np.repeat(np.arange(n), np.diff(matrix.col_ptr))
    key = owner.astype(np.int64) * count + block[matrix.col_rows]
    pairs, inverse = np.unique(key, return_inverse=True)
    share = np.bincount(inverse, weights=prices.price[matrix.col_rows])
    column_of, block_of = pairs // count, (pairs % count).astype(np.int64)
    total = np.bincount(column_of, weights=share, minlength=n)
    # Overpriced columns are scaled down to their cost; the others' slack is shared in proportion.
    factor = np.where(total > 0, problem.cost / np.maximum(total, 1e-300), 0.0)
    even = 1.0 / np.bincount(column_of, minlength=n)[column_of]
    paid = np.where(total[column_of] > 0, share * factor[column_of], problem.cost[column_of] * even)
    paid *= 1 - 1e-12
    bound = 0.0
    for number in range(count):
        rows = np.flatnonzero(block == number)
        if len(rows) == 0:
            continue
        used = np.flatnonzero(block_of == number)
        part = effort.slice(1.0 / (count - number))
        bound += _bound_of(problem, rows, column_of[used], paid[used], part, seed)
    return bound * (1 - 1e-9)


def _bound_of(
    problem: FullCover,
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    cost: npt.NDArray[np.float64],
    effort: Effort,
    seed: int,
) -> float:
    """What covering these rows costs at least at these costs."""
    sub = FullCover(
        matrix=problem.matrix.take(rows, columns),
        cost=cost,
        required=problem.required[rows],
        columns=np.arange(len(columns)),
        forced=np.zeros(0, np.int32),
        conflicts=np.zeros((0, 2), np.int64),
    )
    small = reduce_full_cover(sub)
    forced = float(cost[small.forced].sum())
    if small.matrix.shape[0] == 0:
        return forced
    result = run_highs(cover_model(small.as_instance()).model, effort=effort, seed=seed)
    if result.interrupted:
        raise KeyboardInterrupt
    return forced + max(0.0, result.bound)
