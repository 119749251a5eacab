from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numba
import numpy as np
import pytest

from coverage_helpers import NOISE_MW, LogDistance, flat_terrain, level_mw, omni_network
from naive.radio import naive_quality
from rfplan.antenna import Array, array_antenna, ssb_beams, traffic_beams
from rfplan.coverage import RadioMap, Receiver, Service, compute_coverage, compute_radio, solve_load
from rfplan.coverage.predict import effective_earth_radius_m
from rfplan.coverage.quality import lone_cell_rsrq_db
from rfplan.errors import ParameterError
from rfplan.network import Network
from rfplan.terrain import Terrain

MODEL = LogDistance()


def radio(network: Network, terrain: Terrain, **settings: object) -> RadioMap:
    return compute_radio(network, terrain, **{"model": MODEL, "radius_m": 3000.0, "method": "exact", **settings})


def test_two_symmetric_cells() -> None:
    terrain = flat_terrain(41, 50.0)
    middle = 20.5 * 50.0
    for load in (0.0, 0.3, 1.0):
        layers = radio(omni_network(terrain, [(middle - 700, middle), (middle + 700, middle)], load), terrain).layers()
        own = level_mw(700.0)
        got = float(layers["sinr_db"].values[20, 20])
        assert got == pytest.approx(10 * math.log10(own / (load * own + NOISE_MW)), abs=2e-4)
        assert float(layers["dominance_db"].values[20, 20]) == pytest.approx(0.0, abs=1e-4)
        assert int(layers["overlap_count"].values[20, 20]) == 2


def test_hexagonal_ring_of_equal_load() -> None:
    terrain = flat_terrain(61, 50.0)
    x = y = 30.5 * 50.0
    ring = [(x + 1200 * math.cos(a), y + 1200 * math.sin(a)) for a in np.arange(6) * math.pi / 3]
    layers = radio(omni_network(terrain, [(x, y - 300.0), *ring], 0.7), terrain).layers()
    expected = level_mw(300.0) / (6 * 0.7 * level_mw(1200.0) + NOISE_MW)
    assert float(layers["sinr_db"].values[30, 30]) == pytest.approx(10 * math.log10(expected), abs=2e-4)
    assert int(layers["best_server"].values[30, 30]) == 0


@pytest.mark.nojit
@pytest.mark.boundscheck
def test_isolated_cell_and_rsrq_limits() -> None:
    terrain = flat_terrain(41, 50.0)
    for load in (0.0, 1.0):
        layers = radio(omni_network(terrain, [(1025.0, 1225.0 + 10.0)], load), terrain).layers()
        snr = 10 * math.log10(level_mw(210.0) / NOISE_MW)
        assert float(layers["sinr_db"].values[20, 20]) == pytest.approx(snr, abs=2e-4)
        own = level_mw(210.0)
        rsrq = 10 * math.log10(own / (own * (2 + 10 * load) + 12 * NOISE_MW))
        assert float(layers["rsrq_db"].values[20, 20]) == pytest.approx(rsrq, abs=2e-4)
        assert float(layers["rsrq_db"].values[24, 20]) == pytest.approx(lone_cell_rsrq_db(load), abs=0.01)
        assert np.isnan(layers["second_rsrp_dbm"].values[20, 20])
        rsrp, rssi = float(layers["rsrp_dbm"].values[20, 20]), float(layers["rssi_dbm"].values[20, 20])
        assert float(layers["rsrq_db"].values[20, 20]) == pytest.approx(10 * math.log10(100) + rsrp - rssi, abs=1e-3)


@pytest.fixture(scope="module")
def many() -> tuple[Terrain, Network, RadioMap]:
    terrain = flat_terrain(31, 100.0)
    rng = np.random.default_rng(5)
    network = omni_network(terrain, [tuple(p) for p in rng.uniform(200, 2900, (7, 2))])
    network = Network(
        network.sites,
        network.sectors,
        network.cells.assign(
            load=rng.uniform(0, 1, 7), pci=rng.integers(0, 504, 7), max_power_dbm=rng.uniform(30, 46, 7)
        ),
    )
    return terrain, network, radio(network, terrain, radius_m=1500.0, top=8)


