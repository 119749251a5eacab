from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from shapely.geometry import box

from rfplan.errors import ParameterError
from rfplan.network import Network
from rfplan.optimize.candidates import CandidateRules, Candidates, find_candidates
from rfplan.optimize.landforms import net_of_high_points, ridge_drop_m, slope_deg, summit_relief_m, thin_by_distance
from rfplan.terrain import Terrain


def hills(ny=60, nx=60, resolution_m=100.0):
    """A plain with one round hill at row 20, column 40 and one east-west ridge along row 45."""
    rows, columns = np.mgrid[0:ny, 0:nx]
    ground = 20.0 + 300.0 * np.exp(-((rows - 20) ** 2 + (columns - 40) ** 2) / 60.0)
    return ground + 150.0 * np.exp(-((rows - 45) ** 2) / 12.0)


def terrain_of(ground, resolution_m=100.0):
    return Terrain.from_arrays(ground, x0_m=500_000.0, y0_m=2_300_000.0, resolution_m=resolution_m, crs="EPSG:32648")


def demand_of(shape, n=4):
    index = np.repeat(np.arange(n), -(-shape[0] // n))[: shape[0], None] * np.ones(shape[1], np.int32)
    people = np.ones(shape)
    people[5, 5] = 500.0
    return SimpleNamespace(population=people, commune_index=index.astype(np.int32))


def test_summits_and_ridges_are_where_the_ground_is():
    ground = hills()
    relief = summit_relief_m(ground, 100.0, 700.0)
    assert np.isfinite(relief[20, 40])
    assert relief[20, 40] == np.nanmax(relief)
    drop = ridge_drop_m(ground, 100.0, 500.0)
    assert (drop[45, :30] > 90).all()
    assert not (drop[5, :30] > 1).any()
    assert slope_deg(np.outer(np.arange(5.0), np.ones(5)) * 100.0, 100.0) == pytest.approx(45.0)


def test_net_takes_the_highest_allowed_pixel_of_each_square():
    ground = hills()
    points = net_of_high_points(ground, np.ones(ground.shape, bool), 100.0, 2000.0)
    assert len(points) == 9
    for row, column in points:
        block = ground[row // 20 * 20 : row // 20 * 20 + 20, column // 20 * 20 : column // 20 * 20 + 20]
        assert ground[row, column] == block.max()
    assert len(net_of_high_points(ground, np.zeros(ground.shape, bool), 100.0, 2000.0)) == 0


def test_thinning_keeps_the_first_and_the_distance():
    rng = np.random.default_rng(0)
    x, y = rng.random((2, 300)) * 1000.0
    kept = thin_by_distance(x, y, 90.0, np.array([[500.0, 500.0]]))
    points = np.vstack([np.column_stack([x, y])[kept], [[500.0, 500.0]]])
    distance = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    assert distance[np.triu_indices(len(points), 1)].min() >= 90.0
    dropped = np.setdiff1d(np.arange(300), kept)
    gap = np.hypot(x[dropped, None] - points[:, 0], y[dropped, None] - points[:, 1]).min(axis=1)
    assert (gap < 90.0).all()


def _network(terrain):
    lon, lat = terrain.lonlat(np.array([501_000.0, 503_000.0]), np.array([2_298_000.0, 2_296_500.0]))
    sites = pd.DataFrame(
        {
            "site_id": ["OLD2G", "HAS4G"],
            "lon_deg": lon,
            "lat_deg": lat,
            "technologies": ["2G", "2G;4G"],
            "tx_height_agl_m": 36.0,
        }
    )
    return Network.with_sectors(sites)


def test_candidates_of_every_kind_respect_every_rule():
    terrain = terrain_of(hills())
    rules = CandidateRules(grid_spacing_m=1500.0, max_slope_deg=40.0)
    found = find_candidates(terrain, demand_of(terrain.shape), _network(terrain), rules=rules)
    table = found.table
    assert set(table["kind"]) == {"mast", "seat", "summit", "ridge", "grid"}
    assert table["candidate_id"].is_unique
    mast = table[table["kind"] == "mast"]
    assert mast["site_id"].tolist() == ["OLD2G"]
    assert mast["tx_height_agl_m"].tolist() == [36.0]
    xy = table[["x_m", "y_m"]].to_numpy()
    distance = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    assert distance[np.triu_indices(len(xy), 1)].min() >= rules.spacing_m
    assert np.hypot(xy[:, 0] - 503_000.0, xy[:, 1] - 2_296_500.0).min() >= rules.min_distance_to_existing_m
    again = find_candidates(terrain, demand_of(terrain.shape), _network(terrain), rules=rules)
    pd.testing.assert_frame_equal(table, again.table)


def test_exclusions_are_respected_and_counted():
    ground = hills()
    ground[:10] = np.nan
    terrain = terrain_of(ground)
    west = box(*terrain.lonlat(500_000.0, 2_290_000.0), *terrain.lonlat(502_000.0, 2_301_000.0))
    found = find_candidates(terrain, demand_of(terrain.shape), exclude=west, rules=CandidateRules(grid_spacing_m=900.0))
    assert found.table["x_m"].min() > 501_900.0
    assert found.table["y_m"].max() < 2_299_000.0
    assert found.excluded["excluded area"] > 0
    assert found.excluded["unknown ground"] == 600
    with pytest.raises(ParameterError, match="no candidate is left"):
        find_candidates(terrain_of(np.full((9, 9), np.nan)), demand_of((9, 9)))


def test_max_candidates_thins_evenly():
    terrain = terrain_of(hills())
    rules = CandidateRules(kinds=("grid",), grid_spacing_m=800.0, max_candidates=7)
    assert len(find_candidates(terrain, demand_of(terrain.shape), rules=rules)) == 7


def test_candidates_become_a_network_in_order():
    terrain = terrain_of(hills())
    found = find_candidates(terrain, demand_of(terrain.shape), _network(terrain))
    network = found.to_network([3, 0, 2])
    assert network.sites["site_id"].tolist() == found.table["candidate_id"].iloc[[3, 0, 2]].tolist()
    assert set(network.sites["status"]) == {"candidate"}
    assert len(network.sectors) == 9
    assert set(network.cells["technology"]) == {"4G"}
    heights = network.sectors.groupby("site_id")["tx_height_agl_m"].first()
    assert heights[found.table["candidate_id"].iloc[3]] == found.table["tx_height_agl_m"].iloc[3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kinds": ("tree",)}, "names \\['tree'\\]"),
        ({"spacing_m": 0.0}, "spacing_m = 0.0"),
        ({"cost": {}}, "no price"),
        ({"tx_height_agl_m": {"mast": -1.0}}, "no height"),
    ],
)
def test_bad_rules_are_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        CandidateRules(**arguments)


def test_bad_tables_are_refused():
    with pytest.raises(ParameterError, match="lack the columns"):
        Candidates(pd.DataFrame({"lon_deg": []}))


def test_shared_masts_new_sectors_and_taller_masts_are_offered_and_built():
    from types import SimpleNamespace

    from rfplan.network import Network
    from rfplan.terrain import Terrain

    terrain = Terrain.from_arrays(
        np.full((40, 40), 30.0), x0_m=5e5, y0_m=2.3e6, resolution_m=250.0, crs="EPSG:32648", clutter_height_m=0.0
    )
    lon, lat = terrain.lonlat(np.array([502e3, 506e3]), np.array([2298e3, 2294e3]))
    sites = pd.DataFrame({"site_id": ["A", "B"], "lon_deg": lon, "lat_deg": lat, "technologies": ["4G", "2G"]})
    network = Network.with_sectors(sites, azimuth_deg=(0.0, 90.0, 180.0))
    demand = SimpleNamespace(population=np.ones((40, 40)), commune_index=np.zeros((40, 40), np.int32))
    away_lon, away_lat = terrain.lonlat(np.array([508e3]), np.array([2299e3]))
    shared = pd.DataFrame({"site_id": ["T"], "lon_deg": away_lon, "lat_deg": away_lat, "tx_height_agl_m": [55.0]})
    rules = CandidateRules(kinds=("mast", "shared", "sector", "taller"))
    found = find_candidates(terrain, demand, network, rules=rules, shared=shared)
    table = found.table.set_index("kind")
    assert table["candidate_id"].to_dict() == {
        "mast": "upgrade-B", "shared": "shared-00001", "sector": "sector-A", "taller": "taller-A",
    }  # fmt: skip
    assert table.loc["shared", "tx_height_agl_m"] == 55.0
    assert table.loc["taller", "tx_height_agl_m"] == network.sectors["tx_height_agl_m"].max() + 15.0
    assert table.loc["sector", "azimuth_deg"] == 270.0
    order = [3, 0, 2, 1]
    built = found.to_network(order)
    assert built.sites["site_id"].tolist() == found.table["candidate_id"].iloc[order].tolist()
    azimuths = built.sectors.groupby("site_id")["azimuth_deg"].apply(sorted).to_dict()
    assert azimuths["sector-A"] == [270.0]
    assert azimuths["taller-A"] == [0.0, 120.0, 240.0]
