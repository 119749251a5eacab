"""The scenario: one TOML file that says what to plan, checked before anything is computed.

Every error names the key in dotted form, what was given and what is allowed. Paths are relative to the folder of the
TOML file, or to its ``data_dir`` when it has one. The keys are listed in ``docs/scenario.md``.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field, PrivateAttr, ValidationError, model_validator

from rfplan.errors import InputFileError, ParameterError, ScenarioError
from rfplan.propagation.names import MODELS, model_class
from rfplan.scenario_sections import (
    BackhaulSection,
    CostsSection,
    Expansion5GSection,
    FetchedSection,
    ParametersSection,
    RollOutSection,
    Section as _Section,
)

SCHEMA_VERSION = 1
#: Scenarios that come with the package.
BUILT_IN = ("phu-tho",)
FETCHED = "fetched:"
_MAX_SCENARIO_BYTES = 1_000_000
_MAX_TIME_LIMIT_S = 86_400.0

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Technology = Literal["2G", "3G", "4G", "5G"]
Scalar = bool | int | float | str


class TerrainSection(_Section):
    """Where the ground comes from."""

    files: tuple[str, ...] = Field(min_length=1, description="one elevation file or more")
    crs: str | None = Field(None, description="a metric CRS such as EPSG:32648; default the UTM zone")
    resolution_m: float | None = Field(None, gt=0, le=10_000, description="pixel size, above 0 up to 10,000 m")
    bounds: tuple[float, float, float, float] | None = Field(None, description="west, south, east, north in degrees")
    clutter: str | tuple[str, ...] = Field(
        "derived", description='"derived", "default", "bare-earth", a land-cover raster or a list of them'
    )
    clutter_table: str = Field("rfplan", description="name of the table that translates land-cover codes")
    default_clutter_height_m: float = Field(10.0, ge=0, le=100, description="0 to 100 m")
    nodata: float | None = Field(None, description="nodata value, for files that do not declare theirs")
    vertical_datum: Literal["EGM96", "EGM2008"] | None = Field(None, description="datum of heights; default the files'")
    sea: str | None = Field(None, description='"water" (large low regions of that class) or areas of the sea')


class DemandSection(_Section):
    """Who is to be covered, and where they live."""

    population: str | None = Field(None, description="population raster, people a pixel")
    communes: str | None = Field(None, description="commune polygons with official counts")
    population_field: str = Field("population", description="name of the polygons' column of people")
    code_field: str = Field("code", description="name of the polygons' column of codes")
    name_field: str = Field("name", description="name of the polygons' column of names")

    @model_validator(mode="after")
    def _something(self) -> DemandSection:
        if self.population is None and self.communes is None:
            raise ValueError("give population, communes or both")
        return self


class SynthesizeSection(_Section):
    """A synthetic list of stations, where no real one exists."""

    count: int = Field(ge=1, le=100_000, description="1 to 100,000 stations in the whole demand area")
    seed: int = Field(1, ge=0, description="0 or more")


class NetworkSection(_Section):
    """The stations there are: a table, or a synthetic one."""

    sites: str | None = Field(None, description="table of sites (CSV or XLSX)")
    sectors: str | None = Field(None, description="table of sectors")
    cells: str | None = Field(None, description="table of cells")
    column_map: dict[str, str] = Field(default_factory=dict, description="column of the file → name in rfplan")
    synthesize: SynthesizeSection | None = Field(None, description="count and seed of a synthetic list")
    antennas: dict[str, str] = Field(default_factory=dict, description="antenna name → pattern file (.msi, .pln, .txt)")
    antenna: str | None = Field(None, description="antenna of every sector of the technology, existing and new")
    shared_masts: str | None = Field(None, description="table of masts of others that may be used")

    @model_validator(mode="after")
    def _one(self) -> NetworkSection:
        if (self.sites is None) == (self.synthesize is None):
            raise ValueError("give either sites or synthesize")
        return self


class CoverageSection(_Section):
    """What is predicted, and how."""

    technology: Technology = Field("4G", description="2G, 3G, 4G or 5G")
    radius_m: float = Field(10_000.0, gt=0, le=200_000, description="radius of each site's prediction, to 200,000 m")
    method: Literal["sweep", "exact"] = Field("sweep", description='"sweep" or "exact"')
    path_loss_store: str | None = Field(
        None, description="folder that keeps path loss from run to run, relative to the working directory"
    )


class BaselineSection(_Section):
    """The network as it is, by technology and by operator, beside what is planned."""

    technologies: tuple[Technology, ...] | None = Field(None, description="2G, 3G, 4G, 5G; default those there are")
    by_operator: bool = Field(True, description="also each operator's cells on their own, where there are several")


class TargetSection(_Section):
    """How much is to be covered: shares of what is covered already or can be covered."""

    population: Share | None = Field(None, description="share 0 to 1 of people")
    area: Share | None = Field(None, description="share 0 to 1 of area")
    commune_population_floor: Share | None = Field(None, description="least share 0 to 1 of every commune's people")


class SolveSection(_Section):
    """The search for sites."""

    time_limit_s: float = Field(60.0, gt=0, le=_MAX_TIME_LIMIT_S, description="above 0 to 86,400 s")
    seed: int = Field(1, ge=0, le=2**31 - 1, description="0 to 2147483647")


class OutputSection(_Section):
    """Where results go."""

    folder: str | None = Field(None, description="folder for the report, relative to the working directory")


class PublishedSection(_Section):
    """A published figure to stand beside the computed ones in the report."""

    label: str
    population_percent: float | None = Field(None, ge=0, le=100, description="0 to 100 %")
    area_percent: float | None = Field(None, ge=0, le=100, description="0 to 100 %")
    source: str = ""
    explanation: str = ""


class Scenario(_Section):
    """A checked scenario; made by :func:`load_scenario`.

    The sections ``model``, ``receiver``, ``service`` and ``candidates`` hold the fields of the objects that the
    methods of the same name build.
    """

    schema_version: Literal[1] = Field(description="1, the only version so far")
    name: str = Field(min_length=1, max_length=80, description="a short name, up to 80 characters")
    title: str = ""
    area_name: str = ""
    synthetic: bool = False
    synthetic_note: str = ""
    data_dir: str | None = Field(None, description="folder that input paths are relative to")
    generate: Literal["phu-tho"] | None = Field(None, description="synthetic inputs to make before reading them")
    fetched: FetchedSection | None = Field(None, description="fetched data in place of inputs, where it is complete")
    terrain: TerrainSection
    demand: DemandSection
    network: NetworkSection
    coverage: CoverageSection = CoverageSection()
    baseline: BaselineSection | None = None
    model: dict[str, Any] = Field(default_factory=lambda: {"name": "P1812"}, description="name and its parameters")
    receiver: dict[str, Any] = Field(default_factory=dict, description="the device")
    service: dict[str, Any] = Field(default_factory=dict, description="what must be received")
    candidates: dict[str, Any] = Field(default_factory=dict, description="rules for new sites")
    target: TargetSection = TargetSection()
    solve: SolveSection = SolveSection()
    rollout: RollOutSection | None = Field(None, description="which sites in which year")
    costs: CostsSection = CostsSection()
    backhaul: BackhaulSection | None = Field(None, description="how sites are joined to the fibre")
    expansion_5g: Expansion5GSection | None = Field(None, description="5G on existing and chosen sites")
    parameters: ParametersSection | None = Field(None, description="identities, root sequences, neighbours")
    output: OutputSection = OutputSection()
    published: tuple[PublishedSection, ...] = ()
    licences: dict[str, str] = Field(default_factory=dict, description="key of an input file → licence and author")
    notes: tuple[str, ...] = ()

    _source: str = PrivateAttr("scenario")
    _folder: Path = PrivateAttr(default_factory=Path)

    _OBJECTS: ClassVar[tuple[str, ...]] = ("model", "receiver", "service", "candidates")

    @property
    def source(self) -> str:
        """The file the scenario came from, or the built-in name."""
        return self._source

    @property
    def folder(self) -> Path:
        """The folder that relative input paths start from."""
        return self._folder

    def path(self, given: str) -> Path:
        """Return an input path of the scenario as a path of the file system; ``fetched:NAME`` is in the cache."""
        if given.startswith(FETCHED):
            from rfplan.io.fetch import cache_folder

            return cache_folder() / given.removeprefix(FETCHED)
        return self._folder / given

    def in_folder(self, folder: str | os.PathLike[str]) -> Scenario:
        """Return the same scenario with its input paths relative to another folder."""
        copy = self.edited({})
        copy._folder = Path(folder)
        return copy

    def with_seed(self, seed: int) -> Scenario:
        """Return the same scenario with another seed of the search."""
        return self.edited({"solve": self.solve.model_copy(update={"seed": seed})})

    def edited(self, update: Mapping[str, Any]) -> Scenario:
        """Return the same scenario with other values of some sections; they are not checked anew."""
        copy = self.model_copy(update=dict(update))
        copy._source, copy._folder = self._source, self._folder
        return copy

    def input_files(self) -> dict[str, Path]:
        """Return every input file by the key that names it."""
        named: dict[str, str | None] = {f"terrain.files[{k}]": name for k, name in enumerate(self.terrain.files)}
        if not isinstance(self.terrain.clutter, str):
            named |= {f"terrain.clutter[{k}]": name for k, name in enumerate(self.terrain.clutter)}
        elif self.terrain.clutter not in ("derived", "default", "bare-earth"):
            named["terrain.clutter"] = self.terrain.clutter
        named["terrain.sea"] = self.terrain.sea if self.terrain.sea != "water" else None
        named |= {"demand.population": self.demand.population, "demand.communes": self.demand.communes}
        named |= {f"network.{key}": getattr(self.network, key) for key in ("sites", "sectors", "cells", "shared_masts")}
        named |= {f"network.antennas.{key}": name for key, name in self.network.antennas.items()}
        named["model.calibrated"] = self.model.get("calibrated")
        named["backhaul.fibre"] = self.backhaul.fibre if self.backhaul is not None else None
        return {key: self.path(name) for key, name in named.items() if name is not None}

    def check_files(self) -> None:
        """Raise ScenarioError for the first input file that is not there."""
        for key, path in self.input_files().items():
            if not path.is_file():
                raise ScenarioError(
                    f"{self.source}: {key}: no file at {path}; paths are relative to {self.folder.resolve()} "
                    "(the scenario's folder or its data_dir, which --data-dir replaces)"
                )

    def make_model(self) -> Any:
        """Return the propagation model the scenario names: calibrated, where it names a calibration file."""
        values = dict(self.model)
        if "calibrated" in values:
            return self._calibrated(values)
        name = values.pop("name", "P1812")
        if name not in MODELS:
            raise ScenarioError(f"{self.source}: model.name: {name!r} is not known; allowed are {', '.join(MODELS)}")
        return self._made("model", model_class(name), values)

    def _calibrated(self, values: Mapping[str, Any]) -> Any:
        """The model of a calibration file; before the file is there (it is checked later) its absence says nothing."""
        from rfplan.calibration import load_calibration

        if len(values) > 1 or not isinstance(values["calibrated"], str):
            raise ScenarioError(
                f"{self.source}: model.calibrated: the file brings its model and parameters; write only "
                '[model] calibrated = "FILE.json", which `rfplan calibrate --out` makes'
            )
        path = self.path(values["calibrated"])
        if not path.exists():
            return None
        try:
            return load_calibration(path)
        except InputFileError as error:
            raise ScenarioError(f"{self.source}: model.calibrated: {error}") from error

    def make_receiver(self) -> Any:
        """Return the scenario's receiver."""
        from rfplan.coverage.settings import Receiver

        return self._made("receiver", Receiver, self.receiver)

    def make_service(self) -> Any:
        """Return the scenario's service; a known name brings its required level."""
        from rfplan.coverage.settings import SERVICE_RSRP_DBM, Service

        name = self.service.get("name", Service.name)
        level = {"required_rsrp_dbm": SERVICE_RSRP_DBM[name]} if name in SERVICE_RSRP_DBM else {}
        return self._made("service", Service, level | self.service)

    def make_rules(self) -> Any:
        """Return the rules for candidates."""
        from rfplan.optimize.candidates import CandidateRules

        defaults = CandidateRules()
        values: dict[str, Any] = {"cost": {}, **self.candidates}
        priced = {"cost": self.costs.by_kind(defaults.cost), "tx_height_agl_m": defaults.tx_height_agl_m}
        for key, standard in priced.items():
            if isinstance(values.get(key), Mapping):
                values[key] = {**standard, **values[key]}
        if isinstance(values.get("kinds"), list):
            values["kinds"] = tuple(values["kinds"])
        return self._made("candidates", CandidateRules, values)

    def make_backhaul_rules(self) -> Any:
        """Return the rules for hops; costs not given are multiples of ``costs.greenfield``."""
        from rfplan.optimize.hops import BackhaulRules

        scale = self.costs.greenfield
        standard = BackhaulRules()
        priced = {f.name: scale * getattr(standard, f.name) for f in dataclasses.fields(standard) if "cost" in f.name}
        given = {} if self.backhaul is None else self.backhaul.hops
        return self._made("backhaul.hops", BackhaulRules, {**priced, **given})

    def make_bands(self) -> Any:
        """Return the 5G carriers on offer; costs not given are multiples of ``costs.greenfield``."""
        from rfplan.optimize.overlay import OVERLAY_BANDS, OverlayBand

        section = self.expansion_5g or Expansion5GSection(population=0.0)
        known = {b.name: dataclasses.replace(b, cost=b.cost * self.costs.greenfield) for b in OVERLAY_BANDS}
        for custom in section.custom:
            values = custom.model_dump()
            values["uplink_frequency_mhz"] = values["uplink_frequency_mhz"] or values["frequency_mhz"]
            known[custom.name] = OverlayBand(**values)
        bands = []
        for name in dict.fromkeys([*section.bands, *(custom.name for custom in section.custom)]):
            if name not in known:
                raise ScenarioError(
                    f"{self.source}: expansion_5g.bands: {name!r} is not known; {_unknown(name, list(known))}"
                )
            bands.append(dataclasses.replace(known[name], cost=section.cost.get(name, known[name].cost)))
        return tuple(bands)

    def _made(self, section: str, kind: Any, values: Mapping[str, Any]) -> Any:
        """Build an object from a section, turning its complaints into ones that name the key."""
        fields = {f.name: f for f in dataclasses.fields(kind) if f.init}
        for key, value in values.items():
            if key not in fields:
                raise ScenarioError(f"{self.source}: {section}.{key}: {_unknown(key, list(fields))}")
            default = fields[key].default
            if isinstance(default, (int, float)) and not isinstance(default, bool) and not _is_number(value):
                raise ScenarioError(f"{self.source}: {section}.{key}: got {value!r}; it must be a number")
            if isinstance(default, str) and not isinstance(value, str):
                raise ScenarioError(f"{self.source}: {section}.{key}: got {value!r}; it must be text in quotes")
        try:
            return kind(**values)
        except (ParameterError, TypeError, ValueError) as error:
            guilty = next((key for key in values if key in str(error)), None)
            where = f"{section}.{guilty}" if guilty else section
            raise ScenarioError(f"{self.source}: {where}: {error}") from error


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
        raise ScenarioError("\n".join(f"{name}: {line}" for line in _explain(error))) from None
    if data_dir is not None:
        folder = Path(data_dir)
    elif scenario.data_dir is not None:
        folder = folder / scenario.data_dir
    scenario._source, scenario._folder = name, folder
    inputs = list(scenario.input_files())
    for key in scenario.licences:
        if key not in inputs:
            raise ScenarioError(f"{name}: licences.{key}: {_unknown(key, inputs)}")
    makers = (scenario.make_model, scenario.make_receiver, scenario.make_service, scenario.make_rules)
    for make in (*makers, scenario.make_backhaul_rules, scenario.make_bands):
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


