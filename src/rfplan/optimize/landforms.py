"""Where a mast sees far: slope, local summits, ridges and a net of high points, on a terrain grid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def slope_deg(elevation_amsl_m: npt.NDArray[np.floating], resolution_m: float) -> FloatArray:
    """Slope of the ground in degrees from central differences; NaN beside unknown ground."""
    down, across = np.gradient(np.asarray(elevation_amsl_m, np.float64), resolution_m)
    return np.asarray(np.degrees(np.arctan(np.hypot(down, across))))


def summit_relief_m(elevation_amsl_m: npt.NDArray[np.floating], resolution_m: float, radius_m: float) -> FloatArray:
    """Height of each local maximum above the mean ground within three radii; NaN where it is not one."""
    ground = np.asarray(elevation_amsl_m, np.float64)
    known = np.isfinite(ground)
    size = 2 * max(1, round(radius_m / resolution_m)) + 1
    filled = np.where(known, ground, -np.inf)
    highest = ndimage.maximum_filter(filled, size=size, mode="constant", cval=-np.inf)
    share = ndimage.uniform_filter(known.astype(np.float64), size=3 * size, mode="constant")
    total = ndimage.uniform_filter(np.where(known, ground, 0.0), size=3 * size, mode="constant")
    mean = total / np.maximum(share, 1e-12)
    return np.where(known & (filled >= highest), ground - mean, np.nan)


def ridge_drop_m(elevation_amsl_m: npt.NDArray[np.floating], resolution_m: float, radius_m: float) -> FloatArray:
    """How far the ground falls to both sides of a crest within the radius, metres; NaN off the crests.

    A pixel is on a crest when, along one of four directions, it is the highest of its cross-section out to the radius;
    the drop is the smaller of the two falls at the ends, the largest over the directions.
    """
    ground = np.asarray(elevation_amsl_m, np.float64)
    ny, nx = ground.shape
    best = np.full(ground.shape, np.nan)
    for down, across in ((0, 1), (1, 0), (1, 1), (1, -1)):
        steps = max(1, round(radius_m / (resolution_m * np.hypot(down, across))))
        pad = steps
        padded = np.pad(ground, pad, constant_values=np.nan)
        crest = np.isfinite(ground)
        drop = np.full(ground.shape, np.inf)
        for step in range(1, steps + 1):
            for sign in (-1, 1):
                row, column = pad + sign * step * down, pad + sign * step * across
                side = padded[row : row + ny, column : column + nx]
                crest &= ground >= side
                if step == steps:
                    drop = np.minimum(drop, ground - side)
        best = np.where(crest, np.fmax(best, drop), best)
    return best


def net_of_high_points(
    elevation_amsl_m: npt.NDArray[np.floating], allowed: BoolArray, resolution_m: float, spacing_m: float
) -> npt.NDArray[np.int64]:
    """One pixel a square of a regular net: the highest allowed ground of the square, (k, 2) rows and columns."""
    side = max(1, round(spacing_m / resolution_m))
    ground = np.where(allowed, np.asarray(elevation_amsl_m, np.float64), -np.inf)
    points = []
    for row in range(0, ground.shape[0], side):
        for column in range(0, ground.shape[1], side):
            block = ground[row : row + side, column : column + side]
            top = int(np.argmax(block))
            if block.flat[top] > -np.inf:
                points.append((row + top // block.shape[1], column + top % block.shape[1]))
    return np.array(points, np.int64).reshape(-1, 2)


def thin_by_distance(
    x_m: FloatArray, y_m: FloatArray, spacing_m: float, keep_apart_from: FloatArray | None = None
) -> npt.NDArray[np.int64]:
    """Indices kept when points are taken in order and each must be `spacing_m` from those already kept.

    `keep_apart_from` are (k, 2) positions that block without being kept.
    """
    cells: dict[tuple[int, int], list[tuple[float, float]]] = {}
    size = max(spacing_m, 1e-9)

    def put(x: float, y: float) -> None:
        cells.setdefault((int(x // size), int(y // size)), []).append((x, y))

    if keep_apart_from is not None:
        for x, y in keep_apart_from:
            put(float(x), float(y))
    kept = []
    limit = spacing_m * spacing_m
    for index, (x, y) in enumerate(zip(x_m.tolist(), y_m.tolist(), strict=True)):
        column, row = int(x // size), int(y // size)
        near = (
            other
            for i in (column - 1, column, column + 1)
            for j in (row - 1, row, row + 1)
            for other in cells.get((i, j), ())
        )
        if all((x - a) ** 2 + (y - b) ** 2 >= limit for a, b in near):
            kept.append(index)
            put(x, y)
    return np.array(kept, np.int64)
