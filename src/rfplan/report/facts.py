"""What a report states, taken out of a plan once: figures, maps and tables as plain arrays and frames."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.coverage.core import LEVEL_NAMES
from rfplan.demand import Demand, DemandGrid
from rfplan.errors import ParameterError
from rfplan.metrics import summarize, sweep_before_after
from rfplan.plan.baseline import Baseline
from rfplan.report.context import ReportContext

BUILD_COLUMNS = (
    "order",
    "site_id",
    "name",
    "kind",
    "lon_deg",
    "lat_deg",
    "tx_height_agl_m",
    "cost",
    "gained_people",
    "gained_km2",
    "cumulative_people_percent",
    "cumulative_area_percent",
)
UNCOVERABLE_COLUMNS = ("people", "area_km2", "reason")

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Facts:
    """Everything that pages, tables and rasters draw from.

    Attributes
    ----------
    context : ReportContext
    terrain, before, after : Terrain, Coverage, Coverage
    inside : bool (ny, nx)
        The area planned for: pixels in a commune on known ground.
    covered_before, covered_after, uncoverable_mask : bool (ny, nx)
    key_before, key_after : DataFrame
        A row a commune, without the total.
    total_before, total_after : Series
    within_terrain_percent : Series
        Share of each commune's area on known ground, row by row.
    off_terrain_km2 : float
        Area of all communes beyond known ground.
    communes : GeoDataFrame (WGS 84), same rows as the key figures, or None
    existing : DataFrame
        Sites of today's network.
    build : DataFrame
        Columns `BUILD_COLUMNS`, in build order.
    uncoverable : GeoDataFrame (WGS 84), columns `UNCOVERABLE_COLUMNS`
    curve, sweep : DataFrame
    solution : dict
        ``objective, bound, gap, seed, status, reason, verified, candidates``; None where unknown.
    additions : rfplan.plan.additions.Additions or None
        Roll-out, tuned sectors, backhaul, 5G and network parameters, as far as the plan has them.
    baseline : Baseline or None
        Today's network by technology and operator, where the scenario asks for it.
    """

    context: ReportContext
    terrain: Any
    before: Any
    after: Any
    inside: BoolArray
    covered_before: BoolArray
    covered_after: BoolArray
    uncoverable_mask: BoolArray
    key_before: pd.DataFrame
    key_after: pd.DataFrame
    total_before: pd.Series
    total_after: pd.Series
    within_terrain_percent: pd.Series
    off_terrain_km2: float
    communes: Any
    existing: pd.DataFrame
    build: pd.DataFrame
    uncoverable: Any
    curve: pd.DataFrame
    sweep: pd.DataFrame
    solution: dict[str, Any]
    baseline: Baseline | None = None
    additions: Any = None

    @property
    def rollout(self) -> Any:
        """Sites by year (`rfplan.plan.years.YearPlan`), or None."""
        return getattr(self.additions, "rollout", None)

    @property
    def tuning(self) -> Any:
        """Sectors in better settings (`rfplan.plan.tuning.SectorTuning`), or None."""
        return getattr(self.additions, "tuning", None)

    @property
    def backhaul(self) -> Any:
        """Backhaul of the new sites (`rfplan.plan.backhaul.SiteBackhaul`), or None."""
        return getattr(self.additions, "backhaul", None)

    @property
    def expansion_5g(self) -> Any:
        """5G on existing and new sites (`rfplan.plan.expansion.Expansion5G`), or None."""
        return getattr(self.additions, "expansion_5g", None)

    @property
    def parameters(self) -> Any:
        """Identities and neighbours (`rfplan.optimize.ParameterPlan`), or None."""
        return getattr(self.additions, "parameters", None)

    @property
    def site_visits(self) -> tuple[int, float]:
        """Existing sites that anything is built on, and what visiting them costs in all."""
        hosts = self.build["upgrades"].astype(str) if "upgrades" in self.build.columns else pd.Series(dtype=str)
        count = int(hosts[hosts != ""].nunique())
        return count, count * float(getattr(self.additions, "site_visit", 0.0))

    @property
    def cost_unit(self) -> str:
        """What costs are counted in."""
        return str(getattr(self.additions, "cost_unit", "in the scenario's unit"))

    @property
    def required_rsrp_dbm(self) -> float:
        """RSRP that the planned service needs, dBm."""
        return float(self.after.service.required_rsrp_dbm)

    @property
    def joint_probability(self) -> float | None:
        """Probability with which some site must serve a covered pixel, or None where one cell's links decide."""
        value = self.after.layers.attrs.get("joint_probability")
        return None if value is None else float(value)

    @property
    def level_name(self) -> str:
        """What the technology calls its reference level."""
        return LEVEL_NAMES.get(str(getattr(self.after, "technology", "4G")), "level")

    @property
    def has_people(self) -> bool:
        """Whether the demand counts people at all."""
        return float(self.total_after["population"]) > 0