def _explain(error: ValidationError) -> list[str]:
    """Turn pydantic's complaints into lines that name key, value and what is allowed."""
    lines = []
    for item in error.errors(include_url=False):
        parts = [part for part in item["loc"] if not (isinstance(part, str) and "[" in part)]
        key = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in parts).lstrip(".") or "scenario"
        if item["type"] == "extra_forbidden":
            lines.append(f"{key}: {_unknown(str(parts[-1]), _siblings(parts[:-1]))}")
            continue
        allowed = _description(parts)
        text = item["msg"].removeprefix("Value error, ")
        text = text[:1].lower() + text[1:]
        tail = f" (allowed: {allowed})" if allowed else ""
        if item["type"] == "missing":
            lines.append(f"{key}: missing{tail}")
        elif isinstance(item["input"], (dict, BaseModel)):
            lines.append(f"{key}: {text}{tail}")
        else:
            lines.append(f"{key}: got {item['input']!r}; {text}{tail}")
    return lines


def _model_at(parts: list[int | str]) -> type[BaseModel] | None:
    """Return the section that a place in the file belongs to."""
    here: type[BaseModel] = Scenario
    for part in parts:
        if isinstance(part, int):
            continue
        field = here.model_fields.get(part)
        inner = _section_of(field.annotation) if field is not None else None
        if inner is None:
            return None
        here = inner
    return here


def _section_of(annotation: Any) -> type[BaseModel] | None:
    """Find the section type inside an annotation such as ``SynthesizeSection | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_section_of(arg) for arg in getattr(annotation, "__args__", ()))
    return next((section for section in found if section is not None), None)


def _siblings(parts: list[int | str]) -> list[str]:
    section = _model_at(parts)
    return list(section.model_fields) if section else []


def _description(parts: list[int | str]) -> str:
    names = [part for part in parts if isinstance(part, str)]
    section = _model_at(list(names[:-1])) if names else None
    field = section.model_fields.get(names[-1]) if section else None
    return (field.description or "") if field is not None else ""


def _unknown(key: str, allowed: list[str]) -> str:
    close = difflib.get_close_matches(key, allowed, 1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"unknown key{hint} (allowed: {', '.join(allowed)})" if allowed else "unknown key"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
