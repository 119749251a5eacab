"""Settings of existing sectors: azimuth, electrical tilt and power, changed where that covers more people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.errors import ParameterError
from rfplan.optimize.prepare import predict_like, settings_of

if TYPE_CHECKING:
    from rfplan.coverage import Coverage
    from rfplan.network import Network

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SettingRules:
    """What may be changed, in steps from the present setting.

    Attributes
    ----------
    azimuth_steps_deg, tilt_steps_deg, power_steps_db
        Steps tried for each sector, in all combinations; 0 is always among them.
    max_changes_per_site
        Most sectors changed at one site.
    keep_covered
        Refuse a change that uncovers any demand pixel covered at the start.
    rounds
        Passes over all sectors; a pass without a change ends the search.
    """

    azimuth_steps_deg: tuple[float, ...] = (-30.0, -15.0, 0.0, 15.0, 30.0)
    tilt_steps_deg: tuple[float, ...] = (-2.0, 0.0, 2.0)
    power_steps_db: tuple[float, ...] = (0.0,)
    max_changes_per_site: int = 3
    keep_covered: bool = True
    rounds: int = 2

    def steps(self) -> Iterator[tuple[float, float, float]]:
        """Every combination but no change, in a fixed order."""
        azimuths, tilts, powers = (
            sorted({*part, 0.0}) for part in (self.azimuth_steps_deg, self.tilt_steps_deg, self.power_steps_db)
        )
        for azimuth, tilt, power in product(azimuths, tilts, powers):
            if azimuth or tilt or power:
                yield azimuth, tilt, power


@dataclass(frozen=True, eq=False)
class SettingsPlan:
    """Changed settings and what they do.

    Attributes
    ----------
    changes
        ``sector_id, site_id, azimuth_step_deg, tilt_step_deg, power_step_db, gained_people``, in the order found.
    network
        The network with the changes.
    coverage_before, coverage_after
        Both predicted as a whole.
    gained_people
        People newly covered less people lost, from the two coverages.
    lost_pixels
        Demand pixels covered before and not after: 0 with ``keep_covered``.
    verified
        The demand pixels covered after are exactly those the search counted on.
    """

    changes: pd.DataFrame
    network: Network
    coverage_before: Coverage
    coverage_after: Coverage
    gained_people: float
    lost_pixels: int
    verified: bool


def tune_sectors(
    coverage: Coverage,
    demand: Any,
    *,
    site_ids: Sequence[str],
    rules: SettingRules | None = None,
    progress: Callable[[str, float, float], None] | None = None,
) -> SettingsPlan:
    """Search better settings sector by sector over the true prediction; the best step of each sector is taken.

    A local search: no bound is proven. It optimises whether pixels are covered, not interference.

    Parameters
    ----------
    coverage
        The network as it is.
    demand
        People and communes.
    site_ids
        Sites whose sectors of the coverage's technology may be changed.
    rules
        Steps and limits.
    progress
        Called with ("tune sectors", sectors done, sectors in all).

    Raises
    ------
    ParameterError
        If no site is named or one is unknown.
    """
    rules = rules or SettingRules()
    if not site_ids:
        raise ParameterError("site_ids is empty: name the sites that may be changed")
    network, terrain = coverage.network, coverage.terrain
    network.select_sites(site_ids)  # raises for an unknown one
    grid = demand.on_grid(terrain) if hasattr(demand, "on_grid") else demand
    index = np.asarray(grid.commune_index)
    domain = np.asarray(terrain.valid) & ((index >= 0) if (index >= 0).any() else True)
    people = np.where(domain, np.nan_to_num(np.asarray(grid.population, np.float64)), 0.0)
    count = np.zeros(domain.shape, np.int32)
    for rows, cols, mask in _masks(network, coverage):
        count[rows, cols] += mask
    before = (count > 0) & domain
    tuned = _Tuning(coverage, rules, people, before, count, network)
    use = network.cells["technology"] == coverage.technology
    sectors = network.sectors[network.sectors["sector_id"].isin(network.cells.loc[use, "sector_id"])]
    todo = sectors[sectors["site_id"].isin(set(site_ids))]
    for _ in range(rules.rounds):
        changed = False
        for done, (sector, site) in enumerate(zip(todo["sector_id"], todo["site_id"], strict=True), 1):
            changed |= tuned.improve(str(sector), str(site))
            if progress is not None:
                progress("tune sectors", float(done), float(len(todo)))
        if not changed:
            break
    after = predict_like(coverage, tuned.network) if tuned.changes else coverage
    got = np.asarray(after.layers["covered"].values, np.bool_) & domain
    names = ["sector_id", "site_id", "azimuth_step_deg", "tilt_step_deg", "power_step_db", "gained_people"]
    return SettingsPlan(
        changes=pd.DataFrame(tuned.changes, columns=names),
        network=tuned.network,
        coverage_before=coverage,
        coverage_after=after,
        gained_people=float(people[got].sum() - people[before].sum()),
        lost_pixels=int((before & ~got).sum()),
        verified=bool((got == ((tuned.count > 0) & domain)).all()),
    )


@dataclass
class _Tuning:
    """The running state: how many sites cover each pixel, and the network so far."""

    coverage: Coverage
    rules: SettingRules
    people: npt.NDArray[np.float64]
    before: BoolArray
    count: npt.NDArray[np.int32]
    network: Network

    def __post_init__(self) -> None:
        self.changes: list[tuple[str, str, float, float, float, float]] = []

    def improve(self, sector: str, site: str) -> bool:
        """Take the step of one sector that gains the most people, if any gains."""
        at_site = {change[0] for change in self.changes if change[1] == site}
        if sector not in at_site and len(at_site) >= self.rules.max_changes_per_site:
            return False
        others = self.count.copy()
        for rows, cols, mask in _masks(self.network.select_sites([site]), self.coverage):
            others[rows, cols] -= mask
        now = float(self.people[self.count > 0].sum())
        best, best_gain = None, 1e-9 * max(1.0, now)
        for step in self.rules.steps():
            network = change_sector(self.network, sector, *step)
            count = others.copy()
            for rows, cols, mask in _masks(network.select_sites([site]), self.coverage):
                count[rows, cols] += mask
            gain = float(self.people[count > 0].sum()) - now
            if gain > best_gain and not (self.rules.keep_covered and (self.before & (count == 0)).any()):
                best, best_gain = (step, network, count), gain
        if best is None:
            return False
        step, self.network, self.count = best
        self.changes.append((sector, site, *step, best_gain))
        return True


def change_sector(
    network: Network, sector_id: str, azimuth_step_deg: float, tilt_step_deg: float, power_step_db: float
) -> Network:
    """The network with one sector turned, tilted or driven differently."""
    sectors, cells = network.sectors.copy(), network.cells.copy()
    row = sectors["sector_id"] == sector_id
    sectors.loc[row, "azimuth_deg"] = (sectors.loc[row, "azimuth_deg"] + azimuth_step_deg) % 360.0
    sectors.loc[row, "electrical_tilt_deg"] += tilt_step_deg
    cells.loc[cells["sector_id"] == sector_id, "max_power_dbm"] += power_step_db
    return replace(network, sectors=sectors, cells=cells)


def _masks(network: Network, coverage: Coverage) -> Iterator[tuple[slice, slice, BoolArray]]:
    from rfplan.coverage import site_margins

    for found in site_margins(network, coverage.terrain, **settings_of(coverage)):
        yield found.rows, found.cols, found.margin_db >= 0.0
