"""Drive tests and device reports: reading and cleaning."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.errors import DataWarning, InputFileError, ParameterError

FloatArray = npt.NDArray[np.float64]
LevelKind = Literal["reference", "rssi"]

# Names that exports give the fields, lower case. The first that is present is taken.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "lon_deg": ("lon_deg", "lon", "longitude", "long", "lng", "x", "device_lon"),
    "lat_deg": ("lat_deg", "lat", "latitude", "y", "device_lat"),
    "level_dbm": (
        "level_dbm",
        "rsrp_dbm",
        "rsrp",
        "ss_rsrp",
        "nr_ssrsrp",
        "rssi_dbm",
        "rssi",
        "rscp",
        "level",
        "signal",
    ),
    "snr_db": ("snr_db", "snr", "sinr_db", "sinr", "lsnr", "lora_snr"),
    "site_id": ("site_id", "site", "gateway_id", "gateway", "gateway_eui", "gw_eui", "gw_id", "gtw_id", "bs_eui"),
    "cell_id": ("cell_id", "cellid", "eci", "nci", "cgi", "ecgi", "ci"),
    "pci": ("pci", "phy_cell_id", "physical_cell_id"),
    "arfcn": ("arfcn", "earfcn", "nr_arfcn", "nrarfcn", "uarfcn", "dl_earfcn"),
    "device_id": ("device_id", "device", "dev_eui", "deveui", "ue", "imei", "dev_addr"),
    "packet_id": ("packet_id", "packet", "msg_id", "fcnt", "f_cnt", "counter"),
    "frequency_mhz": ("frequency_mhz", "freq_mhz", "frequency", "freq"),
    "rx_height_agl_m": ("rx_height_agl_m", "rx_height", "device_height", "device_height_m"),
    "time": ("time", "timestamp", "datetime", "date", "received_at"),
}
REQUIRED = ("lon_deg", "lat_deg", "level_dbm")
TEXT = ("site_id", "device_id", "cell_id", "pci", "arfcn", "packet_id", "time")
REFERENCE_LEVELS = ("rsrp_dbm", "rsrp", "ss_rsrp", "nr_ssrsrp", "rscp")
LEVEL_RANGE_DBM = (-200.0, 30.0)
HERTZ_FROM = 1e7  # a frequency above this many "MHz" was given in hertz


@dataclass(frozen=True)
class Measurements:
    """Measured levels and where they were measured.

    Attributes
    ----------
    table : DataFrame
        ``lon_deg, lat_deg, level_dbm`` (NaN: nothing was received), ``site_id`` and ``device_id`` (str), and where
        given ``snr_db, frequency_mhz, rx_height_agl_m, time, packet_id, cell_id, pci, arfcn``. A table with other
        usual names (``latitude``, ``rssi``, ``gateway_eui`` …, see ``ALIASES``) is translated; further columns are
        left out.
    notes : tuple of str
        What reading and cleaning assumed or removed, with counts.
    level_kind : {"reference", "rssi"}
        "reference" for levels that are the signal's alone by definition (RSRP, RSCP), told by the column's name.
    """

    table: pd.DataFrame
    notes: tuple[str, ...] = ()
    level_kind: LevelKind = "rssi"

    def __post_init__(self) -> None:
        columns = match_columns(self.table.columns, ALIASES)
        missing = [name for name in REQUIRED if name not in columns]
        if missing:
            raise ParameterError(
                f"measurements lack {', '.join(missing)}; the columns are {', '.join(map(str, self.table.columns))}; "
                "rename them, or name them with read_measurements(column_map=…)"
            )
        if str(columns["level_dbm"]).strip().lower() in REFERENCE_LEVELS:
            object.__setattr__(self, "level_kind", "reference")
        table = pd.DataFrame({field: self.table[column].to_numpy() for field, column in columns.items()})
        if "weight" in self.table:
            table["weight"] = self.table["weight"].to_numpy(float)
        for name in TEXT:
            if name in table:
                table[name] = _as_text(table[name])
        for name in ("site_id", "device_id"):
            if name not in table:
                table[name] = ""
        for name in ("lon_deg", "lat_deg", "level_dbm", "snr_db", "frequency_mhz", "rx_height_agl_m"):
            if name in table:
                table[name] = _as_float(table[name], name)
        _check_rows(table)
        object.__setattr__(self, "table", table)

    def __len__(self) -> int:
        return len(self.table)

    def noted(self, table: pd.DataFrame, note: str) -> Measurements:
        """The same measurements with another table and one more note."""
        return replace(self, table=table, notes=(*self.notes, note))


def match_columns(given: pd.Index[str], aliases: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """The column of each field, by the names exports use; fields without a column are left out."""
    by_name = {str(column).strip().lower(): column for column in reversed(list(given))}
    found = {field: next((by_name[n] for n in names if n in by_name), None) for field, names in aliases.items()}
    return {field: column for field, column in found.items() if column is not None}


def _as_text(column: pd.Series[str]) -> pd.Series[str]:
    """Identifiers as text: 17.0, as pandas reads whole numbers beside gaps, is 17; a gap is empty."""
    if pd.api.types.is_float_dtype(column):
        values = column.to_numpy(float)
        whole = np.isfinite(values) & (values == np.round(values))
        texts = [f"{v:.0f}" if w else ("" if np.isnan(v) else str(v)) for v, w in zip(values, whole, strict=True)]
        return pd.Series(texts, index=column.index, dtype=object)
    return column.astype(str).where(column.notna(), "").str.strip().astype(object)


def _as_float(column: pd.Series[str], name: str) -> FloatArray:
    numbers = pd.to_numeric(column, errors="coerce")
    bad = numbers.isna() & column.notna() & (column.astype(str).str.strip() != "")
    if bad.any():
        row = int(np.argmax(bad.to_numpy()))
        raise ParameterError(f"measurement {row}: {name} is {column.iloc[row]!r}; it must be a number or empty")
    return np.asarray(numbers.to_numpy(dtype=np.float64, na_value=np.nan))


def _check_rows(table: pd.DataFrame) -> None:
    lon, lat = table["lon_deg"].to_numpy(float), table["lat_deg"].to_numpy(float)
    bad = ~((np.abs(lon) <= 180) & (np.abs(lat) <= 90))
    if bad.any():
        row = int(np.argmax(bad))
        raise ParameterError(
            f"measurement {row}: lon_deg {lon[row]}, lat_deg {lat[row]} is no position; "
            "are the columns swapped, or projected coordinates? Leave rows without a position out"
        )
    level = table["level_dbm"].to_numpy(float)
    outside = ~np.isnan(level) & ~((level >= LEVEL_RANGE_DBM[0]) & (level <= LEVEL_RANGE_DBM[1]))
    if outside.any():
        row = int(np.argmax(outside))
        raise ParameterError(
            f"measurement {row}: level_dbm {level[row]} is outside "
            f"{LEVEL_RANGE_DBM[0]:g} to {LEVEL_RANGE_DBM[1]:g} dBm; leave it empty where nothing was received"
        )


def as_measurements(given: Measurements | pd.DataFrame | str | os.PathLike[str]) -> Measurements:
    """Measurements from themselves, a table with usual column names, or a file."""
    if isinstance(given, Measurements):
        return given
    if isinstance(given, pd.DataFrame):
        columns = match_columns(given.columns, ALIASES)
        here = [columns[name] for name in ("lon_deg", "lat_deg") if name in columns]
        unplaced = given[here].isna().any(axis=1).to_numpy()
        made = Measurements(given[~unplaced])
        return (
            made.noted(made.table, f"{int(unplaced.sum())} rows without a position left out")
            if unplaced.any()
            else made
        )
    return read_measurements(given)


def read_measurements(
    path: str | os.PathLike[str], *, column_map: Mapping[str, str] | None = None, sheet: str | int = 0
) -> Measurements:
    """Read a drive test or device report from CSV, XLSX or an NMF event log (LTE).

    Parameters
    ----------
    path : path
        A text table (any common delimiter, encoding and decimal sign), an Excel workbook, or ``.nmf``.
    column_map : mapping of str to str, optional
        rfplan's field → the file's column, for columns that are not recognised by name (see ``ALIASES``).
    sheet : str or int
        Sheet of a workbook.

    Raises
    ------
    InputFileError
        The file can't be read or lacks position or level.
    """
    from rfplan.io.nmf import read_nmf
    from rfplan.io.tables import read_table, to_float

    file = Path(path)
    if file.suffix.lower() == ".nmf":
        return Measurements(read_nmf(file), ("LTE cells of an NMF log, by PCI and EARFCN",))
    raw = _read_sheet(file, sheet) if file.suffix.lower() in {".xlsx", ".xlsm"} else read_table(file)
    columns = match_columns(raw.columns, ALIASES)
    for field, named in (column_map or {}).items():
        if field not in ALIASES:
            raise InputFileError(f"{file}: column_map names the field {field!r}; fields are {', '.join(ALIASES)}")
        if named not in raw.columns:
            raise InputFileError(
                f"{file}: column_map names {named!r} for {field}; the columns are {', '.join(map(str, raw.columns))}"
            )
        columns[field] = named
    missing = [field for field in REQUIRED if field not in columns]
    if missing:
        raise InputFileError(
            f"{file}: no column for {', '.join(missing)}; the columns are {', '.join(map(str, raw.columns))}. "
            "Name them with column_map={'level_dbm': …}"
        )
    table = pd.DataFrame(index=raw.index)
    for field, column in columns.items():
        table[field] = raw[column].astype(str) if field in TEXT else to_float(raw[column], field)
    unplaced = ~(np.isfinite(table["lon_deg"]) & np.isfinite(table["lat_deg"]))
    notes = [f"columns: {', '.join(f'{field} from {column!r}' for field, column in columns.items())}"]
    if unplaced.any():
        warnings.warn(f"{file}: {int(unplaced.sum())} rows without a position are left out", DataWarning, stacklevel=2)
        notes.append(f"{int(unplaced.sum())} rows without a position left out")
    kind: LevelKind = "reference" if columns["level_dbm"].strip().lower() in REFERENCE_LEVELS else "rssi"
    return Measurements(table[~unplaced], tuple(notes), kind)


def _read_sheet(file: Path, sheet: str | int) -> pd.DataFrame:
    try:
        frame = pd.read_excel(file, sheet_name=sheet, dtype=str)
    except (OSError, ValueError, KeyError) as error:
        raise InputFileError(f"{file}: not a readable workbook ({error}); save it as .xlsx or CSV") from error
    return frame.fillna("")


def times_s(table: pd.DataFrame) -> FloatArray:
    """Seconds of each row's time since 1970, from ISO text or numbers (seconds or milliseconds); NaN where not told."""
    if "time" not in table:
        return np.full(len(table), np.nan)
    text = table["time"]
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isfinite(numbers).mean() > 0.5:
        return np.asarray(numbers * (1e-3 if np.nanmedian(numbers) > 1e11 else 1.0))
    stamps = pd.to_datetime(text, errors="coerce", utc=True, format="mixed")
    seconds = (stamps - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    return np.asarray(seconds.to_numpy(dtype=np.float64, na_value=np.nan))


def drop_duplicates(measurements: Measurements) -> Measurements:
    """Leave out rows that repeat another in every field."""
    table = measurements.table
    repeated = table.duplicated()
    if not repeated.any():
        return measurements
    return measurements.noted(table[~repeated], f"{int(repeated.sum())} exact duplicates left out")
