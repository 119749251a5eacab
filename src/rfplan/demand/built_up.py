"""Clutter derived from where people live."""

from __future__ import annotations

import math
import warnings

from rfplan.clutter import Clutter, class_heights_m
from rfplan.demand.grid import Demand, DemandGrid
from rfplan.errors import DataWarning, ParameterError
from rfplan.terrain import Terrain

CLUTTER_DENSITIES_KM2 = (300.0, 3_000.0, 10_000.0)
"""People per km² from which ground counts as suburban, urban and dense urban in `derive_clutter`.

300 is the density of an urban cluster in the degree of urbanisation of the United Nations and Eurostat; 3,000 and
10,000 are rfplan's planning choices for towns and for blocks of flats.
"""


def derive_clutter(
    terrain: Terrain,
    demand: Demand | DemandGrid,
    *,
    densities_km2: tuple[float, float, float] = CLUTTER_DENSITIES_KM2,
) -> Terrain:
    """Derive built-up clutter from population density where nothing better is known.

    Pixels of class "unspecified" with at least `densities_km2` people per km² become suburban (10 m), urban (15 m) and
    dense urban (20 m); elsewhere the default height stays. Water and open land cannot be told from people, so none is
    derived. Classes from a ground-cover raster, and a terrain opened as bare earth, are left as they are.

    Parameters
    ----------
    terrain : Terrain
    demand : Demand or DemandGrid
    densities_km2 : three floats, increasing
        Thresholds, people per km².

    Returns
    -------
    Terrain
        ``attrs["clutter_source"]`` says that clutter is derived, and how.

    Raises
    ------
    ParameterError
        If the thresholds do not increase from above 0.
    """
    low, middle, high = densities_km2
    if not 0 < low < middle < high < math.inf:
        raise ParameterError(f"densities_km2 is {densities_km2}; give three increasing positive numbers")
    if terrain.attrs.get("surface") == "dsm":
        warnings.warn(
            DataWarning(
                "the terrain is a surface model (DSM): trees and roofs are in its heights, so no clutter is derived"
            ),
            stacklevel=2,
        )
        return terrain
    grid = demand.on_grid(terrain) if isinstance(demand, Demand) else demand
    density = grid.population / grid.pixel_area_km2
    open_to_change = terrain.clutter_class == Clutter.UNSPECIFIED
    classes, heights = terrain.clutter_class.copy(), terrain.clutter_height_m.copy()
    table = class_heights_m()
    for cls, threshold in zip((Clutter.SUBURBAN, Clutter.URBAN, Clutter.DENSE_URBAN), densities_km2, strict=True):
        chosen = open_to_change & (density >= threshold)
        classes[chosen], heights[chosen] = int(cls), table[cls]
    source = (
        f"derived from population density: suburban from {low:g}, urban from {middle:g}, dense urban from {high:g} "
        f"people per km2; elsewhere {terrain.attrs.get('clutter_source', 'as before')}"
    )
    return terrain.with_clutter(classes, heights, source)
