"""Settings of existing sectors: azimuth, electrical tilt, power and height, changed where that serves more people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.errors import ParameterError
from rfplan.io.memo import Memo
from rfplan.network.schema import RANGES
from rfplan.optimize.prepare import predict_like, settings_of

if TYPE_CHECKING:
    import xarray as xr

    from rfplan.coverage import Coverage
    from rfplan.io.blobs import Blob
    from rfplan.network import Network
    from rfplan.optimize.sector_state import Outcome, SectorState, Trial
    from rfplan.terrain import Terrain

BoolArray = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


class Steps(NamedTuple):
    """How far a sector's setting is from where it was at the start."""

    azimuth_step_deg: float = 0.0
    tilt_step_deg: float = 0.0
    power_step_db: float = 0.0
    height_step_m: float = 0.0


@dataclass(frozen=True)
class SettingRules:
    """What may be changed, in steps from the setting at the start, and what for.

    Attributes
    ----------
    azimuth_steps_deg, tilt_steps_deg, power_steps_db
        Steps tried for each sector, in all combinations; 0 is always among them. An electrical tilt that is unknown
        stays so.
    max_changes_per_site
        Most sectors changed at one site.
    keep_covered
        Refuse a change that uncovers any demand pixel covered at the start.
    rounds
        Passes over all sectors; a pass without a change ends the search.
    height_steps_m
        Steps of the antenna's height above ground, in combination with the others.
    min_sinr_db
        Count a pixel only where the data SINR at the cells' loads reaches this too, −40…60 dB (4G and 5G; the layer
        ``sinr_db`` of :meth:`RadioMap.layers`). None: coverage alone.
    keep_served
        With `min_sinr_db`: refuse a change that takes the SINR or the coverage from a demand pixel that had both at
        the start.
    objective
        "people" or "area".
    """

    azimuth_steps_deg: tuple[float, ...] = (-30.0, -15.0, 0.0, 15.0, 30.0)
    tilt_steps_deg: tuple[float, ...] = (-2.0, 0.0, 2.0)
    power_steps_db: tuple[float, ...] = (0.0,)
    max_changes_per_site: int = 3
    keep_covered: bool = True
    rounds: int = 2
    height_steps_m: tuple[float, ...] = (0.0,)
    min_sinr_db: float | None = None
    keep_served: bool = True
    objective: Literal["people", "area"] = "people"

    def __post_init__(self) -> None:
        if self.objective not in ("people", "area"):
            raise ParameterError(f"SettingRules.objective={self.objective!r} must be 'people' or 'area'")
        if self.min_sinr_db is not None and not -40.0 <= self.min_sinr_db <= 60.0:
            raise ParameterError(f"SettingRules.min_sinr_db={self.min_sinr_db!r} must be within -40…60 dB")
        for name, least in (("max_changes_per_site", 0), ("rounds", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ParameterError(f"SettingRules.{name}={value!r} must be a whole number from {least}")
        for part in fields(self):
            values = getattr(self, part.name)
            if part.name.endswith(("_deg", "_steps_db", "_m")) and not np.isfinite(values).all():
                raise ParameterError(f"SettingRules.{part.name}={values!r} must be finite")

    def steps(self) -> Iterator[Steps]:
        """Every combination, no change included, those that change fewer settings first: of equals these are taken."""
        parts = (self.azimuth_steps_deg, self.tilt_steps_deg, self.power_steps_db, self.height_steps_m)
        every = (Steps(*map(float, combination)) for combination in product(*(sorted({*part, 0.0}) for part in parts)))
        yield from sorted(every, key=np.count_nonzero)


@dataclass(frozen=True, eq=False)
class SettingsPlan:
    """Changed settings and what they do.

    A pixel is *covered* where both links close, and *served* where it is covered and reaches the required SINR, if one
    is set.

    Attributes
    ----------
    changes
        ``sector_id, site_id``, the :class:`Steps` from the start, ``gained_people, gained_km2`` (served), in the order
        found. A sector moved twice stands there twice; the later row holds.
    network
        The network with the changes.
    coverage_before, coverage_after
        Both predicted as a whole.
    sinr_before_db, sinr_after_db
        Data SINR of both networks, predicted as a whole; None without a required SINR.
    figures
        Rows ``before`` and ``after``, columns ``covered_people, covered_km2, served_people, served_km2``, from the
        whole predictions.
    gained_people, gained_km2
        Newly served less lost, from `figures`.
    lost_pixels
        Demand pixels covered before and not after: 0 with ``keep_covered``.
    lost_served_pixels
        Demand pixels served before and not after: 0 with ``keep_served`` or, without a required SINR, ``keep_covered``.
    verified
        The demand pixels covered and served after are exactly those the search counted on.
    mismatch_pixels
        How many demand pixels differ in one or the other (0 when verified).
    """

    changes: pd.DataFrame
    network: Network
    coverage_before: Coverage
    coverage_after: Coverage
    sinr_before_db: xr.DataArray | None
    sinr_after_db: xr.DataArray | None
    figures: pd.DataFrame
    gained_people: float
    gained_km2: float
    lost_pixels: int
    lost_served_pixels: int
    verified: bool
    mismatch_pixels: int


def tune_sectors(
    coverage: Coverage,
    demand: Any,
    *,
    site_ids: Sequence[str],
    rules: SettingRules | None = None,
    progress: Callable[[str, float, float], None] | None = None,
    memo: Memo | None = None,
) -> SettingsPlan:
    """Search better settings sector by sector over the true prediction; the best step of each sector is taken.

    A local search: it ends where no single sector can be improved (or after the last round), and no bound is proven.
    Path loss of these sites and those around them is worked out once a site, height and band and kept in memory:
    4 bytes a pixel of the site's window each.

    Parameters
    ----------
    coverage
        The network as it is.
    demand
        People and communes.
    site_ids
        Sites whose sectors of the coverage's technology may be changed.
    rules
        Steps, limits and objective.
    progress
        Called with ("tune sectors", sectors done, sectors in all).
    memo
        Remembers the search and the prediction after it; None remembers nothing.

    Raises
    ------
    ParameterError
        If no site is named, one is unknown or off the terrain, a height would leave 0.5…800 m, or a SINR is required
        of a technology other than 4G and 5G.
    """
    from rfplan.coverage.predict import make_predictor
    from rfplan.optimize.sector_state import SectorState

    rules = rules or SettingRules()
    todo = _sectors_to_tune(coverage, site_ids, rules)
    domain, people = _weights(coverage, demand)
    sinr_before = _sinr_db(coverage, rules)
    before = _Reach(coverage.covered & domain, _reached(coverage, sinr_before, rules) & domain)
    memo = memo or Memo(None)
    if memo.folder is not None:
        network = coverage.network
        ground = make_predictor(network, coverage.terrain, **settings_of(coverage)).identity()
        memo = memo.on(*ground, network.sectors, network.cells, people, domain, rules, todo)

    def work() -> tuple[dict[str, Any], dict[str, BoolArray]]:
        state = SectorState(coverage, rules.min_sinr_db, list(todo))
        found = _search(_Tuning(state, rules, people, domain, before), todo, progress)
        return {"moves": found.moves}, {"covered": (found.state.count > 0) & domain, "served": found.served}

    found = memo.recall("tuning", work)
    return _compared(coverage, rules, (domain, people), before, sinr_before, found, memo)


class _Reach(NamedTuple):
    """Demand pixels that are covered, and those of them that are served."""

    covered: BoolArray
    served: BoolArray


def _search(
    tuned: _Tuning, todo: dict[str, list[str]], progress: Callable[[str, float, float], None] | None
) -> _Tuning:
    """Pass over the sectors until none is changed any more."""
    for _ in range(tuned.rules.rounds):
        changed = False
        done = 0
        for site, sectors in todo.items():
            trial = tuned.state.leave_out(site)  # the other sites stay as they are while this one is tuned
            for sector in sectors:
                changed |= tuned.improve(trial, sector)
                done += 1
                if progress is not None:
                    progress("tune sectors", float(done), float(sum(map(len, todo.values()))))
        if not changed:
            break
    return tuned


def _compared(
    coverage: Coverage,
    rules: SettingRules,
    demand: tuple[BoolArray, Floats],
    before: _Reach,
    sinr_before: xr.DataArray | None,
    found: Blob,
    memo: Memo,
) -> SettingsPlan:
    """Predict the tuned network as a whole, and compare it with what was before and with what the search counted on."""
    domain, people = demand
    moves = [tuple(move) for move in found.about["moves"]]
    network = coverage.network
    for sector, steps in {str(move[0]): Steps(*move[2:6]) for move in moves}.items():
        network = set_sector(network, coverage.network, sector, steps)
    after = predict_like(coverage, network, memo, "coverage_tuned") if moves else coverage
    sinr_after = _sinr_db(after, rules) if moves else sinr_before
    got = _Reach(after.covered & domain, _reached(after, sinr_after, rules) & domain)
    figures = _figures({"before": before, "after": got}, people, domain, coverage.terrain)
    gained = figures.diff().iloc[1]
    mismatch = int(((got.covered != found.arrays["covered"]) | (got.served != found.arrays["served"])).sum())
    return SettingsPlan(
        changes=pd.DataFrame(moves, columns=["sector_id", "site_id", *Steps._fields, "gained_people", "gained_km2"]),
        network=network,
        coverage_before=coverage,
        coverage_after=after,
        sinr_before_db=sinr_before,
        sinr_after_db=sinr_after,
        figures=figures,
        gained_people=float(gained["served_people"]),
        gained_km2=float(gained["served_km2"]),
        lost_pixels=int((before.covered & ~got.covered).sum()),
        lost_served_pixels=int((before.served & ~got.served).sum()),
        verified=mismatch == 0,
        mismatch_pixels=mismatch,
    )


def _sectors_to_tune(coverage: Coverage, site_ids: Sequence[str], rules: SettingRules) -> dict[str, list[str]]:
    """Sectors of the coverage's technology by site, in the network's order."""
    if not site_ids:
        raise ParameterError("site_ids is empty: name the sites that may be changed")
    if rules.min_sinr_db is not None and coverage.technology not in ("4G", "5G"):
        raise ParameterError(
            f"min_sinr_db is a data SINR of 4G and 5G, the coverage is {coverage.technology}: leave it None"
        )
    network = coverage.network
    network.select_sites(site_ids)  # raises for an unknown one
    use = network.cells["technology"] == coverage.technology
    sectors = network.sectors[network.sectors["sector_id"].isin(network.cells.loc[use, "sector_id"])]
    sectors = sectors[sectors["site_id"].isin(set(site_ids))]
    lowest, highest = RANGES["tx_height_agl_m"]
    steps = (min(0.0, *rules.height_steps_m), max(0.0, *rules.height_steps_m))
    for sector, height in zip(sectors["sector_id"], sectors["tx_height_agl_m"], strict=True):
        if not (lowest <= height + steps[0] and height + steps[1] <= highest):
            raise ParameterError(
                f"height_steps_m={rules.height_steps_m!r} would take sector {sector!r} from {height:g} m out of "
                f"{lowest:g}…{highest:g} m above ground"
            )
    todo: dict[str, list[str]] = {}
    for sector, site in zip(sectors["sector_id"], sectors["site_id"], strict=True):
        todo.setdefault(str(site), []).append(str(sector))
    return todo


def _weights(coverage: Coverage, demand: Any) -> tuple[BoolArray, Floats]:
    """Demand pixels, and people on them."""
    terrain = coverage.terrain
    grid = demand.on_grid(terrain) if hasattr(demand, "on_grid") else demand
    index = np.asarray(grid.commune_index)
    domain = np.asarray(terrain.valid) & ((index >= 0) if (index >= 0).any() else True)
    return domain, np.where(domain, np.nan_to_num(np.asarray(grid.population, np.float64)), 0.0)


def _sinr_db(coverage: Coverage, rules: SettingRules) -> xr.DataArray | None:
    """Data SINR of the whole network, as the layers give it; None where none is required."""
    from rfplan.coverage import compute_radio

    if rules.min_sinr_db is None:
        return None
    return compute_radio(coverage.network, coverage.terrain, top=2, **settings_of(coverage)).layers()["sinr_db"]


def _reached(coverage: Coverage, sinr_db: xr.DataArray | None, rules: SettingRules) -> BoolArray:
    """Covered and, where required, at enough SINR."""
    if sinr_db is None or rules.min_sinr_db is None:
        return coverage.covered
    return np.asarray(coverage.covered & (sinr_db.values >= rules.min_sinr_db))


def _figures(reach: dict[str, _Reach], people: Floats, domain: BoolArray, terrain: Terrain) -> pd.DataFrame:
    """People and km² covered and served, a row an entry."""
    units = {"people": people, "km2": _pixel_km2(domain, terrain)}
    rows = [
        {
            f"{word}_{unit}": float(each[mask].sum())
            for word, mask in zip(_Reach._fields, pair, strict=True)
            for unit, each in units.items()
        }
        for pair in reach.values()
    ]
    return pd.DataFrame(rows, index=list(reach))


def _pixel_km2(domain: BoolArray, terrain: Terrain) -> Floats:
    return np.where(domain, 1e-6 * terrain.resolution_m**2, 0.0)


class _Tuning:
    """The running search: moves so far and the pixels served with them."""

    def __init__(self, state: SectorState, rules: SettingRules, people: Floats, domain: BoolArray, before: _Reach):
        self.state, self.rules, self.people, self.domain, self.before = state, rules, people, domain, before
        self.served = before.served.copy()
        self.km2 = _pixel_km2(domain, state.terrain)
        self.moves: list[tuple[str | float, ...]] = []
        self.steps: dict[str, Steps] = {}
        self._start = state.network

    def improve(self, trial: Trial, sector: str) -> bool:
        """Take the setting of one sector that gains the most, if any gains."""
        mine = set(self._start.sectors.loc[self._start.sectors["site_id"] == trial.site, "sector_id"])
        changed = {s for s, steps in self.steps.items() if s in mine and any(steps)}
        if sector not in changed and len(changed) >= self.rules.max_changes_per_site:
            return False
        weight = self.people if self.rules.objective == "people" else self.km2
        now = float(weight[trial.window][self.served[trial.window]].sum())
        now_alone, start_alone = (network.select_sites([trial.site]) for network in (self.state.network, self._start))
        best: tuple[Steps, Outcome] | None = None
        best_gain = 1e-9 * max(1.0, float(weight.sum()))
        for steps in self.rules.steps():
            if steps == self.steps.get(sector, Steps()):
                continue
            outcome = self.state.outcome(trial, set_sector(now_alone, start_alone, sector, steps))
            gain = float(weight[trial.window][outcome.served & self.domain[trial.window]].sum()) - now
            if gain > best_gain and self._allowed(trial, outcome):
                best, best_gain = (steps, outcome), gain
        if best is None:
            return False
        self._take(trial, sector, *best)
        return True

    def _allowed(self, trial: Trial, outcome: Outcome) -> bool:
        """Nothing that is to be kept is lost."""
        if self.rules.keep_covered and (self.before.covered[trial.window] & (outcome.covering == 0)).any():
            return False
        keep = self.rules.keep_served and self.rules.min_sinr_db is not None
        return not (keep and (self.before.served[trial.window] & ~outcome.served).any())

    def _take(self, trial: Trial, sector: str, steps: Steps, outcome: Outcome) -> None:
        w = trial.window
        old, new = self.served[w], outcome.served & self.domain[w]
        gains = [float(part[w][new].sum() - part[w][old].sum()) for part in (self.people, self.km2)]
        self.moves.append((sector, trial.site, *steps, *gains))
        self.steps[sector] = steps
        self.served[w] = new
        self.state.count[w] = outcome.covering
        self.state.use(set_sector(self.state.network, self._start, sector, steps))


def set_sector(network: Network, start: Network, sector_id: str, steps: Steps) -> Network:
    """The network with one sector at some steps from its setting in `start`, which has the same sectors and cells."""
    sectors, cells = network.sectors.copy(), network.cells.copy()
    row, of = sectors["sector_id"] == sector_id, cells["sector_id"] == sector_id
    first, power = start.sectors.loc[row], start.cells.loc[of, "max_power_dbm"]
    sectors.loc[row, "azimuth_deg"] = (first["azimuth_deg"] + steps.azimuth_step_deg) % 360.0
    sectors.loc[row, "electrical_tilt_deg"] = first["electrical_tilt_deg"] + steps.tilt_step_deg
    sectors.loc[row, "tx_height_agl_m"] = first["tx_height_agl_m"] + steps.height_step_m
    cells.loc[of, "max_power_dbm"] = power + steps.power_step_db
    return replace(network, sectors=sectors, cells=cells)
