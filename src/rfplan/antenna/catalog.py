"""Antennas made from formulas, and the set every network may refer to by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rfplan.antenna.pattern import Antenna, Floats, ParametricPattern
from rfplan.errors import ParameterError


def _wrapped(angle_deg: Floats) -> Floats:
    return np.asarray((angle_deg + 180.0) % 360.0 - 180.0, dtype=np.float64)


def parametric_antenna(name: str, gain_dbi: float, pattern: ParametricPattern | None = None) -> Antenna:
    """A sector antenna of two parabolas (TR 36.814 Table A.2.1.1-2 by default: 70°, 10°, 25 dB, 20 dB).

    Parameters
    ----------
    name : str
        Its name in sector tables.
    gain_dbi : float
        Maximum gain.
    pattern : ParametricPattern, optional
        Beam widths and floors.
    """
    pattern = pattern or ParametricPattern()
    angle = _wrapped(np.arange(360.0))
    horizontal = np.minimum(12.0 * (angle / pattern.horizontal_width_deg) ** 2, pattern.max_horizontal_loss_db)
    vertical = np.minimum(12.0 * (angle / pattern.vertical_width_deg) ** 2, pattern.max_vertical_loss_db)
    return Antenna(
        name=name,
        gain_dbi=gain_dbi,
        horizontal_loss_db=horizontal,
        vertical_loss_db=vertical,
        method="sum",
        max_loss_db=pattern.max_loss_db,
        parametric=pattern,
    )


def omni_antenna(
    name: str = "omni", gain_dbi: float = 0.0, vertical_width_deg: float = np.inf, max_vertical_loss_db: float = 20.0
) -> Antenna:
    """An antenna that radiates alike at every azimuth; isotropic unless a vertical width is given."""
    pattern = ParametricPattern(np.inf, vertical_width_deg, 0.0, max_vertical_loss_db, max_vertical_loss_db)
    return parametric_antenna(name, gain_dbi, pattern)


# A 64-element panel's traffic-beam envelope: wide where the beams steer, narrow where they do not.
_PANEL = parametric_antenna("panel-2600", 24.0, ParametricPattern(90.0, 12.0, 25.0, 20.0, 25.0))

BUILT_IN: Mapping[str, Antenna] = {
    antenna.name: antenna
    for antenna in (
        omni_antenna("isotropic"),
        omni_antenna("omni", 8.0, vertical_width_deg=16.0),
        parametric_antenna("sector-900", 15.5),
        parametric_antenna("sector-1800", 17.0),
        parametric_antenna("sector-2100", 17.5),
        parametric_antenna("tr36814", 17.0),
        _PANEL,
        # What the same panel's broadcast beams reach: about 5 dB less than a steered traffic beam.
        replace(parametric_antenna("panel-2600-ssb", 19.0, _PANEL.parametric), traffic=_PANEL),
    )
}


def find_antenna(name: str, antennas: Mapping[str, Antenna] | None = None) -> Antenna:
    """The antenna of that name, from the given ones first and then the built-in ones.

    Raises
    ------
    ParameterError
        When neither has it; the message lists the names there are.
    """
    for source in (antennas or {}, BUILT_IN):
        if name in source:
            return source[name]
    known = ", ".join(sorted({*BUILT_IN, *(antennas or {})}))
    raise ParameterError(f"antenna {name!r} is not known; pass it in antennas={{name: Antenna}} or use one of: {known}")
