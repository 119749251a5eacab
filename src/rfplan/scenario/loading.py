"""From a TOML file to a checked scenario."""

from __future__ import annotations

import os
import tomllib
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from rfplan.errors import ScenarioError
from rfplan.scenario.core import Scenario
from rfplan.scenario.messages import explain, unknown

SCHEMA_VERSION = 1
#: Scenarios that come with the package.
BUILT_IN = ("phu-tho",)
_MAX_SCENARIO_BYTES = 1_000_000


def load_scenario(source: str | os.PathLike[str], *, data_dir: str | os.PathLike[str] | None = None) -> Scenario:
    """Read and check a scenario.

    Parameters
    ----------
    source
        Path of a TOML file, or the name of a built-in scenario (``phu-tho``).
    data_dir
        Folder that input paths are relative to, in place of the file's own ``data_dir``.

    Returns
    -------
    Scenario

    Raises
    ------
    ScenarioError
        If the file cannot be read, is not TOML, or a key is unknown, missing or impossible. That an input file exists
        is checked by ``Scenario.check_files``, which ``run_plan`` calls first.
    """
    name, text, folder = _read(source)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{name}: not valid TOML: {error}") from error
    if "schema_version" not in values:
        raise ScenarioError(f"{name}: schema_version: missing; write schema_version = {SCHEMA_VERSION} at the top")
    if values["schema_version"] != SCHEMA_VERSION:
        raise ScenarioError(
            f"{name}: schema_version: got {values['schema_version']!r}; this version of rfplan reads {SCHEMA_VERSION}"
        )
    try:
        scenario = Scenario.model_validate(values)
    except ValidationError as error:
        raise ScenarioError("\n".join(f"{name}: {line}" for line in explain(error, Scenario))) from None
    if data_dir is not None:
        folder = Path(data_dir)
    elif scenario.data_dir is not None:
        folder = folder / scenario.data_dir
    scenario._source, scenario._folder = name, folder
    inputs = list(scenario.input_files())
    for key in scenario.licences:
        if key not in inputs:
            raise ScenarioError(f"{name}: licences.{key}: {unknown(key, inputs)}")
    makers = (scenario.make_model, scenario.make_receiver, scenario.make_service, scenario.make_rules)
    for make in (
        *makers,
        scenario.make_setting_rules,
        scenario.make_requirement,
        scenario.make_backhaul_rules,
        scenario.make_bands,
    ):
        make()
    return scenario


def _read(source: str | os.PathLike[str]) -> tuple[str, str, Path]:
    """Return the name to use in messages, the text and the folder of a scenario."""
    path = Path(source)
    if str(source) in BUILT_IN and not path.is_file():
        packaged = resources.files("rfplan.builtin").joinpath(f"{str(source).replace('-', '_')}.toml")
        return str(source), packaged.read_text(encoding="utf-8"), Path()
    if not path.is_file():
        raise ScenarioError(
            f"{source}: no such scenario; give the path of a TOML file or a built-in name ({', '.join(BUILT_IN)})"
        )
    if path.stat().st_size > _MAX_SCENARIO_BYTES:
        raise ScenarioError(f"{source}: {path.stat().st_size:,} bytes; a scenario has at most {_MAX_SCENARIO_BYTES:,}")
    try:
        return str(source), path.read_text(encoding="utf-8-sig"), path.parent
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{source}: not UTF-8 text (byte {error.start}); save the file as UTF-8") from error
    except OSError as error:
        raise ScenarioError(f"{source}: cannot be read: {error.strerror or error}") from error
