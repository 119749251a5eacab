"""P.452 and P.526's delta-Bullington on the roads of the family: sweep, exact grid, strips, against their own paths."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import pytest
from test_sweep import assert_within_the_bar, errors, patches, position, rough, terrain_of

from random_geometry import random_geometry
from rfplan.calibration.model import CalibratedModel
from rfplan.errors import ParameterError, ValidityWarning
from rfplan.kernels import geometry as g, p452 as plain_p452, p526 as plain_p526
from rfplan.propagation.grid import path_loss_window
from rfplan.propagation.p452 import P452
from rfplan.propagation.p526 import P526
from rfplan.propagation.p1812 import P1812
from rfplan.propagation.sweep import LEFT_TO_EXACT
from rfplan.terrain import Terrain

BANDS_MHZ = [150.0, 900.0, 3500.0, 22_235.0]
MODELS = (P452(), P452(time_percent=1.0, dct_km=1.0, dcr_km=2.0), P526(), P526(add_clutter=False, permittivity=15.0))


@dataclass(frozen=True)
class OverProfiles:
    """A model that asks for whole profiles: the road the family took before it had a geometry."""

    base: Any
    needs = "profile"

    def path_loss_db(self, paths):
        return self.base.path_loss_db(paths)


def window(terrain, model, row=44.23, col=45.81, radius_m=2500.0, **more):
    x, y = position(terrain, row, col)
    link = {"frequency_mhz": BANDS_MHZ, "tx_height_agl_m": 35.0, "rx_height_agl_m": 1.5}
    return path_loss_window(terrain, x, y, model=model, radius_m=radius_m, **(link | more))


def fine(resolution_m, clutter):
    """Gentle ground on pixels so small that several lie within 50 m of either end."""
    return Terrain.from_arrays(
        rough(relief_m=200.0) * np.float32(resolution_m / 60.0),
        x0_m=500_000.0,
        y0_m=2_400_000.0,
        resolution_m=resolution_m,
        crs="EPSG:32648",
        clutter_height_m=clutter,
    )


def mixed_zones():
    z = rough(relief_m=150.0)
    zone = np.full(z.shape, 4, np.int8)
    zone[:, 50:56] = 3
    zone[:, 56:] = 1
    return terrain_of(z, np.where(zone == 1, 0.0, patches(90, [0.0, 10.0, 20.0])), zone)


@pytest.mark.parametrize("model", MODELS)
def test_every_road_gives_what_the_paths_give(model):
    for terrain in (mixed_zones(), fine(20.0, patches(90, [0.0, 8.0, 15.0]))):
        radius = 40 * terrain.resolution_m
        over_profiles = window(terrain, OverProfiles(model), radius_m=radius, method="exact")
        exact = window(terrain, model, radius_m=radius, method="exact")
        assert errors(over_profiles, exact).max() < 1e-9
        assert errors(exact, window(terrain, model, radius_m=radius, recompute=True)).max() < 1e-9
        assert over_profiles.doubt is None


@pytest.mark.parametrize("model", MODELS)
def test_the_sweep_is_within_the_bar(model):
    for terrain in (terrain_of(rough(relief_m=150.0)), fine(20.0, 10.0)):
        radius = 40 * terrain.resolution_m
        swept = window(terrain, model, radius_m=radius)
        assert_within_the_bar(errors(window(terrain, model, radius_m=radius, method="exact"), swept))
        assert (swept.doubt == LEFT_TO_EXACT).mean() < 0.1


@pytest.mark.parametrize("model", MODELS)
def test_patches_of_clutter_harm_the_sweep_no_more_than_that_of_p1812(model):
    for terrain in (
        terrain_of(rough(relief_m=200.0), patches(90, [0.0, 10.0, 15.0, 20.0])),
        fine(20.0, patches(90, [0.0, 8.0, 15.0])),
    ):
        link = {"radius_m": 40 * terrain.resolution_m, "frequency_mhz": [150.0, 900.0, 3500.0, 5900.0]}
        error, of_p1812 = (
            errors(window(terrain, of, method="exact", **link), window(terrain, of, **link)) for of in (model, P1812())
        )
        assert np.quantile(error, 0.95) <= 0.1
        assert np.mean(error) <= 1.25 * np.mean(of_p1812) <= 0.06
        assert np.mean(error > 1.0) <= 1.25 * np.mean(of_p1812 > 1.0) <= 0.02


def test_clutter_counts_from_50_m_of_either_end_on_grids_too():
    low = {"tx_height_agl_m": 5.0, "frequency_mhz": 900.0}
    rows, cols = np.mgrid[:90, :90]
    near = np.where(np.hypot(rows - 44.0, cols - 46.0) <= 4.2, 15.0, 0.0)  # reaches at most 50 m from the transmitter
    terrain, bare = fine(10.0, near), fine(10.0, 0.0)
    far = {"row": 44.0, "col": 46.0, "radius_m": 400.0}
    for method in ("sweep", "exact"):
        under = window(terrain, P452(), method=method, **far, **low).path_loss_db
        free = window(bare, P452(), method=method, **far, **low).path_loss_db
        difference = np.abs(under - free)
        assert np.nanmean(difference) < (1e-9 if method == "exact" else 1e-3)  # a radial may look elsewhere
        counted = window(terrain, P526(), method=method, **far, **low).path_loss_db
        assert np.nanmean(counted - window(bare, P526(), method=method, **far, **low).path_loss_db) > 10.0


def test_pixels_too_small_for_the_last_points_to_hold_50_m_are_taken_exactly():
    terrain = fine(5.0, patches(90, [0.0, 8.0, 15.0]))
    swept = window(terrain, P452(), radius_m=200.0)
    assert errors(window(terrain, P452(), radius_m=200.0, method="exact"), swept).max() < 1e-9
    assert (swept.doubt[np.isfinite(swept.path_loss_db[0])] == LEFT_TO_EXACT).all()
    assert (window(terrain, P526(), radius_m=200.0).doubt == LEFT_TO_EXACT).mean() < 0.1


@pytest.mark.parametrize("model", MODELS)
def test_threads_do_not_matter(model):
    if numba.config.NUMBA_NUM_THREADS < 2:
        pytest.skip(reason="one thread only")
    terrain = mixed_zones()
    before = numba.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            numba.set_num_threads(threads)
            found.append([window(terrain, model, **more).path_loss_db for more in ({}, {"recompute": True})])
    finally:
        numba.set_num_threads(before)
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("time_percent", [50.0, 37.0, 10.0, 1.0, 0.001])
@pytest.mark.parametrize("dry_pressure_hpa", [0.0, 1013.25])
def test_quick_p452_equals_plain_road(time_percent, dry_pressure_hpa):
    geometry = random_geometry(300)
    geometry[g.SEA_FRACTION, ::3] = np.random.default_rng(2).uniform(0, 1, 100)
    geometry[g.SLOPE_EXCESS, ::2] *= 0.02  # many near grazing
    model = P452(time_percent=time_percent, dct_km=2.0, dcr_km=1.0, dry_pressure_hpa=dry_pressure_hpa)
    quick = model.finish_db(geometry, BANDS_MHZ, "horizontal")
    sea = geometry[g.SEA_FRACTION]
    for b, f in enumerate(BANDS_MHZ):
        frequency = np.full(300, f)
        gas = [model._gases(frequency, rho) for rho in (7.5 + 2.5 * sea, np.full(300, 3.0))]
        bands = P526().finish_bands(frequency, "horizontal")
        bands[:, 1] = 92.4 + 20.0 * np.log10(frequency / 1e3)
        parts = np.empty((300, plain_p452.N_PARTS))
        plain_p452.p452_finish(
            geometry, np.arange(300), bands, np.stack(gas, axis=1), model.finish_parameters(), parts
        )  # fmt: skip
        np.testing.assert_allclose(quick[b], parts[:, -1], atol=1e-9, rtol=0)


def test_quick_p526_equals_plain_road():
    geometry = random_geometry(300, seed=4)
    model = P526(conductivity_s_m=0.02)
    quick = model.finish_db(geometry, BANDS_MHZ, "vertical")
    bands = model.finish_bands(np.array(BANDS_MHZ), "vertical")
    km = np.hypot(geometry[g.DISTANCE_KM], (geometry[g.TX_AMSL_M] - geometry[g.RX_AMSL_M]) / 1e3)
    for b, f in enumerate(BANDS_MHZ):
        loss = np.empty(300)
        which = np.full(300, b)
        plain_p526.geometry_losses(geometry, np.arange(300), bands, which, plain_p526.DELTA_BULLINGTON, loss)
        free = 20 * np.log10(4 * math.pi * km * f * 1e9 / 299_792_458.0)
        np.testing.assert_allclose(quick[b], loss + free, atol=1e-9, rtol=0)


@pytest.mark.nojit
@pytest.mark.boundscheck
@pytest.mark.parametrize("bare_end_km", [0.0, 0.05 - 1e-9, 0.3, math.inf])
def test_bare_ends_and_slope_excess(bare_end_km):
    rng = np.random.default_rng(8)
    for relief in (1.0, 8.0):
        n = 60
        d = np.arange(n) * 0.025
        h = np.cumsum(rng.normal(0, relief, n)) + 100.0
        r, zone = rng.choice([0.0, 10.0, 20.0], n), np.full(n, 4, np.int8)
        settings = P452(time_percent=5.0).geometry_settings()
        columns = np.empty((g.N_FIELDS, 2))
        settings[g.BARE_END_KM] = bare_end_km
        g.profile_geometry(d, h, r, zone, (12.0, 3.0), 21.0, settings, columns, 0)
        settings[g.BARE_END_KM] = 0.0
        counted = np.where((d >= bare_end_km) & (d[-1] - d >= bare_end_km), r, 0.0)
        g.profile_geometry(d, h, counted, zone, (12.0, 3.0), 21.0, settings, columns, 1)
        columns[g.RX_CLUTTER_M] = 0.0  # the receiver's own
        assert columns[:, 0].tolist() == columns[:, 1].tolist()
        inner = slice(1, -1)
        tx, rx, fall = h[0] + 12.0, h[-1] + 3.0, 500.0 / settings[g.MEDIAN_RADIUS_KM]
        to_ground = (h[inner] + fall * d[inner] * (d[-1] - d[inner]) - tx) / d[inner]
        expected = to_ground.max() - (rx - tx) / d[-1]  # P.452-18, equations 14 and 15
        assert columns[g.SLOPE_EXCESS, 0] == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("base", [P452(), P526()])
def test_grids_warn_and_refuse_as_paths_do(base):
    terrain = terrain_of(rough(relief_m=200.0))
    for model in (base, CalibratedModel(base, offset_db=1.0)):
        with pytest.warns(ValidityWarning, match="frequency_mhz = "):
            window(terrain, model, radius_m=300.0, frequency_mhz=29.0 if isinstance(base, P526) else 60_000.0)
        with pytest.raises(ParameterError, match="rx_height_agl_m is 0"):
            window(terrain, model, radius_m=300.0, rx_height_agl_m=0.0)
        with pytest.raises(ParameterError, match=r"frequency_mhz is 0\.5"):
            window(terrain, model, radius_m=300.0, frequency_mhz=0.5)


def test_only_delta_bullington_is_swept():
    for method in ("single", "bullington", "deygout", "epstein-peterson", "spherical-earth"):
        model = P526(method)
        assert model.needs == "profile"
        with pytest.raises(ParameterError, match="method is"):
            model.finish_db(g.empty_geometry(3), 900.0, "vertical")
    terrain = terrain_of(rough(relief_m=200.0))
    assert window(terrain, P526("deygout"), radius_m=600.0).doubt is None
    assert window(terrain, P526(), radius_m=600.0).doubt is not None
