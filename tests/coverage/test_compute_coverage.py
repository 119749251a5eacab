from __future__ import annotations

import math
from dataclasses import replace

import numba
import numpy as np
import pandas as pd
import pytest

from coverage_helpers import LogDistance, flat_terrain
from naive.coverage import naive_coverage
from rfplan.antenna import Antenna, Array, array_antenna, omni_antenna, ssb_beams
from rfplan.coverage import Coverage, Receiver, Service, compute_coverage, site_margins
from rfplan.coverage.link import fading_margin_db
from rfplan.errors import DataWarning, ParameterError
from rfplan.network import Network, SectorTemplate
from rfplan.terrain import Terrain

EARTH = 6371e3 * 4 / 3
MODEL = LogDistance()


def loss_db(distance_m: float, frequency_mhz: float) -> float:
    return 32.4 + 35.0 * math.log10(distance_m) + 20.0 * math.log10(frequency_mhz / 1000.0)


def network_at(terrain: Terrain, places: list[tuple[float, float]], **columns: object) -> Network:
    x = [terrain.x0_m + (c + 0.5) * terrain.resolution_m + 13.0 for _, c in places]
    y = [terrain.y0_m - (r + 0.5) * terrain.resolution_m - 7.0 for r, _ in places]
    lon, lat = terrain.lonlat(x, y)
    sites = pd.DataFrame({"site_id": [f"s{i}" for i in range(len(places))], "lon_deg": lon, "lat_deg": lat, **columns})
    return Network.with_sectors(sites, SectorTemplate(mechanical_tilt_deg=2.0))


def hills(terrain: Terrain) -> Terrain:
    rng = np.random.default_rng(1)
    ground = 40.0 * rng.random(terrain.shape).astype(np.float32)
    ground[3:6, 3:9] = np.nan
    return replace(terrain, elevation_amsl_m=ground)


@pytest.fixture(scope="module")
def small() -> tuple[Terrain, Network, Coverage]:
    terrain = hills(flat_terrain(25))
    network = network_at(terrain, [(8.0, 9.0), (15.0, 17.0)], tx_height_agl_m=[30.0, 45.0])
    coverage = compute_coverage(network, terrain, model=MODEL, radius_m=1400.0, method="exact")
    return terrain, network, coverage


def test_against_naive(small: tuple[Terrain, Network, Coverage]) -> None:
    terrain, network, coverage = small
    want = naive_coverage(network, terrain, loss_db, Receiver(), Service(), "4G", 1400.0, EARTH)
    np.testing.assert_allclose(coverage.layers["rsrp_dbm"], want["rsrp_dbm"], atol=2e-5)
    np.testing.assert_allclose(coverage.layers["margin_db"], want["margin_db"], atol=2e-5)
    np.testing.assert_allclose(coverage.layers["closed_rsrp_dbm"], want["closed_rsrp_dbm"], atol=2e-5)
    np.testing.assert_array_equal(coverage.layers["best_server"], want["best_server"])
    assert np.isnan(coverage.layers["rsrp_dbm"].values[4, 4])
    assert coverage.layers["best_server"].values[4, 4] == -1


