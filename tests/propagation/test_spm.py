"""SPM and HATADEM-style models against Hata, worked figures and the terms they are made of."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from rfplan.errors import ParameterError, ValidityWarning
from rfplan.kernels.spm import mean_ground_m
from rfplan.profile import PathProfile, Paths
from rfplan.propagation.hata import cost231_hata_loss_db, okumura_hata_loss_db
from rfplan.propagation.p526 import DIFFRACTION_METHODS, P526
from rfplan.propagation.spm import SPM, HataDem, hata_equivalent_k1, spm_loss_db


def link(profile, frequency_mhz=1800.0, tx=30.0, rx=1.5):
    return profile.paths(frequency_mhz=frequency_mhz, tx_height_agl_m=tx, rx_height_agl_m=rx)


def flat(km=5.0, n=51, clutter_m=0.0):
    return PathProfile(np.linspace(0, km * 1e3, n), np.zeros(n), np.full(n, clutter_m))


def hills(n=120, step_m=80.0, seed=1, swing=6.0):
    z = np.cumsum(np.random.default_rng(seed).normal(0, swing, n)) + 200
    return PathProfile(np.arange(n) * step_m, z)


@pytest.mark.nojit
def test_worked_figure():
    # 22 + 44.9 * 3 + 5.83 lg 30 - 6.55 * 3 lg 30 at 1 km, 30 m, 1800 MHz
    assert spm_loss_db(1000.0, 30.0) == pytest.approx(136.2862, abs=1e-4)
    k = (10.0, 40.0, 5.0, 0.5, -6.0, -2.55, 3.0)
    expected = 10 + 40 * 3 + 5 * 2 + 0.5 * 12 - 6 * 3 * 2 - 2.55 * 10 + 3 * 1 + 7
    assert spm_loss_db(1000.0, 100.0, 10.0, diffraction_db=12.0, clutter_loss_db=7.0, k=k) == pytest.approx(expected)


@pytest.mark.nojit
def test_customary_k1_values():
    given = [1800, 2100, 2300, 2500, 2700, 3500]
    assert hata_equivalent_k1(given) == pytest.approx([22.0, 23.8, 24.7, 25.4, 26.1, 28.3])
    grid = hata_equivalent_k1(np.geomspace(1800, 5000, 50))
    assert np.all(np.diff(grid) > 0)


@pytest.mark.parametrize(("frequency", "hata"), [(900.0, okumura_hata_loss_db), (1800.0, cost231_hata_loss_db)])
def test_default_constants_are_hatas(frequency, hata):
    for km, tx in ((1.0, 30.0), (5.0, 60.0), (20.0, 180.0)):
        loss = SPM(diffraction=None).path_loss_db(link(flat(km), frequency, tx))[0]
        # Hata's receiver term at 1.5 m is within 0.05 dB of 0, and K1 at 1800 MHz is rounded to 22
        assert loss == pytest.approx(float(hata(km * 1e3, frequency, tx, 1.5)), abs=0.1)


def test_effective_height_is_clamped():
    low, at_20, high, at_200 = (
        SPM(diffraction=None, effective_height="ground").path_loss_db(link(flat(), tx=h))[0]
        for h in (8.0, 20.0, 350.0, 200.0)
    )
    assert low == at_20
    assert high == at_200


def test_effective_heights_follow_the_ground():
    n = 101
    d = np.linspace(0, 10e3, n)
    hill = PathProfile(d, np.linspace(150.0, 50.0, n))
    ground, spot, average = (
        SPM(diffraction=None, effective_height=m).path_loss_db(link(hill, tx=30.0))[0]
        for m in ("ground", "spot", "average")
    )
    assert ground == pytest.approx(spm_loss_db(10e3, 30.0))
    assert spot == pytest.approx(spm_loss_db(10e3, 130.0))
    mean = np.interp(6.5e3, d, hill.elevation_amsl_m)
    assert average == pytest.approx(spm_loss_db(10e3, 30.0 + 150.0 - mean))
    uphill = SPM(diffraction=None).path_loss_db(link(hill.reversed(), tx=30.0))[0]
    assert uphill == pytest.approx(spm_loss_db(10e3, 30.0))


@pytest.mark.nojit
@pytest.mark.boundscheck
def test_mean_ground_is_a_windowed_mean():
    d = np.arange(0, 20_001, 500.0)
    z = np.sin(d / 3e3) * 40 + 100
    start, stop, out = np.array([0, 0, 0]), np.array([d.size, 5, 11]), np.empty(3)
    mean_ground_m(start, stop, d, z, 3e3, 15e3, out)
    assert out == pytest.approx([z[6:31].mean(), z[:5].mean(), z[6:11].mean()])


@pytest.mark.parametrize("method", DIFFRACTION_METHODS)
def test_diffraction_is_the_chosen_method_times_k4(method):
    paths = link(hills(seed=3))
    expected = P526(method, add_clutter=False).diffraction_db(paths)
    parts = SPM(diffraction=method, k4=0.6).loss_parts(paths)
    assert parts["diffraction_db"] == pytest.approx(0.6 * expected)
    assert sum(parts.values()) == pytest.approx(SPM(diffraction=method, k4=0.6).path_loss_db(paths))


def test_clutter_losses_go_by_the_nearest_height():
    table = ((0.0, -2.0), (10.0, 4.0), (20.0, 9.0))
    for height, expected in ((0.0, -2.0), (4.0, -2.0), (12.0, 4.0), (30.0, 9.0)):
        for model in (SPM(clutter_loss_db=table), HataDem(clutter_loss_db=table)):
            assert model.loss_parts(link(flat(clutter_m=height)))["clutter_db"][0] == expected


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 300), model=st.sampled_from([SPM(), SPM(diffraction=None), HataDem(), HataDem("urban")]))
def test_terrain_never_makes_numbers_leak(seed, model):
    loss = model.path_loss_db(link(hills(seed=seed), [900.0, 1800.0]))
    assert np.isfinite(loss).all()
    assert loss[1] > loss[0]


def test_hata_dem_adds_diffraction_in_squares():
    paths = link(hills(200, 100.0, seed=6), 900.0)
    model = HataDem("suburban", diffraction="deygout", alpha=0.8, effective_height="ground")
    parts = model.loss_parts(paths)
    edges = P526("deygout", add_clutter=False).diffraction_db(paths)[0]
    sphere = P526("spherical-earth", add_clutter=False).diffraction_db(paths)[0]
    assert parts["diffraction_db"][0] == pytest.approx(math.sqrt((0.8 * edges) ** 2 + sphere**2))
    hata = okumura_hata_loss_db(paths.distance_m, 900.0, 30.0, 1.5, environment="suburban")
    assert parts["law_db"] == pytest.approx(hata)
    assert model.path_loss_db(paths)[0] == pytest.approx(sum(p[0] for p in parts.values()))


def test_a_batch_equals_its_paths_one_by_one():
    single = [link(hills(n, seed=n), [900.0, 1900.0]) for n in (30, 60, 200)]
    for model in (SPM(effective_height="average"), HataDem()):
        together = model.path_loss_db(Paths.concatenate(single))
        assert together.tolist() == np.concatenate([model.path_loss_db(p) for p in single]).tolist()


def test_wrong_inputs_are_named():
    with pytest.raises(ParameterError, match="diffraction is 'best'"):
        SPM(diffraction="best")
    with pytest.raises(ParameterError, match="effective_height is 'roof'"):
        SPM(effective_height="roof")
    with pytest.raises(ParameterError, match="k4 is -1"):
        SPM(k4=-1.0)
    with pytest.raises(ParameterError, match="k2 is nan"):
        SPM(k2=float("nan"))
    with pytest.raises(ParameterError, match="clutter_loss_db"):
        SPM(clutter_loss_db=((500.0, 3.0),))
    with pytest.raises(ParameterError, match="environment is 'city'"):
        HataDem("city")
    with pytest.raises(ParameterError, match=r"distance_m is 0\.0"):
        spm_loss_db(0.0, 30.0)
    with pytest.raises(ParameterError, match=r"frequency_mhz is 1\.8.*give MHz"):
        hata_equivalent_k1(1.8)
    with pytest.raises(ParameterError, match="needs terrain"):
        SPM().path_loss_db(Paths.from_distance(5000.0, 900.0, 30.0, 1.5))
    with pytest.warns(ValidityWarning, match="distance_m = 500"):
        SPM().path_loss_db(link(flat(0.5)))
    with pytest.warns(ValidityWarning, match="frequency_mhz = 2600"):
        HataDem().path_loss_db(link(flat(), 2600.0))
