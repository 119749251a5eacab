"""One function for features and one for grids: the suffix of the name chooses the format."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from affine import Affine

from rfplan.errors import OutputError
from rfplan.io import styles as looks
from rfplan.io.crs import crs_name, parse_crs

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr

FEATURE_SUFFIXES = (".gpkg", ".geojson", ".shp", ".mif", ".parquet", ".kmz")
GRID_SUFFIXES = (".tif", ".nc", ".zarr", ".kmz")


def write_features(
    path: str | os.PathLike[str],
    layers: gpd.GeoDataFrame | Mapping[str, gpd.GeoDataFrame],
    *,
    styles: Mapping[str, str] | None = None,
) -> Path:
    """Write points, lines or areas; GeoPackage and KMZ hold several layers, the other formats one.

    Parameters
    ----------
    path : path-like
        Ends in one of `FEATURE_SUFFIXES`.
    layers : GeoDataFrame or mapping of str to GeoDataFrame
        A single frame becomes a layer named like the file.
    styles : mapping of str to str, optional
        QGIS styles by layer, for a GeoPackage.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If the suffix is unknown, a format of one layer is given several, or the file cannot be written.
    """
    from rfplan.io import formats_vector as single
    from rfplan.io.kml import write_kmz
    from rfplan.io.vector import write_gpkg

    final = Path(path)
    suffix = final.suffix.lower()
    named = dict(layers) if isinstance(layers, Mapping) else {final.stem: layers}
    if suffix == ".gpkg":
        return write_gpkg(final, named, styles=styles)
    if suffix == ".kmz":
        return write_kmz(final, named, title=final.stem)
    writers: dict[str, Callable[..., Path]] = {
        ".geojson": single.write_geojson,
        ".shp": single.write_shapefile,
        ".mif": single.write_mif,
        ".parquet": single.write_geoparquet,
    }
    if suffix not in writers:
        raise OutputError(f"cannot write {path}: features are written as {', '.join(FEATURE_SUFFIXES)}")
    if len(named) != 1:
        raise OutputError(f"cannot write {path}: {suffix} holds one layer, here are {len(named)}; use .gpkg or .kmz")
    return writers[suffix](final, next(iter(named.values())))


def grid_place(dataset: xr.Dataset) -> tuple[Affine, str]:
    """Return the transform and CRS of a north-up dataset on dims y, x with ``spatial_ref``.

    Raises
    ------
    OutputError
        If it has no CRS, fewer than two rows or columns, or uneven spacing.
    """
    if "spatial_ref" not in dataset.variables or "crs_wkt" not in dataset["spatial_ref"].attrs:
        raise OutputError("the dataset has no spatial_ref with crs_wkt, so its CRS is not known")
    x, y = (np.asarray(dataset[name].to_numpy(), dtype=np.float64) for name in ("x", "y"))
    if x.size < 2 or y.size < 2:
        raise OutputError(f"a grid of {x.size} x {y.size} pixels has no known pixel size")
    dx, dy = float(x[1] - x[0]), float(y[0] - y[1])
    even = np.allclose(np.diff(x), dx, rtol=1e-6) and np.allclose(np.diff(y), -dy, rtol=1e-6)
    if not even or dx <= 0 or dy <= 0:
        raise OutputError("the dataset is not an evenly spaced north-up grid")
    crs = crs_name(parse_crs(str(dataset["spatial_ref"].attrs["crs_wkt"])))
    return Affine(dx, 0.0, float(x[0]) - dx / 2, 0.0, -dy, float(y[0]) + dy / 2), crs


def _legend(name: str, values: npt.NDArray[Any]) -> tuple[Sequence[looks.Stop], str] | None:
    """Stops and kind for variables whose looks are known."""
    if name.endswith("_dbm"):
        return looks.RSRP_STOPS, "discrete"
    if values.dtype == bool:
        return looks.COVERED_STOPS, "exact"
    return None


def colour_values(values: npt.NDArray[Any], stops: Sequence[looks.Stop], kind: str) -> npt.NDArray[np.uint8]:
    """Colour a layer by its legend: RGBA, shape (ny, nx, 4); what is not known or not in the legend is clear."""
    numbers = np.asarray(values, dtype=np.float64)
    bounds = np.array([stop.value for stop in stops])
    palette = np.zeros((len(stops) + 1, 4), dtype=np.uint8)
    for i, stop in enumerate(stops):
        digits = stop.colour.removeprefix("#").ljust(8, "f")
        palette[i] = [int(digits[j : j + 2], 16) for j in (0, 2, 4, 6)]
    safe = np.where(np.isfinite(numbers), numbers, bounds[-1])
    which = np.searchsorted(bounds, safe, side="left")
    unknown = ~np.isfinite(numbers)
    if kind == "exact":
        unknown |= bounds[np.minimum(which, len(stops) - 1)] != safe
    which = np.where(unknown, len(stops), which)
    return palette[which]


def write_grid(
    path: str | os.PathLike[str], dataset: xr.Dataset, *, variables: Sequence[str] | None = None
) -> list[Path]:
    """Write layers on a grid, such as ``coverage.layers`` or ``terrain.to_dataset()``.

    ``.nc`` and ``.zarr`` hold all variables. ``.tif`` makes a cloud-optimised GeoTIFF a variable, named
    ``stem_variable.tif`` when there are several, with a QGIS style where the look is known (levels in dBm, yes/no).
    ``.kmz`` lays those same variables over the ground in Google Earth, the first one visible.

    Parameters
    ----------
    path : path-like
        Ends in one of `GRID_SUFFIXES`.
    dataset : Dataset
        Dims y, x, north-up, with ``spatial_ref``.
    variables : sequence of str, optional
        Default all on y, x.

    Returns
    -------
    list of Path
        The maps written, without style sidecars.

    Raises
    ------
    OutputError
        If the suffix or a variable is unknown, the dataset has no CRS, or a file cannot be written.
    """
    final = Path(path)
    suffix = final.suffix.lower()
    if suffix not in GRID_SUFFIXES:
        raise OutputError(f"cannot write {path}: grids are written as {', '.join(GRID_SUFFIXES)}")
    names = (
        [str(n) for n in dataset.data_vars if dataset[n].dims == ("y", "x")] if variables is None else list(variables)
    )
    unknown = [name for name in names if name not in dataset.data_vars]
    if unknown or not names:
        raise OutputError(
            f"cannot write {path}: no variable {unknown or 'on y, x'}; there are {list(dataset.data_vars)}"
        )
    chosen = dataset[names]
    if suffix in (".nc", ".zarr"):
        from rfplan.io.formats_grid import write_netcdf, write_zarr

        return [(write_netcdf if suffix == ".nc" else write_zarr)(final, chosen)]
    transform, crs = grid_place(dataset)
    if suffix == ".kmz":
        return [_write_overlays(final, chosen, names, (transform, crs))]
    return [_write_map(final, chosen[name], (transform, crs), several=len(names) > 1) for name in names]


def _write_map(final: Path, layer: xr.DataArray, place: tuple[Affine, str], *, several: bool) -> Path:
    from rfplan.io.raster import write_cog

    name = str(layer.name)
    values = layer.to_numpy()
    target = final.with_name(f"{final.stem}_{name}.tif") if several else final
    nodata = -1.0 if values.dtype.kind == "i" and values.size and values.min() < 0 else None
    write_cog(
        target,
        values,
        transform=place[0],
        crs=place[1],
        nodata=nodata,
        unit=str(layer.attrs.get("units", "")),
        tags={"DESCRIPTION": str(layer.attrs.get("long_name", name))},
    )
    legend = _legend(name, values)
    if legend:
        looks.write_raster_style(target, legend[0], "exact" if legend[1] == "exact" else "discrete")
    return target


def _write_overlays(final: Path, chosen: xr.Dataset, names: Sequence[str], place: tuple[Affine, str]) -> Path:
    from rfplan.io.kml import GroundOverlay, ground_overlay, write_kmz

    overlays: list[GroundOverlay] = []
    for name in names:
        values = chosen[name].to_numpy()
        legend = _legend(name, values)
        if legend:
            picture = colour_values(values, *legend)
            overlays.append(ground_overlay(name, picture, transform=place[0], crs=place[1], visible=not overlays))
    if not overlays:
        raise OutputError(f"cannot write {final}: none of {list(names)} has a known look; give levels in dBm or yes/no")
    return write_kmz(final, {}, overlays, title=final.stem)
