from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from coverage_helpers import NOISE_MW, LogDistance, flat_terrain, level_mw, omni_network
from naive.load import naive_loads
from rfplan.coverage import RadioMap, compute_radio, simulate_load, solve_load, traffic_mbps
from rfplan.errors import ParameterError
from rfplan.network import Network
from rfplan.terrain import Terrain

MODEL = LogDistance()


def radio(network: Network, terrain: Terrain) -> RadioMap:
    return compute_radio(network, terrain, model=MODEL, radius_m=4000.0, method="exact")


def test_two_symmetric_cells_solve_one_equation() -> None:
    """Each cell serves one pixel 200 m away; the other cell is 1000 m from it: L = D / rate(L)."""
    terrain = flat_terrain(41, 50.0)
    y = 1025.0
    result = radio(omni_network(terrain, [(425.0, y), (1625.0, y)]), terrain)
    demand = np.zeros(terrain.shape)
    demand[20, 12] = demand[20, 28] = 40.0

    def rate(load: float) -> float:
        return 0.6 * math.log2(1 + level_mw(200.0) / (load * level_mw(1000.0) + NOISE_MW)) * 20.0 * 2

    expected = brentq(lambda load: load - 40.0 / rate(load), 0.0, 1.0)
    got = solve_load(result, demand)
    assert got.converged
    assert got.iterations < 50
    assert (np.diff(got.residuals) <= 0).all()
    np.testing.assert_allclose(got.load, expected, atol=1e-5)
    assert got.served_mbps == pytest.approx(80.0)
    assert got.unserved_mbps == pytest.approx(0.0, abs=1e-9)
    layers = got.layers()
    assert float(layers["cell_load"].values[20, 12]) == pytest.approx(expected, abs=1e-5)


def test_empty_and_overloaded_cells() -> None:
    terrain = flat_terrain(41, 50.0)
    result = radio(omni_network(terrain, [(425.0, 1025.0)]), terrain)
    idle = solve_load(result, np.zeros(terrain.shape))
    assert idle.load.tolist() == [0.0]
    assert idle.converged
    demand = np.zeros(terrain.shape)
    demand[20, 12] = 500.0
    busy = solve_load(result, demand)
    capacity = 0.6 * math.log2(1 + min(level_mw(200.0) / NOISE_MW, 10**2.2)) * 40.0
    assert busy.load.tolist() == [1.0]
    assert busy.demanded[0] == pytest.approx(500.0 / capacity, rel=1e-5)
    assert busy.served_mbps == pytest.approx(capacity, rel=1e-5)
    assert busy.unserved[20, 12] == pytest.approx(500.0 - capacity, rel=1e-5)


def test_traffic_where_no_cell_is_heard_is_located() -> None:
    terrain = flat_terrain(41, 50.0)
    result = compute_radio(
        omni_network(terrain, [(425.0, 1025.0)]), terrain, model=MODEL, radius_m=600.0, method="exact"
    )
    demand = np.zeros(terrain.shape)
    demand[0, 40] = 3.0
    got = solve_load(result, demand)
    assert got.unserved[0, 40] == 3.0
    assert got.unserved_mbps == 3.0


@pytest.fixture(scope="module")
def busy() -> tuple[RadioMap, np.ndarray]:
    terrain = flat_terrain(41, 100.0)
    rng = np.random.default_rng(8)
    network = omni_network(terrain, [tuple(p) for p in rng.uniform(400, 3700, (6, 2))])
    return radio(network, terrain), rng.uniform(0.0, 0.06, terrain.shape)


def test_against_naive(busy: tuple[RadioMap, np.ndarray]) -> None:
    result, demand = busy
    carrier = result.carriers[0]
    hears, wants = [], []
    for r, c in np.ndindex(demand.shape):
        cells = carrier.top_cell[r, c]
        if cells[0] >= 0:
            levels = carrier.top_level_dbm[r, c]
            hears.append({int(k): 10 ** (float(v) / 10) for k, v in zip(cells, levels, strict=True) if k >= 0})
            wants.append(float(demand[r, c]))
    want = naive_loads(hears, wants, NOISE_MW, 40.0, steps=40)
    got = solve_load(result, demand)
    np.testing.assert_allclose(got.load, [want[i] for i in range(6)], atol=1e-5)
    assert got.load.min() > 0.05
    assert got.load.max() <= 1.0


def test_monte_carlo_agrees_within_its_intervals(busy: tuple[RadioMap, np.ndarray]) -> None:
    result, demand = busy
    exact = solve_load(result, demand)
    drawn = simulate_load(result, demand, user_mbps=0.5, snapshots=60, seed=4)
    free = exact.load < 1.0
    assert free.sum() >= 4
    off = np.abs(drawn.load - exact.load)[free]
    assert (off <= 1.5 * drawn.half_width[free]).all()
    assert (off <= drawn.half_width[free]).mean() >= 0.6
    assert drawn.half_width[free].max() < 0.1
    again = simulate_load(result, demand, user_mbps=0.5, snapshots=60, seed=4)
    np.testing.assert_array_equal(drawn.load, again.load)
    other = simulate_load(result, demand, user_mbps=0.5, snapshots=60, seed=5)
    assert (drawn.load != other.load).any()
    finer = simulate_load(result, demand, user_mbps=0.5, snapshots=240, seed=4)
    assert (finer.half_width[free] < drawn.half_width[free]).all()


def test_traffic_from_people() -> None:
    np.testing.assert_allclose(traffic_mbps([[100.0, np.nan]], 20.0, share=0.5), [[1.0, 0.0]])
    with pytest.raises(ParameterError, match="share"):
        traffic_mbps([1.0], 20.0, share=2.0)


def test_bad_settings(busy: tuple[RadioMap, np.ndarray]) -> None:
    result, demand = busy
    with pytest.raises(ParameterError, match="shape"):
        solve_load(result, demand[1:])
    with pytest.raises(ParameterError, match="negative"):
        solve_load(result, demand - 1.0)
    with pytest.raises(ParameterError, match="user_mbps"):
        simulate_load(result, demand, user_mbps=0.0)
