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
    OMNI,
    P_CUT_AZIMUTH,
    P_MAX_H,
    P_MAX_TOTAL,
    P_MAX_V,
    P_WIDTH_H,
    P_WIDTH_V,
    PARAMETRIC,
    PROJECTION,
    SAMPLED,
    SUM,
    crossed_loss_db,
    cut_value,
    place,
    row_place,
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
# Entries of the geometry row: centre of the window's pixel (0, 0) relative to the site (x east, y north), pixel size,
# receiver height above ground and the effective Earth's curvature 1/(2 a_e), all in metres; then the window's first row
# and column in the map. Kernels take whole layers and cut the window out themselves: cut outside, some windows are
# contiguous and some are not, and each kernel would be compiled for both.
G_X, G_Y, G_STEP, G_RX, G_CURVATURE, G_ROW, G_COL = 0, 1, 2, 3, 4, 5, 6


@jit
def _parametric_row(parameters: Floats, a: int, sectors: Floats, s: int, angles: Floats, out: Floats) -> None:
    width_h, most_h = parameters[a, P_WIDTH_H], parameters[a, P_MAX_H]
    width_v, most_v = parameters[a, P_WIDTH_V], parameters[a, P_MAX_V]
    azimuth, mechanical, shift = sectors[s, S_AZIMUTH], sectors[s, S_MECHANICAL], sectors[s, S_SHIFT]
    for col in range(out.shape[1]):
        off, depression = tilt_direction(angles[0, col] - azimuth, angles[2, col], mechanical)
        across = wrap_180(off) / width_h
        down = (depression - shift) / width_v
        loss = min(12.0 * across * across, most_h) + min(12.0 * down * down, most_v)
        out[s, col] = loss if math.isnan(loss) else min(loss, parameters[a, P_MAX_TOTAL])


@jit
def _sampled_row(grids: Floats32, g: int, sectors: Floats, s: int, angles: Floats, out: Floats) -> None:
    azimuth, mechanical, shift = sectors[s, S_AZIMUTH], sectors[s, S_MECHANICAL], sectors[s, S_SHIFT]
    for col in range(out.shape[1]):
        out[s, col] = math.nan
        if math.isnan(angles[2, col]):
            continue
        off, depression = tilt_direction(angles[0, col] - azimuth, angles[2, col], mechanical)
        r, v = row_place(depression - shift)
        low, high, u = place(off)
        upper = grids[g, r, low] * (1.0 - u) + grids[g, r, high] * u
        lower = grids[g, r + 1, low] * (1.0 - u) + grids[g, r + 1, high] * u
        out[s, col] = upper * (1.0 - v) + lower * v


@jit
def _cuts_row(
    kind: int,
    parameters: Floats,
    horizontal: Floats,
    vertical: Floats,
    a: int,
    sectors: Floats,
    s: int,
    angles: Floats,
    out: Floats,
) -> None:
    azimuth, mechanical, shift = sectors[s, S_AZIMUTH], sectors[s, S_MECHANICAL], sectors[s, S_SHIFT]
    cut = parameters[a, P_CUT_AZIMUTH]
    ahead, behind = cut_value(horizontal, a, cut), cut_value(horizontal, a, cut + 180.0)
    for col in range(out.shape[1]):
        out[s, col] = math.nan
        if math.isnan(angles[2, col]):
            continue
        off, depression = tilt_direction(angles[0, col] - azimuth, angles[2, col], mechanical)
        depression -= shift
        low, high, part = place(off)
        loss_h = horizontal[a, low] * (1.0 - part) + horizontal[a, high] * part
        low, high, part = place(depression)
        loss_v = vertical[a, low] * (1.0 - part) + vertical[a, high] * part
        if kind == SUM:
            loss = loss_h + loss_v
        elif kind == PROJECTION:
            low, high, part = place(180.0 - depression)
            loss_b = vertical[a, low] * (1.0 - part) + vertical[a, high] * part
            away = abs(wrap_180(wrap_180(off) - cut)) / 180.0
            loss = max(loss_h + (1.0 - away) * (loss_v - ahead) + away * (loss_b - behind), 0.0)
        else:
            loss = crossed_loss_db(loss_h, loss_v)
        out[s, col] = min(loss, parameters[a, P_MAX_TOTAL])


