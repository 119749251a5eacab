"""Selections for joint coverage: lazy greedy, removal of what is not needed, local search, build order."""

from __future__ import annotations

import heapq
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from rfplan.optimize.effort import Effort
from rfplan.optimize.instance import FloatArray, IntArray
from rfplan.optimize.joint_rows import JointRows

#: Nominal seconds of one trial of the local search: an entry of the matrix, and a column.
TRIAL_ENTRY_S, TRIAL_COLUMN_S = 2e-8, 2e-5
#: Most columns that a trial takes out with their neighbours.
REMOVED = 4


def greedy_joint(
    rows: JointRows, start: npt.NDArray[np.integer], banned: npt.NDArray[np.integer] | None = None
) -> IntArray | None:
    """Columns by the most progress per cost until the targets are met, or None where they cannot be so.

    Progress is what a column adds to the rows' weights, counted up to their needs and worth as much as the rows: it
    only falls as columns are added, so one is recounted when it comes first.
    """
    closed = rows.blocked.astype(np.bool_)
    if banned is not None:
        closed[banned] = True
    partners = _partners(rows)
    left = rows.need.astype(np.float64)
    chosen: list[int] = []

    def take(column: int) -> None:
        index, weight = rows.column(column)
        left[index] -= weight
        closed[column] = True
        closed[partners.get(column, [])] = True
        chosen.append(column)

    for column in np.unique(np.concatenate([rows.fixed, np.asarray(start, np.int64)])).tolist():
        take(int(column))
    worth = _row_worth(rows, left)

    def progress(column: int) -> float:
        index, weight = rows.column(column)
        return float((worth[index] * np.minimum(weight, np.maximum(left[index], 0.0))).sum())

    def key(column: int, gain: float) -> tuple[float, int]:
        return (-gain / rows.cost[column] if rows.cost[column] > 0 else -np.inf, column)

    heap = [key(j, gain) for j in np.flatnonzero(~closed).tolist() if (gain := progress(j)) > 0.0]
    heapq.heapify(heap)
    while not rows.enough(left <= 0):
        fresh = None
        while heap:
            _, column = heapq.heappop(heap)
            if closed[column]:
                continue
            gain = progress(column)
            if gain <= 0.0:
                continue
            fresh = key(column, gain)
            if heap and fresh > heap[0]:
                heapq.heappush(heap, fresh)
                continue
            break
        else:
            return None
        assert fresh is not None
        take(fresh[1])
        worth = _row_worth(rows, left)
    return np.array(chosen, np.int32)


def _row_worth(rows: JointRows, left: FloatArray) -> FloatArray:
    """What a unit of a row is worth towards what is still open."""
    served = left <= 0
    lacking = rows.amount - rows.worth @ served
    worth = np.where(rows.must & ~served, 1.0 / max(1, int(rows.must.sum())), 0.0)
    for values, amount, lack in zip(rows.worth, rows.amount, lacking, strict=True):
        if lack > 0:
            worth += values / amount
    return np.asarray(worth / rows.need)


def _partners(rows: JointRows) -> dict[int, list[int]]:
    """Columns that each column excludes."""
    out: dict[int, list[int]] = {}
    for a, b in rows.conflicts.tolist():
        out.setdefault(a, []).append(b)
        out.setdefault(b, []).append(a)
    return out


def prune_joint(rows: JointRows, columns: npt.NDArray[np.integer]) -> IntArray:
    """What is left of a selection after dropping, dearest first, each column no target needs; fixed ones stay."""
    kept = list(dict.fromkeys(np.asarray(columns).tolist()))
    have = rows.sums(np.array(kept, np.int64))
    fixed = set(rows.fixed.tolist())
    for column in sorted(kept, key=lambda j: (-rows.cost[j], -j)):
        if column in fixed:
            continue
        index, weight = rows.column(column)
        have[index] -= weight
        if rows.enough(have >= rows.need):
            kept.remove(column)
        else:
            have[index] += weight
    return np.array(kept, np.int32)


def improve_joint(
    rows: JointRows,
    effort: Effort,
    seed: int,
    selected: Callable[[], IntArray],
    offer: Callable[[npt.NDArray[np.integer]], bool],
) -> None:
    """Local search: take out a column and some that serve the same rows, fill up without it, keep what is cheaper."""
    rng = np.random.default_rng(seed)
    trial_s = TRIAL_ENTRY_S * rows.units.nnz + TRIAL_COLUMN_S * len(rows.cost)
    since = 0
    while effort.left() > 0.0:
        current = selected()
        free = np.setdiff1d(current, rows.fixed)
        if not len(free) or since > 20 * len(free) + 100:
            return
        first = int(rng.choice(free))
        index, _ = rows.column(first)
        touching = [j for j in free.tolist() if j != first and len(np.intersect1d(rows.column(j)[0], index))]
        others = rng.permutation(touching)[: rng.integers(0, REMOVED)] if touching else np.zeros(0, np.int64)
        gone = np.concatenate([[first], others]).astype(np.int64)
        banned = gone[:1] if rng.random() < 0.7 else gone
        found = greedy_joint(rows, np.setdiff1d(current, gone), banned)
        effort.charge(trial_s)
        since = 0 if found is not None and offer(prune_joint(rows, found)) else since + 1


def in_build_order(rows: JointRows, columns: npt.NDArray[np.integer]) -> IntArray:
    """The columns by falling progress per cost, given those before; those that add nothing come last, by index."""
    waiting = sorted(np.asarray(columns).tolist())
    left = rows.need.astype(np.float64)
    worth = (rows.must + (rows.worth / np.maximum(rows.amount, 1e-300)[:, None]).sum(axis=0)) / rows.need
    order: list[int] = []
    while waiting:
        best, most = waiting[0], -1.0
        for column in waiting:
            index, weight = rows.column(column)
            gain = float((worth[index] * np.minimum(weight, np.maximum(left[index], 0.0))).sum())
            rate = gain / max(float(rows.cost[column]), 1e-12)
            if rate > most:
                best, most = column, rate
        index, weight = rows.column(best)
        left[index] -= weight
        waiting.remove(best)
        order.append(best)
    return np.array(order, np.int32)
