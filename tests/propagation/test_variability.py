"""Location variability: P.1812's sigma, margins and their limits."""

from __future__ import annotations

import numpy as np
import pytest

from rfplan.errors import ParameterError
from rfplan.propagation.variability import combined_sigma_db, location_margin_db, location_sigma_db


def test_sigma_of_p1812() -> None:
    assert location_sigma_db(600, 500) == pytest.approx((0.52 + 0.024 * 0.6) * 500**0.28)
    sigma = location_sigma_db(1800, 100, rx_height_agl_m=[1.5, 10.0, 15.0, 20.0, 40.0], clutter_height_m=10.0)
    np.testing.assert_allclose(sigma / sigma[0], [1, 1, 0.5, 0, 0])


def test_margins() -> None:
    np.testing.assert_allclose(location_margin_db(8.0, [50, 95, 5]), [0, 13.158829, -13.158829], atol=1e-6)
    assert combined_sigma_db(6.0, 8.0) == pytest.approx(10.0)
    np.testing.assert_allclose(combined_sigma_db([3.0, 0.0], 4.0), [5.0, 4.0])


def test_limits() -> None:
    with pytest.raises(ParameterError, match="location_percent"):
        location_margin_db(8, 100)
    with pytest.raises(ParameterError, match="sigma_db"):
        location_margin_db(-1, 50)
    with pytest.raises(ParameterError, match="frequency_mhz"):
        location_sigma_db(1.8)
    with pytest.raises(ParameterError, match="sigmas_db"):
        combined_sigma_db()
