"""Zones along the paths of the sweep: strides against a naive search, stretches against every sample's zone."""

from __future__ import annotations

import numpy as np
import pytest

from rfplan.kernels import geometry as g, grid_exact, sweep_rows as s, sweep_samples, sweep_zones
from rfplan.propagation.area import geometry_settings, make_link
from rfplan.propagation.p1812 import P1812
from rfplan.terrain import Terrain

SIZE = 70
FIELDS = (g.SEA_FRACTION, g.LAND_KM, g.INLAND_KM)


def patchy(size, seed=3, n=SIZE):
    rng = np.random.default_rng(seed)
    blocks = rng.choice(np.array([1, 1, 3, 4], np.int8), size=(n // size + 1, n // size + 1))
    return np.kron(blocks, np.ones((size, size), np.int8))[:n, :n]


def coast(n=SIZE):
    """Sea to three quarters of the way, then a belt and inland: full of sea fractions beside 0.75."""
    zone = np.full((n, n), 4, np.int8)
    zone[:, : n // 2] = 1
    zone[:, n // 2 : n // 2 + 4] = 3
    return zone


@pytest.mark.parametrize("shape", [(23, 31), (1, 40), (40, 1)])
@pytest.mark.parametrize("size", [1, 5])
def test_strides_are_distances_to_the_nearest_other_zone(shape, size):
    zone = patchy(size)[: shape[0], : shape[1]]
    found = sweep_zones.zone_strides(zone).astype(int)
    np.testing.assert_array_equal(found & 7, zone)
    rows, cols = np.indices(shape)
    for row in range(shape[0]):
        for col in range(shape[1]):
            other = zone != zone[row, col]
            away = np.maximum(abs(rows - row), abs(cols - col))[other]
            assert found[row, col] >> 3 == away.min()


def test_no_strides_where_all_is_one_zone():
    assert sweep_zones.zone_strides(np.full((9, 9), 4, np.int8)).size == 0


TIED = patchy(3)


@pytest.mark.boundscheck
@pytest.mark.parametrize(
    ("row", "col"), [(35.0, 35.0), (34.23, 36.81), (34.5, 35.5), (0.0, 0.0), (-0.5, 69.4), (12.0, 3.0), (10.25, 0.0)]
)
@pytest.mark.parametrize("zone", [patchy(1), TIED, patchy(9), coast()], ids=["1", "3", "9", "coast"])
def test_every_pixel_has_the_zones_of_its_exact_path(row, col, zone):
    terrain = Terrain.from_arrays(
        np.zeros((SIZE, SIZE), np.float32), x0_m=500_000.0, y0_m=2_400_000.0, resolution_m=30.0, crs="EPSG:32648"
    ).with_zone(zone, "test")
    x = terrain.x0_m + (col + 0.5) * terrain.resolution_m
    y = terrain.y0_m - (row + 0.5) * terrain.resolution_m
    link = make_link(terrain, x, y, P1812(), 700.0, (20.0, 3.0), "vertical")
    rows, cols = (a.ravel() for a in np.indices(zone.shape))
    exact = g.empty_geometry(rows.size)
    ground = (terrain.elevation_amsl_m, terrain.clutter_height_m, terrain.zone)
    grid_exact.exact_pixels(*ground, link.site, rows.astype(float), cols.astype(float), geometry_settings(link), exact)
    found = np.full_like(exact, np.nan)
    w = np.full(s.N_BLOCK, np.nan)
    f = np.zeros(s.N_FRAME)
    f[[s.TX_ROW, s.TX_COL, s.RESOLUTION]] = link.site[[grid_exact.TX_ROW, grid_exact.TX_COL, grid_exact.RESOLUTION_M]]
    for first in range(0, rows.size, s.BLOCK):
        part = slice(first, first + s.BLOCK)
        n = rows[part].size
        sweep_samples.set_frames(w, n, rows[part], cols[part], terrain.elevation_amsl_m, f)
        sweep_zones.set_zones(w, n, terrain.zone_strides, link.site)
        found[:, part] = w[s.GEOMETRY :].reshape(g.N_FIELDS, s.BLOCK)[:, :n]
    for field in FIELDS:
        np.testing.assert_allclose(found[field], exact[field], rtol=1e-12, atol=1e-12)
    # rounding decides there, and must decide alike: above 0.75 a path counts as one over sea
    np.testing.assert_array_equal(found[g.SEA_FRACTION] >= 0.75, exact[g.SEA_FRACTION] >= 0.75)
    if zone is TIED:
        tied = np.abs(exact[g.SEA_FRACTION] - 0.75) < 1e-12
        assert (exact[g.SEA_FRACTION, tied] < 0.75).any()
