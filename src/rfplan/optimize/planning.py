"""The result of planning on a map: chosen sites in build order, what they gain, and the proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.optimize.candidates import Candidates
from rfplan.optimize.solution import Solution, Status

if TYPE_CHECKING:
    from rfplan.coverage import Coverage
    from rfplan.demand import DemandGrid


@dataclass(frozen=True)
class Plan:
    """Sites to build, in order, with coverage before and after.

    Attributes
    ----------
    sites
        In build order: ``site_id, lon_deg, lat_deg, kind, upgrades, tx_height_agl_m, cost, gained_people, gained_km2,
        cumulative_cost, cumulative_people_percent, cumulative_area_percent``. Percentages are of the people and area on
        known terrain, those covered before included.
    solution
        The solver's own result on the coverage matrix.
    uncoverable
        GeoDataFrame of what no candidate can cover: people, area_km2, reason.
    coverage_before, coverage_after
        The existing network, and the merged network predicted anew as a whole.
    demand, candidates
        What was planned for, and from.
    verified
        The pixels promised are exactly the demand pixels that `coverage_after` covers.
    mismatch_pixels
        How many demand pixels differ (0 when verified).
    targets
        Share asked for, by measure.
    curve
        Cost–coverage curve: ``sites, cost, people, people_percent, area_km2, area_percent``.
    timings_s
        Wall time of each stage.
    years
        For a roll-out: a row a year (see `RollOutSolution`); None otherwise. ``sites`` then has a ``year`` column.
    """

    sites: pd.DataFrame
    solution: Solution
    uncoverable: Any
    coverage_before: Coverage
    coverage_after: Coverage
    demand: DemandGrid
    candidates: Candidates
    verified: bool
    mismatch_pixels: int
    targets: Mapping[str, float]
    curve: pd.DataFrame
    timings_s: Mapping[str, float] = field(default_factory=dict)
    years: pd.DataFrame | None = None

    @property
    def objective(self) -> float:
        """Cost of the plan (people or area gained, for a budget)."""
        return self.solution.objective

    @property
    def bound(self) -> float:
        """Proven bound on the objective over these candidates."""
        return self.solution.bound

    @property
    def gap(self) -> float:
        """Relative distance from objective to bound."""
        return self.solution.gap

    @property
    def status(self) -> Status:
        """``optimal``, ``feasible`` or ``infeasible``."""
        return self.solution.status

    @property
    def reason(self) -> str:
        """Why it is infeasible, or what of a target cannot be met; empty otherwise."""
        return self.solution.reason

    @property
    def seed(self) -> int:
        """Seed of the solve."""
        return self.solution.seed

    @property
    def time_s(self) -> float:
        """Wall time of the solve proper."""
        return self.solution.time_s


def site_table(candidates: Candidates, solution: Solution, people: Totals, area: Totals) -> pd.DataFrame:
    """The chosen sites in build order with their gains."""
    chosen = candidates.take(solution.selected).table
    gained_people = np.asarray(solution.marginal["people"], np.float64)
    gained_km2 = np.asarray(solution.marginal["area_km2"], np.float64)
    return pd.DataFrame(
        {
            "site_id": chosen["candidate_id"],
            "lon_deg": chosen["lon_deg"],
            "lat_deg": chosen["lat_deg"],
            "kind": chosen["kind"],
            "upgrades": chosen["site_id"],
            "tx_height_agl_m": chosen["tx_height_agl_m"],
            "cost": solution.cost,
            "gained_people": gained_people,
            "gained_km2": gained_km2,
            "cumulative_cost": np.cumsum(solution.cost),
            "cumulative_people_percent": people.percent(np.cumsum(gained_people)),
            "cumulative_area_percent": area.percent(np.cumsum(gained_km2)),
        }
    )


@dataclass(frozen=True)
class Totals:
    """Amount of one measure covered before, still coverable, and in all on known terrain."""

    before: float
    coverable: float
    total: float

    def percent(self, gained: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Share of the total covered once `gained` is added, in percent; 100 where there is nothing to cover."""
        if self.total <= 0:
            return np.full(np.shape(gained), 100.0)
        return np.asarray(100.0 * (self.before + gained) / self.total)


def curve_table(solution: Solution, people: Totals, area: Totals) -> pd.DataFrame:
    """The cost–coverage curve of the build order, from nothing built on."""
    gained_people = np.concatenate([[0.0], np.cumsum(solution.marginal["people"])])
    gained_km2 = np.concatenate([[0.0], np.cumsum(solution.marginal["area_km2"])])
    return pd.DataFrame(
        {
            "sites": np.arange(len(gained_people)),
            "cost": np.concatenate([[0.0], np.cumsum(solution.cost)]),
            "people": people.before + gained_people,
            "people_percent": people.percent(gained_people),
            "area_km2": area.before + gained_km2,
            "area_percent": area.percent(gained_km2),
        }
    )
