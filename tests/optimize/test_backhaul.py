from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from shapely.geometry import LineString

from rfplan.errors import ParameterError
from rfplan.optimize.backhaul import plan_backhaul
from rfplan.optimize.hops import BackhaulRules, Masts, hop_availability, hops_to_fibre, nearest_hops
from rfplan.propagation.p530 import first_fresnel_radius_m
from rfplan.propagation.sight import line_of_sight
from rfplan.terrain import Terrain


def flat(wall_m=0.0, ny=100, nx=300):
    ground = np.full((ny, nx), 20.0)
    ground[:, 145:150] += wall_m
    return Terrain.from_arrays(ground, x0_m=5e5, y0_m=2.3e6, resolution_m=100.0, crs="EPSG:32648", clutter_height_m=5.0)


def table(terrain, places, height=40.0, prefix="S"):
    x, y = np.array(places, float).T
    lon, lat = terrain.lonlat(5e5 + x, 2.3e6 - y)
    ids = [f"{prefix}{i}" for i in range(len(places))]
    return pd.DataFrame({"node_id": ids, "lon_deg": lon, "lat_deg": lat, "height_agl_m": height})


def test_every_hop_is_clear_by_the_link_tool_and_every_site_connected():
    rng = np.random.default_rng(2)
    ground = 20.0 + 60.0 * rng.random((10, 30)).repeat(10, 0).repeat(10, 1)
    terrain = Terrain.from_arrays(ground, x0_m=5e5, y0_m=2.3e6, resolution_m=100.0, crs="EPSG:32648")
    places = np.column_stack([rng.uniform(500, 29_000, 25), rng.uniform(500, 9_500, 25)])
    sites = table(terrain, places)
    line = LineString([terrain.lonlat(501_000.0, 2_299_000.0), terrain.lonlat(501_000.0, 2_291_000.0)])
    rules = BackhaulRules(max_hops=10, fibre_reach_m=2500.0)
    plan = plan_backhaul(terrain, sites, fibre=line, rules=rules)
    where = sites.set_index("node_id")
    for _, link in plan.links.iterrows():
        a, b = where.loc[link["from_id"]], where.loc[link["to_id"]]
        profile = terrain.profile((a["lon_deg"], a["lat_deg"]), (b["lon_deg"], b["lat_deg"]))
        paths = profile.paths(frequency_mhz=rules.frequency_mhz, tx_height_agl_m=40.0, rx_height_agl_m=40.0)
        assert line_of_sight(paths)[0]
        d = profile.distance_m
        ray = (
            profile.elevation_amsl_m[0] + 40 + (profile.elevation_amsl_m[-1] - profile.elevation_amsl_m[0]) * d / d[-1]
        )
        bulge = d * (d[-1] - d) / (2 * 6371e3 * 4 / 3)
        free = (ray - bulge - profile.elevation_amsl_m - profile.clutter_height_m)[1:-1]
        zone = 0.6 * first_fresnel_radius_m(d[1:-1], (d[-1] - d)[1:-1], rules.frequency_mhz)
        assert (free >= zone - 1e-2).all()
        assert link["availability_percent"] >= 99.9
    assert len(plan.unconnected) + len(plan.nodes) == 25
    assert len(plan.links) == (plan.nodes["role"] == "site").sum()
    parent = dict(zip(plan.links["from_id"], plan.links["to_id"], strict=True))
    depth = plan.nodes.set_index("node_id")
    for node in parent:
        steps, at = 0, node
        while at in parent:
            at, steps = parent[at], steps + 1
        assert depth.loc[at, "role"] == "fibre"
        assert steps == depth.loc[node, "hops"] <= 10
    spur_m = plan.nodes["fibre_m"].fillna(0.0)
    assert (spur_m <= 2500.0).all()
    x, _ = terrain.xy(where["lon_deg"].to_numpy(), where["lat_deg"].to_numpy())
    from_line = dict(zip(where.index, np.abs(x - 501_000.0), strict=True))
    for node in plan.nodes[plan.nodes["role"] == "fibre"].to_dict("records"):
        assert node["fibre_m"] == pytest.approx(from_line[node["node_id"]], rel=0.05, abs=20.0)
    assert plan.cost == pytest.approx(plan.links["cost"].sum() + 0.5 * spur_m.sum() / 1000.0)


def test_a_wall_blocks_and_a_relay_on_it_helps():
    terrain = flat(wall_m=120.0)
    sites, fibre = table(terrain, [(20_000, 5_000)]), table(terrain, [(9_000, 5_000)], prefix="F")
    blocked = plan_backhaul(terrain, sites, connected=fibre)
    assert blocked.unconnected["reason"].tolist() == ["no clear hop leads to the fibre"]
    relay = table(terrain, [(14_750, 5_000)], prefix="R")
    plan = plan_backhaul(terrain, sites, connected=fibre, relays=relay)
    assert plan.links["from_id"].tolist() == ["S0", "R0"]
    assert plan.links["to_id"].tolist() == ["R0", "F0"]
    assert plan.cost == pytest.approx(plan.links["cost"].sum() + 0.3)
    assert plan_backhaul(flat(), sites, connected=fibre, relays=relay).links["to_id"].tolist() == ["F0"]


