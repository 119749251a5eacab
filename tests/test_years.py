from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest

import rfplan
from rfplan.errors import ScenarioError
from rfplan.optimize.prepare import settings_of
from rfplan.plan import ScenarioPlan, run_plan
from rfplan.plan.stages import site_rules
from rfplan.plan.years import even_budgets
from rfplan.scenario import RollOutSection, load_scenario
from small_area import SCENARIO, write_area

ROLLOUT = """
[costs]
unit = "billion VND"
greenfield = 2.0
upgrade = 0.5

[rollout]
years = [2025, 2026, 2027]
milestones = { 2026 = 0.9 }
time_limit_s = 5
"""


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[ScenarioPlan, Path]:
    folder = tmp_path_factory.mktemp("years")
    plan = run_plan(write_area(folder, SCENARIO + ROLLOUT), out=folder / "out")
    rfplan.write_report(plan, folder / "out")
    return plan, folder / "out"


def test_every_site_has_a_year_and_every_budget_is_held(planned: tuple[ScenarioPlan, Path]) -> None:
    plan, _ = planned
    years = plan.additions.rollout.years
    assert plan.verified
    assert set(plan.sites["year"]) <= {2025, 2026, 2027}
    assert plan.sites["year"].is_monotonic_increasing
    spent = plan.sites.groupby("year")["cost"].sum().reindex(years["year"], fill_value=0.0).to_numpy()
    np.testing.assert_allclose(years["spent"], spent)
    assert (np.cumsum(spent) <= np.cumsum(years["budget"]) * (1 + 1e-9)).all()
    assert years["budget"].sum() == pytest.approx(plan.sites["cost"].sum())


def test_yearly_gains_are_those_of_the_sites_counted_on_the_map(planned: tuple[ScenarioPlan, Path]) -> None:
    plan, _ = planned
    years = plan.additions.rollout.years
    for row in years.to_dict("records"):
        built = plan.sites[plan.sites["year"] <= row["year"]]
        chosen = plan.candidates.table["candidate_id"].isin(built["site_id"]).to_numpy()
        network = plan.coverage_before.network
        if chosen.any():
            new = plan.candidates.to_network(np.flatnonzero(chosen))
            network = rfplan.Network.concat([network, new])
        from rfplan.optimize.prepare import predict_like

        covered = predict_like(plan.coverage_before, network).covered
        grid = plan.demand.on_grid(plan.coverage_before.terrain)
        people = grid.population
        assert row["people_percent"] == pytest.approx(
            100 * people[covered & grid.inside].sum() / people[grid.inside].sum()
        )
        assert row["people_percent"] <= row["bound_percent"] + 1e-6


def test_costs_and_their_unit_reach_candidates_tables_and_page(planned: tuple[ScenarioPlan, Path]) -> None:
    plan, out = planned
    price = plan.candidates.table.groupby("kind")["cost"].first()
    assert price["mast"] == 0.5
    assert price["seat"] == 2.0
    assert price["grid"] == pytest.approx(2.2)
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "billion VND" in page
    assert "Roll-out 2025–2027" in page
    assert set(plan.sites["work"]) <= {"greenfield", "upgrade"}


def test_build_list_carries_the_year_in_every_format(planned: tuple[ScenarioPlan, Path]) -> None:
    plan, out = planned
    year = plan.sites["year"].tolist()
    assert pd.read_csv(out / "tables" / "build_list.csv")["year"].tolist() == year
    assert gpd.read_file(out / "plan.gpkg", layer="new_sites")["year"].tolist() == year
    book = openpyxl.load_workbook(out / "tables" / "build_list.xlsx")
    head = [cell.value for cell in next(book["build list"].iter_rows())]
    column = head.index("year")
    assert [row[column].value for row in book["build list"].iter_rows(min_row=2)] == year
    assert "rollout" in book.sheetnames


def test_money_that_does_not_reach_is_told_and_spent_best(tmp_path: Path) -> None:
    text = SCENARIO + ROLLOUT.replace("time_limit_s", "budget = 0.7\ntime_limit_s")
    plan = run_plan(write_area(tmp_path, text))
    rollout: Any = plan.additions.rollout
    assert not rollout.whole_plan
    assert len(rollout.left_out) > 0
    assert plan.verified
    assert plan.status == "infeasible"
    assert "the target needs" in plan.reason
    assert plan.sites["cost"].sum() <= 2.1 + 1e-9
    assert plan.bound >= plan.objective
    page = rfplan.write_report(plan, tmp_path / "out").read_text(encoding="utf-8")
    assert "does not pay for the target" in page


