"""P.833: the measured values it reports, saturation, and limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from rfplan.errors import ParameterError, ValidityWarning
from rfplan.profile import Paths
from rfplan.propagation.p833 import (
    VegetationLoss,
    slant_woodland_loss_db,
    tree_loss_db,
    vegetation_specific_attenuation_db_m,
    woodland_loss_db,
)


def test_measured_values() -> None:
    f = np.array([105.9, 466.475, 949.0, 1852.2, 2117.5])
    np.testing.assert_allclose(vegetation_specific_attenuation_db_m(f), [0.04, 0.12, 0.17, 0.30, 0.34], rtol=1e-12)
    # The maxima measured beside them, 9.4 to 34.1 dB, scatter about the fitted 1.37 f^0.42 by up to 3.3 dB.
    deep = woodland_loss_db(1e4, f, woodland="mixed-forest")
    np.testing.assert_allclose(deep, [9.4, 18.0, 26.5, 29.0, 34.1], rtol=0, atol=3.4)
    np.testing.assert_allclose(deep, 1.37 * f**0.42, rtol=1e-9)


def test_by_hand() -> None:
    most = 0.18 * 900**0.752
    loss = most * (1 - np.exp(-50 * 0.2 / most))
    assert woodland_loss_db(50, 900, specific_attenuation_db_m=0.2) == pytest.approx(loss)
    assert woodland_loss_db(50, 900, specific_attenuation_db_m=0.2, maximum_db=25) == pytest.approx(
        25 * (1 - np.exp(-10 / 25))
    )
    assert slant_woodland_loss_db(100, 1000, 30) == pytest.approx(0.25 * 1000**0.39 * 100**0.25 * 30**0.05)


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 500), st.floats(901, 1799))
def test_woodland_grows_and_saturates(depth: float, f: float) -> None:
    loss = woodland_loss_db(depth, f)
    assert 0.0 <= loss < woodland_loss_db(depth + 10, f) <= 0.18 * f**0.752
    gamma = vegetation_specific_attenuation_db_m(f)
    assert loss <= depth * gamma + 1e-12


def test_tree_is_bounded_by_the_way_round() -> None:
    assert tree_loss_db(10, 800) == pytest.approx(10 * vegetation_specific_attenuation_db_m(800))
    assert tree_loss_db(500, 800, other_path_db=12.0) == 12.0


def test_correction_of_paths() -> None:
    paths = Paths.from_distance([30.0, 2e3], 900.0, 30.0, 1.5)
    loss = VegetationLoss(depth_m=100.0).correction_db(paths)
    np.testing.assert_allclose(loss, woodland_loss_db([30.0, 100.0], 900))


def test_limits() -> None:
    with pytest.warns(ValidityWarning, match="P.833-10"):
        vegetation_specific_attenuation_db_m(3500)
    with pytest.warns(ValidityWarning, match=r"section 3.1"):
        tree_loss_db(10, 1800)
    with pytest.raises(ParameterError, match="woodland is 'savanna'"):
        woodland_loss_db(10, 900, woodland="savanna")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="depth_m"):
        woodland_loss_db(-1, 900)
    with pytest.raises(ParameterError, match="elevation_deg"):
        slant_woodland_loss_db(10, 900, 0)
    with pytest.raises(ParameterError, match="frequency_mhz"):
        slant_woodland_loss_db(10, 0.9, 10)
