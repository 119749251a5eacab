"""Antennas from pattern files."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from rfplan.antenna.pattern import Antenna, Floats, Method
from rfplan.io.antenna_files import read_antenna_file, write_antenna_file

_TILT_IN_NAME = re.compile(r"(?<![0-9])([0-9]{1,2})(?:DT|T)(?![A-Za-z0-9])")


def _peak_deg(cut: Floats) -> float:
    """Angle of the least loss; the middle of a flat peak, in −180…180."""
    least = np.flatnonzero(cut <= cut.min() + 1e-9).astype(np.float64)
    angle = np.radians(least)
    return float(np.degrees(np.arctan2(np.sin(angle).mean(), np.cos(angle).mean())))


def _electrical_tilt(header: dict[str, str], name: str, vertical: Floats, notes: list[str]) -> float:
    peak = _peak_deg(vertical)
    for key in ("ELECTRICAL_TILT", "TILT"):
        try:
            return float(header.get(key, ""))
        except ValueError:
            continue
    named = _TILT_IN_NAME.search(name) or _TILT_IN_NAME.search(header.get("COMMENT", "").replace(" degree", "T "))
    if named and abs(float(named.group(1)) - peak) <= 1.5:
        notes.append(
            f"electrical tilt {float(named.group(1)):g}° taken from the name; the vertical cut peaks at {peak:g}°"
        )
        return float(named.group(1))
    if abs(peak) <= 20.0 and "ELECTRICAL" in header.get("TILT", "").upper():
        notes.append(f"electrical tilt {peak:g}° taken from the vertical cut's maximum")
        return peak
    notes.append("no electrical tilt is stated: taken as 0°")
    return 0.0


def _cut_azimuth(horizontal: Floats, vertical: Floats, notes: list[str]) -> float:
    """Azimuth through which the vertical cut was taken: the antenna's zero, or the horizontal maximum."""
    peak = _peak_deg(horizontal)
    off_peak = horizontal[0] - horizontal.min()
    if off_peak <= 1.0:
        return 0.0
    if abs(vertical[0] - horizontal[0]) <= 0.1:
        notes.append(
            f"horizontal maximum is at {peak:g}°, but the cuts agree at 0°: the vertical cut is taken through 0°"
        )
        return 0.0
    notes.append(
        f"boresight is not at 0°: the horizontal maximum is at {peak:g}° ({off_peak:.1f} dB above 0°); "
        "the vertical cut is taken through the maximum and azimuths stay relative to the file's 0°"
    )
    return peak


def read_antenna(path: str | Path, *, name: str | None = None, method: Method = "horizontal-projection") -> Antenna:
    """Read a Planet/MSI antenna (.msi, .pln, .txt) and say what was assumed.

    Parameters
    ----------
    path : path
        The file.
    name : str, optional
        Name for sector tables; the file's stem when not given.
    method : str
        How the gain between the cuts is filled (:meth:`Antenna.gain_dbi_at`).

    Returns
    -------
    Antenna
        With ``notes``: units, signs, tilt and boresight that the file left open.
    """
    content = read_antenna_file(path)
    notes = list(content.notes)
    tilt = _electrical_tilt(content.header, content.name, content.vertical_loss_db, notes)
    cut_azimuth = _cut_azimuth(content.horizontal_loss_db, content.vertical_loss_db, notes)
    least = float(min(content.horizontal_loss_db.min(), content.vertical_loss_db.min()))
    if least > 0.05:
        notes.append(
            f"neither cut reaches GAIN (least loss {least:.2f} dB): the maximum lies elsewhere; losses kept as given"
        )
    return Antenna(
        name=name or Path(path).stem,
        gain_dbi=content.gain_dbi,
        horizontal_loss_db=content.horizontal_loss_db,
        vertical_loss_db=content.vertical_loss_db,
        method=method,
        electrical_tilt_deg=tilt,
        cut_azimuth_deg=cut_azimuth,
        frequency_mhz=content.frequency_mhz,
        properties={key.lower(): value for key, value in content.header.items()},
        notes=tuple(notes),
    )


def write_antenna(antenna: Antenna, path: str | Path) -> Path:
    """Write an antenna's two cuts as a Planet/MSI file; :func:`read_antenna` reads it back.

    A sampled or parametric antenna loses what lies between its cuts: the format has no room for more.
    """
    kept = {key.upper(): value for key, value in antenna.properties.items() if value}
    frequency = {} if np.isnan(antenna.frequency_mhz) else {"FREQUENCY": f"{antenna.frequency_mhz:g}"}
    header = {
        **kept,
        "NAME": antenna.name,
        **frequency,
        "GAIN": f"{antenna.gain_dbi:.3f} dBi",
        "ELECTRICAL_TILT": f"{antenna.electrical_tilt_deg:g}",
    }
    return write_antenna_file(path, header, antenna.horizontal_loss_db, antenna.vertical_loss_db)
