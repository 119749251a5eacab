from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
import rasterio
import shapely
import xarray as xr
from affine import Affine

from rfplan.errors import DataWarning, InputFileError, OutputError
from rfplan.io import styles
from rfplan.io.formats_grid import write_netcdf, write_zarr
from rfplan.io.formats_vector import write_geojson, write_geoparquet, write_mif, write_shapefile
from rfplan.io.kml import ground_overlay, write_kmz
from rfplan.io.raster import write_cog
from rfplan.io.spreadsheets import write_xlsx
from rfplan.io.tables import read_table, to_float
from rfplan.io.vector import read_vector, write_gpkg
from rfplan.terrain import Terrain

NAMES = ["Việt Trì", "<script>alert(1)</script> & =1+1"]


@pytest.fixture
def sites() -> gpd.GeoDataFrame:
    x = gpd.points_from_xy([5.4e5, 5.5e5], [2.35e6, 2.36e6])
    fields = {
        "name": NAMES,
        "covered_population_percent": [1.5, 2.5],
        "covered_population": [3, 4],
        "on": [True, False],
    }
    return gpd.GeoDataFrame(fields, geometry=x, crs=32648)


@pytest.fixture
def areas() -> gpd.GeoDataFrame:
    outer = shapely.box(5.4e5, 2.35e6, 5.5e5, 2.36e6).difference(shapely.box(5.43e5, 2.353e6, 5.45e5, 2.355e6))
    both = shapely.MultiPolygon([outer, shapely.box(5.6e5, 2.35e6, 5.61e5, 2.36e6)])
    return gpd.GeoDataFrame({"name": ["A"]}, geometry=[both], crs=32648)


def same_places(a: gpd.GeoDataFrame, b: gpd.GeoDataFrame, tolerance_m: float = 0.2) -> None:
    distance = a.to_crs(32648).geometry.reset_index(drop=True).hausdorff_distance(b.to_crs(32648).geometry)
    assert distance.max() < tolerance_m


