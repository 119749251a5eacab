"""Every pixel within reach belongs to exactly one wedge."""

from __future__ import annotations

import numpy as np
import pytest

from rfplan.kernels.elementary import atan, exp2, log2
from rfplan.kernels.grid_exact import N_SITE, TX_COL, TX_ROW
from rfplan.kernels.sweep_grid import count_wedges, list_wedge, most_of_wedge, sort_by_range


@pytest.mark.nojit
@pytest.mark.boundscheck
@pytest.mark.parametrize(
    ("row", "col"), [(10.0, 10.0), (10.3, 9.8), (10.5, 10.5), (9.999999999, 10.0), (-0.5, 3.0), (20.0, 0.0)]
)
def test_wedges_part_the_disc(row, col):
    site = np.zeros(N_SITE)
    site[TX_ROW], site[TX_COL] = row, col
    window = np.array([0, 21, 0, 21])
    reach, per_quadrant = 9.7, 11
    seen = np.zeros((21, 21), dtype=int)
    for radial in range(4 * per_quadrant):
        r, c = np.empty(400, dtype=np.int64), np.empty(400, dtype=np.int64)
        n = list_wedge(radial, per_quadrant, site, window, reach, r, c)
        assert n <= most_of_wedge(radial, per_quadrant, reach)
        np.add.at(seen, (r[:n], c[:n]), 1)
        sort_by_range(r[:n], c[:n], site)
        assert (np.diff(np.hypot(r[:n] - row, c[:n] - col)) >= 0).all()
    rr, cc = np.mgrid[0:21, 0:21]
    inside = np.hypot(rr - row, cc - col) <= reach
    at_transmitter = np.hypot(rr - row, cc - col) < 1e-6
    np.testing.assert_array_equal(seen, (inside & ~at_transmitter).astype(int))


def test_counting_agrees_with_listing():
    site = np.zeros(N_SITE)
    site[TX_ROW], site[TX_COL] = 10.25, 9.75
    window = np.array([0, 21, 0, 21])
    counts = np.empty(44, dtype=np.int64)
    count_wedges(np.arange(44), counts, 11, site, window, 9.0)
    rr, cc = np.mgrid[0:21, 0:21]
    assert all(counts[k] <= most_of_wedge(k, 11, 9.0) for k in range(44))
    assert counts.sum() == (np.hypot(rr - 10.25, cc - 9.75) <= 9.0).sum()


@pytest.mark.nojit
def test_log2_exp2_and_atan_hold_double_precision():
    rng = np.random.default_rng(2)
    x = 10.0 ** rng.uniform(-30, 30, 500)
    got = np.array([log2(v) for v in x])
    assert np.abs(got - np.log2(x)).max() < 3e-14
    assert abs(log2(1.0)) == 0.0
    y = rng.uniform(-300, 300, 500)
    got = np.array([exp2(v) for v in y])
    assert np.abs(got / np.exp2(y) - 1.0).max() < 1e-14
    z = rng.uniform(-0.5, 0.5, 500)
    got = np.array([atan(v) for v in z])
    assert np.abs(got / np.arctan(z) - 1.0).max() < 2e-15
