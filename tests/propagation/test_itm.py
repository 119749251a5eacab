"""Longley–Rice against NTIA's published vectors, its own definitions and slow readings of the profile."""

from __future__ import annotations

import csv
import warnings

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from naive import itm as naive
from rfplan.errors import DataWarning, ParameterError, ValidityWarning
from rfplan.kernels import itm_terrain
from rfplan.profile import PathProfile, Paths
from rfplan.propagation.itm import ITM, Climate, ITMFlag, ITMMode, VariabilityMode


def pfl_profile(values):
    n = int(values[0]) + 1
    return PathProfile(np.arange(n) * values[1], values[2 : 2 + n])


def published_cases(folder):
    with (folder / "itm" / "p2p.csv").open(encoding="utf-8-sig") as rows:
        cases = list(csv.DictReader(rows))
    lines = (folder / "itm" / "pfls.csv").read_text().split()
    return [
        (case, pfl_profile(np.array(line.rstrip(",").split(","), float)))
        for case, line in zip(cases, lines, strict=True)
    ]


def case_model(case):
    return ITM(
        time_percent=float(case["time"]),
        location_percent=float(case["location"]),
        situation_percent=float(case["situation"]),
        variability_mode=int(case["mdvar"]),
        climate=int(case["climate"]),
        n0=float(case["N_0"]),
        permittivity=float(case["epsilon"]),
        conductivity_s_m=float(case["sigma"]),
    )


def case_paths(case, profile):
    return profile.paths(
        frequency_mhz=float(case["f__mhz"]),
        tx_height_agl_m=float(case["h_tx__meter"]),
        rx_height_agl_m=float(case["h_rx__meter"]),
        polarization="vertical" if case["pol"] == "1" else "horizontal",
    )


def hills(n=200, step_m=100.0, seed=1):
    z = np.cumsum(np.random.default_rng(seed).normal(0, 6, n)) + 200
    return PathProfile(np.arange(n) * step_m, z)


def link(profile, frequency_mhz=1800.0, tx=40.0, rx=1.5, polarization="vertical"):
    return profile.paths(frequency_mhz=frequency_mhz, tx_height_agl_m=tx, rx_height_agl_m=rx, polarization=polarization)


def test_matches_ntia_point_to_point_vectors(reference_dir):
    cases = published_cases(reference_dir)
    assert len(cases) == 5
    for case, profile in cases:
        loss = case_model(case).evaluate(case_paths(case, profile)).loss_db[0]
        assert loss == pytest.approx(float(case["A__db"]), abs=0.005)


def test_names_the_warnings_of_the_published_rows(reference_dir):
    flags = [case_model(c).evaluate(case_paths(c, p)).flags_of(0) for c, p in published_cases(reference_dir)]
    assert flags == [
        ITMFlag.NONE,
        ITMFlag.RX_HORIZON_NEAR,
        ITMFlag.NONE,
        ITMFlag.NONE,
        ITMFlag.TX_HORIZON_NEAR | ITMFlag.RX_HORIZON_NEAR,
    ]


@pytest.fixture
def example(reference_dir):
    text = (reference_dir / "itm" / "cmd_examples" / "pfl.txt").read_text()
    profile = pfl_profile(np.array(text.replace("\n", "").rstrip(",").split(","), float))
    ground = {"climate": 5, "n0": 301.0, "conductivity_s_m": 0.005, "variability_mode": 1}
    return ground, link(profile, 3500.0, 15.0, 3.0)


def test_step_values_of_the_command_line_example(example):
    ground, paths = example
    result = ITM(**ground).evaluate(paths)
    # NTIA ITM v1.4 example o_p2ptls.txt, printed to these digits
    assert result.loss_db[0] == pytest.approx(114.5, abs=0.05)
    assert result.free_space_db[0] == pytest.approx(114.5, abs=0.05)
    assert result.reference_db[0] == pytest.approx(0.0, abs=0.05)
    assert result.distance_m[0] == pytest.approx(3635, abs=0.5)
    assert result.theta_tx_rad[0] * 1e3 == pytest.approx(-1.949, abs=0.0005)
    assert result.theta_rx_rad[0] * 1e3 == pytest.approx(-0.856, abs=0.0005)
    assert result.horizon_tx_m[0] == pytest.approx(14868, abs=0.5)
    assert result.horizon_rx_m[0] == pytest.approx(6494, abs=0.5)
    assert result.effective_tx_m[0] == pytest.approx(15.0, abs=0.05)
    assert result.effective_rx_m[0] == pytest.approx(3.0, abs=0.05)
    assert result.surface_refractivity[0] == pytest.approx(251.5, abs=0.05)
    assert result.delta_h_m[0] == pytest.approx(3.2, abs=0.05)
    assert result.mode_of(0) is ITMMode.LINE_OF_SIGHT
    assert result.flags_of(0) == ITMFlag.NONE


