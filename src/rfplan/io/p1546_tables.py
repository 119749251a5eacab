"""The tabulated field-strength curves of Recommendation ITU-R P.1546-6, read from a folder or workbook the user has.

ITU publishes the curves as a workbook beside the Recommendation and does not allow redistribution, so none is shipped.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rfplan.errors import InputFileError

FloatArray = npt.NDArray[np.float64]

__all__ = ["HEIGHTS_M", "TIMES_PERCENT", "P1546Curves", "read_p1546_curves"]

HEIGHTS_M = np.array([10.0, 20.0, 37.5, 75.0, 150.0, 300.0, 600.0, 1200.0])
"""Nominal effective heights of the curves, m."""
TIMES_PERCENT = np.array([50.0, 10.0, 1.0])
"""Nominal percentages of time."""
_DISTANCES_KM = np.concatenate(
    [np.arange(1, 20), np.arange(20, 100, 5), np.arange(100, 200, 10), np.arange(200, 1001, 25)]
).astype(np.float64)
# Figures of one frequency in the order of the Recommendation: (zone, time) with zone 0 land, 1 cold and 2 warm sea.
_FIGURES: tuple[tuple[tuple[int, ...], int], ...] = (
    ((0,), 0), ((0,), 1), ((0,), 2), ((1, 2), 0), ((1,), 1), ((1,), 2), ((2,), 1), ((2,), 2),
)  # fmt: skip
_COUNT = 24


@dataclass(frozen=True, eq=False)
class P1546Curves:
    """Field strength for 1 kW e.r.p., dB(uV/m), exceeded at half of locations.

    Parameters
    ----------
    field_dbuv_m
        Shape (3 zones: land, cold sea, warm sea; 3 times: 50, 10, 1 %; 3 frequencies: 100, 600, 2000 MHz; 78 distances;
        8 heights).
    distance_km
        The distances, km, 1 to 1000.
    source
        Where they came from.
    """

    field_dbuv_m: FloatArray
    distance_km: FloatArray
    source: str = ""

    def __post_init__(self) -> None:
        shape = (3, 3, 3, self.distance_km.size, HEIGHTS_M.size)
        if self.field_dbuv_m.shape != shape:
            raise InputFileError(f"{self.source}: curves have shape {self.field_dbuv_m.shape}; expected {shape}")
        if not np.isfinite(self.field_dbuv_m).all():
            raise InputFileError(f"{self.source}: some field strengths are missing")


def _number(cell: Any) -> float | None:
    try:
        return float(cell)
    except (TypeError, ValueError):
        return None


def _figure(rows: Iterable[Sequence[Any]], name: str) -> FloatArray:
    """The 78 x 8 field strengths of one figure, found below the row that lists the nominal heights."""
    columns: list[int] = []
    values: dict[float, list[float | None]] = {}
    distance_column = -1
    for row in rows:
        numbers = [_number(cell) for cell in row]
        if not columns:
            found = [numbers.index(h) if h in numbers else -1 for h in HEIGHTS_M]
            if min(found) >= 0:
                columns, distance_column = found, min(found) - 1
            continue
        d = numbers[distance_column] if 0 <= distance_column < len(numbers) else None
        if d is not None and d in _DISTANCES_KM:
            values[d] = [numbers[c] if c < len(numbers) else None for c in columns]
    if not columns or distance_column < 0:
        heights = ", ".join(f"{h:g}" for h in HEIGHTS_M)
        raise InputFileError(f"{name}: no row lists the heights {heights} with distances in the column before them")
    missing = [d for d in _DISTANCES_KM if d not in values or None in values[d]]
    if missing:
        raise InputFileError(f"{name}: no complete row for {missing[0]:g} km ({len(missing)} of 78 are missing)")
    return np.array([values[d] for d in _DISTANCES_KM], dtype=np.float64)


def _from_folder(folder: Path) -> dict[int, FloatArray]:
    figures: dict[int, FloatArray] = {}
    for path in sorted(folder.iterdir()):
        match = re.fullmatch(r"\D*(\d{1,2})\.(csv|txt)", path.name, flags=re.IGNORECASE)
        if match and 1 <= int(match[1]) <= _COUNT:
            text = path.read_text(encoding="utf-8-sig")
            rows = [re.split(r"[,;\t ]+", line.strip()) for line in text.splitlines()]
            figures[int(match[1])] = _figure(rows, str(path))
    return figures


def _from_workbook(path: Path) -> dict[int, FloatArray]:
    import openpyxl

    figures: dict[int, FloatArray] = {}
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:
        raise InputFileError(f"{path}: is not a workbook that can be read: {error}; save it as .xlsx") from error
    try:
        for sheet in book.worksheets:
            match = re.fullmatch(r"\D*(\d{1,2})\D*", sheet.title)
            if match and 1 <= int(match[1]) <= _COUNT:
                figures[int(match[1])] = _figure(sheet.iter_rows(values_only=True), f"{path}, sheet {sheet.title!r}")
    finally:
        book.close()
    return figures


def read_p1546_curves(path: str | os.PathLike[str]) -> P1546Curves:
    """Read the curves of P.1546-6, figures 1 to 24.

    Parameters
    ----------
    path
        A folder of 24 text files whose names end in the figure's number (``figure_01.csv`` to ``figure_24.csv``), or an
        ``.xlsx`` workbook with a sheet a figure (ITU's own, saved as .xlsx). Each holds a row with the heights
        10 to 1200 m and below it, by distance, the field strengths; the column before the heights is the distance.

    Returns
    -------
    P1546Curves

    Raises
    ------
    InputFileError
        When files, figures or rows are missing.
    """
    file = Path(path)
    if file.is_dir():
        figures = _from_folder(file)
    elif file.suffix.lower() == ".xlsx" and file.is_file():
        figures = _from_workbook(file)
    else:
        raise InputFileError(f"{file}: name the folder of the 24 figures or ITU's workbook saved as .xlsx")
    missing = sorted(set(range(1, _COUNT + 1)) - set(figures))
    if missing:
        raise InputFileError(
            f"{file}: figures {', '.join(map(str, missing))} of P.1546-6 are missing; 1 to 24 are needed"
        )
    field = np.empty((3, 3, 3, _DISTANCES_KM.size, HEIGHTS_M.size))
    for number, values in figures.items():
        frequency, which = divmod(number - 1, len(_FIGURES))
        zones, time = _FIGURES[which]
        for zone in zones:
            field[zone, time, frequency] = values
    field.setflags(write=False)
    return P1546Curves(field, _DISTANCES_KM, str(file))
