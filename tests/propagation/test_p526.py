"""P.526 methods against exact diffraction theory, published P.452 steps and written-out equations."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.special import fresnel

from naive import p526 as naive
from rfplan.errors import ParameterError, ValidityWarning
from rfplan.kernels import p526 as kernels
from rfplan.profile import PathProfile, Paths, Zone
from rfplan.propagation.p526 import (
    DIFFRACTION_METHODS,
    P526,
    knife_edge_loss_db,
    knife_edge_parameter,
    spherical_earth_loss_db,
)

FLAT_EARTH_KM = 1e6


def link(profile, frequency_mhz=900.0, tx=30.0, rx=10.0, polarization="vertical"):
    return profile.paths(frequency_mhz=frequency_mhz, tx_height_agl_m=tx, rx_height_agl_m=rx, polarization=polarization)


def hills(n=120, step_m=100.0, seed=1, swing=6.0, clutter_m=0.0):
    z = np.cumsum(np.random.default_rng(seed).normal(0, swing, n)) + 200
    return PathProfile(np.arange(n) * step_m, z, np.full(n, clutter_m))


def edges(distances_m, heights_m, end_m):
    """Bare edges over ground far below; antennas at 100 m."""
    d = np.array([0.0, *distances_m, end_m])
    return PathProfile(d, np.array([0.0, *heights_m, 0.0]))


def diffraction(method, profile, frequency_mhz=900.0, tx=100.0, rx=100.0, **options):
    return P526(method, **options).diffraction_db(link(profile, frequency_mhz, tx, rx))[0]


@pytest.mark.nojit
def test_knife_edge_loss_is_near_the_fresnel_integral():
    # P.526-15 equation 30, evaluated exactly; equation 31 is stated to hold for nu > -0.78
    nu = np.linspace(-0.7, 5.0, 58)
    s, c = fresnel(nu)
    exact = -20 * np.log10(np.hypot(1 - c - s, c - s) / 2)
    assert knife_edge_loss_db(nu) == pytest.approx(exact, abs=0.21)
    assert knife_edge_loss_db(0.0) == pytest.approx(6.02, abs=0.02)
    assert knife_edge_loss_db([-0.78, -3.0]).tolist() == [0.0, 0.0]


def test_knife_edge_parameter_of_a_known_edge():
    # 10 m above the line, midway of 10 km, at a wavelength of 0.3 m: nu = 10 sqrt(2 / 0.3 * 4 / 10000) = 0.5164
    assert knife_edge_parameter(10.0, 5e3, 5e3, 2.998e8 / 0.3 / 1e6) == pytest.approx(0.51640, abs=1e-5)
    assert knife_edge_parameter([5.0, -5.0], 1e3, 9e3, 600.0).shape == (2,)


def published_steps(folder, example):
    with (folder / "p452" / "profiles" / f"test_profile_{example}.csv").open(encoding="utf-8-sig") as lines:
        points = list(csv.reader(lines))[1:]
    d = np.array([float(point[0]) for point in points]) * 1e3
    cover = np.array([float(point[2]) for point in points])
    cover[(d < 50) | (d > d[-1] - 50)] = 0.0
    zones = {"A1": Zone.COASTAL, "A2": Zone.INLAND, "B": Zone.SEA}
    profile = PathProfile(d, [float(p[1]) for p in points], cover, [zones[p[3].strip()] for p in points])
    with (folder / "p452" / "results" / f"test_result_{example}.csv").open(encoding="utf-8-sig") as lines:
        return profile, list(csv.DictReader(lines))


@pytest.mark.parametrize("example", ["b2iseac_eqdist", "flat_land_100km", "land_70km", "rburg_rural_with_clutter"])
def test_delta_bullington_and_spherical_earth_match_published_p452_steps(reference_dir, example):
    # P.452-18 section 4.2 is P.526-15 section 4.5 at the median Earth radius
    profile, rows = published_steps(reference_dir, example)
    assert len(rows) == 35
    for row in rows:
        polarization = "horizontal" if float(row["pol (1-h/2-v)"]) == 1 else "vertical"
        paths = link(profile, float(row["f (GHz)"]) * 1e3, float(row["htg (m)"]), float(row["hrg (m)"]), polarization)
        radius = float(row["ae"])
        delta = P526("delta-bullington", earth_radius_km=radius).diffraction_db(paths)[0]
        sphere = P526("spherical-earth", earth_radius_km=radius).diffraction_db(paths)[0]
        assert delta == pytest.approx(float(row["Ld50"]), abs=1e-4)
        assert sphere == pytest.approx(float(row["Ldsph"]), abs=1e-4)


def test_spherical_earth_function_agrees_with_the_published_flat_path(reference_dir):
    _, rows = published_steps(reference_dir, "flat_land_100km")
    for row in rows[:6]:
        loss = spherical_earth_loss_db(
            100e3,
            float(row["f (GHz)"]) * 1e3,
            float(row["htg (m)"]),
            float(row["hrg (m)"]),
            polarization="horizontal" if float(row["pol (1-h/2-v)"]) == 1 else "vertical",
            earth_radius_km=float(row["ae"]),
        )
        assert loss == pytest.approx(float(row["Ldsph"]), abs=1e-4)


@pytest.mark.nojit
@pytest.mark.boundscheck
def test_edge_methods_agree_with_the_written_out_equations():
    for seed in range(6):
        profile = hills(25 + seed, 400.0, seed)
        d, top = profile.distance_m, profile.elevation_amsl_m.copy()
        top[0] += 30.0
        top[-1] += 10.0
        wavelength = 299.8 / 900.0
        y = top - d**2 / (2 * 8.5e6)
        scale = math.sqrt(0.002 / wavelength)
        q, _ = kernels.main_edge(d / 1e3, y, 0, d.size - 1)
        assert naive.loss(q * scale) == pytest.approx(naive.single(d, top, 8.5e6, wavelength), abs=1e-9)
        got = kernels.deygout_db(d / 1e3, y, scale)
        assert got == pytest.approx(naive.deygout(d, top, 8.5e6, wavelength), abs=1e-9)
        string = np.empty(d.size, dtype=np.int64)
        count = kernels.string_points(d / 1e3, y, string)
        assert string[:count].tolist() == naive.string_points(d, top, 8.5e6)


def test_one_edge_is_the_same_by_all_edge_methods_up_to_their_corrections():
    profile = edges([4e3], [160.0], 10e3)
    nu = knife_edge_parameter(60.0, 4e3, 6e3, 900.0)
    j = float(knife_edge_loss_db(nu))
    options = {"earth_radius_km": FLAT_EARTH_KM}
    assert diffraction("single", profile, **options) == pytest.approx(j, abs=0.01)
    assert diffraction("epstein-peterson", profile, **options) == pytest.approx(j, abs=0.01)
    correction = 1 - math.exp(-j / 6)
    assert diffraction("bullington", profile, **options) == pytest.approx(j + correction * 10.2, abs=0.01)
    assert diffraction("deygout", profile, **options) == pytest.approx(j + correction * 10.4, abs=0.01)


def test_grazing_edges_bound_the_exact_result():
    # Lee (1978) and Vogler (NTIA 81-86): n equally spaced edges at grazing incidence lose exactly 20 log10(n + 1) dB;
    # Epstein-Peterson takes 6 dB an edge and is known to lose too much.
    for n in (1, 2, 3):
        at = np.arange(1, n + 1) * 5e3
        profile = edges(at, np.full(n, 100.0 + 1e-6), 5e3 * (n + 1))
        got = diffraction("epstein-peterson", profile, earth_radius_km=1e6, frequency_mhz=300.0)
        assert got == pytest.approx(6.03 * n, abs=0.2)
        assert got > 20 * math.log10(n + 1) - 0.1


def test_two_high_edges_agree_with_the_geometrical_theory_of_diffraction():
    # Deep in the shadow two edges lose 20 log10(pi sqrt(2) nu_i) each and the separation term: the asymptote of the
    # exact double integral (Millington, 1962).
    a, b, c = 3e3, 4e3, 5e3
    profile = edges([a, a + b], [400.0, 420.0], a + b + c)
    rise_1 = 400.0 - (100.0 * b + 420.0 * a) / (a + b)
    rise_2 = 420.0 - (400.0 * c + 100.0 * b) / (b + c)
    nu = knife_edge_parameter([rise_1, rise_2], [a, b], [b, c], 2000.0)
    separation = 10 * math.log10((a + b) * (b + c) / (b * (a + b + c)))
    expected = np.sum(20 * np.log10(math.pi * math.sqrt(2) * nu)) + separation
    got = diffraction("epstein-peterson", profile, 2000.0, earth_radius_km=FLAT_EARTH_KM)
    assert got == pytest.approx(expected, abs=0.2)


def test_neighbouring_string_points_are_one_obstacle():
    lone = edges([5e3], [150.0], 10e3)
    plateau = edges([4.9e3, 5e3, 5.1e3], [149.9, 150.0, 149.9], 10e3)
    far = diffraction("epstein-peterson", plateau, obstacle_gap_m=0.0)
    assert diffraction("epstein-peterson", plateau) == pytest.approx(diffraction("epstein-peterson", lone), abs=0.01)
    assert far > diffraction("epstein-peterson", plateau) + 1


@settings(max_examples=15, deadline=None)
@given(method=st.sampled_from(DIFFRACTION_METHODS), seed=st.integers(0, 500))
def test_ends_exchanged_give_the_same_loss(method, seed):
    profile = hills(60, seed=seed, clutter_m=8.0)
    ahead = P526(method).diffraction_db(link(profile, 700.0, 40.0, 3.0))[0]
    back = P526(method).diffraction_db(link(profile.reversed(), 700.0, 3.0, 40.0))[0]
    assert np.isfinite(ahead)
    assert ahead >= 0
    assert back == pytest.approx(ahead, abs=1e-6)


@pytest.mark.parametrize("method", DIFFRACTION_METHODS)
def test_loss_grows_with_frequency_behind_an_obstacle(method):
    n = 101
    d = np.linspace(0, 40e3, n)
    profile = PathProfile(d, 150 * np.exp(-(((d - 18e3) / 4e3) ** 2)))
    loss = P526(method).path_loss_db(link(profile, [100.0, 400.0, 1600.0, 6400.0]))
    # 12 dB are free space; a smooth Earth in sight obstructs less at higher frequencies.
    assert np.all(np.diff(loss) > (0.0 if method == "spherical-earth" else 12.0))


@pytest.mark.parametrize("method", DIFFRACTION_METHODS)
def test_a_high_clear_path_loses_free_space_only(method):
    profile = PathProfile(np.linspace(0, 5e3, 51), np.zeros(51))
    parts = P526(method).loss_parts(link(profile, 2000.0, 150.0, 150.0))
    assert parts["diffraction_db"][0] == 0.0
    assert parts["free_space_db"][0] == pytest.approx(32.45 + 20 * math.log10(5 * 2000), abs=0.01)


def test_clutter_can_be_left_out():
    covered, bare = hills(80, seed=2, clutter_m=20.0), hills(80, seed=2)
    for method in DIFFRACTION_METHODS[:-1]:
        expected = P526(method).diffraction_db(link(bare))[0]
        assert P526(method, add_clutter=False).diffraction_db(link(covered))[0] == expected
        assert P526(method).diffraction_db(link(covered))[0] > expected


def test_a_batch_equals_its_paths_one_by_one():
    single = [link(hills(n, seed=n), [300.0, 2600.0]) for n in (3, 40, 200)]
    for method in DIFFRACTION_METHODS:
        together = P526(method).path_loss_db(Paths.concatenate(single))
        apart = np.concatenate([P526(method).path_loss_db(p) for p in single])
        assert together.tolist() == apart.tolist()


@pytest.mark.parametrize("method", ["single", "bullington", "delta-bullington", "spherical-earth"])
def test_a_growing_hill_changes_the_loss_without_jumps(method):
    d = np.linspace(0, 20e3, 101)
    shape = np.exp(-(((d - 8e3) / 1.5e3) ** 2))
    paths = [link(PathProfile(d, 100 + h * shape), 1800.0, 40.0, 5.0) for h in np.arange(0.0, 60.0, 0.1)]
    loss = P526(method).path_loss_db(Paths.concatenate(paths))
    assert np.abs(np.diff(loss)).max() < 0.2


def test_wrong_inputs_are_named():
    with pytest.raises(ParameterError, match="method is 'giovanelli'"):
        P526("giovanelli")
    with pytest.raises(ParameterError, match=r"earth_radius_km is 8\.5"):
        P526(earth_radius_km=8.5)
    with pytest.raises(ParameterError, match="distance_1_m is 0"):
        knife_edge_parameter(1.0, 0.0, 1e3, 900.0)
    with pytest.raises(ParameterError, match="nu is nan"):
        knife_edge_loss_db(float("nan"))
    with pytest.raises(ParameterError, match="tx_height_m is -1"):
        spherical_earth_loss_db(1e4, 900.0, -1.0, 10.0)
    with pytest.raises(ParameterError, match="tx_height_agl_m is 0"):
        P526().path_loss_db(link(hills(), tx=0.0))
    with pytest.raises(ParameterError, match="at least 3 profile points"):
        P526("deygout").path_loss_db(link(PathProfile([0.0, 5e3], [1.0, 2.0])))
    with pytest.raises(ParameterError, match="not in degrees"):
        P526().path_loss_db(link(PathProfile([0.0, 0.1, 0.2], [1.0, 2.0, 3.0])))
    with pytest.warns(ValidityWarning, match="frequency_mhz = 20"):
        P526().path_loss_db(link(hills(), 20.0))
