"""A growing linear model for Benders' method: columns x, one θ a block of rows, cuts added as they are needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from rfplan.optimize.effort import Effort
from rfplan.optimize.highs import BRANCH_S, SIMPLEX_S, charge_run, limit_iterations, limit_looks
from rfplan.optimize.instance import FloatArray

#: Nominal seconds an entry of the master for going on from the last point: nothing is read anew.
AGAIN_S = 1e-7


@dataclass(frozen=True, eq=False)
class MasterPoint:
    """A point of the master: x, θ, the proven bound on its minimum, and whether the solver finished."""

    x: FloatArray
    theta: FloatArray
    bound: float
    finished: bool


class Master:
    """Minimise ``cost @ (x, θ)`` with bounds and rows that only ever grow in number.

    Rows are kept here too, so that the bound can be recomputed from the duals apart from the solver.
    """

    def __init__(self, cost: FloatArray, lower: FloatArray, upper: FloatArray, n_cols: int, seed: int) -> None:
        import highspy

        self._cost, self._lower, self._upper, self._n = cost, lower, upper, n_cols
        self._solver = highspy.Highs()
        for name, value in (("output_flag", False), ("threads", 1), ("random_seed", seed % 2**31)):
            self._solver.setOptionValue(name, value)
        size = len(cost)
        self._solver.addVars(size, lower, upper)
        self._solver.changeColsCost(size, np.arange(size, dtype=np.int32), cost)
        self._rows: list[Any] = []
        self._low: list[FloatArray] = []
        self._high: list[FloatArray] = []
        self._first_dual: FloatArray = np.zeros(0)

    def add(self, rows: Any, low: FloatArray, high: FloatArray) -> None:
        """Add rows, a csr_matrix with the master's columns."""
        rows = sparse.csr_matrix(rows)
        if rows.shape[0] == 0:
            return
        self._rows.append(rows)
        self._low.append(low)
        self._high.append(high)
        self._solver.addRows(
            rows.shape[0],
            low,
            high,
            int(rows.nnz),
            rows.indptr[:-1].astype(np.int32),
            rows.indices.astype(np.int32),
            rows.data.astype(np.float64),
        )

    def solve_relaxed(self, effort: Effort) -> MasterPoint | None:
        """The linear relaxation, warm-started from the last; its bound is recomputed from cleaned duals."""
        self._limit(effort)
        limit_iterations(self._solver, self._size, effort)
        self._solver.run()
        charge_run(self._solver, self._size, effort, SIMPLEX_S, AGAIN_S)
        solution = self._solver.getSolution()
        if not solution.value_valid:
            return None
        point = np.clip(np.array(solution.col_value), self._lower, self._upper)
        finished = self._status() == "optimal"
        self._first_dual = np.array(solution.row_dual)[: self._rows[0].shape[0]] if self._rows else np.zeros(0)
        bound = self._safe_bound(np.array(solution.row_dual)) if solution.dual_valid else -np.inf
        return MasterPoint(point[: self._n], point[self._n :], bound, finished)

    @property
    def first_dual(self) -> FloatArray:
        """Duals of the rows added first, at the last linear point."""
        return self._first_dual

    def solve_whole(self, effort: Effort, start: FloatArray | None, gap: float) -> MasterPoint | None:
        """The master with whole x, by branch and bound; then whole again until made continuous."""
        import highspy

        columns = np.arange(self._n, dtype=np.int32)
        self._solver.changeColsIntegrality(self._n, columns, np.full(self._n, 1, np.uint8))
        self._solver.setOptionValue("mip_rel_gap", gap)
        self._limit(effort)
        self._solver.setOptionValue("simplex_iteration_limit", 2**31 - 1)
        limit_looks(self._solver, self._size, effort)
        if start is not None:
            guess = highspy.HighsSolution()
            guess.col_value = start.tolist()
            self._solver.setSolution(guess)
        self._solver.run()
        charge_run(self._solver, self._size, effort, BRANCH_S)
        info = self._solver.getInfo()
        solution = self._solver.getSolution()
        status = self._status()
        found = info.primal_solution_status == 2
        point = np.array(solution.col_value) if found else None
        bound = float(info.mip_dual_bound)
        self._solver.changeColsIntegrality(self._n, columns, np.full(self._n, 0, np.uint8))
        if status == "infeasible":
            return MasterPoint(np.zeros(0), np.zeros(0), np.inf, True)
        if point is None:
            return MasterPoint(np.zeros(0), np.zeros(0), bound, False)
        return MasterPoint(np.round(point[: self._n]), point[self._n :], bound, status == "optimal")

    @property
    def _size(self) -> int:
        return len(self._cost) + sum(int(rows.nnz) + int(rows.shape[0]) for rows in self._rows)

    def _limit(self, effort: Effort) -> None:
        self._solver.setOptionValue("time_limit", max(0.05, effort.wall_left()))

    def _status(self) -> str:
        import highspy

        status = self._solver.getModelStatus()
        if status == highspy.HighsModelStatus.kOptimal:
            return "optimal"
        return "infeasible" if status == highspy.HighsModelStatus.kInfeasible else "stopped"

    def _safe_bound(self, dual: FloatArray) -> float:
        """Weak duality over the box: valid for any duals, so only rounding needs an allowance."""
        matrix = sparse.vstack(self._rows, format="csr")
        low, high = np.concatenate(self._low), np.concatenate(self._high)
        dual = np.where(np.isinf(low), np.minimum(dual, 0.0), dual)
        dual = np.where(np.isinf(high), np.maximum(dual, 0.0), dual)
        reduced = self._cost - matrix.T @ dual
        at_row = np.where(dual > 0, low, np.where(dual < 0, high, 0.0))
        rows = float((dual * at_row).sum())
        box = float(np.where(reduced > 0, reduced * self._lower, reduced * self._upper).sum())
        slack = 1e-11 * float(np.abs(dual * at_row).sum() + np.abs(reduced * self._upper).sum() * 1e-3)
        return rows + box - slack
