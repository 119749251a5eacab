"""Sections that build on the choice of sites: roll-out, tuning, backhaul, 5G, network parameters."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from rfplan.scenario.base import Amount, Section, Share, Technology, TimeLimit, Year


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
    time_limit_s: TimeLimit = Field(10.0, description="above 0 to 86,400 s, for schedule and bounds")

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


class TuningSection(Section):
    """Settings of sectors, searched once the sites are chosen."""

    sites: Literal["new", "all"] | tuple[str, ...] = Field(
        "new", description='"new" (those of the plan), "all", or a list of site_id besides the new ones'
    )
    near_m: float = Field(
        0.0, ge=0, le=100_000, description="0 to 100,000 m: existing sites this near to a new one are tuned too"
    )
    rules: dict[str, Any] = Field(default_factory=dict, description="fields of SettingRules")


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
    time_limit_s: TimeLimit = Field(10.0, description="above 0 to 86,400 s")

    @model_validator(mode="after")
    def _some_target(self) -> Expansion5GSection:
        if self.population is None and self.commune_population_floor is None:
            raise ValueError("give population, commune_population_floor or both")
        return self


class ParametersSection(Section):
    """Identities, root sequences and neighbours of the planned network."""

    technologies: tuple[Technology, ...] = Field(
        ("2G", "3G", "4G", "5G"), min_length=1, description="2G, 3G, 4G, 5G: whose cells get neighbours"
    )
    cell_radius_m: float = Field(15_000.0, gt=0, le=100_000, description="radius the preambles must serve, metres")
    keep: bool = Field(False, description="keep identities the network has, plan the others round them")
    max_neighbours: int = Field(32, ge=1, le=256, description="most neighbours of a cell on its own carrier")
    max_inter: int = Field(8, ge=0, le=64, description="most neighbours of a cell on each other carrier or technology")
    max_distance_m: float = Field(15_000.0, gt=0, description="no neighbour farther away, metres")
