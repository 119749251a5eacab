"""Built-in scenarios: synthetic input that the same code opens as real data."""

from __future__ import annotations

from rfplan.builtin.phu_tho import write_inputs
from rfplan.builtin.sites import synthesize_sites

__all__ = ["synthesize_sites", "write_inputs"]
