from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from coverage_helpers import LogDistance, flat_terrain
from rfplan.coverage import BuildingEntry, Coverage, Service, compute_coverage, explain
from rfplan.coverage.explain import obstruction_of
from rfplan.errors import ParameterError
from rfplan.network import Network, SectorTemplate
from rfplan.profile import PathProfile
from rfplan.propagation.p1812 import P1812
from rfplan.terrain import Terrain


def ridge_terrain() -> Terrain:
    terrain = flat_terrain(61, 90.0)
    ground = np.full(terrain.shape, 20.0, dtype=np.float32)
    ground[:, 38:41] = 180.0
    classes = np.full(terrain.shape, 3, dtype=np.uint8)
    return replace(terrain, elevation_amsl_m=ground, clutter_class=classes)


def lonlat(terrain: Terrain, row: float, col: float) -> tuple[float, float]:
    step = terrain.resolution_m
    lon, lat = terrain.lonlat(terrain.x0_m + (col + 0.5) * step, terrain.y0_m - (row + 0.5) * step)
    return float(lon), float(lat)


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    terrain = ridge_terrain()
    places = [lonlat(terrain, 30.2, 20.3), lonlat(terrain, 10.0, 12.0)]
    sites = pd.DataFrame(
        {"site_id": ["near", "far"], "lon_deg": [p[0] for p in places], "lat_deg": [p[1] for p in places]}
    )
    network = Network.with_sectors(sites, SectorTemplate(tx_height_agl_m=25.0, electrical_tilt_deg=8.0))
    service = Service("indoor", required_rsrp_dbm=-95.0, penetration=BuildingEntry())
    return compute_coverage(network, terrain, model=P1812(), service=service, radius_m=6000.0, method="exact")


@pytest.mark.parametrize("pixel", [(30, 25), (31, 45), (20, 55), (44, 30)])
def test_numbers_agree_with_the_layers(coverage: Coverage, pixel: tuple[int, int]) -> None:
    found = explain(coverage, lonlat(coverage.terrain, *pixel))
    assert found.margin_db == pytest.approx(float(coverage.layers["margin_db"].values[pixel]), abs=2e-3)
    assert found.level_dbm == pytest.approx(float(coverage.layers["rsrp_dbm"].values[pixel]), abs=2e-3)
    assert found.covered == bool(coverage.covered[pixel])
    assert found.missing_db == max(0.0, -found.margin_db)


def test_budget_lines_add_up(coverage: Coverage) -> None:
    found = explain(coverage, lonlat(coverage.terrain, 31, 45))
    value = found.budget.set_index("line")["value"]
    parts = ["reference signal power", "antenna gain", "antenna pattern", "feeder", "free space", "terrain and clutter"]
    parts += ["penetration", "body", "device antenna"]
    assert value[parts].sum() == pytest.approx(value["level at the device"], abs=1e-6)
    assert value["downlink margin"] == pytest.approx(value["level at the device"] + 95.0)
    assert min(value["downlink margin"], value["uplink margin"]) == pytest.approx(found.margin_db, abs=1e-6)


def test_the_ridge_is_named_and_remedies_help(coverage: Coverage) -> None:
    found = explain(coverage, lonlat(coverage.terrain, 31, 45))
    assert not found.covered
    assert found.site_id == "near"
    assert found.obstruction is not None
    assert found.obstruction.ground_amsl_m > 150.0
    assert found.obstruction.clearance_m < -100.0
    x, _ = coverage.terrain.xy(found.obstruction.lon_deg, found.obstruction.lat_deg)
    assert 37.5 <= (float(x) - coverage.terrain.x0_m) / 90.0 - 0.5 <= 41.0
    kinds = " ".join(r.change for r in found.remedies)
    assert "raise the antenna" in kinds
    assert "MHz" in kinds
    assert [r.gain_db for r in found.remedies] == sorted((r.gain_db for r in found.remedies), reverse=True)
    text = str(found)
    assert "not covered" in text
    assert "above the ray" in text


def test_a_remedy_is_what_the_changed_network_gives(coverage: Coverage) -> None:
    pixel = (31, 45)
    found = explain(coverage, lonlat(coverage.terrain, *pixel))
    raised = next(r for r in found.remedies if r.change.startswith("raise"))
    height = float(raised.change.split()[-2])
    changed = coverage.network.with_values("sectors", [found.sector_id], tx_height_agl_m=height)
    again = compute_coverage(
        changed, coverage.terrain, model=coverage.model, service=coverage.service, radius_m=6000.0, method="exact"
    )
    assert float(again.layers["margin_db"].values[pixel]) == pytest.approx(raised.margin_db, abs=5e-3)


def test_places_without_an_answer(coverage: Coverage) -> None:
    with pytest.raises(ParameterError, match="off the terrain"):
        explain(coverage, (0.0, 0.0))
    terrain = flat_terrain(61, 90.0)
    lon, lat = lonlat(terrain, 2, 2)
    small = compute_coverage(
        Network.with_sectors(pd.DataFrame({"lon_deg": [lon], "lat_deg": [lat]})),
        terrain,
        model=LogDistance(),
        radius_m=900.0,
        method="exact",
    )
    with pytest.raises(ParameterError, match=r"no 4G site within 0\.9 km"):
        explain(small, lonlat(terrain, 50, 50))


def test_obstruction_of_a_single_edge() -> None:
    profile = PathProfile(np.linspace(0, 10_000, 101), np.where(np.arange(101) == 50, 60.0, 0.0))
    edge = obstruction_of(profile, 30.0, 30.0, 300.0, 1e12)
    assert edge is not None
    assert edge.distance_m == 5000.0
    assert edge.clearance_m == pytest.approx(-30.0, abs=1e-3)
    # ν = h √(2 d /(λ d1 d2)), 30 m over a 10 km path at 0.999 m.
    assert edge.nu == pytest.approx(30.0 * np.sqrt(2 * 10_000 / (0.99931 * 25e6)), rel=1e-4)
    assert obstruction_of(PathProfile(np.linspace(0, 1000, 11), np.zeros(11)), 300.0, 300.0, 3000.0, 1e12) is None
