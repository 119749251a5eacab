"""Sections that say what is predicted, what is wanted, what it costs and where results go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from rfplan.scenario.base import Amount, Section, Share, Technology, TimeLimit

RELATIVE_UNIT = "relative (1 = new roadside mast)"


class CoverageSection(Section):
    """What is predicted, and how."""

    technology: Technology = Field("4G", description="2G, 3G, 4G or 5G")
    radius_m: float = Field(10_000.0, gt=0, le=200_000, description="radius of each site's prediction, to 200,000 m")
    method: Literal["sweep", "exact"] = Field("sweep", description='"sweep" or "exact"')
    path_loss_store: str | None = Field(
        None, description="folder that keeps path loss from run to run, relative to the working directory"
    )


class BaselineSection(Section):
    """The network as it is, by technology and by operator, beside what is planned."""

    technologies: tuple[Technology, ...] | None = Field(None, description="2G, 3G, 4G, 5G; default those there are")
    by_operator: bool = Field(True, description="also each operator's cells on their own, where there are several")


class TargetSection(Section):
    """How much is to be covered: shares of what is covered already or can be covered."""

    population: Share | None = Field(None, description="share 0 to 1 of people")
    area: Share | None = Field(None, description="share 0 to 1 of area")
    commune_population_floor: Share | None = Field(None, description="least share 0 to 1 of every commune's people")
    joint_probability: float | None = Field(
        None, gt=0, lt=1, description="above 0 and below 1: what several sites together must serve a pixel with"
    )


class SolveSection(Section):
    """The search for sites."""

    time_limit_s: TimeLimit = Field(60.0, description="above 0 to 86,400 s")
    seed: int = Field(1, ge=0, le=2**31 - 1, description="0 to 2147483647")


class CostsSection(Section):
    """What kinds of work cost, in one unit."""

    unit: str = Field(RELATIVE_UNIT, min_length=1, max_length=60, description='text such as "billion VND"')
    greenfield: Amount = Field(1.0, description="a new mast beside a road; other ground costs a multiple of it")
    co_location: Amount | None = Field(None, description="equipment on an existing or shared mast")
    upgrade: Amount | None = Field(None, description="the technology added to an existing site")
    new_sector: Amount | None = Field(None, description="one more sector on a site that has the technology")
    taller_mast: Amount | None = Field(None, description="a taller mast with a set of sectors on an existing site")
    site_visit: Amount = Field(0.0, description="any work on an existing site, once however much is done there")
    ground_factor: dict[Literal["seat", "summit", "ridge", "grid"], Amount] = Field(
        default_factory=dict, description="multiple of greenfield by kind of ground: seat, summit, ridge, grid"
    )

    def by_kind(self, relative: Mapping[str, float]) -> dict[str, float]:
        """Cost of each kind of candidate; `relative` has the defaults in units of one new roadside mast."""
        out = {kind: self.greenfield * self.ground_factor.get(kind, value) for kind, value in relative.items()}  # type: ignore[call-overload]
        given = {
            "mast": self.upgrade,
            "shared": self.co_location,
            "sector": self.new_sector,
            "taller": self.taller_mast,
        }
        return out | {kind: value for kind, value in given.items() if value is not None}


class OutputSection(Section):
    """Where results go."""

    folder: str | None = Field(None, description="folder for the report, relative to the working directory")


class PublishedSection(Section):
    """A published figure to stand beside the computed ones in the report."""

    label: str
    population_percent: float | None = Field(None, ge=0, le=100, description="0 to 100 %")
    area_percent: float | None = Field(None, ge=0, le=100, description="0 to 100 %")
    source: str = ""
    explanation: str = ""
