from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine

from rfplan.demand import derive_clutter, open_demand
from rfplan.errors import DataWarning, InputFileError, ParameterError
from rfplan.io.raster import read_raster, resample_sum
from rfplan.terrain import Terrain, open_terrain

CRS = "EPSG:32648"


def people_raster(path: Path, values: np.ndarray, west=5e5, north=2.4e6, size=1000.0, crs: str = CRS) -> Path:
    ny, nx = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", width=nx, height=ny, count=1, dtype="float32", crs=crs, nodata=-99999,
        transform=Affine(size, 0, west, 0, -size, north),
    ) as dataset:  # fmt: skip
        dataset.write(values.astype("float32"), 1)
    return path


def polygons(path: Path, boxes: list[tuple[float, float, float, float]], **fields: list) -> Path:
    shapes = [shapely.segmentize(shapely.box(*box), 500) for box in boxes]
    fields = {"code": [f"c{i}" for i in range(len(boxes))], "name": [f"N{i}" for i in range(len(boxes))]} | fields
    gpd.GeoDataFrame(fields, geometry=shapes, crs=CRS).to_crs(4326).to_file(path)
    return path


def flat(ny: int = 40, nx: int = 60) -> Terrain:
    return Terrain.from_arrays(np.zeros((ny, nx)), x0_m=5e5, y0_m=2.4e6, resolution_m=100, crs=CRS)


TWO = [(5e5, 2.396e6, 5.03e5, 2.4e6), (5.03e5, 2.396e6, 5.06e5, 2.4e6)]


def test_dasymetric_sums_and_weights(tmp_path: Path) -> None:
    weights = np.ones((4, 6))
    weights[0, 0] = 5
    weights[0, 5] = -99999
    raster = people_raster(tmp_path / "p.tif", weights)
    demand = open_demand(raster, polygons(tmp_path / "c.geojson", TWO, population=[1600, 50]))
    grid = demand.on_grid(flat())
    for i, official in enumerate((1600, 50)):
        assert grid.population[grid.commune_index == i].sum() == pytest.approx(official, abs=1e-6)
    # 16 shares in commune 0, five of them in the first square kilometre
    assert grid.population[:10, :10].sum() == pytest.approx(500, rel=0.02)
    assert grid.population[:10, 50:].sum() == pytest.approx(0, abs=1e-9)
    assert grid.communes["area_off_terrain_km2"].sum() == pytest.approx(0, abs=0.5)
    assert grid.totals()["population"] == 1650
    assert demand.on_grid(flat()) is not grid
    terrain = flat()
    assert demand.on_grid(terrain) is demand.on_grid(terrain)


def test_polygons_alone_spread_evenly(tmp_path: Path) -> None:
    demand = open_demand(communes=polygons(tmp_path / "d.geojson", TWO, population=[1200, 600]))
    grid = demand.on_grid(flat())
    density = grid.population[grid.commune_index == 0]
    assert density.min() == pytest.approx(density.max())
    assert density.sum() == pytest.approx(1200, abs=1e-6)


def test_raster_alone_is_one_unit(tmp_path: Path) -> None:
    values = np.random.default_rng(3).uniform(0, 40, (4, 6)).astype("float32")
    demand = open_demand(people_raster(tmp_path / "p.tif", values))
    assert demand.communes["code"].tolist() == ["total"]
    grid = demand.on_grid(flat())
    assert grid.population.sum() == pytest.approx(values.sum(), rel=1e-4)
    np.testing.assert_allclose(
        grid.population.reshape(4, 10, 6, 10).sum(axis=(1, 3))[1:-1, 1:-1], values[1:-1, 1:-1], rtol=0.02
    )


def test_people_off_the_terrain_are_reported(tmp_path: Path) -> None:
    ground = np.zeros((40, 45))
    ground[:20, 30:] = np.nan
    terrain = Terrain.from_arrays(ground, x0_m=5e5, y0_m=2.4e6, resolution_m=100, crs=CRS)
    demand = open_demand(communes=polygons(tmp_path / "c.geojson", TWO, population=[1200, 1200]))
    row = demand.on_grid(terrain).communes.iloc[1]
    # of 30 columns 15 are on the grid; of their 40 rows the lower 20 are known, and the first of these borders on
    # unknown ground, so no path reaches it
    assert row["population_on_terrain"] == pytest.approx(300 * 19 / 20, rel=0.01)
    assert row["population_on_terrain"] + row["population_off_terrain"] == pytest.approx(1200)
    assert row["area_on_terrain_km2"] == pytest.approx(3 * 19 / 20, abs=0.05)
    assert row["area_on_terrain_km2"] + row["area_off_terrain_km2"] == pytest.approx(row["grid_area_km2"])


