"""Radio climate where a link is: refractivity, rain rate and the multipath parameters, from maps the user names.

Without maps the planning values of `rfplan.constants` for northern Vietnam apply, as the models' own defaults.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rfplan.constants import NORTHERN_VIETNAM_DELTA_N, NORTHERN_VIETNAM_N0
from rfplan.errors import InputFileError, ParameterError
from rfplan.io.radio_maps import GlobalGrid, read_radio_map
from rfplan.propagation.base import require_choice

FloatArray = npt.NDArray[np.float64]

__all__ = ["MAP_FILES", "RadioClimate", "open_radio_climate"]

MAP_FILES: dict[str, tuple[str, ...]] = {
    "delta_n": ("DN50.TXT", "DN_Median.txt"),
    "n0": ("N050.TXT",),
    "lg_geoclimatic_factor": ("LogK.csv",),
    "dn75": ("dN75.csv",),
    "rain_rate_mm_h": ("R001.TXT",),
}
"""Quantity → names of the ITU-R file that holds it: P.452/P.1812, P.530-18 and P.837-7."""

_DEFAULTS = {"delta_n": NORTHERN_VIETNAM_DELTA_N, "n0": NORTHERN_VIETNAM_N0}


@lru_cache(maxsize=16)
def _read(path: str, modified_ns: int) -> GlobalGrid:
    return read_radio_map(path)


@dataclass(frozen=True)
class RadioClimate:
    """Maps of radio-climatic quantities, read when first asked for.

    Parameters
    ----------
    maps
        Quantity (a key of `MAP_FILES`) → file. Quantities without a map take the documented planning value for
        northern Vietnam where there is one (``delta_n``, ``n0``).
    """

    maps: Mapping[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for quantity in self.maps:
            require_choice("quantity", quantity, MAP_FILES)

    def value(self, quantity: str, lon_deg: npt.ArrayLike, lat_deg: npt.ArrayLike) -> FloatArray:
        """A quantity at positions.

        Parameters
        ----------
        quantity
            A key of `MAP_FILES`: "delta_n" (N-units/km), "n0" (N-units), "lg_geoclimatic_factor", "dn75" (N-units) or
            "rain_rate_mm_h" (exceeded 0.01 % of the year).
        lon_deg, lat_deg
            Longitude and latitude, degrees.

        Returns
        -------
        ndarray
            Values in the shape of the positions.

        Raises
        ------
        ParameterError
            When the quantity is unknown, or has neither a map nor a default.
        InputFileError
            When its map cannot be read.
        """
        require_choice("quantity", quantity, MAP_FILES)
        path = self.maps.get(quantity)
        if path is not None:
            if not Path(path).is_file():
                raise InputFileError(f"{path}: the map of {quantity} is gone; name the folder again")
            return _read(str(path), Path(path).stat().st_mtime_ns).at(lon_deg, lat_deg)
        if quantity not in _DEFAULTS:
            raise ParameterError(
                f"{quantity} has no map and no default; put {' or '.join(MAP_FILES[quantity])} into the maps' folder, "
                "or pass the number itself"
            )
        shape = np.broadcast_shapes(np.shape(lon_deg), np.shape(lat_deg))
        return np.full(shape, _DEFAULTS[quantity])

    def refractivity(self, lon_deg: float, lat_deg: float) -> dict[str, float]:
        """``delta_n`` and ``n0`` at a position, by the names P1812 and P452 call them.

        Use it as ``P1812(**climate.refractivity(lon, lat))``.
        """
        return {name: float(self.value(name, lon_deg, lat_deg)) for name in ("delta_n", "n0")}

    def multipath(self, lon_deg: float, lat_deg: float) -> dict[str, float]:
        """``geoclimatic_factor`` and ``dn75`` at a position, as `multipath_occurrence_percent` takes them."""
        return {
            "geoclimatic_factor": float(10.0 ** self.value("lg_geoclimatic_factor", lon_deg, lat_deg)),
            "dn75": float(self.value("dn75", lon_deg, lat_deg)),
        }


def open_radio_climate(
    folder: str | os.PathLike[str] | None = None, *, rasters: Mapping[str, str | os.PathLike[str]] | None = None
) -> RadioClimate:
    """Radio climate from a folder of ITU-R maps, from rasters, or from the documented defaults.

    Parameters
    ----------
    folder
        Folder that holds any of the files of `MAP_FILES` (letter case does not matter, subfolders are searched);
        None uses no maps.
    rasters
        Quantity → file of your own, ITU-R text or GeoTIFF in EPSG:4326; it wins over the folder.

    Returns
    -------
    RadioClimate

    Raises
    ------
    InputFileError
        When the folder is missing or holds none of the maps, or a raster is missing.
    """
    maps: dict[str, Path] = {}
    if folder is not None:
        root = Path(folder)
        if not root.is_dir():
            raise InputFileError(f"{root}: there is no such folder; name the one that holds the ITU-R maps")
        found = {path.name.lower(): path for path in sorted(root.rglob("*")) if path.is_file()}
        for quantity, names in MAP_FILES.items():
            for name in names:
                if name.lower() in found:
                    maps.setdefault(quantity, found[name.lower()])
        if not maps:
            wanted = ", ".join(name for names in MAP_FILES.values() for name in names)
            raise InputFileError(f"{root}: holds none of the ITU-R maps {wanted}")
    for quantity, path in (rasters or {}).items():
        require_choice("quantity", quantity, MAP_FILES)
        if not Path(path).is_file():
            raise InputFileError(f"{path}: there is no such map of {quantity}")
        maps[quantity] = Path(path)
    return RadioClimate(maps)
