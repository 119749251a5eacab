"""Lazy greedy, removal of redundant columns and build order: the first rung of every ladder."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rfplan.kernels.cover import greedy_kernel, redundancy_kernel, select_kernel
from rfplan.optimize.instance import FloatArray, Instance, IntArray


def greedy(
    instance: Instance,
    *,
    price: FloatArray | None = None,
    only: npt.NDArray[np.integer] | None = None,
    start: npt.NDArray[np.integer] | None = None,
) -> IntArray:
    """Columns by the most gain per cost until the needs are met or the budget is spent, in order; fixed ones first.

    Parameters
    ----------
    instance
        The problem.
    price
        Costs to divide by instead of the true ones (Lagrangian costs, for one); the budget is then ignored.
    only
        Restrict the choice to these columns.
    start
        Columns to start from, in order, after the fixed ones.

    Returns
    -------
    int32 columns in the order of selection. Whether the needs are met is for `needs_met` to say.
    """
    matrix = instance.matrix
    count = np.zeros(matrix.shape[0], np.int32)
    remaining = instance.need.copy()
    blocked = instance.blocked.copy()
    if only is not None:
        outside = np.ones(matrix.shape[1], np.uint8)
        outside[only] = 0
        blocked |= outside
    conflict_ptr, conflict_cols = instance.conflict_csr()
    first = list(dict.fromkeys([*instance.fixed.tolist(), *([] if start is None else np.asarray(start).tolist())]))
    for column in first:
        select_kernel(
            column,
            matrix.col_ptr,
            matrix.col_rows,
            count,
            instance.required,
            instance.layer_group,
            instance.layer_weight,
            remaining,
        )
        blocked[column] = 1
        blocked[conflict_cols[conflict_ptr[column] : conflict_ptr[column + 1]]] = 1
    order = np.empty(matrix.shape[1], np.int32)
    cost = np.require(instance.cost if price is None else price, requirements=("C", "W"))
    budget = instance.budget - float(instance.cost[first].sum()) if price is None else np.inf
    selected = greedy_kernel(
        matrix.col_ptr,
        matrix.col_rows,
        count,
        instance.required,
        cost,
        instance.layer_group,
        instance.layer_weight,
        remaining,
        instance.scale,
        instance.tolerance,
        blocked,
        conflict_ptr,
        conflict_cols,
        budget,
        instance.truncate,
        order,
    )
    return np.concatenate([np.array(first, np.int32), order[:selected]]).astype(np.int32)


def remove_redundant(instance: Instance, columns: npt.NDArray[np.integer]) -> IntArray:
    """Columns left after dropping, dearest first, each whose loss no need feels; fixed ones stay. Order is kept."""
    columns = np.asarray(columns, np.int32)
    matrix = instance.matrix
    count = matrix.rows_covered(columns)
    remaining = instance.need - instance.group_totals(count >= instance.required)
    droppable = columns[~np.isin(columns, instance.fixed)]
    sizes = np.diff(matrix.col_ptr)[droppable]
    # Dearest first; among equals the smallest first, then the larger index: the same answer on any machine.
    by_cost = droppable[np.lexsort((-droppable, sizes, -instance.cost[droppable]))].astype(np.int32)
    keep = np.ones(matrix.shape[1], np.uint8)
    redundancy_kernel(
        by_cost,
        matrix.col_ptr,
        matrix.col_rows,
        count,
        instance.required,
        instance.layer_group,
        instance.layer_weight,
        remaining,
        instance.tolerance,
        keep,
    )
    kept: IntArray = columns[keep[columns] == 1]
    return kept


def build_order(instance: Instance, columns: npt.NDArray[np.integer]) -> IntArray:
    """The given columns by falling gain per cost, given those before; those that add nothing come last, by index."""
    free = Instance(
        **{
            **instance.__dict__,
            "need": np.full(len(instance.need), np.inf),
            "budget": np.inf,
            "fixed": np.zeros(0, np.int32),
            "blocked": np.zeros(len(instance.cost), np.uint8),
            "conflicts": np.zeros((0, 2), np.int64),
        }
    )
    # Configurations of a site that share its opening cost are ordered as if each bore its share.
    price = None if instance.openings is None else instance.cost + instance.openings.share
    order = greedy(free, only=columns, price=price)
    rest = np.setdiff1d(columns, order)
    return np.concatenate([order, rest]).astype(np.int32)
