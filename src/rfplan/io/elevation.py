"""Elevation on a grid: spikes, voids, mosaics of tiles, and sampling between grid points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.ndimage as ndimage
import scipy.sparse as sparse
from scipy.sparse.linalg import cg, spsolve

from rfplan.errors import InputFileError
from rfplan.io.raster import MAX_RASTER_PIXELS, Raster

FloatGrid = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.float64]

SPIKE_FLOOR_M = -10.0
"""Cells below this height are spikes when they also lie `SPIKE_DROP_M` below their surroundings."""
SPIKE_DROP_M = 20.0
"""Drop below the median of the 11 x 11 cells around that makes a cell under the floor a spike."""
SPIKE_JUMP_M = 150.0
"""A cell this much higher (lower) than the highest (lowest) of its eight neighbours is a spike anywhere."""
IMPOSSIBLE_M = (-500.0, 9000.0)
"""Heights outside this range exist nowhere on land."""
MAX_VOID_KM2 = 10.0
"""Connected voids up to this area are filled; larger ones stay unknown ground."""

_DIRECT_CELLS = 200_000
_STRIP = 1024
_EIGHT = np.ones((3, 3), dtype=bool)


def find_spikes(elevation_m: FloatGrid) -> npt.NDArray[np.bool_]:
    """Mark cells whose height cannot be ground.

    A cell is a spike when it is outside `IMPOSSIBLE_M`; or below `SPIKE_FLOOR_M` and more than `SPIKE_DROP_M` below
    the median of the known cells in the 11 x 11 window around it (so land that lies below the sea stays); or more
    than `SPIKE_JUMP_M` beyond all its known neighbours, of which there must be at least five.

    Parameters
    ----------
    elevation_m : ndarray of float32, shape (ny, nx)
        NaN where unknown.

    Returns
    -------
    ndarray of bool, same shape
    """
    out = np.zeros(elevation_m.shape, dtype=bool)
    # in strips with five rows to spare, so that memory stays small beside the raster itself
    for start in range(0, elevation_m.shape[0], _STRIP):
        top = max(0, start - 5)
        strip = _strip_spikes(elevation_m[top : start + _STRIP + 5])
        out[start : start + _STRIP] = strip[start - top :][:_STRIP]
    return out


def _strip_spikes(elevation_m: FloatGrid) -> npt.NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        spikes = (elevation_m < IMPOSSIBLE_M[0]) | (elevation_m > IMPOSSIBLE_M[1])
        low = (elevation_m < SPIKE_FLOOR_M) & ~spikes
    if low.any():
        _mark_pits(elevation_m, low, spikes)
    known = np.isfinite(elevation_m) & ~spikes
    ring = _EIGHT.copy()
    ring[1, 1] = False
    enough = ndimage.convolve(known.astype(np.int8), ring.astype(np.int8), mode="constant") >= 5
    highest = ndimage.maximum_filter(
        np.where(known, elevation_m, -np.inf), footprint=ring, mode="constant", cval=-np.inf
    )
    lowest = ndimage.minimum_filter(np.where(known, elevation_m, np.inf), footprint=ring, mode="constant", cval=np.inf)
    with np.errstate(invalid="ignore"):
        jump = (elevation_m - highest > SPIKE_JUMP_M) | (lowest - elevation_m > SPIKE_JUMP_M)
    return np.asarray(spikes | (known & enough & jump))


def _mark_pits(elevation_m: FloatGrid, low: npt.NDArray[np.bool_], spikes: npt.NDArray[np.bool_]) -> None:
    """Mark the low cells that lie far below the median of the 11 x 11 cells around them."""
    highest = ndimage.maximum_filter(
        np.where(np.isnan(elevation_m), np.float32(-np.inf), elevation_m), size=11, mode="constant", cval=-np.inf
    )
    # the median cannot be higher than the highest: whole lowlands are settled here, without sorting windows
    rows, cols = np.nonzero(low & (highest - elevation_m > SPIKE_DROP_M))
    padded = np.pad(elevation_m, 5, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (11, 11))
    for start in range(0, rows.size, 20_000):
        r, c = rows[start : start + 20_000], cols[start : start + 20_000]
        middle = np.nanmedian(windows[r, c].reshape(r.size, -1), axis=1)
        spikes[r, c] |= middle - elevation_m[r, c] > SPIKE_DROP_M


def small_voids(elevation_m: FloatGrid, max_cells: float) -> npt.NDArray[np.bool_]:
    """Mark the unknown cells in eight-connected groups of at most `max_cells` cells."""
    labels, count = ndimage.label(np.isnan(elevation_m), _EIGHT)
    if count == 0:
        return np.zeros(elevation_m.shape, dtype=bool)
    sizes = np.bincount(labels.ravel())
    keep = sizes <= max_cells
    keep[0] = False
    return np.asarray(keep[labels])


def fill_voids(elevation_m: FloatGrid, voids: npt.NDArray[np.bool_]) -> FloatGrid:
    """Fill the marked cells with the membrane through the known cells around them (Laplace's equation).

    Each filled cell is the mean of its known or filled neighbours in the four main directions: no overshoot, no
    parameter, exact on an inclined plane. Groups without any known neighbour stay NaN.

    Parameters
    ----------
    elevation_m : ndarray of float32, shape (ny, nx)
    voids : ndarray of bool, same shape

    Returns
    -------
    ndarray of float32
        A new array.
    """
    out = elevation_m.copy()
    labels, count = ndimage.label(voids)
    if count == 0:
        return out
    known = np.isfinite(elevation_m) & ~voids
    touched = np.unique(labels[ndimage.binary_dilation(known) & voids])
    solvable = np.isin(labels, touched[touched > 0])
    number = np.full(voids.shape, -1, dtype=np.int64)
    rows, cols = np.nonzero(solvable)
    n = rows.size
    if n == 0:
        return out
    number[rows, cols] = np.arange(n)
    neighbours = np.zeros(n)
    right_side = np.zeros(n)
    links: list[tuple[npt.NDArray[Any], npt.NDArray[Any]]] = []
    ny, nx = voids.shape
    for dr, dc in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        r, c = rows + dr, cols + dc
        inside = np.flatnonzero((r >= 0) & (r < ny) & (c >= 0) & (c < nx))
        r, c = r[inside], c[inside]
        is_known = known[r, c]
        right_side[inside[is_known]] += elevation_m[r[is_known], c[is_known]]
        is_unknown = number[r, c] >= 0
        links.append((inside[is_unknown], number[r[is_unknown], c[is_unknown]]))
        neighbours[inside[is_known | is_unknown]] += 1
    i = np.concatenate([a for a, _ in links])
    j = np.concatenate([b for _, b in links])
    off = sparse.csc_matrix((np.full(i.size, -1.0), (i, j)), shape=(n, n))
    out[rows, cols] = _solve((sparse.diags(neighbours) + off).tocsc(), right_side)
    return out


def _solve(matrix: Any, right_side: FloatArray) -> FloatArray:
    """Solve the membrane: directly, or by conjugate gradients where there are very many voids."""
    if right_side.size <= _DIRECT_CELLS:
        return np.asarray(spsolve(matrix, right_side))
    scale = sparse.diags(1.0 / matrix.diagonal())
    heights, _ = cg(matrix, right_side, rtol=1e-7, maxiter=2_000, M=scale)
    return np.asarray(heights)


def _cell_area_km2(raster: Raster) -> float:
    """Rough area of a cell, for the void limit only."""
    if abs(raster.y0) <= 90.0 and raster.dx < 2.0 and ("GEOG" in raster.crs or raster.crs == "EPSG:4326"):
        middle = math.radians((raster.bounds[1] + raster.bounds[3]) / 2)
        return raster.dx * raster.dy * 111.32**2 * math.cos(middle)
    return raster.dx * raster.dy / 1e6


def repair(raster: Raster) -> tuple[Raster, dict[str, int]]:
    """Remove spikes and fill small voids of an elevation raster.

    Returns
    -------
    Raster, dict
        The repaired raster and the counts ``spikes_removed``, ``voids_filled`` (cells without data that were filled,
        spikes not among them) and ``voids_left`` (cells without data in groups larger than `MAX_VOID_KM2`).
    """
    values: FloatGrid = raster.values
    spikes = find_spikes(values)
    was_void = np.isnan(values)
    holed = np.where(spikes, np.float32(np.nan), values)
    voids = small_voids(holed, MAX_VOID_KM2 / _cell_area_km2(raster))
    filled = fill_voids(holed, voids)
    left = np.isnan(filled)
    counts = {
        "spikes_removed": int(spikes.sum()),
        "voids_filled": int((was_void & ~left).sum()),
        "voids_left": int(left.sum()),
    }
    return raster.with_values(filled), counts


def same_lattice(a: Raster, b: Raster) -> bool:
    """Tell whether two rasters share CRS, pixel size and pixel positions (to a hundredth of a pixel)."""
    if a.crs != b.crs or abs(a.dx - b.dx) > 1e-5 * a.dx or abs(a.dy - b.dy) > 1e-5 * a.dy:
        return False
    shift_x, shift_y = (b.x0 - a.x0) / a.dx, (b.y0 - a.y0) / a.dy
    return abs(shift_x - round(shift_x)) < 0.01 and abs(shift_y - round(shift_y)) < 0.01


def mosaic(rasters: Sequence[Raster]) -> list[Raster]:
    """Join rasters that share a lattice; where they overlap the first that knows the ground wins.

    Returns
    -------
    list of Raster
        One for each lattice, in order of first appearance.

    Raises
    ------
    InputFileError
        If tiles lie so far apart that the joined raster would exceed `MAX_RASTER_PIXELS`.
    """
    groups: list[list[Raster]] = []
    for raster in rasters:
        for group in groups:
            if same_lattice(group[0], raster):
                group.append(raster)
                break
        else:
            groups.append([raster])
    return [_join(group) if len(group) > 1 else group[0] for group in groups]


def _join(group: Sequence[Raster]) -> Raster:
    first = group[0]
    offsets = [(round((first.y0 - r.y0) / first.dy), round((r.x0 - first.x0) / first.dx)) for r in group]
    top, left = min(o[0] for o in offsets), min(o[1] for o in offsets)
    ny = max(o[0] + r.values.shape[0] for o, r in zip(offsets, group, strict=True)) - top
    nx = max(o[1] + r.values.shape[1] for o, r in zip(offsets, group, strict=True)) - left
    if ny * nx > MAX_RASTER_PIXELS:
        raise InputFileError(
            f"{first.path} and {len(group) - 1} more file(s) span {nx:,} x {ny:,} pixels together; "
            "pass bounds=… or open fewer tiles"
        )
    values = np.full((ny, nx), np.nan, dtype=np.float32)
    for (row, col), raster in zip(offsets, group, strict=True):
        part = values[row - top : row - top + raster.values.shape[0], col - left :][:, : raster.values.shape[1]]
        np.copyto(part, raster.values, where=np.isnan(part))
    return Raster(
        values, first.x0 + left * first.dx, first.y0 - top * first.dy, first.dx, first.dy, first.crs, None, first.path
    )


def block_mean(raster: Raster, factor_y: int, factor_x: int) -> Raster:
    """Average whole blocks of cells, unknown cells left out; blocks less than half known become NaN."""
    factor_y, factor_x = max(1, factor_y), max(1, factor_x)
    if factor_y == factor_x == 1:
        return raster
    ny, nx = (s // f for s, f in zip(raster.values.shape, (factor_y, factor_x), strict=True))
    if ny == 0 or nx == 0:
        return raster
    blocks = raster.values[: ny * factor_y, : nx * factor_x].reshape(ny, factor_y, nx, factor_x)
    known = np.isfinite(blocks)
    count = known.sum(axis=(1, 3))
    total = np.where(known, blocks, 0.0).sum(axis=(1, 3), dtype=np.float64)
    mean = np.full((ny, nx), np.nan, dtype=np.float32)
    enough = count * 2 >= factor_y * factor_x
    mean[enough] = total[enough] / count[enough]
    return Raster(mean, raster.x0, raster.y0, raster.dx * factor_x, raster.dy * factor_y, raster.crs, None, raster.path)


def sample_bilinear(grid: npt.NDArray[Any], row: npt.ArrayLike, col: npt.ArrayLike) -> FloatArray:
    """Interpolate a grid at fractional positions counted in pixel centres (row 0, column 0 is the first centre).

    In the outer half pixel the edge value holds. NaN outside the grid, and where a needed neighbour is NaN.

    Parameters
    ----------
    grid : ndarray, shape (ny, nx)
    row, col : array-like
        Positions, broadcast together.

    Returns
    -------
    ndarray of float64
    """
    r, c = np.broadcast_arrays(np.asarray(row, dtype=np.float64), np.asarray(col, dtype=np.float64))
    ny, nx = grid.shape
    with np.errstate(invalid="ignore"):
        inside = (r >= -0.5) & (r <= ny - 0.5) & (c >= -0.5) & (c <= nx - 0.5)
    r = np.where(inside, np.clip(r, 0.0, ny - 1.0), 0.0)
    c = np.where(inside, np.clip(c, 0.0, nx - 1.0), 0.0)
    r0 = np.minimum(r.astype(np.int64), max(ny - 2, 0))
    c0 = np.minimum(c.astype(np.int64), max(nx - 2, 0))
    r1, c1 = np.minimum(r0 + 1, ny - 1), np.minimum(c0 + 1, nx - 1)
    fr, fc = r - r0, c - c0
    total = np.zeros(r.shape)
    for rows, cols, weight in (
        (r0, c0, (1 - fr) * (1 - fc)),
        (r0, c1, (1 - fr) * fc),
        (r1, c0, fr * (1 - fc)),
        (r1, c1, fr * fc),
    ):
        # a neighbour with no weight may be unknown without spoiling the point
        total += np.where(weight > 0, weight * grid[rows, cols].astype(np.float64), 0.0)
    return np.where(inside, total, np.nan)
