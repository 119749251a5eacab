"""P.452-18 against its published validation examples, P.676 and its own limits."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from rfplan.errors import ParameterError, ValidityWarning
from rfplan.kernels.p452_gas import specific_attenuation_db_km
from rfplan.profile import PathProfile, Paths, Zone
from rfplan.propagation.free_space import free_space_loss_db
from rfplan.propagation.p452 import P452
from rfplan.propagation.p676 import oxygen_attenuation_db_km, water_vapour_attenuation_db_km
from rfplan.propagation.p676_lines import OXYGEN_LINES, WATER_VAPOUR_LINES
from rfplan.propagation.p1812 import path_geometry

ZONES = {"A1": Zone.COASTAL, "A2": Zone.INLAND, "B": Zone.SEA}
PUBLISHED_PARTS = {
    "line_of_sight_db": "Lb0p",
    "line_of_sight_beta_db": "Lb0b",
    "spherical_median_db": "Ldsph",
    "diffraction_median_db": "Ld50",
    "diffraction_db": "Ldp",
    "troposcatter_db": "Lbs",
    "ducting_db": "Lba",
    "path_loss_db": "Lb",
}
EXAMPLES = (
    "b2iseac_eqdist",
    "cebreros_3995",
    "flat_land_100km",
    "flat_land_5km_Dense_Urban",
    "land_70km",
    "rburg_rural_with_clutter",
)


def link(profile, frequency_mhz=2000.0, tx=30.0, rx=10.0, polarization="vertical"):
    return profile.paths(frequency_mhz=frequency_mhz, tx_height_agl_m=tx, rx_height_agl_m=rx, polarization=polarization)


def hills(n=200, step_m=150.0, seed=1, clutter_m=0.0, zone=Zone.INLAND):
    z = np.cumsum(np.random.default_rng(seed).normal(0, 6, n)) + 200
    return PathProfile(np.arange(n) * step_m, z, np.full(n, clutter_m), np.full(n, zone))


def flat(km, n=401, **columns):
    return PathProfile(np.linspace(0, km * 1e3, n), np.zeros(n), **columns)


def read_table(path):
    with path.open(encoding="utf-8-sig") as lines:
        return list(csv.reader(lines))


@pytest.mark.parametrize("example", EXAMPLES)
def test_matches_published_examples(reference_dir, example):
    points = read_table(reference_dir / "p452" / "profiles" / f"test_profile_{example}.csv")[1:]
    table = read_table(reference_dir / "p452" / "results" / f"test_result_{example}.csv")
    names = table[0]
    distance_m = np.array([float(point[0]) for point in points]) * 1e3
    elevation, cover = ([float(point[i]) for point in points] for i in (1, 2))
    zone = [ZONES[point[3].strip()] for point in points]
    assert len(table) == 36
    for values in table[1:]:
        row = dict(zip(names, values, strict=False))
        get = {name: float(value) for name, value in row.items() if name not in ("profile", "path")}
        tx_lonlat, rx_lonlat = (
            (get[f"phi{end}_e (deg)"], get[f"phi{end}_n (deg)"]) for end in ("t", "r")
        )  # fmt: skip
        profile = PathProfile(distance_m, elevation, cover, zone, tx_lonlat, rx_lonlat)
        model = P452(
            time_percent=get["p (%)"],
            delta_n=get["DN"],
            n0=get["N0"],
            tx_gain_dbi=get["Gt (dBi)"],
            rx_gain_dbi=get["Gr (dBi)"],
            dct_km=get["dct (km)"],
            dcr_km=get["dcr (km)"],
            dry_pressure_hpa=get["press (hPa)"],
            temperature_c=get["temp (deg C)"],
        )
        polarization = "horizontal" if get["pol (1-h/2-v)"] == 1 else "vertical"
        paths = link(profile, get["f (GHz)"] * 1e3, get["htg (m)"], get["hrg (m)"], polarization)
        parts = model.loss_parts(paths)
        for name, column in PUBLISHED_PARTS.items():
            assert parts[name][0] == pytest.approx(get[column], abs=1e-4), (example, column, row["f (GHz)"])
        geometry, _ = path_geometry(paths, model.geometry_settings(), 0.0)
        quick = model.finish_db(geometry, paths.frequency_mhz, polarization)
        assert quick[0, 0] == pytest.approx(parts["path_loss_db"][0], abs=1e-9)
        assert parts["free_space_db"][0] + parts["gas_db"][0] == pytest.approx(get["Lbfsg"], abs=1e-4)


@pytest.mark.nojit
@pytest.mark.boundscheck
@pytest.mark.parametrize("frequency_mhz", [1000.0, 6000.0, 22235.0, 59000.0])
def test_gases_are_those_of_p676(frequency_mhz):
    for pressure, temperature, density in ((1013.25, 288.15, 7.5), (900.0, 300.0, 20.0)):
        got = specific_attenuation_db_km(
            frequency_mhz / 1e3, pressure, temperature, density, OXYGEN_LINES, WATER_VAPOUR_LINES
        )
        air = (frequency_mhz, pressure, temperature, density)
        expected = oxygen_attenuation_db_km(*air) + water_vapour_attenuation_db_km(*air)
        assert got == pytest.approx(float(expected), rel=1e-12)


def test_high_short_links_lose_free_space_and_gases_only():
    paths = link(flat(5, 100), 2000.0, 200.0, 200.0)
    parts = P452(time_percent=50).loss_parts(paths)
    free = free_space_loss_db(5e3, 2000.0)
    # P.452 rounds its free-space constant to 92.4 where physics has 92.448
    assert parts["free_space_db"][0] == pytest.approx(free - 0.048, abs=0.002)
    assert 0 < parts["gas_db"][0] < 0.1
    assert parts["diffraction_db"][0] == 0.0
    assert parts["path_loss_db"][0] == pytest.approx(parts["line_of_sight_db"][0], abs=0.01)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 1000), clutter=st.sampled_from([0.0, 15.0]), zone=st.sampled_from(list(Zone)))
def test_rarer_times_lose_no_more(seed, clutter, zone):
    paths = link(hills(80, seed=seed, clutter_m=clutter, zone=zone), [150.0, 900.0, 6000.0])
    losses = [P452(time_percent=p).path_loss_db(paths) for p in (0.01, 1.0, 10.0, 50.0)]
    assert np.isfinite(losses).all()
    assert np.all(np.diff(losses, axis=0) > -1e-6)


def test_terminals_exchanged_give_the_same_loss():
    profile = hills(150, seed=4, clutter_m=12.0)
    for p in (0.1, 50.0):
        ahead = P452(time_percent=p).path_loss_db(link(profile, 700.0, 40.0, 10.0))[0]
        back = P452(time_percent=p).path_loss_db(link(profile.reversed(), 700.0, 10.0, 40.0))[0]
        # Equation 58, seen from the transmitter only, makes a difference near the border of line of sight.
        assert back == pytest.approx(ahead, abs=0.01)


def test_loss_grows_with_distance_over_smooth_earth():
    loss = [P452(time_percent=p).path_loss_db(link(flat(km), 1500.0))[0] for p in (1, 50) for km in (30, 60, 120, 240)]
    assert np.all(np.diff(loss[:4]) > 0)
    assert np.all(np.diff(loss[4:]) > 0)


def test_clutter_counts_from_50_m_on_and_raises_the_loss():
    n = 201
    d = np.arange(n) * 10.0
    bare = link(PathProfile(d, np.zeros(n)), 1800.0, 20.0, 2.0)
    ends = np.where((d < 50) | (d > 1950), 25.0, 0.0)
    model = P452()
    assert model.path_loss_db(link(PathProfile(d, np.zeros(n), ends), 1800.0, 20.0, 2.0)) == model.path_loss_db(bare)
    inner = np.full(n, 25.0)
    assert (
        model.path_loss_db(link(PathProfile(d, np.zeros(n), inner), 1800.0, 20.0, 2.0)) > model.path_loss_db(bare) + 20
    )


def test_gains_enter_troposcatter_only():
    paths = link(flat(250), 2000.0)
    low, high = (P452(tx_gain_dbi=g, rx_gain_dbi=g).loss_parts(paths) for g in (0.0, 30.0))
    coupling = 0.051 * (math.exp(0.055 * 60) - 1)
    assert high["troposcatter_db"][0] - low["troposcatter_db"][0] == pytest.approx(coupling, abs=1e-9)
    assert high["ducting_db"][0] == low["ducting_db"][0]


def test_a_batch_equals_its_paths_one_by_one():
    single = [link(hills(n, seed=n, clutter_m=5.0), [600.0, 3500.0]) for n in (3, 50, 333)]
    together = P452(time_percent=5).path_loss_db(Paths.concatenate(single))
    assert together.tolist() == np.concatenate([P452(time_percent=5).path_loss_db(p) for p in single]).tolist()


@pytest.mark.parametrize("time_percent", [0.01, 1.0, 50.0])
def test_a_growing_hill_changes_the_loss_without_jumps(time_percent):
    d = np.linspace(0, 20e3, 101)
    shape = np.exp(-(((d - 8e3) / 1.5e3) ** 2))
    hills_ = [link(PathProfile(d, 100 + h * shape), 1800.0, 40.0, 5.0) for h in np.arange(0.0, 60.0, 0.1)]
    loss = P452(time_percent=time_percent).path_loss_db(Paths.concatenate(hills_))
    assert loss[-1] > loss[0] + 10
    assert np.abs(np.diff(loss)).max() < 0.2


def test_wrong_inputs_are_named():
    with pytest.raises(ParameterError, match=r"time_percent is 60.* 0.001 to 50"):
        P452(time_percent=60)
    with pytest.raises(ParameterError, match="delta_n is -40"):
        P452(delta_n=-40)
    with pytest.raises(ParameterError, match="temperature_c is 288"):
        P452(temperature_c=288.15)
    with pytest.raises(ParameterError, match="frequency_mhz is 2"):
        P452().path_loss_db(link(hills(), 2.0))
    with pytest.raises(ParameterError, match="tx_height_agl_m is 0"):
        P452().path_loss_db(link(hills(), tx=0.0))
    with pytest.raises(ParameterError, match="at least 3 profile points"):
        P452().path_loss_db(link(PathProfile([0.0, 5e3], [1.0, 2.0])))
    with pytest.raises(ParameterError, match="not in degrees"):
        P452().path_loss_db(link(PathProfile([0.0, 0.1, 0.2], [1.0, 2.0, 3.0])))
    with pytest.raises(ParameterError, match="needs terrain"):
        P452().path_loss_db(Paths.from_distance(5000.0, 900.0, 30.0, 1.5))
    with pytest.warns(ValidityWarning, match="frequency_mhz = 60000"):
        P452().path_loss_db(link(hills(), 60_000.0))