def gather(plan: Any, context: ReportContext) -> Facts:
    """Take the facts out of a plan.

    Raises
    ------
    ParameterError
        If the plan carries no coverage before and after, or the two are on different grids.
    """
    before, after = plan.coverage_before, plan.coverage_after
    if before is None or after is None or plan.demand is None:
        raise ParameterError(
            "the plan carries no coverage_before, coverage_after or demand, so there is nothing to map; "
            "solve from a Coverage and a Demand (not from_matrix), or write its tables only"
        )
    terrain = after.terrain
    covered_before, covered_after = _layer(before, "covered", bool), _layer(after, "covered", bool)
    if covered_before.shape != covered_after.shape:
        raise ParameterError(
            f"coverage before is {covered_before.shape} pixels, after is {covered_after.shape}; "
            "predict both on one terrain"
        )
    grid: DemandGrid = plan.demand.on_grid(terrain) if isinstance(plan.demand, Demand) else plan.demand
    inside = grid.inside & terrain.valid
    key_before, total_before = split_total(summarize(before, grid).table)
    key_after, total_after = split_total(summarize(after, grid).table)
    uncoverable = _uncoverable(plan)
    return Facts(
        context=context,
        terrain=terrain,
        before=before,
        after=after,
        inside=inside,
        covered_before=covered_before,
        covered_after=covered_after,
        uncoverable_mask=_rasterise(uncoverable, terrain) & inside & ~covered_after,
        key_before=key_before,
        key_after=key_after,
        total_before=total_before,
        total_after=total_after,
        within_terrain_percent=_within(grid),
        off_terrain_km2=float(grid.communes["area_off_terrain_km2"].sum()),
        communes=_communes(grid, key_after),
        existing=before.network.sites.reset_index(drop=True),
        build=build_list(plan, before.network.sites),
        uncoverable=uncoverable,
        curve=_curve(plan),
        sweep=_sweep(context, before, after, grid),
        solution=_solution(plan),
        additions=getattr(plan, "additions", None),
        baseline=getattr(plan, "baseline", None),
    )


def _layer(coverage: Any, name: str, kind: type) -> npt.NDArray[Any]:
    return np.asarray(coverage.layers[name].values).astype(kind)


def split_total(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Part a key-figure table into its commune rows and its last row, the total."""
    return table.iloc[:-1].reset_index(drop=True), table.iloc[-1]


def build_list(plan: Any, existing: pd.DataFrame) -> pd.DataFrame:
    """Sites to build in order, with every column of `BUILD_COLUMNS`; unknown entries are NaN or empty.

    An upgrade of an existing site has that site's name.
    """
    sites = pd.DataFrame(plan.sites).reset_index(drop=True)
    if "name" not in sites.columns and "upgrades" in sites.columns:
        known = existing.drop_duplicates("site_id").set_index("site_id")["name"].astype(str)
        sites["name"] = sites["upgrades"].map(known).fillna("").astype(str)
    out = pd.DataFrame(index=sites.index)
    for name in BUILD_COLUMNS:
        if name in sites.columns:
            out[name] = sites[name]
        elif name == "order":
            out[name] = np.arange(1, len(sites) + 1)
        elif name in ("site_id", "name", "kind"):
            out[name] = ""
        else:
            out[name] = np.nan
    extra = [c for c in sites.columns if c not in BUILD_COLUMNS and c != "geometry"]
    return pd.concat([out, sites[extra]], axis=1)


def _uncoverable(plan: Any) -> Any:
    import geopandas as gpd

    given = getattr(plan, "uncoverable", None)
    if given is None or len(given) == 0:
        empty = {"people": np.zeros(0), "area_km2": np.zeros(0), "reason": np.zeros(0, object)}
        return gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs="EPSG:4326"), crs="EPSG:4326")
    frame = given.reset_index(drop=True)
    for name in UNCOVERABLE_COLUMNS:
        if name not in frame.columns:
            frame = frame.assign(**{name: "" if name == "reason" else np.nan})
    frame = frame.sort_values(["people", "area_km2"], ascending=False, kind="stable").reset_index(drop=True)
    return frame.to_crs("EPSG:4326")


def _rasterise(frame: Any, terrain: Any) -> BoolArray:
    """Pixels of the terrain whose centre lies in one of the polygons."""
    shape = tuple(np.asarray(terrain.elevation_amsl_m).shape)
    if len(frame) == 0:
        return np.zeros(shape, bool)
    from rasterio.features import rasterize

    shapes = [g for g in frame.to_crs(terrain.crs).geometry if g is not None and not g.is_empty]
    if not shapes:
        return np.zeros(shape, bool)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # of affine, raised inside rasterio
        burnt = rasterize(shapes, out_shape=shape, transform=terrain.transform, default_value=1, dtype="uint8")
    return np.asarray(burnt).astype(bool)


def _within(grid: DemandGrid) -> pd.Series:
    """Share of each commune on known ground, of its pixels: official areas differ a little from those."""
    on, off = grid.communes["area_on_terrain_km2"], grid.communes["area_off_terrain_km2"]
    return (100.0 * on / (on + off)).reset_index(drop=True)


def _communes(grid: DemandGrid, key: pd.DataFrame) -> Any:
    """Commune polygons in the order of the key figures (WGS 84), or None where the demand has none."""
    import geopandas as gpd

    if len(grid.geometry) != len(key) or grid.geometry.is_empty.all():
        return None
    outlines = grid.geometry.to_crs("EPSG:4326").to_numpy()
    return gpd.GeoDataFrame({"code": key["code"].astype(str)}, geometry=outlines, crs="EPSG:4326")


def _curve(plan: Any) -> pd.DataFrame:
    given = getattr(plan, "curve", None)
    return pd.DataFrame() if given is None else pd.DataFrame(given).reset_index(drop=True)


def _solution(plan: Any) -> dict[str, Any]:
    names = ("objective", "bound", "gap", "seed", "status", "reason", "verified")
    out = {name: getattr(plan, name, None) for name in names}
    candidates = getattr(plan, "candidates", None)
    table = getattr(candidates, "table", candidates)
    out["candidates"] = None if table is None else len(table)
    return out


def _sweep(context: ReportContext, before: Any, after: Any, grid: DemandGrid) -> pd.DataFrame:
    if context.threshold_sweep is None:
        return sweep_before_after(before, after, grid)
    frame = context.threshold_sweep
    if "threshold_dbm" not in frame.columns:
        found = ", ".join(map(str, frame.columns))
        raise ParameterError(f"threshold_sweep lacks the column threshold_dbm; found: {found}")
    return frame.reset_index(drop=True)
