"""Clutter classes: what stands on the ground, and how high, as the path models see it.

Heights are the representative clutter heights of Recommendation ITU-R P.1812-8, Table 2:

===== ============== ======== ==================================================
class name           height   stands for
===== ============== ======== ==================================================
0     unspecified    default  nothing is known; the stated default height (10 m)
1     water          0 m      sea, lakes, rivers
2     open           0 m      open land, rural, crops, bare ground
3     suburban       10 m     suburbs, villages with gardens
4     urban/forest   15 m     towns; trees and forest
5     dense urban    20 m     blocks of flats, city centres
===== ============== ======== ==================================================

A map of ground cover in another legend is translated by a table of `CLUTTER_TABLES` or by one given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rfplan.errors import InputFileError, ParameterError

DEFAULT_CLUTTER_HEIGHT_M: Final = 10.0
"""Height taken where nothing is known about the ground cover, m.

One representative height of 10 m removes most of the 30 dB by which bare-earth predictions for ground-level devices
are optimistic at 868-1860 MHz; 5, 10, 15 and 20 m move the loss by about 8, 8, 7 and 3 dB each.
"""


class Clutter(IntEnum):
    """Clutter classes of rfplan."""

    UNSPECIFIED = 0
    WATER = 1
    OPEN = 2
    SUBURBAN = 3
    URBAN = 4
    DENSE_URBAN = 5


@dataclass(frozen=True)
class ClutterClass:
    """One class of the table.

    Parameters
    ----------
    code : Clutter
    name : str
    height_m : float or None
        Representative height, m (P.1812-8 Table 2); None: the stated default.
    """

    code: Clutter
    name: str
    height_m: float | None


CLUTTER_CLASSES: Final = (
    ClutterClass(Clutter.UNSPECIFIED, "unspecified", None),
    ClutterClass(Clutter.WATER, "water", 0.0),
    ClutterClass(Clutter.OPEN, "open", 0.0),
    ClutterClass(Clutter.SUBURBAN, "suburban", 10.0),
    ClutterClass(Clutter.URBAN, "urban/forest", 15.0),
    ClutterClass(Clutter.DENSE_URBAN, "dense urban", 20.0),
)

CLUTTER_TABLES: Final[Mapping[str, Mapping[int, Clutter]]] = MappingProxyType(
    {
        "rfplan": MappingProxyType({int(c.code): c.code for c in CLUTTER_CLASSES}),
        # ESA WorldCover v100/v200 legend
        "worldcover": MappingProxyType(
            {
                0: Clutter.UNSPECIFIED,
                10: Clutter.URBAN,  # tree cover
                20: Clutter.OPEN,  # shrubland
                30: Clutter.OPEN,  # grassland
                40: Clutter.OPEN,  # cropland
                50: Clutter.SUBURBAN,  # built-up, density not told
                60: Clutter.OPEN,  # bare, sparse
                70: Clutter.OPEN,  # snow, ice
                80: Clutter.WATER,
                90: Clutter.OPEN,  # herbaceous wetland
                95: Clutter.URBAN,  # mangroves
                100: Clutter.OPEN,  # moss, lichen
            }
        ),
    }
)
"""Named tables: code in the raster → class."""


def class_heights_m(default_height_m: float = DEFAULT_CLUTTER_HEIGHT_M) -> npt.NDArray[np.float32]:
    """Return the representative height of each class, m, indexed by class code.

    Raises
    ------
    ParameterError
        If the default height is not within 0 to 100 m.
    """
    if not 0.0 <= default_height_m <= 100.0:
        raise ParameterError(f"default_clutter_height_m is {default_height_m}; allowed are 0 to 100 m")
    heights = [default_height_m if c.height_m is None else c.height_m for c in CLUTTER_CLASSES]
    return np.array(heights, dtype=np.float32)


def translate_classes(codes: npt.NDArray[Any], table: str | Mapping[int, int], source: str) -> npt.NDArray[np.uint8]:
    """Translate the codes of a ground-cover raster to rfplan classes.

    Parameters
    ----------
    codes : ndarray of int
        Codes in the raster.
    table : str or mapping of int to int
        A name in `CLUTTER_TABLES`, or code → class (0-5).
    source : str
        File named in messages.

    Returns
    -------
    ndarray of uint8, same shape

    Raises
    ------
    ParameterError
        If the table is unknown or leads to a class that does not exist.
    InputFileError
        If the raster holds codes the table does not know.
    """
    if isinstance(table, str):
        if table not in CLUTTER_TABLES:
            raise ParameterError(
                f"clutter_table is {table!r}; allowed are {', '.join(sorted(CLUTTER_TABLES))} or a mapping"
            )
        mapping: Mapping[int, int] = CLUTTER_TABLES[table]
    else:
        mapping = table
    wrong = {code: cls for code, cls in mapping.items() if cls not in set(Clutter)}
    if wrong:
        raise ParameterError(f"clutter_table leads to classes that do not exist: {wrong}; allowed are 0 to 5")
    present, inverse = np.unique(codes, return_inverse=True)
    unknown = [int(code) for code in present if int(code) not in mapping]
    if unknown:
        raise InputFileError(
            f"{source} holds ground-cover codes {unknown[:10]} that the table {sorted(mapping)[:20]} does not know; "
            f"choose clutter_table among {', '.join(sorted(CLUTTER_TABLES))} or give a mapping of every code"
        )
    classes = np.array([int(mapping[int(code)]) for code in present], dtype=np.uint8)
    return classes[inverse].reshape(codes.shape)
