"""Normal equations and squares of a robust, censored mixed model, row by row (see `rfplan.calibration.mixed`)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from rfplan.kernels._jit import jit

FloatArray = npt.NDArray[np.float64]

_SQRT2 = math.sqrt(2.0)
_SQRT2PI = math.sqrt(2.0 * math.pi)


@jit
def mills_below(z: float) -> float:
    """phi(z) / Phi(z) of the standard normal; by its continued fraction far below, where both vanish."""
    if z > -8.0:
        return math.exp(-0.5 * z * z) / _SQRT2PI / (0.5 * math.erfc(-z / _SQRT2))
    t = -z
    tail = 0.0
    for k in range(30, 0, -1):
        tail = k / (t + tail)
    return t + tail


@jit
def row_mean(i: int, fixed: Any, column: Any, beta: Any) -> float:
    """Expected value of a row: fixed effects and the effects of its groups (column −1: none)."""
    mean = 0.0
    for j in range(fixed.shape[1]):
        mean += fixed[i, j] * beta[j]
    for g in range(column.shape[1]):
        if column[i, g] >= 0:
            mean += beta[column[i, g]]
    return mean


@jit
def accumulate(
    y: Any,
    fixed: Any,
    column: Any,
    weight: Any,
    censored: Any,
    beta: Any,
    scales: Any,
    dense: Any,
    cross: Any,
    last: Any,
) -> None:
    """Add up the weighted normal equations at the present estimate.

    ``dense`` (s, s + 1) holds fixed effects and all groups but the last, with the right side in its last column;
    ``last`` (2, l) diagonal and right side of the last group, ``cross`` (s, l) what joins them. ``scales`` is
    (sigma, Huber's k).
    """
    sigma, k = scales[0], scales[1]
    small = dense.shape[0]
    p = fixed.shape[1]
    n_groups = column.shape[1]
    place = np.empty(p + n_groups, dtype=np.int64)
    value = np.empty(p + n_groups)
    for i in range(y.size):
        if weight[i] == 0.0:
            continue
        mean = row_mean(i, fixed, column, beta)
        if censored[i]:
            target, w = mean - sigma * mills_below((y[i] - mean) / sigma), weight[i]
        else:
            target, w = y[i], weight[i] * k / max(abs(y[i] - mean) / sigma, k)
        count = 0
        tail = -1
        for j in range(p):
            place[count], value[count] = j, fixed[i, j]
            count += 1
        for g in range(n_groups):
            if column[i, g] >= small:
                tail = column[i, g] - small
            elif column[i, g] >= 0:
                place[count], value[count] = column[i, g], 1.0
                count += 1
        for a in range(count):
            wa = w * value[a]
            for b in range(count):
                dense[place[a], place[b]] += wa * value[b]
            dense[place[a], small] += wa * target
            if tail >= 0:
                cross[place[a], tail] += wa
        if tail >= 0:
            last[0, tail] += w
            last[1, tail] += w * target


@jit
def square_sum(
    y: Any, fixed: Any, column: Any, weight: Any, censored: Any, old: Any, new: Any, scales: Any
) -> tuple[float, float]:
    """Sum of squared residuals at the new estimate (weights at the old one) and the number of rows, weights counted.

    ``scales`` is (sigma, Huber's k, E psi²): bounded squares are divided by the last, so that the scale is that of
    the normal core; a censored row adds the variance of what lies below its limit.
    """
    sigma, k, psi2 = scales[0], scales[1], scales[2]
    total = 0.0
    rows = 0.0
    for i in range(y.size):
        if weight[i] == 0.0:
            continue
        rows += weight[i]
        before = row_mean(i, fixed, column, old)
        after = row_mean(i, fixed, column, new)
        if censored[i]:
            z = (y[i] - before) / sigma
            ratio = mills_below(z)
            residual = before - sigma * ratio - after
            spread = min(max(1.0 - z * ratio - ratio * ratio, 0.0), 1.0)
            total += weight[i] * (residual * residual + sigma * sigma * spread)
        else:
            bounded = k / max(abs(y[i] - before) / sigma, k) * (y[i] - after)
            total += weight[i] * bounded * bounded / psi2
    return total, rows


__all__ = ["FloatArray", "accumulate", "mills_below", "row_mean", "square_sum"]
