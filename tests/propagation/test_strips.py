"""``recompute=True``: every pixel over its exact path, in strips, against the plain exact maker."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from rfplan.kernels import grid_exact, grid_strips
from rfplan.kernels.geometry import empty_geometry
from rfplan.kernels.strip_stages import STRIP
from rfplan.propagation.area import geometry_settings, make_link
from rfplan.propagation.free_space import FreeSpace
from rfplan.propagation.grid import path_loss_grid, path_loss_window
from rfplan.propagation.p526 import P526
from rfplan.propagation.p1812 import P1812
from rfplan.propagation.strips import fits_strips
from rfplan.propagation.sweep import LEFT_TO_EXACT
from rfplan.terrain import Terrain

SETTINGS = {"frequency_mhz": [700.0, 2600.0], "tx_height_agl_m": 35.0, "rx_height_agl_m": 1.5}
TOLERANCE_DB = 1e-6
SIZE = 90


def rough(ny=SIZE, nx=SIZE, relief_m=600.0, seed=5):
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(rng.normal(size=(ny, nx)))
    k = np.hypot(np.fft.fftfreq(ny)[:, None], np.fft.rfftfreq(nx)[None])
    k[0, 0] = 1.0
    z = np.fft.irfft2(spectrum * k**-2.0 * (k > 0.5 / nx), s=(ny, nx))
    return ((z - z.min()) / (z.max() - z.min()) * relief_m).astype(np.float32)


def patches(values, seed=7, size=6):
    rng = np.random.default_rng(seed)
    blocks = rng.choice(values, size=(SIZE // size + 1, SIZE // size + 1))
    return np.kron(blocks, np.ones((size, size)))[:SIZE, :SIZE]


def terrain_of(elevation, clutter=10.0, zone=None):
    terrain = Terrain.from_arrays(
        elevation, x0_m=500_000.0, y0_m=2_400_000.0, resolution_m=60.0, crs="EPSG:32648", clutter_height_m=clutter
    )
    return terrain if zone is None else terrain.with_zone(zone, "test")


def position(terrain, row, col):
    return terrain.x0_m + (col + 0.5) * terrain.resolution_m, terrain.y0_m - (row + 0.5) * terrain.resolution_m


def both(terrain, row, col, radius_m=2500.0, model=None, **more):
    x, y = position(terrain, row, col)
    model = model or P1812()
    exact = path_loss_window(terrain, x, y, model=model, radius_m=radius_m, method="exact", **(SETTINGS | more))
    again = path_loss_window(terrain, x, y, model=model, radius_m=radius_m, recompute=True, **(SETTINGS | more))
    return exact, again


def assert_every_pixel(exact, again):
    assert np.isfinite(exact.path_loss_db).any()
    np.testing.assert_allclose(again.path_loss_db, exact.path_loss_db, rtol=0.0, atol=TOLERANCE_DB)
    known = np.isfinite(exact.path_loss_db[0])
    np.testing.assert_array_equal(again.doubt, np.where(known, LEFT_TO_EXACT, 0))


@pytest.mark.parametrize("time_percent", [50.0, 10.0])
@pytest.mark.parametrize("clutter", [0.0, 10.0, "patches"])
def test_every_pixel_on_rough_ground_where_the_sweep_misses_some(clutter, time_percent):
    terrain = terrain_of(rough(), patches([0.0, 10.0, 15.0, 20.0]) if clutter == "patches" else clutter)
    model = P1812(time_percent=time_percent)
    exact, again = both(terrain, 44.23, 45.81, model=model)
    assert_every_pixel(exact, again)
    x, y = position(terrain, 44.23, 45.81)
    swept = path_loss_window(terrain, x, y, model=model, radius_m=2500.0, **SETTINGS)
    missed = np.abs(swept.path_loss_db - exact.path_loss_db) > 0.1
    assert missed.any()
    assert (swept.doubt[missed.any(axis=0)] == 0).any()  # no hint told of them


@pytest.mark.parametrize(
    ("row", "col"), [(45.0, 45.0), (44.5, 45.5), (0.0, 0.0), (89.4, 12.2), (-0.5, 45.0), (89.5, 89.5), (12.3, -0.4)]
)
@pytest.mark.parametrize("clutter", [10.0, "patches"])
def test_any_position_of_the_transmitter(row, col, clutter):
    terrain = terrain_of(rough(), patches([0.0, 20.0], size=1) if clutter == "patches" else clutter)
    assert_every_pixel(*both(terrain, row, col, radius_m=6000.0))


@pytest.mark.parametrize("time_percent", [50.0, 10.0])
def test_sea_and_land(time_percent):
    zone = patches(np.array([1, 3, 4], dtype=np.int8), seed=11, size=9).astype(np.int8)
    z = rough(relief_m=150.0)
    z[zone == 1] = 0.0
    for row, col in ((44.2, 45.8), (3.1, 80.7)):
        exact, again = both(
            terrain_of(z, 10.0, zone), row, col, radius_m=5000.0, model=P1812(time_percent=time_percent)
        )
        assert_every_pixel(exact, again)


@pytest.mark.parametrize(("row", "col"), [(44.2, 45.8), (44.0, 45.0)])
def test_unknown_ground(row, col):
    z = rough(relief_m=200.0)
    z[30:33, 50:52] = np.nan
    z[60, 40] = np.nan
    z[:, :20] = np.nan
    assert_every_pixel(*both(terrain_of(z), row, col))


def test_transmitter_on_unknown_ground():
    z = rough(relief_m=200.0)
    z[44, 45] = np.nan
    terrain = terrain_of(z)
    x, y = position(terrain, 44.2, 45.2)
    again = path_loss_window(terrain, x, y, model=P1812(), radius_m=1000.0, recompute=True, **SETTINGS)
    assert np.isnan(again.path_loss_db).all()
    assert (again.doubt == 0).all()


@pytest.mark.parametrize("clutter", [0.0, 10.0])
@pytest.mark.parametrize("rx_height_agl_m", [1.5, 35.0])  # antennas alike: the middle of the path decides, by a hair
def test_plain(clutter, rx_height_agl_m):
    terrain = terrain_of(np.zeros((SIZE, SIZE), dtype=np.float32), clutter)
    assert_every_pixel(*both(terrain, 44.0, 45.0, radius_m=6000.0, rx_height_agl_m=rx_height_agl_m))


def test_sector():
    exact, again = both(terrain_of(rough()), 44.2, 45.8, sector_deg=(350.0, 65.0))
    assert_every_pixel(exact, again)
    assert np.isnan(again.path_loss_db).any()


def test_shape_of_the_terrain():
    terrain = terrain_of(rough(ny=7, nx=150))
    assert_every_pixel(*both(terrain, 3.2, 2.1, radius_m=9000.0))
    terrain = terrain_of(rough(ny=2, nx=40), clutter=5.0)
    assert_every_pixel(*both(terrain, 0.2, 2.1, radius_m=2000.0))


def test_a_single_row_takes_the_plain_road():
    terrain = terrain_of(rough(ny=1, nx=60))
    x, y = position(terrain, 0.0, 3.3)
    link = make_link(terrain, x, y, P1812(), 700.0, (35.0, 1.5), "vertical")
    assert not fits_strips(link)
    exact, again = both(terrain, 0.0, 3.3)
    np.testing.assert_array_equal(again.path_loss_db, exact.path_loss_db)


@pytest.mark.parametrize("model", [FreeSpace(), P526("deygout")])
def test_models_that_are_not_swept_do_not_mind(model):
    exact, again = both(terrain_of(rough()), 44.2, 45.8, radius_m=1500.0, model=model)
    np.testing.assert_array_equal(again.path_loss_db, exact.path_loss_db)


def test_labelled_grid():
    terrain = terrain_of(rough())
    lon, lat = (float(v) for v in terrain.lonlat(*position(terrain, 44.2, 45.8)))
    common = SETTINGS | {"model": P1812(), "radius_m": 1500.0}
    exact = path_loss_grid(terrain, (lon, lat), method="exact", **common)
    again = path_loss_grid(terrain, (lon, lat), recompute=True, **common)
    np.testing.assert_allclose(again.values, exact.values, rtol=0.0, atol=TOLERANCE_DB)


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="one core only")
def test_bit_identical_at_one_and_two_threads():
    terrain = terrain_of(rough(), patches([0.0, 10.0, 20.0]))
    x, y = position(terrain, 44.2, 45.8)
    before = numba.get_num_threads()
    windows = []
    try:
        for threads in (1, 2):
            numba.set_num_threads(threads)
            windows.append(
                path_loss_window(terrain, x, y, model=P1812(), radius_m=2500, recompute=True, **SETTINGS).path_loss_db
            )
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(*windows)


@pytest.mark.boundscheck
@pytest.mark.parametrize("time_percent", [50.0, 10.0])
def test_every_field_of_the_geometry(time_percent):
    """Paths of one step to three strips; ends of strips, and of lanes, among them."""
    rng = np.random.default_rng(3)
    zone = patches(np.array([1, 3, 4], dtype=np.int8), seed=2, size=15).astype(np.int8)
    clutter = patches([0.0, 12.0], size=2)
    for layers in ((10.0, None), (clutter, None), (clutter, zone)):
        terrain = terrain_of(rough(), *layers)
        x, y = position(terrain, 1.3, 0.8)
        link = make_link(terrain, x, y, P1812(time_percent=time_percent), 700.0, (20.0, 3.0), "vertical")
        rows = np.concatenate([np.full(SIZE, 1.0), rng.integers(0, SIZE, 100).astype(np.float64)])
        cols = np.concatenate([np.arange(SIZE, dtype=np.float64), rng.integers(0, SIZE, 100).astype(np.float64)])
        steps = np.ceil(np.hypot(rows - 1.3, cols - 0.8))
        assert {STRIP - 1, STRIP, STRIP + 1, STRIP + 2} <= set(steps.astype(int))
        assert steps.max() > 3 * STRIP
        settings = geometry_settings(link)
        ground = (terrain.elevation_amsl_m, terrain.clutter_height_m, terrain.zone)
        exact, strips = empty_geometry(rows.size), empty_geometry(rows.size)
        grid_exact.exact_pixels(*ground, link.site, rows, cols, settings, exact)
        uniform = 10.0 if layers[0] is not clutter else -1.0
        pairs = grid_strips.neighbour_pairs(terrain.elevation_amsl_m)
        for known in (False, True):
            grid_strips.strip_pixels(
                ground[0], pairs, *ground[1:], uniform, known, link.site, rows, cols, settings, strips
            )
            np.testing.assert_allclose(strips, exact, rtol=1e-9, atol=1e-9)


def test_pairs_hold_every_neighbour():
    for shape in ((3, 4), (3, 5)):
        z = np.arange(shape[0] * shape[1], dtype=np.float32).reshape(shape)
        pairs = grid_strips.neighbour_pairs(z)
        np.testing.assert_array_equal(pairs.real, z.reshape(-1)[:-1])
        np.testing.assert_array_equal(pairs.imag, z.reshape(-1)[1:])
        assert np.shares_memory(pairs, z)
