"""The path geometry of P.1812-8 the slow way: one obvious expression a quantity, straight from its equation."""

from __future__ import annotations

import numpy as np


def bullington_q(d, g, h_t, h_r, a_km):
    """Equations 13 to 20 with the wavelength divided out: nu / sqrt(0.002 / lambda)."""
    x, di, gi = d[-1], d[1:-1], g[1:-1]
    bulge = 500.0 / a_km * di * (x - di)
    slope_t = ((gi + bulge - h_t) / di).max()
    chord = (h_r - h_t) / x
    if slope_t < chord:
        return ((gi + bulge - (h_t * (x - di) + h_r * di) / x) * np.sqrt(x / (di * (x - di)))).max()
    slope_r = ((gi + bulge - h_r) / (x - di)).max()
    b = (h_r - h_t + slope_r * x) / (slope_t + slope_r)
    return (h_t + slope_t * b - (h_t * (x - b) + h_r * b) / x) * np.sqrt(x / (b * (x - b)))


def smooth_heights(d, h):
    """Least-squares surface: equations 85 to 88."""
    x = d[-1]
    v1 = (np.diff(d) * (h[1:] + h[:-1])).sum()
    v2 = (np.diff(d) * (h[1:] * (2 * d[1:] + d[:-1]) + h[:-1] * (d[1:] + 2 * d[:-1]))).sum()
    return (2 * v1 * x - v2) / x**2, (v2 - v1 * x) / x**2


def horizons(d, h, h_t, h_r, a_km):
    """Equations 76 to 83: (angles, mrad, distances, km, indices) of both horizons over the bare ground."""
    x, di, hi = d[-1], d[1:-1], h[1:-1]
    theta = 1000 * np.arctan((hi - h_t) / (1000 * di) - di / (2 * a_km))
    direct = 1000 * np.arctan((h_r - h_t) / (1000 * x) - x / (2 * a_km))
    if theta.max() > direct:
        lt = 1 + int(np.flatnonzero(theta == theta.max())[0])
        back = 1000 * np.arctan((hi - h_r) / (1000 * (x - di)) - (x - di) / (2 * a_km))
        lr = 1 + int(np.flatnonzero(back == back.max())[-1])
        return (theta.max(), back.max()), (d[lt], x - d[lr]), (lt, lr)
    nu = (hi + 500 / a_km * di * (x - di) - (h_t * (x - di) + h_r * di) / x) * np.sqrt(x / (di * (x - di)))
    at = 1 + int(np.flatnonzero(nu == nu.max())[-1])
    back = 1000 * np.arctan((h_t - h_r) / (1000 * x) - x / (2 * a_km))
    return (direct, back), (d[at], x - d[at]), (at, at)


def diffraction_heights(d, h, h_t, h_r):
    """Equations 89 to 91: the smooth surface under either terminal."""
    x, di = d[-1], d[1:-1]
    above = h[1:-1] - (h_t * (x - di) + h_r * di) / x
    fit_t, fit_r = smooth_heights(d, h)
    if above.max() > 0:
        a_t, a_r = (above / di).max(), (above / (x - di)).max()
        fit_t -= above.max() * a_t / (a_t + a_r)
        fit_r -= above.max() * a_r / (a_t + a_r)
    return min(fit_t, h[0]), min(fit_r, h[-1])


def sphere_clearance(x, h1, h2, a_km):
    """Equations 22 to 26 by the trigonometric solution: (height, required over sqrt lambda, radius), None beyond."""
    if x >= np.sqrt(2 * a_km) * (np.sqrt(0.001 * h1) + np.sqrt(0.001 * h2)):
        return None
    c = (h1 - h2) / (h1 + h2)
    m = 250 * x * x / (a_km * (h1 + h2))
    b = 2 * np.sqrt((m + 1) / (3 * m)) * np.cos(np.pi / 3 + np.arccos(1.5 * c * np.sqrt(3 * m / (m + 1) ** 3)) / 3)
    d1 = x / 2 * (1 + b)
    d2 = x - d1
    height = ((h1 - 500 * d1 * d1 / a_km) * d2 + (h2 - 500 * d2 * d2 / a_km) * d1) / x
    return height, 17.456 * np.sqrt(d1 * d2 / x), 500 * (x / (np.sqrt(h1) + np.sqrt(h2))) ** 2
