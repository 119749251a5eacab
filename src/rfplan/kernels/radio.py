"""Interference sums and quality: what many cells do to each other at every pixel.

Powers are added as integers in units of 1e-19 mW (−190 dBm), so a sum is the same in any order of cells, to the
bit, and a cell's own share is taken out again without rounding.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from rfplan.kernels._jit import jit, jit_parallel
from rfplan.kernels.antenna import pattern_loss_db, tilt_direction
from rfplan.kernels.coverage import (
    G_CURVATURE,
    G_RX,
    G_STEP,
    G_X,
    G_Y,
    Bytes,
    Floats,
    Floats32,
    Integers,
    Integers32,
    Patterns,
    corner_of,
    row_losses,
    window_of,
)

UNIT_MW = 1e-19
# −18.4 dBm per resource element, closer than any phone gets: 64 such cells add up without overflow.
LARGEST = 2**57
_LN10_10 = math.log(10.0) / 10.0

# Planes of the quality kernel's output.
Q_RSRP, Q_SINR, Q_REFERENCE_SINR, Q_RSRQ, Q_RSSI, Q_SECOND, Q_DOMINANCE = 0, 1, 2, 3, 4, 5, 6
N_QUALITY = 7


@jit
def fixed_power(level_dbm: float) -> int:
    """A level as an integer number of 1e-19 mW."""
    units = math.exp(level_dbm * _LN10_10) / UNIT_MW
    if units > LARGEST:
        return LARGEST
    return int(units + 0.5)


@jit
def share_of(power: int, load: float) -> int:
    """The part of a power that a cell sends at a load, as an integer."""
    return int(power * load + 0.5)


@jit_parallel
def site_accumulate_kernel(
    path_loss_db: Floats32,
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
    height, width = total.shape[1:]
    corner = corner_of(geometry)
    ground = window_of(ground_m, corner, height, width)
    kinds = window_of(clutter, corner, height, width)
    kept = top_cell.shape[3]
    for row in numba.prange(height):
        losses = np.empty((sectors.shape[0], width))
        row_losses(np.int64(row), ground, geometry, sectors, antenna, patterns, np.empty((3, width)), losses)
        for col in range(width):
            kind = kinds[row, col]
            for c in range(cells.shape[0]):
                b = cells[c, 1]
                loss = path_loss_db[b, row, col] + losses[cells[c, 0], col] + entry_db[kind, b]
                if math.isnan(loss):
                    continue
                level = np.float32(numbers[c, 0] - loss)
                power = fixed_power(np.float64(level))
                sent = share_of(power, numbers[c, 1])
                i = cells[c, 3]
                total[i, row, col] += power
                traffic[i, row, col] += sent
                collision[i, row, col, cells[c, 4]] += power - sent
                # Strongest first; on equal levels the lower cell row goes first.
                cell = np.int32(cells[c, 2])
                k = kept
                while k > 0:
                    other = top_cell[i, row, col, k - 1]
                    beside = top_level[i, row, col, k - 1]
                    if not (other < 0 or level > beside or (level == beside and cell < other)):
                        break
                    if k < kept:
                        top_level[i, row, col, k] = beside
                        top_cell[i, row, col, k] = other
                    k -= 1
                if k < kept:
                    top_level[i, row, col, k] = level
                    top_cell[i, row, col, k] = cell


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
            overlap[row, col] = 0
            server[row, col] = -1
            for q in range(N_QUALITY):
                out[q, row, col] = np.nan
            if top_cell[row, col, 0] < 0:
                continue
            # The strongest serves, or the prior server while it is less than the hysteresis below.
            k = 0
            if prior[row, col] >= 0:
                for j in range(top_cell.shape[2]):
                    if top_cell[row, col, j] < 0 or top_level[row, col, j] < top_level[row, col, 0] - hysteresis_db:
                        break
                    if top_cell[row, col, j] == prior[row, col]:
                        k = j
                        break
            s = top_cell[row, col, k]
            server[row, col] = s
            level = np.float64(top_level[row, col, k])
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
            if other < top_cell.shape[2] and top_cell[row, col, other] >= 0:
                out[Q_SECOND, row, col] = top_level[row, col, other]
                out[Q_DOMINANCE, row, col] = level - top_level[row, col, other]
            count = 0
            for i in range(top_cell.shape[2]):
                if top_cell[row, col, i] >= 0 and top_level[row, col, i] >= top_level[row, col, 0] - window_db:
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


@jit_parallel
def beam_gain_kernel(
    server: Integers32,
    ground_m: Floats32,
    geometry: Floats,
    numbers: Floats,
    antenna: Integers,
    patterns: Patterns,
    beams: Patterns,
    peak_db: Floats,
    gain_db: Floats32,
) -> None:
    """Gain of the serving cell's traffic beam over its reference signal's pattern, in the pixel's direction.

    ``geometry`` is that of :func:`row_losses` with the centre of pixel (0, 0) in the terrain's coordinates.
    ``numbers`` (cells, 7): x, y, grid azimuth, mechanical tilt, electrical shift, antenna height above sea, electrical
    shift of the traffic beams. ``peak_db`` is by antenna: maximum gain of the beams over the pattern's. Never negative:
    data may be sent on the reference signal's beam too. Pixels without a server or on unknown ground are left as they
    are.
    """
    for row in numba.prange(server.shape[0]):
        for col in range(server.shape[1]):
            s = server[row, col]
            if s < 0 or math.isnan(ground_m[row, col]):
                continue
            east = geometry[G_X] + col * geometry[G_STEP] - numbers[s, 0]
            north = geometry[G_Y] - row * geometry[G_STEP] - numbers[s, 1]
            distance = math.sqrt(east * east + north * north)
            rise = ground_m[row, col] + geometry[G_RX] - numbers[s, 5]
            elevation = math.degrees(math.atan2(rise, distance) - distance * geometry[G_CURVATURE])
            azimuth = math.degrees(math.atan2(east, north)) - numbers[s, 2]
            off, depression = tilt_direction(azimuth, elevation, numbers[s, 3])
            a = antenna[s]
            own = pattern_loss_db(patterns, a, off, depression - numbers[s, 4])
            beam = pattern_loss_db(beams, a, off, depression - numbers[s, 6])
            gain_db[row, col] = max(peak_db[a] + own - beam, 0.0)
