from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rfplan import cli
from small_area import write_area

HEAVY = ("numpy", "numba", "pandas", "xarray", "rasterio", "geopandas", "matplotlib", "scipy")
COMMANDS = sorted(command.name or command.callback.__name__ for command in cli.app.registered_commands)


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_loads_nothing_heavy(command: str | None) -> None:
    arguments = [command, "--help"] if command else ["--help"]
    code = (
        "import sys\nfrom rfplan.cli import run\n"
        f"code = run({arguments!r})\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "assert code == 0 and not heavy, (code, heavy)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "Usage: rfplan" in done.stdout


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
    def broken(*_arguments: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(cli, "_load", broken)
    assert cli.run(["plan", "phu-tho"]) == cli.UNEXPECTED
    assert "RuntimeError: out of order" in capsys.readouterr().err
    monkeypatch.setenv("RFPLAN_DEBUG", "1")
    with pytest.raises(RuntimeError):
        cli.run(["plan", "phu-tho"])


def test_ctrl_c_ends_with_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stopped(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_load", stopped)
    assert cli.run(["plan", "phu-tho"]) == cli.INTERRUPTED
    assert "interrupted" in capsys.readouterr().err


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


def test_an_output_folder_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_area(tmp_path)
    (tmp_path / "out").write_text("in the way", encoding="utf-8")
    assert cli.run(["plan", str(path), "--out", str(tmp_path / "out")]) == cli.BAD_INPUT
    assert "cannot write into the output folder" in capsys.readouterr().err
