"""ECC-33, SUI and Ericsson 9999 against two independent implementations, with properties and limits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from rfplan.errors import ParameterError, ValidityWarning
from rfplan.profile import Paths
from rfplan.propagation.fixed_access import (
    Ecc33,
    Ericsson9999,
    Sui,
    ecc33_loss_db,
    ecc33_parts_db,
    ericsson9999_loss_db,
    sui_loss_db,
    sui_shadow_sigma_db,
)
from rfplan.propagation.free_space import free_space_loss_db


@pytest.mark.parametrize(
    ("f", "h_b", "h_m", "d_km", "large", "medium"),
    # Signal-Server, run once
    [
        (2000, 50, 6, 1, 127.785, 121.458),
        (3500, 30, 10, 5, 159.773, 144.741),
        (900, 100, 5, 10, 145.398, 142.551),
    ],
)
def test_ecc33_as_signal_server(f: float, h_b: float, h_m: float, d_km: float, large: float, medium: float) -> None:
    assert ecc33_loss_db(d_km * 1e3, f, h_b, h_m, city="large") == pytest.approx(large, abs=6e-4)
    assert ecc33_loss_db(d_km * 1e3, f, h_b, h_m) == pytest.approx(medium, abs=6e-4)


@pytest.mark.parametrize(
    ("f", "h_b", "h_m", "d_km", "losses"),
    # LLAMAComm's IEEE 802.16 model, run once, terrains A, B, C
    [(1900, 30, 2, 1, (125.839, 121.639, 119.056)), (3500, 40, 6, 5, (158.042, 150.439, 141.505))],
)
def test_sui_as_llamacomm(f: float, h_b: float, h_m: float, d_km: float, losses: tuple[float, ...]) -> None:
    for terrain, loss in zip("ABC", losses, strict=True):
        computed = sui_loss_db(d_km * 1e3, f, h_b, h_m, terrain=terrain)  # type: ignore[arg-type]
        assert computed == pytest.approx(loss, abs=6e-4)


def test_sui_is_free_space_at_its_reference() -> None:
    assert sui_loss_db(100.0, 2000.0, 30, 2.0) == pytest.approx(free_space_loss_db(100.0, 2000.0))
    assert sui_shadow_sigma_db("C") == 8.2


@pytest.mark.parametrize(
    ("f", "h_b", "h_m", "d_km", "losses"),
    # Signal-Server, run once: urban, suburban, rural
    [(900, 30, 1.5, 1, (103.222, 110.222, 112.972)), (1800, 50, 3, 10, (132.697, 178.427, 212.847))],
)
def test_ericsson_as_signal_server(f: float, h_b: float, h_m: float, d_km: float, losses: tuple[float, ...]) -> None:
    for environment, loss in zip(("urban", "suburban", "rural"), losses, strict=True):
        computed = ericsson9999_loss_db(d_km * 1e3, f, h_b, h_m, environment=environment)  # type: ignore[arg-type]
        assert computed == pytest.approx(loss, abs=6e-4)


MODELS: list[tuple[Callable[..., object], float]] = [
    (ecc33_loss_db, 6.0),
    (sui_loss_db, 3.0),
    (ericsson9999_loss_db, 2.0),
]


@pytest.mark.parametrize(("model", "h_m"), MODELS)
@settings(max_examples=20, deadline=None)
@given(d=st.floats(1e3, 7e3), h_b=st.floats(20, 78))
def test_grows_with_distance_and_falls_with_height(
    model: Callable[..., float], h_m: float, d: float, h_b: float
) -> None:
    f = 1900.0
    assert model(d, f, h_b, h_m) < model(d * 1.1, f, h_b, h_m)
    assert model(d, f, h_b, h_m) > model(d, f, h_b + 2.0, h_m)


def test_models_take_paths() -> None:
    paths = Paths.from_distance([1e3, 3e3], 1900.0, 40.0, 5.0)
    np.testing.assert_allclose(Ecc33("large").path_loss_db(paths), ecc33_loss_db([1e3, 3e3], 1900, 40, 5, city="large"))
    np.testing.assert_allclose(sum(ecc33_parts_db([1e3, 3e3], 1900, 40, 5).values()), Ecc33().path_loss_db(paths))
    np.testing.assert_array_equal(Sui("A").path_loss_db(paths), sui_loss_db([1e3, 3e3], 1900, 40, 5, terrain="A"))
    np.testing.assert_array_equal(
        Ericsson9999("rural").path_loss_db(paths), ericsson9999_loss_db([1e3, 3e3], 1900, 40, 5, environment="rural")
    )


def test_limits() -> None:
    with pytest.warns(ValidityWarning, match=r"rx_height_agl_m = 1.5 is outside 5 to 10, the range of ECC-33"):
        ecc33_loss_db(2e3, 2600, 30, 1.5)
    with pytest.raises(ParameterError, match="terrain is 'D'"):
        sui_loss_db(1e3, 2000, 30, 2, terrain="D")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="city"):
        ecc33_loss_db(1e3, 2000, 30, 5, city="small")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="environment"):
        ericsson9999_loss_db(1e3, 1800, 30, 2, environment="open")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"frequency_mhz is 3.5; allowed: 10 to 300000; give MHz"):
        sui_loss_db(1e3, 3.5, 30, 2)
