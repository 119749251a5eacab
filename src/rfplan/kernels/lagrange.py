"""Lagrangian bound of full cover: reduced costs, subgradients, and steps along them."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from rfplan.kernels._jit import jit, jit_parallel


@jit_parallel
def reduced_cost_kernel(col_ptr: Any, col_rows: Any, cost: Any, price: Any, reduced: Any) -> None:
    """``reduced[j] = cost[j] − Σ price`` over the rows of column j, summed in row order."""
    for column in numba.prange(col_ptr.shape[0] - 1):
        total = 0.0
        for k in range(col_ptr[column], col_ptr[column + 1]):
            total += price[col_rows[k]]
        reduced[column] = cost[column] - total


@jit
def subgradient_kernel(col_ptr: Any, col_rows: Any, required: Any, reduced: Any, gradient: Any) -> None:
    """``gradient[i] = required[i]`` less the columns of negative reduced cost that cover row i."""
    for row in range(required.shape[0]):
        gradient[row] = required[row]
    for column in range(col_ptr.shape[0] - 1):
        if reduced[column] < 0.0:
            for k in range(col_ptr[column], col_ptr[column + 1]):
                gradient[col_rows[k]] -= 1.0


@jit
def step_kernel(price: Any, gradient: Any, direction: Any, memory: float, length: float) -> None:
    """Move prices along the deflected direction ``memory·direction + (1−memory)·gradient``; prices stay >= 0."""
    norm = 0.0
    for row in range(price.shape[0]):
        direction[row] = memory * direction[row] + (1.0 - memory) * gradient[row]
        if price[row] > 0.0 or direction[row] > 0.0:
            norm += direction[row] * direction[row]
    if norm <= 0.0:
        return
    step = length / norm
    for row in range(price.shape[0]):
        price[row] = max(0.0, price[row] + step * direction[row])


@jit
def start_prices_kernel(col_ptr: Any, col_rows: Any, cost: Any, price: Any) -> None:
    """The classical start: each row's price is the least cost per row among the columns that cover it."""
    for row in range(price.shape[0]):
        price[row] = np.inf
    for column in range(col_ptr.shape[0] - 1):
        size = col_ptr[column + 1] - col_ptr[column]
        for k in range(col_ptr[column], col_ptr[column + 1]):
            price[col_rows[k]] = min(price[col_rows[k]], cost[column] / size)
