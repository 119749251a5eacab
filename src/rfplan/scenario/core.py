"""The scenario: all its sections, and where its files are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr

from rfplan.errors import ScenarioError
from rfplan.scenario import builders
from rfplan.scenario.additions import (
    BackhaulSection,
    Expansion5GSection,
    ParametersSection,
    RollOutSection,
    TuningSection,
)
from rfplan.scenario.base import Section
from rfplan.scenario.inputs import DemandSection, FetchedSection, NetworkSection, TerrainSection
from rfplan.scenario.planning import (
    BaselineSection,
    CostsSection,
    CoverageSection,
    OutputSection,
    PublishedSection,
    SolveSection,
    TargetSection,
)

FETCHED = "fetched:"


class Scenario(Section):
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
    tuning: TuningSection | None = Field(None, description="settings of the planned sectors")
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
        return builders.make_model(self)

    def make_receiver(self) -> Any:
        """Return the scenario's receiver."""
        return builders.make_receiver(self)

    def make_service(self) -> Any:
        """Return the scenario's service; a known name brings its required level."""
        return builders.make_service(self)

    def make_rules(self) -> Any:
        """Return the rules for candidates."""
        return builders.make_rules(self)

    def make_setting_rules(self) -> Any:
        """Return the rules for tuning sectors."""
        return builders.make_setting_rules(self)

    def make_requirement(self) -> Any:
        """Return what joint coverage asks for, or None; refuse what does not go with it."""
        return builders.make_requirement(self)

    def make_backhaul_rules(self) -> Any:
        """Return the rules for hops; costs not given are multiples of ``costs.greenfield``."""
        return builders.make_backhaul_rules(self)

    def make_bands(self) -> Any:
        """Return the 5G carriers on offer; costs not given are multiples of ``costs.greenfield``."""
        return builders.make_bands(self)
