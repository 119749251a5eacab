"""What every distance model owes its user: the protocol, shapes, finite losses, growth, named refusals."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from rfplan.errors import ParameterError, ValidityWarning
from rfplan.profile import Paths
from rfplan.propagation.fixed_access import Ecc33, Ericsson9999, Sui, ecc33_loss_db
from rfplan.propagation.hata import Cost231Hata, OkumuraHata
from rfplan.propagation.p676 import oxygen_attenuation_db_km
from rfplan.propagation.p833 import woodland_loss_db
from rfplan.propagation.p838 import rain_attenuation_db_km
from rfplan.propagation.p2108 import clutter_height_gain_db, clutter_loss_slant_db, clutter_loss_terrestrial_db
from rfplan.propagation.p2109 import building_entry_loss_db
from rfplan.propagation.plane_earth import Egli, LogDistance, TwoRay
from rfplan.propagation.tr38901 import TR38901, tr38901_los_probability
from rfplan.propagation.validity import Validity, broadcast
from rfplan.propagation.variability import location_margin_db
from rfplan.propagation.walfisch_ikegami import WalfischIkegami

MODELS: list[Any] = [
    OkumuraHata(),
    OkumuraHata("urban-large"),
    OkumuraHata("open"),
    Cost231Hata("metropolitan"),
    WalfischIkegami(),
    Ecc33(),
    Ecc33("large"),
    Sui("A"),
    Sui("C"),
    Ericsson9999(),
    Ericsson9999("rural"),
    Egli(),
    LogDistance(),
    TR38901("RMa"),
    TR38901("UMa"),
    TR38901("UMi", penetration="high"),
]
by_name = pytest.mark.parametrize("model", MODELS, ids=[f"{type(m).__name__}-{i}" for i, m in enumerate(MODELS)])


def within(limits: tuple[float, float] | None, share: float, default: tuple[float, float]) -> float:
    low, high = limits or default
    return low + share * (high - low)


@by_name
@settings(max_examples=15, deadline=None)
@given(st.floats(0, 0.9), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_finite_and_growing_within_its_range(model: Any, d: float, f: float, tx: float, rx: float) -> None:
    ranges: Validity = model.validity
    frequency = within(ranges.frequency_mhz, f, (100, 6e3))
    tall, low = within(ranges.tx_height_agl_m, tx, (10, 100)), within(ranges.rx_height_agl_m, rx, (1, 10))
    near = within(ranges.distance_m, d, (10, 50e3))
    far = min(near * 1.1, (ranges.distance_m or (10, 50e3))[1])
    paths = Paths.from_distance([near, far], frequency, tall, low)
    assert ranges.holds(paths).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error", ValidityWarning)
        loss = model.path_loss_db(paths)
    assert np.isfinite(loss).all()
    assert loss[0] < loss[1] + 1e-9


@by_name
def test_protocol(model: Any) -> None:
    assert model.needs == "distance"
    assert len(model.citation) > 10
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.extra = 1
    middle = [within(r, 0.3, default) for r, default in (
        (model.validity.distance_m, (100, 5e3)), (model.validity.frequency_mhz, (100, 3e3)),
        (model.validity.tx_height_agl_m, (10, 60)), (model.validity.rx_height_agl_m, (1, 3)),
    )]  # fmt: skip
    one = model.path_loss_db(Paths.from_distance(*middle))
    assert one.shape == (1,)
    many = model.path_loss_db(Paths.from_distance(np.full(5, middle[0]), *middle[1:]))
    np.testing.assert_array_equal(many, np.full(5, one[0]))
    if hasattr(model, "loss_parts"):
        parts = model.loss_parts(Paths.from_distance(*middle))
        assert sum(part[0] for part in parts.values()) == pytest.approx(one[0])


def test_two_ray_is_one_of_them_but_ripples() -> None:
    loss = TwoRay().path_loss_db(Paths.from_distance(np.linspace(50, 5e3, 500), 900.0, 30.0, 1.5))
    assert np.isfinite(loss).all()
    assert (np.diff(loss) < 0).any()


@pytest.mark.parametrize(
    "call",
    [
        lambda: ecc33_loss_db([1e3, 2e3], [900.0, 1000.0, 1100.0], 30, 5),
        lambda: building_entry_loss_db([900.0, 1800.0], [10.0, 50.0, 90.0]),
        lambda: clutter_loss_terrestrial_db([900.0, 1800.0], [1e3, 2e3, 3e3]),
        lambda: clutter_loss_slant_db([20e3, 30e3], [1.0, 2.0, 3.0]),
        lambda: clutter_height_gain_db([900.0, 1800.0], [1.5, 2.0, 3.0]),
        lambda: oxygen_attenuation_db_km([20e3, 30e3], [1000.0, 900.0, 800.0]),
        lambda: rain_attenuation_db_km([10.0, 20.0], [20e3, 30e3, 40e3]),
        lambda: woodland_loss_db([10.0, 20.0], [900.0, 1000.0, 1100.0]),
        lambda: tr38901_los_probability([10.0, 20.0], rx_height_agl_m=[1.5, 2.0, 3.0]),
        lambda: location_margin_db([6.0, 8.0], [50.0, 90.0, 95.0]),
    ],
)
def test_lengths_that_differ_are_named(call: Any) -> None:
    with pytest.raises(ParameterError, match=r"shapes don't broadcast together: .*\(2,\).*\(3,\)"):
        call()


def test_words_for_numbers_are_named() -> None:
    with pytest.raises(ParameterError, match="height_m is 'tall'"):
        broadcast(height_m="tall")
