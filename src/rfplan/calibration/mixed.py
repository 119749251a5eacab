"""A robust, censored linear model with shrunken group effects, on plain arrays.

``y = X b + sum_g u_g[group] + e``: fixed effects b (offset, slope …), group effects ``u_g ~ N(0, tau_g²)`` (sites,
devices, clutter) and errors e of scale sigma. Outliers are bounded by Huber's weights (Huber 1964); values below a
receiver's limit enter by their conditional expectation (the EM form of Tobin's 1958 model, Dempster, Laird and Rubin
1977); variances are estimated by the EM recursion for mixed models (Laird and Ware 1982), so a group seen often keeps
its own offset and one seen seldom shrinks towards the mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rfplan.errors import ParameterError
from rfplan.kernels.mixed import accumulate, square_sum
from rfplan.propagation.profile_checks import read_only

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

HUBER_K = 1.345  # 95 % efficiency at the normal distribution
HUBER_PSI2 = 0.7101645  # E[psi_k(e)²] for a standard normal e: makes the scale consistent
MAX_ITERATIONS = 500
TOLERANCE_DB = 1e-4


@dataclass(frozen=True)
class MixedFit:
    """What was estimated.

    Attributes
    ----------
    names : tuple of str
        Fixed effects.
    coefficients, standard_errors : ndarray, shape (p,)
        Their estimates and standard errors; a coefficient held at a bound has standard error 0.
    effects : dict of str to ndarray
        Shrunken offset of each level of each grouping, dB.
    sigma_db : float
        Scale of the errors within groups, dB.
    tau_db : dict of str to float
        Standard deviation between the levels of each grouping, dB.
    covariance : ndarray, shape (p, p)
        Covariance of the coefficients.
    n_observed, n_censored, iterations : int
        Rows heard, rows known only to lie below a limit, EM iterations.
    """

    names: tuple[str, ...]
    coefficients: FloatArray
    standard_errors: FloatArray
    effects: dict[str, FloatArray]
    sigma_db: float
    tau_db: dict[str, float]
    covariance: FloatArray
    n_observed: int
    n_censored: int
    iterations: int

    def predict(self, fixed: FloatArray, groups: Mapping[str, npt.NDArray[np.int64]] | None = None) -> FloatArray:
        """Expected value of rows; a level of −1 (never seen) has effect 0, the mean over all levels."""
        result: FloatArray = fixed @ self.coefficients
        for name, level in (groups or {}).items():
            effect = self.effects[name]
            result = result + np.where(level >= 0, effect[np.maximum(level, 0)], 0.0)
        return result


@dataclass(frozen=True, eq=False)
class Problem:
    """Rows and columns of a model, once; every fit to a part of the rows (a fold) uses the same.

    Attributes
    ----------
    y, fixed, censored : ndarray
        As for `fit_mixed`.
    names : tuple of str
        Fixed effects.
    column : int ndarray, shape (n, groups)
        Column of each row's level in each grouping, the largest grouping last; −1 is none.
    where : dict of str to slice
        Columns of each grouping.
    limits : ndarray, shape (2, width)
        Bounds of every column.
    prior : ndarray, shape (2, p)
        Mean and standard deviation of what is known of each coefficient beforehand (infinite: nothing).
    """

    y: FloatArray
    fixed: FloatArray
    names: tuple[str, ...]
    column: IntArray
    where: dict[str, slice]
    limits: FloatArray
    prior: FloatArray
    censored: npt.NDArray[np.bool_]

    @property
    def width(self) -> int:
        """Number of columns."""
        return int(self.limits.shape[1])


def make_problem(
    y: FloatArray,
    fixed: FloatArray,
    names: tuple[str, ...],
    groups: Mapping[str, IntArray],
    *,
    censored: npt.NDArray[np.bool_] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    prior: Mapping[str, tuple[float, float]] | None = None,
) -> Problem:
    """Lay out the columns; parameters as for `fit_mixed`."""
    levels = {name: int(level.max(initial=-1)) + 1 for name, level in groups.items()}
    order = sorted(groups, key=lambda name: levels[name])
    where: dict[str, slice] = {}
    start = p = fixed.shape[1]
    column = np.full((y.size, len(order)), -1, dtype=np.int64)
    for g, name in enumerate(order):
        where[name] = slice(start, start + levels[name])
        column[:, g] = np.where(groups[name] >= 0, groups[name] + start, -1)
        start += levels[name]
    limits = np.full((2, start), [[-np.inf], [np.inf]])
    known = np.full((2, p), [[0.0], [np.inf]])
    for table, target in ((bounds, limits), (prior, known)):
        for name, pair in (table or {}).items():
            if name in names:
                target[:, names.index(name)] = pair
    cens = np.zeros(y.size, dtype=np.bool_) if censored is None else np.asarray(censored, dtype=np.bool_)
    return Problem(
        np.ascontiguousarray(y, dtype=np.float64),
        np.ascontiguousarray(fixed, dtype=np.float64),
        names,
        column,
        where,
        limits,
        known,
        cens,
    )


def _solve(
    dense: FloatArray, cross: FloatArray, last: FloatArray, limits: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Solve the penalised normal equations; the last grouping, whose block is diagonal, is eliminated first.

    Columns that leave their bounds are held there and the rest solved anew. Returns the solution, the diagonal of the
    inverse and the inverse's dense block; held columns have zeros there.
    """
    small = dense.shape[0]
    shared = cross / last[0]
    reduced = dense[:, :small] - shared @ cross.T
    right = dense[:, small] - shared @ last[1]
    held = np.full(small, np.nan)
    while True:
        free = np.isnan(held)
        inverse = np.zeros((small, small))
        solution = np.where(free, 0.0, held)
        inverse[np.ix_(free, free)] = np.linalg.pinv(reduced[np.ix_(free, free)], hermitian=True)
        solution[free] = inverse[np.ix_(free, free)] @ (right[free] - reduced[np.ix_(free, ~free)] @ held[~free])
        outside = free & ((solution < limits[0, :small] - 1e-12) | (solution > limits[1, :small] + 1e-12))
        if not outside.any():
            tail = (last[1] - cross.T @ solution) / last[0]
            tail_variance = 1.0 / last[0] + np.einsum("il,ij,jl->l", shared, inverse, shared, optimize=True)
            return np.concatenate([solution, tail]), np.concatenate([np.diag(inverse), tail_variance]), inverse
        held[outside] = np.clip(solution, limits[0, :small], limits[1, :small])[outside]


