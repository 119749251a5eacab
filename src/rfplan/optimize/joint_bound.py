"""Bounds of joint coverage: prices by linear programming or subgradient steps, made safe; and branch and bound."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from rfplan.optimize.effort import TOUCH_S, Effort
from rfplan.optimize.highs import LinearModel, run_highs
from rfplan.optimize.instance import NEED_TOLERANCE, FloatArray, IntArray
from rfplan.optimize.joint_rows import JointRows

#: The linear relaxation is solved up to this many nonzeros; larger problems take subgradient steps.
LINEAR_NONZEROS = 3_000_000


def relaxed_bound(rows: JointRows, effort: Effort, upper: float) -> float:
    """A proven lower bound on the cost, from the linear relaxation where it can be solved in the effort.

    Parameters
    ----------
    rows
        The problem.
    effort
        Work allowed.
    upper
        Cost of a known selection, which sets the length of subgradient steps.
    """
    if rows.units.nnz <= LINEAR_NONZEROS:
        options = {"solver": "ipm", "run_crossover": "off"} if rows.units.shape[0] > 3000 else {}
        result = run_highs(_model(rows, relax=True), effort=effort, options=options)
        if result.interrupted:
            raise KeyboardInterrupt
        if result.row_dual is not None:
            m, groups = len(rows.need), len(rows.amount)
            return proven(rows, result.row_dual[:m], result.row_dual[m : m + groups])
    return _subgradient(rows, effort, upper)


def proven(rows: JointRows, row_price: FloatArray, target_price: FloatArray) -> float:
    """The bound any prices >= 0 prove, by weak duality, less an allowance for rounding.

    With prices u on rows and v on targets (each divided by its amount still open), no selection costs less than
    ``Σ_must u + Σ v + Σ_others min(0, u − v·worth) + Σ_j min(0, c_j − Σ_i u_i w_ij / need_i)``, the last term whole for
    fixed columns.
    """
    _, opened = _open_targets(rows)
    bound, _, _ = _priced(rows, np.maximum(row_price, 0.0), np.where(opened, np.maximum(target_price, 0.0), 0.0))
    return bound


def _priced(rows: JointRows, u: FloatArray, v: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """The bound, the columns' reduced costs, and what serving each row is worth beyond its price."""
    worth, _ = _open_targets(rows)
    reduced = rows.cost - np.asarray(_shares(rows).T @ u).ravel()
    spare = u - worth.T @ v
    fixed = np.zeros(len(rows.cost), np.bool_)
    fixed[rows.fixed] = True
    taken = np.where(fixed, reduced, np.minimum(reduced, 0.0))
    taken[rows.blocked == 1] = 0.0
    parts = (
        float(u[rows.must].sum()),
        float((1.0 - NEED_TOLERANCE) * v.sum()),
        float(np.minimum(spare[~rows.must], 0.0).sum()),
        float(taken.sum()),
    )
    slack = 1e-12 * (sum(map(abs, parts)) + float(rows.cost.sum()) * 1e-3)
    return sum(parts) - slack, reduced, spare


def _shares(rows: JointRows) -> sparse.csc_matrix:
    """Weights as shares of their rows' needs."""
    units = rows.units
    return sparse.csc_matrix((units.data / rows.need[units.indices], units.indices, units.indptr), shape=units.shape)


def _open_targets(rows: JointRows) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Worth of rows that may stay out, as shares of what targets lack beyond the others; which targets are open."""
    left = rows.amount - rows.worth[:, rows.must].sum(axis=1)
    opened = left > NEED_TOLERANCE * rows.amount
    worth = np.where(rows.must, 0.0, rows.worth) / np.where(opened, left, np.inf)[:, None]
    return np.asarray(worth), opened


def _model(rows: JointRows, *, relax: bool) -> LinearModel:
    """Columns x, then z a row (1 where it is served): shares @ x >= z, worth @ z >= 1."""
    m, n = rows.units.shape
    worth, opened = _open_targets(rows)
    k = len(rows.conflicts)
    pairs = sparse.csr_matrix((np.ones(2 * k), (np.repeat(np.arange(k), 2), rows.conflicts.ravel())), shape=(k, n))
    matrix = sparse.bmat(
        [
            [_shares(rows), -sparse.identity(m)],
            [None if len(worth) == 0 else sparse.csr_matrix((len(worth), n)), sparse.csr_matrix(worth)],
            [pairs, sparse.csr_matrix((k, m))],
        ],
        format="csr",
    )
    lower, upper = np.zeros(n + m), np.ones(n + m)
    lower[rows.fixed] = 1.0
    upper[:n][rows.blocked == 1] = 0.0
    lower[n:][rows.must] = 1.0
    low = np.concatenate([np.zeros(m), np.where(opened, 1.0 - NEED_TOLERANCE, 0.0), np.full(k, -np.inf)])
    high = np.concatenate([np.full(m + len(worth), np.inf), np.ones(k)])
    integer = np.full(n + m, not relax)
    return LinearModel(np.concatenate([rows.cost, np.zeros(m)]), lower, upper, matrix, low, high, integer)


def solve_joint_exact(
    rows: JointRows, effort: Effort, seed: int, start: npt.NDArray[np.integer] | None
) -> tuple[IntArray | None, float, bool]:
    """Branch and bound: selected columns or None, proven bound, whether no selection exists."""
    n = len(rows.cost)
    first = None
    if start is not None:
        chosen = np.zeros(n)
        chosen[start] = 1.0
        first = np.concatenate([chosen, (rows.sums(start) >= rows.need).astype(np.float64)])
    result = run_highs(_model(rows, relax=False), effort=effort, seed=seed, start=first)
    if result.interrupted:
        raise KeyboardInterrupt
    if result.status == "infeasible":
        return None, np.inf, True
    selected = None if result.x is None else np.flatnonzero(result.x[:n] > 0.5).astype(np.int32)
    return selected, result.bound, False


def _subgradient(rows: JointRows, effort: Effort, upper: float) -> float:
    """Prices by steps along what the relaxed answer violates; the best bound seen."""
    worth, opened = _open_targets(rows)
    shares = _shares(rows)
    u = np.zeros(len(rows.need))
    v = np.where(opened, upper * 0.5, 0.0)
    u[rows.must] = upper * 0.5 / max(1, int(rows.must.sum()))
    best, length, since = -np.inf, 1.0, 0
    while effort.left() > 0.0 and length > 1e-4:
        bound, reduced, spare = _priced(rows, u, v)
        since = 0 if bound > best + 1e-6 * abs(best) else since + 1
        best = max(best, bound)
        if since >= 20:
            length, since = length * 0.5, 0
        x = (reduced < 0) & (rows.blocked == 0)
        x[rows.fixed] = True
        z = rows.must | (spare < 0)
        along_u, along_v = z - np.asarray(shares @ x).ravel(), np.where(opened, 1.0 - worth @ z, 0.0)
        size = float(along_u @ along_u + along_v @ along_v)
        if size == 0.0:
            break
        step = length * max(1.02 * upper - bound, 1e-9) / size
        u, v = np.maximum(u + step * along_u, 0.0), np.maximum(v + step * along_v, 0.0)
        effort.charge(4 * rows.units.nnz * TOUCH_S + 1e-4)
    return best
