from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numba
import numpy as np
import pandas as pd
import pytest

from coverage_helpers import LogDistance, flat_terrain, omni_network
from naive.strongest import naive_strongest
from rfplan.coverage import compute_coverage, strongest_servers
from rfplan.errors import ParameterError
from rfplan.network import Network, SectorTemplate
from rfplan.propagation.p1812 import P1812
from rfplan.terrain import Terrain


def hills(size: int = 40) -> Terrain:
    rng = np.random.default_rng(4)
    ground = (120.0 * rng.random((size, size))).astype(np.float32)
    ground[5:7, 5:9] = np.nan
    return replace(flat_terrain(size), elevation_amsl_m=ground)


def network_on(terrain: Terrain, count: int = 5, seed: int = 2) -> Network:
    """Three-sector sites of two bands, two of them at one place."""
    rng = np.random.default_rng(seed)
    xy = 90.0 * rng.uniform(8.0, 34.0, (count, 2))
    xy[1] = xy[0]
    lon, lat = terrain.lonlat(terrain.x0_m + xy[:, 0], terrain.y0_m - xy[:, 1])
    names = [f"s{i}" for i in rng.permutation(count)]
    sites = pd.DataFrame({"site_id": names, "lon_deg": lon, "lat_deg": lat})
    return Network.with_sectors(sites, SectorTemplate(technologies="4G", mechanical_tilt_deg=2.0))


def shuffled(network: Network, seed: int = 7) -> Network:
    rng = np.random.default_rng(seed)
    tables = {
        name: getattr(network, name).iloc[rng.permutation(len(getattr(network, name)))].reset_index(drop=True)
        for name in ("sites", "sectors", "cells")
    }
    return replace(network, **tables)


def names_of(found, network: Network) -> np.ndarray:
    ids = np.append(network.cells["cell_id"].to_numpy(dtype=str), "")
    return ids[found["server"].values]


SETTINGS = {"model": LogDistance(), "radius_m": 2000.0, "method": "exact"}


def test_against_naive() -> None:
    terrain = hills(28)
    network = network_on(terrain, 3)
    found = strongest_servers(network, terrain, 4, **SETTINGS)
    ids, levels = naive_strongest(network, terrain, 4, **SETTINGS)
    names = names_of(found, network)
    assert max(len(here) for row in ids for here in row) == 4
    for r in range(28):
        for c in range(28):
            assert [n for n in names[:, r, c] if n] == ids[r][c]
    np.testing.assert_array_equal(found["rsrp_dbm"].values, levels)


def test_first_layer_and_margin_are_those_of_the_coverage() -> None:
    terrain = hills()
    network = network_on(terrain)
    found = strongest_servers(network, terrain, 3, **SETTINGS)
    coverage = compute_coverage(network, terrain, **SETTINGS).layers
    np.testing.assert_array_equal(found["rsrp_dbm"].values[0], coverage["rsrp_dbm"].values)
    np.testing.assert_array_equal(found["server"].values[0], coverage["best_server"].values)
    np.testing.assert_array_equal(found["margin_db"].values, coverage["margin_db"].values)
    levels = found["rsrp_dbm"].values
    with np.errstate(invalid="ignore"):
        assert not (levels[1:] > levels[:-1]).any()
    assert np.isnan(levels[:, 5, 6]).all()
    assert (found["server"].values[:, 5, 6] == -1).all()


def test_same_whatever_order_sites_and_cells_come_in() -> None:
    terrain = hills()
    network = network_on(terrain)
    one = strongest_servers(network, terrain, 4, **SETTINGS)
    for seed in (1, 2, 3):
        other = shuffled(network, seed)
        two = strongest_servers(other, terrain, 4, **SETTINGS)
        np.testing.assert_array_equal(one["rsrp_dbm"].values, two["rsrp_dbm"].values)
        np.testing.assert_array_equal(names_of(one, network), names_of(two, other))
        np.testing.assert_array_equal(one["margin_db"].values, two["margin_db"].values)


def test_coverage_is_the_same_whatever_order_sites_and_cells_come_in() -> None:
    terrain = flat_terrain(31)
    network = omni_network(terrain, [(950.0, 950.0), (1900.0, 1700.0), (950.0, 950.0), (1900.0, 1700.0)])
    one = compute_coverage(network, terrain, model=LogDistance(), radius_m=1200.0).layers
    assert len(np.unique(one["best_server"])) == 3  # two ties, decided alike everywhere
    for seed in (1, 2, 3):
        other = shuffled(network, seed)
        two = compute_coverage(other, terrain, model=LogDistance(), radius_m=1200.0).layers
        ids = [np.append(n.cells["cell_id"].to_numpy(dtype=str), "") for n in (network, other)]
        np.testing.assert_array_equal(ids[0][one["best_server"].values], ids[1][two["best_server"].values])
        for name in ("rsrp_dbm", "margin_db", "closed_rsrp_dbm"):
            assert one[name].values.tobytes() == two[name].values.tobytes()


def test_equal_levels_are_listed_by_cell_id() -> None:
    terrain = flat_terrain(21)
    network = omni_network(terrain, [(950.0, 950.0)] * 4)
    for other in (network, shuffled(network, 5)):
        found = strongest_servers(other, terrain, 3, model=LogDistance(), radius_m=600.0)
        levels = found["rsrp_dbm"].values[:, 10, 12]
        assert levels[0] == levels[1] == levels[2]
        first = sorted(network.cells["cell_id"])[:3]
        assert names_of(found, other)[:, 10, 12].tolist() == first


def test_same_bits_at_one_and_two_threads_and_from_cold_and_warm_store(tmp_path: Path) -> None:
    terrain = hills(60)
    network = network_on(terrain)
    settings = {"model": P1812(), "radius_m": 1800.0}
    before = numba.get_num_threads()
    results = []
    for threads, store in ((1, None), (2, None), (2, tmp_path), (1, tmp_path)):
        numba.set_num_threads(min(threads, before))
        results.append(strongest_servers(network, terrain, 4, path_loss_store=store, **settings))
    numba.set_num_threads(before)
    for other in results[1:]:
        for name in ("rsrp_dbm", "server", "margin_db"):
            assert results[0][name].values.tobytes() == other[name].values.tobytes()


def test_layers_are_labelled_and_progress_is_told() -> None:
    terrain = hills(30)
    network = network_on(terrain, 3)
    told: list[tuple[int, int]] = []
    found = strongest_servers(network, terrain, 2, progress=lambda i, n: told.append((i, n)), **SETTINGS)
    assert found["rsrp_dbm"].dims == ("k", "y", "x")
    assert found["k"].values.tolist() == [1, 2]
    assert {name: found[name].attrs["units"] for name in found} == {"rsrp_dbm": "dBm", "server": "1", "margin_db": "dB"}
    assert told[-1] == (3, 3)


@pytest.mark.parametrize("k", [0, -1, 33])
def test_impossible_k(k: int) -> None:
    terrain = hills(30)
    with pytest.raises(ParameterError, match=f"k={k}"):
        strongest_servers(network_on(terrain, 2), terrain, k, **SETTINGS)
