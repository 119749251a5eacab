"""One door to HiGHS: arrays in, best point, proven bound and duals out; single-threaded, so runs repeat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import sparse

from rfplan.optimize.effort import Effort
from rfplan.optimize.instance import FloatArray

HighsStatus = Literal["optimal", "stopped", "infeasible"]

#: Nominal seconds, measured on covering models, an entry of the model (nonzeros, rows and columns): of a simplex
#: iteration, of an interior-point iteration, of one inside branch and bound (with its cuts, heuristics and presolve),
#: of reading the model, of a look at the limits.
SIMPLEX_S, INTERIOR_S, BRANCH_S, READ_S, LOOK_S = 2e-9, 5e-7, 2e-8, 1e-6, 1e-6
#: Looks at the limits that branch and bound gets at least: its root alone takes some.
LEAST_LOOKS = 20


@dataclass(frozen=True, eq=False)
class LinearModel:
    """Minimise ``cost @ x`` with ``row_lower <= A x <= row_upper``, ``lower <= x <= upper``, some x whole.

    ``matrix`` is a scipy csr_matrix; ``integer`` a mask of the whole variables.
    """

    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    matrix: Any
    row_lower: FloatArray
    row_upper: FloatArray
    integer: Any


@dataclass(frozen=True, eq=False)
class HighsResult:
    """What HiGHS found: best point or None, its objective, proven lower bound, row duals (LP only) or None."""

    status: HighsStatus
    x: FloatArray | None
    objective: float
    bound: float
    row_dual: FloatArray | None
    interrupted: bool
    nodes: int = 0


def run_highs(
    model: LinearModel,
    *,
    effort: Effort,
    seed: int = 0,
    start: FloatArray | None = None,
    node_limit: int | None = None,
    options: dict[str, Any] | None = None,
) -> HighsResult:
    """Solve a model, as far as the effort goes; what it took is charged to it.

    HiGHS on one thread repeats itself step by step, so limits on its steps, unlike limits on time, give the same answer
    each time: iterations for a linear model; for a whole one how often it looks at its limits, which it does at fixed
    places of the algorithm. The time limit is the effort's wall clock.

    Parameters
    ----------
    model
        The model; an LP when no variable is whole.
    effort
        Work allowed.
    seed
        HiGHS's random seed.
    start
        A feasible point to start from.
    node_limit
        Most branch-and-bound nodes.
    options
        Further HiGHS options by name.
    """
    import highspy

    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("random_seed", int(seed) % 2**31)
    solver.setOptionValue("time_limit", max(0.01, effort.wall_left()))
    is_mip = bool(np.any(model.integer))
    size = entries(model.matrix)
    if is_mip:
        limit_looks(solver, size, effort)
        solver.setOptionValue("mip_rel_gap", 0.0)
        solver.setOptionValue("mip_abs_gap", 1e-7)
        if node_limit is not None:
            solver.setOptionValue("mip_max_nodes", int(node_limit))
    else:
        limit_iterations(solver, size, effort)
    for name, value in (options or {}).items():
        solver.setOptionValue(name, value)
    _pass(solver, model)
    if start is not None:
        point = highspy.HighsSolution()
        point.col_value = np.asarray(start, np.float64).tolist()
        solver.setSolution(point)
    interrupted = _run(solver, min(effort.left(), effort.wall_left()))
    charge_run(solver, size, effort, BRANCH_S if is_mip else SIMPLEX_S)
    return _result(solver, model, is_mip, interrupted)


def entries(matrix: Any) -> int:
    """Size of a model: nonzeros, rows and columns."""
    rows, columns = matrix.shape
    return int(matrix.nnz) + int(rows) + int(columns)


def limit_iterations(solver: Any, size: int, effort: Effort) -> None:
    """Let linear programming go as far as the effort does."""
    left = effort.left()
    solver.setOptionValue("simplex_iteration_limit", min(2**31 - 1, 100 + int(left / (SIMPLEX_S * size))))
    solver.setOptionValue("ipm_iteration_limit", min(10_000, 5 + int(left / (INTERIOR_S * size))))


def limit_looks(solver: Any, size: int, effort: Effort) -> None:
    """Let branch and bound go as far as the effort does."""
    most = LEAST_LOOKS + int(effort.left() / (LOOK_S * size))
    looks = 0

    def look(event: Any) -> None:
        nonlocal looks
        looks += 1
        if looks > most:
            event.interrupt()

    solver.cbMipInterrupt.clear()
    solver.cbMipInterrupt += look


def charge_run(solver: Any, size: int, effort: Effort, simplex_s: float, read_s: float = READ_S) -> None:
    """Charge the run just made by its iterations, and note it if the wall clock ended it."""
    import highspy

    if solver.getModelStatus() == highspy.HighsModelStatus.kTimeLimit:
        effort.note_cut()
    info = solver.getInfo()
    simplex, interior = max(0, info.simplex_iteration_count), max(0, info.ipm_iteration_count)
    effort.charge(size * (read_s + simplex_s * simplex + INTERIOR_S * interior))


def _pass(solver: Any, model: LinearModel) -> None:
    import highspy

    matrix = sparse.csr_matrix(model.matrix)
    n_rows, n_cols = matrix.shape
    solver.passModel(
        n_cols,
        n_rows,
        int(matrix.nnz),
        int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMinimize),
        0.0,
        np.ascontiguousarray(model.cost, np.float64),
        np.ascontiguousarray(model.lower, np.float64),
        np.ascontiguousarray(model.upper, np.float64),
        np.ascontiguousarray(model.row_lower, np.float64),
        np.ascontiguousarray(model.row_upper, np.float64),
        matrix.indptr.astype(np.int32),
        matrix.indices.astype(np.int32),
        matrix.data.astype(np.float64),
        np.asarray(model.integer, np.int32),
    )


def _run(solver: Any, time_limit_s: float) -> bool:
    """Run; a long run in its own thread, so that Ctrl-C stops it at the next check. True when it was stopped so."""
    if time_limit_s <= 1.0:
        solver.run()
        return False
    solver.HandleUserInterrupt = True
    solver.startSolve()
    interrupted = False
    done = False
    while not done:
        try:
            done, _ = solver.wait(0.2)
        except KeyboardInterrupt:
            interrupted = True
            solver.cancelSolve()
    return interrupted


def _result(solver: Any, model: LinearModel, is_mip: bool, interrupted: bool) -> HighsResult:
    import highspy

    status = solver.getModelStatus()
    known = highspy.HighsModelStatus
    info = solver.getInfo()
    if status in (known.kInfeasible, known.kUnboundedOrInfeasible):
        return HighsResult("infeasible", None, np.inf, np.inf, None, interrupted)
    solution = solver.getSolution()
    nodes = max(0, int(info.mip_node_count))
    has_point = info.primal_solution_status == 2 and len(model.cost) > 0
    x = np.array(solution.col_value, np.float64) if has_point else None
    if len(model.cost) == 0:
        x = np.zeros(0)
    if x is not None and is_mip:
        x = np.where(model.integer, np.round(x), x)
    objective = float(model.cost @ x) if x is not None else np.inf
    bound = float(info.mip_dual_bound) if is_mip else -np.inf
    dual = None
    if not is_mip and solution.dual_valid:
        dual = np.array(solution.row_dual, np.float64)
    if status == known.kOptimal:
        return HighsResult("optimal", x, objective, objective if not is_mip else bound, dual, interrupted, nodes)
    return HighsResult("stopped", x, objective, bound, dual, interrupted, nodes)
