"""A finish gives a path the same bits whatever paths it comes with: its kernels may contract products and sums."""

from __future__ import annotations

import numpy as np
import pytest

from random_geometry import random_geometry
from rfplan.kernels.finish import BLOCK
from rfplan.propagation.p452 import P452
from rfplan.propagation.p526 import P526
from rfplan.propagation.p1812 import P1812

MODELS = (P1812(), P1812(time_percent=10.0, location_percent=90.0), P452(time_percent=1.0), P526())


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_same_bits_alone_and_in_company(model):
    geometry = np.tile(random_geometry(300), (1, 8))  # enough for several threads
    bands = [700.0, 3500.0]
    whole = model.finish_db(geometry, bands, "vertical")
    assert np.isfinite(whole).all()
    np.testing.assert_array_equal(whole[:, 300:600], whole[:, :300])  # at other places of their blocks
    for first, n in [(k, 1) for k in range(20)] + [(5, 2), (17, 7), (90, 9), (3, BLOCK - 1), (7, BLOCK + 1), (0, 299)]:
        part = model.finish_db(geometry[:, first : first + n], bands, "vertical")
        np.testing.assert_array_equal(part, whole[:, first : first + n])
