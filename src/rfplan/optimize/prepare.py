"""From coverage, demand and candidates to the matrix problem, and from its solution back to a plan on the map."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rfplan.errors import ParameterError
from rfplan.io.memo import Memo
from rfplan.optimize.candidates import Candidates
from rfplan.optimize.instance import FloatArray, IntArray
from rfplan.optimize.matrix import CoverageMatrix, build_columns, coverage_matrix
from rfplan.optimize.planning import Plan, Totals, curve_table, site_table
from rfplan.optimize.solution import Solution
from rfplan.optimize.uncoverable import near_any, uncoverable_polygons

if TYPE_CHECKING:
    from rfplan.coverage import Coverage
    from rfplan.network import Network


@dataclass(frozen=True, eq=False)
class Prepared:
    """A predicted planning problem: solve it as often as you like.

    Attributes
    ----------
    coverage
        The existing network's coverage at the threshold planned for.
    grid
        Demand on the terrain's grid.
    candidates
        Possible sites, the matrix's columns.
    covers
        Which uncovered demand pixels each candidate covers.
    domain
        (ny, nx) demand pixels: inside communes, on known ground.
    people, area
        Totals of both measures.
    memo
        What remembers finished steps; knows what the matrix depends on.
    """

    coverage: Coverage
    grid: Any
    candidates: Candidates
    covers: CoverageMatrix
    domain: npt.NDArray[np.bool_]
    people: Totals
    area: Totals
    prediction_s: float
    memo: Memo = field(default_factory=lambda: Memo(None))

    @property
    def measures(self) -> dict[str, FloatArray]:
        """What rows are worth, by name."""
        return {"people": self.covers.people, "area_km2": self.covers.area_km2}

    @property
    def required(self) -> IntArray:
        """One site is enough for every row."""
        return np.ones(len(self.covers.pixels), np.int32)

    def commune_shortfall(self, share: float) -> FloatArray:
        """People every commune must gain to have `share` of those on known terrain covered."""
        index = np.asarray(self.grid.commune_index)
        people = np.nan_to_num(np.asarray(self.grid.population, np.float64))
        covered = np.asarray(self.coverage.layers["covered"].values, np.bool_)
        n = int(index.max()) + 1 if index.size else 0
        inside = self.domain & (index >= 0)
        total = np.bincount(index[inside], weights=people[inside], minlength=n)
        before = np.bincount(index[inside & covered], weights=people[inside & covered], minlength=n)
        return np.asarray(np.maximum(0.0, share * total - before))

    def served(self, columns: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
        """Rows that a selection covers."""
        return np.asarray(self.covers.matrix.rows_covered(columns) > 0)

    def predict(self, network: Network, step: str) -> Coverage:
        """Coverage of another network, from scratch, or as memos know `step`."""
        return predict_like(self.coverage, network, self.memo, step)

    def finish(
        self,
        solution: Solution,
        targets: Mapping[str, float],
        progress: Callable[[str, float, float], None] | None,
        step: str = "coverage_after",
    ) -> Plan:
        """Predict the chosen network anew as a whole, compare to the pixel, and gather the plan; memos know `step`."""
        start = time.perf_counter()
        before = np.asarray(self.coverage.layers["covered"].values, np.bool_)
        after = self.coverage
        if len(solution.selected):
            from rfplan.network import Network

            merged = Network.concat([self.coverage.network, self.candidates.to_network(solution.selected)])
            after = self.predict(merged, step)
        promised = (before & self.domain) | self.covers.mask(self.served(solution.selected))
        got = np.asarray(after.layers["covered"].values, np.bool_) & self.domain
        mismatch = int((promised != got).sum())
        if progress is not None:
            progress("verify", float(mismatch), float(promised.sum()))
        return Plan(
            sites=site_table(self.candidates, solution, self.people, self.area),
            solution=solution,
            uncoverable=self.uncoverable(solution, after),
            coverage_before=self.coverage,
            coverage_after=after,
            demand=self.grid,
            candidates=self.candidates,
            verified=mismatch == 0 and solution.verified,
            mismatch_pixels=mismatch,
            targets=dict(targets),
            curve=curve_table(solution, self.people, self.area),
            timings_s={
                "predict candidates": self.prediction_s,
                "solve": solution.time_s,
                "verify": time.perf_counter() - start,
            },
        )

    def uncoverable(self, solution: Solution, after: Coverage) -> Any:
        """Polygons of what no candidate can cover, nor `after` does: people, area_km2, reason."""
        terrain = self.coverage.terrain
        table = self.candidates.table
        near = near_any(
            table["x_m"].to_numpy(np.float64), table["y_m"].to_numpy(np.float64), self.coverage.radius_m, terrain
        )
        covered = np.asarray(after.layers["covered"].values, np.bool_)
        rest = self.covers.mask(solution.uncoverable_rows) & ~covered
        return uncoverable_polygons(rest, near, np.asarray(self.grid.population, np.float64), terrain)


def prepare(
    coverage: Coverage,
    demand: Any,
    candidates: Candidates,
    threshold_dbm: float | None,
    memory_cap_gb: float,
    progress: Callable[[str, float, float], None] | None,
    memo: Memo | None = None,
) -> Prepared:
    """Predict every candidate on the pixels still uncovered; see `Prepared`."""
    from rfplan.coverage import site_margins
    from rfplan.coverage.predict import make_predictor

    if len(candidates) == 0:
        raise ParameterError("there are no candidates; relax the rules of find_candidates or add sites by hand")
    start = time.perf_counter()
    if threshold_dbm is not None and threshold_dbm != coverage.service.required_rsrp_dbm:
        service = replace(coverage.service, required_rsrp_dbm=float(threshold_dbm))
        coverage = predict_like(replace(coverage, service=service), coverage.network)
    terrain = coverage.terrain
    grid = demand.on_grid(terrain) if hasattr(demand, "on_grid") else demand
    domain = demand_pixels(grid, terrain)
    covered = np.asarray(coverage.layers["covered"].values, np.bool_)
    wanted = domain & ~covered
    pixel_km2 = (terrain.resolution_m / 1000.0) ** 2

    def report(done: int, total: int) -> None:
        if progress is not None:
            progress("predict candidates", float(done), float(total))

    useful = reaching(candidates, wanted, coverage)
    part: Network = candidates.to_network(useful)

    def predict() -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        margins = ((int(useful[index]), *rest) for index, *rest in site_margins(part, terrain, **settings_of(coverage)))
        columns = build_columns(margins, len(candidates), wanted, memory_cap_gb=memory_cap_gb, progress=report)
        return {}, {"col_ptr": columns[0], "col_rows": columns[1]}

    memo = (memo or Memo(None)).on(wanted, len(candidates), useful)
    if memo.folder is not None and len(useful):
        memo = memo.on(*make_predictor(part, terrain, **settings_of(coverage)).identity())
    found = memo.recall("candidate_coverage", predict).arrays
    covers = coverage_matrix((found["col_ptr"], found["col_rows"]), wanted, grid, pixel_km2)
    coverable = covers.matrix.row_ptr[1:] > covers.matrix.row_ptr[:-1]
    people, area = totals(covers, grid, covered & domain, domain, coverable, pixel_km2)
    return Prepared(
        coverage=coverage,
        grid=grid,
        candidates=candidates,
        covers=covers,
        domain=domain,
        people=people,
        area=area,
        prediction_s=time.perf_counter() - start,
        memo=memo.on(np.nan_to_num(np.asarray(grid.population, np.float64)), np.asarray(grid.commune_index), covered),
    )


def demand_pixels(grid: Any, terrain: Any) -> npt.NDArray[np.bool_]:
    """Pixels on known ground inside communes; on all known ground where the demand has none."""
    known = np.asarray(terrain.valid)
    inside = np.asarray(grid.commune_index) >= 0
    return np.asarray(known & (inside if inside.any() else np.ones(known.shape, np.bool_)))


def totals(
    covers: CoverageMatrix,
    grid: Any,
    covered: npt.NDArray[np.bool_],
    domain: npt.NDArray[np.bool_],
    coverable: npt.NDArray[np.bool_],
    pixel_km2: float,
) -> tuple[Totals, Totals]:
    """People and area covered before, coverable, and in all; `coverable` says so of the matrix's rows."""
    people = np.nan_to_num(np.asarray(grid.population, np.float64))
    return (
        Totals(float(people[covered].sum()), float(covers.people[coverable].sum()), float(people[domain].sum())),
        Totals(
            float(covered.sum() * pixel_km2), float(covers.area_km2[coverable].sum()), float(domain.sum() * pixel_km2)
        ),
    )


