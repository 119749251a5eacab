"""Antennas: patterns, gain towards a direction, both kinds of tilt, and files of them."""

from __future__ import annotations

from rfplan.antenna.arrays import Array, Beam, array_antenna, element_antenna, ssb_beams, traffic_beams
from rfplan.antenna.catalog import BUILT_IN, find_antenna, omni_antenna, parametric_antenna
from rfplan.antenna.files import read_antenna, write_antenna
from rfplan.antenna.pattern import Antenna, ParametricPattern, PatternTable
from rfplan.antenna.plot import polar_plot

__all__ = [
    "BUILT_IN",
    "Antenna",
    "Array",
    "Beam",
    "ParametricPattern",
    "PatternTable",
    "array_antenna",
    "element_antenna",
    "find_antenna",
    "omni_antenna",
    "parametric_antenna",
    "polar_plot",
    "read_antenna",
    "ssb_beams",
    "traffic_beams",
    "write_antenna",
]
