"""Longley–Rice point to point: a batch of 300-point paths on one core."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from rfplan.profile import PathProfile, Paths
from rfplan.propagation.itm import ITM

PATHS = 400
POINTS = 300


def synthetic_paths() -> Paths:
    rng = np.random.default_rng(0)
    step_m = np.arange(POINTS) * 50.0
    return Paths.concatenate(
        [
            PathProfile(step_m, 200 + np.cumsum(rng.normal(0, 5, POINTS))).paths(
                frequency_mhz=1800.0, tx_height_agl_m=40.0, rx_height_agl_m=1.5
            )
            for _ in range(PATHS)
        ]
    )


@pytest.fixture
def one_thread():
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    yield
    numba.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_itm_point_to_point(benchmark):
    paths = synthetic_paths()
    model = ITM()
    model.path_loss_db(paths)
    loss = benchmark(model.path_loss_db, paths)
    benchmark.extra_info["microseconds_a_path"] = "mean / " + str(PATHS)
    assert np.isfinite(loss).all()
