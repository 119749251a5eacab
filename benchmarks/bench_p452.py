"""P.452-18: a batch of 300-point paths on one core."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from rfplan.profile import PathProfile, Paths
from rfplan.propagation.p452 import P452

PATHS = 400
POINTS = 300


def synthetic_paths() -> Paths:
    rng = np.random.default_rng(0)
    step_m = np.arange(POINTS) * 100.0
    return Paths.concatenate(
        [
            PathProfile(step_m, 200 + np.cumsum(rng.normal(0, 5, POINTS)), np.full(POINTS, 10.0)).paths(
                frequency_mhz=2600.0, tx_height_agl_m=40.0, rx_height_agl_m=10.0
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
@pytest.mark.parametrize("time_percent", [50.0, 1.0])
def test_p452(benchmark, time_percent):
    paths = synthetic_paths()
    model = P452(time_percent=time_percent)
    model.path_loss_db(paths)
    loss = benchmark(model.path_loss_db, paths)
    benchmark.extra_info["paths"] = PATHS
    assert np.isfinite(loss).all()
