"""A read-only installation without a home still predicts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rfplan

PREDICT = """
import sys
{before}
import pandas as pd
import rfplan as rf
from rfplan.bench import synthetic_relief

assert rf.__file__.startswith(sys.argv[1]), rf.__file__
ground = synthetic_relief(15, 90.0)
lon, lat = (float(v) for v in ground.lonlat(500_700.0, 2_399_300.0))
sites = pd.DataFrame({{"site_id": ["a"], "lon_deg": [lon], "lat_deg": [lat]}})
coverage = rf.compute_coverage(rf.Network.with_sectors(sites), ground, model=rf.FreeSpace(), radius_m=600.0)
print("covered", int(coverage.covered.sum()))
"""
NO_TEMPORARY_FOLDER = "import tempfile; tempfile.gettempdir = lambda: (_ for _ in ()).throw(FileNotFoundError('none'))"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site-packages")
    source = Path(rfplan.__file__).parent
    shutil.copytree(source, folder / "rfplan", ignore=shutil.ignore_patterns("__pycache__"))
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    return folder


@pytest.mark.parametrize(
    ("before", "warned"), [("", 0), (NO_TEMPORARY_FOLDER, 1)], ids=["no home", "no temporary folder either"]
)
def test_it_predicts_and_warns_at_most_once(installed: Path, tmp_path: Path, before: str, warned: int) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR")}
    environment |= {
        "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(tmp_path),
        "HOME": os.devnull, "XDG_CACHE_HOME": f"{os.devnull}/nowhere",
    }  # fmt: skip
    listing = sorted(installed.rglob("*"))
    run = subprocess.run(
        [sys.executable, "-c", PREDICT.format(before=before), str(installed)],
        env=environment, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert int(run.stdout.split()[-1]) > 20
    assert run.stderr.count("Warning") == warned, run.stderr
    assert ("NUMBA_CACHE_DIR" in run.stderr) == bool(warned)
    assert sorted(installed.rglob("*")) == listing
