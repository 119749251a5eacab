"""Gridded results for other programs: NetCDF and Zarr by the CF conventions."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rfplan.errors import OutputError
from rfplan.io.atomic import atomic_path, make_folder

if TYPE_CHECKING:
    import xarray as xr

CONVENTIONS = "CF-1.10"


def _cf(dataset: xr.Dataset) -> Any:
    """Return the dataset with types and attributes that NetCDF knows."""
    out = dataset.copy()
    out.attrs = {key: _attribute(value) for key, value in dataset.attrs.items() if value is not None}
    out.attrs["Conventions"] = CONVENTIONS
    for name in list(out.data_vars):
        variable = out[name]
        attrs = {key: _attribute(value) for key, value in variable.attrs.items() if value is not None}
        if variable.dtype == bool:
            out[name] = variable.astype(np.int8)
            attrs |= {"flag_values": np.array([0, 1], dtype=np.int8), "flag_meanings": "no yes"}
        out[name].attrs = {"units": "1"} | attrs
    return out


def _attribute(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    return value if isinstance(value, str | int | float | np.ndarray | np.generic) else str(value)


def write_netcdf(path: str | os.PathLike[str], dataset: xr.Dataset) -> Path:
    """Write a dataset on dims y, x as NetCDF-4 (CF), compressed, atomically.

    The CRS is in the variable ``spatial_ref``; read it back with ``xarray.open_dataset(path, decode_coords="all")``.

    Raises
    ------
    OutputError
        If the dataset has no ``spatial_ref`` or the file cannot be written.
    """
    if "spatial_ref" not in dataset.variables:
        raise OutputError(f"cannot write {path}: the dataset has no spatial_ref, so its CRS would be lost")
    out = _cf(dataset)
    encoding: dict[Any, dict[str, Any]] = {}
    for name, variable in out.data_vars.items():
        # the grid mapping is an attribute in memory and an encoding on reading: write it once
        encoding[name] = {"zlib": True, "complevel": 4}
        if variable.dtype.kind == "f":
            encoding[name]["_FillValue"] = variable.dtype.type(np.nan)
        variable.attrs.setdefault("grid_mapping", "spatial_ref")
        variable.encoding.pop("grid_mapping", None)
    with atomic_path(path) as temporary:
        out.to_netcdf(temporary, engine="h5netcdf", encoding=encoding)
    return Path(path)


def write_zarr(path: str | os.PathLike[str], dataset: xr.Dataset) -> Path:
    """Write a dataset as a Zarr store (a folder), replacing a store of that name; needs ``rfplan[zarr]``.

    Raises
    ------
    OutputError
        If zarr is not installed, something else has that name, or the store cannot be written.
    """
    final = Path(path)
    if importlib.util.find_spec("zarr") is None:
        raise OutputError(f"cannot write {path}: Zarr needs the zarr package; pip install 'rfplan[zarr]'")
    if final.exists() and not any((final / name).exists() for name in ("zarr.json", ".zgroup")):
        raise OutputError(f"cannot write {path}: something that is no Zarr store has this name")
    folder = make_folder(final.parent)
    with tempfile.TemporaryDirectory(prefix=".rfplan-", dir=folder) as scratch:
        store = Path(scratch) / final.name
        _cf(dataset).to_zarr(store, mode="w", consolidated=False)
        try:
            if final.exists():
                shutil.rmtree(final)
            os.replace(store, final)
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    return final
