"""Damaged and hostile files: a clear refusal or a result, never another exception or a file outside the folder."""

from __future__ import annotations

import contextlib
import io
import json
import os
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import HealthCheck, given, settings, strategies as st

from rfplan.demand import open_demand
from rfplan.errors import RfplanError, RfplanWarning
from rfplan.io.raster import RasterFile
from rfplan.io.tables import read_table, to_float
from rfplan.io.vector import read_vector
from rfplan.terrain import open_terrain

EXAMPLES = int(os.environ.get("RFPLAN_FUZZ_EXAMPLES", "25"))
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="RFPLAN_FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
Damage = list[tuple[int, int]]
DAMAGE = st.tuples(
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=12), st.integers(0, 5000), st.booleans()
)


def damaged(content: bytes, damage: tuple[Damage, int, bool]) -> bytes:
    changes, cut, cutting = damage
    out = bytearray(content)
    for position, value in changes:
        out[position % len(out)] = value
    return bytes(out[: cut % len(out)] if cutting else out)


def survives(folder: Path, name: str, content: bytes, read: Callable[[Path], Any]) -> None:
    path = folder / "in" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RfplanWarning)
        with contextlib.suppress(RfplanError):
            read(path)
    for left in path.parent.iterdir():
        left.unlink()
    assert [p.name for p in folder.iterdir()] == ["in"]


def small_tiff(**profile: Any) -> bytes:
    values = (np.arange(400).reshape(20, 20) % 97).astype("int16")
    options = {"driver": "GTiff", "width": 20, "height": 20, "count": 1, "dtype": "int16", "nodata": -1} | profile
    with rasterio.MemoryFile() as memory:
        with memory.open(crs="EPSG:32648", transform=Affine(90, 0, 5e5, 0, -90, 2.4e6), **options) as dataset:
            dataset.write(values, 1)
        return bytes(memory.read())


PLAIN, PACKED = small_tiff(), small_tiff(compress="deflate", tiled=True, blockxsize=16, blockysize=16)
ASC = (
    b"ncols 4\nnrows 3\nxllcorner 500000\nyllcorner 2400000\ncellsize 90\nNODATA_value -9999\n"
    b"1 2 3 4\n5 6 7 8\n9 10 11 12\n"
)
RING = [[105.0, 21.0], [105.1, 21.0], [105.1, 21.1], [105.0, 21.0]]
FEATURE = {"type": "Feature", "properties": {"code": "1", "name": "a", "population": 12, "area_km2": 60.0},
           "geometry": {"type": "Polygon", "coordinates": [RING]}}  # fmt: skip
GEOJSON = json.dumps({"type": "FeatureCollection", "features": [FEATURE]}).encode()
KML = (
    b'<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>a</name><Point>'
    b"<coordinates>105,21</coordinates></Point></Placemark></Document></kml>"
)


def kmz() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("doc.kml", KML)
    return buffer.getvalue()


def terrain_of(path: Path) -> Any:
    return open_terrain(RasterFile(path, crs="EPSG:32648"), crs="EPSG:32648", resolution_m=90)


@FUZZ
@given(damage=DAMAGE, base=st.sampled_from([PLAIN, PACKED]))
def test_tiff(tmp_path: Path, damage: tuple[Damage, int, bool], base: bytes) -> None:
    survives(tmp_path, "a.tif", damaged(base, damage), terrain_of)


@FUZZ
@given(header=st.binary(max_size=200))
def test_tiff_of_any_header(tmp_path: Path, header: bytes) -> None:
    survives(tmp_path, "a.tif", b"II*\0" + header, terrain_of)


@FUZZ
@given(damage=DAMAGE)
def test_ascii_grid(tmp_path: Path, damage: tuple[Damage, int, bool]) -> None:
    survives(tmp_path, "a.asc", damaged(ASC, damage), terrain_of)


@FUZZ
@given(size=st.integers(0, 3_000_000))
def test_hgt_of_any_length(tmp_path: Path, size: int) -> None:
    survives(tmp_path, "N21E105.hgt", bytes(size), open_terrain)


@FUZZ
@given(damage=DAMAGE)
def test_geojson(tmp_path: Path, damage: tuple[Damage, int, bool]) -> None:
    survives(tmp_path, "a.geojson", damaged(GEOJSON, damage), lambda path: open_demand(communes=path))


@FUZZ
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    )
)
def test_geojson_of_any_shape(tmp_path: Path, value: Any) -> None:
    geometry = {"type": "Polygon", "coordinates": value}
    feature = {"type": "Feature", "properties": {"population": value, "code": value}, "geometry": geometry}
    content = json.dumps({"type": "FeatureCollection", "features": [feature, FEATURE]}).encode()
    survives(tmp_path, "a.geojson", content, lambda path: open_demand(communes=path))


@FUZZ
@given(damage=DAMAGE)
def test_kmz(tmp_path: Path, damage: tuple[Damage, int, bool]) -> None:
    survives(tmp_path, "a.kmz", damaged(kmz(), damage), read_vector)


@FUZZ
@given(content=st.binary(max_size=400) | st.text(max_size=300).map(str.encode))
def test_table_of_any_bytes(tmp_path: Path, content: bytes) -> None:
    def read(path: Path) -> None:
        table = read_table(path)
        for name in table.columns:
            to_float(table[name], name)

    survives(tmp_path, "a.csv", content, read)


@pytest.mark.parametrize("depth", [1_000, 200_000])
def test_deeply_nested_json(tmp_path: Path, depth: int) -> None:
    content = b'{"type":"FeatureCollection","features":' + b"[" * depth + b"]" * depth + b"}"
    survives(tmp_path, "a.geojson", content, read_vector)


def test_expanding_entities_in_kml(tmp_path: Path) -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE k [<!ENTITY a "aaaaaaaaaa">'
    for i in range(1, 10):
        previous = "a" if i == 1 else f"a{i - 1}"
        bomb += f'<!ENTITY a{i} "{f"&{previous};" * 10}">'.encode()
    bomb += b"]><kml xmlns='http://www.opengis.net/kml/2.2'><Document><Placemark><name>&a9;</name></Placemark></Document></kml>"
    survives(tmp_path, "a.kml", bomb, read_vector)
