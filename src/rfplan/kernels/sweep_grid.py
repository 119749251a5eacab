"""Radials around a transmitter: which pixels each serves, and the geometry of those pixels.

The four quadrants (east, south, west, north) are cut into equal angles; every pixel lies in exactly one wedge, and
the wedge's radial serves it. In a quadrant a pixel has the coordinates u (along its axis, above 0) and v
(clockwise from it) and belongs to the wedge with u t_k <= v < u t_{k+1}. Radials own their pixels, so the result
does not depend on the number of threads.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numba
import numpy as np

from rfplan.kernels import geometry as g, sweep_fields as fields, sweep_rows as s, sweep_samples as x, sweep_state as m
from rfplan.kernels._jit import jit, jit_light, jit_parallel
from rfplan.kernels.grid_exact import (
    RESOLUTION_M,
    RX_AGL_M,
    TX_AGL_M,
    TX_COL,
    TX_ROW,
    UNIFORM_ZONE,
    pixel_latitude,
)
from rfplan.kernels.sampling import bilinear, sample_path
from rfplan.kernels.sweep_search import search_radial

SHORTEST_STEPS = s.TAIL_POINTS + 5
"""Shorter paths are left to the exact maker."""

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


@jit_light
def most_of_wedge(radial: Any, per_quadrant: Any, reach: Any) -> Any:
    """No wedge has more pixels than this: at u pixels along the axis at most u (t_{k+1} - t_k) + 1."""
    k = radial % per_quadrant
    columns = math.ceil(reach) + 1
    spread = wedge_tangent(k + 1, per_quadrant) - wedge_tangent(k, per_quadrant)
    return int(0.5 * spread * columns * (columns + 1)) + columns + 1


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


@jit
def exact_column(ground: Any, site: Any, row: Any, col: Any, settings: Any, out: Any, j: Any) -> Any:
    """Fill column j by the exact maker; NaN over unknown ground."""
    elevation, clutter, zone, _ = ground
    dr = row - site[TX_ROW]
    dc = col - site[TX_COL]
    size = int(math.sqrt(dr * dr + dc * dc)) + 5
    d = np.empty(size)
    h = np.empty(size)
    r = np.empty(size)
    z = np.empty(size, dtype=np.int8)
    tx = (site[TX_ROW], site[TX_COL])
    uniform = int(site[UNIFORM_ZONE])
    n = sample_path(elevation, clutter, zone, uniform, tx[0], tx[1], row, col, site[RESOLUTION_M], d, h, r, z)
    if n < 0:
        for field in range(g.N_FIELDS):
            out[field, j] = math.nan
        return
    heights = (site[TX_AGL_M], site[RX_AGL_M])
    latitude = pixel_latitude(site, row, col)
    g.profile_geometry(d[: n + 1], h[: n + 1], r[: n + 1], z[: n + 1], heights, latitude, settings, out, j)


@jit
def radial_memory(rows: Any, cols: Any, site: Any, one_hull: Any) -> Any:
    """Room for what a radial to these pixels, nearest first, remembers (see `rfplan.kernels.sweep_state`)."""
    far_r = rows[rows.size - 1] - site[TX_ROW]
    far_c = cols[rows.size - 1] - site[TX_COL]
    reach = int(math.sqrt(far_r * far_r + far_c * far_c)) + 8
    state = np.empty(m.N_SCALARS)
    m.clear_state(state)
    lines = np.empty((m.N_LINES, reach + m.AHEAD))
    groups = (reach + m.AHEAD) // (m.BLOCK * m.GROUP) + 1
    blocks = np.full((m.N_BLOCK_ROWS, groups * m.GROUP), m.NOWHERE)
    hull_h = np.empty((m.N_HULL, reach))
    hull_g = hull_h if one_hull else np.empty((m.N_HULL, reach))
    return state, lines, blocks, hull_h, hull_g, np.empty(m.N_AHEAD)


@jit
def sweep_block(
    rows: Any,
    cols: Any,
    memory: Any,
    w: Any,
    geometry: Any,
    flags: Any,
    f: Any,
    site: Any,
    ground: Any,
    suspect: Any,
    settings: Any,
) -> Any:
    """Geometry of a block of a radial's next pixels (rows, cols) into ``geometry``, the last rows of ``w``."""
    elevation, clutter, _, _ = ground
    state, lines, blocks, hull_h, hull_g, ahead = memory
    count = rows.size
    x.set_frames(w, count, rows, cols, elevation, f)
    x.sample_tail(w, count, elevation, clutter, f)
    for j in range(count):
        steps = w[s.STEPS + j]
        beside = suspect.size > 0 and suspect[rows[j], cols[j]] != 0
        served = state[m.LOST] == 0.0 and steps >= SHORTEST_STEPS and not (beside or math.isnan(w[s.H_RX + j]))
        if served:
            target = int((steps - s.TAIL_POINTS) * w[s.STEP + j] / f[s.SPACING] - 0.25)
            served = m.extend_radial(
                target, state, lines, blocks, hull_h, hull_g, ahead, elevation, clutter, suspect, f
            )
        if served:
            search_radial(w, j, state, lines, blocks, hull_h, hull_g, w[s.H_RX + j] + site[RX_AGL_M], f)
        else:
            w[s.DOUBT + j] = FLAG_EXACT
    x.sample_slots(w, count, elevation, clutter, f)
    x.sample_rivals(w, count, elevation, clutter, f)
    fields.set_terminals(w, count, ground, site, f[s.RX_CLUTTER], settings)
    fields.set_surfaces(w, count, f)
    fields.set_horizons(w, count, lines, blocks, f)
    fields.set_obstacles(w, count, f, settings)
    for j in range(count):
        flags[j] = FLAG_EXACT if w[s.UNKNOWN + j] != 0.0 else int(w[s.DOUBT + j])
        if flags[j] == FLAG_EXACT:
            exact_column(ground, site, rows[j], cols[j], settings, geometry, j)
            if math.isnan(elevation[rows[j], cols[j]]):
                flags[j] = 0


