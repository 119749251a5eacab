from __future__ import annotations

import numpy as np
import pytest

from rfplan.clutter import CLUTTER_CLASSES, Clutter, ClutterTable, class_heights_m, translate_classes
from rfplan.clutter_tables import CLUTTER_TABLES, OSM_CLASSES, find_table
from rfplan.errors import InputFileError, ParameterError


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
