"""The baseline against predictions one by one and sums by hand."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from matplotlib.figure import Figure

import rfplan
from rfplan.cli import run
from rfplan.coverage import compute_coverage
from rfplan.errors import DataWarning, ParameterError, ScenarioError
from rfplan.metrics import threshold_sweep
from rfplan.plan import Baseline, Prediction, run_plan, run_prediction
from rfplan.plot import plot_best_technology, plot_sweep
from rfplan.scenario import load_scenario
from small_area import SCENARIO, write_area

LOG_DISTANCE = '\n[model]\nname = "LogDistance"\nexponent = 3.9\n'
BASELINE = '\n[baseline]\ntechnologies = ["2G", "3G", "4G"]\n'


def _area(folder: Path, text: str, operators: tuple[str, ...] = ("V", "M", "V")) -> Path:
    path = write_area(folder, text)
    table = pd.read_csv(folder / "synthetic_sites.csv")
    table.assign(operator=operators).to_csv(folder / "synthetic_sites.csv", index=False)
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Prediction, Path]:
    folder = tmp_path_factory.mktemp("baseline")
    return run_prediction(_area(folder, SCENARIO + LOG_DISTANCE + BASELINE), out=folder / "out"), folder / "out"


def _baseline(made: tuple[Prediction, Path]) -> Baseline:
    baseline = made[0].baseline
    assert baseline is not None
    return baseline


def test_planned_technology_is_what_it_would_be_alone(made: tuple[Prediction, Path], tmp_path: Path) -> None:
    alone = run_prediction(_area(tmp_path, SCENARIO + LOG_DISTANCE))
    assert alone.baseline is None
    for name in ("rsrp_dbm", "best_server", "margin_db", "covered", "closed_rsrp_dbm"):
        np.testing.assert_array_equal(made[0].coverage.layers[name], alone.coverage.layers[name])
    pd.testing.assert_frame_equal(made[0].key_figures.table, alone.key_figures.table)
    assert made[0].coverage is _baseline(made).coverages.by_technology["4G"]


def test_technologies_against_single_predictions(made: tuple[Prediction, Path]) -> None:
    baseline, given = _baseline(made), made[0].inputs
    grid = given.demand.on_grid(given.terrain)
    table = baseline.technologies.set_index("technology")
    assert table.index.tolist() == ["2G", "3G", "4G"]
    assert table["sites"].tolist() == [3, 1, 2]
    assert table["cells"].tolist() == [9, 3, 6]
    assert table["level"].tolist() == ["RxLev", "RSCP", "RSRP"]
    assert table["required_dbm"].tolist() == [-90.0, -95.0, -100.0]
    for technology, row in table.iterrows():
        alone = compute_coverage(
            given.network, given.terrain, model=made[0].coverage.model, technology=str(technology), radius_m=3500.0,
            method="exact", service=given.scenario.make_service().for_technology(str(technology)),
        )  # fmt: skip
        hit = alone.covered & grid.inside
        assert row["covered_area_km2"] == pytest.approx(0.01 * hit.sum())
        assert row["covered_population"] == pytest.approx(grid.population[hit].sum())
        with np.errstate(invalid="ignore"):
            down = grid.inside & (alone.layers["rsrp_dbm"].values >= row["required_dbm"])
        assert row["downlink_area_percent"] == pytest.approx(100 * down.sum() / grid.inside.sum())
        assert row["downlink_area_percent"] >= row["covered_area_percent"]
        rows = baseline.sweep[baseline.sweep["technology"] == technology].drop(columns="technology")
        want = threshold_sweep(alone, grid, rows["threshold_dbm"])
        pd.testing.assert_frame_equal(rows.reset_index(drop=True), want)
        at_need = rows[rows["threshold_dbm"] == row["required_dbm"]].iloc[0]
        assert at_need["covered_population_percent"] == pytest.approx(row["covered_population_percent"])


def test_newest_technologies_add_up(made: tuple[Prediction, Path]) -> None:
    baseline, given = _baseline(made), made[0].inputs
    grid = given.demand.on_grid(given.terrain)
    best = baseline.best.set_index("technology")
    assert best.index.tolist() == ["4G", "3G", "2G", "none"]
    assert best["population"].sum() == pytest.approx(grid.population[grid.inside].sum())
    assert best["area_percent"].sum() == pytest.approx(100.0)
    assert best.loc["4G", "population"] == baseline.technologies.set_index("technology").loc["4G", "covered_population"]
    assert best.loc["none", "area_km2"] > 0


def test_operators_and_any(made: tuple[Prediction, Path]) -> None:
    baseline, given = _baseline(made), made[0].inputs
    table = baseline.operators.set_index(["operator", "technology"])
    assert table.loc[("M", "4G"), "sites"] == 1
    assert ("M", "3G") in table.index
    assert ("V", "3G") not in table.index
    alone = compute_coverage(
        given.network.only_operator("V"), given.terrain, model=made[0].coverage.model, radius_m=3500.0, method="exact",
        service=given.scenario.make_service(),
    )  # fmt: skip
    grid = given.demand.on_grid(given.terrain)
    share = 100 * (alone.covered & grid.inside).sum() / grid.inside.sum()
    assert table.loc[("V", "4G"), "covered_area_percent"] == pytest.approx(share)
    everyone = baseline.technologies.set_index("technology").loc["4G", "covered_area_percent"]
    assert table.loc[("any", "4G"), "covered_area_percent"] == everyone
    assert table.loc[("any", "any"), "covered_area_percent"] == pytest.approx(
        100 - baseline.best.set_index("technology").loc["none", "area_percent"]
    )
    assert table.loc[("any", "any"), "sites"] == 3


def test_communes_repeat_the_key_figures(made: tuple[Prediction, Path]) -> None:
    communes = _baseline(made).communes
    own = made[0].key_figures.table
    assert communes["population_4g_percent"].tolist() == own["covered_population_percent"].tolist()
    assert communes["code"].iloc[-1] == "total"


def test_results_are_kept_and_told(made: tuple[Prediction, Path]) -> None:
    stages = made[1] / "stages"
    for name in ("technologies", "best", "communes", "operators", "sweep"):
        kept = pd.read_csv(stages / f"baseline_{name}.csv", dtype={"code": str})
        assert len(kept) == len(getattr(_baseline(made), name))
    with rasterio.open(stages / "best_technology_before.tif") as source:
        np.testing.assert_array_equal(source.read(1), _baseline(made).layers["best_technology"].values)
    text = str(_baseline(made))
    assert "no technology at all" in text
    assert "operator V" in text


def test_plots(made: tuple[Prediction, Path]) -> None:
    baseline = _baseline(made)
    axes = Figure().add_subplot()
    plot_sweep(baseline, "area", ax=axes)
    lines = {str(line.get_label()): line for line in axes.get_lines() if not str(line.get_label()).startswith("_")}
    assert list(lines) == ["2G", "3G", "4G"]
    rows = baseline.sweep[baseline.sweep["technology"] == "4G"]
    assert list(lines["4G"].get_ydata()) == rows["covered_area_percent"].tolist()
    with pytest.raises(ParameterError, match="measure"):
        plot_sweep(baseline, "money", ax=axes)  # type: ignore[arg-type]
    axes = plot_best_technology(baseline, ax=Figure().add_subplot())
    image = np.ma.filled(axes.get_images()[-1].get_array(), np.nan)
    newest = baseline.layers["best_technology"].values
    heard = np.isfinite(baseline.coverages.by_technology["2G"].layers["rsrp_dbm"].values)
    assert np.isnan(image[~heard & (newest == 0)]).all()
    assert not np.isnan(image[heard]).any()
    assert [set(np.unique(newest[image == k])) for k in range(4)] == [{0}, {2}, {3}, {4}]


def test_command_leaves_tables_maps_and_plots(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _area(tmp_path, SCENARIO + LOG_DISTANCE + BASELINE)
    assert run(["predict", str(path), "--out", str(tmp_path / "out")]) == 0
    assert "no technology at all" in capsys.readouterr().out
    for name in ("baseline_sweep.png", "best_technology_before.png"):
        assert (tmp_path / "out" / "stages" / name).read_bytes().startswith(b"\x89PNG")


def test_absent_technology_is_told_and_left_out(tmp_path: Path) -> None:
    path = _area(tmp_path, SCENARIO + LOG_DISTANCE + '\n[baseline]\ntechnologies = ["5G"]\nby_operator = false\n')
    with pytest.warns(DataWarning, match="no 5G cell"):
        made = run_prediction(path)
    assert made.baseline is not None
    assert made.baseline.technologies["technology"].tolist() == ["4G"]
    assert made.baseline.operators.empty
    assert "operators" not in made.baseline.tables()
    with pytest.raises(ScenarioError, match=r"baseline\.technologies.*'6G'"):
        load_scenario(_area(tmp_path, SCENARIO + '\n[baseline]\ntechnologies = ["6G"]\n'))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    plan = run_plan(_area(folder, SCENARIO + LOG_DISTANCE + BASELINE, ("V", "<b>", "V")))
    return rfplan.write_report(plan, folder / "out")


@pytest.mark.browser
@pytest.mark.parametrize("width", [1400, 400])
def test_page_in_a_browser(report: Path, tmp_path: Path, width: int) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra 'test')")
    chromium = os.environ.get("RFPLAN_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip(reason="no Chromium on this machine: install Debian's package chromium, or set RFPLAN_CHROMIUM")
    complaints: list[str] = []
    with playwright.sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(
            str(tmp_path / "profile"), executable_path=chromium, headless=True, args=["--no-sandbox", "--disable-gpu"],
            viewport={"width": width, "height": 900},
        )  # fmt: skip
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(report.as_uri())
        page.wait_for_function("() => window.rfplanReport && document.querySelector('#map .theme')")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("#baseline-technologies tbody tr").count() == 3
        assert page.locator("#baseline .chart polyline").count() == 3
        page.locator("label", has_text="Newest technology today").first.click()
        assert "No technology" in page.locator("#legend").inner_text()
        assert page.locator("#baseline b").count() == 0
        context.close()
    assert complaints == []


def test_report_shows_it(report: Path) -> None:
    page, tmp_path = report.read_text(encoding="utf-8"), report.parent.parent
    for words in (
        'id="baseline"',
        "Coverage by technology",
        "Communes by technology",
        "&lt;b&gt;",
        "Newest technology",
    ):
        assert words in page
    for name in ("best_technology", "covered_2g", "level_3g_dbm", "operator_count"):
        assert (tmp_path / "out" / "rasters" / f"{name}.tif").is_file()
    sweep = pd.read_csv(tmp_path / "out" / "tables" / "baseline_sweep.csv")
    assert set(sweep["technology"]) == {"2G", "3G", "4G"}
    assert sweep["threshold_dbm"].min() <= -120
    assert sweep["threshold_dbm"].max() >= -95