def _start(problem: Problem, weight: FloatArray) -> FloatArray:
    heard = ~problem.censored & (weight > 0)
    beta = np.zeros(problem.width)
    p = problem.fixed.shape[1]
    beta[:p] = np.linalg.lstsq(problem.fixed[heard], problem.y[heard], rcond=None)[0]
    clipped: FloatArray = np.clip(beta, problem.limits[0], problem.limits[1])
    return clipped


def solve_problem(
    problem: Problem,
    weight: FloatArray | None = None,
    *,
    start: MixedFit | None = None,
    tolerance_db: float = TOLERANCE_DB,
) -> MixedFit:
    """Estimate by EM.

    Parameters
    ----------
    problem : Problem
        Rows and columns.
    weight : ndarray, shape (n,), optional
        How many rows each row stands for; 0 leaves it out.
    start : MixedFit, optional
        An estimate nearby to start from.
    tolerance_db : float
        Change between two iterations that counts as none, dB.

    Raises
    ------
    ParameterError
        Fewer received rows than fixed effects.
    """
    w = np.ones(problem.y.size) if weight is None else weight
    p, width = problem.fixed.shape[1], problem.width
    n_heard = int((~problem.censored & (w > 0)).sum())
    if n_heard < max(p, 2):
        raise ParameterError(
            f"{n_heard} received measurements can't determine {p} coefficients; give more measurements"
        )
    largest = list(problem.where.values())[-1] if problem.where else slice(width, width)
    small = largest.start
    args = (problem.y, problem.fixed, problem.column, w, read_only(problem.censored))
    if start is None:
        beta, sigma, tau = _start(problem, w), 8.0, dict.fromkeys(problem.where, 8.0)
    else:
        beta = np.concatenate([start.coefficients, *(start.effects[name] for name in problem.where)])
        sigma, tau = start.sigma_db, dict(start.tau_db)
    prior_weight = np.where(np.isfinite(problem.prior[1]), 1.0 / problem.prior[1] ** 2, 0.0)
    iterations, change = 0, np.inf
    inverse = np.zeros((small, small))
    while iterations < MAX_ITERATIONS and change >= tolerance_db:
        iterations += 1
        dense, cross = np.zeros((small, small + 1)), np.zeros((small, width - small))
        last = np.zeros((2, width - small))
        accumulate(*args, beta, np.array([sigma, HUBER_K]), dense, cross, last)
        seen = np.concatenate([np.diag(dense), last[0]]) > 0.0  # a fold may leave a level without rows
        penalty = np.zeros(width)
        penalty[:p] = sigma**2 * prior_weight
        for name, where in problem.where.items():
            penalty[where] = (sigma / max(tau[name], 1e-3)) ** 2
        dense[np.arange(small), np.arange(small)] += penalty[:small]
        dense[:p, small] += penalty[:p] * problem.prior[0]
        last[0] += penalty[small:]
        new, variance, inverse = _solve(dense, cross, last, problem.limits)
        free = variance > 0
        freedom = float(np.sum(1.0 - penalty[free] * variance[free]))
        total, rows = square_sum(*args, beta, new, np.array([sigma, HUBER_K, HUBER_PSI2]))
        new_sigma = max(float(np.sqrt(total / max(rows - freedom, 1.0))), 1e-3)
        for name, where in problem.where.items():
            spread = new[where] ** 2 + sigma * sigma * variance[where]
            tau[name] = float(np.sqrt(spread[seen[where]].mean())) if seen[where].any() else 0.0
        change = max(float(np.abs(new - beta).max()), abs(new_sigma - sigma))
        beta, sigma = new, new_sigma
    covariance = sigma * sigma * inverse[:p, :p]
    return MixedFit(
        names=problem.names,
        coefficients=beta[:p],
        standard_errors=np.sqrt(np.maximum(np.diag(covariance), 0.0)),
        effects={name: beta[where] for name, where in problem.where.items()},
        sigma_db=sigma,
        tau_db=tau,
        covariance=covariance,
        n_observed=n_heard,
        n_censored=int((problem.censored & (w > 0)).sum()),
        iterations=iterations,
    )


def fit_mixed(
    y: FloatArray,
    fixed: FloatArray,
    names: tuple[str, ...],
    groups: Mapping[str, IntArray],
    *,
    censored: npt.NDArray[np.bool_] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    prior: Mapping[str, tuple[float, float]] | None = None,
) -> MixedFit:
    """Estimate the model by EM.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Observed values, dB; for a censored row the limit it lies below.
    fixed : ndarray, shape (n, p)
        Fixed effects' columns.
    names : tuple of str
        Their names.
    groups : mapping of str to int array, shape (n,)
        Level of each row in each grouping, from 0; −1 is none.
    censored : bool array, optional
        Rows known only to lie below ``y``.
    bounds : mapping of str to (low, high), optional
        Physical limits of fixed effects.
    prior : mapping of str to (mean, standard deviation), optional
        What is known of fixed effects beforehand: what the rows can't tell stays there.

    Raises
    ------
    ParameterError
        No observed rows, fewer rows than fixed effects, or values that are not finite.
    """
    if not (np.isfinite(y).all() and np.isfinite(fixed).all()):
        raise ParameterError("measurements or predictors hold values that are not finite; filter them out first")
    return solve_problem(make_problem(y, fixed, names, groups, censored=censored, bounds=bounds, prior=prior))