@pytest.mark.parametrize("seed", range(30))
def test_even_budgets_are_the_least_that_pay(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cost = rng.integers(1, 9, rng.integers(1, 7)).astype(float)
    years = (2025, 2026, 2027)
    budget = even_budgets(cost, RollOutSection(years=years, carry_over=False))[2025]
    best = min(max(cost[np.array(when) == t].sum() for t in range(3)) for when in np.ndindex(*(3,) * len(cost)))
    assert best - 1e-6 <= budget <= 4 / 3 * best + 1e-5  # largest first packs within a third of the least
    assert even_budgets(cost, RollOutSection(years=years))[2025] == pytest.approx(cost.sum() / 3)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("[rollout]\nyears = [2026, 2025]", ("rollout", "must rise")),
        ("[rollout]\nmilestones = { 2031 = 0.9 }", ("2031", "not among the years")),
        ("[rollout]\nmilestones = { 2027 = 98 }", ("rollout.milestones", "98")),
        ("[rollout]\nbudgets = { 2025 = 3 }", ("nothing for 2026", "budget")),
        ("[rollout]\nbudget = -1", ("rollout.budget", "-1")),
        ("[costs]\ngreenfeld = 1", ("costs.greenfeld", "did you mean greenfield?")),
        ("[costs]\nunit = ''", ("costs.unit",)),
        ("[backhaul]\nexisting_have_fibre = false", ("backhaul", "nothing has fibre")),
        ("[backhaul]\nhops = { max_hops = 0 }", ("backhaul.hops", "max_hops")),
        ("[expansion_5g]\npopulation = 0.5\nbands = ['n99']", ("expansion_5g.bands", "n99", "n78")),
        ("[expansion_5g]\nbands = ['n28']", ("expansion_5g", "give population")),
    ],
)
def test_bad_sections_are_refused(tmp_path: Path, section: str, words: tuple[str, ...]) -> None:
    path = write_area(tmp_path, SCENARIO + "\n" + section + "\n")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    for word in words:
        assert word in str(caught.value)


def test_work_on_an_existing_site_is_paid_for_once_in_its_first_year(tmp_path: Path) -> None:
    """Against every selection of the candidates, each predicted anew with the network."""
    text = (
        SCENARIO.replace("resolution_m = 100", "resolution_m = 200")
        .replace("grid_spacing_m = 1500", 'kinds = ["mast", "sector", "taller"]\ntaller_by_m = 2')
        .replace("population = 0.99", "population = 1.0")
    )
    costs = "[costs]\nsite_visit = 2.0\nnew_sector = 0.25\n[rollout]\nyears = [2025, 2026]\ncarry_over = false\n"
    plan = run_plan(write_area(tmp_path, text + costs))
    assert plan.verified
    table, before = plan.candidates.table, plan.coverage_before
    own, host = plan.candidates.cost, table["site_id"]
    assert host.duplicated().any()
    grid = plan.demand.on_grid(before.terrain)
    people = np.where(grid.inside & before.terrain.valid, np.nan_to_num(grid.population), 0.0)
    alone = [
        rfplan.compute_coverage(plan.candidates.to_network([k]), before.terrain, **settings_of(before)).covered
        for k in range(len(table))
    ]
    goal = people[np.any([before.covered, *alone], axis=0)].sum()
    cheapest = min(
        sum(own[k] for k in chosen) + 2.0 * len({host[k] for k in chosen})
        for size in range(len(table) + 1)
        for chosen in itertools.combinations(range(len(table)), size)
        if people[np.any([before.covered, *(alone[k] for k in chosen)], axis=0)].sum() >= goal * (1 - 1e-9)
    )
    assert plan.objective == plan.bound == pytest.approx(cheapest)
    rules = site_rules(load_scenario(tmp_path / "scenario.toml"), plan.candidates)
    pairs = [(a, b) for a, b in itertools.combinations(range(len(table)), 2) if host[a] == host[b]]
    together = [(a, b) for a, b in itertools.combinations(range(len(table)), 2) if rules.site_of[a] == rules.site_of[b]]
    assert pairs == together != []
    assert set(rules.opening_cost) == {2.0}
    first = ~plan.sites["upgrades"].duplicated()
    own_of = plan.sites["site_id"].map(dict(zip(table["candidate_id"], own, strict=True)))
    np.testing.assert_allclose(plan.sites["cost"], own_of + 2.0 * first)
    years = plan.additions.rollout.years
    spent = plan.sites.groupby("year")["cost"].sum().reindex(years["year"], fill_value=0.0)
    np.testing.assert_allclose(years["spent"], spent)
    assert (years["spent"] <= years["budget"] * (1 + 1e-9)).all()
    page = rfplan.write_report(plan, tmp_path / "out").read_text(encoding="utf-8")
    visited = plan.sites["upgrades"].nunique()
    assert f"Of it {2.0 * visited:.2f} for work on {visited} existing sites, once each" in page