def settings_of(coverage: Coverage) -> dict[str, Any]:
    """The prediction settings of a coverage, as keywords."""
    names = ("model", "receiver", "service", "technology", "radius_m", "method", "antennas", "path_loss_store")
    return {name: getattr(coverage, name) for name in names if hasattr(coverage, name)}


def predict_like(
    coverage: Coverage, network: Network, memo: Memo | None = None, step: str = "coverage_after"
) -> Coverage:
    """Predict another network with the settings of `coverage`, from scratch, or recall it."""
    from rfplan.coverage import compute_coverage
    from rfplan.coverage.core import recall_coverage

    if memo is None or memo.folder is None:
        return compute_coverage(network, coverage.terrain, **settings_of(coverage))
    return recall_coverage(memo, step, network, coverage.terrain, **settings_of(coverage))


def reaching(candidates: Candidates, wanted: npt.NDArray[np.bool_], coverage: Coverage) -> npt.NDArray[np.int64]:
    """Candidates with a wanted pixel within the prediction radius: the others need no prediction."""
    from scipy.ndimage import distance_transform_edt

    terrain = coverage.terrain
    if not wanted.any():
        return np.zeros(0, np.int64)
    distance_m = distance_transform_edt(~wanted) * terrain.resolution_m
    table = candidates.table
    column = (table["x_m"].to_numpy(np.float64) - terrain.x0_m) / terrain.resolution_m
    row = (terrain.y0_m - table["y_m"].to_numpy(np.float64)) / terrain.resolution_m
    ny, nx = wanted.shape
    clipped_row = np.clip(row.astype(np.int64), 0, ny - 1)
    clipped_column = np.clip(column.astype(np.int64), 0, nx - 1)
    # Off-grid candidates are farther from the pixel they are clipped to than the grid shows: never dropped wrongly.
    reach = coverage.radius_m + 2.0 * terrain.resolution_m
    return np.flatnonzero(distance_m[clipped_row, clipped_column] <= reach)
