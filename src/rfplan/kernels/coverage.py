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
from rfplan.kernels.antenna import pattern_loss_db, tilt_direction

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
def sector_losses(
    sectors: Floats,
    antenna: Integers,
    patterns: Patterns,
    azimuth_deg: float,
    distance_m: float,
    rx_amsl_m: float,
    curvature: float,
    out: Floats,
) -> None:
    """Pattern loss of every sector towards a point, in dB; azimuths are those of the grid."""
    kind, parameters, horizontal, vertical, grids, grid_index = patterns
    last_tx = math.nan
    elevation = 0.0
    for s in range(sectors.shape[0]):
        tx = sectors[s, S_TX_AMSL]
        if tx != last_tx:
            # The straight ray on a sphere of the effective radius dips by d/(2a) below the chord's slope.
            elevation = math.degrees(math.atan2(rx_amsl_m - tx, distance_m) - distance_m * curvature)
            last_tx = tx
        a = antenna[s]
        off, depression = tilt_direction(azimuth_deg - sectors[s, S_AZIMUTH], elevation, sectors[s, S_MECHANICAL])
        out[s] = pattern_loss_db(
            kind[a],
            parameters[a],
            horizontal[a],
            vertical[a],
            grids[grid_index[a]],
            off,
            depression - sectors[s, S_SHIFT],
        )


@jit
def losses_at_pixel(
    ground_m: Floats32,
    geometry: Floats,
    sectors: Floats,
    antenna: Integers,
    patterns: Patterns,
    row: int,
    col: int,
    out: Floats,
) -> None:
    """Pattern loss of every sector towards a pixel's centre."""
    east = geometry[G_X] + col * geometry[G_STEP]
    north = geometry[G_Y] - row * geometry[G_STEP]
    sector_losses(
        sectors,
        antenna,
        patterns,
        math.degrees(math.atan2(east, north)),
        math.sqrt(east * east + north * north),
        ground_m[row, col] + geometry[G_RX],
        geometry[G_CURVATURE],
        out,
    )


@jit
def any_known(path_loss_db: Floats, row: int, col: int) -> bool:
    """Whether any band has a prediction at a pixel."""
    for b in range(path_loss_db.shape[0]):  # noqa: SIM110 (kernels compile plain loops best)
        if not math.isnan(path_loss_db[b, row, col]):
            return True
    return False


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
        losses = np.empty(sectors.shape[0])
        for col in range(width):
            rsrp_dbm[row, col] = np.nan
            margin_db[row, col] = np.nan
            best_cell[row, col] = -1
            if not any_known(path_loss_db, row, col):
                continue
            losses_at_pixel(ground_m, geometry, sectors, antenna, patterns, row, col, losses)
            for c in range(n_cells):
                b = cell_band[c]
                total = path_loss_db[b, row, col] + losses[cell_sector[c]] + entry_db[clutter[row, col], b]
                if math.isnan(total):
                    continue
                level = np.float32(level_const_dbm[c] - total)
                margin = np.float32(margin_const_db[c] - total)
                if best_cell[row, col] < 0 or level > rsrp_dbm[row, col]:
                    rsrp_dbm[row, col] = level
                    best_cell[row, col] = c
                if math.isnan(margin_db[row, col]) or margin > margin_db[row, col]:
                    margin_db[row, col] = margin


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