def levels_of(network: Network, terrain: Terrain) -> np.ndarray:
    each = [network.select_sites([s]) for s in network.sites["site_id"]]
    return np.array(
        [
            compute_coverage(n, terrain, model=MODEL, radius_m=1500.0, method="exact").layers["rsrp_dbm"].values
            for n in each
        ]
    )


def test_against_naive(many: tuple[Terrain, Network, RadioMap]) -> None:
    terrain, network, result = many
    load, classes = network.cells["load"].to_numpy(), network.cells["pci"].to_numpy() % 3
    want = naive_quality(levels_of(network, terrain), list(range(7)), load, classes, NOISE_MW, 100, 6.0)
    layers = result.layers()
    for name, values in want.items():
        np.testing.assert_allclose(layers[name].values, values, atol=2e-4, err_msg=name)
    reloaded = result.with_load(0.25).layers()
    want = naive_quality(levels_of(network, terrain), list(range(7)), np.full(7, 0.25), classes, NOISE_MW, 100, 6.0)
    for name, values in want.items():
        np.testing.assert_allclose(reloaded[name].values, values, atol=2e-4, err_msg=name)


def test_sums_do_not_depend_on_order_or_threads(many: tuple[Terrain, Network, RadioMap]) -> None:
    terrain, network, result = many
    threads = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        one = radio(network, terrain, radius_m=1500.0, top=8)
    finally:
        numba.set_num_threads(threads)
    turned = radio(Network(network.sites.iloc[::-1], network.sectors, network.cells), terrain, radius_m=1500.0, top=8)
    few = radio(network, terrain, radius_m=1500.0, top=3)
    for other in (one, turned):
        for name in ("top_level_dbm", "top_cell", "total", "traffic", "collision"):
            np.testing.assert_array_equal(getattr(result.carriers[0], name), getattr(other.carriers[0], name))
    # Sums run over every cell, listed or not.
    np.testing.assert_array_equal(result.layers()["sinr_db"].values, few.layers()["sinr_db"].values)
    np.testing.assert_array_equal(result.carriers[0].top_cell[..., :3], few.carriers[0].top_cell)


def test_serving_cell_is_that_of_coverage(many: tuple[Terrain, Network, RadioMap]) -> None:
    terrain, network, result = many
    coverage = compute_coverage(network, terrain, model=MODEL, radius_m=1500.0, method="exact")
    layers = result.layers()
    np.testing.assert_array_equal(layers["best_server"].values, coverage.layers["best_server"].values)
    np.testing.assert_array_equal(layers["rsrp_dbm"].values, coverage.layers["rsrp_dbm"].values)
    margin = coverage.layers["margin_db"].values
    assert set(np.unique(layers["limiting_link"].values)) <= {0, 1, 2}
    assert ((layers["limiting_link"].values == 0) == np.isnan(margin)).all()
    p = layers["coverage_probability"].values
    assert np.nanmax(p) <= 1.0
    assert (p[layers["limiting_link"].values == 1] >= 0.5).sum() > 0


def test_hysteresis_keeps_the_previous_server() -> None:
    terrain = flat_terrain(41, 50.0)
    result = radio(omni_network(terrain, [(625.0, 1025.0), (1425.0, 1025.0)]), terrain)
    free = result.layers()["best_server"].values
    before = np.zeros(terrain.shape, dtype=np.int32)
    held = result.layers(hysteresis_db=3.0, previous=before)
    kept = held["best_server"].values
    assert (kept == 0).sum() > (free == 0).sum()
    changed = (kept == 0) & (free == 1)
    gap = held["dominance_db"].values[changed]
    assert gap.min() >= -3.0
    assert gap.max() <= 0.0
    np.testing.assert_array_equal(
        result.layers(hysteresis_db=0.0, previous=before)["best_server"].values == 0, free == 0
    )
    with pytest.raises(ParameterError, match="shape"):
        result.layers(previous=np.zeros((2, 2), dtype=np.int32))


