from __future__ import annotations

import numba
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from rfplan.errors import ParameterError, ValidityWarning
from rfplan.propagation.free_space import FreeSpace
from rfplan.propagation.grid import path_loss_grid, path_loss_pixels, path_loss_window
from rfplan.propagation.p1812 import P1812
from rfplan.terrain import Terrain

SETTINGS = {"frequency_mhz": [700.0, 1800.0], "tx_height_agl_m": 40.0, "rx_height_agl_m": 1.5}
EXACT = {"method": "exact"} | SETTINGS


def make_terrain(n=80, resolution_m=90.0, seed=3, clutter=10.0):
    rng = np.random.default_rng(seed)
    z = gaussian_filter(rng.normal(size=(n, n)), 8) * 3000 + gaussian_filter(rng.normal(size=(n, n)), 2) * 100
    return Terrain.from_arrays(
        (z - z.min()).astype(np.float32),
        x0_m=500_000.0,
        y0_m=2_400_000.0,
        resolution_m=resolution_m,
        crs="EPSG:32648",
        clutter_height_m=clutter,
    )


def centre(terrain, dx=11.0, dy=-7.0):
    west, south, east, north = terrain.bounds
    return (west + east) / 2 + dx, (south + north) / 2 + dy


@pytest.fixture(scope="module")
def terrain():
    return make_terrain()


@pytest.mark.boundscheck
def test_pixel_equals_the_link(terrain):
    x, y = centre(terrain)
    model = P1812(time_percent=10, location_percent=90)
    window = path_loss_window(terrain, x, y, model=model, radius_m=2500, **EXACT)
    xs, ys = terrain.centres()
    lon, lat = terrain.lonlat([x, xs[60]], [y, ys[30]])
    profile = terrain.profile((lon[0], lat[0]), (lon[1], lat[1]))
    link = model.path_loss_db(profile.paths(**SETTINGS))
    got = window.path_loss_db[:, 30 - window.rows.start, 60 - window.cols.start]
    assert got == pytest.approx(link, abs=1e-6)


def test_pixels_are_those_of_the_window(terrain):
    x, y = centre(terrain)
    window = path_loss_window(terrain, x, y, model=P1812(), radius_m=2000, **EXACT)
    rows, cols = np.nonzero(np.isfinite(window.path_loss_db[0]))
    some = slice(3, None, 17)
    r, c = rows[some] + window.rows.start, cols[some] + window.cols.start
    loss = path_loss_pixels(terrain, x, y, r, c, model=P1812(), **SETTINGS)
    np.testing.assert_array_equal(loss, window.path_loss_db[:, rows[some], cols[some]])


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="one core only")
def test_bit_identical_at_one_and_two_threads(terrain):
    x, y = centre(terrain)
    before = numba.get_num_threads()
    windows = []
    try:
        for threads in (1, 2):
            numba.set_num_threads(threads)
            windows.append(path_loss_window(terrain, x, y, model=P1812(), radius_m=2500, **EXACT).path_loss_db)
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(*windows)


class LogDistance:
    needs = "distance"

    def path_loss_db(self, paths):
        return 32.4 + 35 * np.log10(paths.distance_m) + 20 * np.log10(paths.frequency_mhz / 1000)


class Mean:
    """A model that looks at whole profiles: the mean ground height."""

    needs = "profile"

    def path_loss_db(self, paths):
        heights = [
            paths.point_elevation_amsl_m[a:b].mean() for a, b in zip(paths.point_start, paths.point_stop, strict=True)
        ]
        return np.array(heights)


def test_a_users_plain_python_model(terrain):
    x, y = centre(terrain)
    window = path_loss_window(terrain, x, y, model=LogDistance(), radius_m=1000, **SETTINGS)
    xs, ys = terrain.centres()
    d = np.hypot(xs[window.cols][None, :] - x, ys[window.rows][:, None] - y)
    inside = d <= 1000
    assert np.isfinite(window.path_loss_db[0]).sum() == inside.sum()
    assert window.path_loss_db[1][inside] == pytest.approx(32.4 + 35 * np.log10(d[inside]) + 20 * np.log10(1.8))


