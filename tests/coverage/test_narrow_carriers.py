"""3G Ec/N0 and 2G C/I against closed forms, frequencies by reuse, pilot pollution, shares of time."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from coverage_helpers import LogDistance, flat_terrain, omni_network
from rfplan.coverage import RadioMap, Service, compute_coverage, compute_radio, solve_load
from rfplan.coverage.budget import carrier_grid, noise_dbm
from rfplan.errors import DataWarning, ParameterError
from rfplan.network import Network, SectorTemplate, plan_reuse
from rfplan.terrain import Terrain

MODEL = LogDistance()


def radio(network: Network, terrain: Terrain, technology: str, **settings: object) -> RadioMap:
    return compute_radio(
        network, terrain, model=MODEL, radius_m=3000.0, method="exact", technology=technology, **settings
    )


def milliwatt(distance_m: float, frequency_mhz: float, power_dbm: float) -> float:
    loss = 32.4 + 35 * math.log10(distance_m) + 20 * math.log10(frequency_mhz / 1000)
    return 10 ** ((power_dbm - 0.5 - 1.0 - loss) / 10)


def test_widths_of_carriers() -> None:
    assert carrier_grid("2G", 0.2) == (1, 200.0)
    assert carrier_grid("3G", 5.0) == (1, 3840.0)
    assert carrier_grid("4G", 20.0) == (100, 15.0)
    assert carrier_grid("5G", 100.0) == (273, 30.0)


@pytest.mark.parametrize("load", [0.0, 0.2, 0.6, 1.0])
def test_pilot_over_everything_received(load: float) -> None:
    """Two cells at 700 and 300 m: Ec/N0 = pilot / (all power sent, own included, + noise in 3.84 MHz)."""
    terrain = flat_terrain(41, 50.0)
    middle = 20.5 * 50.0
    network = omni_network(terrain, [(middle - 300, middle), (middle + 700, middle)], load, technology="3G")
    layers = radio(network, terrain, "3G").layers()
    near, far = (milliwatt(d, 2132.4, 46.0) for d in (300.0, 700.0))
    noise = 10 ** (0.1 * float(noise_dbm(3.84e6, 7.0)))
    rssi = max(load, 0.2) * (near + far) + noise
    assert float(layers["ec_n0_db"].values[20, 20]) == pytest.approx(10 * math.log10(0.1 * near / rssi), abs=2e-4)
    assert float(layers["rssi_dbm"].values[20, 20]) == pytest.approx(10 * math.log10(rssi), abs=2e-4)
    assert float(layers["rsrp_dbm"].values[20, 20]) == pytest.approx(10 * math.log10(0.1 * near), abs=2e-4)
    assert "RSCP" in layers["rsrp_dbm"].attrs["long_name"]
    assert "sinr_db" not in layers


def test_lone_pilot_of_a_cell_at_its_common_channels_is_three_decibels_down() -> None:
    terrain = flat_terrain(21, 50.0)
    network = omni_network(terrain, [(525.0, 725.0)], 0.0, technology="3G")
    empty = radio(network, terrain, "3G")
    # A tenth of the power over the fifth that the common channels take: -3.01 dB near the mast.
    assert float(empty.layers()["ec_n0_db"].max()) == pytest.approx(-10 * math.log10(2.0), abs=1e-3)
    assert float(empty.with_load(1.0).layers()["ec_n0_db"].max()) == pytest.approx(-10.0, abs=1e-3)


def test_carrier_over_interference_by_frequency() -> None:
    """Three cells, two of them on one frequency: only these disturb each other, at full power whatever their load."""
    terrain = flat_terrain(41, 50.0)
    x = 20.5 * 50.0
    network = omni_network(terrain, [(x - 400, x), (x + 900, x), (x, x - 500)], 0.1, technology="2G")
    network = Network(network.sites, network.sectors, network.cells.assign(frequency_mhz=[947.4, 947.4, 950.0]))
    layers = radio(network, terrain, "2G").layers()
    own, other = milliwatt(400.0, 947.4, 46.0), milliwatt(900.0, 947.4, 46.0)
    noise = 10 ** (0.1 * float(noise_dbm(200e3, 7.0)))
    assert float(layers["c_i_db"].values[20, 20]) == pytest.approx(10 * math.log10(own / (other + noise)), abs=2e-4)
    assert float(layers["rssi_dbm"].values[20, 20]) == pytest.approx(10 * math.log10(own + other + noise), abs=2e-4)
    # Beside the third cell nobody else is on its frequency: C/I is the SNR.
    third = milliwatt(100.0, 950.0, 46.0)
    assert int(layers["best_server"].values[12, 20]) == 2
    assert float(layers["c_i_db"].values[12, 20]) == pytest.approx(10 * math.log10(third / noise), abs=2e-4)
    strict = radio(network, terrain, "2G", service=Service(required_rsrp_dbm=-100.0, required_sinr_db=12.0)).layers()
    met = strict["service_met"].values
    assert 0 < met.sum() < met.size
    assert (strict["c_i_db"].values[met] >= 12.0).all()


def test_levels_and_servers_are_those_of_the_coverage() -> None:
    terrain = flat_terrain(31, 50.0)
    network = omni_network(terrain, [(425.0, 775.0), (1125.0, 700.0)], technology="3G")
    layers = radio(network, terrain, "3G").layers()
    plain = compute_coverage(network, terrain, technology="3G", model=MODEL, radius_m=3000.0, method="exact").layers
    np.testing.assert_array_equal(layers["rsrp_dbm"], plain["rsrp_dbm"])
    np.testing.assert_array_equal(layers["best_server"], plain["best_server"])


def _two_g(count: int) -> Network:
    rng = np.random.default_rng(3)
    sites = pd.DataFrame(
        {
            "site_id": [f"s{i}" for i in range(count)],
            "lon_deg": rng.uniform(105.0, 105.3, count),
            "lat_deg": rng.uniform(21.0, 21.3, count),
        }
    )
    return Network.with_sectors(sites, SectorTemplate(technologies="2G;4G"))


def test_reuse_keeps_like_frequencies_apart() -> None:
    network = _two_g(40)
    frequencies = [935.2 + 0.2 * k for k in range(12)]
    planned = plan_reuse(network, frequencies)
    cells = planned.cells.merge(planned.sectors[["sector_id", "site_id"]], on="sector_id").merge(planned.sites)
    two = cells[cells["technology"] == "2G"]
    assert set(two["frequency_mhz"]) == set(np.unique(frequencies))
    np.testing.assert_allclose(two["frequency_mhz"] - two["uplink_frequency_mhz"], 45.0)
    assert not two.duplicated(["site_id", "frequency_mhz"]).any()
    pd.testing.assert_frame_equal(
        planned.cells[planned.cells["technology"] == "4G"], network.cells[network.cells["technology"] == "4G"]
    )

    def nearest_km(frame: pd.DataFrame) -> float:
        """Mean distance to the nearest other use of a cell's frequency."""
        xy = 111.2 * np.stack([frame["lon_deg"] * math.cos(math.radians(21.15)), frame["lat_deg"]], axis=1)
        found = []
        for i in range(len(frame)):
            same = (frame["frequency_mhz"].to_numpy() == frame["frequency_mhz"].iloc[i]) & (np.arange(len(frame)) != i)
            found.append(np.hypot(*(xy[same] - xy[i]).T).min())
        return float(np.mean(found))

    rng = np.random.default_rng(1)
    at_random = two.assign(
        frequency_mhz=np.concatenate([rng.choice(np.unique(frequencies), 3, replace=False) for _ in range(40)])
    )
    assert nearest_km(two) > 1.25 * nearest_km(at_random)
    with pytest.raises(ParameterError, match="a site has 3 2G cells"):
        plan_reuse(network, [935.2, 935.4])
    with pytest.raises(ParameterError, match="no 3G cell"):
        plan_reuse(network, frequencies, technology="3G")


