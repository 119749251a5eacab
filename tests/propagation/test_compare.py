"""compare_models: a row a model, parts, notes instead of failures."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from rfplan.errors import ParameterError
from rfplan.io.p1546_tables import P1546Curves
from rfplan.profile import PathProfile, Paths
from rfplan.propagation.compare import compare_models, model_name
from rfplan.propagation.corrections import WithCorrections
from rfplan.propagation.fixed_access import Sui
from rfplan.propagation.free_space import FreeSpace
from rfplan.propagation.hata import Cost231Hata, OkumuraHata
from rfplan.propagation.p1546 import P1546
from rfplan.propagation.p1812 import P1812
from rfplan.propagation.p2109 import BuildingEntryLoss
from rfplan.propagation.tr38901 import TR38901
from rfplan.propagation.walfisch_ikegami import UrbanForm, WalfischIkegami

LINK: dict[str, Any] = {"frequency_mhz": 1800.0, "tx_height_agl_m": 40.0, "rx_height_agl_m": 1.5}


@pytest.fixture
def profile() -> PathProfile:
    d = np.linspace(0, 4e3, 81)
    return PathProfile(d, 20 + 30 * np.exp(-(((d - 2200) / 300) ** 2)), np.full(81, 5.0))


class Mine:
    """A user's own model: a protocol, no base class."""

    needs = "distance"

    def path_loss_db(self, paths: Paths) -> npt.NDArray[np.float64]:
        return np.asarray(32.4 + 35 * np.log10(paths.distance_m) + 20 * np.log10(paths.frequency_mhz / 1000))


def test_a_row_a_model(profile: PathProfile) -> None:
    models = [
        FreeSpace(),
        Cost231Hata("suburban"),
        WalfischIkegami(),
        TR38901("RMa", "terrain"),
        P1812(time_percent=10.0),
        Mine(),
    ]
    table = compare_models(profile, models, **LINK)
    assert list(table["model"]) == [
        "FreeSpace",
        "Cost231Hata(environment='suburban')",
        "WalfischIkegami",
        "TR38901(scenario='RMa', sight='terrain')",
        "P1812(time_percent=10.0)",
        "Mine",
    ]
    for model, loss in zip(models, table["path_loss_db"], strict=True):
        paths = profile.paths(**LINK)
        assert loss == pytest.approx(float(model.path_loss_db(paths)[0]))
    row = table.iloc[2]
    parts = row[["free_space_db", "rooftop_to_street_db", "multi_screen_db"]].sum()
    assert parts == pytest.approx(row["path_loss_db"], abs=0.1)  # COST 231 rounds the constant of free space
    assert np.isnan(table.iloc[0]["multi_screen_db"])
    np.testing.assert_allclose(table["path_loss_db"] - table["excess_db"], table["free_space_db"])
    assert (table["notes"] == "").sum() >= 4
    assert list(table.columns[-3:]) == ["needs", "citation", "notes"]
    assert not table["path_loss_db"].isna().any()


def test_notes_instead_of_failures() -> None:
    table = compare_models(9e3, {"hata": OkumuraHata(), "terrain": P1812(), "sui": Sui()}, **LINK)
    assert "outside 150 to 1500" in table.loc[0, "notes"]
    assert np.isfinite(table.loc[0, "path_loss_db"])
    assert np.isnan(table.loc[1, "path_loss_db"])
    assert "needs a terrain profile" in table.loc[1, "notes"]
    assert "outside 1900 to 11000" in table.loc[2, "notes"]


def test_arrays_give_a_row_a_combination(profile: PathProfile) -> None:
    table = compare_models(
        profile, [P1812(), FreeSpace()], frequency_mhz=[700.0, 1800.0, 2600.0], tx_height_agl_m=40, rx_height_agl_m=1.5
    )
    assert list(table["frequency_mhz"]) == [700.0, 1800.0, 2600.0] * 2
    assert (table.groupby("model", sort=False)["path_loss_db"].apply(lambda s: s.is_monotonic_increasing)).all()


def test_names() -> None:
    assert (
        model_name(WalfischIkegami(UrbanForm(roof_height_m=12.0)))
        == "WalfischIkegami(form=UrbanForm(roof_height_m=12.0))"
    )
    curves = P1546Curves(np.zeros((3, 3, 3, 2, 8)), np.array([1.0, 1000.0]))
    assert model_name(P1546(curves, time_percent=10.0)) == "P1546(time_percent=10.0)"
    indoor = WithCorrections(FreeSpace(), (BuildingEntryLoss(),))
    assert model_name(indoor) == "WithCorrections(model=FreeSpace, corrections=(BuildingEntryLoss))"
    table = compare_models(2e3, [FreeSpace(), FreeSpace(), indoor], **LINK)
    assert list(table["model"])[:2] == ["FreeSpace", "FreeSpace #2"]
    assert table.loc[2, "building_entry_db"] == pytest.approx(14.84, abs=0.005)


def test_refusals(profile: PathProfile) -> None:
    with pytest.raises(ParameterError, match="at least one model"):
        compare_models(profile, [], **LINK)
    with pytest.raises(ParameterError, match="pass an instance"):
        compare_models(profile, [P1812], **LINK)  # type: ignore[list-item]
    with pytest.raises(ParameterError, match="distance_m"):
        compare_models(-5.0, [FreeSpace()], **LINK)
