"""The report folder: files, their content, atomic writing, bad input."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio

from rfplan.errors import OutputError, ParameterError
from rfplan.report import PublishedFigure, ReportContext, write_report
from rfplan.report.page import LEAFLET_SHA256

RASTERS = (
    "best_server_after",
    "best_server_before",
    "covered_after",
    "covered_before",
    "elevation_amsl_m",
    "hillshade",
    "rsrp_after_dbm",
    "rsrp_before_dbm",
)
TABLES = (
    "build_list",
    "cells_after",
    "cells_before",
    "curve",
    "key_figures",
    "key_figures_after",
    "key_figures_before",
    "threshold_sweep",
    "uncoverable",
)
CONTEXT = {
    "title": "Plan of somewhere",
    "synthetic": True,
    "synthetic_note": "All made up.",
    "inputs": [{"role": "terrain", "name": "dem.tif", "sha256": "0" * 64, "bytes": 12}],
    "parameters": {"seed": np.int64(3), "targets": {"population": 0.99}},
    "timings_s": {"coverage": 1.5},
    "published": [{"label": "Published 4G", "population_percent": 96.0, "area_percent": 90.0, "source": "a report"}],
}


@pytest.fixture(scope="module")
def folder(plan: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("report") / "new" / "out"
    page = write_report(plan, target, context=CONTEXT)
    assert page == target / "index.html"
    return target


def test_folder_holds_exactly_what_is_promised(folder: Path) -> None:
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    wanted = {"index.html", "manifest.json", "run.json", "plan.gpkg", "tables/build_list.xlsx"}
    wanted |= {f"rasters/{n}.tif" for n in RASTERS} | {f"tables/{n}.csv" for n in TABLES}
    assert found == wanted
    assert not [p for p in folder.iterdir() if p.name.startswith(".")]


def test_rasters_are_the_layers_in_the_terrain_grid(folder: Path, plan: Any) -> None:
    terrain = plan.coverage_after.terrain
    with rasterio.open(folder / "rasters" / "rsrp_after_dbm.tif") as file:
        assert file.crs.to_string() == "EPSG:32648"
        assert file.transform == terrain.transform
        assert file.units == ("dBm",)
        assert file.tags()["SYNTHETIC"] == "yes"
        np.testing.assert_array_equal(file.read(1), plan.coverage_after.layers["rsrp_dbm"].values)
    with rasterio.open(folder / "rasters" / "covered_before.tif") as file:
        assert file.nodata == 255
        np.testing.assert_array_equal(file.read(1) == 1, plan.coverage_before.layers["covered"].values)
    with rasterio.open(folder / "rasters" / "best_server_after.tif") as file:
        np.testing.assert_array_equal(file.read(1), plan.coverage_after.layers["best_server"].values)


def test_geopackage_has_sites_communes_and_rest(folder: Path, plan: Any) -> None:
    assert {name for name, _ in pyogrio.list_layers(folder / "plan.gpkg")} == {
        "existing_sites",
        "new_sites",
        "communes",
        "uncoverable",
    }
    new = gpd.read_file(folder / "plan.gpkg", layer="new_sites")
    assert new["order"].tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(new.geometry.x, plan.sites["lon_deg"])
    communes = gpd.read_file(folder / "plan.gpkg", layer="communes")
    table = pd.read_csv(folder / "tables" / "key_figures.csv", dtype={"code": str})
    assert communes["code"].tolist() == table["code"].tolist()[:-1]
    np.testing.assert_allclose(
        communes["covered_population_after"], table["covered_population_after"][:-1], rtol=1e-9, atol=1e-6
    )
    assert communes.crs.to_epsg() == 4326
    rest = gpd.read_file(folder / "plan.gpkg", layer="uncoverable")
    assert rest["area_km2"].sum() == pytest.approx(plan.uncoverable["area_km2"].sum())


def test_key_figures_agree_with_a_count_of_pixels(folder: Path, plan: Any) -> None:
    grid = plan.demand.on_grid(plan.coverage_after.terrain)
    covered = plan.coverage_after.layers["covered"].values & (grid.commune_index >= 0)
    total = pd.read_csv(folder / "tables" / "key_figures.csv", dtype={"code": str}).iloc[-1]
    assert total["code"] == "total"
    assert total["covered_population_after"] == pytest.approx(grid.population[covered].sum())
    assert total["covered_area_km2_after"] == pytest.approx(covered.sum() * 0.0625)
    assert total["covered_population_before"] <= total["covered_population_after"]


def test_manifest_names_inputs_versions_and_every_file(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["inputs"] == CONTEXT["inputs"]
    assert manifest["parameters"] == {"seed": 3, "targets": {"population": 0.99}}
    assert manifest["synthetic"] is True
    assert manifest["solution"]["seed"] == 1
    assert manifest["solution"]["gap"] == pytest.approx(0.5 / 12)
    assert manifest["prediction"]["model"] == {"type": "P1812", "time_percent": 50.0, "location_percent": 50.0}
    assert {"rfplan", "python", "numpy", "rasterio"} <= set(manifest["versions"])
    listed = {entry["name"]: entry for entry in manifest["outputs"]}
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert set(listed) == found - {"manifest.json", "run.json"}
    page = listed["index.html"]
    assert page["sha256"] == hashlib.sha256((folder / "index.html").read_bytes()).hexdigest()


def test_all_but_the_record_of_the_run_is_the_same_bytes_again(folder: Path, plan: Any, tmp_path: Path) -> None:
    write_report(plan, tmp_path, context={**CONTEXT, "timings_s": {"coverage": 99.5}, "peak_memory_mb": 77.0})
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "run.json"):
        assert path.read_bytes() == (tmp_path / path.relative_to(folder)).read_bytes(), path.name
    record = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert record["timings_s"] == {"coverage": 99.5}
    assert record["peak_memory_mb"] == 77.0
    assert record["created"].endswith("Z")


def test_sweep_falls_with_the_level(folder: Path) -> None:
    sweep = pd.read_csv(folder / "tables" / "threshold_sweep.csv").sort_values("threshold_dbm")
    for column in ("population_before_percent", "population_after_percent", "area_after_percent"):
        assert (np.diff(sweep[column]) <= 1e-9).all()
    assert (sweep["population_after_percent"] >= sweep["population_before_percent"] - 1e-9).all()


def test_leaflet_is_the_published_release() -> None:
    import rfplan.report

    assets = Path(rfplan.report.__file__).parent / "assets"
    for name, digest in LEAFLET_SHA256.items():
        assert hashlib.sha256((assets / name).read_bytes()).hexdigest() == digest, name


def test_names_that_look_like_formulas_are_disarmed_in_csv(plan_factory: Callable[..., Any], tmp_path: Path) -> None:
    plan = plan_factory(new=1)
    sites = plan.sites.assign(site_id=["=HYPERLINK(1)"])
    write_report(dataclasses.replace(plan, sites=sites), tmp_path)
    assert "'=HYPERLINK(1)" in (tmp_path / "tables" / "build_list.csv").read_text(encoding="utf-8")


def _body(page: str) -> str:
    """What is read: the page without scripts, styles and data."""
    return re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)


def test_report_without_new_sites_rest_or_many_communes(plan_factory: Callable[..., Any], tmp_path: Path) -> None:
    plan = plan_factory(new=0, communes=(1, 1), patches=0)
    page = _body(write_report(plan, tmp_path).read_text(encoding="utf-8"))
    assert "No new site is needed" in page
    assert "Synthetic data" not in page
    assert len(pd.read_csv(tmp_path / "tables" / "uncoverable.csv")) == 0
    assert len(pd.read_csv(tmp_path / "tables" / "build_list.csv")) == 0


def test_report_of_a_plan_without_people_speaks_of_area(plan_factory: Callable[..., Any], tmp_path: Path) -> None:
    plan = plan_factory()
    nobody = dataclasses.replace(plan.demand, communes=plan.demand.communes.assign(population=0.0), _latest=[])
    page = _body(write_report(dataclasses.replace(plan, demand=nobody), tmp_path).read_text(encoding="utf-8"))
    assert "Population covered" not in page
    assert "Area covered" in page
    assert "NaN" not in page


def test_what_lies_beyond_the_terrain_is_named_and_not_judged(plan: Any, tmp_path: Path) -> None:
    communes = plan.demand.communes
    far = communes.iloc[[0]].assign(code="far", name="Far away", population=4321)
    far = far.set_geometry(far.geometry.translate(xoff=-0.02, yoff=0.3))  # north of the terrain
    demand = dataclasses.replace(plan.demand, communes=pd.concat([communes, far], ignore_index=True), _latest=[])
    page = _body(write_report(dataclasses.replace(plan, demand=demand), tmp_path).read_text(encoding="utf-8"))
    assert "A further 4,321 people live beyond the terrain model" in page
    row = re.search(r"<tr[^>]*><th[^>]*>(?:(?!</tr>).)*Far away.*?</tr>", page)
    assert row is not None
    assert "0 %" in row.group(0)  # within terrain
    assert row.group(0).count("–") == 5  # shares and people left say nothing
    last = pd.read_csv(tmp_path / "tables" / "key_figures.csv").iloc[-1]
    assert last["population"] - last["population_on_terrain"] == pytest.approx(4321)


def test_partly_synthetic_input_is_named_too(plan: Any, tmp_path: Path) -> None:
    note = "Synthetic: the stations. The ground is real."
    page = _body(write_report(plan, tmp_path, context={"synthetic_note": note}).read_text(encoding="utf-8"))
    assert '<div class="badge">Partly synthetic data</div>' in page
    assert "</strong> the stations. The ground is real." in page
    assert set(gpd.read_file(tmp_path / "plan.gpkg", layer="existing_sites")["synthetic"]) == {"partly"}
    with rasterio.open(tmp_path / "rasters" / "covered_after.tif") as file:
        assert file.tags()["SYNTHETIC"] == "partly"


def test_upgrade_carries_the_name_of_the_existing_site(plan: Any, tmp_path: Path) -> None:
    sites = plan.sites.assign(upgrades=["E0003", "", "", ""])
    write_report(dataclasses.replace(plan, sites=sites), tmp_path)
    table = pd.read_csv(tmp_path / "tables" / "build_list.csv", keep_default_na=False)
    assert table["name"].tolist() == ["Site 3", "", "", ""]


def test_a_failed_report_leaves_the_earlier_one_alone(
    plan: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_report(plan, tmp_path, context={"title": "First"})
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}

    def full_disk(*_: Any) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rfplan.report.write.render", full_disk)
    with pytest.raises(OutputError, match="No space left on device"):
        write_report(plan, tmp_path, context={"title": "Second"})
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_a_folder_that_cannot_be_written_is_an_output_error(plan: Any, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine")
    with pytest.raises(OutputError, match="taken"):
        write_report(plan, taken)
    assert taken.read_text() == "mine"
    if os.geteuid() != 0:
        sealed = tmp_path / "sealed"
        sealed.mkdir(mode=0o500)
        with pytest.raises(OutputError, match="sealed"):
            write_report(plan, sealed)


def test_other_files_of_the_folder_stay(plan: Any, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("keep me")
    write_report(plan, tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "keep me"


def test_plan_without_coverage_says_what_is_missing(plan: Any, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="coverage_before"):
        write_report(dataclasses.replace(plan, coverage_before=None), tmp_path)


def test_context_names_its_mistakes() -> None:
    with pytest.raises(ParameterError, match=r"unknown key.*titel"):
        ReportContext.of({"titel": "x"})
    with pytest.raises(ParameterError, match="checksum"):
        ReportContext(inputs=[{"name": "a", "checksum": "b"}])
    with pytest.raises(ParameterError, match="population_percent is 960"):
        PublishedFigure("4G", population_percent=960)
    context = ReportContext.of({"published": [{"label": "x", "area_percent": 90}]})
    assert context.published[0].area_percent == 90
