"""Two-ray, plane earth, Egli and log-distance: optics, an independent implementation, properties and limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from rfplan.errors import ParameterError, ValidityWarning
from rfplan.profile import Paths
from rfplan.propagation.free_space import free_space_loss_db
from rfplan.propagation.plane_earth import (
    Egli,
    LogDistance,
    TwoRay,
    egli_loss_db,
    log_distance_loss_db,
    plane_earth_loss_db,
    two_ray_loss_db,
)


def test_two_ray_tends_to_plane_earth() -> None:
    d = np.array([50e3, 100e3])
    np.testing.assert_allclose(
        two_ray_loss_db(d, 900, 30, 1.5, polarization="horizontal"), plane_earth_loss_db(d, 30, 1.5), atol=0.1
    )


def test_two_ray_by_complex_fields() -> None:
    f, d, h_t, h_r = 1800.0, 730.0, 25.0, 3.0
    wavelength = 299.792458 / f
    k = 2 * np.pi / wavelength
    r1, r2 = np.hypot(d, h_t - h_r), np.hypot(d, h_t + h_r)
    grazing = np.arctan2(h_t + h_r, d)
    permittivity = 15.0 - 60j * 0.005 * wavelength
    root = np.sqrt(permittivity - np.cos(grazing) ** 2)
    vertical = (permittivity * np.sin(grazing) - root) / (permittivity * np.sin(grazing) + root)
    field = np.exp(-1j * k * r1) / r1 + vertical * np.exp(-1j * k * r2) / r2
    expected = -20 * np.log10(wavelength / (4 * np.pi) * abs(field))
    assert two_ray_loss_db(d, f, h_t, h_r) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    st.floats(10, 50e3),
    st.floats(100, 6000),
    st.floats(1, 100),
    st.floats(1, 100),
    st.sampled_from(["vertical", "horizontal"]),
)
def test_two_ray_is_reciprocal_and_gains_at_most_6_db(d: float, f: float, h1: float, h2: float, pol: str) -> None:
    one = two_ray_loss_db(d, f, h1, h2, polarization=pol)  # type: ignore[arg-type]
    other = two_ray_loss_db(d, f, h2, h1, polarization=pol)  # type: ignore[arg-type]
    assert one == pytest.approx(other, abs=1e-9)
    assert one > free_space_loss_db(np.hypot(d, h1 - h2), f) - 6.03
    assert np.isfinite(one)


@pytest.mark.parametrize(
    ("f", "h_b", "h_m", "d_km", "loss"),
    # Signal-Server, run once
    [(150, 100, 2, 10, 116.812), (450, 50, 12, 20, 135.442)],
)
def test_egli_as_signal_server(f: float, h_b: float, h_m: float, d_km: float, loss: float) -> None:
    assert egli_loss_db(d_km * 1e3, f, h_b, h_m) == pytest.approx(loss, abs=6e-4)


def test_egli_slopes_and_its_step() -> None:
    assert egli_loss_db(20e3, 400, 50, 2) - egli_loss_db(2e3, 400, 50, 2) == pytest.approx(40.0)
    assert egli_loss_db(5e3, 800, 50, 2) - egli_loss_db(5e3, 80, 50, 2) == pytest.approx(20.0)
    at, beyond = egli_loss_db(5e3, 400, 50, [10.0, 10.0 + 1e-9])
    assert beyond - at == pytest.approx(-0.4, abs=1e-6)


def test_log_distance() -> None:
    assert log_distance_loss_db(500, 900, exponent=2) == pytest.approx(free_space_loss_db(500, 900))
    assert log_distance_loss_db(1e3, 900, exponent=4, reference_distance_m=100, reference_loss_db=80) == pytest.approx(
        120.0
    )


def test_models_take_paths() -> None:
    paths = Paths.from_distance([2e3, 5e3], 450.0, 50.0, 2.0, polarization="horizontal")
    np.testing.assert_array_equal(
        TwoRay().path_loss_db(paths), two_ray_loss_db([2e3, 5e3], 450, 50, 2, polarization="horizontal")
    )
    np.testing.assert_array_equal(Egli().path_loss_db(paths), egli_loss_db([2e3, 5e3], 450, 50, 2))
    slant = np.hypot([2e3, 5e3], 48.0)
    np.testing.assert_array_equal(
        LogDistance(exponent=3).path_loss_db(paths), log_distance_loss_db(slant, 450, exponent=3)
    )


def test_limits() -> None:
    with pytest.warns(ValidityWarning, match="frequency_mhz"):
        egli_loss_db(5e3, 1800, 50, 2)
    with pytest.raises(ParameterError, match="exponent"):
        log_distance_loss_db(1e3, 900, exponent=0)
    with pytest.raises(ParameterError, match="reference_loss_db"):
        log_distance_loss_db(1e3, 900, reference_loss_db=float("inf"))
    with pytest.raises(ParameterError, match="relative_permittivity"):
        two_ray_loss_db(1e3, 900, 30, 2, relative_permittivity=0.5)
    with pytest.raises(ParameterError, match="polarization"):
        two_ray_loss_db(1e3, 900, 30, 2, polarization="slant")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="distance_m"):
        plane_earth_loss_db(0.0, 30, 2)