@jit
def radial_frame(index: Any, per_quadrant: Any, site: Any, elevation: Any, uniform_clutter: Any, settings: Any) -> Any:
    """Scalars of a radial, see `rfplan.kernels.sweep_rows`."""
    f = np.empty(s.N_FRAME)
    base = bilinear(elevation, site[TX_ROW], site[TX_COL])
    f[s.TX] = base + site[TX_AGL_M]
    f[s.BASE] = base
    f[s.RX_AGL] = site[RX_AGL_M]
    f[s.C] = 500.0 / settings[g.MEDIAN_RADIUS_KM]
    f[s.C_BETA] = 500.0 / settings[g.BETA_RADIUS_KM] if settings[g.WITH_BETA] != 0.0 else 0.0
    f[s.SPACING] = site[RESOLUTION_M] * 1e-3
    none = math.isinf(settings[g.BARE_END_KM])  # of the clutter counts: as if there were none
    f[s.CLUTTER] = 0.0 if none else uniform_clutter
    f[s.RX_CLUTTER] = uniform_clutter
    f[s.BARE_END] = 0.0 if none else settings[g.BARE_END_KM]
    f[s.TX_ROW] = site[TX_ROW]
    f[s.TX_COL] = site[TX_COL]
    f[s.WAY_ROW], f[s.WAY_COL] = direction(index, per_quadrant)
    f[s.RESOLUTION] = site[RESOLUTION_M]
    return f


@functools.cache
def _radial_kernel(finish: Any) -> Any:
    """Kernel that sweeps a radial and finishes its pixels a block at a time, while their geometry is in the cache."""

    @jit
    def sweep_radial(
        radial: Any,
        per_quadrant: Any,
        rows: Any,
        cols: Any,
        flags: Any,
        site: Any,
        ground: Any,
        suspect: Any,
        uniform_clutter: Any,
        settings: Any,
        bands: Any,
        parameters: Any,
        out: Any,
        at: Any,
    ) -> Any:
        if rows.size == 0:
            return
        sort_by_range(rows, cols, site)
        f = radial_frame(radial, per_quadrant, site, ground[0], uniform_clutter, settings)
        memory = radial_memory(rows, cols, site, s.one_hull(f))
        memory[0][m.LOST] = 1.0 if math.isnan(f[s.BASE]) else 0.0
        w = np.zeros(s.N_BLOCK)  # pixels beyond the last are sampled, too, and must lie somewhere
        geometry = w[s.GEOMETRY :].reshape((g.N_FIELDS, s.BLOCK))
        for a in range(0, rows.size, s.BLOCK):
            b = min(a + s.BLOCK, rows.size)
            sweep_block(rows[a:b], cols[a:b], memory, w, geometry, flags[a:b], f, site, ground, suspect, settings)
            finish(geometry, b - a, bands, parameters, out, at + a)

    return sweep_radial


