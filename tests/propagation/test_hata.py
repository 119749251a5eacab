"""Okumura-Hata and COST 231-Hata: check values, an independent transcription, properties and limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from rfplan.errors import ParameterError, ValidityWarning
from rfplan.profile import Paths
from rfplan.propagation.hata import Cost231Hata, OkumuraHata, cost231_hata_loss_db, okumura_hata_loss_db


@pytest.mark.parametrize(
    ("f", "h_b", "h_m", "d_km", "loss"),
    # Signal-Server's Hata, urban with the large-city mobile height, run once
    [(900, 30, 1.5, 1, 126.420), (450, 50, 3, 10, 146.560), (1500, 200, 1.5, 20, 159.645)],
)
def test_large_city_as_signal_server(f: float, h_b: float, h_m: float, d_km: float, loss: float) -> None:
    assert okumura_hata_loss_db(d_km * 1e3, f, h_b, h_m, environment="urban-large") == pytest.approx(loss, abs=6e-4)


def test_planning_values() -> None:
    # The link-budget rules of thumb 126.4 + 35.2 lg d (900 MHz) and 136.2 + 35.2 lg d (1800 MHz), mast 30 m
    assert okumura_hata_loss_db(1e3, 900, 30, 1.5) == pytest.approx(126.4, abs=0.05)
    assert cost231_hata_loss_db(1e3, 1800, 30, 1.5) == pytest.approx(136.2, abs=0.05)
    slope = okumura_hata_loss_db(10e3, 900, 30, 1.5) - okumura_hata_loss_db(1e3, 900, 30, 1.5)
    assert slope == pytest.approx(35.2, abs=0.05)


@pytest.mark.parametrize(("environment", "intercept"), [("metropolitan", 34.5), ("urban", 31.5)])
def test_cost231_as_3gpp_rounds_it(environment: str, intercept: float) -> None:
    # 3GPP TR 25.996, table 5.1: 34.5 + 35 lg d and 31.5 + 35 lg d at 1900 MHz, base 32 m, mobile 1.5 m, d in m
    d = np.array([1e3, 2e3, 5e3])
    loss = cost231_hata_loss_db(d, 1900, 32, 1.5, environment=environment)  # type: ignore[arg-type]
    np.testing.assert_allclose(loss, intercept + 35 * np.log10(d), atol=0.25)


@pytest.mark.parametrize("environment", ["urban", "suburban", "open"])
def test_against_a_plain_transcription(environment: str) -> None:
    f, h_b, h_m, d = 700.0, 45.0, 2.0, 7.0
    lg = math.log10
    loss = 69.55 + 26.16 * lg(f) - 13.82 * lg(h_b) + (44.9 - 6.55 * lg(h_b)) * lg(d)
    loss -= (1.1 * lg(f) - 0.7) * h_m - (1.56 * lg(f) - 0.8)
    if environment == "suburban":
        loss -= 2 * lg(f / 28) ** 2 + 5.4
    if environment == "open":
        loss -= 4.78 * lg(f) ** 2 - 18.33 * lg(f) + 40.94
    computed = okumura_hata_loss_db(d * 1e3, f, h_b, h_m, environment=environment)  # type: ignore[arg-type]
    assert computed == pytest.approx(loss, abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(
    st.floats(1e3, 18e3),
    st.floats(150, 1400),
    st.floats(30, 200),
    st.floats(1, 10),
    st.sampled_from(["urban-large", "urban", "suburban", "open"]),
)
def test_grows_with_distance(d: float, f: float, h_b: float, h_m: float, environment: str) -> None:
    near = okumura_hata_loss_db(d, f, h_b, h_m, environment=environment)  # type: ignore[arg-type]
    far = okumura_hata_loss_db(d * 1.1, f, h_b, h_m, environment=environment)  # type: ignore[arg-type]
    assert near < far
    assert okumura_hata_loss_db(d, f, h_b, 1.5) < okumura_hata_loss_db(d, f + 50, h_b, 1.5)


def test_environments_are_ordered() -> None:
    losses = [okumura_hata_loss_db(5e3, 900, 30, 1.5, environment=e) for e in ("urban", "suburban", "open")]
    assert losses[0] > losses[1] > losses[2]


def test_measured_jumps() -> None:
    at = [okumura_hata_loss_db(5e3, f, 50, 10.0, environment="urban-large") for f in (299.999, 300.0)]
    assert at[1] - at[0] == pytest.approx(1.85, abs=0.01)  # mobile height of a large city, worst at 10 m
    at = [okumura_hata_loss_db(5e3, f, 50, 1.5, environment="urban-large") for f in (299.999, 300.0)]
    assert abs(at[1] - at[0]) < 0.01
    border = cost231_hata_loss_db(5e3, 1500, 50, 1.5) - okumura_hata_loss_db(5e3, 1500, 50, 1.5)
    assert border == pytest.approx(1.33, abs=0.01)  # the two models differ where one hands over to the other


def test_models_take_paths() -> None:
    paths = Paths.from_distance([2e3, 5e3], 900.0, 30.0, 1.5)
    np.testing.assert_array_equal(
        OkumuraHata("suburban").path_loss_db(paths),
        okumura_hata_loss_db([2e3, 5e3], 900, 30, 1.5, environment="suburban"),
    )
    assert OkumuraHata.validity.holds(paths).all()
    assert not Cost231Hata.validity.holds(paths).any()
    assert Cost231Hata().path_loss_db(Paths.from_distance([2e3, 5e3], 1800.0, 30.0, 1.5)).shape == (2,)


def test_out_of_range_warns_and_extrapolates() -> None:
    with pytest.warns(ValidityWarning, match=r"frequency_mhz = 2600 is outside 1500 to 2000"):
        loss = cost231_hata_loss_db(2e3, 2600, 30, 1.5)
    assert loss > cost231_hata_loss_db(2e3, 2000, 30, 1.5)
    with pytest.warns(ValidityWarning, match="distance_m"):
        okumura_hata_loss_db(50.0, 900, 30, 1.5)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((2e3, 0.9, 30, 1.5), "frequency_mhz"),
        ((2e3, 9e8, 30, 1.5), "frequency_mhz"),
        ((-1.0, 900, 30, 1.5), "distance_m"),
        ((float("nan"), 900, 30, 1.5), "distance_m"),
        ((2e3, 900, -30, 1.5), "tx_height_agl_m"),
        ((2e3, 900, 30, 0.0), "rx_height_agl_m"),
        (([2e3, 3e3, 4e3], [900, 800], 30, 1.5), "shapes"),
    ],
)
def test_wrong_input_is_named(arguments: tuple[float, ...], name: str) -> None:
    with pytest.raises(ParameterError, match=name):
        okumura_hata_loss_db(*arguments)


def test_unknown_environment_is_named() -> None:
    with pytest.raises(ParameterError, match="environment is 'rural'"):
        okumura_hata_loss_db(2e3, 900, 30, 1.5, environment="rural")  # type: ignore[arg-type]
