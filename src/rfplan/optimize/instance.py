"""The covering instance every solver works on: compressed rows and columns, costs, measures, needs and side rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from rfplan.errors import ParameterError
from rfplan.optimize.openings import Openings, check_sites

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]
PointerArray = npt.NDArray[np.int64]

#: A need counts as met when it lacks no more than this share of its own size (rounding of sums of people).
NEED_TOLERANCE = 1e-9


@dataclass(frozen=True)
class CoverMatrix:
    """A binary matrix of demand rows × candidate columns, compressed both ways.

    Attributes
    ----------
    col_ptr, col_rows
        int64 (n+1,), int32 (nnz,): rows of each column, increasing.
    row_ptr, row_cols
        int64 (m+1,), int32 (nnz,): columns of each row, increasing.
    """

    col_ptr: PointerArray
    col_rows: IntArray
    row_ptr: PointerArray
    row_cols: IntArray

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.row_ptr) - 1, len(self.col_ptr) - 1

    @property
    def nnz(self) -> int:
        """Number of (row, column) pairs."""
        return len(self.col_rows)

    @classmethod
    def from_sparse(cls, covers: Any) -> CoverMatrix:
        """From anything scipy.sparse can read; entries other than zero mean *covers*.

        Raises
        ------
        ParameterError
            If `covers` is not two-dimensional or has NaN entries.
        """
        if not sparse.issparse(covers):
            dense = np.asarray(covers)
            if dense.ndim != 2:
                raise ParameterError(
                    f"covers has {dense.ndim} dimensions; give a scipy.sparse matrix of demand rows × candidate columns"
                )
            covers = dense
        columns = sparse.csc_matrix(covers)
        if columns.dtype.kind == "f" and np.isnan(columns.data).any():
            raise ParameterError("covers has NaN entries; give 1 where the candidate covers the row and 0 elsewhere")
        columns = sparse.csc_matrix(
            (columns.data != 0, columns.indices, columns.indptr), shape=columns.shape, copy=True
        )
        columns.sum_duplicates()
        columns.eliminate_zeros()
        return cls.from_columns(columns.indptr.astype(np.int64), columns.indices.astype(np.int32), columns.shape[0])

    @classmethod
    def from_columns(cls, col_ptr: PointerArray, col_rows: IntArray, n_rows: int) -> CoverMatrix:
        """From compressed columns with increasing rows and no duplicates."""
        n_cols = len(col_ptr) - 1
        data = np.ones(len(col_rows), np.bool_)
        rows = sparse.csc_matrix((data, col_rows, col_ptr), shape=(n_rows, n_cols)).tocsr()
        return cls(col_ptr, col_rows, rows.indptr.astype(np.int64), rows.indices.astype(np.int32))

    def to_csc(self) -> Any:
        """The matrix as a float64 scipy csc_matrix."""
        return sparse.csc_matrix((np.ones(self.nnz), self.col_rows, self.col_ptr), shape=self.shape)

    def take(self, rows: npt.NDArray[Any] | None = None, columns: npt.NDArray[Any] | None = None) -> CoverMatrix:
        """The sub-matrix of the given rows and columns (index arrays; None keeps all), renumbered."""
        part = sparse.csc_matrix((np.ones(self.nnz, np.bool_), self.col_rows, self.col_ptr), shape=self.shape)
        if columns is not None:
            part = part[:, columns]
        if rows is not None:
            part = part.tocsr()[rows]
        return CoverMatrix.from_sparse(part)

    def rows_covered(self, columns: Sequence[int] | npt.NDArray[Any]) -> IntArray:
        """How many of the given columns cover each row, int32 (m,)."""
        count = np.zeros(self.shape[0], np.int32)
        for column in columns:
            count[self.col_rows[self.col_ptr[column] : self.col_ptr[column + 1]]] += 1
        return count


@dataclass(frozen=True)
class Rules:
    """Side conditions on a selection, the same for every problem.

    Attributes
    ----------
    fixed
        Columns that must be selected.
    forbidden
        Columns that must not be selected.
    exclusive
        Groups of columns of which at most one may be selected (configurations of one site).
    spacing_m, positions_m
        Least distance between selected columns and their (n, 2) metric positions; None for no rule. Columns of the
        same site of `site_of` are exempt among themselves.
    site_of, opening_cost
        Site of each column, whole numbers (n,) from 0, -1 for none, and what each site costs once when any of its
        columns is selected (one number, or one a site, >= 0); the columns' own costs are then what comes on top. In a
        roll-out the first year that builds any of them pays.
    """

    fixed: tuple[int, ...] = ()
    forbidden: tuple[int, ...] = ()
    exclusive: tuple[tuple[int, ...], ...] = ()
    spacing_m: float | None = None
    positions_m: FloatArray | None = field(default=None, compare=False)
    site_of: npt.NDArray[Any] | None = field(default=None, compare=False)
    opening_cost: FloatArray | float = field(default=0.0, compare=False)

    def conflict_pairs(self, n_cols: int) -> npt.NDArray[np.int64]:
        """Pairs of columns that exclude each other, (k, 2) with the smaller first, sorted and unique."""
        pairs: list[npt.NDArray[np.int64]] = []
        for group in self.exclusive:
            members = np.array(sorted(set(group)), np.int64)
            _check_columns(members, n_cols, "exclusive")
            first, second = np.triu_indices(len(members), 1)
            pairs.append(np.column_stack([members[first], members[second]]))
        if self.spacing_m is not None:
            shape = None if self.positions_m is None else self.positions_m.shape
            if self.positions_m is None or shape != (n_cols, 2):
                raise ParameterError(f"spacing_m needs positions_m of shape ({n_cols}, 2); got {shape}")
            from scipy.spatial import cKDTree

            near = cKDTree(self.positions_m).query_pairs(np.nextafter(self.spacing_m, 0.0), output_type="ndarray")
            near = np.sort(near.astype(np.int64), axis=1).reshape(-1, 2)
            if self.site_of is not None:
                site = check_sites(self.site_of, n_cols)
                near = near[(site[near[:, 0]] != site[near[:, 1]]) | (site[near[:, 0]] < 0)]
            pairs.append(near)
        if not pairs:
            return np.zeros((0, 2), np.int64)
        stacked = np.concatenate(pairs)
        return np.unique(stacked, axis=0) if len(stacked) else stacked.reshape(0, 2)


def _check_columns(columns: npt.NDArray[Any], n_cols: int, name: str) -> None:
    if len(columns) and (columns.min() < 0 or columns.max() >= n_cols):
        raise ParameterError(f"{name} names column {columns.max()}, but there are columns 0 to {n_cols - 1} only")


@dataclass(frozen=True)
class Instance:
    """A covering problem in the kernels' form.

    Attributes
    ----------
    matrix
        Demand rows × candidate columns.
    cost
        float64 (n,), >= 0.
    required
        int32 (m,): columns a row wants before it counts.
    layer_group, layer_weight
        int32 and float64 (L, m), see `rfplan.kernels.cover`.
    need
        float64 (G,): what each group must reach; infinite where the aim is to maximise.
    budget
        Total cost allowed.
    fixed, blocked
        int32 indices that must be in, uint8 (n,) mask of those that must not.
    conflicts
        (k, 2) pairs that exclude each other.
    openings
        Costs of sites that their columns share, or None.
    """

    matrix: CoverMatrix
    cost: FloatArray
    required: IntArray
    layer_group: npt.NDArray[np.int32]
    layer_weight: FloatArray
    need: FloatArray
    budget: float
    fixed: IntArray
    blocked: npt.NDArray[np.uint8]
    conflicts: npt.NDArray[np.int64]
    openings: Openings | None = None

    def total_cost(self, columns: npt.NDArray[np.integer]) -> float:
        """Cost of a selection: its columns and, once each, their sites."""
        own = float(self.cost[columns].sum())
        return own if self.openings is None else own + self.openings.of(columns)

    @property
    def amounts(self) -> FloatArray:
        """Every amount that a selection's cost is a sum of."""
        return self.cost if self.openings is None else np.concatenate([self.cost, self.openings.cost])

    @property
    def truncate(self) -> bool:
        """Whether gains may be cut at the open need: only where one column is enough for every row."""
        return bool((self.required <= 1).all())

    @property
    def tolerance(self) -> FloatArray:
        """Slack at which a need counts as met."""
        return np.where(np.isfinite(self.need), NEED_TOLERANCE * np.maximum(self.need, 0.0), 0.0)

    @property
    def scale(self) -> FloatArray:
        """Divisors that make the needs comparable: a need's own size, one for a need without end."""
        sizes = np.where(np.isfinite(self.need) & (self.need > 0.0), self.need, 1.0)
        return sizes if len(sizes) > 1 else np.ones(1)

    def conflict_csr(self) -> tuple[PointerArray, IntArray]:
        """The conflicts as adjacency lists, both directions."""
        n = self.matrix.shape[1]
        if len(self.conflicts) == 0:
            return np.zeros(n + 1, np.int64), np.zeros(0, np.int32)
        both = np.concatenate([self.conflicts, self.conflicts[:, ::-1]])
        both = both[np.lexsort((both[:, 1], both[:, 0]))]
        pointer = np.concatenate([[0], np.cumsum(np.bincount(both[:, 0], minlength=n))]).astype(np.int64)
        return pointer, both[:, 1].astype(np.int32)

    def group_totals(self, covered: npt.NDArray[np.bool_]) -> FloatArray:
        """Weight reached in each group by the covered rows, float64 (G,)."""
        totals = np.zeros(len(self.need))
        for group, weight in zip(self.layer_group, self.layer_weight, strict=True):
            used = covered & (group >= 0)
            totals += np.bincount(group[used], weights=weight[used], minlength=len(totals))
        return totals


