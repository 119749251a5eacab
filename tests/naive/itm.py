"""Slow, obvious readings of a terrain profile for the Irregular Terrain Model, with numpy's own tools."""

from __future__ import annotations

import numpy as np


def horizons(z, step_m, tx_m, rx_m, radius_m):
    """Largest elevation angle seen from each end, each other's antenna included, and where it is."""
    d = np.arange(len(z)) * step_m
    top = z + 0.0
    top[0] += tx_m
    top[-1] += rx_m
    from_tx = (top[1:] - top[0]) / d[1:] - d[1:] / (2 * radius_m)
    back = d[-1] - d[:-1]
    from_rx = (top[:-1] - top[-1]) / back - back / (2 * radius_m)
    at_tx = d[1:][np.argmax(from_tx)]
    at_rx = back[np.argmax(from_rx)]
    return from_tx.max(), from_rx.max(), at_tx, at_rx


def trapezoid_line(z):
    """Slope about the centre with half weights at the ends, as weighted sums."""
    n = len(z) - 1
    weight = np.ones(n + 1)
    weight[[0, -1]] = 0.5
    u = np.arange(n + 1) - n / 2
    slope = 12 * np.sum(weight * u * z) / (n * (n * n + 2))
    mean = np.sum(weight * z) / n
    return mean + slope * u


def terrain_irregularity(z, step_m, start_m, stop_m):
    """Interdecile range about the line by interpolation and a full sort."""
    span = (stop_m - start_m) / step_m
    if span < 2:
        return 0.0
    tenth = min(max(int(0.1 * (span + 8)), 4), 25)
    at = np.linspace(start_m / step_m, stop_m / step_m, 10 * tenth - 5)
    s = np.interp(at, np.arange(len(z)), z)
    residual = np.sort(s - trapezoid_line(s))
    return (residual[-tenth] - residual[tenth - 1]) / (1 - 0.8 * np.exp(-(stop_m - start_m) / 50e3))
