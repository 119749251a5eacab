"""What every terrain model asks of the paths it is given, in one place."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from rfplan.errors import ParameterError
from rfplan.profile import Paths

FloatArray = npt.NDArray[np.float64]
S = TypeVar("S", bound=np.generic)

__all__ = ["ProfilePoints", "profile_points", "read_only"]


class ProfilePoints(NamedTuple):
    """The points of a batch as kernels take them: path i owns [start[i], stop[i])."""

    start: npt.NDArray[np.int64]
    stop: npt.NDArray[np.int64]
    distance_m: FloatArray
    elevation_amsl_m: FloatArray
    clutter_height_m: FloatArray
    zone: npt.NDArray[np.int8]


def read_only(array: npt.NDArray[S]) -> npt.NDArray[S]:
    """A contiguous read-only view: kernels are compiled once whether or not a caller's array is writeable."""
    view = np.ascontiguousarray(array).view()
    view.setflags(write=False)
    return view


def profile_points(paths: Paths, model: str) -> ProfilePoints:
    """The batch's points, checked.

    Raises
    ------
    ParameterError
        When the batch has no terrain, a value is not finite, or every path is shorter than a metre
        (distances were then most likely given in degrees or kilometres).
    """
    if (
        paths.point_start is None
        or paths.point_stop is None
        or paths.point_distance_m is None
        or paths.point_elevation_amsl_m is None
        or paths.point_clutter_height_m is None
        or paths.point_zone is None
    ):
        raise ParameterError(
            f"{model} needs terrain, but these paths carry distances only; "
            "make them with PathProfile.paths or Terrain.profile"
        )
    longest = float(paths.distance_m.max(initial=0.0))
    if len(paths) and longest < 1.0:
        raise ParameterError(
            f"distance_m: the longest path is {longest:g} m long; {model} needs paths of 1 m and more. "
            "Distances are in metres, not in degrees or kilometres"
        )
    for name in ("point_distance_m", "point_elevation_amsl_m", "point_clutter_height_m"):
        column = getattr(paths, name)
        bad = np.flatnonzero(~np.isfinite(column))
        if bad.size:
            raise ParameterError(
                f"{name}[{bad[0]}] is {column[bad[0]]}; every point of a profile needs a finite value: fill voids first"
            )
    return ProfilePoints(
        read_only(paths.point_start),
        read_only(paths.point_stop),
        read_only(paths.point_distance_m),
        read_only(paths.point_elevation_amsl_m),
        read_only(paths.point_clutter_height_m),
        read_only(paths.point_zone),
    )
