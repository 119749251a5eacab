"""From elevation files to a terrain: read, repair, join, bring onto one metric grid."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from affine import Affine

from rfplan.clutter import DEFAULT_CLUTTER_HEIGHT_M, Clutter, ClutterTable, translate_classes
from rfplan.clutter_tables import find_table
from rfplan.errors import DataWarning, InputFileError, ParameterError
from rfplan.io.crs import LONLAT, metric_crs, parse_crs, transform_box, transformer, utm_crs
from rfplan.io.elevation import block_mean, mosaic, repair, sample_bilinear
from rfplan.io.products import product_of
from rfplan.io.raster import Bounds, Raster, RasterFile, read_overlapping, read_raster, resample_classes
from rfplan.io.tables import join_limited
from rfplan.io.vertical import ELLIPSOID, GEOID_GRIDS, checked_datum, known_datum, to_datum
from rfplan.profile import Zone
from rfplan.terrain.grid import Terrain, checked_bounds

PathLike = str | os.PathLike[str] | RasterFile

MAX_GRID_PIXELS = 100_000_000
"""Largest grid that is made; about 1 GB with its layers."""
MAX_GRID_SIDE = 100_000

_NO_CLASS = 255
_FEET = {"m": 1.0, "ft": 0.3048, "us-ft": 1200.0 / 3937.0}
_UNIT_NAMES = {
    "": "m",
    "m": "m",
    "metre": "m",
    "meter": "m",
    "metres": "m",
    "meters": "m",
    "ft": "ft",
    "foot": "ft",
    "feet": "ft",
    "us-ft": "us-ft",
    "us survey foot": "us-ft",
    "foot_us": "us-ft",
}


def open_terrain(
    paths: PathLike | Sequence[PathLike],
    *,
    crs: str | None = None,
    resolution_m: float | None = None,
    bounds: Bounds | None = None,
    clutter: PathLike | Sequence[PathLike] = "default",
    clutter_table: str | Mapping[int, int] | ClutterTable = "rfplan",
    default_clutter_height_m: float = DEFAULT_CLUTTER_HEIGHT_M,
    nodata: float | Literal["none"] | None = None,
    vertical_datum: str | None = None,
) -> Terrain:
    """Read elevation files and bring them onto one metric grid.

    Spikes are removed and small voids filled on the grid of the files (see `rfplan.io.elevation`); tiles that share a
    lattice are joined first, and where files overlap the first one wins. The result is bilinear between cell centres;
    where the grid is at least twice as coarse as a file, whole blocks of its cells are averaged first. Land that no
    file knows stays NaN.

    Parameters
    ----------
    paths : path, RasterFile or sequence of them
        GeoTIFF/COG, SRTM ``.hgt``, ``.asc`` or ``.bil``; any mixture of CRSs.
    crs : str, optional
        Metric CRS of the grid; default the UTM zone of the area's centre.
    resolution_m : float, optional
        Pixel size, m; default the cell size of the first file rounded to 5 m (to 1 m below 20 m).
    bounds : (west, south, east, north), optional
        Degrees; only this area is read, and files elsewhere are left out. Default: all the files cover.
    clutter : path, RasterFile, sequence of them, "default" or "bare-earth"
        Ground-cover raster(s), the first that covers a place wins; or the default height everywhere (class
        "unspecified"); or none at all, which is some 30 dB optimistic for devices near the ground. Over a surface model
        (DSM) classes are kept but no height is added.
    clutter_table : str, mapping or ClutterTable
        How codes of the ground-cover raster translate: a name in `rfplan.clutter_tables`, code → class, or a table with
        heights of its own.
    default_clutter_height_m : float
        Height of class "unspecified", m, 0 to 100.
    nodata : float or "none", optional
        For files that do not declare their nodata value.
    vertical_datum : {"EGM96", "EGM2008"}, optional
        Datum of the terrain's heights; default that of the first file that states one. Files over another are
        converted where PROJ has the geoid grids.

    Returns
    -------
    Terrain

    Raises
    ------
    InputFileError
        If a file cannot be used (see `rfplan.io.raster.read_raster`) or nothing is known in the area.
    ParameterError
        If the CRS is not metric, the grid would be too large or a parameter is out of range.

    Warns
    -----
    DataWarning
        If the clutter raster leaves part of the terrain without a class, or heights over another geoid stay as they
        are because its grid is not installed.
    """
    sources = _sources(paths, nodata)
    table = find_table(clutter_table)
    heights = table.class_heights_m(default_clutter_height_m)
    if resolution_m is not None and not (math.isfinite(resolution_m) and 0 < resolution_m <= 100_000):
        raise ParameterError(f"resolution_m is {resolution_m}; it must be within 0 to 100,000 m")
    area = None if bounds is None else checked_bounds(bounds)
    opened = read_overlapping(sources, lambda source: _read_elevation(source, area))
    sources = [source for source, _ in opened]
    opened, datum = _on_one_datum(opened, vertical_datum)
    rasters = mosaic(_side_by_side([raster for _, raster in opened]))
    repaired = [repair(raster) for raster in rasters]
    rasters = [raster for raster, _ in repaired]
    grid_crs = metric_crs(crs) if crs else _default_crs(rasters, area)
    resolution = resolution_m or _default_resolution(rasters[0], grid_crs)
    x0, y0, shape = _target_grid(rasters, grid_crs, resolution, area)
    elevation = _resample(rasters, grid_crs, resolution, (x0, y0), shape)
    if not np.isfinite(elevation).any():
        raise InputFileError(f"{sources[0].path}: no ground is known in the area; every cell there is a void")
    attrs: dict[str, Any] = {
        "sources": [str(source.path) for source in sources],
        "method": "spikes removed, voids up to 10 km2 filled by a membrane (Laplace), bilinear",
        "vertical_datum": datum,
        "surface": _surface(sources),
        "zone_source": "inland everywhere",
    }
    for key in ("voids_filled", "spikes_removed", "voids_left"):
        attrs[key] = sum(counts[key] for _, counts in repaired)
    transform = Affine(resolution, 0.0, x0, 0.0, -resolution, y0)
    if attrs["surface"] == "dsm" and clutter != "bare-earth":
        heights = np.zeros_like(heights)
    classes, class_heights, attrs["clutter_source"] = _clutter(
        clutter, table, heights, (transform, np.isfinite(elevation), grid_crs)
    )
    if attrs["surface"] == "dsm":
        attrs["clutter_source"] += "; no height added: the surface model's heights contain trees and buildings"
    zone = np.full(shape, int(Zone.INLAND), dtype=np.int8)
    return Terrain(elevation, classes, class_heights, zone, x0, y0, float(resolution), grid_crs, attrs)


def _sources(paths: PathLike | Sequence[PathLike], nodata: float | Literal["none"] | None) -> list[RasterFile]:
    items = [paths] if isinstance(paths, str | os.PathLike | RasterFile) else list(paths)
    if not items:
        raise ParameterError("paths is empty; give at least one elevation file")
    sources = [item if isinstance(item, RasterFile) else RasterFile(Path(item)) for item in items]
    return [s if nodata is None or s.nodata is not None else replace(s, nodata=nodata) for s in sources]


def _surface(sources: Sequence[RasterFile]) -> str:
    """Return "dtm" or "dsm"; a mixture counts as "dsm" and is warned about, for then clutter is missing somewhere."""
    kinds = {source.surface or product_of(source.path).surface for source in sources}
    if len(kinds) > 1:
        warnings.warn(
            DataWarning(
                "terrain (DTM) and surface (DSM) models are mixed: no clutter height is added anywhere, so that it is "
                "nowhere counted twice; predictions over the DTM part are optimistic"
            ),
            stacklevel=3,
        )
    return "dsm" if "dsm" in kinds else "dtm"


def _datum(source: RasterFile) -> str:
    return source.vertical_datum or product_of(source.path).vertical_datum


def _on_one_datum(
    opened: list[tuple[RasterFile, Raster]], wanted: str | None
) -> tuple[list[tuple[RasterFile, Raster]], str]:
    """Bring heights to one vertical datum where it is known and can be had; say which it is, or which they are."""
    stated = [known_datum(_datum(source)) for source, _ in opened]
    geoids = [name for name in stated if name in GEOID_GRIDS]
    target = checked_datum(wanted) if wanted is not None else (geoids[0] if geoids else None)
    if target is None and ELLIPSOID in stated:
        target = "EGM2008"
    if target == ELLIPSOID:
        raise ParameterError("vertical_datum 'ellipsoid': terrain needs heights above sea level; take EGM96 or EGM2008")
    if target is None:
        return opened, "; ".join(dict.fromkeys(_datum(source) for source, _ in opened))
    converted, left = [], []
    for (source, raster), datum in zip(opened, stated, strict=True):
        moved = raster if datum is None else to_datum(raster, datum, target)
        converted.append((source, raster if moved is None else moved))
        if moved is None:
            left.append(source)
    if left:
        names = join_limited([source.path for source in left], 3)
        warnings.warn(
            DataWarning(
                f"heights of {names} are over {_datum(left[0])} and stay so in a terrain over {target}: a geoid "
                "grid is not installed (`projsync --file us_nga_egm` fetches them). The two differ by under "
                "1 m over most land"
            ),
            stacklevel=4,
        )
    if None not in stated and not left:
        return converted, target
    names_of = [
        target if name is not None else _datum(source) for (source, _), name in zip(opened, stated, strict=True)
    ]
    names_of += [_datum(source) for source in left]
    return converted, "; ".join(dict.fromkeys(names_of))


def _read_elevation(source: RasterFile, area: Bounds | None) -> Raster:
    raster = read_raster(source, bounds=area)
    unit = source.unit or _UNIT_NAMES.get(raster.unit.lower())
    if unit is None:
        raise InputFileError(f"{source.path}: heights are in {raster.unit!r}; pass RasterFile(path, unit='m'|'ft')")
    return raster if unit == "m" else raster.with_values(raster.values * np.float32(_FEET[unit]))


def _side_by_side(rasters: list[Raster]) -> list[Raster]:
    """Count longitudes on so that tiles on both sides of the antimeridian lie beside each other."""
    lonlat = [r for r in rasters if parse_crs(r.crs).is_geographic]
    if not lonlat or max(r.bounds[2] for r in lonlat) - min(r.bounds[0] for r in lonlat) <= 180.0:
        return rasters
    turned = [replace(r, x0=r.x0 + 360.0) if r in lonlat and r.bounds[2] <= 0.0 else r for r in rasters]
    boxes = [r.bounds for r in turned if parse_crs(r.crs).is_geographic]
    narrower = max(b[2] for b in boxes) - min(b[0] for b in boxes) <= 180.0
    return turned if narrower else rasters


def _lonlat_box(raster: Raster) -> Bounds:
    return transform_box(raster.crs, LONLAT, raster.bounds)


def _default_crs(rasters: Sequence[Raster], area: Bounds | None) -> str:
    west, south, east, north = area or _union([_lonlat_box(raster) for raster in rasters])
    return utm_crs((west + east) / 2, (south + north) / 2)


def _union(boxes: Sequence[Bounds]) -> Bounds:
    w, s, e, n = zip(*boxes, strict=True)
    return (min(w), min(s), max(e), max(n))


def _cell_metres(raster: Raster, crs: str) -> tuple[float, float]:
    """Width and height of the central cell, in metres of the grid."""
    west, south, east, north = raster.bounds
    x, y = (west + east) / 2, (south + north) / 2
    px, py = transformer(raster.crs, crs).transform(np.array([x, x + raster.dx, x]), np.array([y, y, y + raster.dy]))
    return math.hypot(px[1] - px[0], py[1] - py[0]), math.hypot(px[2] - px[0], py[2] - py[0])


def _default_resolution(raster: Raster, crs: str) -> float:
    size = math.sqrt(math.prod(_cell_metres(raster, crs)))
    return float(5 * round(size / 5)) if size >= 20 else float(max(1, round(size)))


def _target_grid(
    rasters: Sequence[Raster], crs: str, resolution: float, area: Bounds | None
) -> tuple[float, float, tuple[int, int]]:
    """North-west corner and shape of the grid, its edges on multiples of the resolution."""
    if area is None:
        boxes = [transform_box(r.crs, crs, r.bounds) for r in rasters]
        west, south, east, north = _union(boxes)
    else:
        west, south, east, north = transform_box(LONLAT, crs, area)
    c0, c1 = math.floor(west / resolution + 1e-6), math.ceil(east / resolution - 1e-6)
    r0, r1 = math.floor(south / resolution + 1e-6), math.ceil(north / resolution - 1e-6)
    if (c1 - c0) * (r1 - r0) > MAX_GRID_PIXELS or max(c1 - c0, r1 - r0) > MAX_GRID_SIDE:
        raise ParameterError(
            f"a grid of {c1 - c0:,} x {r1 - r0:,} pixels of {resolution:g} m is over {MAX_GRID_PIXELS:,} pixels, or "
            f"over {MAX_GRID_SIDE:,} on a side; "
            "take a coarser resolution_m or smaller bounds"
        )
    return float(c0 * resolution), float(r1 * resolution), (r1 - r0, c1 - c0)


def _resample(
    rasters: Sequence[Raster], crs: str, resolution: float, corner: tuple[float, float], shape: tuple[int, int]
) -> npt.NDArray[np.float32]:
    out = np.full(shape, np.nan, dtype=np.float32)
    x = corner[0] + (np.arange(shape[1]) + 0.5) * resolution
    for raster in rasters:
        width, height = _cell_metres(raster, crs)
        coarse = block_mean(raster, int(resolution / height + 1e-6), int(resolution / width + 1e-6))
        to_source = transformer(crs, raster.crs)
        turning = parse_crs(raster.crs).is_geographic
        strip = max(1, 500_000 // shape[1])
        for start in range(0, shape[0], strip):
            part = out[start : start + strip]
            y = corner[1] - (np.arange(start, start + part.shape[0]) + 0.5) * resolution
            px, py = to_source.transform(*np.meshgrid(x, y))
            if turning:
                px = coarse.x0 - coarse.dx + np.mod(px - coarse.x0 + coarse.dx, 360.0)
            row, col = (coarse.y0 - py) / coarse.dy - 0.5, (px - coarse.x0) / coarse.dx - 0.5
            sampled = sample_bilinear(coarse.values, row, col)
            np.copyto(part, sampled, where=np.isnan(part), casting="same_kind")
    return out


def _clutter(
    clutter: PathLike | Sequence[PathLike],
    table: ClutterTable,
    heights: npt.NDArray[np.float32],
    grid: tuple[Affine, npt.NDArray[np.bool_], str],
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32], str]:
    transform, ground, crs = grid
    shape = ground.shape
    if isinstance(clutter, str) and clutter == "default":
        height = float(heights[Clutter.UNSPECIFIED])
        return np.zeros(shape, np.uint8), np.full(shape, height, np.float32), f"default height {height:g} m"
    if isinstance(clutter, str) and clutter == "bare-earth":
        bare = np.full(shape, int(Clutter.OPEN), np.uint8)
        return bare, np.zeros(shape, np.float32), "bare earth (no clutter)"
    west, north = transform.c, transform.f
    box = (west, north + shape[0] * transform.e, west + shape[1] * transform.a, north)
    lonlat = transform_box(crs, LONLAT, box)
    opened = read_overlapping(
        _sources(clutter, None), lambda s: read_raster(s, bounds=lonlat, dtype=None, nodata_needed=False)
    )
    classes = np.full(shape, _NO_CLASS, dtype=np.uint8)
    for source, raster in opened:
        layer = resample_classes(_native_classes(raster, table, str(source.path)), transform, shape, crs)
        np.copyto(classes, layer, where=classes == _NO_CLASS)
    outside = int(((classes == _NO_CLASS) & ground).sum())
    classes[classes == _NO_CLASS] = int(Clutter.UNSPECIFIED)
    names = ", ".join(Path(source.path).name for source, _ in opened)
    if outside:
        warnings.warn(
            DataWarning(
                f"{names} leaves {outside:,} of {int(ground.sum()):,} pixels without a class; the default height "
                f"{float(heights[0]):g} m is used there"
            ),
            stacklevel=3,
        )
    return classes, heights[classes], f"{names} (table: {table.name})"


def _native_classes(raster: Raster, table: ClutterTable, path: str) -> Raster:
    """Classes on the raster's own grid; its nodata becomes "unspecified", `_NO_CLASS` marks what lies outside."""
    codes = raster.values
    if codes.dtype.kind not in "iu":
        raise InputFileError(f"{path} holds {codes.dtype} values; ground-cover codes are whole numbers")
    classes = np.zeros(codes.shape, dtype=np.uint8)
    known = np.ones(codes.shape, bool) if raster.nodata is None else codes != raster.nodata
    classes[known] = translate_classes(codes[known], table, path)
    return raster.with_values(classes, nodata=_NO_CLASS)
