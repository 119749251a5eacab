"""Tuning by data SINR: against per-cell sums by hand, every setting tried, and the layers of the whole network."""

from __future__ import annotations

import itertools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import rfplan.coverage.predict as predict
from rfplan.coverage import Receiver, Service, compute_coverage, compute_radio
from rfplan.errors import ParameterError
from rfplan.network import Network
from rfplan.optimize.settings import SettingRules, Steps, set_sector, tune_sectors
from rfplan.propagation.plane_earth import LogDistance
from rfplan.terrain import Terrain

MIN_SINR_DB = 5.0
AZIMUTHS, HEIGHTS = (-50.0, 0.0, 50.0), (0.0, 15.0)


def _world(seed):
    rng = np.random.default_rng(seed)
    n = 32
    terrain = Terrain.from_arrays(
        20.0 + 10.0 * rng.random((n, n)),
        x0_m=5e5, y0_m=2.3e6, resolution_m=250.0, crs="EPSG:32648", clutter_height_m=0.0,
    )  # fmt: skip
    lon, lat = terrain.lonlat(5e5 + 8e3 * rng.uniform(0.2, 0.8, 3), 2.3e6 - 8e3 * rng.uniform(0.2, 0.8, 3))
    table = pd.DataFrame({"site_id": ["A", "B", "C"], "lon_deg": lon, "lat_deg": lat})
    network = Network.with_sectors(table, azimuth_deg=(float(rng.uniform(0.0, 360.0)),))
    network = replace(network, cells=network.cells.assign(load=rng.uniform(0.2, 1.0, 3)))
    people = rng.integers(1, 50, (n, n)).astype(float)
    coverage = compute_coverage(
        network, terrain, model=LogDistance(exponent=3.0), service=Service(required_rsrp_dbm=-112.0), radius_m=5000.0,
        method="exact",
    )  # fmt: skip
    demand = SimpleNamespace(population=people, commune_index=np.zeros((n, n), np.int32))
    return SimpleNamespace(coverage=coverage, demand=demand, people=people)


@pytest.fixture(scope="module")
def world():
    return _world(5)


def _settings(coverage):
    return {k: getattr(coverage, k) for k in ("model", "receiver", "service", "technology", "radius_m", "method")}


class _ByHand:
    """Levels of each sector in each setting, predicted alone; SINR and coverage of any combination from them."""

    def __init__(self, world):
        c = world.coverage
        self.people, self.network = world.people, c.network
        self.options = [Steps(azimuth_step_deg=a, height_step_m=h) for a in AZIMUTHS for h in HEIGHTS]
        self.sectors = c.network.sectors["sector_id"].tolist()
        self.load = c.network.cells["load"].to_numpy()
        self.level, self.covers = {}, {}
        for sector, site in zip(self.sectors, c.network.sectors["site_id"], strict=True):
            for steps in self.options:
                alone = set_sector(c.network, c.network, sector, steps).select_sites([site])
                got = compute_coverage(alone, c.terrain, **_settings(c))
                self.level[sector, steps] = got.layers["rsrp_dbm"].values.astype(float)
                self.covers[sector, steps] = got.covered
        blocks_khz = 15e3
        self.noise_mw = 10 ** (0.1 * (-174.0 + 10 * np.log10(blocks_khz) + Receiver().noise_figure_db))

    def masks(self, combination):
        level = np.array([self.level[pair] for pair in zip(self.sectors, combination, strict=True)])
        power = np.nan_to_num(10 ** (0.1 * level), nan=0.0)
        server = power.argmax(axis=0)
        own = np.take_along_axis(power, server[None], 0)[0]
        data = (power * self.load[:, None, None]).sum(axis=0) - own * self.load[server]
        with np.errstate(divide="ignore"):
            sinr = np.where(own > 0, 10 * np.log10(own / (data + self.noise_mw)), np.nan)
        covered = np.any([self.covers[pair] for pair in zip(self.sectors, combination, strict=True)], axis=0)
        return covered, covered & (sinr >= MIN_SINR_DB), sinr


def _rules(**changes):
    return SettingRules(
        AZIMUTHS, (0.0,), height_steps_m=HEIGHTS, min_sinr_db=MIN_SINR_DB,
        **{"rounds": 6, "max_changes_per_site": 1, **changes},
    )  # fmt: skip


