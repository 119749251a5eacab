"""P.1812 on profiles given as arrays: one core, one frequency, 300 points."""

from __future__ import annotations

import numpy as np
import pytest

from rfplan.profile import PathProfile
from rfplan.propagation.p1812 import P1812


@pytest.mark.parametrize("time_percent", [50.0, 10.0])
def test_batch_of_paths(benchmark, time_percent):
    rng = np.random.default_rng(1)
    profile = PathProfile(np.arange(300) * 50.0, np.abs(np.cumsum(rng.normal(0, 8, 300))), np.full(300, 10.0))
    # differing heights: every path has a geometry of its own
    paths = profile.paths(
        frequency_mhz=np.full(500, 1800.0), tx_height_agl_m=np.linspace(20, 60, 500), rx_height_agl_m=1.5
    )
    model = P1812(time_percent=time_percent)
    model.path_loss_db(paths)
    loss = benchmark(model.path_loss_db, paths)
    assert np.isfinite(loss).all()