@functools.cache
def sweep_to_window(finish: Any) -> Any:
    """Kernel that sweeps radials and puts losses, shape (bands, h, w), and flags, all 0 before, to the window's pixels.

    ``finish`` is as in `rfplan.kernels.finish`.
    """
    sweep_radial = _radial_kernel(finish)

    @jit_parallel
    def sweep(
        radials: Any,
        per_quadrant: Any,
        site: Any,
        ground: Any,
        suspect: Any,
        uniform_clutter: Any,
        window: Any,
        reach: Any,
        settings: Any,
        bands: Any,
        parameters: Any,
        loss: Any,
        flags: Any,
    ) -> Any:
        for i in numba.prange(radials.size):
            room = most_of_wedge(radials[i], per_quadrant, reach)
            rows = np.empty(room, dtype=np.int64)
            cols = np.empty(room, dtype=np.int64)
            n = list_wedge(radials[i], per_quadrant, site, window, reach, rows, cols)
            part = np.empty((bands.shape[0], n))
            doubts = np.empty(n, dtype=np.uint8)
            sweep_radial(
                radials[i],
                per_quadrant,
                rows[:n],
                cols[:n],
                doubts,
                site,
                ground,
                suspect,
                uniform_clutter,
                settings,
                bands,
                parameters,
                part,
                0,
            )
            for b in range(bands.shape[0]):
                for j in range(n):
                    loss[b, np.uint64(rows[j] - window[0]), np.uint64(cols[j] - window[2])] = part[b, j]
            for j in range(n):
                if doubts[j] != 0:  # few: the window's flags are 0
                    flags[rows[j] - window[0], cols[j] - window[2]] = doubts[j]

    return sweep


@jit
def _keep_geometry(geometry: Any, n: Any, _bands: Any, _parameters: Any, out: Any, at: Any) -> Any:
    """The finish of models that have none but in Python: ``out``, shape (N_FIELDS, n), is the geometry itself."""
    for field in range(g.N_FIELDS):
        for j in range(n):
            out[field, at + j] = geometry[field, j]


@functools.cache
def sweep_to_columns() -> Any:
    """Kernel that sweeps radials into a geometry of shape (N_FIELDS, n), with rows, columns and flags of its pixels.

    ``starts[i]`` is the column of the first pixel of ``radials[i]``; one more entry ends the last.
    """
    sweep_radial = _radial_kernel(_keep_geometry)

    @jit_parallel
    def sweep(
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
        nothing = np.empty((0, 0))
        nothing_flat = np.empty(0)
        for i in numba.prange(radials.size):
            a = starts[i]
            b = starts[i + 1]
            list_wedge(radials[i], per_quadrant, site, window, reach, rows[a:b], cols[a:b])
            sweep_radial(
                radials[i],
                per_quadrant,
                rows[a:b],
                cols[a:b],
                flags[a:b],
                site,
                ground,
                suspect,
                uniform_clutter,
                settings,
                nothing,
                nothing_flat,
                out,
                a,
            )

    return sweep


@jit_parallel
def scatter(loss: Any, flags: Any, rows: Any, cols: Any, row0: Any, col0: Any, out: Any, out_flags: Any) -> Any:
    """Put losses, shape (bands, n), and flags to their pixels of the window."""
    for j in numba.prange(rows.size):
        r = rows[j] - row0
        c = cols[j] - col0
        for b in range(loss.shape[0]):
            out[b, r, c] = loss[b, j]
        out_flags[r, c] = flags[j]
