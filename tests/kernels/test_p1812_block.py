"""The vector finish against the plain one, over geometries drawn at random."""

from __future__ import annotations

import numpy as np
import pytest

from random_geometry import random_geometry
from rfplan.kernels import ducting_block, p1812
from rfplan.propagation.p1812 import P1812


@pytest.mark.parametrize("time_percent", [50.0, 37.0, 10.0, 1.0])
@pytest.mark.parametrize("location_percent", [50.0, 95.0])
def test_quick_road_equals_plain_road(time_percent, location_percent):
    geometry = random_geometry(300)
    model = P1812(
        time_percent=time_percent, location_percent=location_percent, dct_km=2.0, dcr_km=1.0, entry_sigma_db=3.0
    )
    frequency = [150.0, 700.0, 1800.0, 5900.0]
    for polarization in ("vertical", "horizontal"):
        quick = model.finish_db(geometry, frequency, polarization)
        bands = model.finish_bands(frequency, polarization)
        for b in range(len(frequency)):
            parts = np.empty((300, p1812.N_PARTS))
            p1812.p1812_parts_pairs(
                geometry, np.arange(300), np.repeat(bands[b : b + 1], 300, axis=0), model.finish_parameters(), parts
            )
            np.testing.assert_allclose(quick[b], parts[:, -1], atol=1e-7, rtol=0)


def test_least_time_of_ducting_is_no_more_than_any():
    # P.1812-8 equations 50 and 51 at p = 50 %, any beta that mu_1 to mu_3 <= 1 leave
    rng = np.random.default_rng(7)
    n = 200_000
    latitude = rng.uniform(-90.0, 90.0, n)
    top = np.where(np.abs(latitude) <= 70.0, 1.67 - 0.015 * np.abs(latitude), np.log10(4.17))
    log_beta = top - np.concatenate([rng.uniform(0.0, 0.2, n // 2), rng.uniform(0.0, 60.0, n - n // 2)])
    d = rng.uniform(0.01, 50.0, n)
    gamma = 1.076 / (2.0058 - log_beta) ** 1.012
    gamma *= np.exp(-(9.51 - 4.8 * log_beta + 0.198 * log_beta**2) * 1e-6 * d**1.13)
    ratio = np.log10(50.0) - log_beta
    added = -12.0 + (1.2 + 3.7e-3 * d) * ratio + 12.0 * 10.0 ** (gamma * ratio)
    least = np.array([ducting_block.least_time_db(v) for v in latitude])
    assert (least <= added).all()
    assert (added - least).min() < 1.0  # and no less than it must be
