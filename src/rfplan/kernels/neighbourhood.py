"""Neighbourhoods in a covering matrix: windows round a row and partitions into compact blocks."""

from __future__ import annotations

from typing import Any

import numpy as np

from rfplan.kernels._jit import jit


@jit
def window_kernel(
    start: int, wanted: int, row_ptr: Any, row_cols: Any, col_ptr: Any, col_rows: Any, member: Any, seen: Any, out: Any
) -> int:
    """The members nearest to row `start`, breadth first over shared rows; ``out`` receives up to `wanted` columns.

    ``seen`` is a zeroed uint8 (m,) mask of rows; it is zeroed again on return. Returns how many were found.
    """
    m = row_ptr.shape[0] - 1
    queue = np.empty(m, np.int32)
    taken = np.zeros(col_ptr.shape[0] - 1, np.uint8)
    queue[0] = start
    seen[start] = 1
    head, tail, found = 0, 1, 0
    while head < tail and found < wanted:
        row = queue[head]
        head += 1
        for k in range(row_ptr[row], row_ptr[row + 1]):
            column = row_cols[k]
            if taken[column] == 1:
                continue
            taken[column] = 1
            if member[column] == 1:
                out[found] = column
                found += 1
                if found == wanted:
                    break
            for q in range(col_ptr[column], col_ptr[column + 1]):
                other = col_rows[q]
                if seen[other] == 0:
                    seen[other] = 1
                    queue[tail] = other
                    tail += 1
    for position in range(tail):
        seen[queue[position]] = 0
    return found


@jit
def voronoi_kernel(seeds: Any, row_ptr: Any, row_cols: Any, col_ptr: Any, col_rows: Any, block: Any) -> None:
    """Give every row the number of the seed row nearest to it, breadth first over shared columns; -1 if unreachable."""
    m = row_ptr.shape[0] - 1
    queue = np.empty(m, np.int32)
    used = np.zeros(col_ptr.shape[0] - 1, np.uint8)
    block[:] = -1
    tail = 0
    for number in range(seeds.shape[0]):
        if block[seeds[number]] < 0:
            block[seeds[number]] = number
            queue[tail] = seeds[number]
            tail += 1
    head = 0
    while head < tail:
        row = queue[head]
        head += 1
        for k in range(row_ptr[row], row_ptr[row + 1]):
            column = row_cols[k]
            if used[column] == 1:
                continue
            used[column] = 1
            for q in range(col_ptr[column], col_ptr[column + 1]):
                other = col_rows[q]
                if block[other] < 0:
                    block[other] = block[row]
                    queue[tail] = other
                    tail += 1
