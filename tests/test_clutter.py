from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from rfplan.clutter import CLUTTER_CLASSES, Clutter, ClutterTable, class_heights_m, translate_classes
from rfplan.clutter_tables import CLUTTER_TABLES, OSM_CLASSES, find_table
from rfplan.errors import InputFileError, ParameterError
from rfplan.terrain import Terrain, with_osm_clutter


def test_heights_of_p1812_table_2() -> None:
    assert class_heights_m().tolist() == [10, 0, 0, 10, 15, 20]
    assert class_heights_m(7)[0] == 7
    assert [c.code for c in CLUTTER_CLASSES] == list(Clutter)


@pytest.mark.parametrize("name", CLUTTER_TABLES)
def test_tables_lead_to_classes_and_know_water(name: str) -> None:
    table = CLUTTER_TABLES[name]
    assert set(table.codes.values()) <= set(Clutter)
    assert {Clutter.WATER, Clutter.OPEN, Clutter.URBAN, Clutter.SUBURBAN} <= set(table.codes.values())
    assert all(isinstance(code, int) for code in table.codes)


def test_translation_by_the_legend() -> None:
    codes = np.array([[10, 50, 80], [40, 0, 95]])
    assert translate_classes(codes, find_table("worldcover"), "x").tolist() == [[4, 3, 1], [2, 0, 4]]
    assert translate_classes(np.array([[3]]), find_table({3: 5}), "x").tolist() == [[5]]
    with pytest.raises(InputFileError, match=r"codes \[7\]"):
        translate_classes(np.array([[7]]), find_table("worldcover"), "x")


def test_tables_that_make_no_sense() -> None:
    with pytest.raises(ParameterError, match="clutter_table is 'nope'"):
        find_table("nope")
    with pytest.raises(ParameterError, match="do not exist"):
        ClutterTable({1: 9})
    with pytest.raises(ParameterError, match="0 to 100"):
        ClutterTable({1: 1}, heights_m={1: -1})
    assert OSM_CLASSES["landuse", "residential"] is Clutter.SUBURBAN


def test_osm_areas_are_laid_over(tmp_path: Path) -> None:
    terrain = Terrain.from_arrays(np.zeros((10, 10)), x0_m=5e5, y0_m=2.4e6, resolution_m=100, crs="EPSG:32648")
    wood = shapely.box(5e5, 2.399e6, 5.005e5, 2.4e6)
    pond = shapely.box(5.001e5, 2.3995e6, 5.002e5, 2.3996e6)
    tags = {"landuse": [None, None, "unheard_of"], "natural": ["water", "wood", None]}
    other = shapely.box(5.006e5, 2.399e6, 5.01e5, 2.4e6)
    frame = gpd.GeoDataFrame(tags, geometry=[pond, wood, other], crs=32648)
    frame.to_crs(4326).to_file(tmp_path / "osm.geojson")
    out = with_osm_clutter(terrain, tmp_path / "osm.geojson")
    assert out.clutter_class[4].tolist() == [4, 1, 4, 4, 4, 0, 0, 0, 0, 0]
    assert out.clutter_height_m[4].tolist() == [15, 0, 15, 15, 15, 10, 10, 10, 10, 10]
    assert "OpenStreetMap" in out.attrs["clutter_source"]
    frame.iloc[2:].to_crs(4326).to_file(tmp_path / "none.geojson")
    with pytest.raises(InputFileError, match="known tag"):
        with_osm_clutter(terrain, tmp_path / "none.geojson")