def test_synchronous_nr_beams_always_collide() -> None:
    terrain = flat_terrain(31, 50.0)
    network = omni_network(terrain, [(425.0, 775.0), (1125.0, 775.0)], 0.0, technology="5G")
    layers = radio(network, terrain, technology="5G").layers()
    snr = 10 ** (float(layers["sinr_db"].values[15, 15]) / 10)
    assert float(layers["reference_sinr_db"].values[15, 15]) == pytest.approx(
        10 * math.log10(snr / (snr + 1)), abs=1e-3
    )


def test_rates_of_nr_take_the_traffic_beam_and_levels_the_broadcast_beam() -> None:
    terrain = flat_terrain(31, 50.0)
    plain = omni_network(terrain, [(425.0, 775.0), (1125.0, 775.0)], 0.6, technology="5G")
    ssb = array_antenna("ssb", Array(4, 4), ssb_beams(4, tilt_deg=3.0))
    steered = replace(ssb, traffic=array_antenna("beams", Array(8, 8), traffic_beams()))
    tilted = {"antenna": "ssb", "mechanical_tilt_deg": 4.0, "electrical_tilt_deg": 5.0, "azimuth_deg": 40.0}
    network = plain.with_values("sectors", plain.sectors["sector_id"], tx_height_agl_m=25.0, **tilted)
    with_beams = radio(network, terrain, technology="5G", antennas={"ssb": steered})
    without = radio(network, terrain, technology="5G", antennas={"ssb": ssb})
    got, base = with_beams.layers(), without.layers()
    for name in ("rsrp_dbm", "reference_sinr_db", "rsrq_db", "best_server", "limiting_link", "coverage_probability"):
        np.testing.assert_array_equal(got[name], base[name])
    extra = got["sinr_db"].values - base["sinr_db"].values
    placement, radius = with_beams.predictor.placement, effective_earth_radius_m(MODEL)
    x, y = terrain.centres()
    for r, c in ((2, 3), (15, 15), (20, 28), (30, 0)):
        s = int(got["best_server"].values[r, c])
        east, north = x[c] - placement.x_m[s], y[r] - placement.y_m[s]
        d = math.hypot(east, north)
        off = math.degrees(math.atan2(east, north)) - placement.north_deg[s] - 40.0
        down = math.degrees(math.atan2(1.5 - 25.0, d) - d / (2 * radius))
        gains = [
            float(a.gain_dbi_at(off, down, mechanical_tilt_deg=4.0, electrical_tilt_deg=5.0))
            for a in (steered.traffic, ssb)
        ]
        assert extra[r, c] == pytest.approx(max(gains[0] - gains[1], 0.0), abs=1e-3)
    # Beams that never reach what the broadcast does: data goes out on the broadcast beam.
    weaker = replace(ssb, traffic=replace(ssb, gain_dbi=ssb.gain_dbi - 3.0))
    same = radio(network, terrain, technology="5G", antennas={"ssb": weaker}).layers()
    np.testing.assert_array_equal(same["sinr_db"], base["sinr_db"])
    assert (got["uplink_mbps"].values >= base["uplink_mbps"].values).all()
    assert got["uplink_mbps"].values.mean() > base["uplink_mbps"].values.mean()
    demand = np.full(terrain.shape, 0.05)
    assert solve_load(with_beams, demand).unserved_mbps < 0.8 * solve_load(without, demand).unserved_mbps


def test_built_in_panel_sends_data_five_decibels_above_its_broadcast() -> None:
    terrain = flat_terrain(21, 50.0)
    network = omni_network(terrain, [(525.0, 725.0)], technology="5G")
    panel = network.with_values("sectors", network.sectors["sector_id"], antenna="panel-2600-ssb")
    layers = radio(panel, terrain, technology="5G").layers()
    snr = layers["rsrp_dbm"].values - 10 * math.log10(NOISE_MW * 2)
    far = layers["rsrp_dbm"].values < -30.0  # beside the mast the level passes what sums can hold
    np.testing.assert_allclose(layers["sinr_db"].values[far], snr[far] + 5.0, atol=2e-4)


