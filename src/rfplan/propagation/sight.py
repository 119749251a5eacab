"""Whether the antennas of a path see each other over its terrain profile."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rfplan.constants import EARTH_RADIUS_KM
from rfplan.profile import Paths
from rfplan.propagation.base import require_profile, require_range

__all__ = ["line_of_sight"]


def line_of_sight(
    paths: Paths, *, clutter: bool = True, effective_earth_radius_factor: float = 4.0 / 3.0
) -> npt.NDArray[np.bool_]:
    """Whether the straight ray between the antennas clears every point of the profile, over a curved Earth.

    Parameters
    ----------
    paths
        Paths with profiles.
    clutter
        Whether clutter stands on the ground between the terminals. The terminals' own clutter never blocks.
    effective_earth_radius_factor
        Effective over true Earth radius, above 0; 4/3 is the median atmosphere. Infinity is a flat Earth.

    Returns
    -------
    ndarray of bool
        True where the ray clears (touching counts as clear), shape (n,).

    Raises
    ------
    ParameterError
        When the paths carry no terrain.
    """
    require_profile(paths, "line_of_sight")
    require_range("effective_earth_radius_factor", effective_earth_radius_factor, 0.1, np.inf)
    start, stop = paths.point_start, paths.point_stop
    distance, ground, height = paths.point_distance_m, paths.point_elevation_amsl_m, paths.point_clutter_height_m
    if start is None or stop is None or distance is None or ground is None:  # for the type checker: checked above
        raise AssertionError
    # The ends are antennas: what stands there is antenna height, not an obstacle.
    tx_top = ground[start] + paths.tx_height_agl_m
    rx_top = ground[stop - 1] + paths.rx_height_agl_m
    length = distance[stop - 1] - distance[start]

    inner = stop - start - 2
    path = np.repeat(np.arange(len(paths)), inner)
    first = np.cumsum(inner) - inner
    point = np.arange(int(inner.sum())) - np.repeat(first, inner) + start[path] + 1
    along = distance[point] - distance[start[path]]
    bulge = along * (length[path] - along) / (2e3 * EARTH_RADIUS_KM * effective_earth_radius_factor)
    ray = tx_top[path] + (rx_top - tx_top)[path] * along / length[path]
    top = ground[point] + bulge
    if clutter and height is not None:
        top = top + height[point]
    blocked = np.bincount(path, weights=top > ray, minlength=len(paths))
    clear: npt.NDArray[np.bool_] = blocked == 0
    return clear
