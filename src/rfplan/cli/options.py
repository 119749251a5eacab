"""Arguments and options that several commands share, and what is read from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rfplan.scenario import Scenario

ScenarioArgument = Annotated[str, typer.Argument(help="A scenario file (TOML) or a built-in name: phu-tho.")]
OutOption = Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the results.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no table: only errors.")]
DataDirOption = Annotated[
    Path | None, typer.Option(help="Folder that the scenario's input paths are relative to, in place of its own.")
]


def load(scenario: str, data_dir: Path | None) -> Scenario:
    """Load the scenario a command is about."""
    from rfplan.scenario import load_scenario

    return load_scenario(scenario, data_dir=data_dir)


def known_model(name: str) -> None:
    """Refuse a model that is not known."""
    from rfplan.errors import ParameterError
    from rfplan.propagation.names import MODELS

    if name not in MODELS:
        raise ParameterError(f"--model {name!r} is not known; allowed are {', '.join(MODELS)}")


def numbers(option: str, text: str, count: int, form: str) -> list[float]:
    """Return the numbers of an option such as ``--bbox W,S,E,N``."""
    from rfplan.errors import ParameterError

    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != count:
        raise ParameterError(f"{option} {text!r}: give {form} in degrees, decimal points, no blanks")
    return values


def lonlat(option: str, text: str) -> tuple[float, float]:
    """Return longitude and latitude of an option such as ``--from LON,LAT``."""
    from rfplan.errors import ParameterError

    lon, lat = numbers(option, text, 2, "LON,LAT")
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise ParameterError(f"{option} {text!r}: longitude is -180 to 180 and latitude -90 to 90, longitude first")
    return lon, lat
