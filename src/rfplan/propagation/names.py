"""Models by name: what a scenario or a saved calibration may name, and how a model is written down and made again."""

from __future__ import annotations

import dataclasses
import enum
import importlib
from collections.abc import Mapping
from typing import Any, Final

from rfplan.errors import ParameterError

MODELS: Final[Mapping[str, str]] = {
    "P1812": "p1812",
    "P452": "p452",
    "P526": "p526",
    "FreeSpace": "free_space",
    "ITM": "itm",
    "ITMArea": "itm_area",
    "ExtendedHata": "ehata",
    "HataDem": "spm",
    "SPM": "spm",
    "OkumuraHata": "hata",
    "Cost231Hata": "hata",
    "WalfischIkegami": "walfisch_ikegami",
    "Ecc33": "fixed_access",
    "Sui": "fixed_access",
    "Ericsson9999": "fixed_access",
    "TwoRay": "plane_earth",
    "Egli": "plane_earth",
    "LogDistance": "plane_earth",
}
"""Models that can be named, and the module of this package that holds each."""


def model_class(name: str) -> Any:
    """Return the class of a model of `MODELS`."""
    return getattr(importlib.import_module(f"rfplan.propagation.{MODELS[name]}"), name)


def describe_model(model: object) -> dict[str, Any] | None:
    """Name and parameters of a model in plain values, or None for a model that is not in `MODELS`."""
    name = type(model).__name__
    if name not in MODELS or not isinstance(model, model_class(name)):
        return None
    fields = dataclasses.fields(model)
    return {"name": name, "parameters": {f.name: _plain(getattr(model, f.name)) for f in fields if f.init}}


def make_model(description: Mapping[str, Any]) -> Any:
    """Make the model that `describe_model` described, bit for bit.

    Raises
    ------
    ParameterError
        The name is not in `MODELS`, or a parameter does not exist or is out of range.
    """
    name, parameters = str(description.get("name")), description.get("parameters", {})
    if name not in MODELS:
        raise ParameterError(f"model {name!r} is not known; allowed are {', '.join(MODELS)}")
    kind = model_class(name)
    fields = {f.name: f for f in dataclasses.fields(kind) if f.init}
    unknown = sorted(set(parameters) - set(fields))
    if unknown:
        raise ParameterError(f"{name} has no parameter {', '.join(unknown)}; it has {', '.join(fields)}")
    try:
        return kind(**{key: _like(fields[key].default, value) for key, value in parameters.items()})
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{name}: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return value


def _like(default: Any, value: Any) -> Any:
    """Give a plain value the type of the parameter's default."""
    if isinstance(default, enum.Enum):
        return type(default)(value)
    if dataclasses.is_dataclass(default) and isinstance(value, Mapping):
        kind: Any = type(default)
        return kind(**value)
    return _tuples(value) if isinstance(default, tuple) else value


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
