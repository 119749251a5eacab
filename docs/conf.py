"""Sphinx configuration: `sphinx-build -W docs docs/_build`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

import rfplan  # noqa: E402

project = "rfplan"
author = "The rfplan developers"
copyright = "2026, the rfplan developers"
release = rfplan.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
]
myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build"]
html_theme = "pydata_sphinx_theme"
html_title = "rfplan"
autodoc_typehints = "none"
autosummary_generate = True
napoleon_google_docstring = False
napoleon_use_rtype = False
nitpicky = False


def write_api_names() -> None:
    """List every public name by the module that defines it, for autosummary."""
    by_module: dict[str, list[str]] = {}
    for name, module in rfplan._EXPORTS.items():
        by_module.setdefault(module, []).append(name)
    lines = []
    for module in sorted(by_module):
        lines += [f".. rubric:: rfplan.{module}", "", ".. autosummary::", "   :toctree: _generated", ""]
        lines += [f"   rfplan.{name}" for name in sorted(by_module[module])] + [""]
    Path(__file__).with_name("_api_names.txt").write_text("\n".join(lines), encoding="utf-8")


write_api_names()
