"""Proven lower bounds of full cover from prices on rows: LP duals or a subgradient search, both made safe."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rfplan.kernels.lagrange import reduced_cost_kernel, start_prices_kernel, step_kernel, subgradient_kernel
from rfplan.optimize.effort import TOUCH_S, Effort
from rfplan.optimize.exact import cover_model
from rfplan.optimize.highs import run_highs
from rfplan.optimize.instance import FloatArray
from rfplan.optimize.reduce import FullCover


@dataclass(frozen=True, eq=False)
class Prices:
    """Row prices with the bound they prove and the columns' reduced costs."""

    price: FloatArray
    bound: float
    reduced: FloatArray


def priced(problem: FullCover, price: FloatArray) -> Prices:
    """The bound any prices >= 0 prove: ``Σ required·price + Σ min(0, reduced cost)``, rounded down safely.

    Weak duality holds whatever the prices, so they may come from anywhere; only the sums' own rounding is allowed for.
    """
    price = np.maximum(price, 0.0)
    reduced = np.empty(problem.matrix.shape[1])
    reduced_cost_kernel(problem.matrix.col_ptr, problem.matrix.col_rows, problem.cost, price, reduced)
    earned = float((problem.required * price).sum())
    paid = float(np.minimum(reduced, 0.0).sum())
    slack = 1e-12 * (earned + abs(paid) + float(np.abs(problem.cost).sum()) * 1e-3)
    return Prices(price, earned + paid - slack, reduced)


def lp_prices(problem: FullCover, *, effort: Effort, interior: bool | None = None) -> Prices | None:
    """Prices from the linear relaxation by HiGHS, or None when it does not finish within the effort.

    `interior` picks the interior-point method without crossover, which suits large sparse covers; by default for more
    than 3,000 rows.
    """
    if problem.matrix.shape[0] == 0:
        return priced(problem, np.zeros(0))
    built = cover_model(problem.as_instance(), relax=True)
    large = problem.matrix.shape[0] > 3000 if interior is None else interior
    options = {"solver": "ipm", "run_crossover": "off"} if large else {}
    result = run_highs(built.model, effort=effort, options=options)
    if result.interrupted:
        raise KeyboardInterrupt
    if result.row_dual is None:
        return None
    return priced(problem, np.maximum(result.row_dual[: problem.matrix.shape[0]], 0.0))


def subgradient_prices(
    problem: FullCover,
    upper: float,
    *,
    effort: Effort,
    max_iterations: int = 100_000,
    start: FloatArray | None = None,
    memory: float = 0.7,
) -> Prices:
    """Prices from deflected subgradient steps; the best bound seen.

    Parameters
    ----------
    problem
        Full cover.
    upper
        Cost of a known cover, which sets the step length.
    effort, max_iterations
        Where to stop.
    start
        Prices to start from.
    memory
        Share of the last direction kept.
    """
    matrix = problem.matrix
    m, n = matrix.shape
    price = np.empty(m)
    if start is None:
        start_prices_kernel(matrix.col_ptr, matrix.col_rows, problem.cost, price)
        price[~np.isfinite(price)] = 0.0
    else:
        price[:] = start
    reduced, gradient, direction = np.empty(n), np.empty(m), np.zeros(m)
    best_price, best = price.copy(), -np.inf
    step, since, window_best, window_worst = 0.5, 0, -np.inf, np.inf
    for iteration in range(max_iterations):
        reduced_cost_kernel(matrix.col_ptr, matrix.col_rows, problem.cost, price, reduced)
        bound = float((problem.required * price).sum() + np.minimum(reduced, 0.0).sum())
        window_best, window_worst = max(window_best, bound), min(window_worst, bound)
        if bound > best:
            if bound > best + 1e-4 * abs(bound):
                since = 0
            best, best_price = bound, price.copy()
        since += 1
        if iteration % 20 == 19:
            spread = (window_best - window_worst) / max(abs(window_best), 1e-9)
            step = step * 0.5 if spread > 0.01 else step * 1.5 if spread < 0.001 else step
            step = min(max(step, 1e-5), 2.0)
            window_best, window_worst = -np.inf, np.inf
        effort.charge(matrix.nnz * TOUCH_S)
        if since > 400 or effort.left() <= 0.0 or best >= upper - 1e-9:
            break
        subgradient_kernel(matrix.col_ptr, matrix.col_rows, problem.required, reduced, gradient)
        step_kernel(price, gradient, direction, memory, step * max(1.02 * upper - bound, 1e-9))
    return priced(problem, best_price)
