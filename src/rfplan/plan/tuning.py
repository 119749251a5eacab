"""Settings of sectors, searched once the sites are chosen: which of them, what is changed, what that brings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rfplan.coverage.predict import Placement
from rfplan.errors import ScenarioError
from rfplan.io.memo import Memo
from rfplan.optimize.planning import Plan
from rfplan.optimize.settings import SettingRules, SettingsPlan, tune_sectors

if TYPE_CHECKING:
    from rfplan.network import Network
    from rfplan.optimize.prepare import Prepared
    from rfplan.plan.bookkeeping import Progress
    from rfplan.scenario import Scenario
    from rfplan.terrain import Terrain

#: Settings of a cell that tuning may change.
TUNED = ("azimuth_deg", "electrical_tilt_deg", "tx_height_agl_m", "max_power_dbm")


@dataclass(frozen=True, eq=False)
class SectorTuning:
    """Sectors of the planned network in better settings.

    Attributes
    ----------
    settings
        The search and the prediction of the whole network after it.
    rules
        Steps, limits and objective.
    sites, sectors
        How many were looked at.
    cells
        A row a cell of a changed sector: ``site_id, sector_id, cell_id``, each of ``azimuth_deg, electrical_tilt_deg,
        tx_height_agl_m, max_power_dbm`` with ``_before`` and ``_after``, and ``gained_people, gained_km2``: what
        changing the sector serves more, on the first of its cells, 0 on the others.
    """

    settings: SettingsPlan
    rules: SettingRules
    sites: int
    sectors: int
    cells: pd.DataFrame


def tune_plan(
    scenario: Scenario, ready: Prepared, solved: Plan, memo: Memo, tell: Progress | None
) -> tuple[Plan, SectorTuning | None]:
    """Tune the sectors a scenario names, and take the network so tuned as the plan's, predicted anew as a whole.

    Nothing covered is lost, so what the plan's targets count on stays true; the plan counts as verified only if that
    and the pixels gained are found again in the new prediction.

    Parameters
    ----------
    scenario
        Its section ``tuning``; without one the plan comes back as it is.
    ready
        The predicted candidates.
    solved
        The plan, whose network is tuned.
    memo
        Remembers search and prediction.
    tell
        Called with (stage, done, in all).

    Raises
    ------
    ScenarioError
        If ``tuning.sites`` names a site that is not in the network or does not stand on known ground.
    """
    if scenario.tuning is None:
        return solved, None
    before = solved.coverage_after
    rules = scenario.make_setting_rules()
    chosen = sites_to_tune(scenario, before.network, before.terrain, solved.sites)
    if not chosen:
        return solved, None
    found = tune_sectors(before, solved.demand, site_ids=chosen, rules=rules, progress=tell, memo=memo)
    plan = replace(
        solved,
        coverage_after=found.coverage_after,
        uncoverable=ready.uncoverable(solved.solution, found.coverage_after),
        verified=solved.verified and found.verified and found.lost_pixels == 0,
        mismatch_pixels=solved.mismatch_pixels + found.mismatch_pixels,
    )
    network = before.network
    carrying = network.cells.loc[network.cells["technology"] == before.technology, "sector_id"]
    looked_at = network.sectors["sector_id"].isin(carrying) & network.sectors["site_id"].isin(chosen)
    return plan, SectorTuning(found, rules, len(chosen), int(looked_at.sum()), changed_cells(network, found))


def sites_to_tune(scenario: Scenario, network: Network, terrain: Terrain, new: pd.DataFrame) -> list[str]:
    """Sites that the scenario wants tuned and that have the technology, in the network's order.

    Raises
    ------
    ScenarioError
        If a site is named that is not in the network or does not stand on known ground.
    """
    section = scenario.tuning
    assert section is not None
    sites = network.sites["site_id"].astype(str)
    place = Placement.of(network, terrain)
    known = pd.Series(place.on_terrain, index=sites)
    named = () if isinstance(section.sites, str) else section.sites
    for name in named:
        if not known.get(name, False):
            why = "does not stand on known ground" if name in known else "is not in the network"
            raise ScenarioError(f"{scenario.source}: tuning.sites: {name!r} {why}; leave it out")
    fresh = sites.isin(new["site_id"].astype(str)).to_numpy()
    wanted = fresh | sites.isin(named).to_numpy() | (section.sites == "all")
    if section.near_m > 0 and fresh.any():
        away_m = np.full(len(sites), np.inf)
        for x, y in zip(place.x_m[fresh], place.y_m[fresh], strict=True):
            away_m = np.fmin(away_m, np.hypot(place.x_m - x, place.y_m - y))
        wanted |= away_m <= section.near_m
    cells = network.cells.loc[network.cells["technology"] == scenario.coverage.technology, "sector_id"]
    carrying = network.sectors.loc[network.sectors["sector_id"].isin(cells), "site_id"]
    return sites[wanted & place.on_terrain & sites.isin(carrying).to_numpy()].tolist()


def changed_cells(before: Network, found: SettingsPlan) -> pd.DataFrame:
    """The table of changed cells; see `SectorTuning`."""
    gains = found.changes.groupby("sector_id")[["gained_people", "gained_km2"]].sum()
    shown = {}
    for when, network in (("before", before), ("after", found.network)):
        table = network.cells.merge(network.sectors, on="sector_id", suffixes=("", "_of_sector"))
        columns = ["site_id", "sector_id", "cell_id", *TUNED]
        shown[when] = table[columns].set_index("cell_id").rename(columns={name: f"{name}_{when}" for name in TUNED})
    after = shown["after"].drop(columns=["site_id", "sector_id"])
    table = shown["before"].join(after).reset_index()
    moved = np.zeros(len(table), np.bool_)
    for name in TUNED:
        old, new = table[f"{name}_before"], table[f"{name}_after"]
        moved |= ((old != new) & ~(old.isna() & new.isna())).to_numpy()
    table = table[moved].reset_index(drop=True)
    first = ~table["sector_id"].duplicated()
    for name in gains.columns:
        table[name] = table["sector_id"].map(gains[name]).where(first, 0.0).astype(float)
    order = [f"{name}_{when}" for name in TUNED for when in ("before", "after")]
    return table[["site_id", "sector_id", "cell_id", *order, *gains.columns]]
