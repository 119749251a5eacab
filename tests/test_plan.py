from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio

import rfplan
from rfplan.errors import InputFileError, OutputError, ParameterError, RfplanError, ScenarioError
from rfplan.plan import ScenarioPlan, open_inputs, run_plan, run_prediction
from rfplan.scenario import load_scenario
from small_area import SCENARIO, write_area, write_sites, write_terrain


@pytest.fixture(scope="module")
def area(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_area(tmp_path_factory.mktemp("area"))


@pytest.fixture(scope="module")
def planned(area: Path) -> tuple[ScenarioPlan, Path, list[str]]:
    stages: list[str] = []
    out = area.parent / "out"
    plan = run_plan(area, out=out, progress=lambda stage, _done, _total: stages.append(stage))
    return plan, out, stages


def test_plan_covers_more_and_is_verified(planned: tuple[ScenarioPlan, Path, list[str]]) -> None:
    plan, _, _ = planned
    before = plan.key_figures_before.table.iloc[-1]
    after = plan.key_figures_after.table.iloc[-1]
    assert plan.verified
    assert len(plan.sites) > 0
    assert before["covered_population_percent"] < 99.0 <= after["covered_population_percent"] + 1e-9
    assert plan.coverage_after.covered[plan.coverage_before.covered].all()


def test_planned_network_predicted_from_scratch_gives_what_was_promised(
    planned: tuple[ScenarioPlan, Path, list[str]],
) -> None:
    plan, _, _ = planned
    after = plan.coverage_after
    again = rfplan.compute_coverage(
        after.network,
        after.terrain,
        model=after.model,
        receiver=after.receiver,
        service=after.service,
        technology="4G",
        radius_m=after.radius_m,
        method=after.method,
    )
    np.testing.assert_array_equal(again.covered, after.covered)
    people = plan.demand.on_grid(after.terrain).population
    promised = plan.sites["cumulative_people_percent"].iloc[-1]
    assert 100 * people[again.covered].sum() / people.sum() == pytest.approx(promised, abs=1e-6)


def test_every_stage_leaves_its_result(planned: tuple[ScenarioPlan, Path, list[str]]) -> None:
    plan, out, stages = planned
    record = json.loads((out / "stages" / "run.json").read_text(encoding="utf-8"))
    assert record["state"] == "done"
    assert record["error"] is None
    for name in record["kept"]:
        assert (out / "stages" / name).is_file(), name
    assert set(record["timings_s"]) >= {"terrain", "demand", "network", "coverage before", "candidates", "choose sites"}
    assert pd.read_csv(out / "stages" / "build_list.csv").shape[0] == len(plan.sites)
    with rasterio.open(out / "stages" / "rsrp_dbm_before.tif") as source:
        assert source.crs.to_epsg() == 32648
        np.testing.assert_array_equal(source.read(1), plan.coverage_before.layers["rsrp_dbm"].values)
    assert stages[0] == "inputs"
    assert stages.index("coverage before") < stages.index("choose sites") < stages.index("coverage after")


def test_metadata_says_where_it_came_from(planned: tuple[ScenarioPlan, Path, list[str]], area: Path) -> None:
    plan, _, _ = planned
    inputs = {entry["role"]: entry for entry in plan.metadata["inputs"]}
    dem = area.parent / "synthetic_dem.tif"
    assert inputs["terrain.files[0]"]["sha256"] == hashlib.sha256(dem.read_bytes()).hexdigest()
    assert inputs["terrain.files[0]"]["bytes"] == dem.stat().st_size
    assert plan.metadata["synthetic"] is True
    assert plan.metadata["parameters"]["coverage"]["radius_m"] == 3500
    assert plan.metadata["timings_s"]["in all"] > 0
    published = plan.metadata["published"][0]
    reached = plan.key_figures_before.table.iloc[-1]["covered_population_percent"]
    assert f"{reached:.1f} % of people computed against 96 % published" in published["explanation"]


def test_sweep_holds_the_planned_level_and_falls_with_it(planned: tuple[ScenarioPlan, Path, list[str]]) -> None:
    plan, _, _ = planned
    sweep = plan.metadata["threshold_sweep"]
    assert -100.0 in set(sweep["threshold_dbm"])
    assert (np.diff(sweep["threshold_dbm"]) < 0).all()
    for column in ("population_before_percent", "area_after_percent"):
        assert (np.diff(sweep[column]) >= 0).all()
    assert (sweep["area_after_percent"] >= sweep["area_before_percent"]).all()


def test_report_is_written_from_a_plan(planned: tuple[ScenarioPlan, Path, list[str]], tmp_path: Path) -> None:
    plan, _, _ = planned
    page = rfplan.write_report(plan, tmp_path)
    text = page.read_text(encoding="utf-8")
    assert "A small synthetic area" in text
    assert "Everything here is made up." in text
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["scenario"] == "small"
    assert manifest["synthetic"] is True


def test_same_seed_same_plan(planned: tuple[ScenarioPlan, Path, list[str]], area: Path) -> None:
    plan, _, _ = planned
    again = run_plan(area)
    pd.testing.assert_frame_equal(plan.sites, again.sites)
    np.testing.assert_array_equal(plan.coverage_after.covered, again.coverage_after.covered)


def test_people_off_the_terrain_are_told_and_not_counted(tmp_path: Path) -> None:
    path = write_area(tmp_path)
    write_terrain(tmp_path, unknown_columns=20)
    made = run_prediction(path)
    total = made.key_figures.table.iloc[-1]
    assert total["population_on_terrain"] < total["population"] - 1000
    share = 100 * total["covered_population"] / total["population_on_terrain"]
    assert total["covered_population_percent"] == pytest.approx(share)


def test_synthetic_stations_stand_in_for_a_list(tmp_path: Path) -> None:
    text = SCENARIO.replace('sites = "synthetic_sites.csv"', "synthesize = { count = 5, seed = 3 }")
    made = open_inputs(load_scenario(write_area(tmp_path, text)), out=tmp_path / "out")
    assert len(made.network) == 5
    assert made.network.sites["name"].str.startswith("synthetic").all()
    assert (tmp_path / "out" / "inputs" / "synthetic_sites.csv").is_file()


def test_antenna_of_the_scenario_is_on_every_sector_and_must_be_known(tmp_path: Path) -> None:
    text = SCENARIO.replace('sites = "synthetic_sites.csv"', 'sites = "synthetic_sites.csv"\nantenna = "tr36814"')
    made = open_inputs(write_area(tmp_path, text))
    carrying = made.network.cells.loc[made.network.cells["technology"] == "4G", "sector_id"]
    sectors = made.network.sectors.set_index("sector_id")["antenna"]
    assert (sectors[carrying] == "tr36814").all()
    path = write_area(tmp_path, text.replace("tr36814", "horn"))
    with pytest.raises(ScenarioError, match=r"network\.antenna.*'horn'.*tr36814"):
        run_prediction(path)


def _failing(path: Path, out: Path) -> tuple[RfplanError, dict[str, object]]:
    with pytest.raises(RfplanError) as caught:
        run_plan(path, out=out)
    return caught.value, json.loads((out / "stages" / "run.json").read_text(encoding="utf-8"))


@pytest.mark.filterwarnings("ignore::rfplan.errors.DataWarning")
def test_stations_off_the_terrain_stop_the_run_and_keep_what_was_there(tmp_path: Path) -> None:
    path = write_area(tmp_path)
    write_sites(tmp_path, offset_m=50_000.0)
    error, record = _failing(path, tmp_path / "out")
    assert isinstance(error, ParameterError)
    assert record["state"] == "failed"
    assert record["stage"] == "coverage before"
    assert (tmp_path / "out" / "stages" / "demand.csv").is_file()
    report = pd.read_csv(tmp_path / "out" / "stages" / "network_report.csv")
    assert report["message"].str.contains("off the terrain").sum() == 3


def test_no_station_at_all(tmp_path: Path) -> None:
    path = write_area(tmp_path)
    (tmp_path / "synthetic_sites.csv").write_text("site_id,lon_deg,lat_deg\n", encoding="utf-8")
    error, record = _failing(path, tmp_path / "out")
    assert isinstance(error, InputFileError)
    assert record["stage"] == "network"
    assert (tmp_path / "out" / "stages" / "demand.csv").is_file()


def test_a_truncated_terrain(tmp_path: Path) -> None:
    path = write_area(tmp_path)
    dem = tmp_path / "synthetic_dem.tif"
    dem.write_bytes(dem.read_bytes()[:600])
    error, record = _failing(path, tmp_path / "out")
    assert isinstance(error, InputFileError)
    assert "synthetic_dem.tif" in str(error)
    assert record["stage"] == "terrain"


def test_a_missing_input_is_told_before_anything_is_computed(tmp_path: Path) -> None:
    path = write_area(tmp_path)
    (tmp_path / "synthetic_communes.geojson").unlink()
    error, record = _failing(path, tmp_path / "out")
    assert isinstance(error, ScenarioError)
    assert "demand.communes" in str(error)
    assert record["stage"] == "inputs"


def test_an_output_folder_that_is_a_file(tmp_path: Path) -> None:
    path = write_area(tmp_path)
    (tmp_path / "out").write_text("in the way", encoding="utf-8")
    with pytest.raises(OutputError, match="out"):
        run_plan(path, out=tmp_path / "out")


def test_nothing_to_build_where_all_is_covered(tmp_path: Path) -> None:
    text = SCENARIO.replace('name = "indoor"', "required_rsrp_dbm = -140\nfading_margin_db = 0")
    text = text.replace("radius_m = 3500", "radius_m = 9000") + '\n[model]\nname = "FreeSpace"\n'
    plan = run_plan(write_area(tmp_path, text))
    assert len(plan.sites) == 0
    assert plan.objective == plan.bound == plan.gap == 0.0
    assert plan.verified
    assert plan.key_figures_after.table.iloc[-1]["covered_area_percent"] == 100.0
    assert rfplan.write_report(plan, tmp_path / "out").is_file()


def test_what_no_candidate_reaches_is_told(tmp_path: Path) -> None:
    text = SCENARIO.replace("grid_spacing_m = 1500", 'kinds = ["mast"]')
    plan = run_plan(write_area(tmp_path, text.replace('name = "indoor"', "required_rsrp_dbm = -60")))
    total = plan.key_figures_after.table.iloc[-1]
    beyond = plan.uncoverable["people"].sum()
    assert plan.verified
    assert beyond > 0
    assert beyond == pytest.approx(total["population_on_terrain"] - total["covered_population"], abs=500)
