"""Bounds that need no solver: what the columns' own gains already rule out."""

from __future__ import annotations

import numpy as np

from rfplan.optimize.instance import FloatArray, Instance


def group_gains(instance: Instance, group: int) -> FloatArray:
    """Weight of need `group` that each column alone stands for: row weight / required, summed over its rows."""
    per_row = np.zeros(instance.matrix.shape[0])
    for labels, weight in zip(instance.layer_group, instance.layer_weight, strict=True):
        per_row += np.where(labels == group, weight / instance.required, 0.0)
    return np.asarray(instance.matrix.to_csc().T @ per_row, np.float64)


def knapsack_cover_bound(instance: Instance) -> float:
    """Least cost at which fractions of columns, as if they never overlapped, could meet each need; the largest one.

    Valid because a column never adds more to a need than the weight of the rows it covers.
    """
    best = float(instance.cost[instance.fixed].sum())
    for group in range(len(instance.need)):
        need = float(instance.need[group] - instance.tolerance[group])
        if not np.isfinite(need) or need <= 0:
            continue
        gains = group_gains(instance, group)
        usable = (gains > 0) & (instance.blocked == 0)
        usable[instance.fixed] = False
        need -= float(gains[instance.fixed].sum())
        total = float(instance.cost[instance.fixed].sum())
        columns = np.flatnonzero(usable)
        ratio = instance.cost[columns] / gains[columns]
        columns = columns[np.argsort(ratio, kind="stable")]
        reached = np.cumsum(gains[columns])
        if need > 0 and len(columns):
            last = int(np.searchsorted(reached, need))
            if last < len(columns):
                before = reached[last - 1] if last else 0.0
                share = (need - before) / gains[columns[last]]
                total += float(instance.cost[columns[:last]].sum() + share * instance.cost[columns[last]])
                best = max(best, total)
    return best * (1 - 1e-12)


def knapsack_budget_bound(instance: Instance) -> float:
    """Most weight that fractions of columns, as if they never overlapped, could cover under the budget."""
    gains = group_gains(instance, 0)
    labels, weight = instance.layer_group[0], instance.layer_weight[0]
    everything = float(weight[labels == 0].sum())
    usable = (gains > 0) & (instance.blocked == 0)
    usable[instance.fixed] = False
    left = instance.budget - float(instance.cost[instance.fixed].sum())
    total = float(gains[instance.fixed].sum())
    columns = np.flatnonzero(usable)
    free = instance.cost[columns] <= 0
    total += float(gains[columns[free]].sum())
    columns = columns[~free]
    columns = columns[np.argsort(instance.cost[columns] / gains[columns], kind="stable")]
    spent = np.cumsum(instance.cost[columns])
    last = int(np.searchsorted(spent, left, side="right"))
    total += float(gains[columns[:last]].sum())
    if last < len(columns):
        before = spent[last - 1] if last else 0.0
        total += float(gains[columns[last]] * (left - before) / instance.cost[columns[last]])
    return min(total, everything) * (1 + 1e-12)
