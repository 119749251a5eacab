"""Atoll-style tables: Sites, Transmitters and Cells, as CSV or XLSX."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd

from rfplan.errors import InputFileError
from rfplan.io.network_csv import RawNetworkTable, known_columns, read_any_table
from rfplan.io.tables import write_csv

# The planning tool's column → rfplan's. Columns after the usual ones are custom fields, which such tools keep.
SITE_FIELDS = {
    "NAME": "site_id", "LONGITUDE": "lon_deg", "LATITUDE": "lat_deg", "LABEL": "name", "STATUS": "status",
    "KIND": "kind", "OPERATOR": "operator", "TECHNOLOGIES": "technologies", "YEAR": "year",
}  # fmt: skip
TRANSMITTER_FIELDS = {
    "TX_ID": "sector_id", "SITE_NAME": "site_id", "ANTENNA_NAME": "antenna", "HEIGHT": "tx_height_agl_m",
    "AZIMUT": "azimuth_deg", "AZIMUTH": "azimuth_deg", "TILT": "mechanical_tilt_deg",
    "ELECTRICAL_TILT": "electrical_tilt_deg", "TX_LOSSES": "feeder_loss_db", "NOISE_FIGURE": "noise_figure_db",
}  # fmt: skip
CELL_FIELDS = {
    "CELL_ID": "cell_id", "TX_ID": "sector_id", "MAX_POWER": "max_power_dbm", "PHY_CELL_ID": "pci",
    "TECHNOLOGY": "technology", "CHANNEL": "channel", "FREQUENCY": "frequency_mhz",
    "UL_FREQUENCY": "uplink_frequency_mhz", "BANDWIDTH": "bandwidth_mhz", "DL_LOAD": "load", "LAYERS": "mimo_layers",
    "DL_SHARE": "downlink_share",
}  # fmt: skip
_CARRIER = re.compile(r"([0-9]+(?:[.,][0-9]+)?)\s*(MHz)?", re.IGNORECASE)


def _table(path: Path, fields: dict[str, str], needed: tuple[str, ...]) -> RawNetworkTable:
    frame = read_any_table(path)
    attrs = dict(frame.attrs)
    frame.columns = pd.Index([str(c).strip() for c in frame.columns])
    upper = {c: c.upper() for c in frame.columns}
    missing = [name for name in needed if name not in upper.values()]
    if missing:
        raise InputFileError(f"{path} lacks the column(s) {', '.join(missing)}; it has: {', '.join(frame.columns)}")
    if "CARRIER" in upper.values():
        frame = _carriers(frame, next(c for c, u in upper.items() if u == "CARRIER"))
        upper = {c: str(c).upper() for c in frame.columns}
    frame.attrs.update(attrs)
    renames: dict[str, str] = {}
    for column, name in upper.items():
        if name in fields and fields[name] not in renames.values():
            renames[column] = fields[name]
    return known_columns(frame, renames, str(path))


def _carriers(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """CARRIER says a frequency ("1842.5 MHz", "EARFCN 1575", 1575): split it unless there are plainer columns."""
    out = frame.copy()
    parts = [_CARRIER.search(str(text)) for text in frame[column]]
    present = {str(c).upper() for c in frame.columns}
    if "FREQUENCY" not in present:
        out["FREQUENCY"] = [m.group(1) if m and m.group(2) else "" for m in parts]
    if "CHANNEL" not in present:
        out["CHANNEL"] = [m.group(1) if m and not m.group(2) else "" for m in parts]
    return out.drop(columns=[column])


def read_atoll_tables(
    sites: str | os.PathLike[str], transmitters: str | os.PathLike[str], cells: str | os.PathLike[str] | None = None
) -> tuple[RawNetworkTable, RawNetworkTable, RawNetworkTable | None]:
    """Read the three tables; column names in any case.

    Raises
    ------
    InputFileError
        When a file is unusable or lacks a column that ties the tables together.
    """
    return (
        _table(Path(sites), SITE_FIELDS, ("NAME", "LONGITUDE", "LATITUDE")),
        _table(Path(transmitters), TRANSMITTER_FIELDS, ("TX_ID", "SITE_NAME")),
        None if cells is None else _table(Path(cells), CELL_FIELDS, ("CELL_ID", "TX_ID")),
    )


def _renamed(frame: pd.DataFrame, fields: dict[str, str]) -> pd.DataFrame:
    out: dict[str, object] = {}
    for theirs, ours in fields.items():
        if ours in frame and ours not in {fields[k] for k in out if k in fields}:
            column = frame[ours]
            out[theirs] = column.where(column >= 0) if ours in ("pci", "channel") else column
    return pd.DataFrame(out)


def write_atoll_tables(
    folder: str | os.PathLike[str], sites: pd.DataFrame, sectors: pd.DataFrame, cells: pd.DataFrame
) -> tuple[Path, Path, Path]:
    """Write Sites.csv, Transmitters.csv and Cells.csv; what the usual columns cannot say goes in custom ones."""
    target = Path(folder)
    site_table = _renamed(sites, SITE_FIELDS)
    site_table.insert(3, "ALTITUDE", np.nan)
    cell_table = _renamed(cells, CELL_FIELDS)
    channel = cells["channel"].to_numpy()
    carrier = [str(int(n)) if n >= 0 else f"{f:.10g} MHz" for n, f in zip(channel, cells["frequency_mhz"], strict=True)]
    cell_table.insert(2, "CARRIER", carrier)
    return (
        write_csv(target / "Sites.csv", site_table),
        write_csv(target / "Transmitters.csv", _renamed(sectors, TRANSMITTER_FIELDS)),
        write_csv(target / "Cells.csv", cell_table),
    )