def test_confidence_and_reliability_table_of_the_command_line_example(example):
    ground, paths = example
    # NTIA ITM v1.4 example o_p2pcr_tbl.txt: reliability 10, 65, 90 by confidence 10, 60, 90
    table = [[110.9, 117.2, 129.1], [110.9, 117.4, 129.2], [110.9, 117.5, 129.3]]
    for reliability, row in zip((10, 65, 90), table, strict=True):
        for confidence, expected in zip((10, 60, 90), row, strict=True):
            model = ITM.with_confidence(confidence, reliability, **ground)
            assert model.evaluate(paths).loss_db[0] == pytest.approx(expected, abs=0.0501)


@pytest.mark.nojit
@pytest.mark.boundscheck
def test_reads_the_profile_as_the_slow_way_does():
    rng = np.random.default_rng(5)
    scratch = np.empty(itm_terrain.MAX_ROUGHNESS_SAMPLES)
    for n in (3, 12, 60, 301):
        z = np.cumsum(rng.normal(0, 8, n)) + 300
        got = itm_terrain.horizons(z, n - 1, 90.0, 20.0, 5.0, 1 / 8.5e6)
        assert got == pytest.approx(naive.horizons(z, 90.0, 20.0, 5.0, 8.5e6), rel=1e-9, abs=1e-12)
        for start, stop in ((0.0, 90.0 * (n - 1)), (123.0, 90.0 * (n - 1) - 77.0)):
            got_irregularity = itm_terrain.terrain_irregularity(z, n - 1, 90.0, start, stop, scratch)
            assert got_irregularity == pytest.approx(naive.terrain_irregularity(z, 90.0, start, stop), abs=1e-9)
        line = naive.trapezoid_line(z)
        assert itm_terrain.trapezoid_line(z, n - 1, 0, n - 1) == pytest.approx((line[0], line[-1]), abs=1e-9)


@pytest.mark.nojit
def test_quickselect_agrees_with_sorting():
    rng = np.random.default_rng(0)
    for _ in range(50):
        values = rng.integers(0, 9, rng.integers(1, 60)).astype(float)
        rank = int(rng.integers(values.size))
        assert itm_terrain.select_smallest(values.copy(), values.size, rank, 0) == np.sort(values)[rank]


def test_a_batch_equals_its_paths_one_by_one():
    profiles = [hills(n, seed=n) for n in (2, 3, 50, 333)]
    single = [link(p, 900.0) for p in profiles]
    together = ITM().evaluate(Paths.concatenate(single))
    assert together.loss_db.tolist() == [ITM().evaluate(p).loss_db[0] for p in single]
    assert together.flags.tolist() == [ITM().evaluate(p).flags[0] for p in single]


def test_parts_add_up_to_the_loss():
    paths = link(hills(), [200.0, 900.0, 3500.0])
    model = ITM(time_percent=90, location_percent=70, situation_percent=60)
    assert sum(model.loss_parts(paths).values()) == pytest.approx(model.path_loss_db(paths))


