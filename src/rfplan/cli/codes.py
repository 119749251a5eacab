"""Exit codes of the command line."""

from __future__ import annotations

OK, UNEXPECTED, BAD_INPUT, TARGET_MISSED, INTERRUPTED = 0, 1, 2, 3, 130
