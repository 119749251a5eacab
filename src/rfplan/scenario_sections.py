"""Sections of a scenario that build on the choice of sites: roll-out, costs, backhaul, 5G, network parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Amount = Annotated[float, Field(ge=0.0)]
Year = Annotated[int, Field(ge=1980, le=2100)]

RELATIVE_UNIT = "relative (1 = new roadside mast)"


class Section(BaseModel):
    """A table of the scenario: frozen, without unknown keys, numbers finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)


class RollOutSection(Section):
    """Which sites in which year."""

    years: tuple[Year, ...] = Field(
        (2025, 2026, 2027, 2028, 2029, 2030), min_length=1, description="years in rising order, such as [2025, 2026]"
    )
    budget: Amount | None = Field(None, description="cost a year, in the unit of [costs]; default: the plan just fits")
    budgets: dict[Year, Amount] = Field(default_factory=dict, description="cost of single years, in place of budget")
    measure: Literal["people", "area"] = Field("people", description='"people" or "area": what comes first')
    milestones: dict[Year, Share] = Field(default_factory=dict, description="year = share 0 to 1 reached by its end")
    discount_rate: float = Field(0.0, ge=0, le=1, description="0 to 1 a year")
    carry_over: bool = Field(True, description="whether money left of a year may be spent later")
    time_limit_s: float = Field(10.0, gt=0, le=86_400, description="above 0 to 86,400 s, for schedule and bounds")

    @model_validator(mode="after")
    def _consistent(self) -> RollOutSection:
        if any(b <= a for a, b in zip(self.years, self.years[1:], strict=False)):
            raise ValueError(f"years {list(self.years)} must rise")
        for name, given in (("budgets", self.budgets), ("milestones", self.milestones)):
            strange = sorted(set(given) - set(self.years))
            if strange:
                raise ValueError(f"{name} names {strange[0]}, which is not among the years {list(self.years)}")
        if self.budgets and self.budget is None and set(self.budgets) != set(self.years):
            missing = sorted(set(self.years) - set(self.budgets))
            raise ValueError(f"budgets has nothing for {missing[0]}; add it, or give budget for the years not named")
        return self

    def yearly(self) -> dict[int, float] | None:
        """Budget of each year, or None where the plan's own cost is to be split."""
        if self.budget is None and not self.budgets:
            return None
        return {year: self.budgets.get(year, self.budget or 0.0) for year in self.years}


class CostsSection(Section):
    """What kinds of work cost, in one unit."""

    unit: str = Field(RELATIVE_UNIT, min_length=1, max_length=60, description='text such as "billion VND"')
    greenfield: Amount = Field(1.0, description="a new mast beside a road; other ground costs a multiple of it")
    co_location: Amount | None = Field(None, description="equipment on an existing or shared mast")
    upgrade: Amount | None = Field(None, description="the technology added to an existing site")
    new_sector: Amount | None = Field(None, description="one more sector on a site that has the technology")
    taller_mast: Amount | None = Field(None, description="a taller mast with a set of sectors on an existing site")
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


class BackhaulSection(Section):
    """How sites are joined to the fibre."""

    fibre: str | None = Field(None, description="fibre routes: a file of lines (GeoJSON, GeoPackage, Shapefile)")
    existing_have_fibre: bool = Field(True, description="existing sites count as having backhaul")
    fibre_sites: tuple[str, ...] = Field((), description="site_id of existing sites with fibre, where not all have it")
    unreachable: Literal["exclude", "price"] = Field("exclude", description='"exclude" or "price"')
    unreachable_cost: Amount = Field(1.0, description="added to the cost of a candidate without backhaul")
    hops: dict[str, Any] = Field(default_factory=dict, description="fields of BackhaulRules")

    @model_validator(mode="after")
    def _some_root(self) -> BackhaulSection:
        if self.fibre is None and not self.existing_have_fibre and not self.fibre_sites:
            raise ValueError("nothing has fibre: give fibre, fibre_sites or existing_have_fibre = true")
        return self


class BandSection(Section):
    """A 5G carrier on offer."""

    name: str = Field(min_length=1, max_length=20, description="name of the band, such as n78")
    frequency_mhz: float = Field(gt=0, description="carrier centre, MHz")
    uplink_frequency_mhz: float | None = Field(None, gt=0, description="uplink carrier, MHz; default the same")
    bandwidth_mhz: float = Field(gt=0, description="MHz")
    max_power_dbm: float = Field(description="dBm")
    cost: Amount = Field(description="of the overlay on one existing site, in the unit of [costs]")


class Expansion5GSection(Section):
    """5G on existing and chosen sites."""

    bands: tuple[str, ...] = Field(("n28", "n41", "n78"), min_length=1, description="names of bands on offer")
    cost: dict[str, Amount] = Field(
        default_factory=dict, description="band = cost on one site, in place of the default"
    )
    custom: tuple[BandSection, ...] = Field((), description="carriers of your own: [[expansion_5g.custom]]")
    population: Share | None = Field(None, description="share 0 to 1 of the people on the terrain")
    commune_population_floor: Share | None = Field(None, description="least share 0 to 1 of every commune's people")
    dense_people_per_km2: Amount | None = Field(
        1000.0, description="sites with more people per km2 round them are offered carriers of 40 MHz and more only"
    )
    max_sites: int = Field(1500, ge=1, le=20_000, description="most sites on offer, those with most people first")
    years: tuple[Year, ...] = Field((2025, 2026, 2027, 2028, 2029, 2030), min_length=1, description="years, rising")
    budget: Amount | None = Field(None, description="cost a year; default: the expansion just fits")
    radius_m: float = Field(4_000.0, gt=0, le=50_000, description="prediction radius of every 5G site, to 50,000 m")
    time_limit_s: float = Field(10.0, gt=0, le=86_400, description="above 0 to 86,400 s")

    @model_validator(mode="after")
    def _some_target(self) -> Expansion5GSection:
        if self.population is None and self.commune_population_floor is None:
            raise ValueError("give population, commune_population_floor or both")
        return self


class FetchedSection(Section):
    """Fetched data that takes the place of other inputs where the cache holds all of it."""

    bbox: tuple[float, float, float, float] = Field(description="west, south, east, north in degrees, as fetched")
    country: str = Field("VNM", pattern="^[A-Z]{3}$", description="ISO 3166 alpha-3 code, for the population")
    use: tuple[Literal["glo30", "worldcover", "worldpop"], ...] = Field(
        ("glo30", "worldcover", "worldpop"), description="ground, ground cover, population"
    )
    synthesize: int | None = Field(
        None, ge=1, le=100_000, description="stations to site anew on fetched ground, in place of network.sites"
    )


class ParametersSection(Section):
    """Identities, root sequences and neighbours of the planned network."""

    technologies: tuple[Literal["2G", "3G", "4G", "5G"], ...] = Field(
        ("2G", "3G", "4G", "5G"), min_length=1, description="2G, 3G, 4G, 5G: whose cells get neighbours"
    )
    cell_radius_m: float = Field(15_000.0, gt=0, le=100_000, description="radius the preambles must serve, metres")
    keep: bool = Field(False, description="keep identities the network has, plan the others round them")
    max_neighbours: int = Field(32, ge=1, le=256, description="most neighbours of a cell on its own carrier")
    max_inter: int = Field(8, ge=0, le=64, description="most neighbours of a cell on each other carrier or technology")
    max_distance_m: float = Field(15_000.0, gt=0, description="no neighbour farther away, metres")
