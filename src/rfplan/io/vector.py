"""Vector layers in and out: drivers told by content, CRS required, geometries made valid."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pyproj.exceptions import ProjError

from rfplan.errors import DataWarning, InputFileError, OutputError
from rfplan.io.archives import unpacked
from rfplan.io.atomic import atomic_path
from rfplan.io.crs import LONLAT
from rfplan.io.styles import add_gpkg_styles
from rfplan.io.vn2000 import with_datum_shift

if TYPE_CHECKING:
    import geopandas as gpd

MAX_VECTOR_BYTES = 1024**3
"""Largest vector file that is read, in bytes."""

_MAGIC: dict[str, tuple[bytes, ...]] = {
    ".geojson": (b"{",),
    ".json": (b"{",),
    ".gpkg": (b"SQLite format 3\0",),
    ".shp": (b"\0\0\x27\x0a",),
    ".fgb": (b"fgb",),
    ".kml": (b"<?xml", b"<kml"),
    ".parquet": (b"PAR1",),
    ".kmz": (b"PK",),
    ".zip": (b"PK",),
}
_UNPACK = (".shp", ".shx", ".dbf", ".prj", ".cpg", ".geojson", ".gpkg", ".kml")
_MAIN = (".shp", ".geojson", ".gpkg", ".kml")


def _check_vector(path: str | os.PathLike[str]) -> Path:
    """Check that the file is what its suffix says, so that no other driver (OGR VRT) gets to open it."""
    text = os.fspath(path)
    if "://" in text or text.startswith("/vsi"):
        raise InputFileError(f"{text} is not a local file; download it first (`rfplan fetch`)")
    file = Path(text)
    if not file.exists():
        raise InputFileError(f"{file} does not exist; check the path (relative to {Path.cwd()})")
    if not file.is_file():
        raise InputFileError(f"{file} is not a regular file")
    suffix = file.suffix.lower()
    if suffix not in _MAGIC:
        raise InputFileError(f"{file} is not a vector file that is read here; allowed are {', '.join(_MAGIC)}")
    if file.stat().st_size > MAX_VECTOR_BYTES:
        raise InputFileError(f"{file} has {file.stat().st_size:,} bytes; at most {MAX_VECTOR_BYTES:,} are read")
    with file.open("rb") as stream:
        head = stream.read(4096)
    plain = head.removeprefix(b"\xef\xbb\xbf").lstrip() if suffix in (".geojson", ".json", ".kml") else head
    if not plain.startswith(_MAGIC[suffix]) or b"OGRVRTDataSource" in head:
        raise InputFileError(f"{file} is not a {suffix} file: its content is of another format or it is empty")
    return file


def read_vector(path: str | os.PathLike[str], *, layer: str | None = None) -> gpd.GeoDataFrame:
    """Read a vector layer and bring it to WGS 84 longitude and latitude.

    Parameters
    ----------
    path : path-like
        GeoJSON, GeoPackage, Shapefile, FlatGeobuf, GeoParquet, KML, KMZ, or a zip with one of these in it.
    layer : str, optional
        Layer name; default the first.

    Returns
    -------
    GeoDataFrame
        In EPSG:4326, geometries valid, rows without geometry dropped. ``attrs["path"]`` is the file.

    Raises
    ------
    InputFileError
        If the file is missing, damaged, of another format than its suffix says, empty, or has no CRS.

    Warns
    -----
    DataWarning
        If rows have no geometry or geometries had to be made valid.
    """
    import geopandas as gpd
    import shapely

    file = _check_vector(path)
    if file.suffix.lower() in (".kmz", ".zip"):
        with unpacked(file, _UNPACK) as files:
            inner = [f for f in files if f.suffix.lower() in _MAIN]
            if len(inner) != 1 and file.suffix.lower() == ".kmz":
                inner = [f for f in inner if f.name.lower() == "doc.kml"]
            if len(inner) != 1:
                raise InputFileError(f"{file} holds {len(inner)} vector files; unpack it and name the file")
            frame = read_vector(inner[0], layer=layer)
        frame.attrs["path"] = str(file)
        return frame
    frame = _read_frame(file, layer)
    if not isinstance(frame, gpd.GeoDataFrame) or len(frame) == 0:
        raise InputFileError(f"{file} holds no features with a geometry")
    if frame.crs is None:
        raise InputFileError(f"{file} has no CRS; add it to the file (a .prj beside a Shapefile)")
    missing = frame.geometry.isna() | frame.geometry.is_empty
    if missing.any():
        frame = frame[~missing].reset_index(drop=True)
        _warn(f"{file}: {int(missing.sum())} feature(s) without a geometry are left out")
    if len(frame) == 0:
        raise InputFileError(f"{file} holds no features with a geometry")
    try:
        frame = frame.set_crs(with_datum_shift(frame.crs), allow_override=True).to_crs(LONLAT)
    except ProjError as error:
        raise InputFileError(f"{file}: its CRS cannot be brought to longitude and latitude: {error}") from error
    wrong = ~frame.geometry.is_valid
    if wrong.any():
        _warn(f"{file}: {int(wrong.sum())} geometry(ies) cross themselves and were made valid; check them")
        frame = frame.set_geometry(shapely.make_valid(frame.geometry.values), crs=LONLAT)
    box = frame.total_bounds
    if not np.isfinite(box).all():
        raise InputFileError(f"{file}: coordinates cannot be brought to longitude and latitude")
    frame.attrs["path"] = str(file)
    return frame


def _read_frame(file: Path, layer: str | None) -> Any:
    import pyogrio
    from shapely.errors import ShapelyError

    if file.suffix.lower() == ".parquet":
        return _read_parquet(file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            warnings.simplefilter("ignore", UserWarning)
            if layer is None:
                # naming the layer silences the complaint about files with several
                layer = str(pyogrio.list_layers(file.resolve())[0][0])
            return pyogrio.read_dataframe(file.resolve(), layer=layer)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError, IndexError) as error:
        raise InputFileError(f"{file} cannot be read: {error}") from error
    except ShapelyError as error:
        raise InputFileError(f"{file} holds a geometry that is none: {error}; repair it in a GIS") from error


def _read_parquet(file: Path) -> Any:
    import geopandas as gpd

    try:
        return gpd.read_parquet(file)
    except ImportError as error:
        raise InputFileError(f"{file}: reading GeoParquet needs pyarrow; pip install 'rfplan[parquet]'") from error
    except Exception as error:  # pyarrow's errors have no common base of their own
        raise InputFileError(f"{file} cannot be read as GeoParquet: {error}") from error


def _warn(message: str) -> None:
    warnings.warn(DataWarning(message), stacklevel=4)


def write_gpkg(
    path: str | os.PathLike[str], layers: Mapping[str, gpd.GeoDataFrame], *, styles: Mapping[str, str] | None = None
) -> Path:
    """Write layers to a GeoPackage, atomically; the same layers give the same bytes.

    Parameters
    ----------
    path : path-like
        File to write; its folder is made.
    layers : mapping of str to GeoDataFrame
        Layer name → features, each with a CRS. An empty frame makes an empty layer.
    styles : mapping of str to str, optional
        Layer name → QGIS style (see `rfplan.io.styles`), stored inside as the layer's default.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If there is no layer, a layer has no CRS, or the file cannot be written.
    """
    import pyogrio

    if not layers:
        raise OutputError(f"cannot write {path}: no layer was given")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2000-01-01T00:00:00.000Z"})
    try:
        with atomic_path(path) as temporary:
            for name, frame in layers.items():
                if frame.crs is None:
                    raise OutputError(f"cannot write {path}: layer {name!r} has no CRS")
                kind = _geometry_kind(frame)
                pyogrio.write_dataframe(
                    _plain(frame), temporary, layer=name, driver="GPKG", geometry_type=kind, append=False
                )
            if styles:
                add_gpkg_styles(temporary, styles)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError) as error:
        raise OutputError(f"cannot write {path}: {error}") from error
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
    return Path(path)


def _geometry_kind(frame: gpd.GeoDataFrame) -> str:
    kinds = set(frame.geom_type.dropna())
    if kinds and kinds <= {"Polygon", "MultiPolygon"}:
        return "MultiPolygon"
    if kinds and kinds <= {"LineString", "MultiLineString"}:
        return "MultiLineString"
    return kinds.pop() if len(kinds) == 1 else "Unknown"


def _plain(frame: gpd.GeoDataFrame) -> Any:
    """Return the frame with types a vector driver knows."""
    out = frame.copy()
    out.attrs = {}
    for name in out.columns:
        if name != out.geometry.name and out[name].dtype == bool:
            out[name] = out[name].astype(np.int16)
    return out
