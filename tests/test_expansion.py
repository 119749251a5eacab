from __future__ import annotations

import os
import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import rfplan
from rfplan.optimize.pci import count_conflicts
from rfplan.plan import ScenarioPlan, run_plan
from rfplan.plan.expansion import years_in_order
from small_area import SCENARIO, write_area

SECTIONS = """
[rollout]
years = [2025, 2026]
time_limit_s = 3

[expansion_5g]
population = 0.5
years = [2025, 2026]
bands = ["n28", "n41"]
cost = { n41 = 0.7 }
radius_m = 3000
time_limit_s = 5

[parameters]
max_neighbours = 6
max_inter = 3
"""


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[ScenarioPlan, Path]:
    folder = tmp_path_factory.mktemp("expansion")
    plan = run_plan(write_area(folder, SCENARIO + SECTIONS), out=folder / "out")
    rfplan.write_report(plan, folder / "out")
    return plan, folder / "out"


def test_5g_stands_on_masts_that_are_there_by_then_and_reaches_its_target(planned: tuple[ScenarioPlan, Path]) -> None:
    plan, _ = planned
    made = plan.additions.expansion_5g
    assert made is not None
    sites = made.plan.sites
    assert made.plan.verified
    assert made.reason == ""
    assert sites["upgrades"].is_unique
    built = plan.sites.set_index("site_id")["year"]
    existing = set(plan.coverage_before.network.sites["site_id"])
    for site in sites.to_dict("records"):
        assert site["upgrades"] in existing or built[site["upgrades"]] <= site["year"]
    assert set(sites["band"]) <= {"n28", "n41"}
    assert set(sites.loc[sites["band"] == "n41", "cost"]) <= {0.7}
    assert set(sites.loc[sites["band"] == "n28", "cost"]) <= {0.3}
    after = made.figures_after.total
    assert made.figures_before.total["covered_population"] == 0.0
    assert after["covered_population"] >= 0.5 * after["population_on_terrain"] * (1 - 1e-9)
    assert made.years["people_percent"].iloc[-1] == pytest.approx(after["covered_population_percent"])
    assert (np.cumsum(made.years["spent"]) <= np.cumsum(made.years["budget"]) * (1 + 1e-9)).all()
    assert made.bands["sites"].sum() == len(sites)


def test_5g_coverage_is_that_of_the_merged_network_predicted_anew(planned: tuple[ScenarioPlan, Path]) -> None:
    plan, _ = planned
    made = plan.additions.expansion_5g
    assert made is not None
    after = made.plan.coverage_after
    again = rfplan.compute_coverage(
        after.network,
        after.terrain,
        model=after.model,
        receiver=after.receiver,
        service=after.service,
        technology="5G",
        radius_m=3000.0,
        method=after.method,
    )
    np.testing.assert_array_equal(again.covered, after.covered)


def test_parameters_are_free_of_conflicts_and_written(planned: tuple[ScenarioPlan, Path]) -> None:
    plan, out = planned
    cells = pd.read_csv(out / "parameters" / "cells.csv")
    relations = pd.read_csv(out / "parameters" / "neighbours.csv")
    made = plan.additions.parameters
    assert made is not None
    assert made.collisions == made.confusions == 0
    assert set(cells["technology"]) == {"2G", "3G", "4G", "5G"}
    assert len(cells) == len(plan.additions.expansion_5g.plan.coverage_after.network.cells)
    number = pd.Series(np.arange(len(cells)), index=cells["cell_id"])
    own = relations[relations["kind"].isin(["co-site", "intra"])]
    pairs = np.sort(np.column_stack([number[own["cell_id"]], number[own["neighbour_id"]]]), axis=1)
    planned_cells = cells["pci"].to_numpy() >= 0
    pairs = np.unique(pairs[planned_cells[pairs].all(axis=1)], axis=0)
    assert len(pairs) > 0
    assert count_conflicts(pairs, cells["pci"].to_numpy()) == (0, 0)
    same = cells["pci"].to_numpy()[pairs]
    assert (same[:, 0] != same[:, 1]).all()


