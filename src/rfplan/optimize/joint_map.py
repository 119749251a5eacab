"""Joint coverage on a map: a pixel counts where some site serves it with enough probability, shadowing counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import ndtr

from rfplan.errors import ParameterError
from rfplan.io.memo import Memo
from rfplan.optimize.candidates import Candidates
from rfplan.optimize.instance import Rules
from rfplan.optimize.joint import MatrixJointCover
from rfplan.optimize.joint_rows import UNITS, server_units
from rfplan.optimize.matrix import CoverageMatrix, coverage_matrix
from rfplan.optimize.prepare import Prepared, demand_pixels, predict_like, reaching, settings_of, totals
from rfplan.optimize.radio import OnMap, PlanProgress
from rfplan.optimize.solution import Solution

if TYPE_CHECKING:
    from rfplan.coverage import Coverage
    from rfplan.network import Network

#: Bytes a (pixel, candidate) pair takes while the matrix is made.
PAIR_BYTES = 32
#: Kinds of candidates that add to a site which has the technology already.
ON_SERVING_SITES = ("sector", "taller")


@dataclass(frozen=True)
class JointRequirement:
    """When servers together count as enough.

    Attributes
    ----------
    probability
        P, above 0 and below 1: at least one site must serve with it.
    least_probability
        Servers with less than this do not count; 0…P. It keeps the far ends of every site's range out of the problem.
    """

    probability: float
    least_probability: float = 0.05

    def __post_init__(self) -> None:
        """Check both."""
        if not 0.0 < self.probability < 1.0:
            raise ParameterError(f"probability = {self.probability}: give one above 0 and below 1, such as 0.95")
        if not 0.0 <= self.least_probability <= self.probability:
            raise ParameterError(
                f"least_probability = {self.least_probability}: give one from 0 to probability = {self.probability}"
            )

    def units(self, margin_db: npt.NDArray[np.floating[Any]], sigma_db: float) -> npt.NDArray[np.int32]:
        """Weight of a site where it has these margins, free of fading margins, under shadowing of this deviation."""
        p = np.nan_to_num(ndtr(np.asarray(margin_db, np.float64) / sigma_db), nan=0.0)
        return np.where(p >= self.least_probability, server_units(p, self.probability), 0).astype(np.int32)


def joint_units(
    network: Network, like: Coverage, asked: JointRequirement, memo: Memo | None = None, step: str = "joint"
) -> npt.NDArray[np.int64]:
    """Sum of the sites' weights at every pixel, (ny, nx); `UNITS` is enough. Whole numbers: any order, the same sum.

    Parameters
    ----------
    network
        Whose sites serve; the cells of a site share its shadowing, sites are independent of each other.
    like
        A coverage whose settings and terrain are to be used.
    asked
        What is enough.
    memo, step
        What remembers the sum, and under which name.
    """
    from rfplan.coverage import site_margins

    settings, sigma_db = _free_of_margins(like)

    def work() -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        total = np.zeros(like.terrain.shape, np.int64)
        for _, rows, cols, margin_db, _ in site_margins(network, like.terrain, **settings):
            total[rows, cols] += asked.units(margin_db, sigma_db)
        return {}, {"units": total}

    memo = _depending_on(memo or Memo(None), network, like, asked)
    return np.asarray(memo.recall(step, work).arrays["units"], np.int64)


def _depending_on(memo: Memo, network: Network, like: Coverage, asked: JointRequirement) -> Memo:
    """The memo for what follows from the sites' chances."""
    from rfplan.coverage.predict import make_predictor

    if memo.folder is None or len(network.sites) == 0:
        return memo
    settings, sigma_db = _free_of_margins(like)
    return memo.on(*make_predictor(network, like.terrain, **settings).identity(), asked, sigma_db)


def joint_coverage(coverage: Coverage, total: npt.NDArray[np.int64], asked: JointRequirement) -> Coverage:
    """The coverage whose layer ``covered`` is joint coverage, with a layer ``joint_probability``, a lower bound."""
    layers = coverage.layers.copy()
    shape = layers["covered"]
    words = f"some site serves with probability {asked.probability:g}"
    covered = np.where(coverage.terrain.valid, total >= UNITS, False)
    probability = -np.expm1(np.log1p(-asked.probability) * total / UNITS)
    layers["covered"] = shape.copy(data=covered).assign_attrs(long_name=words)
    layers["joint_probability"] = shape.copy(data=probability.astype(np.float32)).assign_attrs(
        units="1", long_name="probability that some site serves, at least"
    )
    return replace(coverage, layers=layers.assign_attrs(joint_probability=asked.probability))