def _settled(plan, sectors):
    last = {row.sector_id: Steps(*row[3 : 3 + len(Steps._fields)]) for row in plan.changes.itertuples()}
    return tuple(last.get(s, Steps()) for s in sectors)


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("seed", [5, 6])
def test_against_every_setting(seed, keep):
    world = _world(seed)
    hand = _ByHand(world)
    start = tuple(Steps() for _ in hand.sectors)
    covered0, served0, _ = hand.masks(start)

    def value(combination):
        covered, served, _ = hand.masks(combination)
        if keep and ((covered0 & ~covered).any() or (served0 & ~served).any()):
            return -np.inf
        return world.people[served].sum()

    plan = tune_sectors(
        world.coverage, world.demand, site_ids=["A", "B", "C"], rules=_rules(keep_covered=keep, keep_served=keep)
    )
    assert plan.verified
    settled = _settled(plan, hand.sectors)
    covered, served, sinr = hand.masks(settled)
    after = plan.figures.loc["after"]
    assert after["served_people"] == pytest.approx(world.people[served].sum())
    assert after["served_km2"] == pytest.approx(served.sum() * 0.0625)
    assert after["covered_people"] == pytest.approx(world.people[covered].sum())
    assert plan.figures.loc["before", "served_people"] == pytest.approx(world.people[served0].sum())
    assert plan.lost_pixels == (covered0 & ~covered).sum()
    assert plan.lost_served_pixels == (served0 & ~served).sum()
    np.testing.assert_allclose(plan.sinr_after_db.values, sinr, atol=1e-4)
    # No single sector can be improved, and no combination of all is better than what brute force finds.
    reached = value(settled)
    best = max(value(c) for c in itertools.product(hand.options, repeat=len(hand.sectors)))
    assert value(start) <= reached <= best
    for i in range(len(settled)):
        for steps in hand.options:
            assert value((*settled[:i], steps, *settled[i + 1 :])) <= reached
    if not keep:
        assert reached > value(start)
        assert reached >= 0.97 * best


def test_sinr_is_that_of_the_layers_to_the_bit(world):
    plan = tune_sectors(world.coverage, world.demand, site_ids=["A", "C"], rules=_rules(keep_served=False))
    again = compute_radio(plan.network, world.coverage.terrain, **_settings(world.coverage)).layers()["sinr_db"].values
    np.testing.assert_array_equal(plan.sinr_after_db.values, again)
    assert plan.verified
    assert plan.lost_pixels == 0
    assert set(plan.changes["site_id"]) <= {"A", "C"}
    twice = tune_sectors(world.coverage, world.demand, site_ids=["A", "C"], rules=_rules(keep_served=False))
    pd.testing.assert_frame_equal(plan.changes, twice.changes)


def test_area_counts_every_pixel_alike(world):
    rules = _rules(objective="area", keep_served=False, keep_covered=False)
    plan = tune_sectors(world.coverage, world.demand, site_ids=["A", "B", "C"], rules=rules)
    assert plan.verified
    assert plan.gained_km2 > 0
    assert plan.changes["gained_km2"].sum() == pytest.approx(plan.gained_km2)
    assert plan.changes["gained_people"].sum() == pytest.approx(plan.gained_people)


def test_path_loss_is_worked_out_once_a_height(world, monkeypatch):
    asked = []
    plain = predict.site_path_loss

    def counting(terrain, about, store=None):
        asked.extend((about.x_m, about.y_m, *band) for band in about.bands)
        return plain(terrain, about, store)

    monkeypatch.setattr(predict, "site_path_loss", counting)
    plan = tune_sectors(world.coverage, world.demand, site_ids=["A", "B"], rules=_rules(keep_served=False))
    # The predictions of the whole network before and after ask anew, once a site each; so does the coverage after.
    whole = 3 * (3 if len(plan.changes) else 1)
    assert len(set(asked)) <= 3 + 2
    assert len(asked) == (3 + 2) + whole


@pytest.mark.parametrize("kind", ["two carriers", "traffic beams"])
def test_carriers_and_beams_count_as_in_the_layers(kind):
    world = _world(8)
    c = world.coverage
    network = c.network
    if kind == "two carriers":
        up, down = [1745.0, 1745.0, 1930.0], [1840.0, 1840.0, 2120.0]
        network = replace(network, cells=network.cells.assign(frequency_mhz=down, uplink_frequency_mhz=up))
    else:
        network = replace(network, sectors=network.sectors.assign(antenna="panel-2600-ssb"))
    coverage = compute_coverage(network, c.terrain, **_settings(c))
    rules = _rules(keep_served=False, keep_covered=False)
    plan = tune_sectors(coverage, world.demand, site_ids=["A", "B", "C"], rules=rules)
    assert len(plan.changes) > 0
    assert plan.verified
    assert plan.changes["gained_people"].sum() == pytest.approx(plan.gained_people)


def test_bad_rules_are_refused(world):
    with pytest.raises(ParameterError, match="objective='cost'"):
        SettingRules(objective="cost")
    with pytest.raises(ParameterError, match="min_sinr_db=99"):
        SettingRules(min_sinr_db=99.0)
    with pytest.raises(ParameterError, match="out of"):
        tune_sectors(world.coverage, world.demand, site_ids=["A"], rules=SettingRules(height_steps_m=(-40.0,)))
    three = replace(world.coverage, technology="3G")
    with pytest.raises(ParameterError, match="4G and 5G"):
        tune_sectors(three, world.demand, site_ids=["A"], rules=SettingRules(min_sinr_db=0.0))
