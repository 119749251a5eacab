"""Event logs of drive-test tools in the NMF layout: lines of comma-separated events, positions apart from levels.

Read are ``#START`` (date), ``GPS`` (longitude, latitude) and ``CELLMEAS`` of LTE (system 7): counts of header values,
cells and values a cell, then for every cell type, band, channel, PCI, RSSI, RSRP, RSRQ. Other events are passed over.
"""

from __future__ import annotations

import math
import os
import re
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.errors import DataWarning, InputFileError
from rfplan.io.tables import decode_text, read_bytes

FloatArray = npt.NDArray[np.float64]

LTE = "7"
LARGEST_GAP_S = 10.0
"""Levels farther than this, in time, from the fixes on both sides have no position."""

_TIME = re.compile(r"(\d{1,2}):(\d{2}):(\d{2}(?:\.\d{1,6})?)")
_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_DAY_S = 86_400.0
_CHANNEL, _PCI, _RSRP = 2, 3, 5
_MOST_CELLS = 512


def read_nmf(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read LTE levels and where they were measured from an event log.

    Positions are interpolated linearly in time between the GPS fixes on both sides.

    Parameters
    ----------
    path : path
        The log; ``.nmf`` or any text of this layout.

    Returns
    -------
    DataFrame
        A row a measured cell: ``time`` (ISO text; of 1970-01-01 where the log states no date), ``lon, lat`` (degrees),
        ``rsrp`` (dBm), ``pci, earfcn`` (text), ``serving`` (bool), in the order of the log.

    Raises
    ------
    InputFileError
        The file can't be read, or holds no GPS fix or no LTE measurement.

    Warns
    -----
    DataWarning
        Lines that are damaged, or levels without a fix nearby, are left out.
    """
    file = Path(path)
    text = decode_text(read_bytes(file), file)
    fixes: list[tuple[float, float, float]] = []
    cells: list[tuple[float, float, str, str, bool]] = []
    start_s, day_s, last_s, damaged = 0.0, 0.0, -1.0, 0
    for line in text.splitlines():
        fields = [field.strip() for field in line.split(",")]
        event = fields[0].upper()
        if event not in ("GPS", "CELLMEAS", "#START"):
            continue
        clock_s = _seconds(fields)
        if clock_s is None:
            damaged += 1
            continue
        if clock_s < last_s - 0.5 * _DAY_S:
            day_s += _DAY_S  # past midnight
        last_s = clock_s
        if event == "#START":
            start_s, day_s = _date_s(fields), 0.0
            continue
        now_s = start_s + day_s + clock_s
        found = _fix(fields, now_s, fixes) if event == "GPS" else _cells(fields, now_s, cells)
        damaged += 0 if found else 1
    if not fixes or not cells:
        what = "GPS fix" if not fixes else "LTE measurement (CELLMEAS of system 7 with RSRP)"
        raise InputFileError(f"{file}: no {what} in it; export the drive test as a table with position and level")
    if damaged:
        warnings.warn(DataWarning(f"{file}: {damaged} damaged GPS or CELLMEAS lines are left out"), stacklevel=2)
    return _placed(file, np.array(fixes), cells)


def _seconds(fields: list[str]) -> float | None:
    found = _TIME.fullmatch(fields[1]) if len(fields) > 1 else None
    if found is None:
        return None
    hour, minute, second = int(found[1]), int(found[2]), float(found[3])
    return 3600.0 * hour + 60.0 * minute + second if hour < 24 and minute < 60 and second < 61.0 else None


def _date_s(fields: list[str]) -> float:
    """Midnight of the day a log begins on, s since 1970; 0 where it is not told."""
    found = next((match for field in fields[2:] if (match := _DATE.search(field))), None)
    if found is None:
        return 0.0
    try:
        day = pd.Timestamp(year=int(found[3]), month=int(found[2]), day=int(found[1]))
    except ValueError:
        return 0.0
    return float((day - pd.Timestamp(0)).total_seconds())


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _count(fields: list[str], k: int) -> int:
    """A whole number of up to four digits, or -1."""
    text = fields[k] if 0 <= k < len(fields) else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 4 else -1


def _fix(fields: list[str], now_s: float, fixes: list[tuple[float, float, float]]) -> bool:
    if len(fields) < 5:
        return False
    lon, lat = _number(fields[3]), _number(fields[4])
    if not (abs(lon) <= 180.0 and abs(lat) <= 90.0) or (lon == 0.0 and lat == 0.0):
        return False
    fixes.append((now_s, lon, lat))
    return True


def _cells(fields: list[str], now_s: float, cells: list[tuple[float, float, str, str, bool]]) -> bool:
    """Append the cells of a CELLMEAS line; another system's line is fine and adds none."""
    if len(fields) < 4 or fields[3] != LTE:
        return len(fields) >= 4
    headers = _count(fields, 4)
    count, width = _count(fields, 5 + headers), _count(fields, 6 + headers)
    if min(headers, count) < 0 or width <= _RSRP or max(headers, count, width) > _MOST_CELLS:
        return False
    for k in range(count):
        values = fields[7 + headers + k * width : 7 + headers + (k + 1) * width]
        if len(values) <= _RSRP:
            return False
        level = _number(values[_RSRP])
        if -200.0 <= level <= 0.0 and _count(values, _PCI) >= 0:
            cells.append((now_s, level, values[_PCI], values[_CHANNEL], values[0] == "0"))
    return True


def _placed(file: Path, fixes: FloatArray, cells: list[tuple[float, float, str, str, bool]]) -> pd.DataFrame:
    fixes = fixes[np.argsort(fixes[:, 0], kind="stable")]
    time = np.array([cell[0] for cell in cells])
    after = np.searchsorted(fixes[:, 0], time, side="left")
    left, right = np.clip(after - 1, 0, len(fixes) - 1), np.clip(after, 0, len(fixes) - 1)
    nearest = np.minimum(np.abs(time - fixes[left, 0]), np.abs(time - fixes[right, 0]))
    wide = fixes[right, 0] - fixes[left, 0] > 2.0 * LARGEST_GAP_S
    good = (nearest <= LARGEST_GAP_S) & ~(wide & (nearest > 1.0))
    if not good.any():
        raise InputFileError(f"{file}: no level has a GPS fix within {LARGEST_GAP_S:g} s of it")
    if not good.all():
        text = f"{file}: {int((~good).sum())} levels have no GPS fix within {LARGEST_GAP_S:g} s and are left out"
        warnings.warn(DataWarning(text), stacklevel=3)
    table: pd.DataFrame = pd.DataFrame(
        {
            "time": [stamp.isoformat() for stamp in pd.to_datetime(time, unit="s")],
            "lon": np.interp(time, fixes[:, 0], fixes[:, 1]),
            "lat": np.interp(time, fixes[:, 0], fixes[:, 2]),
            "rsrp": [cell[1] for cell in cells],
            "pci": [cell[2] for cell in cells],
            "earfcn": [cell[3] for cell in cells],
            "serving": [cell[4] for cell in cells],
        }
    )
    return pd.DataFrame(table[good].reset_index(drop=True))
