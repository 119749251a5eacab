from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr

from rfplan.demand import Demand, open_demand
from rfplan.errors import OutputError, ParameterError
from rfplan.metrics import COLUMNS, compare, summarize, summarize_mask, sweep_before_after, threshold_sweep
from rfplan.terrain import Terrain


@dataclass(frozen=True)
class Fake:
    layers: xr.Dataset
    terrain: Terrain


@pytest.fixture
def terrain() -> Terrain:
    ground = np.zeros((40, 60))
    ground[:, 50:] = np.nan
    return Terrain.from_arrays(ground, x0_m=5e5, y0_m=2.4e6, resolution_m=100, crs="EPSG:32648")


@pytest.fixture
def demand(tmp_path: Path, terrain: Terrain) -> Demand:
    boxes = [
        shapely.box(5e5, 2.396e6, 5.02e5, 2.4e6),
        shapely.box(5.02e5, 2.396e6, 5.06e5, 2.4e6),
        shapely.box(6e5, 2.396e6, 6.01e5, 2.397e6),
    ]
    frame = gpd.GeoDataFrame(
        {"code": ["a", "b", "c"], "name": ["A", "=B", "C"], "population": [800, 1600, 50]},
        geometry=boxes,
        crs=terrain.crs,
    )
    frame.to_crs(4326).to_file(tmp_path / "c.geojson")
    return open_demand(communes=tmp_path / "c.geojson")


def fake(terrain: Terrain) -> Fake:
    rsrp = np.full(terrain.shape, np.nan, "float32")
    rsrp[:20, :30] = -100
    rsrp[20:, :30] = -115
    layers = dict.fromkeys(("rsrp_dbm", "closed_rsrp_dbm"), (("y", "x"), rsrp))
    layers["covered"] = (("y", "x"), rsrp >= -110)
    return Fake(xr.Dataset(layers), terrain)


def test_figures_by_hand(terrain: Terrain, demand: Demand) -> None:
    figures = summarize(fake(terrain), demand)
    table = figures.table.set_index("code")
    assert tuple(figures.table.columns) == COLUMNS
    assert table.index.tolist() == ["a", "b", "c", "total"]
    assert table.loc["a", "covered_area_km2"] == pytest.approx(4)
    assert table.loc["a", "covered_area_percent"] == pytest.approx(50)
    assert table.loc["a", "covered_population"] == pytest.approx(400)
    # b: 40 columns, 30 on known ground of which the last borders on unknown ground; 10 covered in the upper half
    assert table.loc["b", "population"] == 1600
    assert table.loc["b", "population_on_terrain"] == pytest.approx(1160, rel=0.01)
    assert table.loc["b", "covered_population"] == pytest.approx(200, rel=0.03)
    assert table.loc["b", "covered_population_percent"] == pytest.approx(100 * 200 / 1160, rel=0.01)
    # c lies off the terrain: reported, in no percentage
    assert table.loc["c", "population_on_terrain"] == 0
    assert np.isnan(table.loc["c", "covered_population_percent"])
    assert table.loc["total", "population"] == 2450
    expected = 100 * table.loc[["a", "b"], "covered_population"].sum() / table.loc["total", "population_on_terrain"]
    assert table.loc["total", "covered_population_percent"] == pytest.approx(expected)
    text = str(figures)
    assert "all communes" in text
    assert "not on the terrain" in text
    assert "... and 2 more communes" in figures.to_text(rows=1)


def test_everything_covered_is_exactly_100_percent(terrain: Terrain, demand: Demand) -> None:
    grid = demand.on_grid(terrain)
    figures = summarize_mask(np.ones(terrain.shape, bool), grid)
    assert figures.total["covered_population_percent"] == 100
    assert figures.total["covered_area_percent"] == 100
    nothing = summarize_mask(np.zeros(terrain.shape, bool), grid)
    assert nothing.total["covered_population"] == 0
    gained = compare(nothing, figures)
    assert gained["gained_people"].iloc[-1] == pytest.approx(figures.total["population_on_terrain"])


def test_sweep_is_monotone_and_exact(terrain: Terrain, demand: Demand) -> None:
    sweep = threshold_sweep(fake(terrain), demand, (-120, -110, -90))
    assert sweep["covered_area_km2"].tolist() == pytest.approx([12, 6, 0])
    assert sweep["covered_population"].is_monotonic_decreasing
    assert sweep["covered_population"][1] == pytest.approx(summarize(fake(terrain), demand).total["covered_population"])
    with pytest.raises(ParameterError, match="thresholds_dbm"):
        threshold_sweep(fake(terrain), demand, ())


def test_sweep_counts_both_links(terrain: Terrain, demand: Demand) -> None:
    both = fake(terrain)
    closed = both.layers["closed_rsrp_dbm"].to_numpy().copy()
    closed[:20, 10:30] = -118.0  # the strongest cell's uplink fails there; a weaker one's closes
    closed[20:, :10] = np.nan
    one_way = Fake(both.layers.assign(closed_rsrp_dbm=(("y", "x"), closed)), terrain)
    sweep = threshold_sweep(one_way, demand, (-120, -116, -110))
    assert sweep["covered_area_km2"].tolist() == pytest.approx([10, 6, 2])


def test_sweep_before_and_after(terrain: Terrain, demand: Demand) -> None:
    before = fake(terrain)
    stronger = before.layers.assign(closed_rsrp_dbm=before.layers["closed_rsrp_dbm"] + 10.0)
    table = sweep_before_after(before, Fake(stronger, terrain), demand).set_index("threshold_dbm")
    assert table.index.tolist() == [-90.0, -95.0, -100.0, -105.0, -110.0, -115.0, -120.0]
    assert table["service"].tolist() == ["", "", "indoor", "in-car", "outdoor", "outdoor-basic", ""]
    assert table.loc[-90.0, "area_before_percent"] == 0.0 < table.loc[-90.0, "area_after_percent"]
    at = threshold_sweep(before, demand, [-110.0])
    assert table.loc[-110.0, "population_before_percent"] == at["covered_population_percent"][0]


def test_files(tmp_path: Path, terrain: Terrain, demand: Demand) -> None:
    figures = summarize(fake(terrain), demand)
    back = pd.read_csv(figures.to_csv(tmp_path / "out" / "k.csv"), dtype={"code": str})
    assert back["code"].tolist() == ["a", "b", "c", "total"]
    assert back["name"][1] == "'=B"
    assert back["covered_population"].tolist() == pytest.approx(figures.table["covered_population"], abs=1e-4)
    sheet = pd.read_excel(figures.to_xlsx(tmp_path / "k.xlsx"))
    assert sheet["covered_area_km2"].tolist() == pytest.approx(figures.table["covered_area_km2"])
    layer = gpd.read_file(figures.to_gpkg(tmp_path / "k.gpkg"), layer="communes")
    assert layer.crs == "EPSG:4326"
    assert layer["covered_area_km2"].tolist() == pytest.approx(figures.communes["covered_area_km2"])
    first = (tmp_path / "k.gpkg").read_bytes()
    assert figures.to_gpkg(tmp_path / "l.gpkg").read_bytes() == first
    with pytest.raises(OutputError):
        figures.to_csv(tmp_path / "k.gpkg" / "x.csv")


def test_grid_of_another_terrain_is_refused(terrain: Terrain, demand: Demand) -> None:
    other = terrain.window(slice(0, 20), slice(0, 30))
    with pytest.raises(ParameterError, match="shape"):
        summarize(fake(terrain), demand.on_grid(other))
