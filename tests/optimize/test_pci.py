from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from rfplan.errors import ParameterError
from rfplan.network import Network
from rfplan.optimize.neighbours import NeighbourRules, facing_distance_m
from rfplan.optimize.pci import count_conflicts, plan_parameters, prach_roots_needed, prach_shift


def network(n_sites, technologies="4G", seed=0):
    rng = np.random.default_rng(seed)
    side = 0.6 * np.sqrt(n_sites / 1000)
    sites = pd.DataFrame(
        {
            "site_id": [f"S{i}" for i in range(n_sites)],
            "lon_deg": 105.0 + side * rng.random(n_sites),
            "lat_deg": 21.0 + side * rng.random(n_sites),
            "technologies": technologies,
        }
    )
    return Network.with_sectors(sites)


def recount(plan):
    """Collisions and confusions by plain loops over the neighbour table."""
    pci = dict(zip(plan.cells["cell_id"], plan.cells["pci"], strict=True))
    own = plan.neighbours[plan.neighbours["kind"].isin(["co-site", "intra"])]
    lists = own.groupby("cell_id")["neighbour_id"].apply(list)
    collisions = sum(pci[cell] == pci[other] for cell, others in lists.items() for other in others)
    confusions = sum(len(others) - len({pci[o] for o in others}) for others in lists)
    return collisions, confusions, lists


@pytest.mark.boundscheck
def test_no_collision_no_confusion_recounted_by_hand():
    plan = plan_parameters(network(120))
    collisions, confusions, lists = recount(plan)
    assert (collisions, confusions) == (0, 0) == (plan.collisions, plan.confusions)
    assert plan.root_conflicts == 0
    assert lists.map(len).max() <= 32
    assert plan.mod3_share < 0.3
    listed = {(cell, other) for cell, others in lists.items() for other in others}
    assert all((b, a) in listed for a, b in listed)
    site_of = lambda cell: cell.split("-")[0]  # noqa: E731
    for cell, others in lists.items():
        assert sum(site_of(o) == site_of(cell) for o in others) == 2
    co_site = plan.cells.assign(site=plan.cells["cell_id"].map(site_of)).groupby("site")["pci"]
    assert co_site.apply(lambda p: len(set(p % 3)) == 3).mean() > 0.95


def test_seven_thousand_cells_in_half_a_minute():
    large = network(2334)
    plan_parameters(network(3))  # compile first
    start = time.process_time()
    plan = plan_parameters(large)
    assert time.process_time() - start < 30.0
    assert len(plan.cells) == 7002
    assert (plan.collisions, plan.confusions, plan.root_conflicts) == (0, 0, 0)
    assert plan.cells["pci"].between(0, 503).all()


def test_every_technology_gets_neighbours_and_only_4g_and_5g_identities():
    plan = plan_parameters(network(15, "2G;4G;5G"))
    low, high = (getattr(plan.cells.groupby("technology")["pci"], name)() for name in ("min", "max"))
    assert (high["2G"], low["4G"] >= 0, low["5G"] >= 0) == (-1, True, True)
    assert {"co-site", "intra", "inter-technology"} <= set(plan.neighbours["kind"])
    inter = plan.neighbours[plan.neighbours["kind"] == "inter-technology"]
    assert inter.groupby("cell_id").size().max() <= 2 * plan.rules.max_inter


def test_known_identities_are_kept_and_applied():
    first = plan_parameters(network(20))
    known = first.apply(network(20))
    cells = known.cells.copy()
    cells.loc[cells.index % 3 == 0, "pci"] = -1
    again = plan_parameters(Network(known.sites, known.sectors, cells), keep=True)
    same = (again.cells["pci"] == first.cells["pci"]).to_numpy()
    assert same[cells.index % 3 != 0].all()
    assert (again.collisions, again.confusions) == (0, 0)


def test_conflicts_are_counted():
    pairs = np.array([[0, 1], [0, 2], [2, 3]])
    assert count_conflicts(pairs, np.array([5, 7, 7, 7])) == (1, 1)


def test_prach_numbers_of_a_fifteen_kilometre_cell():
    assert prach_shift(15_000.0, 5.0) == 119
    assert prach_roots_needed(119) == 10
    with pytest.raises(ParameterError, match="longest"):
        prach_shift(500_000.0)
    with pytest.raises(ParameterError, match="above 0"):
        prach_shift(0.0)


def test_too_few_colours_say_what_to_relax():
    with pytest.raises(ParameterError, match="max_neighbours"):
        plan_parameters(network(400), cell_radius_m=50_000.0, rules=NeighbourRules(max_neighbours=200))
    with pytest.raises(ParameterError, match="at least 1"):
        NeighbourRules(max_neighbours=0)


def test_antennas_that_face_each_other_are_nearer():
    zero = np.zeros(1)
    face = facing_distance_m(zero, zero + 1000.0, zero, zero + 180.0)
    back = facing_distance_m(zero, zero + 1000.0, zero + 180.0, zero)
    assert face[0] == pytest.approx(1000.0)
    assert back[0] == pytest.approx(4000.0)
