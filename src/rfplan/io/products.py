"""What well-known elevation and land-cover products document but their files do not say."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Surface = Literal["dtm", "dsm"]


@dataclass(frozen=True)
class Product:
    """A product known by the names of its files.

    Parameters
    ----------
    name : str
    pattern : str
        Regular expression on the file name.
    surface : {"dtm", "dsm"}
        Heights of the ground, or of the top of trees and buildings.
    vertical_datum : str
    nodata : "none", float or None
        Used where a file declares no value: ``"none"`` if the product has no gaps.
    """

    name: str
    pattern: str
    surface: Surface = "dtm"
    vertical_datum: str = "not stated"
    nodata: float | Literal["none"] | None = None


PRODUCTS: Final = (
    Product("Copernicus DEM", r"^Copernicus_DSM_.*\.tif$", "dsm", "EGM2008", "none"),
    Product("AW3D30", r"_AVE_DSM\.tif$|^ALPSMLC30_.*_DSM\.tif$", "dsm", "EGM96", -9999.0),
    Product("FABDEM", r"_FABDEM_.*\.tif$", "dtm", "EGM2008", -9999.0),
    Product("SRTM", r"\.hgt(\.zip)?$", "dtm", "EGM96", -32768.0),
    Product("ESA WorldCover", r"^ESA_WorldCover_10m_.*\.tif$", nodata=0.0),
)
"""SRTM's radar saw into the canopy part of the way; it is taken for a terrain model here, as usual."""

UNKNOWN: Final = Product("unknown", r"$^")


def product_of(path: str | os.PathLike[str]) -> Product:
    """Return the product a file belongs to by its name, else `UNKNOWN`."""
    name = Path(path).name
    return next((p for p in PRODUCTS if re.search(p.pattern, name, re.IGNORECASE)), UNKNOWN)
