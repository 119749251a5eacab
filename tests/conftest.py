"""Shared fixtures: where the published vectors and real input data are, when they are there."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# fixture → (command-line option, environment variable, folder beside the checkout, what is there)
SHARED = {
    "reference_dir": ("--reference-dir", "RFPLAN_REFERENCE_DIR", "reference", "published vectors"),
    "data_dir": ("--data-dir", "RFPLAN_DATA_DIR", "data", "real input data"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    for option, variable, name, what in SHARED.values():
        parser.addoption(option, default=None, help=f"folder of {what} (else ${variable}, else ../shared/{name})")


def shared_folder(config: pytest.Config, fixture: str) -> Path:
    option, variable, name, _ = SHARED[fixture]
    return Path(config.getoption(option) or os.environ.get(variable) or ROOT.parent / "shared" / name)


def _folder_or_skip(config: pytest.Config, fixture: str) -> Path:
    folder = shared_folder(config, fixture)
    if not folder.is_dir():
        option, variable, _, what = SHARED[fixture]
        pytest.skip(reason=f"{what} not found at {folder} (set {option} or {variable})")
    return folder


@pytest.fixture(scope="session")
def reference_dir(request: pytest.FixtureRequest) -> Path:
    return _folder_or_skip(request.config, "reference_dir")


@pytest.fixture(scope="session")
def data_dir(request: pytest.FixtureRequest) -> Path:
    return _folder_or_skip(request.config, "data_dir")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test on shared data that skips although the data is there is a failure, never a silent pass."""
    report = yield
    used = [name for name in SHARED if name in getattr(item, "fixturenames", ())]
    if report.skipped and used and all(shared_folder(item.config, name).is_dir() for name in used):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} skipped although {', '.join(used)} is there: {report.longrepr}"
    return report
