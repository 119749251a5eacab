"""A plan that is stopped goes on where it was, and ends with the bytes of one that was not."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rfplan.errors import DataWarning, OutputError
from rfplan.plan import run_plan
from rfplan.plan.bookkeeping import claimed
from rfplan.report import write_report
from small_area import SCENARIO, write_area, write_terrain

STEPS = ("coverage_before", "candidate_coverage", "choice", "coverage_after")

# Forks a process a run, so that imports and compiled kernels are paid for once; kernels of a forked process need the
# workqueue layer. Times are spread evenly over the length of a run, in a seeded order.
KILLING = """
import hashlib, os, random, shutil, signal, sys, time
from pathlib import Path
import numba, rfplan.cli

scenario, folder, kills = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])

def start(out):
    child = os.fork()
    if child == 0:
        code = 99
        try:
            code = rfplan.cli.run(["plan", scenario, "--out", str(out), "--quiet"])
        finally:
            os._exit(code)
    return child

def finish(out):
    _, status = os.waitpid(start(out), 0)
    assert status == 0, status

def killed_after(child, seconds):
    began = time.monotonic()
    ended = status = 0
    while not ended and time.monotonic() - began < seconds:
        time.sleep(0.002)
        ended, status = os.waitpid(child, os.WNOHANG)
    if not ended:
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), status
    return time.monotonic() - began if status == 0 else None

def content(out):
    return {p.relative_to(out).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in sorted(out.rglob("*")) if p.is_file() and p.name != "run.json"}

assert rfplan.cli.run(["plan", scenario, "--out", str(folder / "warm"), "--quiet"]) == 0
began = time.monotonic()
finish(folder / "whole")
length = time.monotonic() - began
whole = content(folder / "whole")
assert len(whole) > 25 and whole == content(folder / "warm")
rng = random.Random(1)
moments = [(i + rng.random()) / kills for i in range(2 * kills)]
rng.shuffle(moments)
killed = compared = 0
out = folder / "killed"
for turn, moment in enumerate(moments):
    if killed == kills:
        break
    took = killed_after(start(out), (moment % 1.0) * length)
    killed += took is None
    if took is None and turn % 5 < 4:
        continue
    if took is None:
        finish(out)
    else:
        length = took  # the machine does other work, too: what a run takes changes
    assert content(out) == whole, sorted(set(content(out).items()) ^ set(whole.items()))
    compared += 1
    shutil.rmtree(out)
finish(out)
assert content(out) == whole
print(killed, compared)
"""


EVERYTHING = """
[baseline]
technologies = ["2G", "3G", "4G"]

[rollout]
years = [2025, 2026]

[tuning]
rules = { tilt_steps_deg = [2], rounds = 1 }

[backhaul]

[expansion_5g]
population = 0.5
years = [2025, 2026]
bands = ["n28"]
radius_m = 3000

[parameters]
max_neighbours = 6
max_inter = 3
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize(("sections", "kills"), [("", 50), (EVERYTHING, 10)], ids=["plan", "every stage"])
def test_killed_at_random_moments_it_ends_with_the_same_bytes(tmp_path: Path, sections: str, kills: int) -> None:
    text = (
        (SCENARIO + sections)
        .replace("resolution_m = 100", "resolution_m = 200")
        .replace("time_limit_s = 5", "time_limit_s = 60")
    )
    environment = os.environ | {
        "NUMBA_THREADING_LAYER": "workqueue", "NUMBA_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", KILLING, str(write_area(tmp_path, text)), str(tmp_path), str(kills)],
        env=environment, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    killed, compared = (int(word) for word in done.stdout.split()[-2:])
    assert killed == kills
    assert compared >= kills // 6


