from __future__ import annotations

import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
import xarray as xr

from rfplan.errors import OutputError
from rfplan.io.export import FEATURE_SUFFIXES, colour_values, grid_place, write_features, write_grid
from rfplan.io.raster import read_raster
from rfplan.io.styles import COVERED_STOPS, RSRP_STOPS
from rfplan.io.vector import read_vector
from rfplan.terrain import Terrain


@pytest.fixture
def layers() -> xr.Dataset:
    terrain = Terrain.from_arrays(np.zeros((20, 30)), x0_m=5e5, y0_m=2.4e6, resolution_m=90, crs="EPSG:32648")
    rsrp = np.linspace(-130, -70, 600).reshape(20, 30).astype("float32")
    rsrp[0, 0] = np.nan
    out = terrain.to_dataset().drop_vars(["elevation_amsl_m", "clutter_class", "clutter_height_m", "zone"])
    out["rsrp_dbm"] = (("y", "x"), rsrp, {"units": "dBm", "long_name": "RSRP"})
    out["covered"] = (("y", "x"), rsrp > -110, {"units": "1"})
    out["best_server"] = (("y", "x"), np.where(rsrp > -110, 3, -1).astype("int32"), {"units": "1"})
    return out


@pytest.mark.parametrize("suffix", FEATURE_SUFFIXES)
def test_features_in_every_format(tmp_path: Path, suffix: str) -> None:
    frame = gpd.GeoDataFrame({"name": ["a"], "v": [2]}, geometry=[shapely.Point(5e5, 2.3e6)], crs=32648)
    path = write_features(tmp_path / f"sites{suffix}", frame)
    assert path.exists()
    if suffix != ".mif":
        back = read_vector(path)
        assert back.to_crs(32648).geometry[0].distance(frame.geometry[0]) < 0.2
    if suffix not in (".gpkg", ".kmz"):
        with pytest.raises(OutputError, match="one layer"):
            write_features(path, {"a": frame, "b": frame})


def test_grid_as_maps_with_styles(tmp_path: Path, layers: xr.Dataset) -> None:
    paths = write_grid(tmp_path / "after.tif", layers)
    assert [p.name for p in paths] == ["after_rsrp_dbm.tif", "after_covered.tif", "after_best_server.tif"]
    assert sorted(p.name for p in tmp_path.glob("*.qml")) == ["after_covered.qml", "after_rsrp_dbm.qml"]
    back = read_raster(paths[0])
    np.testing.assert_array_equal(back.values, layers["rsrp_dbm"])
    assert (back.x0, back.y0, back.dx, back.crs, back.unit) == (5e5, 2.4e6, 90, "EPSG:32648", "dBm")
    with rasterio.open(paths[2]) as dataset:
        assert dataset.nodata == -1
    assert write_grid(tmp_path / "one.tif", layers, variables=["covered"])[0].name == "one.tif"


def test_grid_as_netcdf_and_overlay(tmp_path: Path, layers: xr.Dataset) -> None:
    (path,) = write_grid(tmp_path / "a.nc", layers)
    with xr.open_dataset(path, engine="h5netcdf", decode_coords="all") as back:
        assert grid_place(back) == grid_place(layers)
    (path,) = write_grid(tmp_path / "a.kmz", layers)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["doc.kml", "files/0.png", "files/1.png"]


def test_colours_by_the_legend() -> None:
    levels = colour_values(np.array([[-130.0, -112, -60, np.nan]]), RSRP_STOPS, "discrete")
    assert levels[0, 0, 3] == 0
    assert levels[0, 1].tolist() == [0xA5, 0x2C, 0x60, 0xFF]
    assert levels[0, 2].tolist() == [0xFC, 0xFF, 0xA4, 0xFF]
    assert levels[0, 3].tolist() == [0, 0, 0, 0]
    answers = colour_values(np.array([[0, 1, 255]]), COVERED_STOPS, "exact")
    assert answers[0, :, 3].tolist() == [0xB0, 0xB0, 0]


def test_what_cannot_be_written(tmp_path: Path, layers: xr.Dataset) -> None:
    frame = gpd.GeoDataFrame({"v": [2]}, geometry=[shapely.Point(0, 0)], crs=4326)
    with pytest.raises(OutputError, match="features are written as"):
        write_features(tmp_path / "a.docx", frame)
    with pytest.raises(OutputError, match="grids are written as"):
        write_grid(tmp_path / "a.png", layers)
    with pytest.raises(OutputError, match="no variable"):
        write_grid(tmp_path / "a.tif", layers, variables=["sinr_db"])
    with pytest.raises(OutputError, match="known look"):
        write_grid(tmp_path / "a.kmz", layers, variables=["best_server"])
    with pytest.raises(OutputError, match="spatial_ref"):
        write_grid(tmp_path / "a.tif", layers.drop_vars("spatial_ref"))
    with pytest.raises(OutputError, match="evenly spaced"):
        write_grid(tmp_path / "a.tif", layers.isel(x=[0, 1, 5]))
    assert list(tmp_path.iterdir()) == []