def test_sum_resampling_loses_nobody(tmp_path: Path) -> None:
    values = np.random.default_rng(4).uniform(0, 9, (30, 30))
    raster = read_raster(people_raster(tmp_path / "p.tif", values, size=100), dtype="float64")
    for size in (37.0, 250.0):
        n = int(3000 / size) + 3
        out = resample_sum(raster, Affine(size, 0, 5e5 - size, 0, -size, 2.4e6 + size), (n, n), CRS)
        assert out.sum() == pytest.approx(values.sum(), rel=1e-5)


def test_commune_without_people_and_without_weights(tmp_path: Path) -> None:
    path = polygons(tmp_path / "c.geojson", TWO, population=[0, 900])
    with pytest.warns(DataWarning, match=r"1 commune\(s\) have no people: N0"):
        demand = open_demand(communes=path)
    assert demand.attrs["communes_without_people"] == 1
    weights = np.ones((4, 6))
    weights[:, 2:] = 0
    both = polygons(tmp_path / "d.geojson", TWO, population=[100, 900])
    demand = open_demand(people_raster(tmp_path / "p.tif", weights), both)
    with pytest.warns(DataWarning, match="filled evenly: N1"):
        grid = demand.on_grid(flat())
    assert grid.population[grid.commune_index == 1].sum() == pytest.approx(900, abs=1e-6)


def test_tiny_commune_keeps_its_people(tmp_path: Path) -> None:
    boxes = [*TWO, (5.0101e5, 2.39901e6, 5.01015e5, 2.399015e6)]
    demand = open_demand(communes=polygons(tmp_path / "c.geojson", boxes, population=[100, 200, 7]))
    grid = demand.on_grid(flat())
    assert (grid.commune_index == 2).sum() == 1
    assert grid.population[grid.commune_index == 2].sum() == pytest.approx(7)
    same_pixel = [(x, 2.39901e6, x + 4, 2.399014e6) for x in (5.0101e5, 5.0102e5)]
    crowded = open_demand(communes=polygons(tmp_path / "d.geojson", same_pixel, population=[1, 2]))
    with pytest.raises(ParameterError, match="too small for pixels"):
        crowded.on_grid(flat())


def test_without_figures_the_raster_counts(tmp_path: Path) -> None:
    path = polygons(tmp_path / "c.geojson", TWO)
    with pytest.raises(InputFileError, match="no field 'population'"):
        open_demand(communes=path)
    raster = people_raster(tmp_path / "p.tif", np.ones((4, 6)))
    with pytest.warns(DataWarning, match="not official"):
        demand = open_demand(raster, path)
    assert demand.communes["population"].tolist() == pytest.approx([12, 12], rel=0.1)


def test_figures_as_text_and_missing_codes(tmp_path: Path) -> None:
    path = polygons(tmp_path / "c.geojson", TWO, people=["1 200", "300"], area_km2=[12.0, 30.0])
    with pytest.warns(DataWarning) as caught:
        demand = open_demand(communes=path, population_field="people", code_field="id")
    assert demand.communes["population"].tolist() == [1200, 300]
    assert demand.communes["code"].tolist() == ["1", "2"]
    messages = " ".join(str(w.message) for w in caught)
    assert "numbered 1 to 2" in messages
    assert "20 %" in messages


def test_bad_communes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="more than once"):
        open_demand(communes=polygons(tmp_path / "a.geojson", TWO, code=["x", "x"], population=[1, 2]))
    with pytest.raises(InputFileError, match="not negative"):
        open_demand(communes=polygons(tmp_path / "b.geojson", TWO, population=[-1, 2]))
    with pytest.raises(InputFileError, match="must be a number"):
        open_demand(communes=polygons(tmp_path / "c.geojson", TWO, population=["many", "2"]))
    with pytest.raises(ParameterError, match="needs a population raster"):
        open_demand()
    points = gpd.GeoDataFrame({"population": [1]}, geometry=[shapely.Point(105, 21)], crs=4326)
    points.to_file(tmp_path / "p.geojson")
    with pytest.raises(InputFileError, match="must be polygons"):
        open_demand(communes=tmp_path / "p.geojson")


def test_raster_and_terrain_elsewhere(tmp_path: Path) -> None:
    path = polygons(tmp_path / "c.geojson", TWO, population=[1, 2])
    far = people_raster(tmp_path / "f.tif", np.ones((4, 4)), west=10, north=50, size=0.01, crs="EPSG:4326")
    with pytest.raises(InputFileError, match="does not overlap"):
        open_demand(far, path)
    nobody = open_demand(people_raster(tmp_path / "z.tif", np.zeros((4, 6))), path)
    with pytest.raises(InputFileError, match="holds nobody there"):
        nobody.on_grid(flat())
    with pytest.raises(InputFileError, match="holds no people"):
        open_demand(tmp_path / "z.tif")
    terrain = Terrain.from_arrays(np.zeros((9, 9)), x0_m=7e5, y0_m=2.3e6, resolution_m=100, crs=CRS)
    with pytest.raises(ParameterError, match="lies on the terrain"):
        open_demand(communes=path).on_grid(terrain)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.geojson", b""),
        ("a.geojson", b"{"),
        ("a.geojson", b'{"type":"FeatureCollection","features":[]}'),
        ("a.geojson", b'<OGRVRTDataSource><OGRVRTLayer name="x"/></OGRVRTDataSource>'),
        ("a.kml", b'<?xml version="1.0"?><OGRVRTDataSource><OGRVRTLayer name="x"/></OGRVRTDataSource>'),
        ("a.gpkg", b"SQLite format 3\0 and nothing more"),
        ("a.txt", b"x"),
    ],
)
def test_bad_vector_files_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputFileError):
        open_demand(communes=path)


