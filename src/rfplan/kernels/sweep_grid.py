"""Radials around a transmitter: which pixels each serves, and the geometry of those pixels.

The four quadrants (east, south, west, north) are cut into equal angles; every pixel lies in exactly one wedge, and
the wedge's radial serves it. In a quadrant a pixel has the coordinates u (along its axis, above 0) and v
(clockwise from it) and belongs to the wedge with u t_k <= v < u t_{k+1}. Radials own their pixels, so the result
does not depend on the number of threads.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from rfplan.kernels import geometry as g, sweep_block as block, sweep_query as q, sweep_state as m
from rfplan.kernels._jit import jit, jit_inline, jit_light, jit_parallel
from rfplan.kernels.grid_exact import (
    LATITUDE_DEG,
    LATITUDE_PER_COL,
    LATITUDE_PER_ROW,
    RESOLUTION_M,
    RX_AGL_M,
    TX_AGL_M,
    TX_COL,
    TX_ROW,
    UNIFORM_ZONE,
)
from rfplan.kernels.sampling import bilinear, nearest, sample_path
from rfplan.kernels.sweep_pixel import SHORTEST_STEPS, pixel_geometry

FLAG_EXACT = 128
"""Flag of a pixel that was left to the exact maker; other values are the sweep's doubts, 0 for none."""

_SNAP = 1048576.0


@jit_light
def wedge_tangent(k: Any, per_quadrant: Any) -> Any:
    """Lower bound t_k of a wedge; exactly -1 and 1 at the diagonals, which two quadrants share."""
    if k == 0:
        return -1.0
    if k == per_quadrant:
        return 1.0
    return math.tan(0.5 * math.pi * (k / per_quadrant - 0.5))


@jit_light
def list_wedge(radial: Any, per_quadrant: Any, site: Any, window: Any, reach: Any, rows: Any, cols: Any) -> Any:
    """Write the pixels of one wedge within ``reach`` pixels and the window (row0, row1, col0, col1); returns how
    many.

    Pass arrays of no length to count only. The pixel on which the transmitter stands exactly belongs to none.
    """
    quadrant = radial // per_quadrant
    k = radial % per_quadrant
    t0 = wedge_tangent(k, per_quadrant)
    t1 = wedge_tangent(k + 1, per_quadrant)
    # a position snapped to a millionth of a pixel makes sums on the diagonals exact: no pixel twice or never
    tx_row = math.floor(site[TX_ROW] * _SNAP + 0.5) / _SNAP
    tx_col = math.floor(site[TX_COL] * _SNAP + 0.5) / _SNAP
    along_cols = quadrant % 2 == 0
    forward = quadrant < 2
    ta = tx_col if along_cols else tx_row
    tb = tx_row if along_cols else tx_col
    a_low = window[2] if along_cols else window[0]
    a_stop = window[3] if along_cols else window[1]
    b_low = window[0] if along_cols else window[2]
    b_stop = window[1] if along_cols else window[3]
    a = math.floor(ta) + 1 if forward else math.ceil(ta) - 1
    a = max(a, a_low) if forward else min(a, a_stop - 1)
    same_way = quadrant == 0 or quadrant == 3
    count = 0
    write = rows.size > 0
    while a_low <= a < a_stop:
        u = a - ta if forward else ta - a
        if u > reach:
            break
        if same_way:
            b0 = math.ceil(tb + u * t0)
            b1 = math.ceil(tb + u * t1) - 1
        else:
            b0 = math.floor(tb - u * t1) + 1
            b1 = math.floor(tb - u * t0)
        for b in range(max(b0, b_low), min(b1, b_stop - 1) + 1):
            row = b if along_cols else a
            col = a if along_cols else b
            dr = row - site[TX_ROW]
            dc = col - site[TX_COL]
            if dr * dr + dc * dc <= reach * reach:
                if write:
                    rows[count] = row
                    cols[count] = col
                count += 1
        a += 1 if forward else -1
    return count


@jit_parallel
def count_wedges(radials: Any, counts: Any, per_quadrant: Any, site: Any, window: Any, reach: Any) -> Any:
    """Number of pixels of each of the given radials."""
    for i in numba.prange(radials.size):
        nothing = np.empty(0, dtype=np.int64)
        counts[i] = list_wedge(radials[i], per_quadrant, site, window, reach, nothing, nothing)


@jit_light
def sort_by_range(rows: Any, cols: Any, site: Any) -> Any:
    """Order the pixels of a wedge by distance: insertion, for they nearly are."""
    for i in range(1, rows.size):
        row = rows[i]
        col = cols[i]
        key = (row - site[TX_ROW]) ** 2 + (col - site[TX_COL]) ** 2
        k = i - 1
        while k >= 0 and (rows[k] - site[TX_ROW]) ** 2 + (cols[k] - site[TX_COL]) ** 2 > key:
            rows[k + 1] = rows[k]
            cols[k + 1] = cols[k]
            k -= 1
        rows[k + 1] = row
        cols[k + 1] = col


