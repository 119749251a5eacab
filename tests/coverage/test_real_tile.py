"""A cut of the real tile with a real antenna: the sweep, the exact oracle and one link agree."""

from __future__ import annotations

from pathlib import Path

import numba
import numpy as np
import pandas as pd
import pytest

from rfplan.antenna import read_antenna
from rfplan.coverage import Coverage, compute_coverage, explain
from rfplan.network import Network
from rfplan.terrain import open_terrain


@pytest.fixture(scope="module")
def pair(data_dir: Path) -> tuple[Coverage, Coverage]:
    terrain = open_terrain(
        data_dir / "dem" / "N21E105.hgt", crs="EPSG:32648", resolution_m=180.0, bounds=(105.40, 21.36, 105.62, 21.56)
    )
    network = Network.with_sectors(
        pd.DataFrame({"site_id": ["plain", "foot"], "lon_deg": [105.48, 105.54], "lat_deg": [21.42, 21.47]})
    )
    panel = {"sector-1800": read_antenna(data_dir / "antennas" / "AMB4520R8v06_1845_P45_04T_y1.msi")}
    settings = {"radius_m": 8000.0, "antennas": panel}
    return compute_coverage(network, terrain, **settings), compute_coverage(
        network, terrain, method="exact", **settings
    )


def test_sweep_and_exact_agree(pair: tuple[Coverage, Coverage]) -> None:
    sweep, exact = (c.layers["rsrp_dbm"].values for c in pair)
    assert pair[0].method == "sweep"
    known = np.isfinite(exact)
    np.testing.assert_array_equal(known, np.isfinite(sweep))
    off = np.abs(sweep[known] - exact[known])
    assert off.mean() < 0.1
    assert np.percentile(off, 95) < 0.5
    assert (pair[0].covered != pair[1].covered).mean() < 0.005
    assert 0.02 < pair[1].covered[known].mean() < 0.98


def test_a_link_agrees_with_the_map(pair: tuple[Coverage, Coverage]) -> None:
    exact = pair[1]
    x, y = exact.terrain.centres()
    for row, col in ((40, 60), (70, 40), (60, 75)):
        lon, lat = exact.terrain.lonlat(x[col], y[row])
        margin = float(exact.layers["margin_db"].values[row, col])
        assert np.isfinite(margin)
        assert explain(exact, (float(lon), float(lat))).margin_db == pytest.approx(margin, abs=5e-3)


def test_same_bits_on_one_thread(pair: tuple[Coverage, Coverage]) -> None:
    sweep = pair[0]
    threads = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        one = compute_coverage(sweep.network, sweep.terrain, radius_m=8000.0, antennas=sweep.antennas)
    finally:
        numba.set_num_threads(threads)
    for name in ("rsrp_dbm", "best_server", "margin_db"):
        np.testing.assert_array_equal(one.layers[name].values, sweep.layers[name].values)
