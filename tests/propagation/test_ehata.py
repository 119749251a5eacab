"""Extended Hata against NTIA's published cases, the points its curves were fitted to, and its own symmetries."""

from __future__ import annotations

import csv
import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from rfplan.errors import DataWarning, ParameterError, ValidityWarning
from rfplan.kernels import ehata as kernels
from rfplan.profile import PathProfile, Paths, Zone
from rfplan.propagation.ehata import ExtendedHata


def link(profile, frequency_mhz=2000.0, tx=50.0, rx=3.0):
    return profile.paths(frequency_mhz=frequency_mhz, tx_height_agl_m=tx, rx_height_agl_m=rx)


def hills(n=200, step_m=100.0, seed=1, swing=6.0):
    z = np.cumsum(np.random.default_rng(seed).normal(0, swing, n)) + 500
    return PathProfile(np.arange(n) * step_m, z)


def published_case(folder, row):
    text = (folder / "ehata" / "pfls" / row["pfl file name"]).read_text().replace("\n", ",")
    values = np.array([value for value in text.split(",") if value.strip()], float)
    n = int(values[0]) + 1
    # The file runs from the mobile (hm) to the base (hb).
    return PathProfile(np.arange(n) * values[1], values[2 : 2 + n]).reversed()


def test_matches_ntia_cases(reference_dir):
    with (reference_dir / "ehata" / "cases.csv").open() as rows:
        cases = list(csv.DictReader(rows))
    assert len(cases) == 15
    for row in cases:
        paths = link(published_case(reference_dir, row), float(row["f"]), float(row["hb"]), float(row["hm"]))
        environment = {"22": "suburban", "23": "urban"}[row["env"]]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ValidityWarning)
            loss = ExtendedHata(environment).path_loss_db(paths)[0]
        assert loss == pytest.approx(float(row["Path Loss(dB)"]), abs=1e-4)


@pytest.mark.nojit
@pytest.mark.parametrize(
    ("frequency", "one_km_db", "suburban_db"), [(1500.0, 22.0, 11.5), (2000.0, 23.5, 12.4), (3000.0, 25.85, 14.0)]
)
def test_median_passes_through_okumura_points(frequency, one_km_db, suburban_db):
    # TR-15-517: urban attenuation relative to free space at 1 km with 200 m and 3 m, and the suburban correction
    urban = kernels.median_loss_db(frequency, 200.0, 3.0, 1.0, kernels.URBAN)
    free = 20 * math.log10(4 * math.pi * frequency * 1e6 / 2.998e8 * math.hypot(1000.0, 197.0))
    assert urban - free == pytest.approx(one_km_db, abs=1e-3)
    suburban = kernels.median_loss_db(frequency, 200.0, 3.0, 1.0, kernels.SUBURBAN)
    assert urban - suburban == pytest.approx(suburban_db, abs=1e-9)


@pytest.mark.nojit
def test_location_deviation_matches_okumura_points():
    # TR-15-517: 7.1, 7.5 and 8.1 dB in urban areas at 1500, 2000 and 3000 MHz
    for frequency, sigma in ((1500.0, 7.1), (2000.0, 7.5), (3000.0, 8.1)):
        assert kernels.parabola(kernels._SIGMA_URBAN, math.log10(frequency)) == pytest.approx(sigma, abs=1e-4)


def test_median_grows_but_for_the_drop_at_its_break_point():
    # The source takes its 1 km reference along the slant and its distance law along the ground: 0.17 dB at the change.
    d = np.geomspace(1.0, 100.0, 4000)
    step = np.diff([kernels.median_loss_db(2200.0, 60.0, 3.0, x, kernels.URBAN) for x in d])
    assert (step < 0).sum() == 1
    assert -0.17 < step.min() < -0.14
    assert step.max() < 80 * 2 / 3999


@pytest.mark.nojit
@pytest.mark.boundscheck
def test_deciles_are_order_statistics():
    rng = np.random.default_rng(4)
    z = rng.normal(200, 30, 151)
    got = kernels.terrain_deciles(z, 0.1, np.empty(151))
    near = np.sort(z[:101])[::-1]
    assert got == pytest.approx((near[9], near[49], near[89]))


def test_a_ridge_costs_more_when_it_is_higher_with_the_geometric_line():
    losses = []
    for height in (80.0, 150.0, 300.0):
        z = np.full(241, 100.0)
        z[200] += height
        paths = link(PathProfile(np.arange(241) * 100.0, z))
        parts = ExtendedHata(ridge="geometric").loss_parts(paths)
        assert parts["rolling_hills_db"][0] == 0.0
        losses.append(parts["ridge_db"][0])
    assert losses[0] > 0
    assert np.all(np.diff(losses) > 0)