def test_hop_and_capacity_limits_say_why():
    terrain = flat()
    row = table(terrain, [(4_000 * i, 5_000) for i in range(1, 7)])
    fibre = table(terrain, [(500, 5_000)], prefix="F")
    short = BackhaulRules(max_hop_m=4_500.0, max_hops=3)
    plan = plan_backhaul(terrain, row, connected=fibre, rules=short)
    assert plan.unconnected["node_id"].tolist() == ["S3", "S4", "S5"]
    assert set(plan.unconnected["reason"]) == {"more than 3 hops from the fibre"}
    narrow = BackhaulRules(max_hop_m=4_500.0, max_hops=9, hop_capacity_mbps=250.0)
    plan = plan_backhaul(terrain, row, connected=fibre, rules=narrow)
    assert plan.links["load_mbps"].max() <= 250.0
    assert set(plan.unconnected["reason"]) == {"the hops towards the fibre are full"}


def test_rain_limits_the_length_of_a_hop():
    rules = BackhaulRules()
    near, far = (hop_availability(d, 60.0, 60.0, 21.0, rules) for d in (3_000.0, 24_000.0))
    assert near > far
    assert near > 99.99


@pytest.mark.parametrize("seed", range(25))
def test_fewest_hops_and_shortest_hops_against_every_pair(seed):
    rng = np.random.default_rng(seed)
    ground = 20.0 + 150.0 * rng.random((10, 30)).repeat(10, 0).repeat(10, 1)
    ground[:, 290:] = np.nan if seed % 3 == 0 else 20.0
    terrain = Terrain.from_arrays(ground, x0_m=5e5, y0_m=2.3e6, resolution_m=100.0, crs="EPSG:32648")
    sites = table(terrain, np.column_stack([rng.uniform(500, 28_000, 14), rng.uniform(500, 9_500, 14)]), height=25.0)
    masts = Masts.on(terrain, sites["lon_deg"], sites["lat_deg"], sites["height_agl_m"])
    rules = BackhaulRules(max_hop_m=9_000.0, max_hops=3)
    root = np.arange(14) < 3
    good = np.zeros((14, 14), bool)
    length = np.full((14, 14), np.inf)
    for i in range(14):
        for j in range(14):
            d = np.hypot(masts.x_m[i] - masts.x_m[j], masts.y_m[i] - masts.y_m[j])
            if i == j or d > rules.max_hop_m:
                continue
            length[i, j] = d
            good[i, j] = (
                naive_clearance(terrain, masts, i, j, rules) >= 0
                and hop_availability(d, masts.ground_amsl_m[i] + 25, masts.ground_amsl_m[j] + 25, 21.0, rules)
                >= rules.min_availability_percent
            )
    hops = np.where(root, 0, 99)
    for _ in range(rules.max_hops):
        hops = np.minimum(hops, np.where(good, hops[None, :] + 1, 99).min(axis=1))
    expected = np.where(hops <= rules.max_hops, hops, -1)
    np.testing.assert_array_equal(hops_to_fibre(terrain, masts, root, rules), expected)
    direct = dict(nearest_hops(terrain, masts, np.flatnonzero(~root), np.flatnonzero(root), rules).pairs.tolist())
    for i in np.flatnonzero(~root):
        choice = np.where(good[i] & root, length[i], np.inf)
        assert direct.get(i, -1) == (choice.argmin() if np.isfinite(choice).any() else -1)


def naive_clearance(terrain, masts, i, j, rules):
    """Point by point: ray less bulge, ground, clutter and the Fresnel share; the ends left out."""
    a, b = (masts.x_m[i], masts.y_m[i]), (masts.x_m[j], masts.y_m[j])
    d = np.hypot(b[0] - a[0], b[1] - a[1])
    n = max(2, int(np.ceil(d / terrain.resolution_m)))
    tops = [float(terrain.elevation_at(*p)) + masts.height_agl_m[k] for p, k in ((a, i), (b, j))]
    least = np.inf
    for k in range(1, n):
        s = k / n
        x, y = a[0] + s * (b[0] - a[0]), a[1] + s * (b[1] - a[1])
        ground = float(terrain.elevation_at(x, y))
        if np.isnan(ground):
            return -1.0
        row, column = (int(v) for v in terrain.nearest(x, y))
        clutter = float(terrain.clutter_height_m[row, column])
        near, far = s * d, d - s * d
        bulge = near * far / (2 * 6371e3 * rules.effective_earth_radius_factor)
        fresnel = np.sqrt(299.792458 / rules.frequency_mhz * near * far / d)
        least = min(least, tops[0] + s * (tops[1] - tops[0]) - bulge - ground - clutter - 0.6 * fresnel)
    return least if not np.isnan(tops).any() else -1.0


def test_bad_input_is_refused():
    terrain = flat()
    sites = table(terrain, [(1_000, 1_000)])
    with pytest.raises(ParameterError, match="nothing to connect to"):
        plan_backhaul(terrain, sites)
    with pytest.raises(ParameterError, match="lacks height_agl_m"):
        plan_backhaul(terrain, sites.drop(columns="height_agl_m"), connected=sites)
    with pytest.raises(ParameterError, match="occurs twice"):
        plan_backhaul(terrain, sites, connected=sites)
    with pytest.raises(ParameterError, match="max_hops"):
        BackhaulRules(max_hops=0)