ANGLE = (np.arange(360.0) + 180.0) % 360.0 - 180.0
CUTS = (np.minimum((ANGLE / 20.0) ** 2, 28.0), np.minimum(((ANGLE - 4.0) / 4.0) ** 2, 19.0))
KINDS = {
    "horizontal-projection": Antenna("a", 16.0, *CUTS, electrical_tilt_deg=4.0, cut_azimuth_deg=10.5),
    "sum": Antenna("a", 16.0, *CUTS, method="sum", max_loss_db=30.0),
    "cross-weighted": Antenna("a", 16.0, *CUTS, method="cross-weighted"),
    "sampled": array_antenna("a", Array(4, 2), ssb_beams(3)),
    "omni": omni_antenna("a", 8.0, 12.0),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_pattern_against_naive(small: tuple[Terrain, Network, Coverage], kind: str) -> None:
    terrain, network, _ = small
    one = network.without_site("s1")
    one = one.with_values("sectors", one.sectors["sector_id"], antenna="a")
    got = compute_coverage(one, terrain, model=MODEL, radius_m=900.0, method="exact", antennas={"a": KINDS[kind]})
    want = naive_coverage(one, terrain, loss_db, Receiver(), Service(), "4G", 900.0, EARTH, {"a": KINDS[kind]})
    np.testing.assert_allclose(got.layers["rsrp_dbm"], want["rsrp_dbm"], atol=2e-5)
    np.testing.assert_array_equal(got.layers["best_server"], want["best_server"])


def test_layers_describe_themselves(small: tuple[Terrain, Network, Coverage]) -> None:
    layers = small[2].layers
    assert layers["rsrp_dbm"].dims == ("y", "x")
    assert (np.diff(layers["y"]) < 0).all()
    for name in ("rsrp_dbm", "best_server", "margin_db", "covered"):
        assert layers[name].attrs["units"]
        assert layers[name].attrs["long_name"]
        assert layers[name].attrs["grid_mapping"] == "spatial_ref"
    assert "crs_wkt" in layers["spatial_ref"].attrs
    assert (layers["covered"].values == (layers["margin_db"].values >= 0)).all()
    assert "Coverage(4G, 2 sites" in repr(small[2])


def test_one_hand_worked_pixel() -> None:
    """46 dBm over 100 RB, 17 dBi, 0.5 dB feeder, 1 dB body; due north at antenna height: no tilt, no pattern loss."""
    terrain = flat_terrain(41)
    network = network_at(terrain, [(20.0, 20.0)])
    network = Network(
        network.sites,
        network.sectors.assign(mechanical_tilt_deg=0.0, electrical_tilt_deg=0.0, tx_height_agl_m=1.5),
        network.cells,
    )
    coverage = compute_coverage(network, terrain, model=MODEL, radius_m=1700.0, method="exact")
    distance = 15 * 90.0 + 7.0
    got = float(coverage.layers["rsrp_dbm"].values[5, 20])
    expected = 46 - 10 * math.log10(1200) + 17 - 0.5 - 1 - loss_db(math.hypot(distance, 13.0), 1842.5)
    assert got == pytest.approx(expected, abs=5e-3)
    assert coverage.network.sectors["azimuth_deg"].iloc[coverage.layers["best_server"].values[5, 20]] == 0.0
    assert coverage.network.sectors["azimuth_deg"].iloc[coverage.layers["best_server"].values[28, 30]] == 120.0
    assert coverage.network.sectors["azimuth_deg"].iloc[coverage.layers["best_server"].values[28, 10]] == 240.0


def test_adding_sites_covers_exactly_the_union(small: tuple[Terrain, Network, Coverage]) -> None:
    terrain, network, both = small
    settings = {"model": MODEL, "radius_m": 1400.0, "method": "exact", "service": Service(required_rsrp_dbm=-78.0)}
    whole = compute_coverage(network, terrain, **settings)
    union = np.zeros(terrain.shape, dtype=bool)
    best = np.full(terrain.shape, np.nan, dtype=np.float32)
    for site, rows, cols, margin, rsrp in site_margins(network, terrain, **settings):
        assert site in (0, 1)
        with np.errstate(invalid="ignore"):
            union[rows, cols] |= margin >= 0
        best[rows, cols] = np.fmax(best[rows, cols], rsrp)
    assert 0 < union.sum() < union.size
    np.testing.assert_array_equal(whole.covered, union)
    np.testing.assert_array_equal(whole.layers["rsrp_dbm"].values, best)
    np.testing.assert_array_equal(both.layers["rsrp_dbm"].values, best)


def test_bit_identical_at_any_thread_count_and_site_order(small: tuple[Terrain, Network, Coverage]) -> None:
    terrain, network, coverage = small
    threads = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        one = compute_coverage(network, terrain, model=MODEL, radius_m=1400.0, method="exact")
    finally:
        numba.set_num_threads(threads)
    turned = Network(network.sites.iloc[::-1], network.sectors, network.cells)
    other = compute_coverage(turned, terrain, model=MODEL, radius_m=1400.0, method="exact")
    for name in ("rsrp_dbm", "best_server", "margin_db", "closed_rsrp_dbm"):
        np.testing.assert_array_equal(coverage.layers[name], one.layers[name])
        np.testing.assert_array_equal(coverage.layers[name], other.layers[name])


@pytest.mark.nojit
@pytest.mark.boundscheck
def test_equal_levels_go_to_the_first_cell() -> None:
    terrain = flat_terrain(15)
    network = network_at(terrain, [(7.0, 7.0), (7.0, 7.0)])
    coverage = compute_coverage(network, terrain, model=MODEL, radius_m=600.0, method="exact")
    assert set(np.unique(coverage.layers["best_server"])) <= {-1, 0, 1, 2}


def test_uplink_limits_where_the_phone_is_weak() -> None:
    terrain = flat_terrain(15)
    network = network_at(terrain, [(7.0, 7.0)])
    strong = compute_coverage(network, terrain, model=MODEL, radius_m=600.0, method="exact")
    weak = compute_coverage(
        network, terrain, model=MODEL, radius_m=600.0, method="exact", receiver=Receiver(power_dbm=-10.0)
    )
    np.testing.assert_array_equal(strong.layers["rsrp_dbm"], weak.layers["rsrp_dbm"])
    step = strong.layers["margin_db"].values - weak.layers["margin_db"].values
    # Downlink allows 140.71 dB with 17 dBi, 0.5 dB and 1 dB; uplink 144.73 dB plus the duplex term, less 33 dB.
    expected = 140.708 - (144.727 - 33.0 + 20 * math.log10(1842.5 / 1747.5))
    np.testing.assert_allclose(step[np.isfinite(step)], expected, atol=2e-3)


def test_coverage_at_any_threshold_is_what_predicting_anew_gives() -> None:
    """One strong cell whose uplink fails first and one weak cell whose uplink reaches farther: neither decides."""
    terrain = flat_terrain(41)
    network = network_at(terrain, [(12.0, 20.0), (26.0, 20.0)])
    power = np.where(network.cells["sector_id"].str.startswith("s0"), 52.0, 38.0)
    network = network.with_values("cells", network.cells["cell_id"], max_power_dbm=power)
    settings = {"model": MODEL, "radius_m": 1900.0, "method": "exact", "receiver": Receiver(power_dbm=-9.0)}
    base = compute_coverage(network, terrain, **settings)
    # Levels that occur to the bit, so that the comparison is put to the test on the border itself.
    closed = base.layers["closed_rsrp_dbm"].values
    levels = [float(v) for v in np.quantile(closed[np.isfinite(closed)], [0.05, 0.4, 0.9], method="nearest")]
    differs = 0
    for level in [-200.0, -101.3, -95.0, -80.1, *levels, *np.nextafter(np.float32(levels), np.float32(0.0))]:
        anew = compute_coverage(network, terrain, service=Service(required_rsrp_dbm=float(level)), **settings)
        np.testing.assert_array_equal(base.covered_at(float(level)), anew.covered)
        np.testing.assert_array_equal(base.layers["closed_rsrp_dbm"], anew.layers["closed_rsrp_dbm"])
        with np.errstate(invalid="ignore"):
            differs += int((anew.covered != (base.layers["rsrp_dbm"].values >= level)).sum())
    assert differs > 0


def test_a_model_with_its_own_margin_gets_none_again() -> None:
    class Model:
        location_percent = 95.0

    assert fading_margin_db(Service(), Model()) == 0.0
    assert fading_margin_db(Service(), MODEL) == 8.7


def test_off_terrain_sites() -> None:
    terrain = flat_terrain(15)
    network = network_at(terrain, [(7.0, 7.0), (400.0, 7.0)])
    with pytest.warns(DataWarning, match="1 of 2 sites are off the terrain"):
        coverage = compute_coverage(network, terrain, model=MODEL, radius_m=600.0, method="exact")
    assert coverage.off_terrain == ("s1",)
    assert network.validate(terrain).count("warning") == 1
    with pytest.raises(ParameterError, match="none of the 1 sites stands on known ground"):
        compute_coverage(network.without_site("s0"), terrain, model=MODEL, radius_m=600.0, method="exact")


def test_bad_settings_are_named() -> None:
    terrain = flat_terrain(15)
    network = network_at(terrain, [(7.0, 7.0)])
    with pytest.raises(ParameterError, match="no 5G cell"):
        compute_coverage(network, terrain, model=MODEL, technology="5G")
    with pytest.raises(ParameterError, match="no site"):
        compute_coverage(Network.empty(), terrain, model=MODEL)
    with pytest.raises(ParameterError, match="radius_m"):
        compute_coverage(network, terrain, model=MODEL, radius_m=-1.0)
    with pytest.raises(ParameterError, match="method"):
        compute_coverage(network, terrain, model=MODEL, method="magic")
    odd = Network(network.sites, network.sectors.assign(antenna="x"), network.cells)
    with pytest.raises(ParameterError, match="antenna 'x'"):
        compute_coverage(odd, terrain, model=MODEL)
    with pytest.raises(ParameterError, match="height_agl_m"):
        Receiver(height_agl_m=-1.0)
    with pytest.raises(ParameterError, match="known"):
        Service.named("underwater")


def test_services_and_technologies() -> None:
    assert Service.named("indoor").required_rsrp_dbm == -100.0
    assert Service().for_technology("4G") == Service()
    assert Service().for_technology("3G").required_rsrp_dbm == -105.0


def test_progress_counts_sites(small: tuple[Terrain, Network, Coverage]) -> None:
    calls: list[tuple[int, int]] = []
    compute_coverage(
        small[1], small[0], model=MODEL, radius_m=500.0, method="exact", progress=lambda a, b: calls.append((a, b))
    )
    assert calls == [(1, 2), (2, 2)]