@pytest.mark.nojit
def test_ridge_correction_reads_figure_31():
    # Okumura, figure 31, curves C, B, A: 4 km behind the ridge at 200 m of height
    for base_km, expected in ((15.0, -15.0), (30.0, -10.0), (60.0, -4.5)):
        for bounded in (False, True):
            got = kernels.ridge_correction_db(base_km, 4.0, 200.0, bounded)
            assert got == pytest.approx(expected)
    assert kernels.ridge_correction_db(5.0, 4.0, 200.0, True) == pytest.approx(-15.0)
    assert kernels.ridge_correction_db(5.0, 4.0, 200.0, False) == pytest.approx(-15.0 - 5.0 * 10 / 15)


def test_sea_lowers_the_loss_more_on_the_mobile_side():
    n = 201
    z = np.full(n, 20.0)
    zone = np.full(n, Zone.INLAND)
    sea_by_mobile, sea_by_base = zone.copy(), zone.copy()
    sea_by_mobile[-60:] = Zone.SEA
    sea_by_base[:60] = Zone.SEA
    d = np.arange(n) * 100.0
    land, mobile, base = (
        ExtendedHata().loss_parts(link(PathProfile(d, z, zone=kind)))["sea_db"][0]
        for kind in (zone, sea_by_mobile, sea_by_base)
    )
    assert land == 0.0
    assert mobile < base < 0.0
    zero = PathProfile(d, np.where(zone == Zone.SEA, 0.0, 0.0))
    assert ExtendedHata().loss_parts(link(zero))["sea_db"][0] == pytest.approx(-11.0)
    assert ExtendedHata(sea_at_zero_elevation=False).loss_parts(link(zero))["sea_db"][0] == 0.0


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 500), environment=st.sampled_from(["urban", "suburban", "rural"]))
def test_parts_add_up_and_more_locations_lose_more(seed, environment):
    paths = link(hills(seed=seed), [1600.0, 2900.0])
    losses = [ExtendedHata(environment, location_percent=p).path_loss_db(paths) for p in (10, 50, 90)]
    assert np.isfinite(losses).all()
    assert np.all(np.diff(losses, axis=0) > 5)
    assert sum(ExtendedHata(environment).loss_parts(paths).values()) == pytest.approx(losses[1])


def test_environments_are_ordered_and_frequency_raises_the_loss():
    paths = link(hills(), [1500.0, 2000.0, 3000.0])
    urban, suburban, rural = (ExtendedHata(e).path_loss_db(paths) for e in ("urban", "suburban", "rural"))
    assert np.all(urban > suburban)
    assert np.all(suburban > rural)
    assert np.all(np.diff(urban) > 0)


def test_a_batch_equals_its_paths_one_by_one():
    single = [link(hills(n, seed=n)) for n in (11, 50, 333)]
    together = ExtendedHata().path_loss_db(Paths.concatenate(single))
    assert together.tolist() == [ExtendedHata().path_loss_db(p)[0] for p in single]


def test_warns_outside_its_ranges():
    with pytest.warns(ValidityWarning, match="frequency_mhz = 900"):
        ExtendedHata().path_loss_db(link(hills(), 900.0))
    with pytest.warns(ValidityWarning, match="distance_m = 500"):
        ExtendedHata().path_loss_db(link(hills(6)))
    with pytest.warns(ValidityWarning, match="tx_height_agl_m = 10"):
        ExtendedHata().path_loss_db(link(hills(), tx=10.0))
    with pytest.warns(ValidityWarning, match="rx_height_agl_m = 25"):
        ExtendedHata().path_loss_db(link(hills(), rx=25.0))
    uneven = PathProfile([0.0, 900.0, 5000.0], [10.0, 20.0, 15.0])
    with pytest.warns(DataWarning, match="equally spaced"):
        ExtendedHata().path_loss_db(link(uneven))


def test_wrong_inputs_are_named():
    with pytest.raises(ParameterError, match="environment is 'city'"):
        ExtendedHata("city")
    with pytest.raises(ParameterError, match="location_percent is 100"):
        ExtendedHata(location_percent=100)
    with pytest.raises(ParameterError, match="ridge is"):
        ExtendedHata(ridge="other")
    with pytest.raises(ParameterError, match=r"frequency_mhz is 30.* 100 to 10000"):
        ExtendedHata().path_loss_db(link(hills(), 30.0))
    with pytest.raises(ParameterError, match="not in degrees"):
        ExtendedHata().path_loss_db(link(PathProfile([0.0, 0.1], [1.0, 2.0])))
