from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rfplan.coverage import compute_coverage
from rfplan.errors import ParameterError
from rfplan.network import Network
from rfplan.optimize.candidates import CandidateRules, find_candidates
from rfplan.optimize.overlay import OVERLAY_BANDS, OverlayBand, one_band_a_site, overlay_candidates
from rfplan.optimize.radio import TargetCover
from rfplan.propagation.free_space import FreeSpace
from rfplan.terrain import Terrain


@pytest.fixture
def world():
    terrain = Terrain.from_arrays(
        np.full((40, 40), 30.0), x0_m=5e5, y0_m=2.3e6, resolution_m=250.0, crs="EPSG:32648", clutter_height_m=0.0
    )
    lon, lat = terrain.lonlat(np.array([502e3, 506e3, 508e3]), np.array([2298e3, 2294e3, 2299e3]))
    sites = pd.DataFrame(
        {"site_id": ["A", "B", "C"], "lon_deg": lon, "lat_deg": lat, "technologies": ["4G", "4G", "4G;5G"]}
    )
    demand = SimpleNamespace(population=np.ones((40, 40)), commune_index=np.zeros((40, 40), np.int32))
    return SimpleNamespace(terrain=terrain, network=Network.with_sectors(sites), demand=demand)


def test_every_site_without_5g_is_offered_in_every_band_and_built_so(world):
    found = overlay_candidates(world.network, world.terrain)
    assert len(found) == 2 * len(OVERLAY_BANDS)
    assert set(found.table["site_id"]) == {"A", "B"}
    built = found.to_network([0, 2, 5])
    assert set(built.cells["technology"]) == {"5G"}
    assert sorted(built.cells["frequency_mhz"].unique()) == [773.0, 2550.0, 3750.0]
    assert one_band_a_site(found).exclusive == ((0, 2, 4), (1, 3, 5))


def test_an_overlay_is_planned_and_verified_like_any_site(world):
    new = find_candidates(world.terrain, world.demand, world.network, rules=CandidateRules(kinds=("grid",)))
    found = overlay_candidates(world.network, world.terrain, new_sites=new)
    before = compute_coverage(
        world.network, world.terrain, model=FreeSpace(), technology="5G", radius_m=5000.0, method="exact"
    )
    plan = TargetCover(before, world.demand, found, population_target=0.9, rules=one_band_a_site(found)).solve(10)
    assert plan.verified
    assert plan.sites["cumulative_people_percent"].iloc[-1] > 0
    existing = plan.sites["upgrades"][plan.sites["upgrades"] != ""]
    assert existing.is_unique


def test_bad_bands_are_refused(world):
    with pytest.raises(ParameterError, match="each name once"):
        overlay_candidates(world.network, world.terrain, bands=(OVERLAY_BANDS[0], OVERLAY_BANDS[0]))
    with pytest.raises(ParameterError, match="frequency_mhz"):
        OverlayBand("n0", 0.0, 1.0, 1.0, 46.0, 1.0)
    only = world.network.select_sites(["C"])
    with pytest.raises(ParameterError, match="no site is left"):
        overlay_candidates(only, world.terrain)
