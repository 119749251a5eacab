"""5G after the choice of sites: which existing and chosen sites get which carrier, in which year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.coverage import compute_coverage
from rfplan.coverage.core import recall_coverage
from rfplan.io.memo import Memo
from rfplan.metrics import KeyFigures, summarize
from rfplan.optimize.overlay import OverlayBand, one_band_a_site, overlay_candidates
from rfplan.optimize.planning import Plan, site_table
from rfplan.optimize.radio import TargetCover
from rfplan.optimize.solution import marginal_gains
from rfplan.plan import stages

if TYPE_CHECKING:
    from rfplan.coverage import Coverage
    from rfplan.demand import Demand
    from rfplan.network import Network
    from rfplan.optimize.candidates import Candidates
    from rfplan.optimize.prepare import Prepared
    from rfplan.plan.bookkeeping import Progress
    from rfplan.scenario import Expansion5GSection, Scenario
    from rfplan.terrain import Terrain

#: Carriers at least this wide serve dense places.
WIDE_MHZ = 40.0


@dataclass(frozen=True, eq=False)
class Expansion5G:
    """5G on existing and chosen sites.

    Attributes
    ----------
    plan
        The chosen overlays as a `Plan` of technology 5G: sites with a ``year`` and a ``band``, coverage before and
        after, objective, bound, gap, verified.
    bands
        A row a carrier: ``band, frequency_mhz, bandwidth_mhz, sites, cost``.
    years
        A row a year: ``year, budget, spent, sites, people_gained, people_percent, area_percent``.
    figures_before, figures_after
        Key figures of 5G, a row a commune.
    target
        Share of people asked for, of those on known terrain; None where only the communes' floor counts.
    reason
        Why the target is missed; empty otherwise.
    """

    plan: Plan
    bands: pd.DataFrame
    years: pd.DataFrame
    figures_before: KeyFigures
    figures_after: KeyFigures
    target: float | None
    reason: str


def expand_5g(
    scenario: Scenario, solved: Plan, demand: Demand, memo: Memo, tell: Progress | None
) -> Expansion5G | None:
    """Choose overlays, put them into years, predict and check; None where the scenario does not ask for it.

    Parameters
    ----------
    scenario
        Its section ``expansion_5g``.
    solved
        The plan whose network, new sites included, may get 5G; a new site not before its own year.
    demand
        People and communes.
    memo
        Remembers predictions and choice, in a folder of their own.
    tell
        Called with (stage, done, in all).
    """
    section = scenario.expansion_5g
    if section is None:
        return None
    terrain, network = solved.coverage_after.terrain, solved.coverage_after.network
    grid = demand.on_grid(terrain)
    bands = scenario.make_bands()
    candidates = _on_offer(section, bands, network, terrain, grid)
    memo = Memo(None if memo.folder is None else memo.folder / "5g", memo.key)
    before = _before(scenario, network, terrain, candidates, memo)
    problem = TargetCover(before, grid, candidates, rules=one_band_a_site(candidates))
    ready = problem.prepare(tell, memo)
    target, reason = _reachable_share(section.population, ready)
    problem = replace(problem, population_target=target, commune_population_floor=section.commune_population_floor)
    plan = problem.solve(section.time_limit_s, scenario.solve.seed, tell, prepared=ready)
    plan, years, unpaid = _in_years(section, solved, plan, ready, tell)
    reason = "; ".join(part for part in (reason, plan.reason, unpaid) if part)
    sites = plan.sites.assign(band=plan.sites["kind"].str.removeprefix("overlay "))
    return Expansion5G(
        plan=replace(plan, sites=sites),
        bands=_band_table(bands, sites),
        years=years,
        figures_before=summarize(plan.coverage_before, grid),
        figures_after=summarize(plan.coverage_after, grid),
        target=section.population,
        reason=reason,
    )


def _on_offer(
    section: Expansion5GSection, bands: tuple[OverlayBand, ...], network: Network, terrain: Terrain, grid: Any
) -> Candidates:
    """Overlays on the sites with most people round them; where these live densely, on wide carriers only."""
    from scipy import ndimage

    sites = network.sites
    x, y = terrain.xy(sites["lon_deg"].to_numpy(np.float64), sites["lat_deg"].to_numpy(np.float64))
    row, column = terrain.nearest(x, y)
    width = max(1, round(1000.0 / terrain.resolution_m))
    people = np.nan_to_num(np.asarray(grid.population, np.float64))
    density = ndimage.uniform_filter(people, size=width, mode="constant") / (terrain.resolution_m / 1000.0) ** 2
    around = np.where(row >= 0, density[row, column], -1.0)
    without = ~sites["technologies"].astype(str).str.contains("5G").to_numpy()
    order = np.flatnonzero(without & (row >= 0))
    order = order[np.argsort(-around[order], kind="stable")][: section.max_sites]
    offered = overlay_candidates(
        network.select_sites(sites["site_id"].iloc[np.sort(order)].tolist()), terrain, bands=bands
    )
    if section.dense_people_per_km2 is None or not any(band.bandwidth_mhz >= WIDE_MHZ for band in bands):
        return offered
    dense = set(sites["site_id"].iloc[np.flatnonzero(around > section.dense_people_per_km2)])
    table = offered.table
    narrow = table["site_id"].isin(dense) & (table["bandwidth_mhz"] < WIDE_MHZ)
    return replace(offered, table=table[~narrow].reset_index(drop=True))


def _before(scenario: Scenario, network: Network, terrain: Terrain, candidates: Candidates, memo: Memo) -> Coverage:
    """5G as it is; a blank map where the network has none."""
    assert scenario.expansion_5g is not None
    common: Any = {**stages.settings(scenario), "radius_m": scenario.expansion_5g.radius_m}
    service = scenario.make_service().for_technology("5G")
    if (network.cells["technology"] == "5G").any():
        return recall_coverage(memo, "coverage_before", network, terrain, service=service, technology="5G", **common)
    some = compute_coverage(candidates.to_network([0]), terrain, service=service, technology="5G", **common)
    blank = {"b": False, "f": np.nan, "i": -1}
    layers = some.layers.copy(deep=True)
    for name in layers.data_vars:
        if layers[name].ndim == 2:
            layers[name].values[:] = blank[layers[name].dtype.kind]
    return replace(some, layers=layers, network=network)


def _reachable_share(population: float | None, ready: Prepared) -> tuple[float | None, str]:
    """The target as a share of what is covered already or can be, and what cannot be had of it."""
    if population is None:
        return 0.0, ""
    wanted = population * ready.people.total
    reach = ready.people.before + ready.people.coverable
    if wanted <= reach:
        return wanted / max(reach, 1e-300), ""
    most = 100.0 * reach / max(ready.people.total, 1e-300)
    return 1.0, f"{100 * population:g} % of people are asked for; the sites on offer reach {most:.2f} % at most"


def _in_years(
    section: Expansion5GSection, solved: Plan, plan: Plan, ready: Prepared, tell: Progress | None
) -> tuple[Plan, pd.DataFrame, str]:
    """Most gain per cost first, while each year's money lasts, no overlay before its mast."""
    selected = np.asarray(plan.solution.selected)
    cost = plan.candidates.cost[selected]
    built = dict(zip(solved.sites["site_id"], solved.sites.get("year", pd.Series(dtype=int)), strict=False))
    host = plan.candidates.table["site_id"].iloc[selected]
    first = np.array([int(built.get(site, section.years[0])) for site in host], np.int64)
    share = float(cost.sum()) / len(section.years) if section.budget is None else section.budget
    year = years_in_order(cost, first, dict.fromkeys(section.years, share))
    kept = np.flatnonzero(year > 0)
    order = kept[np.argsort(year[kept], kind="stable")]
    solution = replace(
        plan.solution,
        selected=selected[order],
        cost=cost[order],
        marginal=marginal_gains(ready.covers.matrix, selected[order], ready.required, ready.measures),
    )
    unpaid = ""
    if len(order) < len(selected):
        unpaid = f"{len(selected) - len(order)} of {len(selected)} overlays are not paid for until {section.years[-1]}"
        paid = replace(solution, status="infeasible")
        plan = ready.finish(paid, plan.targets, tell, "coverage_after_paid")
    sites = site_table(plan.candidates, solution, ready.people, ready.area).assign(year=year[order])
    by_year = sites.groupby("year")
    gained = by_year[["gained_people", "gained_km2"]].sum().reindex(section.years, fill_value=0.0).cumsum()
    table = pd.DataFrame(
        {
            "year": section.years,
            "budget": share,
            "spent": by_year["cost"].sum().reindex(section.years, fill_value=0.0).to_numpy(),
            "sites": by_year.size().reindex(section.years, fill_value=0).to_numpy(),
            "people_gained": np.diff(gained["gained_people"], prepend=0.0),
            "people_percent": ready.people.percent(gained["gained_people"].to_numpy()),
            "area_percent": ready.area.percent(gained["gained_km2"].to_numpy()),
        }
    )
    return replace(plan, sites=sites, solution=solution, years=table), table, unpaid


