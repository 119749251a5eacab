from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from coverage_helpers import LogDistance, flat_terrain
from rfplan.coverage import Service, compute_coverage, compute_coverages
from rfplan.errors import ParameterError
from rfplan.network import Network

SETTINGS = {"model": LogDistance(), "radius_m": 1500.0, "method": "exact"}


@pytest.fixture(scope="module")
def network() -> Network:
    terrain = flat_terrain(31)
    lon, lat = terrain.lonlat(
        terrain.x0_m + np.array([600.0, 1400.0, 2200.0]), terrain.y0_m - np.array([700.0, 1500.0, 800.0])
    )
    return Network.with_sectors(
        pd.DataFrame(
            {
                "site_id": ["a", "b", "c"], "lon_deg": lon, "lat_deg": lat, "operator": ["V", "M", "V"],
                "technologies": ["2G;4G", "4G;5G", "3G;4G"], "tx_height_agl_m": [30.0, 40.0, np.nan],
            }
        )
    )  # fmt: skip


def test_one_pass_gives_what_single_ones_give(network: Network) -> None:
    terrain = flat_terrain(31)
    both = compute_coverages(network, terrain, by_operator=True, **SETTINGS)
    assert list(both.by_technology) == ["2G", "3G", "4G", "5G"]
    for technology, coverage in both.by_technology.items():
        alone = compute_coverage(
            network, terrain, technology=technology, service=Service().for_technology(technology), **SETTINGS
        )
        for name in ("rsrp_dbm", "best_server", "margin_db", "covered"):
            np.testing.assert_array_equal(coverage.layers[name], alone.layers[name])
    mine = compute_coverage(network.only_operator("V"), terrain, **SETTINGS)
    np.testing.assert_array_equal(both.by_operator["V", "4G"].layers["rsrp_dbm"], mine.layers["rsrp_dbm"])
    # Best of the operators is any operator's.
    merged = np.fmax(*(both.by_operator[o, "4G"].layers["margin_db"].values for o in "VM"))
    np.testing.assert_array_equal(merged, both.by_technology["4G"].layers["margin_db"].values)


def test_layers_over_technologies(network: Network) -> None:
    both = compute_coverages(network, flat_terrain(31), by_operator=True, **SETTINGS)
    layers = both.layers()
    assert set(layers) == {"covered_2g", "covered_3g", "covered_4g", "covered_5g", "best_technology", "operator_count"}
    fourth = layers["covered_4g"].values
    assert (layers["best_technology"].values[fourth] >= 4).all()
    assert layers["operator_count"].values.max() == 2
    assert ((layers["operator_count"].values > 0) == (layers["best_technology"].values > 0)).all()


def test_settings(network: Network) -> None:
    terrain = flat_terrain(31)
    strict = {"4G": Service(required_rsrp_dbm=-90.0)}
    got = compute_coverages(network, terrain, technologies=["4G"], service=strict, **SETTINGS)
    assert got.by_technology["4G"].service.required_rsrp_dbm == -90.0
    assert "operator_count" not in got.layers()
    with pytest.raises(ParameterError, match="no entry for 2G"):
        compute_coverages(network, terrain, service=strict, **SETTINGS)
    with pytest.raises(ParameterError, match="no technology"):
        compute_coverages(Network.empty(), terrain, **SETTINGS)
