"""Mean ground heights along paths, for the effective antenna heights of Hata-like models."""

from __future__ import annotations

from typing import Any

from rfplan.kernels._jit import jit


@jit
def mean_ground_m(
    start: Any, stop: Any, distance_m: Any, elevation_m: Any, near_m: float, far_m: float, out: Any
) -> None:
    """Mean ground height (m) of n paths between two distances from the transmitter.

    A path that ends nearer than ``near_m`` is averaged as a whole.
    """
    for j in range(start.size):
        first, behind = start[j], stop[j]
        low = near_m if distance_m[behind - 1] > near_m else 0.0
        total = 0.0
        count = 0
        for i in range(first, behind):
            if low <= distance_m[i] <= far_m:
                total += elevation_m[i]
                count += 1
        if count == 0:  # coarse profile with no point in the window: its far end stands for it
            total = elevation_m[behind - 1]
            count = 1
        out[j] = total / count
