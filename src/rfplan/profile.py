"""Terrain profiles and batches of paths: what a propagation model is given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Literal

import numpy as np
import numpy.typing as npt

from rfplan.constants import EARTH_RADIUS_KM
from rfplan.errors import ParameterError

FloatArray = npt.NDArray[np.float64]
Polarization = Literal["vertical", "horizontal"]

__all__ = ["PathProfile", "Paths", "Polarization", "Zone"]


class Zone(IntEnum):
    """Radio-climatic zone of a point, as P.1812-8 and P.452-18 number them."""

    SEA = 1
    COASTAL = 3
    INLAND = 4


_ZONES = tuple(int(zone) for zone in Zone)


def _column(name: str, values: npt.ArrayLike, n: int | None = None) -> FloatArray:
    column = np.array(values, dtype=np.float64, ndmin=1)
    if column.ndim != 1:
        raise ParameterError(f"{name} has shape {column.shape}; give one row of values")
    if n is not None and column.size != n:
        raise ParameterError(f"{name} has {column.size} values but distance_m has {n}; give one value a point")
    column.setflags(write=False)
    return column


def _check_finite(name: str, column: FloatArray) -> None:
    bad = np.flatnonzero(~np.isfinite(column))
    if bad.size:
        raise ParameterError(
            f"{name}[{bad[0]}] is {column[bad[0]]}; every point needs a known value: fill voids before making a profile"
        )


def _zones(zone: npt.ArrayLike | None, n: int) -> npt.NDArray[np.int8] | None:
    if zone is None:
        return None
    column = np.array(zone, ndmin=1)
    if column.shape != (n,):
        raise ParameterError(f"zone has shape {column.shape} but distance_m has {n} points; give one zone a point")
    bad = np.flatnonzero(~np.isin(column, _ZONES))
    if bad.size:
        raise ParameterError(f"zone[{bad[0]}] is {column[bad[0]]}; allowed are 1 (sea), 3 (coastal land), 4 (inland)")
    column = column.astype(np.int8)
    column.setflags(write=False)
    return column


def _polarization(value: str) -> Polarization:
    if value == "vertical":
        return "vertical"
    if value == "horizontal":
        return "horizontal"
    raise ParameterError(f"polarization is {value!r}; allowed are 'vertical' and 'horizontal'")


@dataclass(frozen=True, eq=False)
class PathProfile:
    """Terrain along one path, from the transmitter (first point) to the receiver (last point).

    Parameters
    ----------
    distance_m
        Distance of each point from the transmitter, m, shape (n,), n >= 2; starts at 0 and increases strictly.
    elevation_amsl_m
        Ground height above mean sea level, m, shape (n,).
    clutter_height_m
        Representative clutter height above ground, m, shape (n,), not negative; None is bare earth. The values at the
        two terminals are carried but, as the Recommendations ask, not used.
    zone
        `Zone` of each point, shape (n,); None is inland throughout.
    tx_lonlat, rx_lonlat
        Positions of the ends, degrees; used for the latitude of the path's centre. None when unknown.

    Raises
    ------
    ParameterError
        When lengths differ, distances do not increase from 0, a value is not finite or a zone is unknown.
    """

    distance_m: FloatArray
    elevation_amsl_m: FloatArray
    clutter_height_m: FloatArray | None = None
    zone: npt.NDArray[np.int8] | None = None
    tx_lonlat: tuple[float, float] | None = None
    rx_lonlat: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        distance = _column("distance_m", self.distance_m)
        n = distance.size
        if n < 2:
            raise ParameterError(f"distance_m has {n} point(s); a profile needs at least its two ends")
        elevation = _column("elevation_amsl_m", self.elevation_amsl_m, n)
        _check_finite("distance_m", distance)
        _check_finite("elevation_amsl_m", elevation)
        if distance[0] != 0.0:
            raise ParameterError(
                f"distance_m[0] is {distance[0]}; distances are measured from the transmitter, so it is 0"
            )
        bad = np.flatnonzero(np.diff(distance) <= 0.0)
        if bad.size:
            i = int(bad[0])
            raise ParameterError(
                f"distance_m[{i + 1}] = {distance[i + 1]} does not exceed distance_m[{i}] = {distance[i]}; "
                "distances must increase strictly: remove repeated points or sort them"
            )
        object.__setattr__(self, "distance_m", distance)
        object.__setattr__(self, "elevation_amsl_m", elevation)
        if self.clutter_height_m is not None:
            clutter = _column("clutter_height_m", self.clutter_height_m, n)
            _check_finite("clutter_height_m", clutter)
            if (clutter < 0.0).any():
                raise ParameterError(f"clutter_height_m has {clutter.min()} m; heights above ground are not negative")
            object.__setattr__(self, "clutter_height_m", clutter)
        object.__setattr__(self, "zone", _zones(self.zone, n))
        for name in ("tx_lonlat", "rx_lonlat"):
            lonlat = getattr(self, name)
            if lonlat is not None and not (-180.0 <= lonlat[0] <= 360.0 and -90.0 <= lonlat[1] <= 90.0):
                raise ParameterError(f"{name} is {lonlat}; give (longitude, latitude) in degrees, in this order")

    def __len__(self) -> int:
        return int(self.distance_m.size)

    @property
    def latitude_deg(self) -> float:
        """Latitude of the path's centre, degrees, NaN when the ends are unknown.

        The centre lies half the profile's length from the transmitter along the great circle towards the receiver.
        """
        if self.tx_lonlat is None or self.rx_lonlat is None:
            return float("nan")
        lon_t, lat_t, lon_r, lat_r = (math.radians(v) for v in (*self.tx_lonlat, *self.rx_lonlat))
        east = math.cos(lat_r) * math.sin(lon_r - lon_t)
        north = math.cos(lat_t) * math.sin(lat_r) - math.sin(lat_t) * math.cos(lat_r) * math.cos(lon_r - lon_t)
        norm = math.hypot(east, north)
        cos_bearing = north / norm if norm > 0.0 else 0.0
        arc = 0.5 * float(self.distance_m[-1]) / (EARTH_RADIUS_KM * 1e3)
        return math.degrees(math.asin(math.sin(lat_t) * math.cos(arc) + math.cos(lat_t) * math.sin(arc) * cos_bearing))

    def reversed(self) -> PathProfile:
        """The same path seen from the other end."""
        return PathProfile(
            self.distance_m[-1] - self.distance_m[::-1],
            self.elevation_amsl_m[::-1],
            None if self.clutter_height_m is None else self.clutter_height_m[::-1],
            None if self.zone is None else self.zone[::-1],
            self.rx_lonlat,
            self.tx_lonlat,
        )

    def paths(
        self,
        *,
        frequency_mhz: npt.ArrayLike,
        tx_height_agl_m: npt.ArrayLike,
        rx_height_agl_m: npt.ArrayLike,
        polarization: Polarization = "vertical",
    ) -> Paths:
        """Paths over this profile: the arguments broadcast together, one path a combination.

        Parameters
        ----------
        frequency_mhz, tx_height_agl_m, rx_height_agl_m
            Frequency, MHz, and antenna heights above ground, m; scalars or arrays that broadcast to n paths.
        polarization
            "vertical" or "horizontal", for all of them.

        Returns
        -------
        Paths
            n paths that share this profile's points.
        """
        f, h_t, h_r = np.broadcast_arrays(
            *(np.asarray(v, dtype=np.float64).ravel() if np.ndim(v) != 1 else np.asarray(v, dtype=np.float64)
              for v in (frequency_mhz, tx_height_agl_m, rx_height_agl_m))
        )  # fmt: skip
        n, points = f.size, len(self)
        return Paths(
            distance_m=np.full(n, self.distance_m[-1]),
            frequency_mhz=f,
            tx_height_agl_m=h_t,
            rx_height_agl_m=h_r,
            polarization=polarization,
            latitude_deg=np.full(n, self.latitude_deg),
            point_start=np.zeros(n, dtype=np.int64),
            point_stop=np.full(n, points, dtype=np.int64),
            point_distance_m=self.distance_m,
            point_elevation_amsl_m=self.elevation_amsl_m,
            point_clutter_height_m=np.zeros(points) if self.clutter_height_m is None else self.clutter_height_m,
            point_zone=np.full(points, Zone.INLAND, dtype=np.int8) if self.zone is None else self.zone,
        )


@dataclass(frozen=True, eq=False)
class Paths:
    """A batch of n paths, a structure of arrays.

    Path i uses the profile points ``[point_start[i], point_stop[i])`` of the flat ``point_*`` arrays; several paths may
    share points. A batch made by `Paths.from_distance` has no points and serves distance models only.

    Parameters
    ----------
    distance_m
        Length of each path along the ground, m, shape (n,).
    frequency_mhz, tx_height_agl_m, rx_height_agl_m
        Frequency, MHz, and antenna heights above ground, m, shape (n,).
    polarization
        "vertical" or "horizontal", for the whole batch.
    latitude_deg
        Latitude of each path's centre, degrees, NaN when unknown, shape (n,).
    point_start, point_stop
        Range of profile points of each path, int64, shape (n,); None without terrain.
    point_distance_m, point_elevation_amsl_m, point_clutter_height_m, point_zone
        The points: distance from the path's transmitter, m; ground height, m; representative clutter height, m; zone.
    """

    distance_m: FloatArray
    frequency_mhz: FloatArray
    tx_height_agl_m: FloatArray
    rx_height_agl_m: FloatArray
    polarization: Polarization = "vertical"
    latitude_deg: FloatArray | None = None
    point_start: npt.NDArray[np.int64] | None = None
    point_stop: npt.NDArray[np.int64] | None = None
    point_distance_m: FloatArray | None = None
    point_elevation_amsl_m: FloatArray | None = None
    point_clutter_height_m: FloatArray | None = None
    point_zone: npt.NDArray[np.int8] | None = None

    def __post_init__(self) -> None:
        names = ("distance_m", "frequency_mhz", "tx_height_agl_m", "rx_height_agl_m")
        columns = np.broadcast_arrays(*(np.array(getattr(self, name), dtype=np.float64, ndmin=1) for name in names))
        n = columns[0].size
        for name, column in zip(names, columns, strict=True):
            # A contiguous copy: broadcasting leaves strides of zero, which kernels would have to be compiled for anew.
            object.__setattr__(self, name, np.ascontiguousarray(column))
        latitude = np.nan if self.latitude_deg is None else self.latitude_deg
        object.__setattr__(self, "latitude_deg", np.ascontiguousarray(np.broadcast_to(np.float64(latitude), (n,))))
        object.__setattr__(self, "polarization", _polarization(self.polarization))
        for name, low in (("distance_m", 0.0), ("frequency_mhz", 0.0)):
            column = getattr(self, name)
            bad = np.flatnonzero(~(np.isfinite(column) & (column > low)))
            if bad.size:
                raise ParameterError(f"{name}[{bad[0]}] is {column[bad[0]]}; it must be a finite number above 0")
        for name in ("tx_height_agl_m", "rx_height_agl_m"):
            column = getattr(self, name)
            bad = np.flatnonzero(~(np.isfinite(column) & (column >= 0.0)))
            if bad.size:
                raise ParameterError(
                    f"{name}[{bad[0]}] is {column[bad[0]]}; a height above ground must be finite and >= 0"
                )
        self._check_points(n)

    def _check_points(self, n: int) -> None:
        points = (self.point_start, self.point_stop, self.point_distance_m, self.point_elevation_amsl_m)
        if all(value is None for value in points):
            return
        if any(value is None for value in points):
            raise ParameterError("point_start, point_stop, point_distance_m and point_elevation_amsl_m go together")
        start = np.ascontiguousarray(self.point_start, dtype=np.int64)
        stop = np.ascontiguousarray(self.point_stop, dtype=np.int64)
        distance = np.ascontiguousarray(self.point_distance_m, dtype=np.float64)
        total = distance.size
        if (
            start.shape != (n,)
            or stop.shape != (n,)
            or (start < 0).any()
            or (stop > total).any()
            or (stop - start < 2).any()
        ):
            raise ParameterError(f"point_start/point_stop must give every path at least 2 of the {total} points")
        clutter = np.zeros(total) if self.point_clutter_height_m is None else self.point_clutter_height_m
        zone = np.full(total, Zone.INLAND, dtype=np.int8) if self.point_zone is None else self.point_zone
        object.__setattr__(self, "point_start", start)
        object.__setattr__(self, "point_stop", stop)
        object.__setattr__(self, "point_distance_m", distance)
        for name, value in (
            ("point_elevation_amsl_m", self.point_elevation_amsl_m),
            ("point_clutter_height_m", clutter),
        ):
            column = np.ascontiguousarray(value, dtype=np.float64)
            if column.shape != (total,):
                raise ParameterError(f"{name} has {column.size} values but point_distance_m has {total}")
            object.__setattr__(self, name, column)
        object.__setattr__(self, "point_zone", np.ascontiguousarray(zone, dtype=np.int8))

    def __len__(self) -> int:
        return int(self.distance_m.size)

    @property
    def has_profile(self) -> bool:
        """Whether the batch carries terrain points."""
        return self.point_start is not None

    @classmethod
    def from_distance(
        cls,
        distance_m: npt.ArrayLike,
        frequency_mhz: npt.ArrayLike,
        tx_height_agl_m: npt.ArrayLike,
        rx_height_agl_m: npt.ArrayLike,
        *,
        polarization: Polarization = "vertical",
        latitude_deg: float = float("nan"),
    ) -> Paths:
        """Paths known by their length alone, for models that look at nothing else; the arguments broadcast together."""
        columns = np.broadcast_arrays(
            *(np.asarray(v, dtype=np.float64) for v in (distance_m, frequency_mhz, tx_height_agl_m, rx_height_agl_m))
        )
        d, f, h_t, h_r = (column.ravel() for column in columns)
        return cls(d, f, h_t, h_r, polarization, np.full(d.size, latitude_deg))

    @classmethod
    def concatenate(cls, batches: Sequence[Paths]) -> Paths:
        """One batch of all the paths, in order; the batches share a polarization and all or none carry terrain."""
        if not batches:
            raise ParameterError("no batches of paths were given; give at least one")
        first = batches[0]
        if any(batch.polarization != first.polarization for batch in batches):
            raise ParameterError("the batches differ in polarization; a batch has one: predict them apart")
        if any(batch.has_profile != first.has_profile for batch in batches):
            raise ParameterError("some batches carry terrain and some do not; give all of them profiles, or none")

        def joined(name: str) -> npt.NDArray[np.float64]:
            return np.concatenate([getattr(batch, name) for batch in batches])

        d, f = joined("distance_m"), joined("frequency_mhz")
        h_t, h_r = joined("tx_height_agl_m"), joined("rx_height_agl_m")
        if not first.has_profile:
            return cls(d, f, h_t, h_r, first.polarization, joined("latitude_deg"))
        sizes = [0 if batch.point_distance_m is None else batch.point_distance_m.size for batch in batches]
        offsets = np.repeat(np.cumsum([0, *sizes[:-1]]), [len(batch) for batch in batches])
        return cls(
            d,
            f,
            h_t,
            h_r,
            first.polarization,
            joined("latitude_deg"),
            (joined("point_start") + offsets).astype(np.int64),
            (joined("point_stop") + offsets).astype(np.int64),
            joined("point_distance_m"),
            joined("point_elevation_amsl_m"),
            joined("point_clutter_height_m"),
            joined("point_zone").astype(np.int8),
        )

    def with_frequency(self, frequency_mhz: npt.ArrayLike) -> Paths:
        """The same paths at another frequency, MHz (a scalar or one value a path)."""
        f = np.broadcast_to(np.asarray(frequency_mhz, dtype=np.float64), (len(self),))
        return replace(self, frequency_mhz=f)

    def profile(self, index: int) -> PathProfile:
        """The terrain profile of one path."""
        if self.point_start is None or self.point_stop is None or self.point_distance_m is None:
            raise ParameterError("these paths carry no terrain; make them with PathProfile.paths or Terrain.profile")
        if self.point_elevation_amsl_m is None or self.point_clutter_height_m is None or self.point_zone is None:
            raise ParameterError("these paths carry no terrain heights")
        part = slice(int(self.point_start[index]), int(self.point_stop[index]))
        return PathProfile(
            self.point_distance_m[part],
            self.point_elevation_amsl_m[part],
            self.point_clutter_height_m[part],
            self.point_zone[part],
        )