def test_a_profile_model_gets_the_pixels_profiles(terrain):
    x, y = centre(terrain)
    loss = path_loss_pixels(terrain, x, y, [30, 31], [60, 20], model=Mean(), **SETTINGS)
    xs, ys = terrain.centres()
    for i, (r, c) in enumerate([(30, 60), (31, 20)]):
        lon, lat = terrain.lonlat([x, xs[c]], [y, ys[r]])
        profile = terrain.profile((lon[0], lat[0]), (lon[1], lat[1]))
        assert loss[:, i] == pytest.approx(profile.elevation_amsl_m.mean(), abs=1e-5)


class Wrong(LogDistance):
    def path_loss_db(self, paths):
        return np.zeros((2, 2))


def test_bad_input_is_named(terrain):
    x, y = centre(terrain)
    with pytest.raises(ParameterError, match=r"Wrong\.path_loss_db gave shape \(2, 2\)"):
        path_loss_window(terrain, x, y, model=Wrong(), radius_m=500, **SETTINGS)
    with pytest.raises(ParameterError, match="within the terrain's bounds"):
        path_loss_window(terrain, x + 1e6, y, model=P1812(), radius_m=500, **SETTINGS)
    with pytest.raises(ParameterError, match="radius_m is -1"):
        path_loss_window(terrain, x, y, model=P1812(), radius_m=-1, **SETTINGS)
    with pytest.raises(ParameterError, match="method is 'guess'"):
        path_loss_window(terrain, x, y, model=P1812(), radius_m=500, method="guess", **SETTINGS)
    with pytest.raises(ParameterError, match="pixel 1 is row 999"):
        path_loss_pixels(terrain, x, y, [1, 999], [1, 1], model=P1812(), **SETTINGS)
    with pytest.warns(ValidityWarning, match="frequency_mhz = 9000"):
        path_loss_pixels(terrain, x, y, 5, 5, model=P1812(), **(SETTINGS | {"frequency_mhz": 9000.0}))


def test_unknown_ground_is_nan_and_stays_local(terrain):
    x, y = centre(terrain)
    elevation = terrain.elevation_amsl_m.copy()
    elevation[20:23, 40:43] = np.nan
    holed = Terrain.from_arrays(
        elevation, x0_m=terrain.x0_m, y0_m=terrain.y0_m, resolution_m=90.0, crs="EPSG:32648", clutter_height_m=10.0
    )
    whole = path_loss_window(terrain, x, y, model=P1812(), radius_m=3500, **EXACT).path_loss_db
    part = path_loss_window(holed, x, y, model=P1812(), radius_m=3500, **EXACT).path_loss_db
    lost = np.isnan(part[0]) & ~np.isnan(whole[0])
    assert 9 <= lost.sum() < 200
    np.testing.assert_array_equal(part[:, ~lost], whole[:, ~lost])
    free = path_loss_window(holed, x, y, model=FreeSpace(), radius_m=3500, **SETTINGS).path_loss_db
    assert (np.isnan(free[0]) & ~np.isnan(whole[0])).sum() == 9


def test_labelled_grid(terrain):
    x, y = centre(terrain)
    lon, lat = (float(v) for v in terrain.lonlat(x, y))
    grid = path_loss_grid(terrain, (lon, lat), model=FreeSpace(), radius_m=1000, **SETTINGS)
    assert grid.dims == ("band", "y", "x")
    assert grid.band.values.tolist() == [700.0, 1800.0]
    assert (np.diff(grid.y) < 0).all()
    assert float(grid.sel(band=700).sel(x=x, y=y, method="nearest")) < float(grid.sel(band=700).max())
    assert grid.attrs["units"] == "dB"


def test_transmitter_at_the_terrains_edge_and_corner(terrain):
    west, south, east, north = terrain.bounds
    for x, y in ((west, north), (east, south), (west + 1, (south + north) / 2)):
        window = path_loss_window(terrain, x, y, model=P1812(), radius_m=1500, **SETTINGS)
        assert np.isfinite(window.path_loss_db).any()
        assert window.path_loss_db.shape[1:] == (
            window.rows.stop - window.rows.start,
            window.cols.stop - window.cols.start,
        )