def states(out: Path) -> dict[str, tuple[int, str]]:
    """Inode (a file written again has another) and content of each step's result."""
    return {
        path.stem: (path.stat().st_ino, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted((out / "stages").glob("*.state"))
    }


def test_finished_steps_are_recalled_to_the_bit_and_warnings_told_again(tmp_path: Path) -> None:
    path = write_area(tmp_path)
    with (tmp_path / "synthetic_sites.csv").open("a") as table:
        table.write("far,106.9,21.3,4G\n")
    out = tmp_path / "out"
    with pytest.warns(DataWarning, match="off the terrain") as first:
        one = run_plan(path, out=out)
    before = states(out)
    assert tuple(sorted(before)) == tuple(sorted(STEPS))
    with pytest.warns(DataWarning, match="off the terrain") as second:
        two = run_plan(path, out=out)
    assert states(out) == before
    assert [str(w.message) for w in first] == [str(w.message) for w in second]
    pd.testing.assert_frame_equal(one.sites, two.sites)
    for name in one.coverage_after.layers:
        np.testing.assert_array_equal(one.coverage_after.layers[name].values, two.coverage_after.layers[name].values)
    assert (one.objective, one.bound, one.verified) == (two.objective, two.bound, two.verified)


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        (("population = 0.99", "population = 0.9"), ("coverage_before", "candidate_coverage")),
        (("grid_spacing_m = 1500", "grid_spacing_m = 1200"), ("coverage_before",)),
        (("radius_m = 3500", "radius_m = 3000"), ()),
        (('title = "A small', 'title = "The small'), STEPS),
    ],
)
def test_a_change_of_the_scenario_undoes_what_depends_on_it(
    tmp_path: Path, change: tuple[str, str], kept: tuple[str, ...]
) -> None:
    out = tmp_path / "out"
    run_plan(write_area(tmp_path), out=out)
    before = states(out)
    assert change[0] in SCENARIO
    path = write_area(tmp_path, SCENARIO.replace(*change))
    made = run_plan(path, out=out)
    after = states(out)
    assert tuple(step for step in STEPS if after[step] == before[step]) == kept
    anew = run_plan(path, out=tmp_path / "other")
    pd.testing.assert_frame_equal(made.sites, anew.sites)
    assert {k: v[1] for k, v in after.items()} == {k: v[1] for k, v in states(tmp_path / "other").items()}


def test_another_terrain_undoes_all_and_damage_is_mended(tmp_path: Path) -> None:
    path, out = write_area(tmp_path), tmp_path / "out"
    run_plan(path, out=out)
    before = states(out)
    damaged = out / "stages" / "choice.state"
    damaged.write_bytes(damaged.read_bytes()[:-3])
    with pytest.warns(DataWarning, match=r"choice\.state is damaged"):
        run_plan(path, out=out)
    assert {k: v[1] for k, v in states(out).items()} == {k: v[1] for k, v in before.items()}
    write_terrain(tmp_path, unknown_columns=3)
    run_plan(path, out=out)
    after = states(out)
    assert not [step for step in STEPS if after[step][1] == before[step][1]]


def test_half_written_files_of_a_killed_run_are_removed(tmp_path: Path) -> None:
    path, out = write_area(tmp_path), tmp_path / "out"
    write_report(run_plan(path, out=out), out)
    found = {p for p in out.rglob("*") if p.is_file()}
    (out / "stages" / ".choice.0123456789ab.tmp.state").write_bytes(b"half")
    (out / ".rfplan-report-x1y2").mkdir()
    (out / ".rfplan-report-x1y2" / "index.html").write_text("half")
    (out / ".mine").write_text("somebody's own")
    write_report(run_plan(path, out=out), out)
    assert {p for p in out.rglob("*") if p.is_file()} == found | {out / ".mine"}


def test_a_folder_belongs_to_one_run_at_a_time(tmp_path: Path) -> None:
    path, out = write_area(tmp_path), tmp_path / "out"
    code = "import sys; from rfplan.plan.bookkeeping import claimed\n"
    code += "with claimed(sys.argv[1]):\n print('in', flush=True); input()"
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == "in"
        with pytest.raises(OutputError, match="another run"):
            run_plan(path, out=out)
    finally:
        other.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        other.communicate()
    with claimed(out), claimed(out):
        pass
