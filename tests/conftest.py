"""Shared fixtures: where the published vectors and real input data are, when they are there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--reference-dir", default=None, help="folder of published test vectors (default ../shared/reference)")
    parser.addoption("--data-dir", default=None, help="folder of real input data (default ../shared/data)")


def _folder(option: str | None, variable: str, fallback: Path) -> Path:
    return Path(option or os.environ.get(variable) or fallback)


@pytest.fixture(scope="session")
def reference_dir(request: pytest.FixtureRequest) -> Path:
    folder = _folder(request.config.getoption("--reference-dir"), "RFPLAN_REFERENCE_DIR", ROOT.parent / "shared" / "reference")
    if not folder.is_dir():
        pytest.skip(reason=f"published vectors are not at {folder} (set --reference-dir or RFPLAN_REFERENCE_DIR)")
    return folder


@pytest.fixture(scope="session")
def data_dir(request: pytest.FixtureRequest) -> Path:
    folder = _folder(request.config.getoption("--data-dir"), "RFPLAN_DATA_DIR", ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(reason=f"real input data is not at {folder} (set --data-dir or RFPLAN_DATA_DIR)")
    return folder
