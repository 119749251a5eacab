"""Zones from the sea, and heights over one vertical datum."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyproj
import pytest
from affine import Affine

import rfplan as rf
from rfplan.errors import DataWarning, InputFileError, ParameterError
from rfplan.io.raster import RasterFile, write_cog
from rfplan.io.vertical import GEOID_GRIDS, undulation_m
from rfplan.profile import Zone

X0, Y0, STEP = 540_000.0, 2_360_000.0, 500.0


def coast() -> rf.Terrain:
    """Sea in the west, a plain, hills from column 60 on, a small lake at sea level and a big one high up."""
    row, col = np.mgrid[0:80, 0:160]
    elevation = np.where(col < 20, 0.0, np.where(col < 60, 8.0, 180.0)).astype(np.float32)
    classes = np.where(col < 20, 1, 2).astype(np.uint8)
    lake, tarn = (np.hypot(row - 40, col - 40) < 3), (np.hypot(row - 40, col - 100) < 20)
    classes[lake | tarn] = 1
    elevation[lake] = 2.0
    where = {"x0_m": X0, "y0_m": Y0, "resolution_m": STEP, "crs": "EPSG:32648"}
    return rf.Terrain.from_arrays(elevation, clutter_height_m=0.0, clutter_class=classes, **where)


def test_zones_from_the_class_water() -> None:
    zoned = rf.with_sea(coast())
    assert (zoned.zone[:, :20] == Zone.SEA).all()
    assert (zoned.zone[:, 20:60] == Zone.COASTAL).all()  # the small lake too
    assert (zoned.zone[:, 60:] == Zone.INLAND).all()  # high, and the tarn is no sea
    assert (rf.with_sea(coast(), least_sea_km2=0.0).zone[40, 40]) == Zone.SEA
    inland = coast()
    assert [part.uniform_zone for part in (inland, rf.with_sea(inland), inland)] == [Zone.INLAND, 0, Zone.INLAND]
    assert zoned.window(slice(0, 9), slice(70, 160)).uniform_zone == Zone.INLAND
    assert "within 5 m of sea level" in zoned.attrs["zone_source"]
    with pytest.raises(ParameterError, match="least_sea_km2"):
        rf.with_sea(coast(), least_sea_km2=-1.0)


def test_coastal_land_ends_fifty_kilometres_from_the_sea() -> None:
    flat = rf.Terrain.from_arrays(
        np.full((4, 200), 5.0),
        x0_m=X0,
        y0_m=Y0,
        resolution_m=STEP,
        crs="EPSG:32648",
        clutter_class=np.where(np.arange(200) < 10, 1, 2)[None].repeat(4, axis=0),
        clutter_height_m=0.0,
    )
    zone = rf.with_sea(flat, least_sea_km2=1.0).zone[1]
    assert zone[109] == Zone.COASTAL  # 100 pixels of 500 m
    assert zone[110] == Zone.INLAND


def test_zones_from_drawn_areas(tmp_path: Path) -> None:
    terrain = coast()
    corners = [(X0 - 9e3, Y0 + 9e3), (X0 + 15e3, Y0 + 9e3), (X0 + 15e3, Y0 - 99e3), (X0 - 9e3, Y0 - 99e3)]
    lon, lat = terrain.lonlat([x for x, _ in corners], [y for _, y in corners])
    ring = [[float(a), float(b)] for a, b in zip([*lon, lon[0]], [*lat, lat[0]], strict=True)]
    feature = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    path = tmp_path / "sea.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    zone = rf.with_sea(terrain, path).zone
    assert (zone[:, :29] == Zone.SEA).all()
    assert (zone[:, 31:60] == Zone.COASTAL).all()
    other = rf.with_sea(terrain, path, land=True).zone
    assert (other[:, 31:] == Zone.SEA).all()


def test_no_sea_is_said() -> None:
    dry = coast().with_clutter(np.full((80, 160), 2), np.zeros((80, 160)), "dry")
    with pytest.warns(DataWarning, match="no sea found"):
        assert (rf.with_sea(dry).zone == Zone.INLAND).all()


def test_the_sea_changes_what_is_predicted() -> None:
    """Ducting over water: at small time percentages the sea path carries more."""
    terrain = coast()
    wet = rf.with_sea(terrain, least_sea_km2=1.0)
    a, b = (
        (float(v) for v in terrain.lonlat(X0 + 700, Y0 - 700)),
        (float(v) for v in terrain.lonlat(X0 + 9_700, Y0 - 39_000)),
    )
    ends = tuple(a), tuple(b)
    loss = [
        rf.P1812(time_percent=1).path_loss_db(
            ground.profile(*ends).paths(frequency_mhz=1800, tx_height_agl_m=30, rx_height_agl_m=10)
        )[0]
        for ground in (terrain, wet)
    ]
    assert loss[1] < loss[0] - 1.0


def write_gtx(path: Path, metres: float, slope: float) -> None:
    """A geoid grid: a constant plus a slope with longitude, every degree of the globe."""
    rows, cols = 181, 361
    lon = np.linspace(-180, 180, cols)
    values = np.broadcast_to((metres + slope * lon).astype(">f4"), (rows, cols))
    path.write_bytes(struct.pack(">4d2i", -90.0, -180.0, 1.0, 1.0, rows, cols) + values.tobytes())


@pytest.fixture
def geoids(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "proj"
    folder.mkdir()
    before = pyproj.datadir.get_data_dir()
    write_gtx(folder / GEOID_GRIDS["EGM96"][1], -27.0, 0.0)
    write_gtx(folder / GEOID_GRIDS["EGM2008"][1], -38.0, 0.1)
    pyproj.datadir.append_data_dir(str(folder))
    yield folder
    pyproj.datadir.set_data_dir(before)


def dem(path: Path, height_m: float, columns: slice = slice(0, 60)) -> Path:
    values = np.full((60, 60), height_m, np.float32)
    values[:, : columns.start] = values[:, columns.stop :] = np.nan
    corner = Affine(0.005, 0.0, 105.0, 0.0, -0.005, 21.3)
    return write_cog(path, values, transform=corner, crs="EPSG:4326", unit="m")


def test_undulations_are_the_grids(geoids: Path) -> None:
    found = undulation_m([105.25, 106.0], [21.0, 20.0], "EGM2008")
    assert found is not None
    np.testing.assert_allclose(found, [-38.0 + 10.525, -38.0 + 10.6], atol=1e-4)
    assert undulation_m(105.0, 21.0, "ellipsoid") == 0.0


def test_heights_are_brought_to_one_datum(geoids: Path, tmp_path: Path) -> None:
    west = RasterFile(dem(tmp_path / "west.tif", 100.0, slice(0, 30)), vertical_datum="EGM96")
    east = RasterFile(dem(tmp_path / "east.tif", 100.0, slice(30, 60)), vertical_datum="EGM2008")
    terrain = rf.open_terrain([west, east], resolution_m=500)
    assert terrain.attrs["vertical_datum"] == "EGM96"
    lon, lat = 105.07, 21.15
    x, y = terrain.xy([lon, 105.23], [lat, lat])
    height = terrain.elevation_at(x, y)
    assert height[0] == pytest.approx(100.0, abs=1e-3)
    assert height[1] == pytest.approx(100.0 + (-38.0 + 10.523) - -27.0, abs=0.01)
    other = rf.open_terrain([west, east], resolution_m=500, vertical_datum="EGM2008")
    assert other.elevation_at(x, y)[1] == pytest.approx(100.0, abs=1e-3)
    assert other.elevation_at(x, y)[0] == pytest.approx(100.0 - 27.0 + 38.0 - 10.507, abs=0.01)


def test_ellipsoidal_heights_need_a_grid(geoids: Path, tmp_path: Path) -> None:
    path = RasterFile(dem(tmp_path / "gnss.tif", 70.0), vertical_datum="ellipsoid")
    terrain = rf.open_terrain(path, resolution_m=500)
    assert terrain.attrs["vertical_datum"] == "EGM2008"
    assert float(np.nanmean(terrain.elevation_amsl_m)) == pytest.approx(70.0 + 38.0 - 10.5, abs=0.1)
    with pytest.raises(ParameterError, match="above sea level"):
        rf.open_terrain(path, vertical_datum="ellipsoid")
    with pytest.raises(ParameterError, match="allowed are EGM96"):
        rf.open_terrain(path, vertical_datum="NAVD88")


def test_without_grids_it_is_said_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rfplan.io.vertical.GEOID_GRIDS", {"EGM96": ("none.tif",), "EGM2008": ("none.gtx",)})
    mixed = RasterFile(dem(tmp_path / "a.tif", 5.0), vertical_datum="EGM96")
    with pytest.warns(DataWarning, match="geoid grid is not installed"):
        terrain = rf.open_terrain(mixed, resolution_m=500, vertical_datum="EGM2008")
    assert terrain.attrs["vertical_datum"] == "EGM2008; EGM96"
    assert float(np.nanmean(terrain.elevation_amsl_m)) == pytest.approx(5.0)
    with pytest.raises(InputFileError, match="projsync --file none"):
        rf.open_terrain(RasterFile(tmp_path / "a.tif", vertical_datum="ellipsoid"), resolution_m=500)


def test_a_scenario_names_tiles_of_clutter_the_sea_and_the_datum(tmp_path: Path) -> None:
    from rfplan.plan import stages
    from rfplan.scenario import load_scenario

    dem(tmp_path / "dem.tif", 3.0)
    for name, columns in (("west", slice(0, 30)), ("east", slice(30, 60))):
        codes = np.full((60, 30), 80 if name == "west" else 30, np.uint8)
        corner = Affine(0.005, 0.0, 105.0 + 0.005 * columns.start, 0.0, -0.005, 21.3)
        write_cog(tmp_path / f"{name}.tif", codes, transform=corner, crs="EPSG:4326", nodata=0)
    (tmp_path / "s.toml").write_text(
        """
schema_version = 1
name = "tiles"
[terrain]
files = ["dem.tif"]
resolution_m = 500
clutter = ["west.tif", "east.tif"]
clutter_table = "worldcover"
vertical_datum = "EGM96"
sea = "water"
[demand]
communes = "c.geojson"
[network]
sites = "s.csv"
"""
    )
    scenario = load_scenario(tmp_path / "s.toml")
    inputs = scenario.input_files()
    assert inputs["terrain.clutter[1]"] == tmp_path / "east.tif"
    assert "terrain.sea" not in inputs
    terrain = stages.terrain(scenario)
    half = terrain.shape[1] // 2
    inner = slice(4, -4)
    assert (terrain.zone[inner, 4 : half - 3] == Zone.SEA).all()
    assert (terrain.zone[inner, half + 3 : -4] == Zone.COASTAL).all()
    assert "east.tif" in terrain.attrs["clutter_source"]
