"""Check values of the design note on radio definitions."""

from __future__ import annotations

import numpy as np
import pytest

from rfplan.coverage.budget import (
    area_fading_margin_db,
    area_probability,
    epre_dbm,
    noise_dbm,
    reference_power_dbm,
    required_rsrp_dbm,
    resource_blocks,
    uplink_allowed_loss_db,
    uplink_sensitivity_dbm,
)
from rfplan.errors import ParameterError


def test_energy_per_resource_element() -> None:
    assert epre_dbm(43.0, 100) == pytest.approx(12.21, abs=0.005)
    assert epre_dbm(46.0, 100) == pytest.approx(15.21, abs=0.005)
    assert epre_dbm(53.0, 273) == pytest.approx(17.85, abs=0.005)
    assert reference_power_dbm("4G", 46.0, 20.0) == pytest.approx(15.21, abs=0.005)
    assert reference_power_dbm("5G", 53.0, 100.0) == pytest.approx(17.85, abs=0.005)
    assert reference_power_dbm("3G", 43.0, 5.0) == 33.0
    assert reference_power_dbm("2G", 43.0, 0.2) == 43.0


def test_noise_of_a_resource_element() -> None:
    assert noise_dbm(15e3) == pytest.approx(-132.24, abs=0.005)
    assert noise_dbm(30e3) == pytest.approx(-129.23, abs=0.005)


def test_required_level() -> None:
    assert required_rsrp_dbm(7.0, -5.0, 3.0, 8.7) == pytest.approx(-132.24 + 7 - 5 + 3 + 8.7, abs=0.005)


def test_uplink_allowed_loss() -> None:
    sensitivity = uplink_sensitivity_dbm(180e3 * 4, 2.5, -5.0)
    assert uplink_allowed_loss_db(23.0, 1.0, 17.0, 0.5, sensitivity, 3.0 + 8.7) == pytest.approx(144.73, abs=0.005)


@pytest.mark.parametrize(("sigma", "margin"), [(6.0, 5.87), (8.0, 8.70), (10.0, 11.64)])
def test_jakes_margin(sigma: float, margin: float) -> None:
    assert area_fading_margin_db(0.95, sigma) == pytest.approx(margin, abs=0.005)
    assert area_probability(margin, sigma) == pytest.approx(0.95, abs=5e-4)


def test_jakes_against_numerical_integration() -> None:
    """The closed form is the mean over a disc of the probability at each radius."""
    from scipy.integrate import quad
    from scipy.special import ndtr

    for margin, sigma, n in ((3.0, 8.0, 3.5), (-5.0, 6.0, 4.0), (30.0, 8.0, 3.0)):
        value, _ = quad(lambda u, m=margin, s=sigma, n=n: 2 * u * ndtr((m - 10 * n * np.log10(u)) / s), 0, 1)
        assert area_probability(margin, sigma, n) == pytest.approx(value, abs=1e-8)


def test_resource_blocks() -> None:
    assert [resource_blocks("4G", b) for b in (1.4, 5, 10, 20)] == [6, 25, 50, 100]
    assert [resource_blocks("5G", b) for b in (10, 20, 50, 100)] == [52, 51, 133, 273]
    with pytest.raises(ParameterError, match="not a 4G bandwidth"):
        resource_blocks("4G", 7.0)
    with pytest.raises(ParameterError, match="area_share"):
        area_fading_margin_db(1.0, 8.0)