def _free_of_margins(coverage: Coverage) -> tuple[dict[str, Any], float]:
    """Settings whose margins hold no fading margin, and the standard deviation of shadowing in their place."""
    service, model = coverage.service, coverage.model
    if getattr(model, "location_percent", 50.0) != 50.0:
        raise ParameterError(
            "joint coverage needs a model at 50 % of locations, it counts shadowing itself; "
            f"{type(model).__name__} has location_percent = {model.location_percent:g}"
        )
    free = replace(
        service,
        required_rsrp_dbm=service.required_rsrp_dbm - service.downlink_margin_db,
        fading_margin_db=0.0,
        downlink_margin_db=0.0,
    )
    return {**settings_of(coverage), "service": free}, service.sigma_db(model)


@dataclass(frozen=True, eq=False)
class JointPrepared(Prepared):
    """A predicted planning problem of joint coverage; its coverage's ``covered`` is joint.

    Attributes
    ----------
    units
        scipy csc_matrix of weights: uncovered demand pixels × candidates.
    need
        What each of these pixels lacks.
    asked
        What is enough.
    """

    units: Any = None
    need: npt.NDArray[np.int32] | None = None
    asked: JointRequirement | None = None

    def served(self, columns: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
        """Rows that a selection serves well enough with what is there."""
        chosen = np.zeros(self.units.shape[1], np.int64)
        chosen[columns] = 1
        return np.asarray(np.asarray(self.units @ chosen).ravel() >= self.need, np.bool_)

    def predict(self, network: Network, step: str) -> Coverage:
        """Joint coverage of another network, from scratch."""
        assert self.asked is not None
        after = predict_like(self.coverage, network, self.memo, step)
        units = joint_units(network, self.coverage, self.asked, self.memo, step.replace("coverage", "joint"))
        return joint_coverage(after, units, self.asked)


@dataclass(frozen=True, eq=False)
class JointCover(OnMap):
    """Cheapest sites so that a share of people, area or both has some server with a given probability.

    Each site serves a pixel with Φ(margin / σ), margin of its best cell free of fading margins and σ the service's (or
    the model's) standard deviation of shadowing, independently of other sites. Existing sites count. Several weak
    servers may do what none does alone.

    Parameters
    ----------
    probability, least_probability : float
        See `JointRequirement`.
    population_target, area_target : float, optional
        Shares 0–1 of the people and area that are served so already or would be with every candidate built. With
        neither, 0.999 of people.

    Raises
    ------
    ParameterError
        For candidates that add to a site which has the technology (kinds ``sector`` and ``taller``), or several of
        which stand on one site without excluding each other: they share its shadowing.
    """

    probability: float = 0.95
    least_probability: float = 0.05
    population_target: float | None = None
    area_target: float | None = None

    from_matrix: ClassVar[Callable[..., MatrixJointCover]] = MatrixJointCover.from_matrix

    def __post_init__(self) -> None:
        """Check requirement, targets and candidates."""
        self.asked  # noqa: B018
        for name in ("population_target", "area_target"):
            value = getattr(self, name)
            if value is not None and not 0.0 <= value <= 1.0:
                raise ParameterError(f"{name} = {value}: give a share between 0 and 1 (0.999 is 99.9 %)")
        _check_independent(self.candidates, self.rules)

    @property
    def asked(self) -> JointRequirement:
        """What is enough."""
        return JointRequirement(self.probability, self.least_probability)

    def prepare(self, progress: PlanProgress | None = None, memo: Memo | None = None) -> JointPrepared:
        """Predict existing sites and candidates with their probabilities; solve the result as often as you like."""
        return _prepare(self, progress, memo or Memo(None))

    def _targets(self) -> Mapping[str, float]:
        given = {"people": self.population_target, "area_km2": self.area_target}
        return {name: share for name, share in given.items() if share is not None} or {"people": 0.999}

    def _solve_matrix(self, ready: Prepared, time_limit_s: float, seed: int, progress: PlanProgress | None) -> Solution:
        assert isinstance(ready, JointPrepared)
        assert ready.need is not None
        measures, targets = dict(ready.measures), dict(self._targets())
        # What is served already lies outside the matrix: a last row without weights holds it.
        units = sparse.vstack([ready.units, sparse.csc_matrix((1, ready.units.shape[1]), dtype=np.int32)], format="csc")
        before = {"people": ready.people.before, "area_km2": ready.area.before}
        measures = {name: np.append(values, before[name]) for name, values in measures.items()}
        need = np.append(ready.need, 0).astype(np.int32)
        problem = MatrixJointCover(units, need, self.candidates.cost, measures, targets, self.rules or Rules())
        return problem.solve(time_limit_s, seed, progress)


def _check_independent(candidates: Candidates, rules: Rules | None) -> None:
    table = candidates.table
    adding = table["kind"].isin(ON_SERVING_SITES)
    if adding.any():
        name, kind = table.loc[adding, ["candidate_id", "kind"]].iloc[0]
        raise ParameterError(
            f"candidate {name!r} of kind {kind!r} stands on a site that serves already and shares its shadowing: joint "
            "coverage takes sites as independent; leave sector and taller out of the kinds"
        )
    host = table["site_id"].astype(str)
    twice = host[(host != "") & host.duplicated(keep=False)]
    if not len(twice):
        return
    allowed = {tuple(pair) for pair in (rules or Rules()).conflict_pairs(len(table)).tolist()}
    for name, members in twice.groupby(twice):
        index = [int(i) for i in members.index]
        for i, a in enumerate(index):
            if any((a, b) not in allowed for b in index[i + 1 :]):
                raise ParameterError(
                    f"several candidates stand on site {name!r} and share its shadowing: joint coverage takes servers "
                    "as independent; make them exclusive in the rules"
                )


def _candidate_units(
    problem: JointCover,
    coverage: Coverage,
    wanted: npt.NDArray[np.bool_],
    progress: PlanProgress | None,
    memo: Memo,
) -> sparse.csc_matrix:
    """Weights of every candidate on the wanted pixels."""
    from rfplan.coverage import site_margins

    asked, candidates, terrain = problem.asked, problem.candidates, coverage.terrain
    settings, sigma_db = _free_of_margins(coverage)
    useful = reaching(candidates, wanted, coverage)
    network = candidates.to_network(useful)
    row_of = np.full(wanted.shape, -1, np.int32)
    row_of[wanted] = np.arange(int(wanted.sum()), dtype=np.int32)

    def work() -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        found: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]] = [_NOTHING] * len(candidates)
        pairs = 0
        for done, (index, rows, cols, margin_db, _) in enumerate(site_margins(network, terrain, **settings), 1):
            row, units = row_of[rows, cols], asked.units(margin_db, sigma_db)
            hit = (row >= 0) & (units > 0)
            found[int(useful[index])] = row[hit], units[hit]
            pairs += int(hit.sum())
            if pairs * PAIR_BYTES > problem.memory_cap_gb * 1e9:
                raise ParameterError(
                    f"the matrix of probabilities passes memory_cap_gb = {problem.memory_cap_gb:g} after {done} of "
                    f"{len(useful)} candidates; use fewer candidates, a higher least_probability or a higher cap"
                )
            if progress is not None:
                progress("predict candidates", float(done), float(len(useful)))
        return {}, {
            "pointer": np.concatenate([[0], np.cumsum([len(row) for row, _ in found])]).astype(np.int64),
            "rows": np.concatenate([row for row, _ in found]),
            "units": np.concatenate([units for _, units in found]),
        }

    memo = _depending_on(memo.on(wanted, len(candidates), useful), network, coverage, asked)
    got = memo.recall("joint_candidates", work).arrays
    return sparse.csc_matrix((got["units"], got["rows"], got["pointer"]), shape=(int(wanted.sum()), len(candidates)))


