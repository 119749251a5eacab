"""What a propagation model is, and the checks every model shares."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from rfplan.errors import ParameterError, ValidityWarning
from rfplan.profile import Paths

FloatArray = npt.NDArray[np.float64]
Needs = Literal["distance", "geometry", "profile"]

__all__ = [
    "GeometryModel",
    "Needs",
    "PropagationModel",
    "check_range",
    "distance_arguments",
    "require",
    "require_choice",
    "require_profile",
    "require_range",
]


class PropagationModel(Protocol):
    """Anything with ``needs`` and ``path_loss_db`` is a model: no base class, no Numba needed.

    ``needs`` says what the model looks at: "distance" (length, frequency and heights), "geometry" (the
    delta-Bullington family, see `GeometryModel`) or "profile" (every terrain point).
    """

    @property
    def needs(self) -> str:
        """What the model looks at: "distance", "geometry" or "profile"."""
        ...

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Basic transmission loss of each path, dB (positive is loss), shape (n,)."""
        ...


@runtime_checkable
class GeometryModel(Protocol):
    """A model that splits into frequency-free geometry and a finish, and so can be swept over a grid.

    One that also has ``finish_kernel`` (see ``rfplan.kernels.finish``), ``finish_bands(frequency_mhz, polarization)``
    and ``finish_parameters()``, as `P1812` does, is finished inside the sweep, while the geometry is in the cache.
    """

    @property
    def needs(self) -> str:
        """Always "geometry"."""
        ...

    def path_loss_db(self, paths: Paths) -> FloatArray:
        """Basic transmission loss of each path, dB, shape (n,)."""
        ...

    def geometry_settings(self) -> FloatArray:
        """Settings of the geometry kernels (see ``rfplan.kernels.geometry``)."""
        ...

    def finish_db(self, geometry: FloatArray, frequency_mhz: npt.ArrayLike, polarization: str) -> FloatArray:
        """Loss, dB, shape (bands, n), from geometry of shape (fields, n) and frequencies, MHz, of shape (bands,)."""
        ...


def distance_arguments(paths: Paths) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """What distance models take of each path: length, m, frequency, MHz, and heights above ground, m, of tx and rx."""
    return paths.distance_m, paths.frequency_mhz, paths.tx_height_agl_m, paths.rx_height_agl_m


def require(condition: bool, name: str, value: object, allowed: str, remedy: str = "") -> None:
    """Raise `ParameterError` (parameter, value, what is allowed, remedy) unless the condition holds."""
    if not condition:
        tail = f"; {remedy}" if remedy else ""
        raise ParameterError(f"{name} is {value!r}; allowed: {allowed}{tail}")


def _first_outside(values: FloatArray, low: float, high: float) -> float | None:
    outside = ~((values >= low) & (values <= high))  # NaN counts as outside
    return float(values.ravel()[int(np.flatnonzero(outside)[0])]) if outside.any() else None


def require_range(name: str, value: npt.ArrayLike, low: float, high: float, remedy: str = "") -> None:
    """Raise `ParameterError` when a value (or any element) is not within [low, high]; NaN is never within."""
    bad = _first_outside(np.asarray(value, dtype=np.float64), low, high)
    if bad is not None:
        require(False, name, bad, f"{low:g} to {high:g}", remedy)


def require_choice(name: str, value: object, choices: Collection[object]) -> None:
    """Raise `ParameterError` when a value is not one of the choices."""
    if value not in choices:
        require(False, name, value, ", ".join(repr(choice) for choice in choices))


def check_range(name: str, value: npt.ArrayLike, low: float, high: float, source: str, *, stacklevel: int = 3) -> None:
    """Warn (`ValidityWarning`) once when a value lies outside the range of a model's source; nothing is clipped."""
    values = np.asarray(value, dtype=np.float64)
    bad = _first_outside(values, low, high)
    if bad is not None:
        warnings.warn(
            f"{name} = {bad:g} is outside {low:g} to {high:g}, the range of {source}; the result is extrapolated",
            ValidityWarning,
            stacklevel=stacklevel,
        )


def require_profile(paths: Paths, model: str) -> None:
    """Raise `ParameterError` when a terrain model is given paths without terrain."""
    if not paths.has_profile:
        raise ParameterError(
            f"{model} needs terrain, but these paths carry distances only; "
            "make them with PathProfile.paths or Terrain.profile"
        )
