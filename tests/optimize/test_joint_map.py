"""Joint coverage on a map, against the product of every site's chance to fail, each site predicted alone."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from rfplan.coverage import Service, compute_coverage
from rfplan.errors import ParameterError
from rfplan.network import Network
from rfplan.optimize.candidates import CandidateRules, Candidates, find_candidates
from rfplan.optimize.instance import Rules
from rfplan.optimize.joint_map import JointCover, JointRequirement, joint_units
from rfplan.optimize.joint_rows import UNITS
from rfplan.optimize.prepare import settings_of
from rfplan.optimize.radio import problem_rules
from rfplan.propagation.plane_earth import LogDistance
from rfplan.terrain import Terrain

P = 0.9


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(8)
    terrain = Terrain.from_arrays(
        30.0 + 40.0 * rng.random((36, 36)),
        x0_m=5e5, y0_m=2.3e6, resolution_m=250.0, crs="EPSG:32648", clutter_height_m=0.0,
    )  # fmt: skip
    lon, lat = terrain.lonlat(np.array([502e3, 507e3]), np.array([2298e3, 2297e3]))
    sites = pd.DataFrame({"site_id": ["A", "B"], "lon_deg": lon, "lat_deg": lat, "technologies": ["4G", "2G"]})
    network = Network.with_sectors(sites)
    demand = SimpleNamespace(
        population=rng.integers(0, 30, (36, 36)).astype(float), commune_index=np.zeros((36, 36), np.int32)
    )
    service = Service(required_rsrp_dbm=-97.0, shadowing_sigma_db=7.0, downlink_margin_db=6.0)
    before = compute_coverage(
        network, terrain, model=LogDistance(exponent=3.0), service=service, radius_m=4000.0, method="exact"
    )
    rules = CandidateRules(kinds=("mast", "grid"), grid_spacing_m=2000.0)
    return SimpleNamespace(
        terrain=terrain, demand=demand, before=before, found=find_candidates(terrain, demand, network, rules=rules)
    )


def chances(coverage, network):
    """Chance of every pixel to be served by each site of a network, (sites, ny, nx), from sites predicted alone."""
    service = coverage.service
    free = replace(
        service, required_rsrp_dbm=service.required_rsrp_dbm - service.downlink_margin_db, fading_margin_db=0.0
    )
    out = []
    serving = network.sectors[
        network.sectors["sector_id"].isin(
            network.cells.loc[network.cells["technology"] == coverage.technology, "sector_id"]
        )
    ]
    for site in serving["site_id"].unique():
        settings = {**settings_of(coverage), "service": free}
        alone = compute_coverage(network.select_sites([site]), coverage.terrain, **settings)
        chance = norm.cdf(alone.layers["margin_db"].values.astype(float) / 7.0)
        out.append(np.where(np.isfinite(chance) & (chance >= 0.05), chance, 0.0))
    return np.array(out)


def agrees(covered, chance):
    joint = 1.0 - np.prod(1.0 - chance, axis=0)
    slack = 1.0 - (1.0 - P) ** (1.0 + len(chance) / 10_000)
    assert not (covered & (joint < P - 1e-9)).any()
    assert covered[joint >= slack].all()


def test_a_plan_serves_what_its_sites_serve_together(world):
    plan = JointCover(world.before, world.demand, world.found, probability=P, population_target=0.95).solve(10)
    assert plan.verified
    assert plan.mismatch_pixels == 0
    assert 0 < plan.bound <= plan.objective
    network = plan.coverage_after.network
    assert len(network.sites) == 2 + len(plan.sites)
    before, after = chances(world.before, world.before.network), chances(world.before, network)
    agrees(plan.coverage_before.covered, before)
    agrees(plan.coverage_after.covered, after)
    together = plan.coverage_after.covered & (after < P).all(axis=0)
    assert together.sum() > 10  # served by several, by none alone
    people = world.demand.population
    every = chances(world.before, Network.concat([world.before.network, world.found.to_network()]))
    reachable = people[1.0 - np.prod(1.0 - every, axis=0) >= P].sum()
    assert people[plan.coverage_after.covered].sum() >= 0.95 * reachable * (1 - 1e-3)
    gained = people[plan.coverage_after.covered].sum() - people[plan.coverage_before.covered].sum()
    assert plan.sites["gained_people"].sum() == pytest.approx(gained)
    layer = plan.coverage_after.layers["joint_probability"].values
    np.testing.assert_allclose(layer, np.minimum(1.0 - np.prod(1.0 - after, axis=0), layer.max()), atol=0.101)
    assert (layer[plan.coverage_after.covered] >= P - 1e-6).all()


def test_with_strong_servers_only_it_is_one_server_a_pixel(world):
    alone = JointCover(
        world.before, world.demand, world.found, probability=P, least_probability=P, area_target=0.8
    ).solve(10)
    assert alone.verified
    network = alone.coverage_after.network
    strongest = chances(world.before, network).max(axis=0)
    np.testing.assert_array_equal(alone.coverage_after.covered, strongest >= P)
    together = joint_units(network, world.before, JointRequirement(P)) >= UNITS
    assert together[alone.coverage_after.covered].all()
    assert together.sum() > alone.coverage_after.covered.sum()


@pytest.mark.parametrize("seed", range(5))
def test_weights_of_a_site_follow_from_its_margin(seed):
    asked = JointRequirement(0.95, 0.1)
    margin = np.append(np.random.default_rng(seed).normal(0.0, 10.0, 50), np.nan).astype(np.float32)
    units = asked.units(margin, 8.0)
    chance = norm.cdf(margin.astype(float) / 8.0)
    assert units[-1] == 0
    assert (units[:-1][chance[:-1] < 0.1] == 0).all()
    assert (units[:-1][chance[:-1] >= 0.95] == 10_000).all()
    between = np.flatnonzero((chance >= 0.1) & (chance < 0.95))
    np.testing.assert_allclose(units[between] / 1e4, np.log(1 - chance[between]) / np.log(0.05), atol=1.01e-4)


def test_what_does_not_fit_is_refused(world):
    def problem(**more):
        given = {"coverage": world.before, "demand": world.demand, "candidates": world.found, "probability": P}
        return JointCover(**{**given, **more})

    for options, words in (
        ({"probability": 1.0}, "above 0 and below 1"),
        ({"least_probability": 0.99}, "least_probability"),
        ({"population_target": 99.0}, "population_target = 99"),
    ):
        with pytest.raises(ParameterError, match=words):
            problem(**options)
    table = world.found.table
    with pytest.raises(ParameterError, match="shares its shadowing"):
        problem(candidates=Candidates(table.assign(kind="sector")))
    twice = pd.concat([table[table["kind"] == "mast"]] * 2, ignore_index=True)
    twice["candidate_id"] = ["one", "two"]
    with pytest.raises(ParameterError, match="several candidates stand on site 'B'"):
        problem(candidates=Candidates(twice))
    problem(candidates=Candidates(twice), rules=Rules(exclusive=((0, 1),)))
    at_95 = replace(world.before, model=SimpleNamespace(location_percent=95.0))
    with pytest.raises(ParameterError, match="50 % of locations"):
        problem(coverage=at_95).prepare()
    with pytest.raises(ParameterError, match="memory_cap_gb"):
        problem(memory_cap_gb=1e-6).prepare()
    assert problem(rules=problem_rules(world.found, 500.0)).prepare().need is not None
