"""Subgradient steps with a greedy cover at each: the inner loop of a Lagrangian heuristic for full cover.

After A. Caprara, M. Fischetti and P. Toth, "A heuristic method for the set covering problem", Operations Research 47
(1999): columns are taken by ``γ/μ`` for ``γ > 0`` and ``γ·μ`` otherwise, where ``μ`` counts the rows a column newly
covers and ``γ`` is its cost less those rows' prices.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rfplan.kernels._jit import jit


@jit
def priced_greedy_kernel(
    problem: Any, price: Any, reduced: Any, mu: Any, gamma: Any, count: Any, member: Any, order: Any
) -> int:
    """A cover by Lagrangian greedy; ``order`` receives the columns, ``member`` (uint8) and ``count`` the state.

    Returns the number of columns, or -1 when some row cannot be covered.
    """
    col_ptr, col_rows, row_ptr, row_cols, cost = problem
    m, n = row_ptr.shape[0] - 1, col_ptr.shape[0] - 1
    for row in range(m):
        count[row] = 0
    for column in range(n):
        mu[column] = col_ptr[column + 1] - col_ptr[column]
        gamma[column] = reduced[column]
        member[column] = 0
    left, picked = m, 0
    while left > 0:
        best, best_score = -1, np.inf
        for column in range(n):
            if mu[column] > 0 and member[column] == 0:
                score = gamma[column] / mu[column] if gamma[column] > 0.0 else gamma[column] * mu[column]
                if score < best_score:
                    best, best_score = column, score
        if best < 0:
            return -1
        member[best] = 1
        order[picked] = best
        picked += 1
        for k in range(col_ptr[best], col_ptr[best + 1]):
            row = col_rows[k]
            count[row] += 1
            if count[row] == 1:
                left -= 1
                for q in range(row_ptr[row], row_ptr[row + 1]):
                    other = row_cols[q]
                    mu[other] -= 1
                    gamma[other] += price[row]
    # Drop what became superfluous, dearest first; later picks first among equals.
    for position in range(1, picked):
        column, at = order[position], position
        while at > 0 and cost[order[at - 1]] <= cost[column]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = column
    for position in range(picked):
        column = order[position]
        needed = False
        for k in range(col_ptr[column], col_ptr[column + 1]):
            if count[col_rows[k]] == 1:
                needed = True
                break
        if not needed:
            member[column] = 0
            for k in range(col_ptr[column], col_ptr[column + 1]):
                count[col_rows[k]] -= 1
    return picked


@jit
def subgradient_heuristic_kernel(
    problem: Any,
    price: Any,
    upper: float,
    step: float,
    iterations: int,
    greedy_every: int,
    best_price: Any,
    best_member: Any,
) -> Any:
    """Plain subgradient steps from ``price`` (updated); a greedy cover every `greedy_every` steps (0: never).

    Returns (best bound, cost of the best cover found or infinity); ``best_price`` and ``best_member`` receive them.
    """
    col_ptr, col_rows, row_ptr, _row_cols, cost = problem
    m, n = row_ptr.shape[0] - 1, col_ptr.shape[0] - 1
    reduced, gamma = np.empty(n, np.float64), np.empty(n, np.float64)
    mu, count, order = np.empty(n, np.int64), np.empty(m, np.int32), np.empty(n, np.int32)
    member, gradient = np.empty(n, np.uint8), np.empty(m, np.float64)
    best, best_cost = -np.inf, np.inf
    high, low = -np.inf, np.inf
    for iteration in range(iterations):
        bound = 0.0
        for row in range(m):
            bound += price[row]
            gradient[row] = 1.0
        for column in range(n):
            total = cost[column]
            for k in range(col_ptr[column], col_ptr[column + 1]):
                total -= price[col_rows[k]]
            reduced[column] = total
            if total < 0.0:
                bound += total
                for k in range(col_ptr[column], col_ptr[column + 1]):
                    gradient[col_rows[k]] -= 1.0
        if bound > best:
            best = bound
            best_price[:] = price
        high, low = max(high, bound), min(low, bound)
        if iteration % 20 == 19:
            if high - low > 0.01 * abs(high):
                step *= 0.5
            elif high - low < 0.001 * abs(high):
                step *= 1.5
            step = min(max(step, 1e-4), 1.0)
            high, low = -np.inf, np.inf
        if greedy_every > 0 and iteration % greedy_every == 0:
            picked = priced_greedy_kernel(problem, price, reduced, mu, gamma, count, member, order)
            if picked >= 0:
                total = 0.0
                for column in range(n):
                    if member[column] == 1:
                        total += cost[column]
                if total < best_cost:
                    best_cost = total
                    best_member[:] = member
        norm = 0.0
        for row in range(m):
            norm += gradient[row] * gradient[row]
        if norm == 0.0:
            break
        length = step * max(min(upper, best_cost) - bound, 1e-6) / norm
        for row in range(m):
            price[row] = max(0.0, price[row] + length * gradient[row])
    return best, best_cost
