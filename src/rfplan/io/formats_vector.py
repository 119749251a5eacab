"""Vector files for other programs: GeoJSON, Shapefile, MapInfo MIF, GeoParquet."""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rfplan.errors import DataWarning, OutputError
from rfplan.io.atomic import atomic_path, make_folder
from rfplan.io.crs import LONLAT

if TYPE_CHECKING:
    import geopandas as gpd


def _ready(frame: gpd.GeoDataFrame, path: str | os.PathLike[str], crs: str | None) -> Any:
    """Return a copy with plain types, in the CRS wanted."""
    if frame.crs is None:
        raise OutputError(f"cannot write {path}: the layer has no CRS")
    out = frame.to_crs(crs) if crs else frame.copy()
    out.attrs = {}
    for name in out.columns:
        if name == out.geometry.name:
            continue
        if out[name].dtype == bool:
            out[name] = out[name].astype(np.int16)
        elif out[name].dtype.kind in "iu":
            out[name] = out[name].astype(np.int64)
    return out


def _write(frame: Any, path: Path, driver: str, **options: Any) -> None:
    import pyogrio

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            pyogrio.write_dataframe(frame, path, driver=driver, **options)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError) as error:
        raise OutputError(f"cannot write {path}: {error}") from error


def write_geojson(path: str | os.PathLike[str], frame: gpd.GeoDataFrame, *, decimals: int = 6) -> Path:
    """Write GeoJSON as RFC 7946 has it: WGS 84, right-handed rings, `decimals` digits (6 is 0.1 m), atomically.

    Raises
    ------
    OutputError
        If the layer has no CRS or the file cannot be written.
    """
    out = _ready(frame, path, LONLAT)
    with atomic_path(path) as temporary:
        _write(out, temporary, "GeoJSON", layer=Path(path).stem, RFC7946="YES", COORDINATE_PRECISION=str(decimals))
    return Path(path)


def _short_names(names: list[str]) -> dict[str, str]:
    """Names of at most ten ASCII letters, each once, as dBASE has them."""
    taken: set[str] = set()
    out = {}
    for name in names:
        stem = "".join(c for c in name if c.isascii() and (c.isalnum() or c == "_"))[:10] or "field"
        short, number = stem, 1
        while short.lower() in taken:
            short = f"{stem[: 10 - len(str(number))]}{number}"
            number += 1
        taken.add(short.lower())
        out[name] = short
    return out


def write_shapefile(path: str | os.PathLike[str], frame: gpd.GeoDataFrame, *, crs: str | None = None) -> Path:
    """Write an ESRI Shapefile (UTF-8); its parts appear together, the ``.shp`` last.

    Parameters
    ----------
    path : path-like
        Ends in ``.shp``.
    frame : GeoDataFrame
        One kind of geometry.
    crs : str, optional
        Default: that of the frame.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If the layer has no CRS, kinds of geometry are mixed, or the files cannot be written.

    Warns
    -----
    DataWarning
        If column names had to be shortened to ten letters.
    """
    final = Path(path)
    out = _ready(frame, path, crs)
    kinds = {str(kind).removeprefix("Multi") for kind in out.geom_type.dropna()}
    if len(kinds) > 1:
        raise OutputError(f"cannot write {path}: a Shapefile holds one kind of geometry, here are {sorted(kinds)}")
    columns = [str(name) for name in out.columns if name != out.geometry.name]
    short = _short_names(columns)
    changed = {name: new for name, new in short.items() if name != new}
    if changed:
        pairs = ", ".join(f"{name} as {new}" for name, new in changed.items())
        warnings.warn(DataWarning(f"{path}: a Shapefile's column names have ten letters: {pairs}"), stacklevel=2)
    _write_parts(out.rename(columns=short), final, "ESRI Shapefile", ".shp", ENCODING="UTF-8")
    return final


def write_mif(path: str | os.PathLike[str], frame: gpd.GeoDataFrame) -> Path:
    """Write a MapInfo interchange file (``.mif`` with ``.mid``), in WGS 84, text in UTF-8.

    Raises
    ------
    OutputError
        If the layer has no CRS or the files cannot be written.
    """
    final = Path(path)
    out = _ready(frame, path, LONLAT)
    for name in out.columns:
        if name != out.geometry.name and out[name].dtype.kind in "iu":
            # 64-bit columns make a file that MapInfo before 15.2 and older GDAL refuse
            fits = out[name].empty or out[name].abs().max() < 2**31
            out[name] = out[name].astype(np.int32 if fits else np.float64)
    _write_parts(out, final, "MapInfo File", ".mif", FORMAT="MIF", ENCODING="UTF-8")
    return final


def _write_parts(frame: Any, final: Path, driver: str, suffix: str, **options: Any) -> None:
    """Write a format of several files in a folder of its own, then move them, the main one last."""
    if final.suffix.lower() != suffix:
        raise OutputError(f"cannot write {final}: the name must end in {suffix}")
    folder = make_folder(final.parent)
    with tempfile.TemporaryDirectory(prefix=".rfplan-", dir=folder) as scratch:
        _write(frame, Path(scratch) / final.name, driver, **options)
        parts = sorted(Path(scratch).iterdir(), key=lambda part: part.suffix.lower() == suffix)
        try:
            for part in parts:
                os.replace(part, folder / part.name)
        except OSError as error:
            raise OutputError(f"cannot write {final}: {error.strerror or error}") from error


def write_geoparquet(path: str | os.PathLike[str], frame: gpd.GeoDataFrame) -> Path:
    """Write GeoParquet (zstd), atomically; needs the extra ``rfplan[parquet]``.

    Raises
    ------
    OutputError
        If pyarrow is not installed, the layer has no CRS or the file cannot be written.
    """
    out = _ready(frame, path, None)
    with atomic_path(path) as temporary:
        try:
            out.to_parquet(temporary, index=False, compression="zstd")
        except ImportError as error:
            raise OutputError(
                f"cannot write {path}: GeoParquet needs pyarrow; pip install 'rfplan[parquet]'"
            ) from error
    return Path(path)
