"""The rest that no candidate can cover: as polygons with people, area and the reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

NO_CANDIDATE = "no candidate within reach"
SHADOWED = "candidates within reach, but none gives enough signal here"
_REASONS = (NO_CANDIDATE, SHADOWED)


def uncoverable_polygons(
    rest: npt.NDArray[np.bool_],
    near_candidate: npt.NDArray[np.bool_],
    people: npt.NDArray[np.float64],
    terrain: Any,
) -> Any:
    """Connected patches of `rest` (4-neighbours), a row each with people, area_km2 and reason, most people first.

    Parameters
    ----------
    rest
        (ny, nx) pixels that no candidate covers.
    near_candidate
        (ny, nx) pixels within the prediction radius of a candidate.
    people
        (ny, nx) people a pixel.
    terrain
        Gives the grid's place and CRS.

    Returns
    -------
    geopandas.GeoDataFrame in the terrain's CRS.
    """
    import geopandas as gpd
    from rasterio.features import shapes
    from shapely.geometry import shape

    labels = np.zeros(rest.shape, np.int32)
    reason_of: list[int] = []
    for number, where in enumerate((rest & ~near_candidate, rest & near_candidate)):
        part, count = ndimage.label(where)
        labels[part > 0] = part[part > 0] + len(reason_of)
        reason_of += [number] * count
    n = len(reason_of)
    flat = labels.ravel()
    inside = flat > 0
    people_of = np.bincount(flat[inside], weights=np.nan_to_num(people).ravel()[inside], minlength=n + 1)[1:]
    pixels_of = np.bincount(flat[inside], minlength=n + 1)[1:]
    geometry: list[Any] = [None] * n
    if n:
        for outline, value in shapes(labels, mask=labels > 0, connectivity=4, transform=terrain.transform):
            geometry[int(value) - 1] = shape(outline)
    frame = gpd.GeoDataFrame(
        {
            "people": people_of,
            "area_km2": pixels_of * (terrain.resolution_m / 1000.0) ** 2,
            "reason": np.array(_REASONS)[np.array(reason_of, np.int64)] if n else np.array([], dtype=object),
        },
        geometry=gpd.GeoSeries(geometry, crs=terrain.crs),
        crs=terrain.crs,
    )
    order = np.lexsort((np.arange(n), -frame["area_km2"].to_numpy(), -frame["people"].to_numpy()))
    return frame.iloc[order].reset_index(drop=True)


def near_any(
    x_m: npt.NDArray[np.float64], y_m: npt.NDArray[np.float64], radius_m: float, terrain: Any
) -> npt.NDArray[np.bool_]:
    """(ny, nx) pixels whose centre is within `radius_m` of one of the points."""
    shape: tuple[int, int] = np.asarray(terrain.elevation_amsl_m).shape
    if len(x_m) == 0:
        return np.zeros(shape, np.bool_)
    ny, nx = shape
    px = terrain.x0_m + (np.arange(nx) + 0.5) * terrain.resolution_m
    py = terrain.y0_m - (np.arange(ny) + 0.5) * terrain.resolution_m
    from scipy.spatial import cKDTree

    xx, yy = np.meshgrid(px, py)
    distance, _ = cKDTree(np.column_stack([x_m, y_m])).query(
        np.column_stack([xx.ravel(), yy.ravel()]), distance_upper_bound=radius_m
    )
    near: npt.NDArray[np.bool_] = np.isfinite(distance).reshape(shape)
    return near
