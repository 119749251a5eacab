"""The matrix form of the three site-choice problems: full cover, target cover and budget.

These run on any binary matrix, a published instance for one; `rfplan.optimize.radio` makes them from coverage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rfplan.errors import ParameterError
from rfplan.optimize.instance import (
    CoverMatrix,
    FloatArray,
    Instance,
    IntArray,
    Rules,
    apply_rules,
    check_cost,
    check_weights,
)
from rfplan.optimize.ladder import solve_budget, solve_cover
from rfplan.optimize.shared_sites import with_openings
from rfplan.optimize.solution import Progress, Solution


def check_required(required: Any, n_rows: int) -> IntArray:
    """How many columns each row wants, as int32; a scalar is repeated."""
    array = np.asarray(required)
    if array.dtype.kind not in "iu":
        raise ParameterError(f"cover_times has type {array.dtype}; give whole numbers >= 1")
    if array.ndim == 0:
        array = np.full(n_rows, int(array))
    if array.shape != (n_rows,) or (array < 1).any():
        raise ParameterError(f"cover_times must be >= 1 and one number or {n_rows} numbers; got shape {array.shape}")
    return array.astype(np.int32)


@dataclass(frozen=True)
class MatrixSetCover:
    """Cheapest columns that cover every coverable row. Made by ``SetCover.from_matrix``."""

    matrix: CoverMatrix
    cost: FloatArray
    measures: Mapping[str, FloatArray]
    required: IntArray
    rules: Rules = field(default_factory=Rules)

    @classmethod
    def from_matrix(
        cls, covers: Any, cost: Any = 1.0, *, weight: Any = None, cover_times: Any = 1, rules: Rules | None = None
    ) -> MatrixSetCover:
        """From demand rows × candidate columns.

        Parameters
        ----------
        covers
            scipy.sparse or dense, non-zero where the candidate covers the row.
        cost
            One number or one a column, >= 0.
        weight
            Measures to report gains in, (m,) or a mapping of names to (m,); they do not change the problem.
        cover_times
            Columns each row wants (2: covered still when any one site is lost).
        rules
            Fixed, forbidden, exclusive and spaced columns; sites whose columns share an opening cost.
        """
        matrix = CoverMatrix.from_sparse(covers)
        m, n = matrix.shape
        return cls(
            matrix, check_cost(cost, n), check_weights(weight, m), check_required(cover_times, m), rules or Rules()
        )

    def solve(self, time_limit_s: float = 60.0, seed: int = 0, progress: Progress | None = None) -> Solution:
        """Solve; see `Solution`. Stops at the time limit or Ctrl-C with the best found and its bound."""
        m, n = self.matrix.shape
        fixed, blocked, conflicts = apply_rules(self.rules, n)
        coverable = _coverable(self.matrix, blocked, self.required)
        group = np.where(coverable, 0, -1).astype(np.int32)[None, :]
        instance = Instance(
            self.matrix,
            self.cost,
            self.required,
            group,
            np.ones((1, m)),
            np.array([float(coverable.sum())]),
            np.inf,
            fixed,
            blocked,
            conflicts,
        )
        instance = with_openings(instance, self.rules.site_of, self.rules.opening_cost)
        return solve_cover(instance, self.measures, np.flatnonzero(~coverable), time_limit_s, seed, progress)


@dataclass(frozen=True)
class MatrixTargetCover:
    """Cheapest columns that reach a share of each measure's coverable total. Made by ``TargetCover.from_matrix``."""

    matrix: CoverMatrix
    cost: FloatArray
    measures: Mapping[str, FloatArray]
    targets: Mapping[str, float]
    already: Mapping[str, float]
    required: IntArray
    groups: IntArray | None = None
    floors: Mapping[str, FloatArray] = field(default_factory=dict)
    rules: Rules = field(default_factory=Rules)

    @classmethod
    def from_matrix(
        cls,
        covers: Any,
        cost: Any = 1.0,
        *,
        weight: Any = None,
        target: float | Mapping[str, float] = 1.0,
        already: Mapping[str, float] | None = None,
        groups: Any = None,
        group_floor: Mapping[str, Any] | None = None,
        cover_times: Any = 1,
        rules: Rules | None = None,
    ) -> MatrixTargetCover:
        """From demand rows × candidate columns.

        Parameters
        ----------
        covers, cost, cover_times, rules
            As for ``SetCover.from_matrix``.
        weight
            One measure (m,) or several by name, such as ``{"people": …, "area": …}``.
        target
            Share 0–1 of each measure's reachable total (what is covered already plus what permitted columns can
            cover). Measures without a target are reported only.
        already
            Amount of each measure covered before any column is chosen; it counts towards the target.
        groups, group_floor
            int (m,) group (commune) of each row, -1 for none, and for each measure the absolute amount every group
            must gain, (n_groups,). A floor beyond what is coverable in the group is lowered to that and reported.
        """
        matrix = CoverMatrix.from_sparse(covers)
        m, n = matrix.shape
        measures = check_weights(weight, m)
        if not isinstance(target, Mapping):
            target = dict.fromkeys(measures, float(target))
        for name, share in target.items():
            if name not in measures:
                raise ParameterError(f"target names measure {name!r}; weight has {sorted(measures)}")
            if not 0.0 <= share <= 1.0:
                raise ParameterError(f"target {name!r} = {share}: give a share between 0 and 1")
        group_array = None if groups is None else np.asarray(groups, np.int32)
        if group_array is not None and group_array.shape != (m,):
            raise ParameterError(f"groups has shape {group_array.shape}; covers has {m} rows, so give ({m},)")
        floors = {name: np.asarray(floor, np.float64) for name, floor in (group_floor or {}).items()}
        if floors and group_array is None:
            raise ParameterError("group_floor needs groups: say which group each row belongs to")
        for name, floor in floors.items():
            if name not in measures:
                raise ParameterError(f"group_floor names measure {name!r}; weight has {sorted(measures)}")
            if group_array is not None and len(group_array) and group_array.max() >= len(floor):
                raise ParameterError(
                    f"group_floor {name!r} has {len(floor)} groups; groups names group {group_array.max()}"
                )
        return cls(
            matrix,
            check_cost(cost, n),
            measures,
            dict(target),
            dict(already or {}),
            check_required(cover_times, m),
            group_array,
            floors,
            rules or Rules(),
        )

    def solve(self, time_limit_s: float = 60.0, seed: int = 0, progress: Progress | None = None) -> Solution:
        """Solve; see `Solution`. A target of 1 is solved as a cover of every row that has weight."""
        instance = self.as_instance()
        coverable = _coverable(self.matrix, instance.blocked, self.required)
        reasons = "; ".join(self._layers(coverable)[3])
        return solve_cover(instance, self.measures, np.flatnonzero(~coverable), time_limit_s, seed, progress, reasons)

    def as_instance(self) -> Instance:
        """The problem in the kernels' form."""
        fixed, blocked, conflicts = apply_rules(self.rules, self.matrix.shape[1])
        layers = self._layers(_coverable(self.matrix, blocked, self.required))
        layer_group, layer_weight, need, _ = layers
        instance = Instance(
            self.matrix, self.cost, self.required, layer_group, layer_weight, need, np.inf, fixed, blocked, conflicts
        )
        return with_openings(instance, self.rules.site_of, self.rules.opening_cost)

    def _layers(self, coverable: Any) -> tuple[Any, FloatArray, FloatArray, list[str]]:
        """Layers, weights and needs: first what must be whole, then a need a target, then the floors."""
        m = self.matrix.shape[0]
        whole = np.zeros(m, np.bool_)
        layers: list[Any] = []
        weights: list[FloatArray] = []
        needs: list[float] = []
        reasons: list[str] = []
        for name, share in self.targets.items():
            values = self.measures[name]
            reachable = coverable & (values > 0)
            if share >= 1.0:
                whole |= reachable
                continue
            before = float(self.already.get(name, 0.0))
            needs.append(max(0.0, share * (before + float(values[reachable].sum())) - before))
            layers.append(np.where(reachable, len(needs) - 1, -1))
            weights.append(values)
        if whole.any():
            needs.append(float(whole.sum()))
            layers.append(np.where(whole, len(needs) - 1, -1))
            weights.append(np.ones(m))
        for name, floor in self.floors.items():
            values = self.measures[name]
            assert self.groups is not None
            member = coverable & (self.groups >= 0) & (values > 0)
            reachable_sum = np.bincount(self.groups[member], weights=values[member], minlength=len(floor))
            short = np.flatnonzero(floor > reachable_sum * (1 + 1e-12))
            reasons += [
                f"group {g}: the floor of {floor[g]:g} {name} is beyond the coverable {reachable_sum[g]:g}: lowered"
                for g in short
            ]
            layers.append(np.where(member, self.groups + len(needs), -1))
            weights.append(values)
            needs += np.minimum(floor, reachable_sum).tolist()
        if not layers:
            return np.full((1, m), -1, np.int32), np.ones((1, m)), np.zeros(1), reasons
        return np.array(layers, np.int32), np.array(weights), np.array(needs), reasons


