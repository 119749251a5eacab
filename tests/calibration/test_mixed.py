"""The estimator recovers what simulated measurements were made from."""

from __future__ import annotations

import numpy as np
import pytest

from rfplan.calibration.mixed import fit_mixed
from rfplan.errors import ParameterError

OFFSET, SLOPE, SIGMA, TAU = 12.0, -7.0, 6.0, 9.0


def simulate(seed: int, n: int = 3000, sites: int = 16, outliers: float = 0.0):
    rng = np.random.default_rng(seed)
    site = rng.integers(0, sites, n)
    offset = rng.normal(0, TAU, sites)
    x = rng.uniform(-1, 1.3, n)  # log10 of the distance in km
    y = OFFSET + SLOPE * x + offset[site] + rng.normal(0, SIGMA, n)
    bad = rng.random(n) < outliers
    y[bad] += rng.normal(-40, 20, bad.sum())
    return y, np.column_stack([np.ones(n), x]), site.astype(np.int64), offset


@pytest.mark.parametrize("seed", range(5))
def test_slope_and_sigma_within_their_confidence(seed: int) -> None:
    y, fixed, site, offset = simulate(seed)
    fit = fit_mixed(y, fixed, ("offset", "slope"), {"site": site})
    assert abs(fit.coefficients[1] - SLOPE) < 3.5 * fit.standard_errors[1]
    assert abs(fit.coefficients[0] - OFFSET - offset.mean()) < 3.5 * fit.standard_errors[0]
    assert fit.sigma_db == pytest.approx(SIGMA, rel=0.06)
    assert fit.tau_db["site"] == pytest.approx(offset.std(), rel=0.2)


def test_standard_errors_mean_what_they_say() -> None:
    z = []
    for seed in range(40):
        y, fixed, site, _ = simulate(seed, n=400)
        fit = fit_mixed(y, fixed, ("offset", "slope"), {"site": site})
        z.append((fit.coefficients[1] - SLOPE) / fit.standard_errors[1])
    assert 0.7 < np.std(z) < 1.35
    assert abs(np.mean(z)) < 0.5


def test_one_in_ten_outliers_move_the_slope_little() -> None:
    y, fixed, site, _ = simulate(3, outliers=0.1)
    robust = fit_mixed(y, fixed, ("offset", "slope"), {"site": site})
    plain = np.linalg.lstsq(fixed, y, rcond=None)[0]
    assert abs(robust.coefficients[1] - SLOPE) < 0.8
    assert abs(robust.coefficients[0] - OFFSET) < abs(plain[0] - OFFSET) + 3.0
    assert robust.sigma_db < 9.5


def test_censoring_is_undone() -> None:
    y, fixed, site, _ = simulate(1)
    limit = 8.0
    censored = y < limit
    seen = np.where(censored, limit, y)
    tobit = fit_mixed(seen, fixed, ("offset", "slope"), {"site": site}, censored=censored)
    heard = fit_mixed(y[~censored], fixed[~censored], ("offset", "slope"), {"site": site[~censored]})
    assert abs(tobit.coefficients[1] - SLOPE) < 4 * tobit.standard_errors[1]
    assert tobit.sigma_db == pytest.approx(SIGMA, rel=0.08)
    # what a fit to the received packets alone gets wrong: the slope flattens and sigma shrinks
    assert abs(heard.coefficients[1] - SLOPE) > 2 * abs(tobit.coefficients[1] - SLOPE)
    assert heard.sigma_db < 0.9 * SIGMA


def test_a_site_seen_once_shrinks_towards_the_mean() -> None:
    y, fixed, site, _ = simulate(2, n=600)
    y = np.append(y, y.mean() + 30.0)
    fixed = np.vstack([fixed, [1.0, 0.0]])
    site = np.append(site, site.max() + 1)
    fit = fit_mixed(y, fixed, ("offset", "slope"), {"site": site})
    residual = y[-1] - fit.coefficients[0]
    assert 0.3 * residual < fit.effects["site"][-1] < 0.9 * residual
    assert fit.predict(np.array([[1.0, 0.0]]), {"site": np.array([-1])})[0] == pytest.approx(fit.coefficients[0])


def test_bounds_hold_and_the_rest_adapts() -> None:
    y, fixed, site, _ = simulate(4)
    fit = fit_mixed(y, fixed, ("offset", "slope"), {"site": site}, bounds={"slope": (-3.0, 20.0)})
    assert fit.coefficients[1] == -3.0
    assert fit.standard_errors[1] == 0.0


def test_too_little_data_is_said() -> None:
    with pytest.raises(ParameterError, match="give more measurements"):
        fit_mixed(np.zeros(1), np.ones((1, 2)), ("a", "b"), {})
