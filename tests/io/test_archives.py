from __future__ import annotations

import stat
import struct
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from rfplan.errors import InputFileError
from rfplan.io.archives import unpacked
from rfplan.io.raster import read_raster
from rfplan.io.vector import read_vector
from rfplan.terrain import open_terrain


def pack(path: Path, members: dict[str, bytes], **fields: int) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            for key, value in fields.items():
                setattr(info, key, value)
            archive.writestr(info, content)
    return path


@pytest.mark.parametrize("name", ["../a.kml", "/etc/a.kml", "x/../../a.kml", "C:/a.kml", "..\\a.kml"])
def test_members_that_leave_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    path = pack(tmp_path / "in" / "a.kmz", {name: b"<kml/>"})
    with pytest.raises(InputFileError, match="outside the folder"):
        read_vector(path)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.kmz", "in"]


def test_links_bombs_and_crowds(tmp_path: Path) -> None:
    link = pack(tmp_path / "l.zip", {"a.shp": b"/etc/passwd"}, external_attr=(stat.S_IFLNK | 0o777) << 16)
    with pytest.raises(InputFileError, match="is a link"):
        read_vector(link)
    bomb = pack(tmp_path / "b.zip", {"N21E105.hgt": bytes(40_000_000)})
    with pytest.raises(InputFileError, match="times the packed size"):
        read_raster(bomb)
    crowd = pack(tmp_path / "c.zip", {f"{i}.shp": b"" for i in range(2001)})
    with pytest.raises(InputFileError, match="members"):
        read_vector(crowd)


def test_entry_that_lies_about_its_size(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"a.geojson": np.random.default_rng(1).bytes(5_000)})
    raw = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        start = raw.index(signature)
        raw[start + offset : start + offset + 4] = struct.pack("<I", 10)
    path.write_bytes(raw)
    with pytest.raises(InputFileError), unpacked(path, (".geojson",)):
        pass


@pytest.mark.parametrize("content", [b"PK", b"PK\3\4" + bytes(60), b"not a zip"])
def test_damaged_archives(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    with pytest.raises(InputFileError):
        read_vector(path)
    with pytest.raises(InputFileError):
        read_raster(path)


def test_zipped_hgt_and_shapefile_are_read(tmp_path: Path) -> None:
    values = (np.random.default_rng(2).random((1201, 1201)) * 5 + 50).astype(">i2")
    path = pack(tmp_path / "N21E105.SRTMGL3.hgt.zip", {"N21E105.hgt": values.tobytes()})
    terrain = open_terrain(path, resolution_m=1000)
    assert terrain.attrs["vertical_datum"] == "EGM96"
    assert 50 <= np.nanmean(terrain.elevation_amsl_m) <= 55
    frame = gpd.GeoDataFrame({"v": [1]}, geometry=[shapely.Point(105, 21)], crs=4326)
    frame.to_file(tmp_path / "s.shp")
    parts = {f"folder/s{x}": (tmp_path / f"s{x}").read_bytes() for x in (".shp", ".shx", ".dbf", ".prj")}
    assert len(read_vector(pack(tmp_path / "s.zip", parts))) == 1
    two = pack(tmp_path / "t.zip", {"a.geojson": b"{}", "b.geojson": b"{}"})
    with pytest.raises(InputFileError, match="2 vector files"):
        read_vector(two)


def test_geoparquet(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"v": [1]}, geometry=[shapely.Point(5e5, 2.3e6)], crs=32648)
    frame.to_parquet(tmp_path / "a.parquet")
    assert read_vector(tmp_path / "a.parquet").crs == "EPSG:4326"
    (tmp_path / "b.parquet").write_bytes(b"PAR1" + bytes(30))
    with pytest.raises(InputFileError, match="GeoParquet"):
        read_vector(tmp_path / "b.parquet")
