"""The kernels of the mixed model against dense linear algebra and high-precision tails."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_ndtr

from rfplan.calibration.mixed import HUBER_K, fit_mixed, make_problem, solve_problem
from rfplan.kernels.mixed import accumulate, mills_below


@pytest.mark.parametrize("z", [-60.0, -9.0, -8.0, -7.999, -3.0, 0.0, 2.5, 9.0, 40.0])
def test_mills_ratio(z: float) -> None:
    expected = np.exp(-0.5 * z * z - 0.5 * np.log(2 * np.pi) - log_ndtr(z))
    assert mills_below(z) == pytest.approx(expected, rel=1e-11, abs=1e-300)


def dense_normal(problem, weight, beta, sigma):
    """The normal equations written out with one wide matrix."""
    n, p = problem.fixed.shape
    matrix = np.zeros((n, problem.width))
    matrix[:, :p] = problem.fixed
    for g in range(problem.column.shape[1]):
        rows = np.flatnonzero(problem.column[:, g] >= 0)
        matrix[rows, problem.column[rows, g]] = 1.0
    mean = matrix @ beta
    z = (problem.y - mean) / sigma
    ratio = np.exp(-0.5 * z * z - 0.5 * np.log(2 * np.pi) - log_ndtr(z))
    target = np.where(problem.censored, mean - sigma * ratio, problem.y)
    w = weight * np.where(problem.censored, 1.0, HUBER_K / np.maximum(np.abs(z), HUBER_K))
    return (matrix * w[:, None]).T @ matrix, matrix.T @ (w * target)


def test_normal_equations_equal_dense_algebra() -> None:
    rng = np.random.default_rng(0)
    n = 400
    groups = {"site": rng.integers(-1, 5, n), "device": rng.integers(0, 30, n)}
    fixed = np.column_stack([np.ones(n), rng.normal(size=n)])
    problem = make_problem(rng.normal(0, 9, n), fixed, ("a", "b"), groups, censored=rng.random(n) < 0.3)
    beta, weight = rng.normal(0, 3, problem.width), rng.choice([0.0, 1.0, 2.5], n)
    small = problem.where["device"].start
    dense, cross = np.zeros((small, small + 1)), np.zeros((small, 30))
    last = np.zeros((2, 30))
    accumulate(
        problem.y,
        problem.fixed,
        problem.column,
        weight,
        problem.censored,
        beta,
        np.array([6.0, HUBER_K]),
        dense,
        cross,
        last,
    )
    normal, right = dense_normal(problem, weight, beta, 6.0)
    np.testing.assert_allclose(dense[:, :small], normal[:small, :small], atol=1e-9)
    np.testing.assert_allclose(dense[:, small], right[:small], atol=1e-9)
    np.testing.assert_allclose(cross, normal[:small, small:], atol=1e-9)
    np.testing.assert_allclose(last, [np.diag(normal)[small:], right[small:]], atol=1e-9)


def test_a_weight_counts_as_so_many_rows() -> None:
    rng = np.random.default_rng(1)
    y, x = rng.normal(0, 5, 300), rng.normal(size=300)
    fixed, site = np.column_stack([np.ones(300), x]), rng.integers(0, 6, 300)
    weight = rng.integers(0, 4, 300)
    weighted = solve_problem(make_problem(y, fixed, ("a", "b"), {"site": site}), weight.astype(float))
    rows = np.repeat(np.arange(300), weight)
    repeated = fit_mixed(y[rows], fixed[rows], ("a", "b"), {"site": site[rows]})
    np.testing.assert_allclose(weighted.coefficients, repeated.coefficients, atol=1e-8)
    assert weighted.sigma_db == pytest.approx(repeated.sigma_db, abs=1e-8)


def test_a_prior_holds_what_the_rows_cannot_tell() -> None:
    rng = np.random.default_rng(2)
    y = 3.0 + rng.normal(0, 1, 200)
    fixed = np.column_stack([np.ones(200), np.full(200, 1.5)])  # the second column can't be told from the first
    fit = fit_mixed(y, fixed, ("a", "b"), {}, prior={"b": (2.0, 0.001)})
    assert fit.coefficients[1] == pytest.approx(2.0, abs=0.01)
    assert fit.coefficients[0] == pytest.approx(0.0, abs=0.3)


def test_a_start_nearby_ends_at_the_same_place() -> None:
    rng = np.random.default_rng(3)
    y, site = rng.normal(0, 5, 500), rng.integers(0, 8, 500)
    problem = make_problem(y, np.ones((500, 1)), ("a",), {"site": site})
    cold = solve_problem(problem)
    part = solve_problem(problem, (site != 3).astype(float), start=cold)
    assert part.coefficients[0] == pytest.approx(
        solve_problem(problem, (site != 3).astype(float)).coefficients[0], abs=2e-3
    )
    assert part.effects["site"][3] == 0.0
