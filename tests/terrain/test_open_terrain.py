from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer

from rfplan.clutter import ClutterTable
from rfplan.errors import DataWarning, InputFileError, ParameterError
from rfplan.io.raster import RasterFile, read_raster
from rfplan.terrain import Terrain, open_terrain


def from_origin(west: float, north: float, width: float, height: float) -> Affine:
    return Affine(width, 0, west, 0, -height, north)


def tiff(path: Path, values: np.ndarray, *, west=105.0, north=21.5, size=0.001, crs="EPSG:4326", **profile) -> Path:
    profile = {"nodata": -32768, "transform": from_origin(west, north, size, size)} | profile
    ny, nx = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", width=nx, height=ny, count=1, dtype=values.dtype, crs=crs, **profile
    ) as dataset:
        dataset.write(values, 1)
    return path


def plane(ny: int = 60, nx: int = 70) -> np.ndarray:
    return (100 + np.arange(nx)[None, :] + 2.0 * np.arange(ny)[:, None]).astype("float32")


def test_bilinear_against_the_definition(tmp_path: Path) -> None:
    values = np.random.default_rng(1).uniform(0, 300, (60, 70)).astype("float32")
    terrain = open_terrain(tiff(tmp_path / "a.tif", values), resolution_m=100)
    assert terrain.crs == "EPSG:32648"
    assert terrain.x0_m % 100 == 0
    assert terrain.y0_m % 100 == 0
    to_lonlat = Transformer.from_crs(32648, 4326, always_xy=True)
    checked = 0
    for r in range(5, terrain.shape[0] - 5, 7):
        for c in range(5, terrain.shape[1] - 5, 5):
            lon, lat = to_lonlat.transform(terrain.x0_m + (c + 0.5) * 100, terrain.y0_m - (r + 0.5) * 100)
            row, col = (21.5 - lat) / 0.001 - 0.5, (lon - 105.0) / 0.001 - 0.5
            i, j = int(row), int(col)
            fr, fc = row - i, col - j
            top = values[i, j] * (1 - fc) + values[i, j + 1] * fc
            bottom = values[i + 1, j] * (1 - fc) + values[i + 1, j + 1] * fc
            assert terrain.elevation_amsl_m[r, c] == pytest.approx(top * (1 - fr) + bottom * fr, abs=1e-3)
            checked += 1
    assert checked > 50


def test_voids_and_spikes_are_repaired_and_counted(tmp_path: Path) -> None:
    values = plane()
    values[20:23, 30:34] = -32768
    values[40, 40] = -60
    values[50, 10] = 900
    values[10, 10] = 9999
    terrain = open_terrain(tiff(tmp_path / "a.tif", values), resolution_m=100)
    assert terrain.attrs["voids_filled"] == 12
    assert terrain.attrs["spikes_removed"] == 3
    assert terrain.attrs["voids_left"] == 0
    clean = open_terrain(tiff(tmp_path / "b.tif", plane()), resolution_m=100)
    np.testing.assert_allclose(terrain.elevation_amsl_m, clean.elevation_amsl_m, atol=0.01)


def test_land_below_the_sea_is_no_spike(tmp_path: Path) -> None:
    values = plane() - 300
    terrain = open_terrain(tiff(tmp_path / "a.tif", values), resolution_m=100)
    assert terrain.attrs["spikes_removed"] == 0
    assert np.nanmin(terrain.elevation_amsl_m) < -190


def test_large_voids_stay_unknown(tmp_path: Path) -> None:
    values = plane(100, 100)
    values[20:80, 20:80] = -32768  # some 38 km²
    terrain = open_terrain(tiff(tmp_path / "a.tif", values), resolution_m=100)
    assert terrain.attrs["voids_left"] == 3600
    row, col = terrain.nearest(*terrain.xy(105.05, 21.45))
    assert np.isnan(terrain.elevation_amsl_m[row, col])
    assert not terrain.valid[row, col]


def test_south_up_raster_is_turned(tmp_path: Path) -> None:
    north_up = open_terrain(tiff(tmp_path / "a.tif", plane()), resolution_m=100)
    flipped = from_origin(105.0, 21.5 - 60 * 0.001, 0.001, -0.001)
    south_up = open_terrain(tiff(tmp_path / "b.tif", plane()[::-1], transform=flipped), resolution_m=100)
    np.testing.assert_allclose(south_up.elevation_amsl_m, north_up.elevation_amsl_m, atol=1e-3)


