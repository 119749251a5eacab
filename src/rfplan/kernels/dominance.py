"""Dominance between rows and between columns of a covering matrix.

A 64-bit signature of each set (every member sets one bit) rules out most pairs at once: if A is a subset of B then
``signature(A) & ~signature(B) == 0``. What passes is compared member by member.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rfplan.kernels._jit import jit


@jit
def _signature(members: Any, start: int, stop: int) -> Any:
    word = np.uint64(0)
    for k in range(start, stop):
        # A multiplicative hash spreads neighbouring numbers over the bits.
        bit = (np.uint64(members[k]) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(58)
        word |= np.uint64(1) << bit
    return word


@jit
def _contains(members: Any, inner: int, inner_stop: int, outer: int, outer_stop: int) -> bool:
    """Whether the increasing list at `inner` is a subset of the increasing list at `outer`."""
    while inner < inner_stop:
        if inner_stop - inner > outer_stop - outer:
            return False
        value = members[inner]
        while outer < outer_stop and members[outer] < value:
            outer += 1
        if outer == outer_stop or members[outer] != value:
            return False
        inner += 1
        outer += 1
    return True


@jit
def row_dominance_kernel(
    row_ptr: Any, row_cols: Any, col_ptr: Any, col_rows: Any, required: Any, order: Any, keep: Any
) -> int:
    """Clear ``keep`` of each row that another kept row implies.

    Row i is implied by row k when every column of k covers i and i wants no more columns than k: covering k covers i.
    Rows are taken by size, so that a row still kept when its turn comes is minimal and only minimal rows need compare.

    Parameters
    ----------
    row_ptr, row_cols, col_ptr, col_rows
        The matrix both ways, members increasing.
    required : int32 (m,)
        Columns each row wants.
    order : int64 (m,)
        The rows by size, the smaller index first among equals.
    keep : uint8 (m,)
        Rows in play (updated). Rows with no column are left alone.

    Returns
    -------
    int
        How many rows were cleared.
    """
    m = row_ptr.shape[0] - 1
    signature = np.empty(m, np.uint64)
    size = np.empty(m, np.int64)
    for row in range(m):
        size[row] = row_ptr[row + 1] - row_ptr[row]
        signature[row] = _signature(row_cols, row_ptr[row], row_ptr[row + 1])
    cleared = 0
    for position in range(m):
        row = order[position]
        if keep[row] == 0 or size[row] == 0:
            continue
        shortest = row_cols[row_ptr[row]]
        for k in range(row_ptr[row], row_ptr[row + 1]):
            column = row_cols[k]
            if col_ptr[column + 1] - col_ptr[column] < col_ptr[shortest + 1] - col_ptr[shortest]:
                shortest = column
        for k in range(col_ptr[shortest], col_ptr[shortest + 1]):
            other = col_rows[k]
            if other == row or keep[other] == 0 or size[other] < size[row] or required[other] > required[row]:
                continue
            if signature[row] & ~signature[other] != np.uint64(0):
                continue
            if _contains(row_cols, row_ptr[row], row_ptr[row + 1], row_ptr[other], row_ptr[other + 1]):
                keep[other] = 0
                cleared += 1
    return cleared


@jit
def column_dominance_kernel(
    row_ptr: Any, row_cols: Any, col_ptr: Any, col_rows: Any, cost: Any, keep: Any, droppable: Any
) -> int:
    """Clear ``keep`` of each droppable column whose rows another kept column covers at no more cost.

    Among equal columns the one with the smaller index stays. Empty columns are cleared.

    Parameters
    ----------
    row_ptr, row_cols, col_ptr, col_rows
        The matrix both ways, members increasing.
    cost : float64 (n,)
        Cost of each column.
    keep : uint8 (n,)
        Columns in play (updated).
    droppable : uint8 (n,)
        Columns that may be cleared.

    Returns
    -------
    int
        How many columns were cleared.
    """
    n = col_ptr.shape[0] - 1
    signature = np.empty(n, np.uint64)
    for column in range(n):
        signature[column] = _signature(col_rows, col_ptr[column], col_ptr[column + 1])
    cleared = 0
    for column in range(n):
        start, stop = col_ptr[column], col_ptr[column + 1]
        if keep[column] == 0 or droppable[column] == 0:
            continue
        if start == stop:
            keep[column] = 0
            cleared += 1
            continue
        shortest = col_rows[start]
        for k in range(start, stop):
            row = col_rows[k]
            if row_ptr[row + 1] - row_ptr[row] < row_ptr[shortest + 1] - row_ptr[shortest]:
                shortest = row
        for k in range(row_ptr[shortest], row_ptr[shortest + 1]):
            other = row_cols[k]
            if other == column or keep[other] == 0 or cost[other] > cost[column]:
                continue
            length, other_length = stop - start, col_ptr[other + 1] - col_ptr[other]
            if other_length < length or signature[column] & ~signature[other] != np.uint64(0):
                continue
            if other_length == length and cost[other] == cost[column] and other > column:
                continue
            if _contains(col_rows, start, stop, col_ptr[other], col_ptr[other + 1]):
                keep[column] = 0
                cleared += 1
                break
    return cleared
