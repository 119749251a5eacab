"""Walfisch-Ikegami: 3GPP's published reduction of it, an independent implementation, properties and limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from rfplan.errors import ParameterError, ValidityWarning
from rfplan.profile import Paths
from rfplan.propagation.walfisch_ikegami import (
    UrbanForm,
    WalfischIkegami,
    walfisch_ikegami_loss_db,
    walfisch_ikegami_parts_db,
)


def test_3gpp_micro_cell() -> None:
    # 3GPP TR 25.996, section 5.2, not in sight: -55.9 + 38 lg d + (24.5 + 1.5 f/925) lg f with base 12.5 m, roofs
    # 12 m, separation 50 m, street 25 m, mobile 1.5 m, orientation 30 degrees, metropolitan centre.
    form = UrbanForm(12.0, 25.0, 50.0, 30.0, metropolitan=True)
    d = np.array([50.0, 500.0, 2000.0])
    for f in (900.0, 1900.0):
        published = -55.9 + 38 * np.log10(d) + (24.5 + 1.5 * f / 925) * np.log10(f)
        np.testing.assert_allclose(walfisch_ikegami_loss_db(d, f, 12.5, 1.5, form=form), published, atol=0.06)
    # In sight: -35.4 + 26 lg d + 20 lg f
    in_sight = walfisch_ikegami_loss_db(d, 1900, 12.5, 1.5, line_of_sight=True)
    np.testing.assert_allclose(in_sight, -35.4 + 26 * np.log10(d) + 20 * np.log10(1900), atol=0.01)


@pytest.mark.parametrize(
    ("f", "h_b", "h_m", "d_km", "city", "centre"),
    # LLAMAComm's implementation, run once; "centre" is metropolitan with streets at 30 degrees
    [
        (900, 30, 1.5, 1, 119.768, 120.314),
        (1800, 12, 1.5, 0.3, 131.482, 134.556),
        (1800, 12, 2, 3, 173.115, 176.188),
    ],
)
def test_as_llamacomm(f: float, h_b: float, h_m: float, d_km: float, city: float, centre: float) -> None:
    assert walfisch_ikegami_loss_db(d_km * 1e3, f, h_b, h_m) == pytest.approx(city, abs=6e-4)
    form = UrbanForm(street_angle_deg=30, metropolitan=True)
    assert walfisch_ikegami_loss_db(d_km * 1e3, f, h_b, h_m, form=form) == pytest.approx(centre, abs=6e-4)


@settings(max_examples=25, deadline=None)
@given(st.floats(20, 4500), st.floats(800, 1900), st.floats(4, 50), st.floats(1, 3), st.floats(0, 90))
def test_never_below_free_space_and_growing(d: float, f: float, h_b: float, h_m: float, angle: float) -> None:
    form = UrbanForm(street_angle_deg=angle)
    parts = walfisch_ikegami_parts_db(d, f, h_b, h_m, form=form)
    loss = walfisch_ikegami_loss_db(d, f, h_b, h_m, form=form)
    assert loss >= parts["free_space_db"]
    assert loss < walfisch_ikegami_loss_db(d * 1.1, f, h_b, h_m, form=form)
    assert loss < walfisch_ikegami_loss_db(d, f + 100, h_b, h_m, form=form)


def test_continuous_across_its_borders() -> None:
    over, under = (walfisch_ikegami_loss_db(1e3, 1800, h, 1.5) for h in (15.0 + 1e-9, 15.0))
    assert over == pytest.approx(under, abs=1e-6)
    near, far = (walfisch_ikegami_loss_db(d, 1800, 10, 1.5) for d in (499.999999, 500.0))
    assert near == pytest.approx(far, abs=1e-6)
    jumps = [
        walfisch_ikegami_loss_db(1e3, 1800, 30, 1.5, form=UrbanForm(street_angle_deg=angle))
        for angle in (34.999999, 35.0, 54.999999, 55.0)
    ]
    assert jumps[1] - jumps[0] == pytest.approx(0.11, abs=1e-4)
    assert jumps[3] == pytest.approx(jumps[2], abs=1e-4)


def test_model_takes_paths() -> None:
    paths = Paths.from_distance([200.0, 1e3], 1800.0, 25.0, 1.5)
    model = WalfischIkegami()
    np.testing.assert_allclose(model.path_loss_db(paths), sum(model.loss_parts(paths).values()))
    assert (WalfischIkegami(line_of_sight=True).path_loss_db(paths) < model.path_loss_db(paths)).all()


def test_limits() -> None:
    with pytest.raises(ParameterError, match=r"rx_height_agl_m is 3.0.*below the roofs"):
        walfisch_ikegami_loss_db(1e3, 1800, 30, 3.0, form=UrbanForm(roof_height_m=3.0))
    with pytest.raises(ParameterError, match="street_angle_deg"):
        UrbanForm(street_angle_deg=120)
    with pytest.raises(ParameterError, match="street_width_m"):
        UrbanForm(street_width_m=0)
    with pytest.warns(ValidityWarning, match="distance_m"):
        walfisch_ikegami_loss_db(8e3, 1800, 30, 1.5)
