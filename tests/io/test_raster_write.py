from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine

from rfplan.errors import InputFileError, OutputError
from rfplan.io.crs import metric_crs, utm_crs
from rfplan.io.raster import RasterFile, read_raster, write_cog
from rfplan.io.vector import read_vector, write_gpkg

TRANSFORM = Affine(90, 0, 5e5, 0, -90, 2.4e6)


def test_cog_comes_back_as_it_was(tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(-90, 20, (700, 900)).astype("float32")
    values[:50] = np.nan
    path = write_cog(
        tmp_path / "new" / "rsrp.tif", values, transform=TRANSFORM, crs="EPSG:32648", unit="dBm",
        tags={"DESCRIPTION": "RSRP"},
    )  # fmt: skip
    raster = read_raster(path)
    np.testing.assert_array_equal(raster.values, values)
    assert (raster.unit, raster.crs, raster.dx) == ("dBm", "EPSG:32648", 90)
    with rasterio.open(path) as dataset:
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert dataset.overviews(1) == [2]
        assert dataset.descriptions == ("RSRP",)
        assert np.isnan(dataset.nodata)
    assert [p.name for p in path.parent.iterdir()] == ["rsrp.tif"]
    again = write_cog(
        tmp_path / "b.tif", values, transform=TRANSFORM, crs="EPSG:32648", unit="dBm", tags={"DESCRIPTION": "RSRP"}
    )
    assert again.read_bytes() == path.read_bytes()


def test_masks_and_indices(tmp_path: Path) -> None:
    mask = np.eye(30, dtype=bool)
    path = write_cog(tmp_path / "c.tif", mask, transform=TRANSFORM, crs="EPSG:32648", nodata=255)
    back = read_raster(path, dtype=None)
    assert back.values.dtype == np.uint8
    assert back.nodata == 255
    np.testing.assert_array_equal(back.values, mask)
    servers = np.full((30, 40), -1, "int32")
    path = write_cog(tmp_path / "d.tif", servers, transform=TRANSFORM, crs="EPSG:32648", nodata=-1)
    assert (read_raster(path, dtype=None).values == -1).all()


def test_arrays_that_are_no_raster(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no raster"):
        write_cog(tmp_path / "a.tif", np.zeros(4), transform=TRANSFORM, crs="EPSG:32648")
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="cannot write"):
        write_cog(tmp_path / "file" / "a.tif", np.zeros((4, 4)), transform=TRANSFORM, crs="EPSG:32648")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]


def test_band_that_does_not_exist_or_is_complex(tmp_path: Path) -> None:
    path = write_cog(tmp_path / "a.tif", np.zeros((4, 4)), transform=TRANSFORM, crs="EPSG:32648")
    with pytest.raises(InputFileError, match="band 2"):
        read_raster(path, band=2)
    profile = {"driver": "GTiff", "width": 2, "height": 2, "count": 1, "dtype": "complex64", "crs": "EPSG:32648"}
    with rasterio.open(tmp_path / "c.tif", "w", transform=TRANSFORM, **profile):
        pass
    with pytest.raises(InputFileError, match="complex"):
        read_raster(RasterFile(tmp_path / "c.tif", nodata=0))
    rotated = Affine(90, 5, 5e5, 5, -90, 2.4e6)
    with rasterio.open(tmp_path / "r.tif", "w", transform=rotated, **(profile | {"dtype": "uint8"})):
        pass
    with pytest.raises(InputFileError, match="rotated"):
        read_raster(tmp_path / "r.tif")


def test_scale_and_offset_of_the_band(tmp_path: Path) -> None:
    profile = {"driver": "GTiff", "width": 3, "height": 1, "count": 1, "dtype": "int16", "crs": "EPSG:32648"}
    with rasterio.open(tmp_path / "s.tif", "w", transform=TRANSFORM, nodata=-1, **profile) as dataset:
        dataset.write(np.array([[10, 20, -1]], "int16"), 1)
        dataset.scales, dataset.offsets = (0.1,), (5.0,)
    np.testing.assert_allclose(read_raster(tmp_path / "s.tif").values, [[6, 7, np.nan]])


def test_gpkg_holds_every_layer(tmp_path: Path) -> None:
    points = gpd.GeoDataFrame({"name": ["Việt Trì"], "on": [True]}, geometry=[shapely.Point(105, 21)], crs=4326)
    square = gpd.GeoDataFrame({"v": [1.5]}, geometry=[shapely.box(5e5, 2.3e6, 5.1e5, 2.4e6)], crs=32648)
    path = write_gpkg(tmp_path / "o.gpkg", {"sites": points, "area": square, "none": points.iloc[:0]})
    assert gpd.list_layers(path)["name"].tolist() == ["sites", "area", "none"]
    assert read_vector(path, layer="sites")["name"][0] == "Việt Trì"
    assert read_vector(path, layer="area").crs == "EPSG:4326"
    with pytest.raises(InputFileError):
        read_vector(path, layer="nothing")
    with pytest.raises(OutputError, match="no layer"):
        write_gpkg(tmp_path / "p.gpkg", {})
    with pytest.raises(OutputError, match="no CRS"):
        write_gpkg(tmp_path / "p.gpkg", {"a": points.set_crs(None, allow_override=True)})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["o.gpkg"]


def test_shapefile_without_prj_is_refused(tmp_path: Path) -> None:
    square = gpd.GeoDataFrame({"v": [1.5]}, geometry=[shapely.box(105, 21, 106, 22)], crs=4326)
    square.to_file(tmp_path / "a.shp")
    assert len(read_vector(tmp_path / "a.shp")) == 1
    (tmp_path / "a.prj").unlink()
    with pytest.raises(InputFileError, match="no CRS"):
        read_vector(tmp_path / "a.shp")


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [(105.3, 21.3, 32648), (-70, -33, 32719), (179.9, 0, 32660), (-180, 0, 32601), (10, 85, 32661), (10, -85, 32761)],
)
def test_utm_zone(lon: float, lat: float, code: int) -> None:
    assert utm_crs(lon, lat) == f"EPSG:{code}"
    assert metric_crs(f"EPSG:{code}") == f"EPSG:{code}"
