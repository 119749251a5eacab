"""Coordinate reference systems: which metric grid suits an area, and what a user's CRS must be."""

from __future__ import annotations

import functools
import math

import pyproj
from pyproj.exceptions import CRSError, ProjError

from rfplan.errors import ParameterError

LONLAT = "EPSG:4326"
Box = tuple[float, float, float, float]


def utm_crs(lon_deg: float, lat_deg: float) -> str:
    """Return the EPSG code of the UTM zone (UPS beyond 84° N and 80° S) of a point, WGS 84.

    Parameters
    ----------
    lon_deg, lat_deg : float
        Position in degrees; longitudes beyond ±180 wrap.

    Returns
    -------
    str
        For instance ``"EPSG:32648"``.
    """
    if lat_deg >= 84.0:
        return "EPSG:32661"
    if lat_deg < -80.0:
        return "EPSG:32761"
    zone = int(((lon_deg + 180.0) % 360.0) // 6.0) + 1
    return f"EPSG:{(32600 if lat_deg >= 0 else 32700) + zone}"


@functools.lru_cache(maxsize=64)
def parse_crs(crs: str) -> pyproj.CRS:
    """Parse a CRS given as an EPSG code, PROJ string or WKT.

    Raises
    ------
    ParameterError
        If it is not understood.
    """
    try:
        return pyproj.CRS.from_user_input(crs)
    except CRSError as error:
        raise ParameterError(f"crs {crs!r} is not understood; give an EPSG code such as 'EPSG:32648'") from error


def metric_crs(crs: str) -> str:
    """Check that a CRS is projected in metres, eastings first in grid order, and return its short name.

    Raises
    ------
    ParameterError
        If the CRS is geographic or its unit is not the metre.
    """
    parsed = parse_crs(crs)
    if not parsed.is_projected or any(axis.unit_name != "metre" for axis in parsed.axis_info[:2]):
        raise ParameterError(
            f"crs {crs!r} ({parsed.name}) is not a projected CRS in metres; take a UTM zone such as 'EPSG:32648'"
        )
    return crs_name(parsed)


def crs_name(crs: pyproj.CRS) -> str:
    """Return ``AUTHORITY:CODE`` when the CRS is exactly that one, else its WKT."""
    authority = crs.to_authority(min_confidence=100)
    return ":".join(authority) if authority else str(crs.to_wkt())


@functools.lru_cache(maxsize=64)
def transformer(source: str, target: str) -> pyproj.Transformer:
    """Return a cached transformer in longitude/easting-first order.

    Raises
    ------
    ParameterError
        If there is no way from one CRS to the other (another planet, a damaged definition).
    """
    try:
        return pyproj.Transformer.from_crs(parse_crs(source), parse_crs(target), always_xy=True)
    except ProjError as error:
        raise ParameterError(
            f"no conversion is known from {_short(source)} to {_short(target)}; check the CRS of the file"
        ) from error


def transform_box(source: str, target: str, box: Box) -> Box:
    """Return the box in `target` around a box (west, south, east, north) in `source`.

    Raises
    ------
    ParameterError
        If the box cannot be brought there.
    """
    try:
        out = transformer(source, target).transform_bounds(*box, densify_pts=21)
    except ProjError:
        out = (math.nan, math.nan, math.nan, math.nan)
    if not all(math.isfinite(v) for v in out):
        raise ParameterError(
            f"the area {tuple(round(v, 4) for v in box)} in {_short(source)} cannot be brought to {_short(target)}; "
            "check the position and CRS of the file, or choose a CRS made for the area"
        )
    west, south, east, north = out
    if west > east and parse_crs(target).is_geographic:
        east += 360.0  # across the antimeridian
    return (west, south, east, north)


def _short(crs: str) -> str:
    return crs if len(crs) < 60 else crs[:57] + "..."
