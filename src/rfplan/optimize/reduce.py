"""Reductions that lose no optimal answer: forced columns, row and column dominance, merging of equal rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rfplan.kernels.dominance import column_dominance_kernel, row_dominance_kernel
from rfplan.optimize.instance import CoverMatrix, FloatArray, Instance, IntArray


@dataclass(frozen=True, eq=False)
class FullCover:
    """A full-cover problem: every row wants ``required`` columns, at least cost.

    Attributes
    ----------
    matrix, cost, required
        The residual problem; blocked columns are gone.
    columns
        int64: the column of the original instance behind each column.
    forced
        int32 original columns already decided to be in.
    conflicts
        (k, 2) pairs of residual columns that exclude each other.
    """

    matrix: CoverMatrix
    cost: FloatArray
    required: IntArray
    columns: npt.NDArray[np.int64]
    forced: IntArray
    conflicts: npt.NDArray[np.int64]

    def lift(self, selected: npt.NDArray[np.integer]) -> IntArray:
        """Original columns of a residual selection, the forced ones first."""
        return np.concatenate([self.forced, self.columns[selected]]).astype(np.int32)

    def as_instance(self) -> Instance:
        """The residual problem as an `Instance`."""
        m, n = self.matrix.shape
        return Instance(
            self.matrix,
            self.cost,
            self.required,
            np.zeros((1, m), np.int32),
            np.ones((1, m)),
            np.array([float(m)]),
            np.inf,
            np.zeros(0, np.int32),
            np.zeros(n, np.uint8),
            self.conflicts,
        )


def must_rows(instance: Instance) -> npt.NDArray[np.bool_]:
    """Rows that every solution covers: all weight of a need is needed."""
    must = np.zeros(instance.matrix.shape[0], np.bool_)
    for labels, weight in zip(instance.layer_group, instance.layer_weight, strict=True):
        used = (labels >= 0) & (weight > 0)
        totals = np.bincount(labels[used], weights=weight[used], minlength=len(instance.need))
        whole = np.isfinite(instance.need) & (instance.need > 0) & (instance.need >= totals * (1 - 1e-12))
        must |= used & whole[np.maximum(labels, 0)]
    return must


def is_full_cover(instance: Instance) -> bool:
    """Whether meeting the needs is the same as covering the rows of `must_rows`."""
    must = must_rows(instance)
    reached = instance.group_totals(must)
    finite = np.isfinite(instance.need)
    return bool(finite.all() and (reached >= instance.need - instance.tolerance).all())


def to_full_cover(instance: Instance) -> FullCover:
    """The residual full-cover problem after fixed and blocked columns."""
    must = must_rows(instance)
    required = instance.required - instance.matrix.rows_covered(instance.fixed)
    rows = np.flatnonzero(must & (required > 0))
    usable = instance.blocked == 0
    usable[instance.fixed] = False
    columns = np.flatnonzero(usable)
    number = np.full(len(usable), -1, np.int64)
    number[columns] = np.arange(len(columns))
    conflicts = number[instance.conflicts]
    conflicts = conflicts[(conflicts >= 0).all(axis=1)].reshape(-1, 2)
    return FullCover(
        instance.matrix.take(rows, columns),
        instance.cost[columns],
        required[rows].astype(np.int32),
        columns,
        instance.fixed,
        conflicts,
    )


def reduce_full_cover(problem: FullCover, *, rounds: int = 6) -> FullCover:
    """Apply forced columns, row dominance and column dominance until nothing changes.

    Column dominance needs every row to want one column and the column to be in no conflict: otherwise both the
    dominated and the dominating column may be wanted.
    """
    for _ in range(rounds):
        before = problem.matrix.shape
        problem = _force(problem)
        matrix = problem.matrix
        rows = undominated_rows(matrix, problem.required)
        matrix = matrix.take(rows)
        problem = replace(problem, matrix=matrix, required=problem.required[rows])
        keep_column = np.ones(matrix.shape[1], np.uint8)
        droppable = np.ones(matrix.shape[1], np.uint8)
        if (problem.required > 1).any():
            droppable[np.diff(matrix.col_ptr) > 0] = 0
        elif len(problem.conflicts):
            droppable[np.unique(problem.conflicts)] = 0
            # A column that excludes others is no free substitute either.
            droppable = np.where(_only_free_substitutes(problem), droppable, 0).astype(np.uint8)
        column_dominance_kernel(
            matrix.row_ptr, matrix.row_cols, matrix.col_ptr, matrix.col_rows, problem.cost, keep_column, droppable
        )
        problem = take_columns(problem, np.flatnonzero(keep_column))
        if problem.matrix.shape == before:
            break
    return problem


def undominated_rows(matrix: CoverMatrix, required: IntArray) -> npt.NDArray[np.int64]:
    """Rows that no other row implies: covering these covers all."""
    keep = np.ones(matrix.shape[0], np.uint8)
    order = np.argsort(np.diff(matrix.row_ptr), kind="stable")
    row_dominance_kernel(matrix.row_ptr, matrix.row_cols, matrix.col_ptr, matrix.col_rows, required, order, keep)
    return np.flatnonzero(keep)


def _only_free_substitutes(problem: FullCover) -> npt.NDArray[np.bool_]:
    """Columns that share no row with a column in conflict: their dominators are free to use."""
    touched = np.zeros(problem.matrix.shape[0], np.bool_)
    for column in np.unique(problem.conflicts):
        touched[problem.matrix.col_rows[problem.matrix.col_ptr[column] : problem.matrix.col_ptr[column + 1]]] = True
    shares = np.zeros(problem.matrix.shape[1], np.bool_)
    owner = np.repeat(np.arange(problem.matrix.shape[1]), np.diff(problem.matrix.col_ptr))
    shares[owner[touched[problem.matrix.col_rows]]] = True
    return np.asarray(~shares | (np.diff(problem.matrix.col_ptr) == 0))


def take_columns(problem: FullCover, kept: npt.NDArray[np.integer]) -> FullCover:
    """The problem on the given columns only; conflicts are renumbered."""
    number = np.full(problem.matrix.shape[1], -1, np.int64)
    number[kept] = np.arange(len(kept))
    conflicts = number[problem.conflicts]
    return replace(
        problem,
        matrix=problem.matrix.take(None, kept),
        cost=problem.cost[kept],
        columns=problem.columns[kept],
        conflicts=conflicts[(conflicts >= 0).all(axis=1)].reshape(-1, 2),
    )


def _force(problem: FullCover) -> FullCover:
    """Select columns that some row cannot do without, and drop the rows they satisfy and the columns they exclude."""
    matrix = problem.matrix
    tight = np.flatnonzero(np.diff(matrix.row_ptr) == problem.required)
    if len(tight) == 0:
        return problem
    forced = np.unique(
        np.concatenate([matrix.row_cols[matrix.row_ptr[row] : matrix.row_ptr[row + 1]] for row in tight])
    )
    if len(problem.conflicts) and np.isin(problem.conflicts, forced).all(axis=1).any():
        return problem  # the rows contradict the rules: the exact solver will say so
    required = problem.required - matrix.rows_covered(forced)
    rows = np.flatnonzero(required > 0)
    gone = np.zeros(matrix.shape[1], np.bool_)
    gone[forced] = True
    for pair in problem.conflicts[np.isin(problem.conflicts, forced).any(axis=1)]:
        gone[pair] = True
    columns = np.flatnonzero(~gone)
    lifted = np.concatenate([problem.forced, problem.columns[forced]]).astype(np.int32)
    smaller = replace(problem, matrix=matrix.take(rows), required=required[rows].astype(np.int32), forced=lifted)
    return take_columns(smaller, columns)


def merge_rows(instance: Instance) -> Instance:
    """One row for all rows that the same columns cover, as often required and for the same needs; weights add up.

    Rows that count towards no need are dropped. No selection's worth changes.
    """
    matrix = instance.matrix
    counted = np.flatnonzero(((instance.layer_group >= 0) & (instance.layer_weight > 0)).any(axis=0))
    groups: dict[tuple[bytes, bytes, int], int] = {}
    labels = np.ascontiguousarray(instance.layer_group.T)
    where = np.array(
        [
            groups.setdefault(
                (
                    matrix.row_cols[matrix.row_ptr[row] : matrix.row_ptr[row + 1]].tobytes(),
                    labels[row].tobytes(),
                    int(instance.required[row]),
                ),
                len(groups),
            )
            for row in counted
        ],
        np.int64,
    )
    _, first = np.unique(where, return_index=True)
    rows = counted[first]
    weight = [np.bincount(where, weights=values[counted], minlength=len(rows)) for values in instance.layer_weight]
    return replace(
        instance,
        matrix=matrix.take(rows),
        required=instance.required[rows],
        layer_group=np.ascontiguousarray(instance.layer_group[:, rows]),
        layer_weight=np.array(weight, np.float64).reshape(len(instance.layer_weight), len(rows)),
    )
