"""Interference sums and quality: what many cells do to each other at every pixel.

Powers are added as integers in units of 1e-19 mW (−190 dBm), so a sum is the same in any order of cells, to the
bit, and a cell's own share is taken out again without rounding.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from rfplan.kernels._jit import jit, jit_parallel
from rfplan.kernels.coverage import (
    Bytes,
    Floats,
    Floats32,
    Integers,
    Integers32,
    Patterns,
    any_known,
    losses_at_pixel,
)

UNIT_MW = 1e-19
# −18.4 dBm per resource element, closer than any phone gets: 64 such cells add up without overflow.
_LARGEST = 2**57
_LN10_10 = math.log(10.0) / 10.0

# Planes of the quality kernel's output.
Q_RSRP, Q_SINR, Q_REFERENCE_SINR, Q_RSRQ, Q_RSSI, Q_SECOND, Q_DOMINANCE = 0, 1, 2, 3, 4, 5, 6
N_QUALITY = 7


@jit
def fixed_power(level_dbm: float) -> int:
    """A level as an integer number of 1e-19 mW."""
    units = math.exp(level_dbm * _LN10_10) / UNIT_MW
    if units > _LARGEST:
        return _LARGEST
    return int(units + 0.5)


@jit
def share_of(power: int, load: float) -> int:
    """The part of a power that a cell sends at a load, as an integer."""
    return int(power * load + 0.5)


@jit
def _insert(levels: Floats32, cells: Integers32, level: np.float32, cell: np.int32) -> None:
    """Keep the strongest first; on equal levels the lower cell row goes first."""
    n = levels.shape[0]
    k = n
    while k > 0 and (cells[k - 1] < 0 or level > levels[k - 1] or (level == levels[k - 1] and cell < cells[k - 1])):
        k -= 1
    if k == n:
        return
    for i in range(n - 1, k, -1):
        levels[i] = levels[i - 1]
        cells[i] = cells[i - 1]
    levels[k] = level
    cells[k] = cell


@jit_parallel
def site_accumulate_kernel(
    path_loss_db: Floats,
    ground_m: Floats32,
    clutter: Bytes,
    entry_db: Floats,
    geometry: Floats,
    sectors: Floats,
    antenna: Integers,
    patterns: Patterns,
    cells: Integers,
    numbers: Floats,
    top_level: Floats32,
    top_cell: Integers32,
    total: Integers,
    traffic: Integers,
    collision: Integers,
) -> None:
    """Add one site's cells to the sums of their carriers and to the lists of strongest servers.

    ``cells`` has columns sector, band, network row, carrier, collision class; ``numbers`` has level constant (dBm) and
    load. Outputs are windows of (carrier, h, w[, k]) arrays.
    """
    height, width = ground_m.shape
    for row in numba.prange(height):
        losses = np.empty(sectors.shape[0])
        for col in range(width):
            if not any_known(path_loss_db, row, col):
                continue
            losses_at_pixel(ground_m, geometry, sectors, antenna, patterns, row, col, losses)
            kind = clutter[row, col]
            for c in range(cells.shape[0]):
                b = cells[c, 1]
                loss = path_loss_db[b, row, col] + losses[cells[c, 0]] + entry_db[kind, b]
                if math.isnan(loss):
                    continue
                level = np.float32(numbers[c, 0] - loss)
                power = fixed_power(np.float64(level))
                sent = share_of(power, numbers[c, 1])
                carrier = cells[c, 3]
                total[carrier, row, col] += power
                traffic[carrier, row, col] += sent
                collision[carrier, row, col, cells[c, 4]] += power - sent
                _insert(top_level[carrier, row, col], top_cell[carrier, row, col], level, np.int32(cells[c, 2]))


@jit
def _server_index(levels: Floats32, cells: Integers32, prior: int, hysteresis_db: float) -> int:
    """Place of the server: the strongest, or the prior one while it is less than the hysteresis below."""
    if prior >= 0:
        for k in range(cells.shape[0]):
            if cells[k] < 0 or levels[k] < levels[0] - hysteresis_db:
                break
            if cells[k] == prior:
                return k
    return 0


@jit_parallel
def quality_kernel(
    top_level: Floats32,
    top_cell: Integers32,
    total: Integers,
    traffic: Integers,
    collision: Integers,
    load: Floats,
    collision_class: Integers,
    scalars: Floats,
    prior: Integers32,
    out: Floats32,
    server: Integers32,
    overlap: Bytes,
) -> None:
    """Quality of one carrier at every pixel, for the serving cell.

    ``scalars``: noise per resource element (mW), overlap window (dB), hysteresis (dB), resource blocks.
    ``load`` and ``collision_class`` are by network row. ``out`` is (N_QUALITY, h, w).
    """
    noise_mw, window_db, hysteresis_db, blocks = scalars[0], scalars[1], scalars[2], scalars[3]
    for row in numba.prange(server.shape[0]):
        for col in range(server.shape[1]):
            levels = top_level[row, col]
            cells = top_cell[row, col]
            overlap[row, col] = 0
            server[row, col] = -1
            for q in range(N_QUALITY):
                out[q, row, col] = np.nan
            if cells[0] < 0:
                continue
            k = _server_index(levels, cells, prior[row, col], hysteresis_db)
            s = cells[k]
            server[row, col] = s
            level = np.float64(levels[k])
            own = fixed_power(level)
            own_mw = own * UNIT_MW
            data = (traffic[row, col] - share_of(own, load[s])) * UNIT_MW
            reference = (traffic[row, col] + collision[row, col, collision_class[s]] - own) * UNIT_MW
            # Received power of one resource block over a symbol with reference signals (TS 36.214 §5.1.3): two of
            # twelve elements always, ten by load, noise in all twelve.
            block = (2.0 * total[row, col] + 10.0 * traffic[row, col]) * UNIT_MW + 12.0 * noise_mw
            out[Q_RSRP, row, col] = level
            out[Q_SINR, row, col] = 10.0 * math.log10(own_mw / (data + noise_mw)) if own > 0 else -np.inf
            out[Q_REFERENCE_SINR, row, col] = 10.0 * math.log10(own_mw / (reference + noise_mw)) if own > 0 else -np.inf
            out[Q_RSRQ, row, col] = 10.0 * math.log10(own_mw / block) if own > 0 else -np.inf
            out[Q_RSSI, row, col] = 10.0 * math.log10(blocks * block)
            other = 1 if k == 0 else 0
            if other < cells.shape[0] and cells[other] >= 0:
                out[Q_SECOND, row, col] = levels[other]
                out[Q_DOMINANCE, row, col] = level - levels[other]
            count = 0
            for i in range(cells.shape[0]):
                if cells[i] >= 0 and levels[i] >= levels[0] - window_db:
                    count += 1
            overlap[row, col] = count


@jit_parallel
def reload_kernel(
    top_level: Floats32,
    top_cell: Integers32,
    total: Integers,
    traffic: Integers,
    old_load: Floats,
    new_load: Floats,
    rest_factor: float,
    collision_class: Integers,
    new_traffic: Integers,
    new_collision: Integers,
) -> None:
    """Sums for other loads: listed servers exactly, the unlisted rest with its traffic scaled by a factor.

    The rest's collisions are spread evenly over the classes, for its cells are no longer known one by one.
    """
    classes = new_collision.shape[2]
    for row in numba.prange(total.shape[0]):
        for col in range(total.shape[1]):
            listed = 0
            before = 0
            after = 0
            for m in range(classes):
                new_collision[row, col, m] = 0
            for k in range(top_cell.shape[2]):
                c = top_cell[row, col, k]
                if c < 0:
                    break
                power = fixed_power(np.float64(top_level[row, col, k]))
                sent = share_of(power, new_load[c])
                listed += power
                before += share_of(power, old_load[c])
                after += sent
                new_collision[row, col, collision_class[c]] += power - sent
            rest = total[row, col] - listed
            rest_sent = min(rest, share_of(traffic[row, col] - before, rest_factor))
            new_traffic[row, col] = after + rest_sent
            for m in range(classes):
                new_collision[row, col, m] += (rest - rest_sent) // classes
