"""P.2109 against 1250 published values, and its limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from rfplan.errors import ParameterError
from rfplan.profile import Paths
from rfplan.propagation.p2109 import BuildingEntryLoss, building_entry_loss_db


def test_published_values(reference_dir: Path) -> None:
    rows = np.loadtxt(reference_dir / "p2109" / "validation.csv", delimiter=",", skiprows=1)
    assert len(rows) == 1250
    for number, building in ((1, "traditional"), (2, "thermally-efficient")):
        f_ghz, p, _, elevation, loss = rows[rows[:, 2] == number].T
        computed = building_entry_loss_db(f_ghz * 1e3, p, building=building, elevation_deg=elevation)
        assert np.abs(computed - loss).max() < 1e-7


@pytest.mark.parametrize(
    ("frequency_mhz", "probability", "loss"),
    [(700, 50, 14.10), (1800, 50, 14.84), (2600, 50, 15.29), (3500, 50, 15.72), (1800, 90, 26.82)],
)
def test_planning_values(frequency_mhz: float, probability: float, loss: float) -> None:
    assert building_entry_loss_db(frequency_mhz, probability) == pytest.approx(loss, abs=0.005)


@settings(max_examples=25, deadline=None)
@given(
    st.floats(80, 100e3), st.floats(1, 98), st.floats(-90, 90), st.sampled_from(["traditional", "thermally-efficient"])
)
def test_grows_with_probability_and_ignores_the_sign_of_elevation(
    frequency_mhz: float, p: float, elevation: float, building: str
) -> None:
    at = building_entry_loss_db(frequency_mhz, p, building=building, elevation_deg=elevation)  # type: ignore[arg-type]
    above = building_entry_loss_db(frequency_mhz, p + 1, building=building, elevation_deg=elevation)  # type: ignore[arg-type]
    mirrored = building_entry_loss_db(frequency_mhz, p, building=building, elevation_deg=-elevation)  # type: ignore[arg-type]
    assert at < above
    assert at == mirrored


def test_correction_of_paths() -> None:
    paths = Paths.from_distance(1000.0, [700.0, 1800.0], 30.0, 1.5)
    loss = BuildingEntryLoss(probability_percent=50).correction_db(paths)
    np.testing.assert_allclose(loss, [14.10, 14.84], atol=0.005)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"frequency_mhz": 1.8}, "frequency_mhz"),
        ({"frequency_mhz": 2e5}, "frequency_mhz"),
        ({"frequency_mhz": 1800, "probability_percent": 0}, "probability_percent"),
        ({"frequency_mhz": 1800, "probability_percent": 100}, "probability_percent"),
        ({"frequency_mhz": 1800, "probability_percent": float("nan")}, "probability_percent"),
        ({"frequency_mhz": 1800, "elevation_deg": 91}, "elevation_deg"),
        ({"frequency_mhz": 1800, "building": "igloo"}, "building"),
    ],
)
def test_wrong_input_is_named(arguments: dict[str, float], name: str) -> None:
    with pytest.raises(ParameterError, match=name):
        building_entry_loss_db(**arguments)  # type: ignore[arg-type]
