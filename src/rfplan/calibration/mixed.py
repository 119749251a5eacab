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
from scipy.special import log_ndtr

from rfplan.errors import ParameterError

FloatArray = npt.NDArray[np.float64]

HUBER_K = 1.345  # 95 % efficiency at the normal distribution
HUBER_PSI2 = 0.7101645  # E[psi_k(e)²] for a standard normal e: makes the scale consistent
MAX_ITERATIONS = 500
TOLERANCE_DB = 1e-5


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
    n_observed, n_censored, iterations : int
        Rows heard, rows known only to lie below a limit, EM iterations.
    """

    names: tuple[str, ...]
    coefficients: FloatArray
    standard_errors: FloatArray
    effects: dict[str, FloatArray]
    sigma_db: float
    tau_db: dict[str, float]
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


def _design(
    fixed: FloatArray, groups: Mapping[str, npt.NDArray[np.int64]], levels: Mapping[str, int]
) -> tuple[FloatArray, dict[str, slice]]:
    n, p = fixed.shape
    width = p + sum(levels.values())
    matrix = np.zeros((n, width))
    matrix[:, :p] = fixed
    columns: dict[str, slice] = {}
    start = p
    for name, level in groups.items():
        columns[name] = slice(start, start + levels[name])
        rows = np.flatnonzero(level >= 0)
        matrix[rows, start + level[rows]] = 1.0
        start += levels[name]
    return matrix, columns


def _censored_moments(limit: FloatArray, mean: FloatArray, sigma: float) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of a normal variable known to lie below a limit."""
    z = (limit - mean) / sigma
    # log form: far below the limit's tail the plain ratio phi/Phi is 0/0
    ratio = np.exp(-0.5 * z * z - 0.5 * np.log(2 * np.pi) - log_ndtr(z))
    expected = mean - sigma * ratio
    variance = sigma * sigma * np.clip(1.0 - z * ratio - ratio * ratio, 0.0, 1.0)
    return expected, variance


def _solve(
    matrix: FloatArray, weight: FloatArray, target: FloatArray, penalty: FloatArray, bounds: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Penalised weighted least squares; effects that leave their bounds are held there and the rest solved anew."""
    held = np.full(matrix.shape[1], np.nan)
    while True:
        free = np.isnan(held)
        residual = target - matrix[:, ~free] @ held[~free]
        part = matrix[:, free]
        normal = (part * weight[:, None]).T @ part + np.diag(penalty[free])
        inverse = np.linalg.pinv(normal, hermitian=True)
        solution = held.copy()
        solution[free] = inverse @ (part.T @ (weight * residual))
        low, high = bounds
        outside = free & ((solution < low - 1e-12) | (solution > high + 1e-12))
        if not outside.any():
            covariance = np.zeros((matrix.shape[1], matrix.shape[1]))
            covariance[np.ix_(free, free)] = inverse
            return solution, covariance
        held[outside] = np.clip(solution, low, high)[outside]


def fit_mixed(
    y: FloatArray,
    fixed: FloatArray,
    names: tuple[str, ...],
    groups: Mapping[str, npt.NDArray[np.int64]],
    *,
    censored: npt.NDArray[np.bool_] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
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

    Raises
    ------
    ParameterError
        No observed rows, fewer rows than fixed effects, or values that are not finite.
    """
    cens = np.zeros(y.size, dtype=bool) if censored is None else censored
    if not (~cens).sum() >= max(fixed.shape[1], 2):
        raise ParameterError(
            f"{(~cens).sum()} received measurements can't determine {fixed.shape[1]} coefficients; "
            "give more measurements"
        )
    if not (np.isfinite(y).all() and np.isfinite(fixed).all()):
        raise ParameterError("measurements or predictors hold values that are not finite; filter them out first")
    levels = {name: int(level.max(initial=-1)) + 1 for name, level in groups.items()}
    matrix, columns = _design(fixed, groups, levels)
    limits = np.full((2, matrix.shape[1]), [[-np.inf], [np.inf]])
    for name, (low, high) in (bounds or {}).items():
        if name in names:
            limits[:, names.index(name)] = low, high
    observed = ~cens
    sigma, tau = 8.0, dict.fromkeys(groups, 8.0)
    beta = np.zeros(matrix.shape[1])
    beta[: fixed.shape[1]] = np.linalg.lstsq(fixed[observed], y[observed], rcond=None)[0]
    beta = np.clip(beta, limits[0], limits[1])
    covariance = np.zeros((beta.size, beta.size))
    iterations = 0
    while iterations < MAX_ITERATIONS:
        iterations += 1
        mean = matrix @ beta
        target, spread = y.copy(), np.zeros_like(y)
        target[cens], spread[cens] = _censored_moments(y[cens], mean[cens], sigma)
        weight = np.ones_like(y)
        scaled = np.abs(y[observed] - mean[observed]) / sigma
        weight[observed] = HUBER_K / np.maximum(scaled, HUBER_K)
        penalty = np.zeros(beta.size)
        for name, where in columns.items():
            penalty[where] = (sigma / max(tau[name], 1e-3)) ** 2
        new, inverse = _solve(matrix, weight, target, penalty, limits)
        covariance = sigma * sigma * inverse
        residual = target - matrix @ new
        square = (weight * residual) ** 2 / HUBER_PSI2
        square[cens] = residual[cens] ** 2 + spread[cens]
        freedom = float(np.sum(inverse * ((matrix * weight[:, None]).T @ matrix)))
        new_sigma = float(np.sqrt(square.sum() / max(y.size - freedom, 1.0)))
        for name, where in columns.items():
            u = new[where]
            tau[name] = float(np.sqrt((u @ u + np.trace(covariance[where, where])) / max(u.size, 1)))
        change = max(float(np.abs(new - beta).max()), abs(new_sigma - sigma))
        beta, sigma = new, max(new_sigma, 1e-3)
        if change < TOLERANCE_DB:
            break
    p = fixed.shape[1]
    return MixedFit(
        names=names,
        coefficients=beta[:p],
        standard_errors=np.sqrt(np.maximum(np.diag(covariance)[:p], 0.0)),
        effects={name: beta[where] for name, where in columns.items()},
        sigma_db=sigma,
        tau_db=dict(tau),
        n_observed=int(observed.sum()),
        n_censored=int(cens.sum()),
        iterations=iterations,
    )