def test_two_ends_exchanged_give_the_same_loss():
    profile = hills(150, seed=3)
    ahead = ITM().evaluate(link(profile, 700.0, 30.0, 10.0)).loss_db[0]
    back = ITM().evaluate(link(profile.reversed(), 700.0, 10.0, 30.0)).loss_db[0]
    assert back == pytest.approx(ahead, abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(
    percent=st.sampled_from([("time_percent", 10.0, 90.0), ("situation_percent", 20.0, 80.0)]),
    mode=st.sampled_from(VariabilityMode),
    climate=st.sampled_from(Climate),
    seed=st.integers(0, 1000),
)
def test_a_higher_percentage_never_loses_less(percent, mode, climate, seed):
    name, low, high = percent
    paths = link(hills(100, seed=seed), 800.0)
    less, more = (
        ITM(variability_mode=mode, climate=climate, **{name: value}).evaluate(paths).loss_db[0] for value in (low, high)
    )
    assert np.isfinite(less)
    assert np.isfinite(more)
    assert more >= less - 1e-9


def test_diffraction_loss_grows_with_distance_beyond_the_horizon():
    losses = []
    for km in (60, 80, 100, 150, 250):
        n = km * 2 + 1
        losses.append(ITM().evaluate(link(PathProfile(np.arange(n) * 500.0, np.zeros(n)), 500.0)).loss_db[0])
    assert np.all(np.diff(losses) > 0)


def test_clutter_is_ignored_unless_asked_for():
    bare = hills(120, seed=8)
    covered = PathProfile(bare.distance_m, bare.elevation_amsl_m, np.full(120, 15.0))
    ignoring = ITM().evaluate(link(covered)).loss_db[0]
    assert ignoring == ITM().evaluate(link(bare)).loss_db[0]
    assert ITM(add_clutter=True).evaluate(link(covered)).loss_db[0] > ignoring + 1.0


def test_unequal_steps_are_interpolated_and_said_so():
    even = hills(101, seed=4)
    keep = np.r_[0, 1, 2:99:2, 99, 100]
    uneven = PathProfile(even.distance_m[keep], even.elevation_amsl_m[keep])
    with pytest.warns(DataWarning, match="equally spaced"):
        loss = ITM().path_loss_db(link(uneven))[0]
    steps = np.linspace(0, even.distance_m[-1], keep.size)
    z = np.interp(steps, uneven.distance_m, uneven.elevation_amsl_m)
    assert loss == pytest.approx(ITM().evaluate(link(PathProfile(steps, z))).loss_db[0], abs=1e-9)


@pytest.mark.parametrize(
    ("frequency", "tx", "rx", "points", "name"),
    [
        (30.0, 40.0, 1.5, 100, "FREQUENCY"),
        (15000.0, 40.0, 1.5, 100, "FREQUENCY"),
        (900.0, 0.7, 1.5, 100, "TX_HEIGHT"),
        (900.0, 40.0, 0.6, 100, "RX_HEIGHT"),
        (900.0, 40.0, 1.5, 6, "DISTANCE_SMALL"),
    ],
)
def test_warns_outside_the_source_ranges(frequency, tx, rx, points, name):
    with pytest.warns(ValidityWarning, match=f"ITM {name}"):
        ITM().path_loss_db(link(hills(points), frequency, tx, rx))


def test_warns_of_extreme_percentages_only_where_they_are_used():
    paths = link(hills())
    with pytest.warns(ValidityWarning, match="EXTREME_VARIABILITY"):
        ITM(time_percent=0.01).path_loss_db(paths)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ITM(time_percent=0.01, variability_mode=VariabilityMode.SINGLE_MESSAGE).path_loss_db(paths)


@pytest.mark.parametrize(
    ("settings_", "match"),
    [
        ({"time_percent": 0}, "time_percent is 0"),
        ({"location_percent": 100}, "location_percent is 100"),
        ({"situation_percent": float("nan")}, "situation_percent is nan"),
        ({"climate": 8}, "climate is 8"),
        ({"variability_mode": 4}, "variability_mode is 4"),
        ({"variability_mode": 40}, "variability_mode is 40"),
        ({"n0": 100}, "n0 is 100.* 250 to 400"),
        ({"permittivity": 0.5}, "permittivity is 0.5"),
        ({"conductivity_s_m": 0}, "conductivity_s_m is 0"),
    ],
)
def test_impossible_settings_name_the_parameter(settings_, match):
    with pytest.raises(ParameterError, match=match):
        ITM(**settings_)


@pytest.mark.parametrize(
    ("frequency", "tx", "rx", "match"),
    [
        (10.0, 40.0, 1.5, "frequency_mhz is 10.* 20 to 20000"),
        (900.0, 0.0, 1.5, "tx_height_agl_m is 0"),
        (900.0, 40.0, 4000.0, "rx_height_agl_m is 4000"),
        (900.0, -1.0, 1.5, "tx_height_agl_m"),
    ],
)
def test_impossible_links_name_the_parameter(frequency, tx, rx, match):
    with pytest.raises(ParameterError, match=match):
        ITM().path_loss_db(link(hills(), frequency, tx, rx))


def test_confidence_outside_its_range_is_named():
    with pytest.raises(ParameterError, match="confidence_percent is 0"):
        ITM.with_confidence(0, 50)


def test_elevations_that_leave_no_atmosphere_are_refused():
    high = PathProfile(np.arange(50) * 100.0, np.full(50, 9000.0))
    with pytest.raises(ParameterError, match="surface refractivity"):
        ITM().path_loss_db(link(high))


def test_degrees_for_metres_and_missing_terrain_are_refused():
    with pytest.raises(ParameterError, match="not in degrees"):
        ITM().path_loss_db(link(PathProfile([0.0, 0.1, 0.2], [1.0, 2.0, 3.0])))
    with pytest.raises(ParameterError, match="needs terrain"):
        ITM().path_loss_db(Paths.from_distance(5000.0, 900.0, 30.0, 1.5))


def test_undefined_diffraction_is_flagged_and_never_leaks():
    # A bank right in front of a mast by the sea at VHF: Vogler's B0 turns negative, and NTIA's release comes to 0 dB.
    sea = ITM(permittivity=81.0, conductivity_s_m=5.0)
    paths = link(PathProfile(np.arange(5) * 10.0, [0.0, 50.0, 0.0, 0.0, 0.0]), 21.0, 40.0, 1.0)
    result = sea.evaluate(paths)
    assert ITMFlag.DIFFRACTION_UNDEFINED in result.flags_of(0)
    assert result.reference_db[0] == 0.0
    assert np.isfinite(result.loss_db[0])
    with pytest.warns(ValidityWarning) as record:
        sea.path_loss_db(paths)
    assert any("DIFFRACTION_UNDEFINED" in str(warning.message) for warning in record)
