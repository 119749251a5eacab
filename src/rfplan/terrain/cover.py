"""Ground cover from OpenStreetMap areas."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np

from rfplan.clutter import DEFAULT_CLUTTER_HEIGHT_M, class_heights_m
from rfplan.clutter_tables import OSM_CLASSES
from rfplan.errors import InputFileError
from rfplan.io.vector import read_vector
from rfplan.terrain.grid import Terrain


def with_osm_clutter(
    terrain: Terrain,
    path: str | os.PathLike[str],
    *,
    default_clutter_height_m: float = DEFAULT_CLUTTER_HEIGHT_M,
) -> Terrain:
    """Lay OpenStreetMap areas over the clutter of a terrain.

    Areas are drawn from large to small, so that a pond in a park stays a pond. Pixels that no known tag covers keep
    their class. Over a surface model (DSM) classes change but no height is added.

    Parameters
    ----------
    terrain : Terrain
    path : path-like
        Areas with tag columns (``landuse``, ``natural``, ...), see `rfplan.clutter_tables.OSM_CLASSES`.
    default_clutter_height_m : float
        Height of class "unspecified", m.

    Returns
    -------
    Terrain

    Raises
    ------
    InputFileError
        If the file has no area with a known tag.
    """
    import rasterio.features

    frame = read_vector(path)
    classes = np.full(len(frame), -1, dtype=np.int64)
    for (key, value), cls in OSM_CLASSES.items():
        if key in frame.columns:
            classes[(classes < 0) & (frame[key].astype(str) == value).to_numpy()] = int(cls)
    areas = frame.geometry.geom_type.isin(["Polygon", "MultiPolygon"]).to_numpy()
    chosen = np.flatnonzero((classes >= 0) & areas)
    if chosen.size == 0:
        raise InputFileError(
            f"{path} has no area with a known tag; columns such as {', '.join(sorted({k for k, _ in OSM_CLASSES}))} "
            "with OpenStreetMap values are expected"
        )
    shapes = frame.geometry.iloc[chosen].to_crs(terrain.crs)
    order = np.argsort(-shapes.area.to_numpy(), kind="stable")
    drawn = [(shapes.iloc[i], int(classes[chosen[i]])) for i in order]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        layer = rasterio.features.rasterize(
            drawn, out_shape=terrain.shape, transform=terrain.transform, fill=255, dtype="uint8"
        )
    seen = layer != 255
    heights = class_heights_m(default_clutter_height_m)
    if terrain.attrs.get("surface") == "dsm":
        heights = np.zeros_like(heights)
    new_classes = np.where(seen, layer, terrain.clutter_class)
    new_heights = np.where(seen, heights[np.where(seen, layer, 0)], terrain.clutter_height_m)
    before = terrain.attrs.get("clutter_source", "as before")
    source = (
        f"OpenStreetMap areas of {Path(path).name} ({100 * float(seen.mean()):.1f} % of pixels); elsewhere {before}"
    )
    return terrain.with_clutter(new_classes, new_heights, source)
