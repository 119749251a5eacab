from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyogrio
import pytest

from rfplan import cli
from small_area import write_area

HEAVY = ("numpy", "numba", "pandas", "xarray", "rasterio", "geopandas", "matplotlib", "scipy")
COMMANDS = sorted(command.name or command.callback.__name__ for command in cli.app.registered_commands)


def test_every_help_loads_nothing_heavy() -> None:
    assert COMMANDS == ["bench", "calibrate", "fetch", "link", "models", "plan", "predict", "validate"]
    code = (
        "import sys\nfrom rfplan.cli import run\n"
        f"for command in {COMMANDS!r}:\n"
        "    assert run([command, '--help']) == 0\n"
        "assert run(['--help']) == 0\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Usage: rfplan") == len(COMMANDS) + 1


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    import rfplan

    assert cli.run(["--version"]) == cli.OK
    assert capsys.readouterr().out.strip() == rfplan.__version__


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["plan", "nowhere.toml"], ("nowhere.toml", "phu-tho")),
        (["plan"], ("Missing argument", "scenario")),
        (["plan", "phu-tho", "--speed"], ("--speed",)),
        (["plan", "phu-tho", "--seed", "-1"], ("--seed",)),
        (["survey"], ("survey",)),
        (["link", "dem.tif", "--from", "north", "--to", "105,21"], ("--from", "north", "LON,LAT")),
        (["link", "dem.tif", "--from", "21.3,105.4", "--to", "105,21"], ("--from", "longitude first")),
        (["link", "dem.tif", "--from", "105,21", "--to", "105,21.1", "--model", "P1"], ("P1", "P1812")),
        (["fetch", "--bbox", "105,21,106"], ("--bbox", "WEST,SOUTH,EAST,NORTH")),
        (["fetch", "--bbox", "105,21,106,22", "--what", "maps", "--list"], ("maps", "glo30")),
        (["link", "none.tif", "--from", "105,21", "--to", "105,21.1"], ("none.tif", "does not exist")),
    ],
)
def test_bad_input_ends_with_2_and_a_message(
    arguments: list[str], words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(arguments) == cli.BAD_INPUT
    shown = capsys.readouterr()
    assert shown.out == ""
    for word in words:
        assert word in shown.err
    assert "Traceback" not in shown.err


def test_a_bug_ends_with_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr("rfplan.scenario.load_scenario", broken)
    assert cli.run(["plan", "phu-tho"]) == cli.UNEXPECTED
    assert "RuntimeError: out of order" in capsys.readouterr().err
    monkeypatch.setenv("RFPLAN_DEBUG", "1")
    with pytest.raises(RuntimeError):
        cli.run(["plan", "phu-tho"])


def test_ctrl_c_ends_with_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stopped(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rfplan.scenario.load_scenario", stopped)
    assert cli.run(["plan", "phu-tho"]) == cli.INTERRUPTED
    assert "interrupted" in capsys.readouterr().err


def test_fetch_lists_files_without_asking_anybody(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["fetch", "--bbox", "105.2,21.1,105.4,21.3", "--what", "glo30", "--list"]) == cli.OK
    shown = capsys.readouterr()
    assert "N21_00_E105_00" in shown.out
    assert "Copernicus" in shown.err


def test_calibrate_learns_an_offset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_area(tmp_path)
    rng = np.random.default_rng(1)
    masts = {"A": (105.402, 21.33), "B": (105.43, 21.30), "C": (105.41, 21.31)}
    lines = ["site_id,lon,lat,rsrp"]
    for name, (lon, lat) in masts.items():
        for dx, dy in rng.uniform(-0.015, 0.015, (60, 2)):
            metres = 111_000.0 * float(np.hypot(dx * 0.93, dy)) + 1.0
            level = 20.0 - 32.4 - 20.0 * np.log10(metres * 1.8) + rng.normal(0.0, 3.0)
            lines.append(f"{name},{lon + dx:.6f},{lat + dy:.6f},{level:.1f}")
    (tmp_path / "drive.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = [f"{name},{lon},{lat},30" for name, (lon, lat) in masts.items()]
    table = "\n".join(["site_id,lon_deg,lat_deg,tx_height_agl_m", *rows]) + "\n"
    (tmp_path / "masts.csv").write_text(table, encoding="utf-8")
    arguments = ["calibrate", str(tmp_path / "drive.csv"), "--transmitters", str(tmp_path / "masts.csv")]
    arguments += ["--terrain", str(tmp_path / "synthetic_dem.tif"), "--model", "FreeSpace", "--out", str(tmp_path)]
    assert cli.run(arguments) == cli.OK
    shown = capsys.readouterr().out
    assert "FreeSpace" in shown
    saved = json.loads((tmp_path / "calibration.json").read_text(encoding="utf-8"))
    assert saved["variant"] == "offset"
    assert abs(saved["offset_db"] - 20.0) < 1.5
    assert (tmp_path / "residuals.csv").is_file()
    assert (tmp_path / "calibration.png").stat().st_size > 20_000
    points = pyogrio.read_info(tmp_path / "residuals.gpkg")
    assert points["features"] > 100
    assert points["crs"] == "EPSG:4326"
    assert cli.run([*arguments, "--frequency-mhz", "5"]) == cli.BAD_INPUT


def test_bench_shows_and_writes_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import rfplan.bench

    asked: dict[str, object] = {}

    def measured(**options: object) -> rfplan.bench.BenchResult:
        asked.update(options)
        return rfplan.bench.BenchResult(({"case": "a case", "value": 2.5, "unit": "us"},), {"threads": 2})

    monkeypatch.setattr(rfplan.bench, "run_bench", measured)
    target = tmp_path / "bench.json"
    assert cli.run(["bench", "--radius-km", "2", "--repeat", "1", "--out", str(target)]) == cli.OK
    assert asked["radius_m"] == [2000.0]
    assert "a case" in capsys.readouterr().out
    assert json.loads(target.read_text(encoding="utf-8"))["rows"][0]["value"] == 2.5
    assert cli.run(["bench", "--repeat", "0"]) == cli.BAD_INPUT


def test_models_lists_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["models"]) == cli.OK
    shown = capsys.readouterr().out
    assert "P1812 (needs geometry): Recommendation ITU-R P.1812-8" in shown
    assert "time_percent = 50.0" in shown


def test_link_prints_distance_and_loss(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_area(tmp_path)
    arguments = ["link", str(tmp_path / "synthetic_dem.tif"), "--from", "105.40,21.32", "--to", "105.43,21.31"]
    assert cli.run(arguments) == cli.OK
    shown = capsys.readouterr().out
    assert "path loss, P1812" in shown
    assert "distance" in shown


def test_validate_shows_what_was_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_area(tmp_path)
    assert cli.run(["validate", str(path)]) == cli.OK
    shown = capsys.readouterr()
    assert "34,000 people" in shown.out
    assert "3 sites" in shown.out
    assert "terrain" in shown.err


def test_plan_and_predict_write_into_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_area(tmp_path)
    out = tmp_path / "out"
    assert cli.run(["predict", str(path), "--out", str(out), "--quiet"]) == cli.OK
    shown = capsys.readouterr()
    assert shown.out == shown.err == ""
    assert (out / "stages" / "key_figures_before.csv").is_file()
    assert cli.run(["plan", str(path), "--out", str(out), "--seed", "4"]) == cli.OK
    shown = capsys.readouterr()
    assert "sites to build" in shown.out
    assert "verified" in shown.out
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["parameters"]["solve"]["seed"] == 4
    assert (out / "index.html").is_file()


def test_a_plan_that_is_not_verified_ends_with_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import rfplan.plan
    import rfplan.report

    path = write_area(tmp_path)
    for verified, status, code in ((True, "feasible", cli.OK), (False, "feasible", 3), (True, "infeasible", 3)):
        made = SimpleNamespace(verified=verified, status=status, metadata={})
        monkeypatch.setattr(rfplan.plan, "run_plan", lambda *_a, made=made, **_k: made)
        monkeypatch.setattr(rfplan.report, "write_report", lambda *_a, **_k: tmp_path / "index.html")
        assert cli.run(["plan", str(path), "--quiet"]) == code
    assert capsys.readouterr().out == ""


def test_an_output_folder_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_area(tmp_path)
    (tmp_path / "out").write_text("in the way", encoding="utf-8")
    assert cli.run(["plan", str(path), "--out", str(tmp_path / "out")]) == cli.BAD_INPUT
    assert "cannot write into the output folder" in capsys.readouterr().err
