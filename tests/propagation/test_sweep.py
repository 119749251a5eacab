"""The sweep against the exact oracle: rough ground, clutter, zones, voids, edges, any position of the transmitter."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import pytest

from rfplan.propagation.grid import path_loss_pixels, path_loss_window
from rfplan.propagation.p1812 import P1812
from rfplan.terrain import Terrain

SETTINGS = {"frequency_mhz": [700.0, 2600.0], "tx_height_agl_m": 35.0, "rx_height_agl_m": 1.5}


def rough(n=90, relief_m=600.0, seed=5):
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(rng.normal(size=(n, n)))
    k = np.hypot(np.fft.fftfreq(n)[:, None], np.fft.rfftfreq(n)[None])
    k[0, 0] = 1.0
    z = np.fft.irfft2(spectrum * k**-2.0 * (k > 0.5 / n), s=(n, n))
    return ((z - z.min()) / (z.max() - z.min()) * relief_m).astype(np.float32)


def terrain_of(elevation, clutter=10.0, zone=None):
    terrain = Terrain.from_arrays(
        elevation, x0_m=500_000.0, y0_m=2_400_000.0, resolution_m=60.0, crs="EPSG:32648", clutter_height_m=clutter
    )
    return terrain if zone is None else terrain.with_zone(zone, "test")


def patches(n, values, seed=7, size=6):
    rng = np.random.default_rng(seed)
    return np.kron(rng.choice(values, size=(n // size + 1, n // size + 1)), np.ones((size, size)))[:n, :n]


def position(terrain, row, col):
    return terrain.x0_m + (col + 0.5) * terrain.resolution_m, terrain.y0_m - (row + 0.5) * terrain.resolution_m


def both(terrain, row, col, radius_m=2500.0, model=None, **more):
    x, y = position(terrain, row, col)
    model = model or P1812()
    exact = path_loss_window(terrain, x, y, model=model, radius_m=radius_m, method="exact", **SETTINGS)
    swept = path_loss_window(terrain, x, y, model=model, radius_m=radius_m, method="sweep", **SETTINGS, **more)
    return exact, swept


def errors(exact, swept):
    np.testing.assert_array_equal(np.isnan(exact.path_loss_db), np.isnan(swept.path_loss_db))
    known = np.isfinite(exact.path_loss_db)
    return np.abs(swept.path_loss_db - exact.path_loss_db)[known]


def assert_within_the_bar(error):
    assert error.mean() <= 0.02
    assert np.quantile(error, 0.95) <= 0.1
    assert np.quantile(error, 0.995) <= 1.0


@pytest.mark.parametrize(
    ("clutter", "time_percent"), [(10.0, 50.0), (0.0, 50.0), ("patches", 50.0), (10.0, 5.0), ("patches", 20.0)]
)
def test_rough_ground_with_and_without_clutter(clutter, time_percent):
    z = rough()
    height = patches(90, [0.0, 10.0, 15.0, 20.0]) if clutter == "patches" else clutter
    exact, swept = both(terrain_of(z, height), 44.23, 45.81, model=P1812(time_percent=time_percent))
    error = errors(exact, swept)
    assert error.size > 9000
    assert error.mean() <= 0.05
    assert np.quantile(error, 0.95) <= 0.1
    assert np.quantile(error, 0.995) <= 1.5


def test_the_bar_on_gentler_ground():
    error = errors(*both(terrain_of(rough(relief_m=200.0)), 44.7, 45.2))
    assert_within_the_bar(error)


@pytest.mark.parametrize(("row", "col"), [(45.0, 45.0), (44.5, 45.5), (0.0, 0.0), (89.4, 12.2), (-0.5, 45.0)])
def test_any_position_of_the_transmitter(row, col):
    assert_within_the_bar(errors(*both(terrain_of(rough(relief_m=200.0)), row, col, radius_m=1500.0)))


def test_flat_ground_is_exact():
    exact, swept = both(terrain_of(np.full((90, 90), 12.0, np.float32)), 40.3, 45.8)
    assert errors(exact, swept).max() < 1e-3


def test_sea_coast_and_land():
    z = rough(relief_m=150.0)
    zone = np.full(z.shape, 4, np.int8)
    zone[:, 50:56] = 3
    zone[:, 56:] = 1
    z[:, 56:] = 0.0
    model = P1812(time_percent=10.0, dct_km=1.0, dcr_km=2.0)
    exact, swept = both(terrain_of(z, np.where(zone == 1, 0.0, 10.0), zone), 44.23, 47.81, model=model)
    assert_within_the_bar(errors(exact, swept))


@pytest.mark.parametrize(("row", "col"), [(44.23, 47.81), (3.1, 80.7)])
@pytest.mark.parametrize("size", [3, 9])
def test_patches_of_sea_coast_and_land(row, col, size):
    zone = patches(90, np.array([1, 3, 4]), seed=11, size=size).astype(np.int8)
    z = rough(relief_m=150.0)
    z[40:43, 60:62] = np.nan
    model = P1812(time_percent=10.0, dct_km=1.0, dcr_km=2.0)
    error = errors(*both(terrain_of(z, 10.0, zone), row, col, radius_m=4000.0, model=model))
    assert error.size > 5000
    assert_within_the_bar(error)


def test_unknown_ground():
    z = rough(relief_m=200.0)
    z[30:33, 50:52] = np.nan
    z[:, :20] = np.nan
    exact, swept = both(terrain_of(z), 44.2, 45.8)
    assert_within_the_bar(errors(exact, swept))
    assert np.isnan(swept.path_loss_db[0, :, 0]).all()


def test_sector_is_a_part_of_the_whole():
    terrain = terrain_of(rough())
    x, y = position(terrain, 44.2, 45.8)
    whole = path_loss_window(terrain, x, y, model=P1812(), radius_m=2500, **SETTINGS).path_loss_db
    for method in ("sweep", "exact"):
        part = path_loss_window(
            terrain, x, y, model=P1812(), radius_m=2500, method=method, sector_deg=(350.0, 65.0), **SETTINGS
        )
        seen = np.isfinite(part.path_loss_db[0])
        assert 0.15 < seen.sum() / np.isfinite(whole[0]).sum() < 0.21
        if method == "sweep":
            np.testing.assert_array_equal(part.path_loss_db[:, seen], whole[:, seen])
            swept = seen
        else:
            np.testing.assert_array_equal(seen, swept)


@dataclass(frozen=True)
class Lossier(P1812):
    """A finish of one's own above the model's kernel."""

    def finish_db(self, geometry, frequency_mhz, polarization):
        return super().finish_db(geometry, frequency_mhz, polarization) + 10.0


def test_a_subclass_is_swept_with_its_own_finish():
    terrain = terrain_of(rough())
    x, y = position(terrain, 44.2, 45.8)
    plain, lossier = (
        path_loss_window(terrain, x, y, model=model, radius_m=1500, **SETTINGS) for model in (P1812(), Lossier())
    )
    np.testing.assert_array_equal(lossier.path_loss_db, plain.path_loss_db + 10.0)
    np.testing.assert_array_equal(lossier.doubt, plain.doubt)


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="one core only")
def test_bit_identical_at_one_and_two_threads():
    terrain = terrain_of(rough(), patches(90, [0.0, 10.0, 20.0]))
    x, y = position(terrain, 44.2, 45.8)
    before = numba.get_num_threads()
    windows = []
    try:
        for threads in (1, 2):
            numba.set_num_threads(threads)
            windows.append(path_loss_window(terrain, x, y, model=P1812(), radius_m=2500, **SETTINGS).path_loss_db)
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(*windows)


def test_bands_do_not_disturb_each_other():
    terrain = terrain_of(rough())
    x, y = position(terrain, 44.2, 45.8)
    every = path_loss_window(terrain, x, y, model=P1812(), radius_m=2000, **SETTINGS).path_loss_db
    one = path_loss_window(
        terrain, x, y, model=P1812(), radius_m=2000, **(SETTINGS | {"frequency_mhz": 2600.0})
    ).path_loss_db
    np.testing.assert_array_equal(one[0], every[1])


def test_a_pixel_of_the_sweep_equals_its_own_link():
    terrain = terrain_of(rough(relief_m=200.0))
    x, y = position(terrain, 44.2, 45.8)
    window = path_loss_window(terrain, x, y, model=P1812(), radius_m=2000, **SETTINGS)
    r, c = 20, 30
    link = path_loss_pixels(terrain, x, y, r, c, model=P1812(), **SETTINGS)[:, 0]
    assert window.path_loss_db[:, r - window.rows.start, c - window.cols.start] == pytest.approx(link, abs=0.1)
