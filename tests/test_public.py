"""The public face: every name loads, is documented, and importing the package stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import rfplan


@pytest.mark.parametrize("name", sorted(set(rfplan.__all__) - {"__version__"}))
def test_every_public_name_loads_and_is_documented(name: str) -> None:
    value = getattr(rfplan, name)
    assert value.__doc__, f"{name} has no docstring"


def test_the_table_and_the_imports_for_type_checkers_agree() -> None:
    tree = ast.parse(Path(rfplan.__file__).read_text(encoding="utf-8"))
    typed = {
        alias.name: node.module.removeprefix("rfplan.")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("rfplan.")
        for alias in node.names
    }
    assert typed == rfplan._EXPORTS


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, rfplan; print([m for m in ('numpy', 'numba', 'xarray', 'rasterio') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        rfplan.nothing  # noqa: B018
