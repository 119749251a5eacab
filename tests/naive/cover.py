"""Slow, obvious covering algorithms: the oracles of the kernels and the ladder."""

from __future__ import annotations

import itertools

import numpy as np


def naive_greedy(covers, cost, weight, target):
    """Plain greedy on a dense matrix: recompute every gain at every step; ties to the smaller index."""
    covers = np.asarray(covers, bool)
    uncovered = np.ones(covers.shape[0], bool)
    reached, order = 0.0, []
    while reached < target * (1 - 1e-9):
        best, best_key = -1, 0.0
        for column in range(covers.shape[1]):
            if column in order:
                continue
            gain = min(weight[covers[:, column] & uncovered].sum(), target - reached)
            key = gain / cost[column] if cost[column] > 0 else (np.inf if gain > 0 else 0.0)
            if key > best_key:
                best, best_key = column, key
        if best < 0:
            break
        order.append(best)
        reached += weight[covers[:, best] & uncovered].sum()
        uncovered &= ~covers[:, best]
    return order


def subsets(n):
    for size in range(n + 1):
        yield from itertools.combinations(range(n), size)


def allowed(chosen, fixed=(), forbidden=(), pairs=()):
    chosen = set(chosen)
    return (
        set(fixed) <= chosen and not chosen & set(forbidden) and not any(a in chosen and b in chosen for a, b in pairs)
    )


def brute_force(covers, cost, accept, objective=None, **rules):
    """Value of the cheapest (with `objective`: most rewarding) subset that `accept(counts, chosen)` takes, or None."""
    covers = np.asarray(covers, int)
    best = None
    for chosen in subsets(covers.shape[1]):
        if not allowed(chosen, **rules):
            continue
        counts = covers[:, list(chosen)].sum(axis=1)
        if not accept(counts, chosen):
            continue
        value = sum(cost[c] for c in chosen) if objective is None else objective(counts, chosen)
        if best is None or (value < best if objective is None else value > best):
            best = value
    return best
