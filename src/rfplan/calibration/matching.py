"""Which transmitter a measurement heard: by site, cell id, or PCI and channel number; the nearest of several."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import cKDTree

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

NOT_FOUND, AMBIGUOUS = -1, -2
CLEARLY_NEARER = 1.5
"""A reused name belongs to the nearest transmitter where the next one is this many times as far."""


def match_keys(measurements: pd.DataFrame, transmitters: pd.DataFrame) -> list[tuple[str, ...]]:
    """Columns to match by, the most telling first: those that both tables fill."""

    def filled(table: pd.DataFrame, name: str) -> bool:
        return name in table and bool((table[name] != "").any())

    ways: list[tuple[str, ...]] = [("cell_id",), ("site_id",), ("pci", "arfcn"), ("pci",)]
    return [way for way in ways if all(filled(measurements, n) and filled(transmitters, n) for n in way)]


def match(measurements: pd.DataFrame, table: pd.DataFrame, x: FloatArray, y: FloatArray) -> tuple[IntArray, list[str]]:
    """Transmitter of each measurement; `NOT_FOUND` and `AMBIGUOUS` otherwise.

    A row that one way of matching leaves without a transmitter is tried by the next. Of several transmitters of one
    name (a reused PCI) the nearest counts, where it is clearly nearer; antennas of one name at one place (within
    150 m) are no ambiguity. A single transmitter takes measurements that name none.
    """
    result = np.full(len(measurements), NOT_FOUND, dtype=np.int64)
    if len(table) == 1 and (measurements["site_id"] == "").all():
        result[:] = 0
        return result, []
    notes = []
    for way in match_keys(measurements, table):
        open_rows = np.flatnonzero(result == NOT_FOUND)
        if open_rows.size == 0:
            break
        keys = _joined(measurements.iloc[open_rows], way)
        names = _joined(table, way)
        before = int((result >= 0).sum())
        for name, index in pd.Series(names).groupby(names, sort=True).indices.items():
            rows = open_rows[keys == name]
            if rows.size and str(name).strip("@"):
                result[rows] = _nearest(np.asarray(index), table, x[rows], y[rows])
        if (result < 0).all():
            notes.append(
                f"no {' and '.join(way)} of the measurements ({_some(keys)}) is a transmitter's ({_some(names)})"
            )
        elif way != ("site_id",):
            notes.append(f"{int((result >= 0).sum()) - before} measurements matched by {' and '.join(way)}")
    return result, notes


def _some(names: npt.NDArray[np.object_]) -> str:
    found = [repr(str(name)) for name in dict.fromkeys(names) if str(name)]
    return ", ".join(found[:3]) + (" …" if len(found) > 3 else "")


def _joined(table: pd.DataFrame, columns: tuple[str, ...]) -> npt.NDArray[np.object_]:
    """One text a row; capital letters, which lists of identifiers (EUIs) use at will, don't matter."""
    joined = table[columns[0]].astype(str).str.casefold()
    for name in columns[1:]:
        joined = joined + "@" + table[name].astype(str).str.casefold()
    return joined.to_numpy(dtype=object)


def _nearest(rows: IntArray, table: pd.DataFrame, x: FloatArray, y: FloatArray) -> IntArray:
    if rows.size == 1:
        return np.full(x.size, rows[0], dtype=np.int64)
    xy = table[["x_m", "y_m"]].to_numpy(float)[rows]
    usable = np.isfinite(xy).all(axis=1)
    xy, rows = xy[usable], rows[usable]
    if rows.size == 0:
        return np.full(x.size, NOT_FOUND, dtype=np.int64)
    where = np.column_stack([x, y])
    distance, nearest = cKDTree(xy).query(where)
    chosen: IntArray = rows[nearest].astype(np.int64)
    apart = np.hypot(xy[:, None, 0] - xy[None, :, 0], xy[:, None, 1] - xy[None, :, 1]) > 150.0
    for k in np.unique(nearest):
        others = xy[apart[k]]
        here = np.flatnonzero(nearest == k)
        if len(others):
            second = cKDTree(others).query(where[here])[0]
            chosen[here[second < CLEARLY_NEARER * distance[here]]] = AMBIGUOUS
    return chosen