def cost_step(cost: FloatArray) -> float:
    """The largest amount that every cost is a whole multiple of, to the hundredth; 0 where there is none.

    Any selection's cost is a multiple of it, so bounds may be rounded up to one.
    """
    hundredths = np.round(cost * 100.0)
    if len(cost) == 0 or cost.max() > 1e9 or (np.abs(hundredths - cost * 100.0) > 1e-9 * np.maximum(1.0, cost)).any():
        return 0.0
    return float(np.gcd.reduce(hundredths.astype(np.int64))) / 100.0


def round_up(bound: float, step: float) -> float:
    """The bound raised to the next multiple of `step`, if there is one and it is not there already but for rounding."""
    if step <= 0.0 or not np.isfinite(bound):
        return bound
    return float(np.ceil(bound / step - 1e-6) * step)


def check_cost(cost: Any, n_cols: int) -> FloatArray:
    """Costs as a float64 vector, a scalar repeated; ParameterError for a wrong shape or an impossible one."""
    array = np.asarray(cost, np.float64)
    if array.ndim == 0:
        array = np.full(n_cols, float(array))
    if array.shape != (n_cols,):
        raise ParameterError(
            f"cost has shape {array.shape}; covers has {n_cols} columns, so give ({n_cols},) or a number"
        )
    if not np.isfinite(array).all() or (array < 0).any():
        bad = int(np.flatnonzero(~(np.isfinite(array) & (array >= 0)))[0])
        raise ParameterError(f"cost[{bad}] = {array[bad]}: costs must be finite and not negative")
    return array


