"""Radio network planning: from a terrain model and a list of sites to which sites to build.

Names are loaded on first use, so that ``import rfplan`` and the command line's ``--help`` stay fast.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_EXPORTS: dict[str, str] = {}

__all__ = ["__version__", *sorted(_EXPORTS)]


def __getattr__(name: str) -> Any:
    module = _EXPORTS.get(name)
    if module is None:
        raise AttributeError(f"module 'rfplan' has no attribute {name!r}")
    return getattr(importlib.import_module(f"rfplan.{module}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
