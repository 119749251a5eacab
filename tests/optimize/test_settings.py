from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import rfplan.optimize.sector_state as sector_state
from rfplan.coverage import Service, compute_coverage
from rfplan.errors import ParameterError
from rfplan.io.memo import Memo
from rfplan.network import Network
from rfplan.optimize.settings import SettingRules, Steps, set_sector, tune_sectors
from rfplan.propagation.plane_earth import LogDistance
from rfplan.terrain import Terrain


@pytest.fixture(scope="module")
def world():
    terrain = Terrain.from_arrays(
        np.full((48, 48), 30.0), x0_m=5e5, y0_m=2.3e6, resolution_m=250.0, crs="EPSG:32648", clutter_height_m=0.0
    )
    lon, lat = terrain.lonlat(np.array([503e3, 508e3]), np.array([2297e3, 2292e3]))
    network = Network.with_sectors(
        pd.DataFrame({"site_id": ["A", "B"], "lon_deg": lon, "lat_deg": lat}), azimuth_deg=(30.0, 210.0)
    )
    people = np.ones((48, 48))
    people[10:14, 20:30] = 50.0
    demand = SimpleNamespace(population=people, commune_index=np.zeros((48, 48), np.int32))
    coverage = compute_coverage(
        network,
        terrain,
        model=LogDistance(exponent=2.5),
        service=Service(required_rsrp_dbm=-96.0),
        radius_m=6000.0,
        method="exact",
    )
    return SimpleNamespace(coverage=coverage, demand=demand, people=people)


def test_turning_sectors_covers_more_and_loses_only_when_asked(world):
    rules = SettingRules(azimuth_steps_deg=(-40.0, 40.0), tilt_steps_deg=(-2.0,), keep_covered=False, rounds=1)
    plan = tune_sectors(world.coverage, world.demand, site_ids=["A", "B"], rules=rules)
    assert plan.verified
    assert plan.gained_people > 0
    before, after = (c.layers["covered"].values for c in (plan.coverage_before, plan.coverage_after))
    valid = world.coverage.terrain.valid
    assert plan.gained_people == pytest.approx(world.people[after & valid].sum() - world.people[before & valid].sum())
    assert plan.changes["gained_people"].sum() == pytest.approx(plan.gained_people)
    kept = tune_sectors(
        world.coverage, world.demand, site_ids=["A", "B"], rules=SettingRules((0.0,), (-2.0,), (0.0, 1.0), rounds=1)
    )
    assert kept.verified
    assert kept.lost_pixels == 0
    assert kept.gained_people >= 0


def test_limit_of_changes_and_the_original_are_respected(world):
    original = world.coverage.network.sectors.copy()
    rules = SettingRules((-40.0, 40.0), (-2.0,), max_changes_per_site=1, keep_covered=False, rounds=1)
    plan = tune_sectors(world.coverage, world.demand, site_ids=["A"], rules=rules)
    assert plan.changes["sector_id"].nunique() <= 1
    assert set(plan.changes["site_id"]) <= {"A"}
    pd.testing.assert_frame_equal(original, world.coverage.network.sectors)


def test_a_sector_is_changed_alone():
    network = Network.with_sectors(pd.DataFrame({"site_id": ["A"], "lon_deg": [105.0], "lat_deg": [21.0]}))
    name = network.sectors["sector_id"].iloc[0]
    new = set_sector(network, network, name, Steps(-30.0, 2.0, 1.0, 5.0))
    assert new.sectors["azimuth_deg"].tolist() == [330.0, 120.0, 240.0]
    assert (new.sectors["electrical_tilt_deg"] - network.sectors["electrical_tilt_deg"]).tolist() == [2.0, 0.0, 0.0]
    assert (new.sectors["tx_height_agl_m"] - network.sectors["tx_height_agl_m"]).tolist() == [5.0, 0.0, 0.0]
    assert (new.cells["max_power_dbm"] - network.cells["max_power_dbm"]).tolist() == [1.0, 0.0, 0.0]


def test_sites_must_be_named(world):
    with pytest.raises(ParameterError, match="site_ids is empty"):
        tune_sectors(world.coverage, world.demand, site_ids=[])
    with pytest.raises(ParameterError, match="no such site"):
        tune_sectors(world.coverage, world.demand, site_ids=["Z"])


def test_only_sites_whose_windows_can_meet_are_predicted(monkeypatch):
    terrain = Terrain.from_arrays(
        20.0 + 10.0 * np.random.default_rng(3).random((24, 120)),
        x0_m=5e5, y0_m=2.3e6, resolution_m=250.0, crs="EPSG:32648", clutter_height_m=0.0,
    )  # fmt: skip
    # Radius 4 km: windows of A and B meet, C's only just touches that of A, D's does not.
    lon, lat = terrain.lonlat(5e5 + np.array([6e3, 9e3, 13.9e3, 20e3]), np.full(4, 2.297e6))
    table = pd.DataFrame({"site_id": list("ABCD"), "lon_deg": lon, "lat_deg": lat})
    network = Network.with_sectors(table, azimuth_deg=(90.0, 270.0))
    coverage = compute_coverage(
        network, terrain, model=LogDistance(exponent=3.0), service=Service(required_rsrp_dbm=-110.0), radius_m=4000.0,
        method="exact",
    )  # fmt: skip
    demand = SimpleNamespace(population=np.ones(terrain.shape), commune_index=np.zeros(terrain.shape, np.int32))
    rules = SettingRules((-40.0, 40.0), (-2.0,), min_sinr_db=0.0, rounds=1)
    near = sector_state._sites_near(coverage, ["A"])
    assert near == {"A", "B", "C"}
    found = tune_sectors(coverage, demand, site_ids=["A"], rules=rules)
    assert found.verified
    assert len(found.changes) > 0
    monkeypatch.setattr(sector_state, "_sites_near", lambda *_: set("ABCD"))
    whole = tune_sectors(coverage, demand, site_ids=["A"], rules=rules)
    pd.testing.assert_frame_equal(found.changes, whole.changes)
    pd.testing.assert_frame_equal(found.figures, whole.figures)


def test_a_remembered_search_is_not_done_again(world, tmp_path, monkeypatch):
    rules = SettingRules((-40, 40), (-2,), keep_covered=False, rounds=1)
    first = tune_sectors(world.coverage, world.demand, site_ids=["A", "B"], rules=rules, memo=Memo(tmp_path))
    assert len(first.changes) > 0
    monkeypatch.setattr(sector_state, "SectorState", None)
    again = tune_sectors(world.coverage, world.demand, site_ids=["A", "B"], rules=rules, memo=Memo(tmp_path))
    pd.testing.assert_frame_equal(first.changes, again.changes)
    pd.testing.assert_frame_equal(first.network.sectors, again.network.sectors)
    with pytest.raises(TypeError):  # other rules are another search
        tune_sectors(world.coverage, world.demand, site_ids=["A"], rules=SettingRules(rounds=1), memo=Memo(tmp_path))


def test_of_equal_settings_the_one_that_changes_least_comes_first():
    every = list(SettingRules((-40.0, 40.0), (-2.0,), (-1.0,), height_steps_m=(5.0,)).steps())
    assert every[0] == Steps()
    assert len(every) == len(set(every)) == 3 * 2 * 2 * 2
    assert np.all(np.diff([np.count_nonzero(steps) for steps in every]) >= 0)
