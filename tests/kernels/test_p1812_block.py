"""The vector finish against the plain one, over geometries drawn at random."""

from __future__ import annotations

import numpy as np
import pytest

from random_geometry import random_geometry
from rfplan.kernels import p1812
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
