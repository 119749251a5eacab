"""Heights and bands as configurations of a site, planned on a map."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rfplan.coverage import compute_coverage
from rfplan.errors import ParameterError
from rfplan.network import Network
from rfplan.optimize.candidates import CandidateRules, find_candidates
from rfplan.optimize.configurations import site_configurations
from rfplan.optimize.overlay import OVERLAY_BANDS
from rfplan.optimize.radio import MaximalCoverage, RollOut, TargetCover
from rfplan.propagation.free_space import FreeSpace
from rfplan.terrain import Terrain


@pytest.fixture(scope="module")
def world():
    terrain = Terrain.from_arrays(
        np.full((40, 40), 30.0), x0_m=5e5, y0_m=2.3e6, resolution_m=250.0, crs="EPSG:32648", clutter_height_m=0.0
    )
    lon, lat = terrain.lonlat(np.array([501e3]), np.array([2299e3]))
    sites = pd.DataFrame({"site_id": ["A"], "lon_deg": lon, "lat_deg": lat, "technologies": ["5G"]})
    network = Network.with_sectors(sites)
    demand = SimpleNamespace(population=np.ones((40, 40)), commune_index=np.zeros((40, 40), np.int32))
    found = find_candidates(terrain, demand, network, rules=CandidateRules(kinds=("grid",)), technology="5G")
    before = compute_coverage(network, terrain, model=FreeSpace(), technology="5G", radius_m=3000.0, method="exact")
    return SimpleNamespace(terrain=terrain, demand=demand, found=found, before=before)


def test_a_site_costs_its_opening_once_and_each_height_and_band_its_extra(world):
    table, rules = site_configurations(world.found, heights_m={30.0: 0.0, 60.0: 0.4}, bands=OVERLAY_BANDS[:2])
    assert len(table) == 4 * len(world.found)
    assert table.table["tx_height_agl_m"].tolist()[:4] == [30.0, 30.0, 60.0, 60.0]
    assert table.cost[:4] == pytest.approx([0.3, 0.5, 0.7, 0.9])
    assert rules.site_of[:5].tolist() == [0, 0, 0, 0, 1]
    assert rules.exclusive[:2] == ((0, 2), (1, 3))
    assert rules.opening_cost.tolist() == world.found.cost.tolist()
    built = table.to_network([0, 3])
    assert sorted(built.cells["frequency_mhz"].unique()) == [773.0, 2550.0]


def test_a_plan_over_configurations_is_verified_and_adds_up(world):
    table, rules = site_configurations(
        world.found, heights_m={30.0: 0.0, 60.0: 0.4}, bands=OVERLAY_BANDS[:2], spacing_m=300.0
    )
    plan = TargetCover(world.before, world.demand, table, population_target=0.9, rules=rules).solve(10)
    assert plan.verified
    chosen = plan.solution.selected
    sites = np.unique(rules.site_of[chosen])
    paid = rules.opening_cost[sites].sum() + table.cost[chosen].sum()
    assert plan.objective == pytest.approx(paid)
    assert plan.sites["cumulative_cost"].iloc[-1] == pytest.approx(paid)
    assert 0 < plan.bound <= plan.objective
    budget = MaximalCoverage(world.before, world.demand, table, budget=3.0, rules=rules).solve(10)
    assert budget.verified
    assert budget.sites["cumulative_cost"].iloc[-1] <= 3.0 + 1e-9


def test_a_roll_out_opens_a_site_in_the_first_year_that_builds_on_it(world):
    table, rules = site_configurations(world.found, bands=OVERLAY_BANDS[:2])
    budgets = {2025: 2.0, 2026: 2.0, 2027: 1.0}
    plan = RollOut(world.before, world.demand, table, rules=rules, budgets=budgets, carry_over=True).solve(10)
    assert plan.verified
    paid, opened = dict.fromkeys(budgets, 0.0), set()
    for column, year in zip(plan.solution.selected, plan.sites["year"], strict=True):
        site = rules.site_of[column]
        paid[year] += table.cost[column] + (0.0 if site in opened else rules.opening_cost[site])
        opened.add(site)
    assert plan.years["spent"].tolist() == pytest.approx(list(paid.values()))
    assert plan.sites.groupby("year")["cost"].sum().to_dict() == pytest.approx({y: c for y, c in paid.items() if c})
    assert (plan.years["spent"].cumsum() <= np.cumsum(list(budgets.values())) + 1e-9).all()
    assert plan.objective <= plan.bound


def test_bad_configurations_are_refused(world):
    with pytest.raises(ParameterError, match="heights_m"):
        site_configurations(world.found, heights_m={0.0: 1.0})
    with pytest.raises(ParameterError, match="each name once"):
        site_configurations(world.found, bands=(OVERLAY_BANDS[0], OVERLAY_BANDS[0]))
    once, _ = site_configurations(world.found, bands=OVERLAY_BANDS[:1])
    with pytest.raises(ParameterError, match="carriers of their own"):
        site_configurations(once, bands=OVERLAY_BANDS[:1])
