"""Sector tuning from a scenario: what it changes, that its promises hold, and that the report says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rfplan
from rfplan.errors import ScenarioError
from rfplan.optimize.settings import settings_of
from rfplan.plan import ScenarioPlan, run_plan
from rfplan.scenario import load_scenario
from small_area import SCENARIO, write_area

TUNING = """
[tuning]
near_m = 100000
rules = { azimuth_steps_deg = [-40, 40], tilt_steps_deg = [-2, 2], power_steps_db = [-1], rounds = 1 }

[rollout]
years = [2025, 2026]
time_limit_s = 2

[parameters]
"""
# A target that leaves something to gain: tuning then has work to do.
AREA = SCENARIO.replace("population = 0.99", "population = 0.9").replace("resolution_m = 100", "resolution_m = 200")


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[ScenarioPlan, Path]:
    folder = tmp_path_factory.mktemp("tuning")
    plan = run_plan(write_area(folder, AREA + TUNING), out=folder / "out")
    rfplan.write_report(plan, folder / "out")
    return plan, folder / "out"


def _people(plan: ScenarioPlan, mask: np.ndarray) -> float:
    grid = plan.demand.on_grid(plan.coverage_after.terrain)
    inside = grid.inside & plan.coverage_after.terrain.valid
    return float(np.nan_to_num(grid.population)[mask & inside].sum())


def test_the_plan_covers_what_it_did_and_more_and_says_how_much(planned: tuple[ScenarioPlan, Path]) -> None:
    plan, _ = planned
    made = plan.additions.tuning
    assert made is not None
    assert plan.verified
    assert plan.mismatch_pixels == 0
    assert made.settings.gained_people > 0
    chosen, tuned = made.settings.coverage_before, plan.coverage_after
    assert tuned is made.settings.coverage_after
    grid = plan.demand.on_grid(plan.coverage_after.terrain)
    inside = grid.inside & tuned.terrain.valid
    assert not (chosen.covered & ~tuned.covered & inside).any()
    assert _people(plan, tuned.covered) - _people(plan, chosen.covered) == pytest.approx(made.settings.gained_people)
    assert made.cells["gained_people"].sum() == pytest.approx(made.settings.gained_people)
    total = plan.key_figures_after.total
    assert total["covered_population"] == pytest.approx(_people(plan, tuned.covered))
    promised = plan.sites["cumulative_people_percent"].iloc[-1]
    assert total["covered_population_percent"] == pytest.approx(
        promised + 100 * made.settings.gained_people / total["population_on_terrain"]
    )


def test_coverage_after_is_that_of_a_network_tuned_by_hand_from_the_table(planned: tuple[ScenarioPlan, Path]) -> None:
    plan, out = planned
    made = plan.additions.tuning
    assert made is not None
    network = made.settings.coverage_before.network
    sectors, cells = network.sectors.set_index("sector_id"), network.cells.set_index("cell_id")
    for row in pd.read_csv(out / "tables" / "tuning.csv").to_dict("records"):
        for name in ("azimuth_deg", "electrical_tilt_deg", "tx_height_agl_m"):
            assert sectors.loc[row["sector_id"], name] == pytest.approx(row[f"{name}_before"])
            sectors.loc[row["sector_id"], name] = row[f"{name}_after"]
        assert cells.loc[row["cell_id"], "max_power_dbm"] == pytest.approx(row["max_power_dbm_before"])
        cells.loc[row["cell_id"], "max_power_dbm"] = row["max_power_dbm_after"]
    by_hand = replace(network, sectors=sectors.reset_index(), cells=cells.reset_index())
    again = rfplan.compute_coverage(by_hand, plan.coverage_after.terrain, **settings_of(plan.coverage_after))
    np.testing.assert_array_equal(again.covered, plan.coverage_after.covered)
    np.testing.assert_array_equal(again.layers["rsrp_dbm"].values, plan.coverage_after.layers["rsrp_dbm"].values)


def test_what_follows_works_on_the_tuned_network(planned: tuple[ScenarioPlan, Path]) -> None:
    plan, out = planned
    made = plan.additions.tuning
    assert made is not None
    cells = pd.read_csv(out / "tables" / "cells_after.csv").set_index("cell_id")
    after = made.cells.set_index("cell_id")["max_power_dbm_after"]
    np.testing.assert_allclose(cells.loc[after.index, "max_power_dbm"], after)
    assert set(plan.additions.parameters.cells["cell_id"]) == set(made.settings.network.cells["cell_id"])
    covered = plan.coverage_after.covered
    for shape in plan.uncoverable.to_crs(plan.coverage_after.terrain.crs).geometry:
        terrain, point = plan.coverage_after.terrain, shape.representative_point()
        row, column = terrain.nearest(np.array([point.x]), np.array([point.y]))
        assert not covered[row[0], column[0]]


def test_the_report_shows_the_cells_the_gain_and_the_check(planned: tuple[ScenarioPlan, Path]) -> None:
    plan, out = planned
    made = plan.additions.tuning
    assert made is not None
    page = (out / "index.html").read_text(encoding="utf-8")
    assert '<section id="tuning">' in page
    body = page.split('<section id="tuning">')[1].split("</section>")[0]
    for words in ("Electrical tilt, °, before", "No pixel covered before is uncovered", "agrees", "Objective"):
        assert words in body
    for cell in made.cells["cell_id"]:
        assert cell in body
    figures = pd.read_csv(out / "tables" / "tuning_figures.csv").set_index("when")
    gained = figures.loc["after", "served_people"] - figures.loc["before", "served_people"]
    assert gained == pytest.approx(made.settings.gained_people)
    assert (out / "stages" / "tuning.csv").is_file()


def test_a_stopped_run_takes_up_the_tuned_network(planned: tuple[ScenarioPlan, Path], tmp_path: Path) -> None:
    plan, out = planned
    before = (out / "stages" / "tuning.state").stat().st_mtime_ns
    again = run_plan(out.parent / "scenario.toml", out=out)
    assert (out / "stages" / "tuning.state").stat().st_mtime_ns == before
    pd.testing.assert_frame_equal(again.additions.tuning.cells, plan.additions.tuning.cells)
    np.testing.assert_array_equal(again.coverage_after.covered, plan.coverage_after.covered)


def test_sites_may_be_named_and_a_sinr_asked_for(tmp_path: Path) -> None:
    text = AREA + '\n[tuning]\nsites = ["A"]\n[tuning.rules]\nmin_sinr_db = 3\nobjective = "area"\nrounds = 1\n'
    plan = run_plan(write_area(tmp_path, text))
    made = plan.additions.tuning
    assert made is not None
    assert plan.verified
    assert made.sites == 1 + len(plan.sites)
    assert set(made.cells["site_id"]) <= {"A", *plan.sites["site_id"]}
    found = made.settings
    assert found.sinr_after_db is not None
    assert found.lost_served_pixels == 0
    assert found.figures.loc["after", "served_km2"] >= found.figures.loc["before", "served_km2"]
    assert (found.figures["served_people"] <= found.figures["covered_people"]).all()
    page = rfplan.write_report(plan, tmp_path / "out").read_text(encoding="utf-8")
    assert "at a data SINR of +3 dB or more" in page
    assert "Area with service" in page


def test_off_by_default_and_nothing_to_tune_is_nothing(tmp_path: Path) -> None:
    assert load_scenario(write_area(tmp_path, AREA)).tuning is None
    plan = run_plan(write_area(tmp_path, AREA.replace("population = 0.9", "population = 0.0") + "\n[tuning]\n"))
    assert len(plan.sites) == 0
    assert plan.additions.tuning is None


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("[tuning]\nsite = 'new'\n", "tuning.site: unknown key; did you mean sites?"),
        ("[tuning]\nsites = 'some'\n", "tuning.sites"),
        ("[tuning]\nnear_m = -1\n", "tuning.near_m: got -1"),
        ("[tuning.rules]\nkeep_covered = false\n", "tuning.rules.keep_covered: got False; a plan's targets count on"),
        ("[tuning.rules]\nkeep_served = 'no'\n", "tuning.rules.keep_served: got 'no'; it must be true or false"),
        ("[tuning.rules]\nrounds = 0\n", "tuning.rules.rounds: SettingRules.rounds=0 must be a whole number from 1"),
        ("[tuning.rules]\ntilt_steps_deg = ['two']\n", "tuning.rules"),
        ("[tuning.rules]\nmin_sinr_db = 99\n", "tuning.rules.min_sinr_db"),
        ("[tuning.rules]\nmin_sinr_db = 0\n[coverage]\ntechnology = '2G'\n", "a data SINR of 4G and 5G"),
    ],
)
def test_bad_sections_are_refused_before_anything_is_computed(tmp_path: Path, section: str, words: str) -> None:
    text = AREA.replace('[coverage]\nradius_m = 3500\nmethod = "exact"\n', "") + section
    with pytest.raises(ScenarioError) as caught:
        load_scenario(write_area(tmp_path, text))
    assert words in str(caught.value)


def test_an_unknown_site_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"tuning\.sites: 'nowhere' is not in the network"):
        run_plan(write_area(tmp_path, AREA + "\n[tuning]\nsites = ['nowhere']\n"))
