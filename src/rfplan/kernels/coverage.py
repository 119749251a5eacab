"""Levels around one site: antenna pattern and budget on top of path loss, and the reduction over sites.

``patterns`` is the tuple (kind, parameters, horizontal, vertical, grids, grid_index) of a set of antennas.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from rfplan.kernels._jit import jit, jit_parallel
from rfplan.kernels.antenna import (
    P_MAX_H,
    P_MAX_TOTAL,
    P_MAX_V,
    P_WIDTH_H,
    P_WIDTH_V,
    PARAMETRIC,
    pattern_loss_db,
    tilt_direction,
    wrap_180,
)

Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Integers32 = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]
Patterns = tuple[Any, ...]

# Columns of a sector's row of numbers.
S_AZIMUTH, S_MECHANICAL, S_SHIFT, S_TX_AMSL = 0, 1, 2, 3
# Entries of the geometry row: centre of pixel (0, 0) relative to the site (x east, y north), pixel size, receiver
# height above ground and the effective Earth's curvature 1/(2 a_e), all in metres.
G_X, G_Y, G_STEP, G_RX, G_CURVATURE = 0, 1, 2, 3, 4


@jit
def row_losses(
    row: int,
    ground_m: Floats32,
    geometry: Floats,
    sectors: Floats,
    antenna: Integers,
    patterns: Patterns,
    angles: Floats,
    out: Floats,
) -> None:
    """Pattern loss of every sector towards the pixels of a row, (sectors, w), in dB; NaN over unknown ground.

    A whole row a call, and plain arithmetic inside: handing arrays to a function pixel by pixel costs ten times the
    arithmetic, because every hand-over counts references. ``angles`` (3, w) is working space.
    """
    kind, parameters = patterns[0], patterns[1]
    north = geometry[G_Y] - row * geometry[G_STEP]
    width = ground_m.shape[1]
    for col in range(width):
        east = geometry[G_X] + col * geometry[G_STEP]
        angles[0, col] = math.degrees(math.atan2(east, north))
        angles[1, col] = math.sqrt(east * east + north * north)
    last_tx = math.nan
    for s in range(sectors.shape[0]):
        tx = sectors[s, S_TX_AMSL]
        if tx != last_tx:
            # The straight ray on a sphere of the effective radius dips by d/(2a) below the chord's slope.
            for col in range(width):
                rise = ground_m[row, col] + geometry[G_RX] - tx
                distance = angles[1, col]
                angles[2, col] = math.degrees(math.atan2(rise, distance) - distance * geometry[G_CURVATURE])
            last_tx = tx
        a = antenna[s]
        mechanical = sectors[s, S_MECHANICAL]
        if kind[a] == PARAMETRIC:
            width_h, most_h = parameters[a, P_WIDTH_H], parameters[a, P_MAX_H]
            width_v, most_v = parameters[a, P_WIDTH_V], parameters[a, P_MAX_V]
            most = parameters[a, P_MAX_TOTAL]
            for col in range(width):
                off, depression = tilt_direction(angles[0, col] - sectors[s, S_AZIMUTH], angles[2, col], mechanical)
                across = wrap_180(off) / width_h
                down = (depression - sectors[s, S_SHIFT]) / width_v
                loss = min(12.0 * across * across, most_h) + min(12.0 * down * down, most_v)
                out[s, col] = loss if math.isnan(loss) else min(loss, most)
        else:
            for col in range(width):
                if math.isnan(angles[2, col]):
                    out[s, col] = math.nan
                    continue
                off, depression = tilt_direction(angles[0, col] - sectors[s, S_AZIMUTH], angles[2, col], mechanical)
                out[s, col] = pattern_loss_db(patterns, a, off, depression - sectors[s, S_SHIFT])


@jit_parallel
def site_levels_kernel(
    path_loss_db: Floats,
    ground_m: Floats32,
    clutter: Bytes,
    entry_db: Floats,
    geometry: Floats,
    sectors: Floats,
    antenna: Integers,
    patterns: Patterns,
    cell_sector: Integers,
    cell_band: Integers,
    level_const_dbm: Floats,
    margin_const_db: Floats,
    rsrp_dbm: Floats32,
    best_cell: Integers32,
    margin_db: Floats32,
) -> None:
    """Best level, its cell and the best margin of one site's cells at every pixel of a window.

    ``path_loss_db`` is (bands, h, w), NaN where there is no prediction; ``entry_db`` (classes, bands) is the loss into
    buildings or cars by clutter class. Cells are in the network's order: on equal float32 levels the first one is
    kept. Writes NaN and −1 where nothing is received.
    """
    height, width = ground_m.shape
    n_cells = cell_sector.shape[0]
    for row in numba.prange(height):
        losses = np.empty((sectors.shape[0], width))
        row_losses(row, ground_m, geometry, sectors, antenna, patterns, np.empty((3, width)), losses)
        for col in range(width):
            best_level = np.float32(np.nan)
            best_margin = np.float32(np.nan)
            best = -1
            kind = clutter[row, col]
            for c in range(n_cells):
                b = cell_band[c]
                total = path_loss_db[b, row, col] + losses[cell_sector[c], col] + entry_db[kind, b]
                if math.isnan(total):
                    continue
                level = np.float32(level_const_dbm[c] - total)
                margin = np.float32(margin_const_db[c] - total)
                if best < 0 or level > best_level:
                    best_level = level
                    best = c
                if math.isnan(best_margin) or margin > best_margin:
                    best_margin = margin
            rsrp_dbm[row, col] = best_level
            margin_db[row, col] = best_margin
            best_cell[row, col] = best


@jit_parallel
def merge_site_kernel(
    cell_row: Integers,
    site_rsrp_dbm: Floats32,
    site_best: Integers32,
    site_margin_db: Floats32,
    rsrp_dbm: Floats32,
    best_server: Integers32,
    margin_db: Floats32,
) -> None:
    """Reduce one site's window into the whole map: maxima, and on equal levels the lowest cell row.

    The result does not depend on the order of sites.
    """
    for row in numba.prange(site_best.shape[0]):
        for col in range(site_best.shape[1]):
            local = site_best[row, col]
            if local < 0:
                continue
            cell = np.int32(cell_row[local])
            level = site_rsrp_dbm[row, col]
            now = best_server[row, col]
            if now < 0 or level > rsrp_dbm[row, col] or (level == rsrp_dbm[row, col] and cell < now):
                rsrp_dbm[row, col] = level
                best_server[row, col] = cell
            margin = site_margin_db[row, col]
            if now < 0 or margin > margin_db[row, col]:
                margin_db[row, col] = margin
