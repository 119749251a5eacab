"""The sweep and the exact road over synthetic rough ground, small enough for a smoke run."""

from __future__ import annotations

import numpy as np
import pytest

from rfplan.bench import synthetic_relief
from rfplan.propagation.grid import path_loss_window
from rfplan.propagation.p1812 import P1812


@pytest.mark.parametrize("method", ["sweep", "exact"])
@pytest.mark.parametrize("bands", [1, 3])
def test_window(benchmark, method, bands):
    terrain = synthetic_relief(209, 30.0)
    west, south, east, north = terrain.bounds
    settings = {
        "model": P1812(),
        "frequency_mhz": [700.0, 1800.0, 2600.0][:bands],
        "tx_height_agl_m": 40.0,
        "rx_height_agl_m": 1.5,
        "radius_m": 3_000.0,
        "method": method,
    }
    x, y = (west + east) / 2 + 3.0, (south + north) / 2 - 5.0
    path_loss_window(terrain, x, y, **settings)
    window = benchmark(path_loss_window, terrain, x, y, **settings)
    assert np.isfinite(window.path_loss_db).any()