def test_one_frequency_for_all_is_told() -> None:
    terrain = flat_terrain(31, 50.0)
    network = omni_network(terrain, [(425.0, 775.0), (1125.0, 700.0)], technology="2G")
    with pytest.warns(DataWarning, match=r"947\.4 MHz.*plan_reuse"):
        radio(network, terrain, "2G")


def test_loads_need_rates() -> None:
    terrain = flat_terrain(21, 50.0)
    map_3g = radio(omni_network(terrain, [(525.0, 725.0)], technology="3G"), terrain, "3G")
    with pytest.raises(ParameterError, match="4G and 5G"):
        solve_load(map_3g, np.zeros(terrain.shape))
    rated = radio(map_3g.network, terrain, "3G", service=Service(required_rsrp_dbm=-100.0, required_downlink_mbps=1.0))
    with pytest.raises(ParameterError, match="rates"):
        rated.layers()


def test_pollution_is_more_than_three_near_the_strongest() -> None:
    terrain = flat_terrain(41, 50.0)
    heard = Service(required_rsrp_dbm=-125.0)
    x = 20.5 * 50.0
    ring = [(x + 600 * math.cos(a), x + 600 * math.sin(a)) for a in np.arange(4) * math.pi / 2]
    four = radio(omni_network(terrain, ring), terrain, "4G", service=heard).layers()
    assert bool(four["pilot_pollution"].values[20, 20])
    assert not bool(four["pilot_pollution"].values[20, 30])
    three = radio(omni_network(terrain, ring[:3]), terrain, "4G", service=heard).layers()
    assert not three["pilot_pollution"].values.any()
    weak = radio(omni_network(terrain, ring), terrain, "4G", service=Service(required_rsrp_dbm=-30.0)).layers()
    assert not weak["pilot_pollution"].values[20, 20]


@pytest.mark.parametrize(("uplink_mhz", "share"), [(2550.0, 0.75), (2670.0, 1.0)])
def test_time_is_shared_where_the_frequency_is(uplink_mhz: float, share: float) -> None:
    """4G with one frequency both ways is TDD: a quarter of the time is left for the uplink; FDD has all both ways."""
    terrain = flat_terrain(21, 50.0)
    lon, lat = terrain.lonlat([terrain.x0_m + 525.0], [terrain.y0_m - 725.0])
    sites = pd.DataFrame({"site_id": ["s"], "lon_deg": lon, "lat_deg": lat})
    template = SectorTemplate(
        frequency_mhz=2550.0, uplink_frequency_mhz=uplink_mhz, antenna="isotropic", tx_height_agl_m=1.5
    )
    network = Network.with_sectors(sites, template, azimuth_deg=(0.0,))
    assert network.cells["downlink_share"].tolist() == [share]
    layers = radio(network, terrain, "4G").layers()
    # At the caps of TR 36.942: 4.39 bit/s/Hz x 20 MHz x 2 layers down; 2.01 x 18 MHz up.
    assert float(layers["downlink_mbps"].max()) == pytest.approx(0.6 * math.log2(1 + 10**2.2) * 40 * share, rel=1e-4)
    up = 0.4 * math.log2(1 + 10**1.5) * 18.0 * (0.25 if share < 1.0 else 1.0)
    assert float(layers["uplink_mbps"].max()) == pytest.approx(up, rel=1e-4)