def _prepare(problem: JointCover, progress: PlanProgress | None, memo: Memo) -> JointPrepared:
    """Weights of existing sites and candidates; see `JointPrepared`."""
    if len(problem.candidates) == 0:
        raise ParameterError("there are no candidates; relax the rules of find_candidates or add sites by hand")
    start = time.perf_counter()
    coverage, asked = problem.coverage, problem.asked
    if problem.threshold_dbm is not None:
        service = replace(coverage.service, required_rsrp_dbm=float(problem.threshold_dbm))
        coverage = predict_like(replace(coverage, service=service), coverage.network)
    terrain = coverage.terrain
    grid: Any = problem.demand.on_grid(terrain) if hasattr(problem.demand, "on_grid") else problem.demand
    domain = demand_pixels(grid, terrain)
    have = joint_units(coverage.network, coverage, asked, memo, "joint_before")
    before = joint_coverage(coverage, have, asked)
    wanted = domain & ~before.covered
    weights = _candidate_units(problem, coverage, wanted, progress, memo)
    pixel_km2 = (terrain.resolution_m / 1000.0) ** 2
    pattern = weights.indptr.astype(np.int64), weights.indices.astype(np.int32)
    covers: CoverageMatrix = coverage_matrix(pattern, wanted, grid, pixel_km2)
    need = (UNITS - have[wanted]).astype(np.int32)
    reach = np.asarray(weights.sum(axis=1)).ravel() >= need
    people, area = totals(covers, grid, before.covered & domain, domain, reach, pixel_km2)
    return JointPrepared(
        coverage=before,
        grid=grid,
        candidates=problem.candidates,
        covers=covers,
        domain=domain,
        people=people,
        area=area,
        prediction_s=time.perf_counter() - start,
        memo=memo.on(weights.data, *pattern, need, covers.people, before.covered),
        units=weights,
        need=need,
        asked=asked,
    )


_NOTHING = (np.zeros(0, np.int32), np.zeros(0, np.int32))
