"""What a solver hands back: the selection in build order with its proof."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.optimize.instance import CoverMatrix, FloatArray, Instance, IntArray

#: Called with (stage, incumbent objective, proven bound) as a solve goes on.
Progress = Callable[[str, float, float], None]
Status = Literal["optimal", "feasible", "infeasible"]
#: What ended a solve: a proof, the planned effort, the wall clock, or Ctrl-C.
Ending = Literal["proof", "effort", "time", "interrupt"]


_WORDS = ("objective", "bound", "gap", "status", "reason", "verified", "seed")
_ARRAYS = ("selected", "cost", "uncoverable_rows")


@dataclass(frozen=True)
class Solution:
    """A selection of columns, with its objective, its proven bound and its independent check.

    Attributes
    ----------
    selected
        int32 columns in build order.
    marginal
        What each selected column adds, per measure, in build order.
    cost
        float64 cost of each selected column, in build order; the first on a site bears the site's opening cost.
    objective
        Total cost (cover problems) or total weight covered (budget problems).
    bound
        Proven: no selection is cheaper than this (cover) or covers more than this (budget).
    gap
        ``|objective − bound| / objective``; 0 when both are 0, infinite where there is no selection.
    status
        ``optimal`` (gap closed), ``feasible``, or ``infeasible``.
    reason
        Why it is infeasible, or what of the target cannot be met; empty otherwise.
    uncoverable_rows
        Rows that no permitted column can cover; they are not counted as covered.
    verified
        The needs were recounted from the matrix, apart from the solver, and are met.
    time_s, seed
        Wall time and seed of the solve.
    ended_by
        ``proof`` or ``effort`` (the planned work is done): the same seed and time limit give the same plan again,
        whatever the machine. ``time`` or ``interrupt``: cut short, another run may get farther or less far.
    """

    selected: IntArray
    marginal: Mapping[str, FloatArray]
    cost: FloatArray
    objective: float
    bound: float
    gap: float
    status: Status
    reason: str
    uncoverable_rows: npt.NDArray[np.int64]
    verified: bool
    time_s: float
    seed: int
    totals: Mapping[str, float] = field(default_factory=dict)
    ended_by: Ending = "effort"

    def to_state(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """What JSON can hold, and arrays: everything but the time it took."""
        words = {name: np.asarray(getattr(self, name)).item() for name in _WORDS}
        totals = {name: float(total) for name, total in self.totals.items()}
        about = {**words, "measures": list(self.marginal), "totals": totals}
        arrays = {name: np.asarray(getattr(self, name)) for name in _ARRAYS}
        return about, arrays | {f"marginal {name}": np.asarray(gain) for name, gain in self.marginal.items()}

    @classmethod
    def from_state(cls, about: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]], time_s: float) -> Solution:
        """From `to_state`."""
        values: dict[str, Any] = {name: about[name] for name in _WORDS} | {name: arrays[name] for name in _ARRAYS}
        marginal = {name: arrays[f"marginal {name}"] for name in about["measures"]}
        return cls(**values, marginal=marginal, totals=dict(about["totals"]), time_s=time_s)

    @property
    def curve(self) -> pd.DataFrame:
        """Cost against cover along the build order: ``sites, cost`` and, per measure, the total and its percentage."""
        table: dict[str, FloatArray] = {
            "sites": np.arange(len(self.selected) + 1, dtype=np.float64),
            "cost": np.concatenate([[0.0], np.cumsum(self.cost)]),
        }
        for name, gains in self.marginal.items():
            cumulative = np.concatenate([[0.0], np.cumsum(gains)])
            table[name] = cumulative
            total = self.totals.get(name, 0.0)
            table[f"{name}_percent"] = 100.0 * cumulative / total if total > 0 else np.full(len(cumulative), 100.0)
        return pd.DataFrame(table)


def relative_gap(objective: float, bound: float) -> float:
    """``|objective − bound| / |objective|``, 0 when they agree to rounding."""
    if not np.isfinite(objective):
        return float("inf")
    difference = abs(objective - bound)
    if difference <= 1e-9 * max(1.0, abs(objective)):
        return 0.0
    return difference / abs(objective) if objective != 0 else float("inf")


def needs_met(instance: Instance, columns: npt.NDArray[np.integer]) -> bool:
    """Recount every need, the budget and the side rules from the matrix itself; shares no code with the kernels."""
    chosen = np.unique(np.asarray(columns, np.int64))
    if len(chosen) != len(columns):
        return False
    indicator = np.zeros(instance.matrix.shape[1])
    indicator[chosen] = 1.0
    counts = instance.matrix.to_csc() @ indicator
    covered = counts >= instance.required
    finite = np.isfinite(instance.need)
    totals = instance.group_totals(covered)
    if (totals[finite] < (instance.need - instance.tolerance)[finite]).any():
        return False
    if recounted_cost(instance, chosen) > instance.budget * (1 + 1e-12):
        return False
    if not np.isin(instance.fixed, chosen).all() or instance.blocked[chosen].any():
        return False
    return not np.isin(instance.conflicts, chosen).all(axis=1).any()


def recounted_cost(instance: Instance, columns: npt.NDArray[np.integer]) -> float:
    """Cost of a selection, its sites' included, added up apart from the solver."""
    total = float(instance.cost[columns].sum())
    if instance.openings is not None:
        sites = {int(instance.openings.site_of[column]) for column in columns} - {-1}
        total += sum(float(instance.openings.cost[site]) for site in sorted(sites))
    return total


def marginal_gains(
    matrix: CoverMatrix,
    order: npt.NDArray[np.integer],
    required: IntArray,
    measures: Mapping[str, FloatArray],
) -> dict[str, FloatArray]:
    """Weight of each measure that every column newly covers, in the order given."""
    count = np.zeros(matrix.shape[0], np.int32)
    gains = {name: np.zeros(len(order)) for name in measures}
    for position, column in enumerate(order):
        rows = matrix.col_rows[matrix.col_ptr[column] : matrix.col_ptr[column + 1]]
        count[rows] += 1
        fresh = rows[count[rows] == required[rows]]
        for name, weight in measures.items():
            gains[name][position] = weight[fresh].sum()
    return gains
