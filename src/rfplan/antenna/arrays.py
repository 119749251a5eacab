"""Active antennas: the TR 38.901 element, a uniform array of it, broadcast beams and the envelope of traffic beams."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rfplan.antenna.catalog import parametric_antenna
from rfplan.antenna.pattern import Antenna, Floats, ParametricPattern
from rfplan.errors import ParameterError

ELEMENT_GAIN_DBI = 8.0
ELEMENT = ParametricPattern(65.0, 65.0, 30.0, 30.0, 30.0)
FLOOR_DB = 40.0
"""Nulls of an ideal array are filled to this loss: no real antenna has deeper ones at every frequency of a carrier."""


@dataclass(frozen=True)
class Array:
    """A uniform rectangular array of TR 38.901 elements.

    Parameters
    ----------
    rows, columns : int
        Elements down (M) and across (N), of one polarisation.
    vertical_spacing, horizontal_spacing : float
        In wavelengths.
    """

    rows: int = 8
    columns: int = 8
    vertical_spacing: float = 0.5
    horizontal_spacing: float = 0.5

    def __post_init__(self) -> None:
        if not (1 <= self.rows <= 64 and 1 <= self.columns <= 64):
            raise ParameterError(f"an array of {self.rows} × {self.columns} elements: both must be 1…64")
        if not (0.1 <= self.vertical_spacing <= 2.0 and 0.1 <= self.horizontal_spacing <= 2.0):
            raise ParameterError("element spacing must be 0.1…2 wavelengths")


@dataclass(frozen=True)
class Beam:
    """Where an array's weights point: clockwise off boresight and down from the horizon, degrees."""

    azimuth_deg: float = 0.0
    tilt_deg: float = 0.0


def element_antenna(name: str = "element-38901", gain_dbi: float = ELEMENT_GAIN_DBI) -> Antenna:
    """One element of TR 38.901 Table 7.3-1: 65° by 65°, floors of 30 dB, 8 dBi."""
    return parametric_antenna(name, gain_dbi, ELEMENT)


def _directions() -> tuple[Floats, Floats]:
    """Depression −90…90 down the rows and azimuth −180…179 (as 0…359) across, degrees."""
    down = np.arange(-90.0, 91.0)[:, None]
    azimuth = (np.arange(360.0) + 180.0) % 360.0 - 180.0
    return down, azimuth[None, :]


def element_gain_dbi(azimuth_deg: npt.ArrayLike, depression_deg: npt.ArrayLike) -> Floats:
    """Gain of the element, dBi: ``8 − min(min(12(φ/65)², 30) + min(12(θ/65)², 30), 30)`` (TR 38.901 Table 7.3-1)."""
    across = np.minimum(12.0 * (np.asarray(azimuth_deg) / 65.0) ** 2, 30.0)
    down = np.minimum(12.0 * (np.asarray(depression_deg) / 65.0) ** 2, 30.0)
    return np.asarray(ELEMENT_GAIN_DBI - np.minimum(across + down, 30.0), dtype=np.float64)


def array_factor_db(array: Array, beam: Beam, azimuth_deg: npt.ArrayLike, depression_deg: npt.ArrayLike) -> Floats:
    """Gain of the array over its element, dB: ``10 lg |Σ w v|²`` with unit-power weights.

    Source: TR 38.901 §7.3 and TR 37.840 §5.4.4.

    A uniform array separates: the sum over rows times the sum over columns, each ``|sin(nψ/2)/sin(ψ/2)|²/n``.
    """
    phi, down = np.radians(azimuth_deg), np.radians(depression_deg)
    phi0, down0 = np.radians(beam.azimuth_deg), np.radians(beam.tilt_deg)
    psi_v = 2.0 * np.pi * array.vertical_spacing * (np.sin(down) - np.sin(down0))
    psi_h = 2.0 * np.pi * array.horizontal_spacing * (np.cos(down) * np.sin(phi) - np.cos(down0) * np.sin(phi0))
    power = _sum_power(psi_v, array.rows) * _sum_power(psi_h, array.columns)
    return np.asarray(10.0 * np.log10(np.maximum(power, 1e-30)), dtype=np.float64)


