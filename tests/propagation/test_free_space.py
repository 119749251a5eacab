from __future__ import annotations

import numpy as np
import pytest

from rfplan.errors import ParameterError
from rfplan.profile import Paths
from rfplan.propagation.free_space import FreeSpace, free_space_loss_db


def test_published_form():
    # P.525-4, equation 4: 32.4 + 20 log f(MHz) + 20 log d(km), rounded to 0.05 dB there
    assert free_space_loss_db(1000.0, 1000.0) == pytest.approx(32.4 + 60.0, abs=0.05)


def test_doubling_distance_costs_6_db():
    loss = free_space_loss_db([100.0, 200.0], 900.0)
    assert np.diff(loss) == pytest.approx(20 * np.log10(2.0))


def test_model_uses_the_slant_distance():
    loss = FreeSpace().path_loss_db(Paths.from_distance([30.0], 900.0, 41.5, 1.5))
    assert loss == pytest.approx(free_space_loss_db([50.0], 900.0))


def test_zero_distance_is_refused():
    with pytest.raises(ParameterError, match=r"distance_m is 0\.0; allowed: above 0 m"):
        free_space_loss_db([0.0, 1.0], 900.0)
