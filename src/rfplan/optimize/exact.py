"""Covering problems as mixed-integer models, and their safe dual bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from rfplan.optimize.effort import Effort
from rfplan.optimize.highs import HighsResult, LinearModel, run_highs
from rfplan.optimize.instance import FloatArray, Instance, IntArray
from rfplan.optimize.reduce import must_rows


@dataclass(frozen=True, eq=False)
class CoverModel:
    """A linear model of an instance: x (n columns) then y (one a partial row).

    Attributes
    ----------
    model
        The model.
    n_cols
        Number of x.
    rows
        int64 instance row behind each y.
    maximise
        The objective is the negative of the weight covered.
    constant
        To be added to the model's objective.
    """

    model: LinearModel
    n_cols: int
    rows: npt.NDArray[np.int64]
    maximise: bool
    constant: float

    def point(self, instance: Instance, selected: npt.NDArray[np.integer]) -> FloatArray:
        """The model's point of a selection."""
        x = np.zeros(self.n_cols + len(self.rows))
        x[selected] = 1.0
        covered = instance.matrix.rows_covered(selected) >= instance.required
        x[self.n_cols :] = covered[self.rows]
        return x

    def selected(self, x: FloatArray) -> IntArray:
        """Columns of a point."""
        return np.flatnonzero(x[: self.n_cols] > 0.5).astype(np.int32)


def cover_model(instance: Instance, *, relax: bool = False) -> CoverModel:
    """The model; needs that are infinite are maximised (one layer), others are constraints."""
    matrix = instance.matrix.to_csc().tocsr()
    m, n = instance.matrix.shape
    maximise = bool(np.isinf(instance.need).any())
    must = np.zeros(m, np.bool_) if maximise else must_rows(instance)
    counted = ((instance.layer_group >= 0) & (instance.layer_weight > 0)).any(axis=0)
    reachable = np.diff(matrix.indptr) >= instance.required
    partial = np.flatnonzero(counted & ~must & reachable)
    whole = np.flatnonzero(must)
    p = len(partial)
    blocks = [sparse.hstack([matrix[whole], sparse.csr_matrix((len(whole), p))], format="csr")]
    low: list[FloatArray] = [instance.required[whole].astype(np.float64)]
    high: list[FloatArray] = [np.full(len(whole), np.inf)]
    links = sparse.hstack([matrix[partial], -sparse.diags(instance.required[partial].astype(np.float64))], format="csr")
    blocks.append(links)
    low.append(np.zeros(p))
    high.append(np.full(p, np.inf))
    cost = np.concatenate([np.zeros(n) if maximise else instance.cost, np.zeros(p)])
    groups = _group_weights(instance, partial)
    if maximise:
        cost[n:] = -np.asarray(groups.sum(axis=0)).ravel()
        blocks.append(sparse.csr_matrix(np.concatenate([instance.cost, np.zeros(p)])[None, :]))
        low.append(np.array([-np.inf]))
        high.append(np.array([instance.budget]))
    else:
        left = instance.need - instance.group_totals(must) - instance.tolerance
        active = np.flatnonzero(left > 0)
        scale = 1.0 / np.maximum(left[active], 1e-300)
        needs = sparse.diags(scale) @ groups[active]
        blocks.append(sparse.hstack([sparse.csr_matrix((len(active), n)), needs], format="csr"))
        low.append(np.ones(len(active)))
        high.append(np.full(len(active), np.inf))
    k = len(instance.conflicts)
    if k:
        pairs = sparse.csr_matrix(
            (np.ones(2 * k), (np.repeat(np.arange(k), 2), instance.conflicts.ravel())), shape=(k, n + p)
        )
        blocks.append(pairs)
        low.append(np.full(k, -np.inf))
        high.append(np.ones(k))
    lower = np.zeros(n + p)
    lower[instance.fixed] = 1.0
    upper = np.ones(n + p)
    upper[:n][instance.blocked == 1] = 0.0
    integer = np.zeros(n + p, np.bool_)
    if not relax:
        integer[:n] = True
        # With x whole and one column enough, y is whole by itself.
        integer[n:] = instance.required[partial] > 1
    model = LinearModel(
        cost, lower, upper, sparse.vstack(blocks, format="csr"), np.concatenate(low), np.concatenate(high), integer
    )
    return CoverModel(model, n, partial, maximise, 0.0)


def _group_weights(instance: Instance, rows: npt.NDArray[np.int64]) -> sparse.csr_matrix:
    """Weight of each row (columns of the result) towards each need (rows of the result)."""
    total = sparse.csr_matrix((len(instance.need), len(rows)))
    for labels, weight in zip(instance.layer_group[:, rows], instance.layer_weight[:, rows], strict=True):
        used = np.flatnonzero(labels >= 0)
        total = total + sparse.csr_matrix((weight[used], (labels[used], used)), shape=total.shape)
    return total


def solve_exact(
    instance: Instance,
    *,
    effort: Effort,
    seed: int = 0,
    start: npt.NDArray[np.integer] | None = None,
    node_limit: int | None = None,
) -> tuple[IntArray | None, float, HighsResult]:
    """Solve by branch and bound.

    Returns
    -------
    selected columns or None, proven bound (cost from below, weight from above), and HiGHS's result.
    """
    built = cover_model(instance)
    first = None if start is None else built.point(instance, start)
    result = run_highs(built.model, effort=effort, seed=seed, start=first, node_limit=node_limit)
    bound = -result.bound if built.maximise else result.bound
    if result.status == "infeasible":
        bound = -np.inf if built.maximise else np.inf
    selected = None if result.x is None else built.selected(result.x)
    return selected, float(bound), result