def _sum_power(psi: Floats, count: int) -> Floats:
    half = 0.5 * np.asarray(psi, dtype=np.float64)
    bottom = np.sin(half)
    near = np.abs(bottom) < 1e-9
    ratio = np.sin(count * half) / np.where(near, 1.0, bottom)
    return np.where(near, float(count), ratio**2 / count)


def array_antenna(name: str, array: Array, beams: Sequence[Beam] | None = None) -> Antenna:
    """Best of an array's beams in every direction, as one antenna.

    Each beam is element gain plus array factor; the antenna's gain is the strongest beam's maximum on the 1° grid,
    and losses are kept to 40 dB (:data:`FLOOR_DB`). One beam gives that beam; several give their envelope.

    Parameters
    ----------
    name : str
        Name in sector tables.
    array : Array
        Geometry.
    beams : sequence of Beam, optional
        Boresight when not given. Their common tilt counts as the antenna's electrical tilt.
    """
    chosen = list(beams) if beams is not None else [Beam()]
    if not chosen:
        raise ParameterError(f"antenna {name!r}: at least one beam is needed")
    down, azimuth = _directions()
    element = element_gain_dbi(azimuth, down)
    gain = np.full(element.shape, -np.inf)
    for beam in chosen:
        gain = np.maximum(gain, element + array_factor_db(array, beam, azimuth, down))
    peak = float(gain.max())
    loss = np.minimum(peak - gain, FLOOR_DB)
    row, column = np.unravel_index(int(np.argmin(loss)), loss.shape)
    tilts = {beam.tilt_deg for beam in chosen}
    # The vertical cut runs through the strongest azimuth: ahead down from the horizon, then behind.
    back = (int(column) + 180) % 360
    angle = np.arange(360)
    ahead = (angle <= 90) | (angle >= 270)
    signed = np.where(angle >= 270, angle - 360, angle)
    vertical = np.where(
        ahead, loss[np.clip(signed, -90, 90) + 90, column], loss[np.clip(180 - angle, -90, 90) + 90, back]
    )
    return Antenna(
        name=name,
        gain_dbi=peak,
        horizontal_loss_db=loss[row],
        vertical_loss_db=vertical,
        method="sum",
        electrical_tilt_deg=tilts.pop() if len(tilts) == 1 else 0.0,
        sampled_loss_db=loss.astype(np.float32),
        notes=(f"{array.rows} × {array.columns} elements, {len(chosen)} beam(s), nulls filled to {FLOOR_DB:g} dB",),
    )


def ssb_beams(count: int = 8, span_deg: float = 105.0, tilt_deg: float = 3.0) -> tuple[Beam, ...]:
    """NR broadcast (SSB) beams in one row, evenly over a span: 8 at most below 6 GHz with 30 kHz (TS 38.213 §4.1)."""
    if not 1 <= count <= 64:
        raise ParameterError(f"count={count} SSB beams: must be 1…64 (TS 38.213 §4.1)")
    azimuths = np.linspace(-0.5 * span_deg, 0.5 * span_deg, count) if count > 1 else np.zeros(1)
    return tuple(Beam(float(a), tilt_deg) for a in azimuths)


def traffic_beams(
    azimuths_deg: Iterable[float] = range(-60, 61, 5), tilts_deg: Iterable[float] = (0.0, 3.0, 6.0, 9.0, 12.0)
) -> tuple[Beam, ...]:
    """A dense set of user beams, whose envelope is what steering can reach."""
    tilts = tuple(tilts_deg)
    return tuple(Beam(float(a), float(t)) for a in azimuths_deg for t in tilts)