@jit_light
def direction(radial: Any, per_quadrant: Any) -> Any:
    """Unit step (rows, columns) of a radial: the middle of its wedge."""
    quadrant = radial // per_quadrant
    angle = 0.5 * math.pi * ((radial % per_quadrant + 0.5) / per_quadrant - 0.5)
    u = math.cos(angle)
    v = math.sin(angle)
    if quadrant == 0:
        return v, u
    if quadrant == 1:
        return u, -v
    if quadrant == 2:
        return -v, -u
    return -u, v


@jit_inline
def extend_radial(
    target: Any,
    way_row: Any,
    way_col: Any,
    site: Any,
    elevation: Any,
    clutter: Any,
    zone: Any,
    suspect: Any,
    uniform_clutter: Any,
    base: Any,
    c: Any,
    state: Any,
    points: Any,
    blocks: Any,
    hull_h: Any,
    hull_g: Any,
) -> Any:
    """Insert points up to index ``target``; returns False where the ground, there or beside it, is unknown."""
    spacing = site[RESOLUTION_M] * 1e-3
    tx = base + site[TX_AGL_M]
    one_hull = uniform_clutter >= 0.0
    for i in range(int(state[m.LAST]) + 1, target + 1):
        row = site[TX_ROW] + i * way_row
        col = site[TX_COL] + i * way_col
        if suspect.size > 0 and nearest(suspect, row, col):
            return False
        h = bilinear(elevation, row, col)
        r = uniform_clutter
        if not one_hull:
            r = float(nearest(clutter, row, col))
        m.insert_point(i, state, points, blocks, hull_h, hull_g, one_hull, spacing, tx, c, base, h, r)
        if site[UNIFORM_ZONE] <= 0.0:
            m.extend_zone(state, nearest(zone, row, col), spacing)
    return True


@jit_light
def exact_column(
    ground: Any, site: Any, row: Any, col: Any, latitude: Any, profile: Any, settings: Any, out: Any, j: Any
) -> Any:
    """Fill column j by the exact maker; False over unknown ground."""
    elevation, clutter, zone = ground
    d, h, r, z = profile
    n = sample_path(
        elevation,
        clutter,
        zone,
        int(site[UNIFORM_ZONE]),
        site[TX_ROW],
        site[TX_COL],
        row,
        col,
        site[RESOLUTION_M],
        d,
        h,
        r,
        z,
    )
    if n < 0:
        for field in range(g.N_FIELDS):
            out[field, j] = math.nan
        return False
    heights = (site[TX_AGL_M], site[RX_AGL_M])
    g.profile_geometry(d[: n + 1], h[: n + 1], r[: n + 1], z[: n + 1], heights, latitude, settings, out, j)
    return True


