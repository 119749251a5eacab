"""``python -m rfplan``."""

from __future__ import annotations

from rfplan.cli import main

main()
