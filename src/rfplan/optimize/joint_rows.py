"""Covering rows with weights in whole units, and what meets them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from rfplan.optimize.instance import NEED_TOLERANCE, FloatArray, IntArray

#: What a row needs in all; a server's weight is a whole number of such parts.
UNITS = 10_000


def server_units(probability: npt.ArrayLike, required: float) -> npt.NDArray[np.int32]:
    """Weight of servers: ``log(1 − p) / log(1 − P)`` in 1/10,000, rounded down; 10,000 where p reaches P.

    Parameters
    ----------
    probability
        p, 0…1.
    required
        P, above 0 and below 1.
    """
    p = np.asarray(probability, np.float64)
    with np.errstate(divide="ignore"):
        share = np.log1p(-p) / np.log1p(-required)
    return np.asarray(np.floor(UNITS * np.clip(share, 0.0, 1.0)), np.int32)


@dataclass(frozen=True, eq=False)
class JointRows:
    """A joint-coverage problem on the rows that need something.

    Attributes
    ----------
    units
        scipy csc_matrix of int64 (m, n): weights, none above its row's need.
    need
        int64 (m,), above 0.
    cost
        float64 (n,).
    must
        bool (m,): rows to be served whatever the targets.
    worth, amount
        float64 (G, m) and (G,): weight of each row towards each target, and what must be reached.
    fixed, blocked, conflicts
        As in `Instance`.
    """

    units: Any
    need: npt.NDArray[np.int64]
    cost: FloatArray
    must: npt.NDArray[np.bool_]
    worth: FloatArray
    amount: FloatArray
    fixed: IntArray
    blocked: npt.NDArray[np.uint8]
    conflicts: npt.NDArray[np.int64]

    @classmethod
    def of(
        cls,
        units: Any,
        need: npt.NDArray[np.integer],
        cost: FloatArray,
        must: npt.NDArray[np.bool_],
        worth: FloatArray,
        amount: FloatArray,
        rules: tuple[IntArray, npt.NDArray[np.uint8], npt.NDArray[np.int64]],
    ) -> JointRows:
        """Cap weights at their row's need: what is more makes no difference to a whole selection, only to its bound."""
        whole = sparse.csc_matrix(units, dtype=np.int64)
        needs = np.asarray(need, np.int64)
        capped = np.minimum(whole.data, needs[whole.indices])
        capped_units = sparse.csc_matrix((capped, whole.indices, whole.indptr), shape=whole.shape)
        capped_units.eliminate_zeros()
        return cls(capped_units, needs, cost, must, worth, amount, *rules)

    def sums(self, columns: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
        """What these columns give each row, in units."""
        chosen = np.zeros(len(self.cost), np.int64)
        chosen[columns] = 1
        return np.asarray(self.units @ chosen).ravel()

    def enough(self, served: npt.NDArray[np.bool_]) -> bool:
        """Whether these rows meet every target."""
        lacking = self.amount - self.worth @ served
        return bool(served[self.must].all() and (lacking <= NEED_TOLERANCE * self.amount).all())

    def met(self, columns: npt.NDArray[np.integer]) -> bool:
        """Whether a selection meets targets and rules."""
        if not np.isin(self.fixed, columns).all() or self.blocked[columns].any():
            return False
        if len(self.conflicts) and np.isin(self.conflicts, columns).all(axis=1).any():
            return False
        return self.enough(self.sums(columns) >= self.need)

    def column(self, j: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Rows and weights of a column."""
        part = slice(self.units.indptr[j], self.units.indptr[j + 1])
        return self.units.indices[part], self.units.data[part]
