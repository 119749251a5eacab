"""What P.1546-6 reads off a terrain profile: effective height, clearance angles, length over sea."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rfplan.profile import Paths, Zone
from rfplan.propagation.base import require_profile

FloatArray = npt.NDArray[np.float64]

__all__ = ["P1546Terrain", "terrain_of_paths"]

_FAR_M = 15e3
_NEAR_M = 3e3
_CLEARANCE_M = 16e3


@dataclass(frozen=True, eq=False)
class P1546Terrain:
    """Per path, shape (n,): heights in m, angles in degrees."""

    effective_height_m: FloatArray
    tx_clearance_deg: FloatArray
    rx_clearance_deg: FloatArray
    sea_m: FloatArray
    tx_ground_amsl_m: FloatArray
    rx_ground_amsl_m: FloatArray


def _mean_height(d: FloatArray, ground: FloatArray, start: float, stop: float) -> float:
    """Mean ground height between two distances, the profile taken as straight between its points."""
    inner = d[(d > start) & (d < stop)]
    nodes = np.concatenate([[start], inner, [stop]])
    heights = np.interp(nodes, d, ground)
    return float(np.sum((heights[1:] + heights[:-1]) * np.diff(nodes)) / 2.0 / (stop - start))


def _one(d: FloatArray, ground: FloatArray, sea: npt.NDArray[np.bool_], tx: float, rx: float) -> tuple[float, ...]:
    length = float(d[-1])
    # Section 3: over 3 to 15 km ahead, or for shorter paths over the last four fifths of the path.
    start, stop = (_NEAR_M, _FAR_M) if length >= _FAR_M else (0.2 * length, length)
    effective = tx + float(ground[0]) - _mean_height(d, ground, start, stop)
    ahead = (d > 0.0) & (d <= _FAR_M)
    tx_angle = np.degrees(np.arctan((ground[ahead] - tx - ground[0]) / d[ahead])).max() if ahead.any() else 0.0
    back = length - d
    behind = (back > 0.0) & (back <= _CLEARANCE_M)
    rx_angle = np.degrees(np.arctan((ground[behind] - rx - ground[-1]) / back[behind])).max() if behind.any() else 0.0
    # Each point's zone reaches half-way to its neighbours.
    weights = np.zeros(d.size)
    half = np.diff(d) / 2.0
    weights[:-1] += half
    weights[1:] += half
    return effective, float(tx_angle), float(rx_angle), float(weights[sea].sum())


def terrain_of_paths(paths: Paths) -> P1546Terrain:
    """Read effective heights (section 3), clearance angles (sections 4.3 and 11) and sea lengths off the profiles.

    Parameters
    ----------
    paths
        Paths with profiles.

    Returns
    -------
    P1546Terrain

    Raises
    ------
    ParameterError
        When the paths carry no terrain.
    """
    require_profile(paths, "P.1546")
    start, stop = paths.point_start, paths.point_stop
    distance, ground, zone = paths.point_distance_m, paths.point_elevation_amsl_m, paths.point_zone
    if start is None or stop is None or distance is None or ground is None or zone is None:
        raise AssertionError  # for the type checker: checked above
    out = np.empty((4, len(paths)))
    for i in range(len(paths)):
        part = slice(int(start[i]), int(stop[i]))
        d = distance[part] - distance[part.start]
        sea = zone[part] == Zone.SEA
        out[:, i] = _one(d, ground[part], sea, float(paths.tx_height_agl_m[i]), float(paths.rx_height_agl_m[i]))
    return P1546Terrain(out[0], out[1], out[2], np.minimum(out[3], paths.distance_m), ground[start], ground[stop - 1])
