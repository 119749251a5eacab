"""OpenCellID lists: crowd-sourced cells, whose positions are estimates and not masts."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from rfplan.errors import InputFileError
from rfplan.io.tables import read_bytes, read_table, to_float

COLUMNS = (
    "radio", "mcc", "net", "area", "cell", "unit", "lon", "lat", "range", "samples", "changeable", "created",
    "updated", "averageSignal",
)  # fmt: skip
_TECHNOLOGY = {"GSM": "2G", "UMTS": "3G", "LTE": "4G", "NR": "5G"}


def read_opencellid_table(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Cells of a dump, with or without its header line, as numbers; unknown radio types are left out.

    Returns
    -------
    DataFrame
        row (line), technology, mcc, net, area, cell, unit, lon, lat, samples; ``attrs["left_out"]`` counts the rest.
    """
    file = Path(path)
    first = read_bytes(file).split(b"\n", 1)[0].decode("utf-8", "replace").strip().lstrip("\ufeff")
    if first.split(",")[0].strip().lower() == "radio":
        table = read_table(file, required=COLUMNS[:10])
    elif len(first.split(",")) == len(COLUMNS):
        # Dumps by country come without a header: read_table would take the first cell for one.
        table = pd.read_csv(
            file, header=None, names=list(COLUMNS), dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
        table.attrs.update(path=str(file), first_row=1)
    else:
        raise InputFileError(f"{file}: first line {first[:80]!r} is not OpenCellID's; expected: {','.join(COLUMNS)}")
    technology = table["radio"].str.strip().str.upper().map(_TECHNOLOGY)
    out = pd.DataFrame({"row": np.arange(len(table)) + int(table.attrs["first_row"]), "technology": technology})
    for name in ("mcc", "net", "area", "cell", "unit", "lon", "lat", "samples"):
        out[name] = to_float(table[name], name)
    kept = out.dropna(subset=["technology", "mcc", "net", "cell", "lon", "lat"]).reset_index(drop=True)
    kept.attrs["left_out"] = len(out) - len(kept)
    return kept


def node_of(technology: str, cell: int) -> int:
    """Station of a cell: 20-bit eNodeB of an LTE cell, 24-bit gNodeB of an NR cell, a tenth of the cell id else."""
    if technology == "4G":
        return cell >> 8
    if technology == "5G":
        return cell >> 12
    return (cell & 0xFFFF) // 10
