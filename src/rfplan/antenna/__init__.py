"""Antennas: patterns, gain towards a direction, both kinds of tilt, and files of them."""

from __future__ import annotations

from rfplan.antenna.catalog import BUILT_IN, find_antenna, omni_antenna, parametric_antenna
from rfplan.antenna.files import read_antenna
from rfplan.antenna.pattern import Antenna, ParametricPattern, PatternTable

__all__ = [
    "BUILT_IN",
    "Antenna",
    "ParametricPattern",
    "PatternTable",
    "find_antenna",
    "omni_antenna",
    "parametric_antenna",
    "read_antenna",
]
