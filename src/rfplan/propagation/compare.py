"""Several models on one link, side by side, with the parts of each loss."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rfplan.errors import ParameterError, RfplanError
from rfplan.profile import PathProfile, Paths, Polarization
from rfplan.propagation.base import PropagationModel, require
from rfplan.propagation.free_space import free_space_loss_db

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.float64]

__all__ = ["compare_models", "model_name"]


def model_name(model: object) -> str:
    """Name of a model: its type and the parameters that differ from their defaults."""
    name = type(model).__name__
    if not dataclasses.is_dataclass(model):
        return name
    changed = []
    for item in dataclasses.fields(model):
        if not item.repr:  # tables that a model carries
            continue
        value = getattr(model, item.name)
        default = item.default_factory() if item.default_factory is not dataclasses.MISSING else item.default
        if default is dataclasses.MISSING or value != default:
            changed.append(f"{item.name}={_text(value)}")
    return f"{name}({', '.join(changed)})" if changed else name


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "(" + ", ".join(_text(item) for item in value) + ")"
    return model_name(value) if dataclasses.is_dataclass(value) else repr(value)


def _named(models: Mapping[str, PropagationModel] | Sequence[PropagationModel]) -> dict[str, PropagationModel]:
    if isinstance(models, Mapping):
        named = dict(models)
    else:
        named = {}
        for model in models:
            name, count = model_name(model), 2
            while name in named:
                name, count = f"{model_name(model)} #{count}", count + 1
            named[name] = model
    require(len(named) > 0, "models", models, "at least one model")
    for name, model in named.items():
        if not hasattr(model, "path_loss_db") or isinstance(model, type):
            raise ParameterError(
                f"models[{name!r}] is {model!r}; it needs path_loss_db(paths): pass an instance, as P1812()"
            )
    return named


def _paths(
    link: PathProfile | float, f: npt.ArrayLike, tx: npt.ArrayLike, rx: npt.ArrayLike, polarization: Polarization
) -> Paths:
    if isinstance(link, PathProfile):
        return link.paths(frequency_mhz=f, tx_height_agl_m=tx, rx_height_agl_m=rx, polarization=polarization)
    return Paths.from_distance(float(link), f, tx, rx, polarization=polarization)


def _evaluate(model: PropagationModel, paths: Paths) -> tuple[FloatArray, dict[str, FloatArray], str]:
    """Loss, parts and notes of one model; what it cannot do becomes NaN and a note."""
    n = len(paths)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            if model.needs != "distance" and not paths.has_profile:
                raise ParameterError("needs a terrain profile")
            loss = np.asarray(model.path_loss_db(paths), dtype=np.float64)
            parts = dict(model.loss_parts(paths)) if hasattr(model, "loss_parts") else {}
            problem = []
        except RfplanError as error:
            loss, parts, problem = np.full(n, np.nan), {}, [str(error)]
    require(loss.shape == (n,), f"{type(model).__name__}.path_loss_db(paths).shape", loss.shape, f"({n},)")
    notes = list(dict.fromkeys([*problem, *(str(warning.message) for warning in caught)]))
    return (
        loss,
        {name: np.broadcast_to(np.asarray(v, dtype=np.float64), (n,)) for name, v in parts.items()},
        "; ".join(notes),
    )


def compare_models(
    profile: PathProfile | float,
    models: Mapping[str, PropagationModel] | Sequence[PropagationModel],
    *,
    frequency_mhz: npt.ArrayLike,
    tx_height_agl_m: npt.ArrayLike,
    rx_height_agl_m: npt.ArrayLike,
    polarization: Polarization = "vertical",
) -> pd.DataFrame:
    """Loss of one link by several models, with the parts each model names.

    Parameters
    ----------
    profile
        Terrain profile, or for distance models just the link's length, m.
    models
        Models, or a mapping from the names they shall have.
    frequency_mhz, tx_height_agl_m, rx_height_agl_m
        Frequency, MHz, and antenna heights above ground, m; arrays give a row a combination and model.
    polarization
        "vertical" or "horizontal".

    Returns
    -------
    DataFrame
        A row a model (and combination), in the order given. ``model``, ``frequency_mhz``, ``tx_height_agl_m``,
        ``rx_height_agl_m``, ``distance_m``, ``path_loss_db``, ``excess_db`` (over free space along the straight line),
        ``free_space_db``, then every part any model names (NaN where a model doesn't), ``needs``, ``citation`` and
        ``notes``: warnings (outside the stated range) and why a model gave no loss.

    Raises
    ------
    ParameterError
        When the link or a model is not usable at all.

    Notes
    -----
    Parts of the empirical models, TR 38.901 and ITM add up to the loss; those of P.1812 and P.452 are the
    Recommendations' components, which combine in other ways.
    """
    import pandas as pd

    named = _named(models)
    paths = _paths(profile, frequency_mhz, tx_height_agl_m, rx_height_agl_m, polarization)
    slant_m = np.hypot(paths.distance_m, paths.tx_height_agl_m - paths.rx_height_agl_m)
    if paths.has_profile and isinstance(profile, PathProfile):
        ground = profile.elevation_amsl_m
        slant_m = np.hypot(paths.distance_m, paths.tx_height_agl_m + ground[0] - paths.rx_height_agl_m - ground[-1])
    free = free_space_loss_db(slant_m, paths.frequency_mhz)
    tables = []
    for name, model in named.items():
        loss, parts, notes = _evaluate(model, paths)
        row = {
            "model": name,
            "frequency_mhz": paths.frequency_mhz,
            "tx_height_agl_m": paths.tx_height_agl_m,
            "rx_height_agl_m": paths.rx_height_agl_m,
            "distance_m": paths.distance_m,
            "path_loss_db": loss,
            "excess_db": loss - free,
            "free_space_db": free,
            **{part: values for part, values in parts.items() if part != "free_space_db"},
            "needs": str(model.needs),
            "citation": str(getattr(model, "citation", "")),
            "notes": notes,
        }
        tables.append(pd.DataFrame(row))
    table = pd.concat(tables, ignore_index=True)
    tail = ["needs", "citation", "notes"]
    return table[[*(column for column in table.columns if column not in tail), *tail]]
