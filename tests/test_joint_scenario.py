"""A scenario that asks for joint coverage: figures, maps, check and report count it; what does not fit is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import rfplan
from rfplan.errors import ScenarioError
from rfplan.optimize.joint_map import JointRequirement, joint_units
from rfplan.optimize.joint_rows import UNITS
from rfplan.plan import ScenarioPlan, run_plan
from rfplan.scenario import load_scenario
from small_area import SCENARIO, write_area

JOINT = SCENARIO.replace("population = 0.99", "population = 0.95\njoint_probability = 0.9").replace(
    "resolution_m = 100", "resolution_m = 200"
)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[ScenarioPlan, Path]:
    folder = tmp_path_factory.mktemp("joint")
    plan = run_plan(write_area(folder, JOINT), out=folder / "out")
    rfplan.write_report(plan, folder / "out")
    return plan, folder / "out"


def test_figures_before_and_after_count_what_sites_serve_together(planned: tuple[ScenarioPlan, Path]) -> None:
    plan, _ = planned
    assert plan.verified
    assert len(plan.sites) > 0
    assert plan.bound <= plan.objective
    terrain = plan.coverage_after.terrain
    grid = plan.demand.on_grid(terrain)
    inside = grid.inside & terrain.valid
    people = np.where(inside, np.nan_to_num(grid.population), 0.0)
    for coverage, figures in (
        (plan.coverage_before, plan.key_figures_before),
        (plan.coverage_after, plan.key_figures_after),
    ):
        covered = joint_units(coverage.network, coverage, JointRequirement(0.9)) >= UNITS
        np.testing.assert_array_equal(covered & inside, coverage.covered & inside)
        assert figures.total["covered_population"] == pytest.approx(people[covered].sum())
    assert plan.sites["cumulative_people_percent"].iloc[-1] == pytest.approx(
        plan.key_figures_after.total["covered_population_percent"]
    )
    by_links = plan.coverage_after.layers["margin_db"].values >= 0
    assert (by_links != plan.coverage_after.covered).any()


def test_report_and_files_say_so(planned: tuple[ScenarioPlan, Path]) -> None:
    plan, out = planned
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "by some site with probability ≥ 90.0 %" in page
    assert "the uplink closes, by some site with a probability of 90.0 %" in page
    assert "the probability that at least one site serves is 90 % or more" in page
    assert (out / "stages" / "joint_probability_before.tif").is_file()
    assert (out / "stages" / "joint_probability_after.tif").is_file()
    steps = {path.name: path.stat().st_mtime_ns for path in (out / "stages").glob("*.state")}
    assert {"joint_before.state", "joint_candidates.state", "choice.state", "joint_after.state"} <= set(steps)
    again = run_plan(out.parent / "scenario.toml", out=out)
    np.testing.assert_array_equal(again.coverage_after.covered, plan.coverage_after.covered)
    assert steps == {path.name: path.stat().st_mtime_ns for path in (out / "stages").glob("*.state")}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("joint_probability = 0.9", "joint_probability = 1.0", "target.joint_probability: got 1.0"),
        ("[solve]", "[rollout]\n[solve]", "rollout: does not go with target.joint_probability: years"),
        ("[solve]", "[tuning]\n[solve]", "tuning: does not go with"),
        ("[solve]", "[costs]\nsite_visit = 1\n[solve]", "costs.site_visit: does not go with"),
        ("joint_prob", "commune_population_floor = 0.5\njoint_prob", "target.commune_population_floor: does not"),
        ("[service]", "[model]\nlocation_percent = 95\n[service]", "model.location_percent: does not go with"),
        ("grid_spacing_m = 1500", 'kinds = ["grid", "taller"]', "candidates.kinds: does not go with"),
    ],
)
def test_what_does_not_go_with_it_is_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(write_area(tmp_path, JOINT.replace(old, new, 1)))
    assert words in str(caught.value)
