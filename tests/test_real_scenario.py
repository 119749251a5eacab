"""The real scenario on a cut-out of its data, through the same steps as the whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import rfplan
from rfplan.plan import ScenarioPlan, run_plan
from rfplan.scenario import load_scenario

SCENARIO = Path(__file__).resolve().parents[1] / "examples" / "phu_tho_srtm.toml"
BOUNDS = (105.30, 21.24, 105.44, 21.38)


@pytest.fixture(scope="module")
def cut_out(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ScenarioPlan, Path]:
    folder = tmp_path_factory.mktemp("real")
    text = SCENARIO.read_text(encoding="utf-8")
    changes = {
        "resolution_m = 90": f"resolution_m = 180\nbounds = {list(BOUNDS)}",
        "radius_m = 8000": "radius_m = 4000",
        "time_limit_s = 60": "time_limit_s = 5",
    }
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    path = folder / "cut_out.toml"
    path.write_text(text, encoding="utf-8")
    return run_plan(load_scenario(path, data_dir=data_dir), out=folder / "out"), folder / "out"


def test_runs_to_a_verified_plan(cut_out: tuple[ScenarioPlan, Path]) -> None:
    plan, _ = cut_out
    assert plan.verified
    before, after = (f.table.iloc[-1] for f in (plan.key_figures_before, plan.key_figures_after))
    assert after["covered_population_percent"] >= before["covered_population_percent"]
    assert 50 < before["covered_population_percent"] <= 100


def test_whole_province_is_accounted_for(cut_out: tuple[ScenarioPlan, Path]) -> None:
    plan, _ = cut_out
    total = plan.key_figures_before.table.iloc[-1]
    assert len(plan.key_figures_before.table) == 148 + 1
    assert total["population"] == 4_014_299
    assert total["area_km2"] == pytest.approx(9361.42, abs=0.5)
    # The cut-out is some 14 by 15 km; the rest of the people are reported as off the terrain.
    assert 100_000 < total["population_on_terrain"] < 600_000
    assert any("know" in note or "terrain" in note for note in plan.metadata["notes"])
    assert total["covered_population"] <= total["population_on_terrain"] + 1e-6


def test_ground_is_where_it_should_be(cut_out: tuple[ScenarioPlan, Path]) -> None:
    terrain = cut_out[0].coverage_before.terrain
    x, y = terrain.xy(105.40, 21.32)  # Việt Trì, on the river plain
    assert 5 < float(terrain.elevation_at(x, y)) < 40
    west, south, east, north = terrain.bounds_lonlat
    assert west <= BOUNDS[0] + 0.01
    assert east >= BOUNDS[2] - 0.01
    assert south <= BOUNDS[1] + 0.01
    assert north >= BOUNDS[3] - 0.01


def test_sites_are_synthetic_and_carry_the_real_pattern(cut_out: tuple[ScenarioPlan, Path]) -> None:
    plan, _ = cut_out
    network = plan.coverage_after.network
    old = network.sites["status"] == "existing"
    assert network.sites.loc[old, "name"].str.startswith("synthetic").all()
    carrying = network.cells.loc[network.cells["technology"] == "4G", "sector_id"]
    assert set(network.sectors.set_index("sector_id").loc[carrying, "antenna"]) == {"AMB4520R8v06"}
    note = next(entry["note"] for entry in plan.metadata["inputs"] if entry["role"] == "network.synthesize")
    assert "synthetic" in note


def test_report_says_partly_synthetic(cut_out: tuple[ScenarioPlan, Path], tmp_path: Path) -> None:
    page = rfplan.write_report(cut_out[0], tmp_path)
    assert "partly synthetic" in page.read_text(encoding="utf-8").lower()


@pytest.mark.slow
def test_whole_tile_runs_within_its_limits(data_dir: Path, tmp_path: Path) -> None:
    import time

    start = time.perf_counter()
    plan = run_plan(load_scenario(SCENARIO, data_dir=data_dir), out=tmp_path)
    assert plan.verified
    assert np.isfinite(plan.metadata["peak_memory_mb"])
    assert plan.metadata["peak_memory_mb"] < 4000
    assert time.perf_counter() - start < 600
