"""Rivers cutting valleys: the stream-power law on a coarse grid, which gives synthetic relief its branching valleys.

The scheme is the implicit one of Braun and Willett (Geomorphology 180–181, 2013): nodes are ordered from outlets
upstream, drainage area is added up downstream and each node's new height follows from its receiver's. Water leaves
pits over their lowest lip by the priority flood of Barnes, Lehman and Mulla (Computers & Geosciences 62, 2014).
"""

from __future__ import annotations

import heapq

import numpy as np
import numpy.typing as npt

from rfplan.kernels._jit import jit

F64 = npt.NDArray[np.float64]


@jit
def _route(height, outlet, order, receiver):  # type: ignore[no-untyped-def]
    """Fill ``order`` from the outlets upstream and ``receiver`` with each node's neighbour towards its outlet."""
    ny, nx = height.shape
    seen = np.zeros(ny * nx, dtype=np.uint8)
    heap = [(0.0, 0)]
    heap.pop()
    for i in range(ny * nx):
        if outlet[i // nx, i % nx]:
            heapq.heappush(heap, (height[i // nx, i % nx], i))
            seen[i] = 1
            receiver[i] = i
    n = 0
    while len(heap) > 0:
        level, i = heapq.heappop(heap)
        order[n] = i
        n += 1
        r, c = i // nx, i % nx
        for dr in range(-1, 2):
            for dc in range(-1, 2):
                a, b = r + dr, c + dc
                if a < 0 or b < 0 or a >= ny or b >= nx:
                    continue
                j = a * nx + b
                if seen[j] == 0:
                    seen[j] = 1
                    receiver[j] = i
                    heapq.heappush(heap, (max(level, height[a, b]), j))
    # Above water, steepest descent replaces the flood's own direction.
    for k in range(n):
        i = order[k]
        if receiver[i] == i:
            continue
        r, c = i // nx, i % nx
        steepest = 0.0
        for dr in range(-1, 2):
            for dc in range(-1, 2):
                a, b = r + dr, c + dc
                if a < 0 or b < 0 or a >= ny or b >= nx or (dr == 0 and dc == 0):
                    continue
                fall = (height[r, c] - height[a, b]) / np.sqrt(dr * dr + dc * dc)
                if fall > steepest:
                    steepest = fall
                    receiver[i] = a * nx + b


@jit
def _erode(height, uplift, outlet, steps, dt, erodibility, exponent, cell_m):  # type: ignore[no-untyped-def]
    """Run the stream-power law in place for ``steps`` steps."""
    ny, nx = height.shape
    order = np.empty(ny * nx, dtype=np.int64)
    receiver = np.empty(ny * nx, dtype=np.int64)
    area = np.empty(ny * nx)
    for _ in range(steps):
        for r in range(ny):
            for c in range(nx):
                if not outlet[r, c]:
                    height[r, c] += uplift[r, c] * dt
        _route(height, outlet, order, receiver)  # type: ignore[no-untyped-call]
        area[:] = cell_m * cell_m
        # The flood's order has every receiver by flood before its donors; steepest descent keeps to lower ground,
        # which the flood also visits earlier except within a pit, where a little area may be counted a step late.
        for k in range(ny * nx - 1, -1, -1):
            i = order[k]
            if receiver[i] != i:
                area[receiver[i]] += area[i]
        for k in range(ny * nx):
            i = order[k]
            j = receiver[i]
            if j == i:
                continue
            r, c = i // nx, i % nx
            a, b = j // nx, j % nx
            length = cell_m * np.sqrt((r - a) ** 2 + (c - b) ** 2)
            factor = erodibility * dt * area[i] ** exponent / length
            lower = min(height[a, b], height[r, c])
            height[r, c] = (height[r, c] + factor * lower) / (1.0 + factor)


def eroded(height: F64, uplift: F64, outlet: npt.NDArray[np.bool_], cell_m: float, *, steps: int = 40) -> F64:
    """Return ``height`` after uplift and river erosion.

    Parameters
    ----------
    height
        Starting surface (m), shape (ny, nx).
    uplift
        Uplift rate (m a step), shape (ny, nx).
    outlet
        Where the level is held: channels and the edge of the grid.
    cell_m
        Pixel size (m).
    steps
        Number of steps.
    """
    surface = np.array(height, dtype=np.float64)
    edge = np.array(outlet, dtype=np.bool_)
    edge[[0, -1], :] = True
    edge[:, [0, -1]] = True
    rate = np.asarray(uplift, dtype=np.float64)
    _erode(surface, rate, edge, steps, 1.0, 0.25, 0.42, float(cell_m))  # type: ignore[no-untyped-call]
    return surface
