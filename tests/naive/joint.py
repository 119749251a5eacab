"""Joint coverage written down from its definition: every selection, and the product of the chances that all fail."""

from __future__ import annotations

import itertools

import numpy as np


def served(probability, already, chosen, required):
    """Rows that at least one server serves with the required probability."""
    failing = 1.0 - already
    for column in chosen:
        failing = failing * (1.0 - probability[:, column])
    return 1.0 - failing >= required


def cheapest(probability, cost, required, weight, target, already, fixed=(), forbidden=(), pairs=(), slack=0.0):
    """Least cost that reaches each measure's target share of what is or can be served, or None.

    `slack` raises what must be reached: log(1 - P) is multiplied by 1 + slack. Reachable rows are those of slack 0.
    """
    n = len(cost)
    permitted = [j for j in range(n) if j not in forbidden]
    hard = 1.0 - (1.0 - required) ** (1.0 + slack)
    before = served(probability, already, [], required)
    reachable = before | served(probability, already, permitted, required)
    best = None
    for size in range(n + 1):
        for chosen in itertools.combinations(range(n), size):
            if not set(fixed) <= set(chosen) or set(forbidden) & set(chosen):
                continue
            if any(a in chosen and b in chosen for a, b in pairs):
                continue
            got = served(probability, already, chosen, hard) | before
            values = [(weight[name], share) for name, share in target.items()]
            if all(w[got & reachable].sum() >= share * w[reachable].sum() * (1 - 1e-9) for w, share in values):
                spent = float(np.sum([cost[j] for j in chosen]))
                best = spent if best is None else min(best, spent)
    return best
