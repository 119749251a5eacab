"""Fingerprints: one SHA-256 for everything a result depends on, code and machine included."""

from __future__ import annotations

import dataclasses
import enum
import functools
import hashlib
import importlib.metadata
import inspect
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

PACKAGES = ("numpy", "scipy", "numba", "xarray", "rasterio", "pyproj", "shapely", "geopandas", "pandas", "highspy")
"""Packages that bear on the numbers."""


_SOURCES = (".py", ".csv", ".toml")


class NoFingerprintError(TypeError):
    """A value whose content cannot be told from outside, so that nothing may be looked up by it."""


def fingerprint(*values: Any) -> str:
    """Hexadecimal SHA-256 of values, by type and content to the last bit.

    Parameters
    ----------
    *values
        None, bool, int, float, str, bytes, enum members, paths, NumPy arrays and scalars, pandas tables, tuples, lists,
        sets, mappings with keys of text, and rfplan's own dataclasses, which count with the file that defines them. Any
        other object needs an attribute ``store_key``, a text that changes whenever its results would; fields of a
        dataclass count besides.

    Raises
    ------
    NoFingerprintError
        For an object of another kind.
    """
    digest = hashlib.sha256()
    for value in values:
        _add(digest, value)
    return digest.hexdigest()


def _add(digest: Any, value: Any) -> None:
    """Feed a value in such a way that no two different values feed the same bytes."""
    if value is None or (isinstance(value, (bool, int, str, Path)) and not isinstance(value, enum.Enum)):
        _feed(digest, type(value).__name__, str(value).encode())
    elif isinstance(value, float):
        _feed(digest, "float", value.hex().encode())
    elif isinstance(value, bytes):
        _feed(digest, "bytes", value)
    elif isinstance(value, enum.Enum):
        _feed(digest, f"enum {type(value).__qualname__}", value.name.encode())
    elif isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        if array.dtype.hasobject:
            _add(digest, array.tolist())
        else:
            plain = np.ascontiguousarray(array)
            _feed(digest, f"array {array.dtype.str} {array.shape}", plain.reshape(-1).view(np.uint8).data)
    elif isinstance(value, pd.DataFrame):
        _feed(digest, "table", b"")
        _add(digest, {str(name): _column(value.iloc[:, i]) for i, name in enumerate(value.columns)})
    elif isinstance(value, (tuple, list)):
        _feed(digest, f"{type(value).__name__} {len(value)}", b"")
        for part in value:
            _add(digest, part)
    elif isinstance(value, (set, frozenset)):
        _add(digest, sorted(fingerprint(part) for part in value))
    elif isinstance(value, Mapping):
        _feed(digest, f"mapping {len(value)}", b"")
        for name in sorted(value, key=str):
            _add(digest, name)
            _add(digest, value[name])
    else:
        _feed(digest, f"object {type(value).__module__}.{type(value).__qualname__}", _identity(value).encode())
        for field in dataclasses.fields(value) if dataclasses.is_dataclass(value) else ():
            _add(digest, field.name)
            _add(digest, getattr(value, field.name))


def _identity(value: Any) -> str:
    """What tells one version of an object's code from the next."""
    store_key = getattr(value, "store_key", None)
    if isinstance(store_key, str):
        return store_key
    kind = type(value)
    if dataclasses.is_dataclass(kind) and kind.__module__.partition(".")[0] == "rfplan":
        return _source(kind)
    raise NoFingerprintError(
        f"{kind.__module__}.{kind.__qualname__} is not part of rfplan, so a change of its code would go unseen; "
        "give it an attribute store_key, a text that changes whenever its results would"
    )


def _column(column: pd.Series) -> Any:
    if isinstance(column.dtype, np.dtype) and not column.dtype.hasobject:
        return column.to_numpy()
    return [None if part is pd.NA else part for part in column.tolist()]


def _feed(digest: Any, kind: str, content: Any) -> None:
    digest.update(f"{kind}:{len(content)};".encode())
    digest.update(content)


@functools.cache
def _source(kind: type) -> str:
    """SHA-256 of the file that defines a class of rfplan."""
    return hashlib.sha256(Path(inspect.getfile(kind)).read_bytes()).hexdigest()


@functools.cache
def code_fingerprint(*rooms: str) -> str:
    """SHA-256 of the source and tables of rooms of rfplan (``"kernels"``; all without one) and of where it runs.

    The processor and the packages are part of it: machine code of another kind rounds differently.
    """
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for room in rooms or ("",):
        place = root / room
        for path in [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.suffix in _SOURCES):
            _feed(digest, path.relative_to(root).as_posix(), path.read_bytes())
    _add(digest, machine())
    return digest.hexdigest()


@functools.cache
def machine() -> dict[str, str]:
    """Processor, Python and the versions of the packages that bear on the numbers."""
    from llvmlite import binding  # type: ignore[import-untyped]

    found = {"python": platform.python_version(), "processor": str(binding.get_host_cpu_name())}
    found["features"] = ",".join(sorted(name for name, on in binding.get_host_cpu_features().items() if on))
    for name in (*PACKAGES, "llvmlite"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
