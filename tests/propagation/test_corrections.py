"""Models with corrections: parts add up, nothing counts twice, and grids accept them."""

from __future__ import annotations

import numpy as np
import pytest

from rfplan.errors import ParameterError
from rfplan.profile import PathProfile, Paths
from rfplan.propagation.corrections import WithCorrections
from rfplan.propagation.free_space import FreeSpace, free_space_loss_db
from rfplan.propagation.p676 import GasAttenuation
from rfplan.propagation.p833 import VegetationLoss
from rfplan.propagation.p1812 import P1812
from rfplan.propagation.p2108 import TerrestrialClutterLoss
from rfplan.propagation.p2109 import BuildingEntryLoss
from rfplan.propagation.plane_earth import LogDistance


def test_parts_add_up() -> None:
    paths = Paths.from_distance([500.0, 2e3], 900.0, 30.0, 1.5)
    corrections = (BuildingEntryLoss(), TerrestrialClutterLoss(), VegetationLoss(50.0), GasAttenuation())
    model = WithCorrections(FreeSpace(), corrections)
    parts = model.loss_parts(paths)
    assert list(parts) == ["model_db", "building_entry_db", "clutter_db", "vegetation_db", "gas_db"]
    np.testing.assert_allclose(sum(parts.values()), model.path_loss_db(paths))
    np.testing.assert_allclose(parts["model_db"], FreeSpace().path_loss_db(paths))
    assert model.needs == "distance"
    assert "P.525" in model.citation
    assert "P.2109" in model.citation


def test_floor_at_free_space() -> None:
    paths = Paths.from_distance([5.0, 5e3], 900.0, 2.0, 2.0)
    low = LogDistance(exponent=3.0, reference_distance_m=1000.0)
    floored = WithCorrections(low, at_least_free_space=True).path_loss_db(paths)
    assert low.path_loss_db(paths)[0] < floored[0] == pytest.approx(float(free_space_loss_db(5.0, 900)))
    assert floored[1] == low.path_loss_db(paths)[1]


def test_a_terrain_model_with_indoor_receivers() -> None:
    profile = PathProfile(np.linspace(0, 2e3, 41), np.zeros(41))
    paths = profile.paths(frequency_mhz=1800, tx_height_agl_m=40, rx_height_agl_m=1.5)
    model = WithCorrections(P1812(), (BuildingEntryLoss(),))
    assert model.needs == "profile"
    np.testing.assert_allclose(model.path_loss_db(paths) - P1812().path_loss_db(paths), 14.84, atol=0.005)


def test_nothing_twice() -> None:
    with pytest.raises(ParameterError, match="one of each kind"):
        WithCorrections(FreeSpace(), (BuildingEntryLoss(), BuildingEntryLoss("thermally-efficient")))