def test_report_shows_5g_and_parameters(planned: tuple[ScenarioPlan, Path]) -> None:
    plan, out = planned
    page = (out / "index.html").read_text(encoding="utf-8")
    for words in ("5G expansion", "5G: today and gained", "Network parameters", "0 collisions", "0 confusions"):
        assert words in page
    made = plan.additions.expansion_5g
    assert made is not None
    listed = pd.read_csv(out / "tables" / "build_list_5g.csv")
    assert listed["year"].tolist() == made.plan.sites["year"].tolist()
    assert len(gpd.read_file(out / "plan.gpkg", layer="carriers_5g")) == len(made.plan.sites)
    communes = pd.read_csv(out / "tables" / "communes_5g.csv")
    assert communes["gained_people"].iloc[-1] == pytest.approx(made.figures_after.total["covered_population"], rel=1e-6)


@pytest.mark.browser
@pytest.mark.parametrize("width", [1400, 420])
def test_page_with_every_section_fits_the_window(planned: tuple[ScenarioPlan, Path], width: int) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra 'test')")
    chromium = os.environ.get("RFPLAN_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip(reason="no Chromium on this machine: install Debian's package chromium, or set RFPLAN_CHROMIUM")
    complaints: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=chromium, headless=True, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto((planned[1] / "index.html").resolve().as_uri())
        page.wait_for_function("() => window.rfplanReport && document.querySelector('#map .theme')")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert [s for s in ("rollout", "expansion", "parameters") if page.locator(f"section#{s}").count() != 1] == []
        assert page.locator("#legend li", has_text="New site of 2025").count() == 1
        browser.close()
    assert complaints == []


def test_5g_that_cannot_reach_its_target_or_be_paid_says_so(tmp_path: Path) -> None:
    text = SCENARIO + SECTIONS.replace(
        "population = 0.5", "population = 1.0\nmax_sites = 1\ndense_people_per_km2 = 1e9"
    )
    plan = run_plan(write_area(tmp_path, text.replace('bands = ["n28", "n41"]', 'bands = ["n41"]\nbudget = 0.1')))
    made = plan.additions.expansion_5g
    assert made is not None
    assert "the sites on offer reach" in made.reason
    assert "not paid for until 2026" in made.reason
    assert len(made.plan.sites) == 0
    assert made.figures_after.total["covered_population"] == 0.0
    page = rfplan.write_report(plan, tmp_path / "out").read_text(encoding="utf-8")
    assert "not paid for until 2026" in page


def test_dense_places_are_offered_wide_carriers_only(tmp_path: Path) -> None:
    everywhere = SECTIONS.replace("population = 0.5", "population = 0.3\ndense_people_per_km2 = 0")
    plan = run_plan(write_area(tmp_path, SCENARIO + everywhere))
    made = plan.additions.expansion_5g
    assert made is not None
    assert set(made.plan.candidates.table["kind"]) == {"overlay n41"}


@pytest.mark.parametrize("seed", range(30))
def test_years_in_order_hold_the_money_and_wait_for_masts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cost = rng.integers(1, 6, 8).astype(float)
    first = rng.integers(2025, 2028, 8)
    budgets = dict.fromkeys((2025, 2026, 2027), float(rng.integers(2, 9)))
    year = years_in_order(cost, first, budgets)
    assert ((year == 0) | (year >= first)).all()
    spent = np.cumsum([cost[year == y].sum() for y in budgets])
    money = np.cumsum(list(budgets.values()))
    assert (spent <= money + 1e-6).all()
    for item in np.flatnonzero(year != first):  # nothing waits that could have been paid when its turn came
        for position, now in enumerate(budgets):
            if now < first[item] or (0 < year[item] <= now):
                continue
            assert spent[position] + cost[item] > money[position] - 1e-9
