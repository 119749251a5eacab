"""The whole chain on a fake prediction: every site covers a disc, so the truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import rfplan.coverage
from rfplan.errors import ParameterError
from rfplan.network import Network
from rfplan.optimize.candidates import CandidateRules, find_candidates
from rfplan.optimize.radio import MaximalCoverage, RollOut, SetCover, TargetCover, problem_rules
from rfplan.terrain import Terrain


@dataclass(frozen=True)
class Service:
    required_rsrp_dbm: float = -110.0


@dataclass(frozen=True)
class FakeCoverage:
    layers: xr.Dataset
    network: Network
    terrain: Terrain
    service: Service
    radius_m: float = 3000.0


def _margins(network, terrain, service, radius_m=3000.0):
    ny, nx = terrain.shape
    x = terrain.x0_m + (np.arange(nx) + 0.5) * terrain.resolution_m
    y = terrain.y0_m - (np.arange(ny) + 0.5) * terrain.resolution_m
    reach = 1000.0 * 10 ** ((-110.0 - service.required_rsrp_dbm) / 40.0)
    sx, sy = terrain.xy(network.sites["lon_deg"].to_numpy(), network.sites["lat_deg"].to_numpy())
    for index in range(len(network.sites)):
        distance = np.hypot(x[None, :] - sx[index], y[:, None] - sy[index])
        margin = np.where(distance <= radius_m, (reach - distance) / 10.0, np.nan).astype(np.float32)
        yield index, slice(0, ny), slice(0, nx), margin, margin


def _coverage(network, terrain, service=None, radius_m=3000.0):
    service = service or Service()
    best = np.full(terrain.shape, -np.inf, np.float32)
    for _, rows, cols, margin, _rsrp in _margins(network, terrain, service, radius_m):
        best[rows, cols] = np.fmax(best[rows, cols], margin)
    layers = xr.Dataset({"margin_db": (("y", "x"), best), "covered": (("y", "x"), best >= 0)})
    return FakeCoverage(layers, network, terrain, service, radius_m)


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setattr(rfplan.coverage, "site_margins", _margins, raising=False)
    monkeypatch.setattr(rfplan.coverage, "compute_coverage", _coverage, raising=False)
    rng = np.random.default_rng(5)
    ground = rng.random((60, 60)) * 50.0
    terrain = Terrain.from_arrays(ground, x0_m=5e5, y0_m=2.3e6, resolution_m=100.0, crs="EPSG:32648")
    index = np.zeros((60, 60), np.int32)
    index[:, 30:] = 1
    index[:3] = -1
    people = np.where(index >= 0, rng.integers(0, 20, (60, 60)), 0).astype(float)
    demand = SimpleNamespace(population=people, commune_index=index)
    lon, lat = terrain.lonlat(np.array([502_000.0]), np.array([2_298_000.0]))
    network = Network.with_sectors(pd.DataFrame({"site_id": ["A"], "lon_deg": lon, "lat_deg": lat}))
    candidates = find_candidates(
        terrain, demand, network, rules=CandidateRules(kinds=("seat", "grid"), grid_spacing_m=900.0, spacing_m=300.0)
    )
    return SimpleNamespace(
        coverage=_coverage(network, terrain),
        demand=demand,
        candidates=candidates,
        terrain=terrain,
        people=people,
        index=index,
    )


def test_plan_keeps_its_promise_to_the_pixel(world):
    plan = TargetCover(
        world.coverage, world.demand, candidates=world.candidates, population_target=0.95, area_target=0.9
    ).solve(5)
    assert plan.verified
    assert plan.mismatch_pixels == 0
    domain = world.index >= 0
    after = plan.coverage_after.layers["covered"].values & domain
    people_total = world.people[domain].sum()
    last = plan.sites.iloc[-1]
    assert last["cumulative_people_percent"] == pytest.approx(100 * world.people[after].sum() / people_total)
    assert last["cumulative_area_percent"] == pytest.approx(100 * after.sum() / domain.sum())
    uncoverable_people = plan.uncoverable["people"].sum()
    assert world.people[after].sum() >= 0.95 * (people_total - uncoverable_people) - 1e-6
    assert plan.objective == pytest.approx(plan.sites["cost"].sum())
    assert plan.bound <= plan.objective
    assert (np.diff(plan.curve["people_percent"]) >= 0).all()


def test_full_cover_leaves_only_the_uncoverable(world):
    plan = SetCover(world.coverage, world.demand, world.candidates).solve(5)
    after = plan.coverage_after.layers["covered"].values
    rest = (world.index >= 0) & ~after
    assert plan.verified
    assert plan.uncoverable["area_km2"].sum() == pytest.approx(rest.sum() * 0.01)
    assert plan.uncoverable["people"].sum() == pytest.approx(world.people[rest].sum())
    assert plan.uncoverable.geometry.area.sum() == pytest.approx(rest.sum() * 1e4)
    assert set(plan.uncoverable["reason"]) <= {
        "no candidate within reach",
        "candidates within reach, but none gives enough signal here",
    }


def test_budget_is_kept_and_a_stricter_threshold_costs_more(world):
    plan = MaximalCoverage(world.coverage, world.demand, world.candidates, budget=5.0).solve(5)
    assert plan.sites["cost"].sum() <= 5.0
    assert plan.objective == pytest.approx(plan.sites["gained_people"].sum())
    loose = TargetCover(world.coverage, world.demand, world.candidates, population_target=0.9).solve(5)
    strict = TargetCover(
        world.coverage, world.demand, world.candidates, threshold_dbm=-105.0, population_target=0.9
    ).solve(5)
    assert strict.verified
    assert strict.objective > loose.objective


def test_floors_and_spacing_hold(world):
    rules = problem_rules(world.candidates, spacing_m=1000.0)
    plan = TargetCover(
        world.coverage, world.demand, world.candidates, rules=rules, population_target=0.3, commune_population_floor=0.6
    ).solve(5)
    after = plan.coverage_after.layers["covered"].values
    for commune in (0, 1):
        people = np.where(world.index == commune, world.people, 0.0)
        assert people[after].sum() >= 0.6 * people.sum() - 1e-6
    xy = world.candidates.table.loc[plan.solution.selected, ["x_m", "y_m"]].to_numpy()
    distance = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    assert distance[np.triu_indices(len(xy), 1)].min(initial=np.inf) >= 1000.0


def test_memory_cap_and_bad_targets_are_refused(world):
    with pytest.raises(ParameterError, match="memory_cap_gb"):
        SetCover(world.coverage, world.demand, world.candidates, memory_cap_gb=1e-6).solve(5)
    with pytest.raises(ParameterError, match="population_target"):
        TargetCover(world.coverage, world.demand, world.candidates, population_target=95)
    with pytest.raises(ParameterError, match="budget"):
        MaximalCoverage(world.coverage, world.demand, world.candidates, budget=-1)


def test_nothing_left_to_cover(world):
    everywhere = _coverage(world.coverage.network, world.terrain, Service(-300.0), 1e6)
    plan = TargetCover(everywhere, world.demand, world.candidates).solve(5)
    assert len(plan.sites) == 0
    assert (plan.objective, plan.gap, plan.verified) == (0.0, 0.0, True)
    assert len(plan.uncoverable) == 0


def test_roll_out_on_the_map_has_a_year_a_site_and_keeps_its_promise(world):
    problem = RollOut(
        world.coverage,
        world.demand,
        world.candidates,
        budgets={2025: 4.0, 2026: 4.0, 2027: 4.0},
        milestones={2026: 0.5},
    )
    plan = problem.solve(10)
    assert plan.verified
    assert plan.sites["year"].is_monotonic_increasing
    assert (plan.sites.groupby("year")["cost"].sum() <= 4.0 + 1e-9).all()
    domain = world.index >= 0
    after = plan.coverage_after.layers["covered"].values & domain
    assert plan.years["covered"].iloc[-1] == pytest.approx(world.people[after].sum())
    assert plan.years["met"].all()