def test_self_crossing_polygon_is_made_valid(tmp_path: Path) -> None:
    bow = [[105.0, 21.6], [105.02, 21.62], [105.02, 21.6], [105.0, 21.62], [105.0, 21.6]]
    feature = {"type": "Feature", "properties": {"population": 5, "code": "1", "name": "bow"},
               "geometry": {"type": "Polygon", "coordinates": [bow]}}  # fmt: skip
    nowhere = {"type": "Feature", "properties": {"population": 5, "code": "2"}, "geometry": None}
    path = tmp_path / "b.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature, nowhere]}))
    with pytest.warns(DataWarning) as caught:
        demand = open_demand(communes=path)
    assert len(demand.communes) == 1
    messages = " ".join(str(w.message) for w in caught)
    assert "cross themselves" in messages
    assert "without a geometry" in messages


def test_clutter_is_derived_and_says_so(tmp_path: Path) -> None:
    density = np.array([[100, 400, 5000, 20000, 50, 0.0]] * 4)
    demand = open_demand(people_raster(tmp_path / "p.tif", density))
    terrain = derive_clutter(flat(), demand)
    assert terrain.clutter_class[20, 5:60:10].tolist() == [0, 3, 4, 5, 0, 0]
    assert terrain.clutter_height_m[20, 5:60:10].tolist() == [10, 10, 15, 20, 10, 10]
    assert terrain.attrs["clutter_source"].startswith("derived from population density")
    bare = flat().with_clutter(np.full((40, 60), 2), np.zeros((40, 60)), "bare earth (no clutter)")
    assert (derive_clutter(bare, demand).clutter_height_m == 0).all()
    with pytest.raises(ParameterError, match="increasing"):
        derive_clutter(flat(), demand, densities_km2=(3, 2, 1))


# real data


def test_province_sums_to_the_official_figures(data_dir: Path) -> None:
    terrain = open_terrain(data_dir / "dem" / "N21E105.hgt", crs=CRS, resolution_m=250)
    demand = open_demand(
        data_dir / "population" / "worldpop_2020_1km_phu_tho.tif", data_dir / "admin" / "phu_tho_communes.geojson"
    )
    assert len(demand.communes) == 148
    assert demand.population == 4_014_299
    assert demand.communes["area_km2"].sum() == pytest.approx(9361.42)
    grid = demand.on_grid(terrain)
    table = grid.communes
    people = np.bincount(grid.commune_index[grid.inside], weights=grid.population[grid.inside], minlength=148)
    whole = (table["area_off_terrain_km2"] == 0).to_numpy()
    assert whole.sum() > 80
    np.testing.assert_allclose(people[whole], table["population"][whole], atol=1e-6)
    both = table["population_on_terrain"] + table["population_off_terrain"]
    np.testing.assert_allclose(both, table["population"], atol=1e-6)
    totals = grid.totals()
    assert totals["population_on_terrain"] / totals["population"] == pytest.approx(0.71, abs=0.01)
    assert totals["area_on_terrain_km2"] / totals["grid_area_km2"] == pytest.approx(0.41, abs=0.01)
    # rasterised areas agree with the polygons; UTM makes areas 0.08 % smaller at its central meridian
    np.testing.assert_allclose(table["grid_area_km2"], demand.communes["polygon_area_km2"], rtol=0.02)
    assert totals["grid_area_km2"] == pytest.approx(9361.38, rel=0.003)


def test_worldpop_weights_are_used(data_dir: Path) -> None:
    terrain = open_terrain(data_dir / "dem" / "N21E105.hgt", crs=CRS, resolution_m=500)
    communes = data_dir / "admin" / "phu_tho_communes.geojson"
    even = open_demand(communes=communes).on_grid(terrain)
    raster = data_dir / "population" / "worldpop_2020_1km_phu_tho.tif"
    weighted = open_demand(raster, communes).on_grid(terrain)
    inside = even.inside
    assert weighted.population[inside].std() > 1.2 * even.population[inside].std()
    derived = derive_clutter(terrain, weighted)
    share = np.bincount(derived.clutter_class[inside], minlength=6) / inside.sum()
    assert 0.2 < share[0] < 0.5
    assert 0.005 < share[4] < 0.1
    assert share[1] == share[2] == 0