@jit
def sweep_radial(
    index: Any,
    per_quadrant: Any,
    site: Any,
    ground: Any,
    suspect: Any,
    uniform_clutter: Any,
    rows: Any,
    cols: Any,
    settings: Any,
    out: Any,
    flags: Any,
    at: Any,
) -> Any:
    """Fill the columns ``at`` onwards with the pixels (rows, cols) of one radial, nearest first."""
    elevation, clutter, zone = ground
    size = rows.size
    if size == 0:
        return
    far_r = rows[size - 1] - site[TX_ROW]
    far_c = cols[size - 1] - site[TX_COL]
    reach = int(math.sqrt(far_r * far_r + far_c * far_c)) + 8
    state = np.empty(m.N_SCALARS)
    points = np.empty((reach, m.N_COLUMNS))
    blocks = np.empty((m.N_BLOCK_ROWS, reach // m.BLOCK + 1))
    hull_h = np.empty(reach, dtype=np.int64)
    hull_g = hull_h if uniform_clutter >= 0.0 else np.empty(reach, dtype=np.int64)
    profile = (np.empty(reach), np.empty(reach), np.empty(reach), np.empty(reach, dtype=np.int8))
    base = bilinear(elevation, site[TX_ROW], site[TX_COL])
    uniform = int(site[UNIFORM_ZONE])
    zone_tx = uniform if uniform > 0 else int(nearest(zone, site[TX_ROW], site[TX_COL]))
    spacing = site[RESOLUTION_M] * 1e-3
    m.clear_state(state, base, zone_tx, spacing)
    c = 500.0 / settings[g.MEDIAN_RADIUS_KM]
    path = np.empty(q.N_WORK)
    path[q.TX_ROW] = site[TX_ROW]
    path[q.TX_COL] = site[TX_COL]
    path[q.TX] = base + site[TX_AGL_M]
    path[q.TX_GROUND] = base
    path[q.C] = c
    path[q.C_BETA] = 500.0 / settings[g.BETA_RADIUS_KM] if settings[g.WITH_BETA] != 0.0 else 0.0
    path[q.SPACING] = spacing
    path[q.CLUTTER] = uniform_clutter
    way_row, way_col = direction(index, per_quadrant)
    whole = not math.isnan(base)
    tx = path[q.TX]
    w = np.empty(block.N_BLOCK)
    for first in range(0, size, block.BLOCK):
        stop = min(first + block.BLOCK, size)
        count = stop - first
        block.set_frames(w, count, rows[first:stop], cols[first:stop], elevation, site, tx)
        block.sample_tail(w, count, elevation, clutter, uniform_clutter, site)
        block.measure_tail(w, count, tx, base, site[RX_AGL_M], c, path[q.C_BETA])
        for jj in range(count):
            j = at + first + jj
            row = rows[first + jj]
            col = cols[first + jj]
            h_rx = w[block.H_RX + jj]
            n = block.load_path(w, jj, site[RX_AGL_M], path)
            beside = suspect.size > 0 and suspect[row, col] != 0
            doubt = -1.0
            if whole and n >= SHORTEST_STEPS and not (beside or math.isnan(h_rx)):
                target = int(path[q.TAIL] * path[q.STEP] / spacing - 0.25)
                whole = extend_radial(
                    target,
                    way_row,
                    way_col,
                    site,
                    elevation,
                    clutter,
                    zone,
                    suspect,
                    uniform_clutter,
                    base,
                    c,
                    state,
                    points,
                    blocks,
                    hull_h,
                    hull_g,
                )
                if whole:
                    r_rx = uniform_clutter if uniform_clutter >= 0.0 else float(clutter[row, col])
                    zone_rx = uniform if uniform > 0 else int(zone[row, col])
                    latitude = site[LATITUDE_DEG] + site[LATITUDE_PER_ROW] * row + site[LATITUDE_PER_COL] * col
                    terminal = (h_rx, site[RX_AGL_M], r_rx, zone_rx, latitude, site[TX_AGL_M], zone_tx)
                    doubt = pixel_geometry(
                        w,
                        jj,
                        path,
                        elevation,
                        clutter,
                        zone,
                        uniform,
                        state,
                        points,
                        blocks,
                        hull_h,
                        hull_g,
                        terminal,
                        settings,
                        out,
                        j,
                    )
            flags[j] = FLAG_EXACT if doubt < 0.0 else int(doubt)
        block.finish_block(w, count, tx, base, site, settings, out, at + first)
        for i in range(first, stop):
            if flags[at + i] == FLAG_EXACT:
                row = rows[i]
                col = cols[i]
                latitude = site[LATITUDE_DEG] + site[LATITUDE_PER_ROW] * row + site[LATITUDE_PER_COL] * col
                exact_column(ground, site, row, col, latitude, profile, settings, out, at + i)
                if math.isnan(elevation[row, col]):
                    flags[at + i] = 0


@jit_parallel
def sweep_radials(
    radials: Any,
    starts: Any,
    per_quadrant: Any,
    site: Any,
    ground: Any,
    suspect: Any,
    uniform_clutter: Any,
    window: Any,
    reach: Any,
    settings: Any,
    out: Any,
    flags: Any,
    rows: Any,
    cols: Any,
) -> Any:
    """Geometry of the pixels of some radials, shape (N_FIELDS, n), with their rows, columns and flags.

    ``starts[i]`` is the column of the first pixel of ``radials[i]``; one more entry ends the last.
    """
    for i in numba.prange(radials.size):
        a = starts[i]
        b = starts[i + 1]
        list_wedge(radials[i], per_quadrant, site, window, reach, rows[a:b], cols[a:b])
        sort_by_range(rows[a:b], cols[a:b], site)
        sweep_radial(
            radials[i],
            per_quadrant,
            site,
            ground,
            suspect,
            uniform_clutter,
            rows[a:b],
            cols[a:b],
            settings,
            out,
            flags,
            a,
        )


@jit_parallel
def scatter(loss: Any, flags: Any, rows: Any, cols: Any, row0: Any, col0: Any, out: Any, out_flags: Any) -> Any:
    """Put losses, shape (bands, n), and flags to their pixels of the window."""
    for j in numba.prange(rows.size):
        r = rows[j] - row0
        c = cols[j] - col0
        for b in range(loss.shape[0]):
            out[b, r, c] = loss[b, j]
        out_flags[r, c] = flags[j]