def test_two_carriers_do_not_interfere() -> None:
    terrain = flat_terrain(31, 50.0)
    network = omni_network(terrain, [(425.0, 775.0), (1125.0, 775.0)], 1.0)
    network = Network(network.sites, network.sectors, network.cells.assign(frequency_mhz=[1842.5, 1862.5]))
    result = radio(network, terrain)
    assert len(result.carriers) == 2
    alone = radio(network.without_site("s1"), terrain).layers()["sinr_db"].values[15, 15]
    assert float(result.layers()["sinr_db"].values[15, 15]) == pytest.approx(float(alone), abs=1e-5)


def test_throughput_layers(many: tuple[Terrain, Network, RadioMap]) -> None:
    layers = many[2].layers()
    sinr = layers["sinr_db"].values
    efficiency = np.where(sinr < -10, 0.0, np.minimum(0.6 * np.log2(1 + 10 ** (sinr / 10)), 0.6 * np.log2(1 + 10**2.2)))
    np.testing.assert_allclose(layers["downlink_mbps"].values, efficiency * 20.0 * 2, rtol=1e-4)
    for layer in layers.data_vars.values():
        assert layer.attrs["units"]
        assert layer.attrs["long_name"]


def test_bad_settings() -> None:
    terrain = flat_terrain(15)
    network = omni_network(terrain, [(600.0, 600.0)])
    with pytest.raises(ParameterError, match="top"):
        radio(network, terrain, top=1)
    with pytest.raises(ParameterError, match="loads"):
        radio(network, terrain).with_load(1.2)


def test_receiver_noise_lowers_sinr() -> None:
    terrain = flat_terrain(21, 50.0)
    network = omni_network(terrain, [(525.0, 725.0)])
    quiet = radio(network, terrain).layers()["sinr_db"].values
    noisy = (
        radio(network, terrain, receiver=Receiver(noise_figure_db=10.0), service=Service()).layers()["sinr_db"].values
    )
    np.testing.assert_allclose(quiet - noisy, 3.0, atol=1e-4)


def test_service_conditions_and_reliability(many: tuple[Terrain, Network, RadioMap]) -> None:
    terrain, network, result = many
    plain = result.layers()
    service = Service(
        required_sinr_db=3.0, required_downlink_mbps=30.0, required_uplink_mbps=1.0, target_probability=0.9
    )
    layers = radio(network, terrain, radius_m=1500.0, service=service).layers()
    want = (
        (plain["sinr_db"] >= 3.0) & (plain["downlink_mbps"] >= 30.0) & (plain["uplink_mbps"] >= 1.0)
        & (plain["coverage_probability"] >= 0.9) & plain["service_met"]
    ).values  # fmt: skip
    np.testing.assert_array_equal(layers["service_met"].values, want)
    assert 0 < want.sum() < plain["service_met"].values.sum()
    found = result.reliability(0.9)
    p = plain["coverage_probability"].values
    assert found["mean_probability"] == pytest.approx(float(np.nanmean(p)), abs=1e-6)
    assert found["share_at_target"] == pytest.approx(float((p[np.isfinite(p)] >= 0.9).mean()))


def test_a_model_with_its_own_margin_gives_no_probability() -> None:
    @dataclass(frozen=True)
    class Marginal(LogDistance):
        location_percent: float = 95.0

    terrain = flat_terrain(15)
    network = omni_network(terrain, [(600.0, 600.0)])
    result = radio(network, terrain, model=Marginal())
    assert "coverage_probability" not in result.layers()
    with pytest.raises(ParameterError, match="50 %"):
        result.reliability()
    with pytest.raises(ParameterError, match="medians"):
        radio(network, terrain, model=Marginal(), service=Service(target_probability=0.9)).layers()


def test_devices() -> None:
    assert Receiver.named("handset") == Receiver()
    assert Receiver.named("fixed").gain_dbi == 9.0
    with pytest.raises(ParameterError, match="known: handset"):
        Receiver.named("toaster")