def check_weights(weight: Any, n_rows: int) -> dict[str, FloatArray]:
    """Measures by name as float64 vectors: None is one per row, an array is called ``weight``."""
    if weight is None:
        weight = {"weight": np.ones(n_rows)}
    elif not isinstance(weight, Mapping):
        weight = {"weight": weight}
    checked: dict[str, FloatArray] = {}
    for name, values in weight.items():
        array = np.asarray(values, np.float64)
        if array.shape != (n_rows,):
            raise ParameterError(
                f"weight {name!r} has shape {array.shape}; covers has {n_rows} rows, so give ({n_rows},)"
            )
        if not np.isfinite(array).all() or (array < 0).any():
            raise ParameterError(f"weight {name!r} has negative or non-finite entries; weights must be >= 0")
        checked[str(name)] = array
    return checked


def apply_rules(rules: Rules | None, n_cols: int) -> tuple[IntArray, npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Fixed columns, blocked mask and conflict pairs; ParameterError where the rules contradict themselves."""
    rules = rules or Rules()
    fixed = np.array(sorted(set(rules.fixed)), np.int32)
    forbidden = np.array(sorted(set(rules.forbidden)), np.int64)
    _check_columns(fixed, n_cols, "fixed")
    _check_columns(forbidden, n_cols, "forbidden")
    both = np.intersect1d(fixed, forbidden)
    if len(both):
        raise ParameterError(f"column {both[0]} is both fixed and forbidden; remove it from one of the two")
    blocked = np.zeros(n_cols, np.uint8)
    blocked[forbidden] = 1
    conflicts = rules.conflict_pairs(n_cols)
    inside = np.isin(conflicts, fixed)
    clash = conflicts[inside.all(axis=1)]
    if len(clash):
        raise ParameterError(
            f"fixed columns {clash[0, 0]} and {clash[0, 1]} exclude each other (spacing or exclusive group); fix one"
        )
    for pair, flags in zip(conflicts[inside.any(axis=1)], inside[inside.any(axis=1)], strict=True):
        blocked[pair[1] if flags[0] else pair[0]] = 1
    return fixed, blocked, conflicts
