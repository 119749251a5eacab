"""Legends of ground-cover maps, translated to rfplan's clutter classes.

Rasters name a class by a number, OpenStreetMap by a tag. Built-up land whose density the map does not tell is suburban;
every kind of forest, orchard and plantation is the class of trees. A table can be given or overridden by the user.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from rfplan.clutter import Clutter, ClutterTable
from rfplan.errors import ParameterError

NONE, WATER, OPEN = Clutter.UNSPECIFIED, Clutter.WATER, Clutter.OPEN
SUBURBAN, TREES, DENSE = Clutter.SUBURBAN, Clutter.URBAN, Clutter.DENSE_URBAN
URBAN = TREES


def _table(name: str, groups: Mapping[Clutter, Iterable[int]]) -> ClutterTable:
    codes = {code: cls for cls, members in groups.items() for code in members}
    return ClutterTable(MappingProxyType(codes), name=name)


CLUTTER_TABLES: Final[Mapping[str, ClutterTable]] = MappingProxyType(
    {
        table.name: table
        for table in (
            _table("rfplan", {cls: [int(cls)] for cls in Clutter}),
            # ESA WorldCover v100 and v200, 10 m
            _table(
                "worldcover",
                {NONE: [0], TREES: [10, 95], OPEN: [20, 30, 40, 60, 70, 90, 100], SUBURBAN: [50], WATER: [80]},
            ),
            # Copernicus Global Land Service LC100 v3, discrete classification, 100 m
            _table(
                "cgls-lc100",
                {
                    NONE: [0],
                    OPEN: [20, 30, 40, 60, 70, 90, 100],
                    SUBURBAN: [50],
                    WATER: [80, 200],
                    TREES: [*range(111, 117), *range(121, 127)],
                },
            ),
            # GLC_FCS30 and its dynamic successor GLC_FCS30D, 30 m
            _table(
                "glc-fcs30",
                {
                    NONE: [0, 250],
                    OPEN: [
                        *(10, 11, 20, 120, 121, 122, 130, 140, 150, 151, 152, 153, 180, 182, 183, 184, 186, 187),
                        *(200, 201, 202, 220),
                    ],
                    TREES: [12, 51, 52, 61, 62, 71, 72, 81, 82, 91, 92, 181, 185],
                    SUBURBAN: [190],
                    WATER: [210],
                },
            ),
            # GlobeLand30, 30 m
            _table(
                "globeland30",
                {NONE: [0, 255], OPEN: [10, 30, 40, 50, 70, 90, 100], TREES: [20], SUBURBAN: [80], WATER: [60]},
            ),
            # Impact Observatory / Esri annual land cover, 10 m
            _table(
                "esri-lulc",
                {NONE: [0, 10], WATER: [1], TREES: [2], OPEN: [4, 5, 8, 9, 11], SUBURBAN: [7]},
            ),
            # MODIS MCD12Q1, IGBP legend, 500 m
            _table(
                "modis-igbp",
                {
                    NONE: [0, 255],
                    TREES: [1, 2, 3, 4, 5, 8],
                    OPEN: [6, 7, 9, 10, 11, 12, 14, 15, 16],
                    SUBURBAN: [13],
                    WATER: [17],
                },
            ),
        )
    }
)
"""Named tables: code in the raster → class."""

OSM_CLASSES: Final[Mapping[tuple[str, str], Clutter]] = MappingProxyType(
    {
        **{("landuse", v): SUBURBAN for v in ("residential", "village_green", "garages", "allotments", "education")},
        **{("landuse", v): URBAN for v in ("commercial", "industrial", "retail", "institutional", "port")},
        **{("landuse", v): TREES for v in ("forest", "orchard", "plantation")},
        **{
            ("landuse", v): OPEN for v in ("farmland", "meadow", "grass", "cemetery", "quarry", "brownfield", "railway")
        },
        **{
            ("landuse", v): OPEN for v in ("greenfield", "landfill", "construction", "military", "farmyard", "vineyard")
        },
        **{("landuse", v): WATER for v in ("reservoir", "basin", "aquaculture", "salt_pond")},
        **{("natural", v): TREES for v in ("wood", "tree_row")},
        **{
            ("natural", v): OPEN
            for v in ("grassland", "heath", "scrub", "bare_rock", "sand", "scree", "beach", "wetland")
        },
        ("natural", "water"): WATER,
        ("waterway", "riverbank"): WATER,
        ("landcover", "trees"): TREES,
        ("place", "neighbourhood"): SUBURBAN,
    }
)
"""(key, value) of an OpenStreetMap area → class; tags that are not here say nothing."""


def find_table(table: str | Mapping[int, int] | ClutterTable) -> ClutterTable:
    """Return the table meant by a name, a mapping of codes to classes, or a table itself.

    Raises
    ------
    ParameterError
        If there is no table of this name.
    """
    if isinstance(table, ClutterTable):
        return table
    if not isinstance(table, str):
        return ClutterTable(dict(table), name="given mapping")
    if table not in CLUTTER_TABLES:
        raise ParameterError(
            f"clutter_table is {table!r}; allowed are {', '.join(sorted(CLUTTER_TABLES))}, a mapping of codes to "
            "classes or a ClutterTable"
        )
    return CLUTTER_TABLES[table]
