"""Knife-edge methods of Recommendation ITU-R P.526-15 on terrain profiles: the highest edge, Deygout, Epstein-Peterson.

Distances in km, heights in m. Heights are taken above the chord of an Earth that falls c d^2 below its tangent,
c = 500 / a. Diffraction parameters travel without their frequency as in `rfplan.kernels.diffraction`:
q = nu / sqrt(0.002 / lambda).
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from rfplan.kernels import geometry as g, p1812 as shared
from rfplan.kernels._jit import jit, jit_parallel
from rfplan.kernels.diffraction import NO_OBSTACLE_Q, bullington_db, knife_edge_db

SINGLE, DEYGOUT, EPSTEIN_PETERSON = 0, 1, 2
BULLINGTON, DELTA_BULLINGTON, SPHERICAL_EARTH = 3, 4, 5

_SEPARATION_FROM_DB = 15.0  # the separation term of two edges holds where each loses about this much (section 4.3)


@jit
def edge_q(d: Any, y: Any, a: Any, b: Any, i: Any) -> Any:
    """Frequency-free diffraction parameter of point i seen between points a and b (equation 26).

    ``y`` are heights on the flattened Earth, antennas included: straight rays are straight lines there.
    """
    before = d[i] - d[a]
    behind = d[b] - d[i]
    span = d[b] - d[a]
    above = y[i] - (y[a] * behind + y[b] * before) / span
    return above * math.sqrt(span / (before * behind))


@jit
def main_edge(d: Any, y: Any, a: Any, b: Any) -> tuple[float, int]:
    """Highest parameter between points a and b and where it is; `NO_OBSTACLE_Q` without points between them."""
    best = NO_OBSTACLE_Q
    at = -1
    for i in range(a + 1, b):
        q = edge_q(d, y, a, b, i)
        if q > best:
            best = q
            at = i
    return best, at


@jit
def deygout_db(d: Any, y: Any, nu_scale: float) -> Any:
    """Deygout's construction with at most three edges (section 4.4.2).

    L = J(nu_p) + T (J(nu_t) + J(nu_r) + C) with T = 1 - exp(-J(nu_p) / 6) and C = 10 + 0.04 D.
    """
    last = d.size - 1
    q, p = main_edge(d, y, 0, last)
    main_db = knife_edge_db(q * nu_scale)
    if main_db == 0.0:
        return 0.0
    q_tx, _ = main_edge(d, y, 0, p)
    q_rx, _ = main_edge(d, y, p, last)
    side_db = knife_edge_db(q_tx * nu_scale) + knife_edge_db(q_rx * nu_scale)
    return main_db + (1.0 - math.exp(-main_db / 6.0)) * (side_db + 10.0 + 0.04 * d[last])


@jit
def string_points(d: Any, y: Any, out: Any) -> int:
    """Points of the stretched string (upper convex hull) between the antennas, both ends included: their count."""
    count = 0
    for i in range(d.size):
        while count >= 2:
            a = out[count - 2]
            b = out[count - 1]
            if (y[b] - y[a]) * (d[i] - d[a]) > (y[i] - y[a]) * (d[b] - d[a]):
                break
            count -= 1
        out[count] = i
        count += 1
    return count


@jit
def merge_obstacles(d: Any, y: Any, string: Any, count: int, gap_km: float) -> int:
    """Keep one point of each group of string points no farther apart than the gap: the highest above the group's chord.

    The chord joins the string points on both sides of the group. Works in place and returns the new count.
    """
    kept = 1
    i = 1
    last = string[count - 1]
    while i < count - 1:
        j = i
        while j + 1 < count - 1 and d[string[j + 1]] - d[string[j]] <= gap_km:
            j += 1
        a = string[kept - 1]
        b = string[j + 1]
        best = -math.inf
        at = string[i]
        for m in range(i, j + 1):
            s = string[m]
            above = y[s] - (y[a] * (d[b] - d[s]) + y[b] * (d[s] - d[a])) / (d[b] - d[a])
            if above > best:
                best = above
                at = s
        string[kept] = at
        kept += 1
        i = j + 1
    string[kept] = last
    return kept + 1


@jit
def epstein_peterson_db(d: Any, y: Any, nu_scale: float, gap_km: float, string: Any) -> Any:
    """Sum of the losses of successive obstacles, each between its neighbours (Epstein-Peterson; section 4.3 for two).

    Two edges that each lose more than 15 dB have the term 10 log10((a + b)(b + c) / (b (a + b + c))) for their
    separation b. A path without obstacles above the line of sight counts its highest edge.
    """
    count = merge_obstacles(d, y, string, string_points(d, y, string), gap_km)
    if count == 2:
        q, _ = main_edge(d, y, 0, d.size - 1)
        return knife_edge_db(q * nu_scale)
    total = 0.0
    least = math.inf
    for k in range(1, count - 1):
        edge_db = knife_edge_db(edge_q(d, y, string[k - 1], string[k + 1], string[k]) * nu_scale)
        total += edge_db
        least = min(least, edge_db)
    if count == 4 and least > _SEPARATION_FROM_DB:
        a = d[string[1]]
        b = d[string[2]] - a
        c = d[string[3]] - d[string[2]]
        total += 10.0 * math.log10((a + b) * (b + c) / (b * (a + b + c)))
    return total


@jit_parallel
def edge_losses(
    points: Any, tx_agl_m: Any, rx_agl_m: Any, nu_scale: Any, curve: float, method: int, gap_km: float, out: Any
) -> None:
    """Diffraction loss of n paths by one of the knife-edge methods, dB.

    ``points`` is (start, stop, distance m, elevation m, clutter m); ``curve`` is c = 500 / a.
    """
    start, stop, distance_m, elevation_m, clutter_m = points
    for j in numba.prange(start.size):
        first, behind = start[j], stop[j]
        n = behind - first
        d = np.empty(n)
        y = np.empty(n)
        for i in range(n):
            d[i] = distance_m[first + i] * 1e-3
            y[i] = elevation_m[first + i] + clutter_m[first + i] - curve * d[i] * d[i]
        y[0] = elevation_m[first] + tx_agl_m[j]
        y[n - 1] = elevation_m[behind - 1] + rx_agl_m[j] - curve * d[n - 1] * d[n - 1]
        if method == DEYGOUT:
            out[j] = deygout_db(d, y, nu_scale[j])
        elif method == EPSTEIN_PETERSON:
            out[j] = epstein_peterson_db(d, y, nu_scale[j], gap_km, np.empty(n, dtype=np.int64))
        else:
            q, _ = main_edge(d, y, 0, n - 1)
            out[j] = knife_edge_db(q * nu_scale[j])


@jit_parallel
def geometry_losses(geometry: Any, column: Any, bands: Any, which: Any, method: int, out: Any) -> None:
    """Diffraction loss of n paths by one of the methods that work on path geometry, dB.

    Path i is ``column[i]`` of the geometry in band ``which[i]`` (see `rfplan.kernels.p1812` for a band's fields).
    """
    for i in numba.prange(column.size):
        j = column[i]
        band = bands[which[i]]
        if method == DELTA_BULLINGTON:
            out[i] = shared.delta_bullington_db(geometry, j, g.Q_MEDIAN, band)
        elif method == SPHERICAL_EARTH:
            out[i] = shared.spherical_db(geometry, j, g.Q_MEDIAN, band)
        else:
            edge_db = knife_edge_db(geometry[g.Q_MEDIAN, j] * band[shared.NU_SCALE])
            out[i] = bullington_db(edge_db, geometry[g.DISTANCE_KM, j])
