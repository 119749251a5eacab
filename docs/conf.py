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
napoleon_google_docstring = False
napoleon_use_rtype = False
nitpicky = False


def write_api_pages() -> None:
    """Write a page a module with the docstrings of its public names."""
    by_module: dict[str, list[str]] = {}
    for name, module in rfplan._EXPORTS.items():
        by_module.setdefault(module, []).append(name)
    folder = Path(__file__).with_name("_api")
    folder.mkdir(exist_ok=True)
    for module, names in by_module.items():
        title = f"rfplan.{module}"
        lines = [title, "=" * len(title), ""]
        for name in sorted(names):
            value = getattr(rfplan, name)
            kind = "autoclass" if isinstance(value, type) else "autofunction" if callable(value) else "autodata"
            lines += [f".. {kind}:: rfplan.{name}", *(["   :members:"] if kind == "autoclass" else []), ""]
        (folder / f"{module}.rst").write_text("\n".join(lines), encoding="utf-8")


write_api_pages()