def test_tiles_are_joined_without_a_seam(tmp_path: Path) -> None:
    values = plane()
    whole = open_terrain(tiff(tmp_path / "w.tif", values), resolution_m=100)
    west = tiff(tmp_path / "a.tif", values[:, :33])
    east = tiff(tmp_path / "b.tif", values[:, 33:], west=105.033)
    joined = open_terrain([west, east], resolution_m=100)
    assert joined.shape == whole.shape
    np.testing.assert_allclose(joined.elevation_amsl_m, whole.elevation_amsl_m, atol=1e-3)


def test_files_in_different_crs_are_merged(tmp_path: Path) -> None:
    lonlat = tiff(tmp_path / "a.tif", np.full((60, 30), 7, "float32"))
    x, y = Transformer.from_crs(4326, 32648, always_xy=True).transform(105.029, 21.5)
    metric = tiff(tmp_path / "b.tif", np.full((60, 40), 9, "float32"), west=x, north=y, size=100, crs="EPSG:32648")
    terrain = open_terrain([lonlat, metric], resolution_m=100)
    assert set(np.unique(terrain.elevation_amsl_m[terrain.valid])) == {7, 9}


def test_coarser_grid_averages_whole_blocks(tmp_path: Path) -> None:
    values = np.random.default_rng(2).uniform(0, 100, (40, 40)).astype("float32")
    path = tiff(tmp_path / "a.tif", values, west=480000, north=2400000, size=30, crs="EPSG:32648")
    terrain = open_terrain(path, resolution_m=120)
    np.testing.assert_allclose(terrain.elevation_amsl_m, values.reshape(10, 4, 10, 4).mean(axis=(1, 3)), atol=1e-3)