@dataclass(frozen=True)
class MatrixMaximalCoverage:
    """Most weight under a budget. Made by ``MaximalCoverage.from_matrix``."""

    matrix: CoverMatrix
    cost: FloatArray
    weight: FloatArray
    measures: Mapping[str, FloatArray]
    budget: float
    required: IntArray
    rules: Rules = field(default_factory=Rules)

    @classmethod
    def from_matrix(
        cls,
        covers: Any,
        cost: Any = 1.0,
        *,
        weight: Any = None,
        budget: float,
        cover_times: Any = 1,
        rules: Rules | None = None,
    ) -> MatrixMaximalCoverage:
        """From demand rows × candidate columns; the first measure of `weight` is maximised, others are reported."""
        matrix = CoverMatrix.from_sparse(covers)
        m, n = matrix.shape
        measures = check_weights(weight, m)
        if not (np.isfinite(budget) and budget >= 0):
            raise ParameterError(f"budget = {budget}: give a finite amount >= 0 in the unit of cost")
        first = next(iter(measures.values()))
        return cls(
            matrix,
            check_cost(cost, n),
            first,
            measures,
            float(budget),
            check_required(cover_times, m),
            rules or Rules(),
        )

    def solve(self, time_limit_s: float = 60.0, seed: int = 0, progress: Progress | None = None) -> Solution:
        """Solve; the objective is the weight covered and `bound` is what no selection can exceed."""
        instance = self.as_instance()
        coverable = _coverable(self.matrix, instance.blocked, self.required)
        return solve_budget(instance, self.measures, np.flatnonzero(~coverable), time_limit_s, seed, progress)

    def as_instance(self) -> Instance:
        """The problem in the kernels' form; ParameterError when the fixed columns alone pass the budget."""
        fixed, blocked, conflicts = apply_rules(self.rules, self.matrix.shape[1])
        coverable = _coverable(self.matrix, blocked, self.required)
        group = np.where(coverable & (self.weight > 0), 0, -1).astype(np.int32)[None, :]
        instance = Instance(
            self.matrix,
            self.cost,
            self.required,
            group,
            self.weight[None, :].copy(),
            np.array([np.inf]),
            self.budget,
            fixed,
            blocked,
            conflicts,
        )
        instance = with_openings(instance, self.rules.site_of, self.rules.opening_cost)
        spent = instance.total_cost(fixed)
        if spent > self.budget * (1 + 1e-12):
            raise ParameterError(f"the fixed columns cost {spent:g}, more than the budget of {self.budget:g}")
        return instance


def _coverable(matrix: CoverMatrix, blocked: Any, required: IntArray) -> Any:
    """Rows that enough permitted columns cover."""
    return matrix.rows_covered(np.flatnonzero(blocked == 0)) >= required
