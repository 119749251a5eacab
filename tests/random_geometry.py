"""Path geometries drawn at random, for tests of the finish kernels."""

from __future__ import annotations

import numpy as np

from rfplan.kernels import geometry as g
from rfplan.propagation.p1812 import P1812


def random_geometry(n, seed=1):
    rng = np.random.default_rng(seed)
    out = g.empty_geometry(n)
    points = 40
    d = np.sort(rng.uniform(0.05, rng.uniform(1, 60, n), (points - 2, n)), axis=0)
    settings = P1812(time_percent=10.0).geometry_settings()
    for j in range(n):
        dist = np.concatenate([[0.0], np.unique(d[:, j]), [d[-1, j] + 0.05]])
        m = dist.size
        h = np.abs(np.cumsum(rng.normal(0, rng.uniform(0.1, 20), m)))
        r = rng.choice([0.0, 10.0, 20.0], m)
        zone = np.full(m, rng.choice([1, 3, 4]), np.int8)
        zone[rng.integers(1, m) :] = rng.choice([1, 3, 4])
        heights = (rng.uniform(2, 80), rng.uniform(1, 15))
        g.profile_geometry(dist, h, r, zone, heights, rng.uniform(-80, 80), settings, out, j)
    return out
