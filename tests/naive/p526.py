"""Diffraction methods written out in metres as P.526 states them, one point at a time."""

from __future__ import annotations

import math

import numpy as np


def loss(nu):
    if nu <= -0.78:
        return 0.0
    return 6.9 + 20 * math.log10(math.sqrt((nu - 0.1) ** 2 + 1) + nu - 0.1)


def parameter(d, top, a, b, i, radius_m, wavelength_m):
    """Equations of section 4.4.2: clearance over the chord a–b with the Earth's bulge, then nu."""
    d_ab, d_an, d_nb = d[b] - d[a], d[i] - d[a], d[b] - d[i]
    h = top[i] + d_an * d_nb / (2 * radius_m) - (top[a] * d_nb + top[b] * d_an) / d_ab
    return h * math.sqrt(2 * d_ab / (wavelength_m * d_an * d_nb))


def highest(d, top, a, b, radius_m, wavelength_m):
    values = {i: parameter(d, top, a, b, i, radius_m, wavelength_m) for i in range(a + 1, b)}
    if not values:
        return -math.inf, a
    at = max(values, key=values.get)
    return values[at], at


def single(d, top, radius_m, wavelength_m):
    return loss(highest(d, top, 0, len(d) - 1, radius_m, wavelength_m)[0])


def deygout(d, top, radius_m, wavelength_m):
    last = len(d) - 1
    nu_p, p = highest(d, top, 0, last, radius_m, wavelength_m)
    if nu_p <= -0.78:
        return 0.0
    nu_t, _ = highest(d, top, 0, p, radius_m, wavelength_m)
    nu_r, _ = highest(d, top, p, last, radius_m, wavelength_m)
    main = loss(nu_p)
    c = 10.0 + 0.04 * d[last] / 1000
    return main + (1 - math.exp(-main / 6)) * (loss(nu_t) + loss(nu_r) + c)


def string_points(d, top, radius_m):
    """Points that are above every chord between a point before and a point behind."""
    y = np.asarray(top) - np.asarray(d) ** 2 / (2 * radius_m)
    kept = [0]
    for i in range(1, len(d) - 1):
        chords = (
            (y[a] * (d[b] - d[i]) + y[b] * (d[i] - d[a])) / (d[b] - d[a])
            for a in range(i)
            for b in range(i + 1, len(d))
        )
        if y[i] > max(chords) + 1e-9:
            kept.append(i)
    return [*kept, len(d) - 1]
