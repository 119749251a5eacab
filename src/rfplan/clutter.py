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

A map of ground cover in another legend is translated by a table of `rfplan.clutter_tables` or by one given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
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
    """One class of the table, and what other methods call it.

    Parameters
    ----------
    code : Clutter
    name : str
    height_m : float or None
        Representative height, m (P.1812-8 Table 2); None: the stated default.
    p452_height_m, p452_distance_km : float or None
        Nominal clutter height and distance of P.452-17 Table 4 (P.452-18 uses representative heights instead); None
        where that table adds nothing.
    tr38901_scenario : str
        Scenario of 3GPP TR 38.901 that fits.
    building_type : {"traditional", "thermally-efficient"}
        Building type of P.2109 for loss into buildings.
    indoor_loss_db : float
        Median loss into a building at 1.8 GHz by P.2109, dB, rounded.
    clutter_loss_db : float
        Added by models with one offset a class (SPM's K_clutter); 0 until calibrated.
    """

    code: Clutter
    name: str
    height_m: float | None
    p452_height_m: float | None = None
    p452_distance_km: float | None = None
    tr38901_scenario: str = "RMa"
    building_type: str = "traditional"
    indoor_loss_db: float = 14.8
    clutter_loss_db: float = 0.0


CLUTTER_CLASSES: Final = (
    ClutterClass(Clutter.UNSPECIFIED, "unspecified", None),
    ClutterClass(Clutter.WATER, "water", 0.0),
    ClutterClass(Clutter.OPEN, "open", 0.0),
    ClutterClass(Clutter.SUBURBAN, "suburban", 10.0, 9.0, 0.025, "UMa"),
    ClutterClass(Clutter.URBAN, "urban/forest", 15.0, 15.0, 0.05, "UMa"),
    ClutterClass(Clutter.DENSE_URBAN, "dense urban", 20.0, 25.0, 0.02, "UMi", "thermally-efficient", 30.6),
)


@dataclass(frozen=True)
class ClutterTable:
    """How the codes of a ground-cover raster become classes.

    Parameters
    ----------
    codes : mapping of int to int
        Code in the raster → class (0-5).
    heights_m : mapping of int to float
        Class → height that replaces the representative one, m, 0 to 100.
    name : str
        Named in ``attrs["clutter_source"]``.
    """

    codes: Mapping[int, int]
    heights_m: Mapping[int, float] = field(default_factory=dict)
    name: str = "given table"

    def __post_init__(self) -> None:
        wrong = {code: cls for code, cls in self.codes.items() if cls not in set(Clutter)}
        wrong |= {cls: cls for cls in self.heights_m if cls not in set(Clutter)}
        if wrong:
            raise ParameterError(f"clutter_table leads to classes that do not exist: {wrong}; allowed are 0 to 5")
        for cls, height in self.heights_m.items():
            _check_height(f"height of clutter class {cls}", height)

    def class_heights_m(self, default_height_m: float = DEFAULT_CLUTTER_HEIGHT_M) -> npt.NDArray[np.float32]:
        """Heights of all classes, m, with this table's own ones in place."""
        heights = class_heights_m(default_height_m)
        for cls, height in self.heights_m.items():
            heights[cls] = height
        return heights


def _check_height(name: str, height_m: float) -> None:
    if not 0.0 <= height_m <= 100.0:
        raise ParameterError(f"{name} is {height_m}; allowed are 0 to 100 m")


def class_heights_m(default_height_m: float = DEFAULT_CLUTTER_HEIGHT_M) -> npt.NDArray[np.float32]:
    """Return the representative height of each class, m, indexed by class code.

    Raises
    ------
    ParameterError
        If the default height is not within 0 to 100 m.
    """
    _check_height("default_clutter_height_m", default_height_m)
    heights = [default_height_m if c.height_m is None else c.height_m for c in CLUTTER_CLASSES]
    return np.array(heights, dtype=np.float32)


def translate_classes(codes: npt.NDArray[Any], table: ClutterTable, source: str) -> npt.NDArray[np.uint8]:
    """Translate the codes of a ground-cover raster to rfplan classes.

    Parameters
    ----------
    codes : ndarray of int
        Codes in the raster.
    table : ClutterTable
    source : str
        File named in messages.

    Returns
    -------
    ndarray of uint8, same shape

    Raises
    ------
    InputFileError
        If the raster holds codes the table does not know.
    """
    present, inverse = np.unique(codes, return_inverse=True)
    unknown = [int(code) for code in present if int(code) not in table.codes]
    if unknown:
        raise InputFileError(
            f"{source} holds ground-cover codes {unknown[:10]} that the table {table.name!r} does not know "
            f"(it knows {sorted(table.codes)[:20]}); choose another clutter_table or give a mapping of every code"
        )
    classes = np.array([int(table.codes[int(code)]) for code in present], dtype=np.uint8)
    return classes[inverse].reshape(codes.shape)
