"""Slow, obvious cell load: dictionaries, one pixel at a time, until nothing moves."""

from __future__ import annotations

import math


def naive_loads(
    hears: list[dict[int, float]], demand_mbps: list[float], noise_mw: float, width_mhz: float, steps: int = 500
) -> dict[int, float]:
    """Loads by cell; ``hears[i]`` maps cell to received mW at place i, whose strongest cell serves it."""
    cells = sorted({c for place in hears for c in place})
    load = dict.fromkeys(cells, 0.0)
    for _ in range(steps):
        need = dict.fromkeys(cells, 0.0)
        for place, demand in zip(hears, demand_mbps, strict=True):
            server = max(place, key=lambda c: (place[c], -c))
            other = sum(load[c] * p for c, p in place.items() if c != server)
            sinr = place[server] / (other + noise_mw)
            if 10 * math.log10(sinr) >= -10.0:
                efficiency = min(0.6 * math.log2(1 + sinr), 0.6 * math.log2(1 + 10**2.2))
                need[server] += demand / (efficiency * width_mhz)
        load = {c: min(1.0, v) for c, v in need.items()}
    return load