def tool(*words: str) -> str:
    if shutil.which(words[0]) is None:
        pytest.skip(reason=f"{words[0]} is not installed")
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_geojson(tmp_path: Path, sites: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> None:
    path = write_geojson(tmp_path / "a.geojson", sites)
    same_places(read_vector(path), sites)
    assert json.loads(path.read_text())["features"][0]["properties"]["name"] == NAMES[0]
    same_places(read_vector(write_geojson(tmp_path / "b.geojson", areas)), areas)
    assert write_geojson(tmp_path / "c.geojson", sites).read_bytes() == path.read_bytes().replace(b'"a"', b'"c"')


def test_shapefile_keeps_names_apart(tmp_path: Path, sites: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> None:
    with pytest.warns(DataWarning, match="covered_population as covered_p1"):
        path = write_shapefile(tmp_path / "a.shp", sites)
    back = read_vector(path)
    assert back["name"].tolist() == NAMES
    assert back["covered_po"].tolist() == [1.5, 2.5]
    assert back["covered_p1"].tolist() == [3, 4]
    same_places(back, sites)
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".cpg", ".dbf", ".prj", ".shp", ".shx"]
    mixed = pd.concat([sites[["name", "geometry"]], areas])
    with pytest.raises(OutputError, match="one kind"):
        write_shapefile(tmp_path / "m.shp", mixed)
    with pytest.raises(OutputError, match=r"end in \.shp"):
        write_shapefile(tmp_path / "m.txt", areas)


def test_mapinfo_mif(tmp_path: Path, sites: gpd.GeoDataFrame) -> None:
    path = write_mif(tmp_path / "a.mif", sites)
    back = pyogrio.read_dataframe(path)
    assert back["name"].tolist() == NAMES
    assert back.crs.to_epsg() == 4326
    same_places(back, sites)
    info = tool("ogrinfo", "-so", "-al", str(path))
    assert "Feature Count: 2" in info
    assert "covered_population: Integer" in info


def test_geoparquet(tmp_path: Path, sites: gpd.GeoDataFrame) -> None:
    same_places(read_vector(write_geoparquet(tmp_path / "a.parquet", sites)), sites, 1e-3)


def test_kmz_with_overlay(tmp_path: Path, sites: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> None:
    rgba = np.zeros((80, 100, 4), np.uint8)
    rgba[:, :50] = (255, 0, 0, 255)
    overlay = ground_overlay("RSRP", rgba, transform=Affine(90, 0, 5.4e5, 0, -90, 2.36e6), crs="EPSG:32648")
    path = write_kmz(tmp_path / "a.kmz", {"sites": sites, "areas": areas}, [overlay], title=NAMES[1])
    assert write_kmz(tmp_path / "b.kmz", {"sites": sites, "areas": areas}, [overlay], title=NAMES[1]).read_bytes() == (
        path.read_bytes()
    )
    with zipfile.ZipFile(path) as archive:
        root = ElementTree.fromstring(archive.read("doc.kml"))
        picture = archive.read("files/0.png")
    space = {"k": "http://www.opengis.net/kml/2.2"}
    assert [e.text for e in root.findall(".//k:Placemark/k:name", space)] == [*NAMES, "A"]
    box = {name: float(root.find(f".//k:{name}", space).text) for name in ("west", "east", "north", "south")}
    assert box["west"] < 105.39 < box["east"]
    (tmp_path / "p.png").write_bytes(picture)
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning):
        image = rasterio.open(tmp_path / "p.png")
    with image:
        pixels = image.read()
    assert pixels.shape[0] == 4
    assert pixels[3, 40, 25] == 255
    assert pixels[3, 40, 75] == 0
    layers = {name: pyogrio.read_dataframe(path, layer=name) for name in ("sites", "areas")}
    same_places(layers["sites"], sites)
    same_places(layers["areas"], areas)
    assert layers["areas"].geometry.to_crs(32648).area[0] == pytest.approx(areas.area[0], rel=1e-4)


def test_netcdf_keeps_crs_and_units(tmp_path: Path) -> None:
    ground = np.random.default_rng(1).random((30, 40)) * 100
    ground[0, 0] = np.nan
    terrain = Terrain.from_arrays(ground, x0_m=5e5, y0_m=2.4e6, resolution_m=90, crs="EPSG:32648")
    dataset = terrain.to_dataset()
    dataset["covered"] = (("y", "x"), ground > 50, {"grid_mapping": "spatial_ref"})
    path = write_netcdf(tmp_path / "a.nc", dataset)
    with xr.open_dataset(path, engine="h5netcdf", decode_coords="all") as back:
        np.testing.assert_array_equal(back["elevation_amsl_m"], terrain.elevation_amsl_m)
        assert back["elevation_amsl_m"].attrs["units"] == "m"
        assert back["covered"].attrs["flag_meanings"] == "no yes"
        assert "spatial_ref" in back.coords
        assert back.attrs["Conventions"].startswith("CF-")
    info = tool("gdalinfo", f"NETCDF:{path}:elevation_amsl_m")
    assert "WGS 84 / UTM zone 48N" in info
    assert "Origin = (500000.0" in info
    assert "Size is 40, 30" in info
    with pytest.raises(OutputError, match="spatial_ref"):
        write_netcdf(tmp_path / "b.nc", dataset.drop_vars("spatial_ref"))


def test_zarr_or_a_clear_word(tmp_path: Path) -> None:
    dataset = Terrain.from_arrays(np.ones((3, 4)), x0_m=0, y0_m=0, resolution_m=90, crs="EPSG:32648").to_dataset()
    try:
        import zarr  # noqa: F401
    except ImportError:
        with pytest.raises(OutputError, match=r"rfplan\[zarr\]"):
            write_zarr(tmp_path / "a.zarr", dataset)
    else:
        with xr.open_zarr(write_zarr(tmp_path / "a.zarr", dataset), consolidated=False) as back:
            assert float(back["elevation_amsl_m"].mean()) == 1


def test_xlsx_there_and_back(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"name": ["=cmd()", "Việt Trì"], "people": [78605, 12], "share": [99.5, np.nan], "ok": [True, False]}
    )
    path = write_xlsx(tmp_path / "k.xlsx", {"figures": table, "empty": table.iloc[:0]})
    book = openpyxl.load_workbook(path)
    page = book["figures"]
    assert page["A2"].value == "'=cmd()"
    assert page["A2"].data_type == "s"
    assert (page["B2"].value, page["C2"].value, page["C3"].value) == (78605, 99.5, None)
    assert page.freeze_panes == "A2"
    back = read_table(path, required=("name", "people"))
    assert to_float(back["people"], "people").tolist() == [78605, 12]
    assert np.isnan(to_float(back["share"], "share")[1])
    assert (
        write_xlsx(tmp_path / "l.xlsx", {"figures": table, "empty": table.iloc[:0]}).read_bytes() == path.read_bytes()
    )
    with pytest.raises(OutputError, match="no sheet name"):
        write_xlsx(tmp_path / "m.xlsx", {"a/b": table})
    (tmp_path / "n.xlsx").write_bytes(b"PK not a workbook")
    with pytest.raises(InputFileError, match="workbook"):
        read_table(tmp_path / "n.xlsx")


