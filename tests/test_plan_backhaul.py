from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest

import rfplan
from rfplan.errors import ParameterError, ScenarioError
from rfplan.plan import run_plan
from rfplan.propagation.p530 import first_fresnel_radius_m
from rfplan.propagation.sight import line_of_sight
from small_area import NORTH_M, SCENARIO, WEST_M, write_area

FAST = '\n[model]\nname = "FreeSpace"\n'


def write_fibre(folder: Path, east_m: float, kind: str = "LineString") -> None:
    """A fibre route from north to south, so far east of the area's western edge."""
    degrees = pyproj.Transformer.from_crs("EPSG:32648", "EPSG:4326", always_xy=True)
    line = [degrees.transform(WEST_M + east_m, NORTH_M - y) for y in (300.0, 5_700.0)]
    shape = {"type": kind, "coordinates": line if kind == "LineString" else line[0]}
    feature = {"type": "Feature", "properties": {}, "geometry": shape}
    document = {"type": "FeatureCollection", "features": [feature]}
    (folder / "fibre.geojson").write_text(json.dumps(document), encoding="utf-8")


def test_sites_are_joined_to_existing_ones_and_every_hop_passes_the_link_tool(tmp_path: Path) -> None:
    plan = run_plan(write_area(tmp_path, SCENARIO + "\n[backhaul]\n"), out=tmp_path / "out")
    made = plan.additions.backhaul
    assert made is not None
    assert made.sites["site_id"].tolist() == plan.sites["site_id"].tolist()
    assert made.verified
    assert "assumption" in made.basis
    assert set(made.sites.loc[plan.sites["upgrades"] != "", "medium"]) <= {"fibre on site"}
    joined = set(plan.coverage_before.network.sites["site_id"]) | set(made.sites["site_id"])
    assert set(made.links["to_id"]) | set(made.links["from_id"]) <= joined | set(made.relays["node_id"])
    height = plan.sites.set_index("site_id")["tx_height_agl_m"].to_dict()
    height |= plan.coverage_before.network.sectors.groupby("site_id")["tx_height_agl_m"].max().to_dict()
    for link in made.links.to_dict("records"):
        ends = [(link[f"{end}_lon_deg"], link[f"{end}_lat_deg"]) for end in ("from", "to")]
        profile = plan.coverage_before.terrain.profile(*ends)
        masts = [height[link["from_id"]], height[link["to_id"]]]
        paths = profile.paths(frequency_mhz=13_000.0, tx_height_agl_m=masts[0], rx_height_agl_m=masts[1])
        assert line_of_sight(paths)[0]
        d = profile.distance_m
        ray = np.interp(
            d, [0, d[-1]], [profile.elevation_amsl_m[0] + masts[0], profile.elevation_amsl_m[-1] + masts[1]]
        )
        free = ray - d * (d[-1] - d) / (2 * 6371e3 * 4 / 3) - profile.elevation_amsl_m - profile.clutter_height_m
        zone = 0.6 * first_fresnel_radius_m(d[1:-1], (d[-1] - d)[1:-1], 13_000.0)
        assert (free[1:-1] >= zone - 0.02).all()
    page = rfplan.write_report(plan, tmp_path / "out").read_text(encoding="utf-8")
    assert 'id="backhaul"' in page
    assert pd.read_csv(tmp_path / "out" / "tables" / "backhaul.csv").shape[0] == len(plan.sites)
    if len(made.links):
        layer = gpd.read_file(tmp_path / "out" / "plan.gpkg", layer="backhaul_hops")
        assert layer["from_id"].tolist() == made.links["from_id"].tolist()


def test_candidates_beyond_reach_of_the_fibre_are_set_aside_before_choosing(tmp_path: Path) -> None:
    """The ridge hides the east from a fibre in the west: without hops only what is near the route remains."""
    write_fibre(tmp_path, 600.0)
    section = """
[backhaul]
fibre = "fibre.geojson"
existing_have_fibre = false
hops = { max_hops = 1, max_hop_m = 1.0, fibre_reach_m = 2000 }
"""
    plan = run_plan(write_area(tmp_path, SCENARIO + FAST + section))
    x, _ = plan.coverage_before.terrain.xy(plan.candidates.table["lon_deg"], plan.candidates.table["lat_deg"])
    assert plan.candidates.excluded["no backhaul"] > 0
    assert (np.asarray(x) - WEST_M <= 2600.0).all()
    made = plan.additions.backhaul
    assert made is not None or not len(plan.sites)
    if made is not None:
        assert set(made.sites["medium"]) <= {"fibre"}
        assert made.verified
        assert made.without == plan.candidates.excluded["no backhaul"]


def test_sites_without_backhaul_can_be_priced_instead(tmp_path: Path) -> None:
    write_fibre(tmp_path, 600.0)
    section = """
[backhaul]
fibre = "fibre.geojson"
existing_have_fibre = false
unreachable = "price"
unreachable_cost = 5.0
hops = { max_hops = 1, max_hop_m = 1.0, fibre_reach_m = 2000 }
"""
    plan = run_plan(write_area(tmp_path, SCENARIO + FAST + section))
    table = plan.candidates.table
    assert (table.loc[table["backhaul_hops"] < 0, "cost"] > 5.0).all()
    assert (table.loc[table["backhaul_hops"] == 0, "cost"] < 5.0).all()


def test_what_cannot_be_is_told(tmp_path: Path) -> None:
    write_fibre(tmp_path, -90_000.0)
    nowhere = """
[backhaul]
fibre = "fibre.geojson"
existing_have_fibre = false
"""
    with pytest.raises(ParameterError, match="no candidate can be joined to the fibre"):
        run_plan(write_area(tmp_path, SCENARIO + FAST + nowhere))
    unknown = "\n[backhaul]\nfibre_sites = ['A', 'Z']\n"
    with pytest.raises(ScenarioError, match=r"backhaul\.fibre_sites: 'Z'"):
        run_plan(write_area(tmp_path, SCENARIO + FAST + unknown))
    write_fibre(tmp_path, 600.0, "Point")
    with pytest.raises(ScenarioError, match="holds Point features"):
        run_plan(write_area(tmp_path, SCENARIO + FAST + nowhere))


def test_a_chain_over_a_later_site_is_told() -> None:
    from rfplan.plan.backhaul import _with_years

    sites = pd.DataFrame({"site_id": ["P", "Q", "R"], "year": [2025, 2027, 2026]})
    parent = {"P": {"to_id": "Q"}, "Q": {"to_id": "old"}, "R": {"to_id": "relay"}, "relay": {"to_id": "old"}}
    table = _with_years(sites[["site_id"]], sites, parent)
    assert table["year"].tolist() == [2025, 2027, 2026]
    assert table["joined_year"].tolist() == [2027, 2027, 2026]
