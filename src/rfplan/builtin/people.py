"""Roads and where people live in the synthetic province.

Seats are joined by least-cost roads over the ground; inside a commune people gather at the seat, along roads, in
hamlets on gentle and low ground, and never on water. Each commune's sum is its figure exactly.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse
from scipy.sparse import csgraph
from scipy.spatial import Delaunay

from rfplan.builtin.noise import Field, band_noise, smooth_noise

F64 = npt.NDArray[np.float64]


def block_mean(values: F64, factor: int) -> F64:
    """Return ``values`` averaged over blocks of ``factor`` × ``factor`` pixels; a partial last block is dropped."""
    ny, nx = values.shape[0] // factor, values.shape[1] // factor
    return cast("F64", values[: ny * factor, : nx * factor].reshape(ny, factor, nx, factor).mean(axis=(1, 3)))


def road_distance(field: Field, elevation_amsl_m: F64, water: npt.NDArray[np.bool_], seat_x: F64, seat_y: F64) -> F64:
    """Return each pixel's distance in metres to a net of least-cost roads between neighbouring seats.

    The net joins seats that are neighbours by the relative neighbourhood graph; costs grow with slope and at
    river crossings. Roads run between centres of 810 m blocks.
    """
    factor = max(1, round(810.0 / field.resolution_m))
    coarse = Field(field.x0_m, field.y0_m, field.resolution_m * factor, field.ny // factor, field.nx // factor)
    graph = _cost_graph(coarse, block_mean(elevation_amsl_m, factor), block_mean(water.astype(np.float64), factor))
    row, col = coarse.rowcol(seat_x, seat_y)
    node = np.rint(row).astype(int) * coarse.nx + np.rint(col).astype(int)
    x, y = coarse.coordinates()
    on_road = np.zeros((field.ny, field.nx), dtype=bool)
    pairs = _neighbours(seat_x, seat_y)
    for start in sorted({a for a, _ in pairs}):
        ends = [b for a, b in pairs if a == start]
        _, before = csgraph.dijkstra(graph, indices=node[start], return_predecessors=True, limit=400.0)
        for end in ends:
            path = [node[end]]
            while before[path[-1]] >= 0:
                path.append(before[path[-1]])
            nodes = np.array(path[::-1])
            px, py = x[nodes % coarse.nx], y[nodes // coarse.nx]
            px = np.concatenate([[seat_x[start]], px[1:-1], [seat_x[end]]])
            py = np.concatenate([[seat_y[start]], py[1:-1], [seat_y[end]]])
            _draw(field, on_road, _smoothed(px), _smoothed(py))
    return cast("F64", ndimage.distance_transform_edt(~on_road) * field.resolution_m)


def _cost_graph(coarse: Field, elevation: F64, water: F64) -> sparse.csr_matrix:
    """Join each block with its eight neighbours at a cost of kilometres, dearer on slopes and over water."""
    n = coarse.ny * coarse.nx
    index = np.arange(n).reshape(coarse.ny, coarse.nx)
    heads, tails, costs = [], [], []
    km = coarse.resolution_m / 1000.0
    for dr, dc in ((0, 1), (1, 0), (1, 1), (1, -1)):
        a = (slice(0, coarse.ny - dr), slice(max(0, -dc), coarse.nx - max(0, dc)))
        b = (slice(dr, coarse.ny), slice(max(0, dc), coarse.nx - max(0, -dc)))
        length = km * float(np.hypot(dr, dc))
        slope = np.abs(elevation[a] - elevation[b]) / (1000.0 * length)
        cost = length * (1.0 + (slope / 0.06) ** 1.5 + 5.0 * np.maximum(water[a], water[b]))
        heads.append(index[a].ravel())
        tails.append(index[b].ravel())
        costs.append(cost.ravel())
    head, tail, cost = np.concatenate(heads), np.concatenate(tails), np.concatenate(costs)
    both = (np.concatenate([head, tail]), np.concatenate([tail, head]))
    return sparse.csr_matrix((np.concatenate([cost, cost]), both), shape=(n, n))


def _neighbours(x: F64, y: F64) -> list[tuple[int, int]]:
    """Return the edges of the relative neighbourhood graph: no third seat is nearer to both ends than they are."""
    d = np.hypot(x[:, None] - x, y[:, None] - y)
    pairs: set[tuple[int, int]] = set()
    for a, b, c in Delaunay(np.column_stack([x, y])).simplices:
        pairs.update((min(i, j), max(i, j)) for i, j in ((int(a), int(b)), (int(b), int(c)), (int(a), int(c))))
    return sorted((i, j) for i, j in pairs if not np.any(np.maximum(d[i], d[j]) < d[i, j] * (1.0 - 1e-9)))


def _smoothed(values: F64) -> F64:
    if len(values) < 4:
        return values
    inner = ndimage.uniform_filter1d(values, 3, mode="nearest")
    inner[[0, -1]] = values[[0, -1]]
    return cast("F64", inner)


def _draw(field: Field, raster: npt.NDArray[np.bool_], px: F64, py: F64) -> None:
    """Mark the pixels under a polyline."""
    length = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(px), np.diff(py)))])
    at = np.arange(0.0, length[-1], 0.5 * field.resolution_m)
    row, col = field.rowcol(np.interp(at, length, px), np.interp(at, length, py))
    r, c = np.rint(row).astype(int), np.rint(col).astype(int)
    inside = (r >= 0) & (r < field.ny) & (c >= 0) & (c < field.nx)
    raster[r[inside], c[inside]] = True


def attraction(field: Field, elevation_amsl_m: F64, water: npt.NDArray[np.bool_], road_m: F64,
               unit: npt.NDArray[np.int32], seat_x: F64, seat_y: F64, population: npt.NDArray[np.int64],
               seed: int) -> F64:  # fmt: skip
    """Return how likely people are to live in a pixel, relative to others of its commune (0 on water)."""
    dy, dx = np.gradient(elevation_amsl_m, field.resolution_m)
    slope_deg = np.degrees(np.arctan(np.hypot(dx, dy)))
    above_valley = elevation_amsl_m - ndimage.minimum_filter(elevation_amsl_m, size=int(1_800 / field.resolution_m) | 1)
    gentle = np.exp(-((slope_deg / 9.0) ** 2) - np.clip(above_valley, 0.0, None) / 90.0) + 2e-5
    hamlets = np.exp(1.5 * band_noise(field, seed + 41, 1_600.0) + 0.8 * smooth_noise(field, seed + 42, 5_000.0, 2))
    hamlets = np.minimum(hamlets, 30.0)
    near_road = 0.25 + 1.0 * np.exp(-road_m / 450.0) + 0.6 * np.exp(-road_m / 1_800.0)
    town = np.zeros_like(road_m)
    x, y = field.coordinates()
    for k in range(len(seat_x)):
        scale = 420.0 * np.sqrt(population[k] / 15_000.0)
        half = 6.0 * scale
        cols = slice(max(0, int((seat_x[k] - half - x[0]) / field.resolution_m)),
                     max(0, int((seat_x[k] + half - x[0]) / field.resolution_m)))  # fmt: skip
        rows = slice(max(0, int((y[0] - seat_y[k] - half) / field.resolution_m)),
                     max(0, int((y[0] - seat_y[k] + half) / field.resolution_m)))  # fmt: skip
        distance = np.hypot(x[None, cols] - seat_x[k], y[rows, None] - seat_y[k])
        town[rows, cols] += 2.2 * np.exp(-distance / scale)
    weight = gentle * (0.10 * hamlets * near_road + town * (0.6 + 0.08 * hamlets))
    return np.where(water, 0.0, weight) * (unit >= 0)


def spread(weight: F64, unit: npt.NDArray[np.int32], population: npt.NDArray[np.int64], most: float) -> F64:
    """Share each commune's people over its pixels in proportion to ``weight``, at most ``most`` people a pixel.

    What exceeds the limit goes to the commune's other pixels in the same proportion.
    """
    inside = unit >= 0
    label, share = unit[inside], weight[inside]
    people = np.zeros_like(share)
    full = np.zeros(len(share), dtype=bool)
    for _ in range(30):
        rest = population - np.bincount(label, weights=np.where(full, most, 0.0), minlength=len(population))
        total = np.bincount(label, weights=np.where(full, 0.0, share), minlength=len(population))
        people = np.where(full, most, share * (rest / np.maximum(total, 1e-300))[label])
        above = people > most * (1.0 + 1e-9)
        if not above.any():
            break
        full |= above
    result = np.zeros_like(weight)
    result[inside] = people
    return result