def years_in_order(
    cost: npt.NDArray[np.float64], first: npt.NDArray[np.int64], budgets: Mapping[int, float]
) -> npt.NDArray[np.int64]:
    """Year of each item taken in order as money accrues (what is left carries over); 0 where none is left.

    Parameters
    ----------
    cost, first
        Cost of each item and the first year it may be built.
    budgets
        Money of each year.
    """
    year = np.zeros(len(cost), np.int64)
    purse = 0.0
    for now, budget in budgets.items():
        purse += budget
        for item in np.flatnonzero((year == 0) & (first <= now)).tolist():
            if cost[item] <= purse + 1e-9 * max(1.0, sum(budgets.values())):
                year[item] = now
                purse -= float(cost[item])
    return year


def _band_table(bands: tuple[OverlayBand, ...], sites: pd.DataFrame) -> pd.DataFrame:
    groups = sites.groupby("band")["cost"].agg(["count", "sum"])
    return pd.DataFrame(
        {
            "band": [band.name for band in bands],
            "frequency_mhz": [band.frequency_mhz for band in bands],
            "bandwidth_mhz": [band.bandwidth_mhz for band in bands],
            "sites": [int(groups["count"].get(band.name, 0)) for band in bands],
            "cost": [float(groups["sum"].get(band.name, 0.0)) for band in bands],
        }
    )
