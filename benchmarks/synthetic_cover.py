"""A synthetic radio covering instance of any size, seeded: discs deformed by terrain-like shadowing on a pixel grid.

Pixels carry a correlated loss shared by all candidates, candidates a loss by direction of their own; a candidate covers
a pixel where ``35·log10(d/R)`` plus both is below zero. Nothing in it is measured: it is for timing solvers only.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage, sparse

SIZES = {
    "A": {"n_candidates": 3_000, "n_pixels": 200_000, "rows_per_candidate": 1233},
    "B": {"n_candidates": 20_000, "n_pixels": 400_000, "rows_per_candidate": 745},
    "C": {"n_candidates": 100_000, "n_pixels": 240_000, "rows_per_candidate": 267},
}


def radio_instance(n_candidates, n_pixels, rows_per_candidate, seed=1):
    """Return (covers csc, cost, people): rows are the pixels at least one candidate covers."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(n_pixels)))
    shadow_db = ndimage.gaussian_filter(rng.standard_normal((side, side)), 2.0)
    shadow_db *= 4.0 / shadow_db.std()
    people = np.exp(ndimage.gaussian_filter(rng.standard_normal((side, side)), 6.0) * 15.0)
    x, y = rng.random((2, n_candidates)) * side
    radius = np.sqrt(rows_per_candidate / np.pi) * 0.93
    reach = int(np.ceil(radius * 2.2))
    cost = rng.choice([40.0, 100.0, 130.0], n_candidates, p=[0.25, 0.5, 0.25]) + rng.integers(0, 31, n_candidates)
    pointer, rows = np.zeros(n_candidates + 1, np.int64), []
    for j in range(n_candidates):
        top, left = max(0, int(y[j]) - reach), max(0, int(x[j]) - reach)
        bottom, right = min(side, int(y[j]) + reach + 1), min(side, int(x[j]) + reach + 1)
        dy = np.arange(top, bottom)[:, None] + 0.5 - y[j]
        dx = np.arange(left, right)[None, :] + 0.5 - x[j]
        direction = ((np.arctan2(dy, dx) + np.pi) / (2 * np.pi) * 24).astype(np.int64) % 24
        own_db = ndimage.gaussian_filter1d(rng.standard_normal(24), 1.5, mode="wrap") * 8.0
        loss_db = 17.5 * np.log10((dx * dx + dy * dy) / radius**2 + 1e-9)
        hit = loss_db + shadow_db[top:bottom, left:right] + own_db[direction] < 0.0
        r, c = np.nonzero(hit)
        rows.append((r + top) * side + c + left)
        pointer[j + 1] = pointer[j] + len(r)
    covers = sparse.csc_matrix(
        (np.ones(pointer[-1], np.int8), np.concatenate(rows), pointer), shape=(side * side, n_candidates)
    )
    coverable = np.flatnonzero(np.bincount(covers.indices, minlength=side * side))[:n_pixels]
    return covers.tocsr()[coverable].tocsc(), cost, people.ravel()[coverable] * 20.0
