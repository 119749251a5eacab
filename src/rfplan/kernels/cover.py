"""Set-cover kernels on compressed columns: lazy greedy and removal of redundant columns.

A *covering state* is shared by all of them. Rows are demand points, columns are candidates, ``col_ptr``/``col_rows``
list the rows of each column. ``required[r]`` is how many selected columns row ``r`` needs before it counts (normally
one, two for robust cover). Measures of success are *layers*: layer ``l`` gives row ``r`` the weight
``layer_weight[l, r]`` towards need number ``layer_group[l, r]`` (-1: towards none), and need ``g`` asks for
``need[g]`` in all. One layer with one group is plain or weighted cover; a second layer adds area to people; a layer
with a group a commune holds a floor for every commune.

Numbers are handed on as int64: a constant or an int32 would have the callee compiled once more.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rfplan.kernels._jit import jit


@jit
def _before(key_a: float, item_a: int, key_b: float, item_b: int) -> bool:
    """Heap order: the larger key first, the smaller index first among equals."""
    return key_a > key_b or (key_a == key_b and item_a < item_b)


@jit
def _sift_down(keys: Any, items: Any, size: Any, start: Any) -> None:
    parent = start
    while True:
        child = 2 * parent + 1
        if child >= size:
            return
        right = child + 1
        if right < size and _before(keys[right], items[right], keys[child], items[child]):
            child = right
        if not _before(keys[child], items[child], keys[parent], items[parent]):
            return
        keys[parent], keys[child] = keys[child], keys[parent]
        items[parent], items[child] = items[child], items[parent]
        parent = child


@jit
def column_gain_kernel(
    column: int,
    col_ptr: Any,
    col_rows: Any,
    count: Any,
    required: Any,
    layer_group: Any,
    layer_weight: Any,
    remaining: Any,
    scale: Any,
    truncate: bool,
    scratch: Any,
) -> float:
    """What selecting ``column`` adds, summed over needs, each cut at what it still lacks and divided by ``scale``.

    The cut makes the gain submodular, which is what lets the greedy be lazy. With ``truncate`` false a need still
    open counts in full: rows that want several columns earn part of their weight with each one.
    ``scratch`` is a zeroed float64 array of one entry a need; it is zeroed again on return.
    """
    n_layers = layer_group.shape[0]
    for k in range(col_ptr[column], col_ptr[column + 1]):
        row = col_rows[k]
        if count[row] < required[row]:
            for layer in range(n_layers):
                group = layer_group[layer, row]
                if group >= 0:
                    scratch[group] += layer_weight[layer, row] / required[row]
    gain = 0.0
    if scratch.shape[0] == 1:
        if remaining[0] > 0.0:
            gain = scratch[0] / scale[0]
            if truncate and scratch[0] > remaining[0]:
                gain = remaining[0] / scale[0]
        scratch[0] = 0.0
        return gain
    for k in range(col_ptr[column], col_ptr[column + 1]):
        row = col_rows[k]
        for layer in range(n_layers):
            group = layer_group[layer, row]
            if group >= 0 and scratch[group] > 0.0:
                if remaining[group] > 0.0:
                    part = scratch[group]
                    if truncate and part > remaining[group]:
                        part = remaining[group]
                    gain += part / scale[group]
                scratch[group] = 0.0
    return gain


@jit
def select_kernel(
    column: int,
    col_ptr: Any,
    col_rows: Any,
    count: Any,
    required: Any,
    layer_group: Any,
    layer_weight: Any,
    remaining: Any,
) -> None:
    """Select ``column``: raise the counts of its rows and lower the needs of rows that become covered."""
    for k in range(col_ptr[column], col_ptr[column + 1]):
        row = col_rows[k]
        count[row] += 1
        if count[row] == required[row]:
            for layer in range(layer_group.shape[0]):
                group = layer_group[layer, row]
                if group >= 0:
                    remaining[group] -= layer_weight[layer, row]


@jit
def greedy_kernel(
    col_ptr: Any,
    col_rows: Any,
    count: Any,
    required: Any,
    cost: Any,
    layer_group: Any,
    layer_weight: Any,
    remaining: Any,
    scale: Any,
    tolerance: Any,
    blocked: Any,
    conflict_ptr: Any,
    conflict_cols: Any,
    budget: float,
    truncate: bool,
    order: Any,
) -> int:
    """Lazy greedy: repeatedly select the column with the most gain per cost, until every need is met or nothing helps.

    Gains only fall as columns are selected, so a column whose refreshed key still beats the next stale key is the true
    best; ties go to the smaller index, so the answer equals the plain greedy's. A column of cost zero has key infinity.

    Parameters
    ----------
    col_ptr, col_rows : int64 (n+1,), int32 (nnz,)
        Compressed columns.
    count, required : int32 (m,)
        Covering state (updated) and columns each row wants.
    cost : float64 (n,)
        Cost of each column, >= 0.
    layer_group, layer_weight : int32 (L, m), float64 (L, m)
        Measures, see the module.
    remaining : float64 (G,)
        What each need still lacks (updated).
    scale, tolerance : float64 (G,)
        Divisor of each need's gain; a need is met once ``remaining <= tolerance``.
    blocked : uint8 (n,)
        Columns that may not be selected (updated with conflicts of the selected).
    conflict_ptr, conflict_cols : int64 (n+1,), int32
        Columns that exclude each other.
    budget : float
        Total cost allowed (infinite for none).
    truncate : bool
        See `column_gain_kernel`.
    order : int32 (n,)
        Receives the selected columns in order.

    Returns
    -------
    int
        How many columns were selected.
    """
    n = col_ptr.shape[0] - 1
    scratch = np.zeros(remaining.shape[0], np.float64)
    keys = np.empty(n, np.float64)
    items = np.empty(n, np.int32)
    size: Any = np.int64(0)
    column: Any
    for column in range(n):
        if blocked[column] == 0 and cost[column] <= budget:
            gain = column_gain_kernel(
                column,
                col_ptr,
                col_rows,
                count,
                required,
                layer_group,
                layer_weight,
                remaining,
                scale,
                truncate,
                scratch,
            )
            if gain > 0.0:
                keys[size] = gain / cost[column] if cost[column] > 0.0 else np.inf
                items[size] = column
                size += 1
    for start in range(size // 2 - 1, -1, -1):
        _sift_down(keys, items, size, start)
    selected = 0
    left = budget
    while size > 0:
        unmet = False
        for group in range(remaining.shape[0]):
            if remaining[group] > tolerance[group]:
                unmet = True
                break
        if not unmet:
            break
        column = np.int64(items[0])
        keep = False
        if blocked[column] == 0 and cost[column] <= left:
            gain = column_gain_kernel(
                column,
                col_ptr,
                col_rows,
                count,
                required,
                layer_group,
                layer_weight,
                remaining,
                scale,
                truncate,
                scratch,
            )
            if gain > 0.0:
                keys[0] = gain / cost[column] if cost[column] > 0.0 else np.inf
                keep = True
        if keep:
            best = True
            for child in (1, 2):
                if child < size and _before(keys[child], items[child], keys[0], items[0]):
                    best = False
            if not best:
                _sift_down(keys, items, size, np.int64(0))
                continue
            select_kernel(column, col_ptr, col_rows, count, required, layer_group, layer_weight, remaining)
            order[selected] = column
            selected += 1
            left -= cost[column]
            for k in range(conflict_ptr[column], conflict_ptr[column + 1]):
                blocked[conflict_cols[k]] = 1
        size -= 1
        keys[0] = keys[size]
        items[0] = items[size]
        _sift_down(keys, items, size, np.int64(0))
    return selected


@jit
def redundancy_kernel(
    candidates: Any,
    col_ptr: Any,
    col_rows: Any,
    count: Any,
    required: Any,
    layer_group: Any,
    layer_weight: Any,
    remaining: Any,
    tolerance: Any,
    keep: Any,
) -> int:
    """Drop columns, in the order given, whose loss no need feels; ``keep`` (uint8) is cleared for the dropped.

    ``count`` and ``remaining`` (negative: surplus) describe the selection and are updated.
    Returns how many were dropped.
    """
    n_layers = layer_group.shape[0]
    loss = np.zeros(remaining.shape[0], np.float64)
    dropped = 0
    for index in range(candidates.shape[0]):
        column = candidates[index]
        for k in range(col_ptr[column], col_ptr[column + 1]):
            row = col_rows[k]
            if count[row] == required[row]:
                for layer in range(n_layers):
                    group = layer_group[layer, row]
                    if group >= 0:
                        loss[group] += layer_weight[layer, row]
        removable = True
        for group in range(loss.shape[0]):
            if loss[group] > 0.0 and remaining[group] + loss[group] > tolerance[group]:
                removable = False
                break
        if removable:
            for group in range(loss.shape[0]):
                remaining[group] += loss[group]
            for k in range(col_ptr[column], col_ptr[column + 1]):
                count[col_rows[k]] -= 1
            keep[column] = 0
            dropped += 1
        for group in range(loss.shape[0]):
            loss[group] = 0.0
    return dropped