@jit
def row_losses(
    row: Any,
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
    arithmetic, because every hand-over counts references. ``angles`` (3, w) is working space: azimuth, distance,
    elevation.
    """
    kind, parameters, horizontal, vertical, grids, grid_index = patterns
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
        if kind[a] == PARAMETRIC or kind[a] == OMNI:
            _parametric_row(parameters, a, sectors, s, angles, out)
        elif kind[a] == SAMPLED:
            _sampled_row(grids, grid_index[a], sectors, s, angles, out)
        else:
            _cuts_row(kind[a], parameters, horizontal, vertical, a, sectors, s, angles, out)


@jit
def corner_of(geometry: Floats) -> tuple[int, int]:
    """First row and column of the window a geometry row is of."""
    return int(geometry[G_ROW]), int(geometry[G_COL])


@jit
def window_of(layer: Any, corner: tuple[int, int], height: int, width: int) -> Any:
    """The window of a map, (ny, nx) or (k, ny, nx), as a view."""
    row, col = corner
    return layer[..., row : row + height, col : col + width]


@jit_parallel
def site_levels_kernel(
    path_loss_db: Floats32,
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
    uplink_const_db: Floats,
    required_dbm: float,
    rsrp_dbm: Floats32,
    best_cell: Integers32,
    margin_db: Floats32,
    closed_dbm: Floats32,
) -> None:
    """Best level, its cell, the best margin and the best level with a closed uplink of one site's cells.

    ``path_loss_db`` is (bands, h, w), NaN where there is no prediction; ``ground_m`` and ``clutter`` are of the whole
    map; ``entry_db`` (classes, bands) is the loss into
    buildings or cars by clutter class. Cells are in the order of their ids: on equal float32 levels the first one is
    kept. Writes NaN and −1 where nothing is received. Level and uplink margin are rounded to float32 first and
    compared after, so that ``closed_dbm >= t`` is exactly ``margin_db >= 0`` at the required level t, for any t.
    """
    required = np.float32(required_dbm)
    height, width = rsrp_dbm.shape
    corner = corner_of(geometry)
    ground = window_of(ground_m, corner, height, width)
    kinds = window_of(clutter, corner, height, width)
    n_cells = cell_sector.shape[0]
    for row in numba.prange(height):
        losses = np.empty((sectors.shape[0], width))
        row_losses(np.int64(row), ground, geometry, sectors, antenna, patterns, np.empty((3, width)), losses)
        for col in range(width):
            best_level = np.float32(np.nan)
            best_margin = np.float32(np.nan)
            closed = np.float32(np.nan)
            best = -1
            kind = kinds[row, col]
            for c in range(n_cells):
                b = cell_band[c]
                total = path_loss_db[b, row, col] + losses[cell_sector[c], col] + entry_db[kind, b]
                if math.isnan(total):
                    continue
                level = np.float32(level_const_dbm[c] - total)
                uplink = np.float32(uplink_const_db[c] - total)
                margin = min(level - required, uplink)
                if best < 0 or level > best_level:
                    best_level = level
                    best = c
                if math.isnan(best_margin) or margin > best_margin:
                    best_margin = margin
                if uplink >= 0.0 and (math.isnan(closed) or level > closed):
                    closed = level
            rsrp_dbm[row, col] = best_level
            margin_db[row, col] = best_margin
            closed_dbm[row, col] = closed
            best_cell[row, col] = best


@jit_parallel
def merge_site_kernel(
    cell_number: Integers,
    corner: tuple[int, int],
    site_rsrp_dbm: Floats32,
    site_best: Integers32,
    site_margin_db: Floats32,
    site_closed_dbm: Floats32,
    rsrp_dbm: Floats32,
    best_server: Integers32,
    margin_db: Floats32,
    closed_dbm: Floats32,
) -> None:
    """Reduce one site's window into the whole map: maxima, and on equal levels the cell first in order.

    ``corner`` is the window's first row and column in the map. The result does not depend on the order of sites.
    """
    height, width = site_best.shape
    all_rsrp = window_of(rsrp_dbm, corner, height, width)
    all_best = window_of(best_server, corner, height, width)
    all_margin = window_of(margin_db, corner, height, width)
    all_closed = window_of(closed_dbm, corner, height, width)
    for row in numba.prange(height):
        for col in range(width):
            local = site_best[row, col]
            if local < 0:
                continue
            cell = np.int32(cell_number[local])
            level = site_rsrp_dbm[row, col]
            now = all_best[row, col]
            if now < 0 or level > all_rsrp[row, col] or (level == all_rsrp[row, col] and cell < now):
                all_rsrp[row, col] = level
                all_best[row, col] = cell
            margin = site_margin_db[row, col]
            if now < 0 or margin > all_margin[row, col]:
                all_margin[row, col] = margin
            closed = site_closed_dbm[row, col]
            if closed > all_closed[row, col] or math.isnan(all_closed[row, col]):
                all_closed[row, col] = closed


@jit_parallel
def merge_strongest_kernel(
    path_loss_db: Floats32,
    ground_m: Floats32,
    clutter: Bytes,
    entry_db: Floats,
    geometry: Floats,
    sectors: Floats,
    antenna: Integers,
    patterns: Patterns,
    own: Integers,
    constants: Floats,
    required_dbm: float,
    rsrp_dbm: Floats32,
    server: Integers32,
    margin_db: Floats32,
) -> None:
    """Sort one site's cells into the strongest of every pixel, (k, ny, nx) of the whole map, strongest first.

    ``own`` (cells, 3) holds sector, band and the cell's rank: of equal float32 levels the lower rank comes first, so
    the result does not depend on the order of sites. ``constants`` (cells, 2) holds those of level and uplink margin.
    ``server`` is −1 and ``rsrp_dbm`` NaN where there are fewer; ``margin_db`` is the largest margin over all cells.
    """
    required = np.float32(required_dbm)
    height, width = path_loss_db.shape[1:]
    corner = corner_of(geometry)
    ground = window_of(ground_m, corner, height, width)
    kinds = window_of(clutter, corner, height, width)
    levels = window_of(rsrp_dbm, corner, height, width)
    servers = window_of(server, corner, height, width)
    margins = window_of(margin_db, corner, height, width)
    k = server.shape[0]
    n_cells = own.shape[0]
    for row in numba.prange(height):
        losses = np.empty((sectors.shape[0], width))
        row_losses(np.int64(row), ground, geometry, sectors, antenna, patterns, np.empty((3, width)), losses)
        for c in range(n_cells):
            sector = own[c, 0]
            band = own[c, 1]
            rank = np.int32(own[c, 2])
            for col in range(width):
                total = path_loss_db[band, row, col] + losses[sector, col] + entry_db[kinds[row, col], band]
                if math.isnan(total):
                    continue
                level = np.float32(constants[c, 0] - total)
                margin = min(level - required, np.float32(constants[c, 1] - total))
                best = margins[row, col]
                if math.isnan(best) or margin > best:
                    margins[row, col] = margin
                last = servers[k - 1, row, col]
                weakest = levels[k - 1, row, col]
                if last >= 0 and (level < weakest or (level == weakest and rank > last)):
                    continue
                i = k - 1
                while i > 0:
                    other = servers[i - 1, row, col]
                    above = levels[i - 1, row, col]
                    if other >= 0 and (above > level or (above == level and other < rank)):
                        break
                    servers[i, row, col] = other
                    levels[i, row, col] = above
                    i -= 1
                servers[i, row, col] = rank
                levels[i, row, col] = level
