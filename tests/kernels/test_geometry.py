"""The geometry kernel against the naive equations, over random profiles of several kinds."""

from __future__ import annotations

import numpy as np
import pytest

from naive import geometry as naive
from rfplan.kernels import geometry as g
from rfplan.propagation.p1812 import P1812

MODEL = P1812(time_percent=10.0)
SETTINGS = MODEL.geometry_settings()
SETTINGS[g.SQRT_WAVELENGTH] = 0.0  # every smooth-surface q, needed or not


def draw(rng, kind):
    n = int(rng.integers(4, 60))
    d = np.concatenate([[0.0], np.cumsum(rng.uniform(0.02, 0.9, n))])
    h = (
        np.zeros(n + 1)
        if kind == "flat"
        else 200.0 + np.cumsum(rng.normal(0.0, 2.0 if kind == "gentle" else 25.0, n + 1))
    )
    r = rng.choice([0.0, 10.0, 20.0], n + 1) if kind != "flat" else np.zeros(n + 1)
    zone = rng.choice([1, 3, 4], n + 1, p=[0.2, 0.2, 0.6]).astype(np.int8)
    return d, h, r, zone, rng.uniform(2.0, 120.0), rng.uniform(1.0, 40.0)


@pytest.mark.nojit
@pytest.mark.boundscheck
@pytest.mark.parametrize("kind", ["flat", "gentle", "rugged"])
def test_fields_equal_the_naive_equations(kind):
    rng = np.random.default_rng(11)
    for _ in range(40):
        d, h, r, zone, tx, rx = draw(rng, kind)
        out = g.empty_geometry(1)
        g.profile_geometry(d, h, r, zone, (tx, rx), 21.0, SETTINGS, out, 0)
        field = out[:, 0]
        top = h + r
        top[0], top[-1] = h[0], h[-1]
        h_t, h_r = h[0] + tx, h[-1] + rx
        surface_t, surface_r = naive.diffraction_heights(d, h, h_t, h_r)
        wanted = {g.TX_SMOOTH_M: h_t - surface_t, g.RX_SMOOTH_M: h_r - surface_r}
        angles, distances, at = naive.horizons(d, h, h_t, h_r, SETTINGS[g.MEDIAN_RADIUS_KM])
        wanted |= {g.TX_HORIZON_MRAD: angles[0], g.RX_HORIZON_MRAD: angles[1]}
        wanted |= {g.TX_HORIZON_KM: distances[0], g.RX_HORIZON_KM: distances[1]}
        fit_t, fit_r = (min(a, b) for a, b in zip(naive.smooth_heights(d, h), (h[0], h[-1]), strict=True))
        wanted |= {g.TX_DUCT_M: h_t - fit_t, g.RX_DUCT_M: h_r - fit_r}
        between = slice(at[0], at[1] + 1)
        wanted[g.ROUGHNESS_M] = (h[between] - fit_t - (fit_r - fit_t) / d[-1] * d[between]).max()
        for first, radius in ((g.Q_MEDIAN, g.MEDIAN_RADIUS_KM), (g.Q_BETA, g.BETA_RADIUS_KM)):
            a = SETTINGS[radius]
            h1, h2 = h_t - surface_t, h_r - surface_r
            wanted[first] = naive.bullington_q(d, top, h_t, h_r, a)
            wanted[first + 1] = naive.bullington_q(d, np.zeros(d.size), h1, h2, a)
            sphere = naive.sphere_clearance(d[-1], h1, h2, a) or (0.0, 1.0, a)
            wanted |= {first + 2: sphere[0], first + 3: sphere[1], first + 4: sphere[2]}
        for k, value in wanted.items():
            assert field[k] == pytest.approx(value, rel=1e-7, abs=1e-7), k


@pytest.mark.nojit
def test_zone_lengths_end_halfway_to_the_next_zone():
    d = np.arange(6.0)
    zone = np.array([4, 4, 3, 1, 1, 4], np.int8)
    sea, land, inland = g.zone_lengths(d, zone)
    assert sea == pytest.approx(2.0 / 5.0)
    assert land == pytest.approx(2.5)
    assert inland == pytest.approx(1.5)
