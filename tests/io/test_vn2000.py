from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely

from rfplan.errors import ParameterError
from rfplan.io.vector import read_vector
from rfplan.io.vn2000 import (
    CENTRAL_MERIDIANS_DEG,
    THREE_DEGREE_ZONES,
    lonlat_to_vn2000,
    vn2000_crs,
    vn2000_to_lonlat,
    with_datum_shift,
)


@pytest.mark.parametrize(("meridian", "code"), THREE_DEGREE_ZONES.items())
def test_codes_are_the_zones_they_say(meridian: float, code: int) -> None:
    crs = pyproj.CRS.from_epsg(code)
    parameters = {p.name: p.value for p in crs.coordinate_operation.params}
    assert crs.name.startswith("VN-2000")
    assert parameters["Longitude of natural origin"] == meridian
    assert parameters["Scale factor at natural origin"] == 0.9999
    assert parameters["False easting"] == 500_000
    assert vn2000_crs(meridian) == f"EPSG:{code}"


def helmert(lon: float, lat: float) -> tuple[float, float]:
    """EPSG:6960 written out: coordinate-frame rotation of geocentric coordinates, VN-2000 to WGS 84."""
    a, f = 6378137.0, 1 / 298.257223563
    e2 = f * (2 - f)
    phi, lam = np.radians([lat, lon])
    n = a / np.sqrt(1 - e2 * np.sin(phi) ** 2)
    v = np.array([n * np.cos(phi) * np.cos(lam), n * np.cos(phi) * np.sin(lam), n * (1 - e2) * np.sin(phi)])
    second = np.pi / 180 / 3600
    rx, ry, rz = np.array([-0.00928836, 0.01975479, -0.00427372]) * second
    rotation = np.array([[1, rz, -ry], [-rz, 1, rx], [ry, -rx, 1]])
    x, y, z = np.array([-191.90441429, -39.30318279, -111.45032835]) + (1 + 0.252906278e-6) * rotation @ v
    p = np.hypot(x, y)
    phi = np.arctan2(z, p * (1 - e2))
    for _ in range(10):
        phi = np.arctan2(z + e2 * a / np.sqrt(1 - e2 * np.sin(phi) ** 2) * np.sin(phi), p)
    return float(np.degrees(np.arctan2(y, x))), float(np.degrees(phi))


@pytest.mark.parametrize("zone", ["48N", "Phú Thọ", "Hòa Bình", 105.0])
def test_datum_shift_is_applied(zone: str | float) -> None:
    crs = pyproj.CRS(vn2000_crs(zone))
    lon0, lat0 = 105.4, 21.3
    x, y = pyproj.Proj(crs)(lon0, lat0)  # projection alone, on VN-2000's own longitudes and latitudes
    lon, lat = vn2000_to_lonlat(x, y, zone)
    expected = helmert(lon0, lat0)
    assert float(lon) == pytest.approx(expected[0], abs=2e-7)
    assert float(lat) == pytest.approx(expected[1], abs=2e-7)
    shift = pyproj.Geod(ellps="WGS84").inv(lon0, lat0, float(lon), float(lat))[2]
    assert 150 < shift < 250
    back = lonlat_to_vn2000(lon, lat, zone)
    np.testing.assert_allclose(back, (x, y), atol=1e-3)


def test_provinces_are_found_with_or_without_marks() -> None:
    assert vn2000_crs("Phú Thọ") == vn2000_crs("phu tho") == vn2000_crs("PHUTHO") == "EPSG:9208"
    assert vn2000_crs("Đà Nẵng") == "EPSG:5899"
    assert vn2000_crs("49n") == "EPSG:3406"
    assert len(CENTRAL_MERIDIANS_DEG) == 63
    with pytest.raises(ParameterError, match="no province"):
        vn2000_crs("Atlantis")
    with pytest.raises(ParameterError, match=r"no VN-2000 3° zone"):
        vn2000_crs(101.1)


def test_named_but_uncoded_datum_gets_its_shift(tmp_path: Path) -> None:
    esri = (
        'PROJCS["VN_2000_PhuTho",GEOGCS["GCS_VN_2000",DATUM["D_Local_VN_2000",SPHEROID["WGS_1984",6378137.0,298.257223563]],'
        'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],'
        'PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",104.75],'
        'PARAMETER["Scale_Factor",0.9999],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
    )
    assert with_datum_shift(pyproj.CRS(esri)).to_epsg() == 9208
    assert with_datum_shift(pyproj.CRS.from_epsg(32648)).to_epsg() == 32648
    x, y = lonlat_to_vn2000(105.4, 21.3, "Phú Thọ")
    frame = gpd.GeoDataFrame({"v": [1]}, geometry=[shapely.Point(float(x), float(y))], crs=32648)
    frame.to_file(tmp_path / "a.shp")
    (tmp_path / "a.prj").write_text(esri)
    point = read_vector(tmp_path / "a.shp").geometry[0]
    assert (point.x, point.y) == (pytest.approx(105.4, abs=1e-6), pytest.approx(21.3, abs=1e-6))