def test_default_resolution_and_bounds(tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif", plane(300, 300), size=1 / 1200)
    whole = open_terrain(path)
    assert whole.resolution_m == 90
    part = open_terrain(path, bounds=(105.05, 21.35, 105.1, 21.4))
    assert part.shape[0] < whole.shape[0] / 2
    row, col = whole.rowcol(part.x0_m + 45, part.y0_m - 45)
    window = whole.elevation_amsl_m[int(row) :, int(col) :][: part.shape[0], : part.shape[1]]
    np.testing.assert_allclose(part.elevation_amsl_m, window, atol=1e-3)


def test_heights_in_feet_become_metres(tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif", np.full((20, 20), 1000, "float32"))
    terrain = open_terrain(RasterFile(path, unit="ft"), resolution_m=100)
    assert np.nanmax(terrain.elevation_amsl_m) == pytest.approx(304.8)
    with rasterio.open(path, "r+") as dataset:
        dataset.units = ["US survey foot"]
    assert np.nanmax(open_terrain(path, resolution_m=100).elevation_amsl_m) == pytest.approx(304.8006, abs=1e-3)
    with rasterio.open(path, "r+") as dataset:
        dataset.units = ["fathom"]
    with pytest.raises(InputFileError, match="fathom"):
        open_terrain(path)


def test_clutter_raster_is_translated(tmp_path: Path) -> None:
    dem = tiff(tmp_path / "a.tif", plane())
    cover = np.full((60, 70), 40, "uint8")
    cover[:, :35] = 10
    cover[:5] = 0
    path = tiff(tmp_path / "c.tif", cover, nodata=0)
    terrain = open_terrain(dem, resolution_m=100, clutter=path, clutter_table="worldcover", default_clutter_height_m=8)
    r, c = terrain.nearest(*terrain.xy([105.01, 105.06, 105.01], [21.47, 21.47, 21.4985]))
    assert terrain.clutter_class[r, c].tolist() == [4, 2, 0]
    assert terrain.clutter_height_m[r, c].tolist() == [15, 0, 8]
    assert "worldcover" in terrain.attrs["clutter_source"]
    with pytest.raises(InputFileError, match="codes \\[10, 40\\]"):
        open_terrain(dem, resolution_m=100, clutter=path)
    with pytest.raises(ParameterError, match="clutter_table"):
        open_terrain(dem, clutter=path, clutter_table="corine")
    tall = ClutterTable({10: 4, 40: 2}, heights_m={4: 25})
    high = open_terrain(dem, resolution_m=100, clutter=path, clutter_table=tall)
    assert high.clutter_height_m[r, c].tolist() == [25, 0, 10]
    with pytest.raises(ParameterError, match="do not exist"):
        open_terrain(dem, clutter=path, clutter_table={10: 7})
    small = tiff(tmp_path / "s.tif", cover[10:30, 10:30], west=105.01, north=21.49, nodata=0)
    with pytest.warns(DataWarning, match="without a class"):
        part = open_terrain(dem, resolution_m=100, clutter=small, clutter_table="worldcover")
    assert (part.clutter_class == 0).any()


def test_clutter_and_elevation_in_several_tiles(tmp_path: Path) -> None:
    west = tiff(tmp_path / "a.tif", plane()[:, :33])
    east = tiff(tmp_path / "b.tif", plane()[:, 33:], west=105.033)
    far = tiff(tmp_path / "f.tif", plane(), west=110)
    cover = np.full((70, 40), 10, "uint8")
    left = tiff(tmp_path / "l.tif", cover, west=104.995, north=21.505, nodata=0)
    right = tiff(tmp_path / "r.tif", cover + 30, west=105.035, north=21.505, nodata=0)
    away = tiff(tmp_path / "w.tif", cover, west=110, nodata=0)
    area = (105.005, 21.46, 105.06, 21.49)
    terrain = open_terrain(
        [far, west, east], resolution_m=100, bounds=area, clutter=[left, away, right], clutter_table="worldcover"
    )
    assert [Path(p).name for p in terrain.attrs["sources"]] == ["a.tif", "b.tif"]
    assert terrain.valid.all()
    r, c = terrain.nearest(*terrain.xy([105.02, 105.05], [21.47, 21.47]))
    assert terrain.clutter_class[r, c].tolist() == [4, 2]
    with pytest.raises(InputFileError, match="does not overlap"):
        open_terrain([far], bounds=area)
    with pytest.raises(InputFileError, match="does not overlap"):
        open_terrain([west], resolution_m=100, clutter=[away], clutter_table="worldcover")


def test_clutter_by_name(tmp_path: Path) -> None:
    dem = tiff(tmp_path / "a.tif", plane())
    default = open_terrain(dem, resolution_m=100)
    assert (default.clutter_height_m == 10).all()
    assert (default.clutter_class == 0).all()
    assert default.attrs["clutter_source"] == "default height 10 m"
    bare = open_terrain(dem, resolution_m=100, clutter="bare-earth")
    assert (bare.clutter_height_m == 0).all()
    with pytest.raises(ParameterError, match="default_clutter_height_m"):
        open_terrain(dem, default_clutter_height_m=-1)


def test_profile_follows_the_grid(tmp_path: Path) -> None:
    values = plane()
    terrain = open_terrain(
        tiff(tmp_path / "a.tif", values, west=500000, north=2400000, size=100, crs="EPSG:32648"), resolution_m=100
    )
    lon, lat = terrain.lonlat([501050, 505050], [2398950, 2398950])
    profile = terrain.profile((lon[0], lat[0]), (lon[1], lat[1]))
    assert len(profile.distance_m) == 41
    assert profile.distance_m[-1] == pytest.approx(4000, abs=1e-6)
    np.testing.assert_allclose(profile.elevation_amsl_m, 130 + np.arange(41), atol=1e-4)
    assert profile.clutter_height_m is not None
    assert (profile.clutter_height_m == 10).all()
    assert len(terrain.profile((lon[0], lat[0]), (lon[1], lat[1]), step_m=1e5).distance_m) == 3
    with pytest.raises(ParameterError, match="off the terrain"):
        terrain.profile((lat[0], lon[0]), (lon[1], lat[1]))
    with pytest.raises(ParameterError, match="both ends"):
        terrain.profile((lon[0], lat[0]), (lon[0], lat[0]))


def test_profile_over_unknown_ground_is_refused() -> None:
    ground = np.zeros((20, 20))
    ground[10, 10] = np.nan
    terrain = Terrain.from_arrays(ground, x0_m=500000, y0_m=2400000, resolution_m=100, crs="EPSG:32648")
    lon, lat = terrain.lonlat([500050, 501950], [2398950, 2398950])
    with pytest.raises(ParameterError, match="unknown ground"):
        terrain.profile((lon[0], lat[0]), (lon[1], lat[1]))


def test_positions_go_there_and_back_and_crop_keeps_the_lattice() -> None:
    ground = np.arange(2400.0).reshape(40, 60)
    terrain = Terrain.from_arrays(ground, x0_m=500000, y0_m=2400000, resolution_m=50, crs="EPSG:32648")
    x, y = terrain.centres()
    np.testing.assert_array_equal(terrain.elevation_at(*np.meshgrid(x, y)), ground)
    lon, lat = terrain.lonlat(x[7], y[9])
    np.testing.assert_allclose(terrain.xy(lon, lat), (x[7], y[9]), atol=1e-6)
    lon, lat = terrain.lonlat([500500, 501500], [2398800, 2399500])
    part = terrain.crop((lon[0], lat[0], lon[1], lat[1]))
    row, col = terrain.nearest(part.x0_m + 25, part.y0_m - 25)
    assert part.elevation_amsl_m[0, 0] == ground[row, col]
    with pytest.raises(ParameterError, match="off the terrain"):
        terrain.crop((10, 10, 11, 11))
    assert np.isnan(terrain.elevation_at(499999, 2399000))


def test_dataset_is_cf() -> None:
    terrain = Terrain.from_arrays(np.zeros((4, 5)), x0_m=5e5, y0_m=2.4e6, resolution_m=50, crs="EPSG:32648")
    dataset = terrain.to_dataset()
    assert dict(dataset.sizes) == {"y": 4, "x": 5}
    assert dataset.y[0] > dataset.y[-1]
    assert all("units" in dataset[name].attrs for name in dataset.data_vars)
    assert dataset.spatial_ref.attrs["grid_mapping_name"] == "transverse_mercator"


def test_surface_model_gets_no_second_clutter(tmp_path: Path) -> None:
    # the product documents what its files leave out: a surface model without gaps
    dsm = tiff(tmp_path / "Copernicus_DSM_COG_10_N21_00_E105_00_DEM.tif", plane(), nodata=None)
    terrain = open_terrain(dsm, resolution_m=100)
    assert terrain.attrs["surface"] == "dsm"
    assert terrain.attrs["vertical_datum"] == "EGM2008"
    assert (terrain.clutter_height_m == 0).all()
    assert "surface model" in terrain.attrs["clutter_source"]
    cover = tiff(tmp_path / "c.tif", np.full((80, 90), 4, "uint8"), west=104.99, north=21.51, nodata=0)
    classed = open_terrain(dsm, resolution_m=100, clutter=cover)
    assert (classed.clutter_class == 4).all()
    assert (classed.clutter_height_m == 0).all()
    ground = tiff(tmp_path / "b.tif", plane())
    assert (open_terrain(RasterFile(ground, surface="dsm"), resolution_m=100).clutter_height_m == 0).all()
    with pytest.warns(DataWarning, match="mixed"):
        open_terrain([dsm, ground], resolution_m=100)


def test_tiles_on_both_sides_of_the_antimeridian(tmp_path: Path) -> None:
    values = plane(100, 200)
    west = tiff(tmp_path / "a.tif", values[:, :100], west=179.9, north=-16.5)
    east = tiff(tmp_path / "b.tif", values[:, 100:], west=-180, north=-16.5)
    terrain = open_terrain([west, east], resolution_m=100)
    assert terrain.crs in ("EPSG:32701", "EPSG:32760")
    assert terrain.shape[1] < 250
    assert np.isfinite(terrain.elevation_amsl_m).mean() > 0.95
    x, y = terrain.xy([179.95, 180.0, -179.95], [-16.55, -16.55, -16.55])
    np.testing.assert_allclose(terrain.elevation_at(x, y), 199 + np.array([49.5, 99.5, 149.5]), atol=0.2)
    part = open_terrain([west, east], resolution_m=100, bounds=(179.95, -16.58, 180.05, -16.52))
    assert part.valid.all()
    np.testing.assert_allclose(part.elevation_at(*part.xy(-179.98, -16.55)), 199 + 119.5, atol=0.2)


def test_near_the_pole(tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif", np.full((100, 400), 33, "float32"), west=-20, north=85.5, size=0.01)
    terrain = open_terrain(path, resolution_m=500)
    assert terrain.crs == "EPSG:32661"
    assert set(np.unique(terrain.elevation_amsl_m[terrain.valid])) == {33}
    assert terrain.elevation_at(*terrain.xy(-18, 85)) == 33


def test_bil_with_header(tmp_path: Path) -> None:
    values = plane(5, 6).astype("<i2")
    (tmp_path / "a.bil").write_bytes(values.tobytes())
    (tmp_path / "a.hdr").write_text(
        "BYTEORDER I\nLAYOUT BIL\nNROWS 5\nNCOLS 6\nNBANDS 1\nNBITS 16\nPIXELTYPE SIGNEDINT\nULXMAP 480015\n"
        "ULYMAP 2399895\nXDIM 90\nYDIM 90\nNODATA -9999\n"
    )
    terrain = open_terrain(RasterFile(tmp_path / "a.bil", crs="EPSG:32648"), resolution_m=90)
    np.testing.assert_array_equal(terrain.elevation_amsl_m, values)
    (tmp_path / "a.bil").write_bytes(values.tobytes()[:20])
    with pytest.raises(InputFileError, match="cut off"):
        open_terrain(RasterFile(tmp_path / "a.bil", crs="EPSG:32648"))
    (tmp_path / "a.hdr").unlink()
    with pytest.raises(InputFileError):
        open_terrain(RasterFile(tmp_path / "a.bil", crs="EPSG:32648"))


def test_vn2000_and_wgs84_tiles_meet(tmp_path: Path) -> None:
    # a plane in easting, drawn once in each datum: without the 200 m shift the two would disagree by some 0.9 m
    terrain = open_terrain(
        tiff(tmp_path / "a.tif", plane(80, 80), west=5.4e5, north=2.36e6, size=100, crs="EPSG:9208"),
        crs="EPSG:32648",
        resolution_m=100,
    )
    x, y = Transformer.from_crs("EPSG:9208", "EPSG:32648", always_xy=True).transform(5.44e5, 2.356e6)
    assert terrain.elevation_at(x, y) == pytest.approx(100 + 39.5 + 2 * 39.5, abs=0.1)


# bad input


def test_truncated_tiff_is_refused(tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif", plane(200, 200))
    path.write_bytes(path.read_bytes()[:60_000])
    with pytest.raises(InputFileError, match="damaged, cut off"):
        open_terrain(path)


def test_truncated_hgt_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "N21E105.hgt"
    path.write_bytes(bytes(1_000_000))
    with pytest.raises(InputFileError, match="no SRTM tile"):
        open_terrain(path)


def test_hgt_is_read_and_named_by_its_corner(tmp_path: Path) -> None:
    values = np.full((1201, 1201), 50, ">i2")
    values[0, 0] = 77
    path = tmp_path / "N21E105.hgt"
    path.write_bytes(values.tobytes())
    raster = read_raster(path)
    assert raster.values[0, 0] == 77
    assert raster.bounds == pytest.approx((105 - 1 / 2400, 21 - 1 / 2400, 106 + 1 / 2400, 22 + 1 / 2400))
    wrong = path.rename(tmp_path / "tile.hgt")
    with pytest.raises(InputFileError, match="cannot be read as SRTMHGT"):
        open_terrain(wrong)


def absurd_tiff(side: int) -> bytes:
    """A TIFF header that claims side x side bytes in one strip and holds none."""
    tags = [
        (256, 4, 1, side), (257, 4, 1, side), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8),
        (277, 3, 1, 1), (278, 4, 1, 1), (279, 4, 1, side),
    ]  # fmt: skip
    scale = struct.pack("<3d", 0.001, 0.001, 0)
    tie = struct.pack("<6d", 0, 0, 0, 105, 22, 0)
    geo = struct.pack("<8H", 1, 1, 0, 1, 2048, 0, 1, 4326)
    base = 8 + 2 + (len(tags) + 4) * 12 + 4
    tags += [(33550, 12, 3, base), (33922, 12, 6, base + 24), (34735, 3, 8, base + 72), (42113, 2, 2, 48)]
    body = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", len(tags)) + body + bytes(4) + scale + tie + geo


@pytest.mark.parametrize("side", [40_000, 1_000_000, 2_000_000_000])
def test_absurd_size_is_refused_before_reading(tmp_path: Path, side: int) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(absurd_tiff(side))
    with pytest.raises(InputFileError, match=r"GiB|cannot be read"):
        open_terrain(path)


def test_grid_of_absurd_size_is_refused(tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif", plane(), size=0.1)
    with pytest.raises(ParameterError, match="coarser resolution_m"):
        open_terrain(path, resolution_m=10)
    for value in (0, -5, float("nan")):
        with pytest.raises(ParameterError, match="resolution_m"):
            open_terrain(path, resolution_m=value)


def test_no_crs_no_position_no_nodata(tmp_path: Path) -> None:
    no_crs = tiff(tmp_path / "a.tif", plane(), crs=None)
    with pytest.raises(InputFileError, match="has no CRS"):
        open_terrain(no_crs)
    assert open_terrain(RasterFile(no_crs, crs="EPSG:4326")).crs == "EPSG:32648"
    no_nodata = tiff(tmp_path / "b.tif", plane(), nodata=None)
    with pytest.raises(InputFileError, match="nodata"):
        open_terrain(no_nodata)
    assert open_terrain(no_nodata, nodata="none").attrs["voids_filled"] == 0
    assert open_terrain(no_nodata, nodata=100).attrs["voids_filled"] == 1
    identity = Affine.identity()
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning):
        tiff(tmp_path / "c.tif", plane(), transform=identity)
    with pytest.raises(InputFileError, match="not georeferenced"):
        open_terrain(tmp_path / "c.tif")


def test_ascii_grid(tmp_path: Path) -> None:
    path = tmp_path / "a.asc"
    rows = "\n".join(" ".join(str(v) for v in row) for row in plane(5, 6).astype(int))
    path.write_text(f"ncols 6\nnrows 5\nxllcorner 500000\nyllcorner 2400000\ncellsize 90\nNODATA_value -9999\n{rows}\n")
    with pytest.raises(InputFileError, match="no CRS"):
        open_terrain(path)
    terrain = open_terrain(RasterFile(path, crs="EPSG:32648"), resolution_m=90)
    assert terrain.elevation_amsl_m[0, 0] != terrain.elevation_amsl_m[-1, -1]


def test_vrt_posing_as_tiff_is_refused(tmp_path: Path) -> None:
    secret = tiff(tmp_path / "secret.tif", plane())
    vrt = f"""<VRTDataset rasterXSize="70" rasterYSize="60"><SRS>EPSG:4326</SRS>
    <GeoTransform>105,0.001,0,21.5,0,-0.001</GeoTransform><VRTRasterBand dataType="Float32" band="1">
    <NoDataValue>-1</NoDataValue><SimpleSource><SourceFilename>{secret}</SourceFilename><SourceBand>1</SourceBand>
    </SimpleSource></VRTRasterBand></VRTDataset>"""
    for name in ("a.tif", "a.vrt", "a.asc", "a.bil"):
        (tmp_path / name).write_text(vrt)
        with pytest.raises(InputFileError):
            open_terrain(tmp_path / name)


@pytest.mark.parametrize("path", ["none.tif", "/vsicurl/http://x/y.tif", "https://x/y.tif", "."])
def test_paths_that_are_no_local_file(path: str) -> None:
    with pytest.raises(InputFileError):
        open_terrain(path)


def test_all_void_and_area_elsewhere(tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif", np.full((20, 20), -32768, "int16"))
    with pytest.raises(InputFileError, match="no ground is known"):
        open_terrain(path)
    with pytest.raises(InputFileError, match="does not overlap"):
        open_terrain(path, bounds=(10, 10, 11, 11))
    with pytest.raises(ParameterError, match="west < east"):
        open_terrain(path, bounds=(11, 10, 10, 11))
    with pytest.raises(ParameterError, match="at least one"):
        open_terrain([])


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:2263", "nonsense"])
def test_grid_crs_must_be_metric(tmp_path: Path, crs: str) -> None:
    with pytest.raises(ParameterError, match="crs"):
        open_terrain(tiff(tmp_path / "a.tif", plane()), crs=crs)


# real data


def test_srtm_tile_of_the_province(data_dir: Path) -> None:
    terrain = open_terrain(data_dir / "dem" / "N21E105.hgt", crs="EPSG:32648", resolution_m=90)
    assert terrain.attrs["voids_filled"] == 1539
    assert terrain.attrs["spikes_removed"] == 14
    assert terrain.attrs["voids_left"] == 0
    row, col = np.unravel_index(np.nanargmax(terrain.elevation_amsl_m), terrain.shape)
    x, y = terrain.centres()
    lon, lat = terrain.lonlat(x[col], y[row])
    assert (lon, lat) == (pytest.approx(105.544, abs=0.002), pytest.approx(21.573, abs=0.002))
    assert 1560 < terrain.elevation_amsl_m[row, col] <= 1582
    around = terrain.crop((105.35, 21.04, 105.39, 21.08))
    assert 1230 < np.nanmax(around.elevation_amsl_m) <= 1258
    assert np.nanmin(terrain.elevation_amsl_m) > -10


def test_the_last_row_before_unknown_ground_cannot_be_reached() -> None:
    ground = np.zeros((8, 9))
    ground[:, 6:] = np.nan
    terrain = Terrain.from_arrays(ground, x0_m=5e5, y0_m=2.4e6, resolution_m=100, crs="EPSG:32648")
    expected = np.zeros((8, 9), dtype=bool)
    expected[:, :5] = True
    np.testing.assert_array_equal(terrain.valid, expected)