def test_styles_are_where_qgis_looks(tmp_path: Path, sites: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> None:
    raster = write_cog(
        tmp_path / "r.tif", np.zeros((4, 4), "float32"), transform=Affine(90, 0, 0, 0, -90, 0), crs="EPSG:32648"
    )
    sidecar = styles.write_raster_style(raster, styles.RSRP_STOPS)
    root = ElementTree.fromstring(sidecar.read_text().split("\n", 1)[1])
    values = [item.get("value") for item in root.iter("item")]
    assert values == ["-120", "-115", "-110", "-105", "-95", "-85", "inf"]
    qml = {
        "sites": styles.categories_qml("status", styles.STATUS_COLOURS),
        "areas": styles.graduated_qml("covered_population_percent", styles.PERCENT_STOPS),
    }
    path = write_gpkg(tmp_path / "a.gpkg", {"sites": sites, "areas": areas}, styles=qml)
    stored = pyogrio.read_dataframe(path, layer="layer_styles", read_geometry=False)
    assert stored["f_table_name"].tolist() == ["sites", "areas"]
    assert stored["useAsDefault"].tolist() == [1, 1]
    for text in stored["styleQML"]:
        ElementTree.fromstring(text.split("\n", 1)[1])
    again = write_gpkg(tmp_path / "b.gpkg", {"sites": sites, "areas": areas}, styles=qml)
    assert again.read_bytes() == path.read_bytes()
    with pytest.raises(OutputError, match="no layer roads"):
        write_gpkg(tmp_path / "c.gpkg", {"sites": sites}, styles={"roads": "x"})
    with pytest.raises(OutputError, match="must increase"):
        styles.raster_qml([styles.Stop(1, "#000000", "a"), styles.Stop(0, "#000000", "b")])
    with pytest.raises(OutputError, match="colour"):
        styles.raster_qml([styles.Stop(1, "red", "a")])


def test_layers_without_crs_are_refused(tmp_path: Path, sites: gpd.GeoDataFrame) -> None:
    bare = sites.set_crs(None, allow_override=True)
    for writer, name in ((write_geojson, "a.geojson"), (write_mif, "a.mif"), (write_geoparquet, "a.parquet")):
        with pytest.raises(OutputError, match="no CRS"):
            writer(tmp_path / name, bare)
    with pytest.raises(OutputError, match="no CRS"):
        write_kmz(tmp_path / "a.kmz", {"x": bare})
    assert list(tmp_path.iterdir()) == []
