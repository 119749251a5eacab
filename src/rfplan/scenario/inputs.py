"""Sections that say what there is: ground, people, stations, fetched data."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from rfplan.scenario.base import Section


class TerrainSection(Section):
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


class DemandSection(Section):
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


class SynthesizeSection(Section):
    """A synthetic list of stations, where no real one exists."""

    count: int = Field(ge=1, le=100_000, description="1 to 100,000 stations in the whole demand area")
    seed: int = Field(1, ge=0, description="0 or more")


class NetworkSection(Section):
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
