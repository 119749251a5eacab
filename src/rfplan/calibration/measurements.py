"""Drive tests and device reports: reading, cleaning, and what kind of level a receiver reports."""

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
from scipy.stats import theilslopes

from rfplan.errors import DataWarning, InputFileError, ParameterError

FloatArray = npt.NDArray[np.float64]
RssiConvention = Literal["signal", "channel_power"]

# Names that exports give the fields, lower case. The first that is present is taken.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "lon_deg": ("lon_deg", "lon", "longitude", "long", "x", "device_lon"),
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
    "snr_db": ("snr_db", "snr", "sinr_db", "sinr", "lsnr"),
    "site_id": ("site_id", "site", "gateway_id", "gateway", "gateway_eui", "cell_id", "cellid", "eci", "pci"),
    "device_id": ("device_id", "device", "dev_eui", "deveui", "ue", "imei"),
    "frequency_mhz": ("frequency_mhz", "freq_mhz", "frequency", "freq"),
    "time": ("time", "timestamp", "datetime", "date"),
}
REQUIRED = ("lon_deg", "lat_deg", "level_dbm")
LEVEL_RANGE_DBM = (-200.0, 30.0)


@dataclass(frozen=True)
class Measurements:
    """Measured levels and where they were measured.

    Attributes
    ----------
    table : DataFrame
        ``lon_deg, lat_deg, level_dbm`` (NaN: nothing was received), ``site_id`` and ``device_id`` (str), and where
        given ``snr_db, frequency_mhz, time``.
    notes : tuple of str
        What reading and cleaning assumed or removed, with counts.
    """

    table: pd.DataFrame
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        missing = [name for name in REQUIRED if name not in self.table]
        if missing:
            raise ParameterError(f"measurements lack {', '.join(missing)}; name the columns with column_map")
        table = self.table.reset_index(drop=True)
        for name in ("site_id", "device_id"):
            table[name] = table[name].astype(str) if name in table else ""
        lon, lat = table["lon_deg"].to_numpy(float), table["lat_deg"].to_numpy(float)
        bad = ~((np.abs(lon) <= 180) & (np.abs(lat) <= 90))
        if bad.any():
            row = int(np.argmax(bad))
            raise ParameterError(
                f"measurement {row}: lon_deg {lon[row]}, lat_deg {lat[row]} is no position; "
                "are the columns swapped, or projected coordinates?"
            )
        level = table["level_dbm"].to_numpy(float)
        outside = np.isfinite(level) & ~((level >= LEVEL_RANGE_DBM[0]) & (level <= LEVEL_RANGE_DBM[1]))
        if outside.any():
            row = int(np.argmax(outside))
            raise ParameterError(
                f"measurement {row}: level_dbm {level[row]} is outside "
                f"{LEVEL_RANGE_DBM[0]:g} to {LEVEL_RANGE_DBM[1]:g} dBm; leave it empty where nothing was received"
            )
        object.__setattr__(self, "table", table)

    def __len__(self) -> int:
        return len(self.table)

    def noted(self, table: pd.DataFrame, note: str) -> Measurements:
        """The same measurements with another table and one more note."""
        return replace(self, table=table, notes=(*self.notes, note))


def read_measurements(
    path: str | os.PathLike[str], *, column_map: Mapping[str, str] | None = None, sheet: str | int = 0
) -> Measurements:
    """Read a drive test or device report from CSV or XLSX.

    Parameters
    ----------
    path : path
        A text table (any common delimiter, encoding and decimal sign) or an Excel workbook.
    column_map : mapping of str to str, optional
        rfplan's field → the file's column, for columns that are not recognised by name (see ``ALIASES``).
    sheet : str or int
        Sheet of a workbook.

    Raises
    ------
    InputFileError
        The file can't be read or lacks position or level.
    """
    from rfplan.io.tables import read_table, to_float

    file = Path(path)
    raw = _read_sheet(file, sheet) if file.suffix.lower() in {".xlsx", ".xlsm"} else read_table(file)
    by_name = {str(column).strip().lower(): str(column) for column in raw.columns}
    columns: dict[str, str] = {}
    for field, aliases in ALIASES.items():
        named = (column_map or {}).get(field)
        if named is not None and named not in raw.columns:
            raise InputFileError(
                f"{file}: column_map names {named!r} for {field}; the columns are {', '.join(by_name.values())}"
            )
        found = named or next((by_name[alias] for alias in aliases if alias in by_name), None)
        if found is not None:
            columns[field] = found
    missing = [field for field in REQUIRED if field not in columns]
    if missing:
        raise InputFileError(
            f"{file}: no column for {', '.join(missing)}; the columns are {', '.join(by_name.values())}. "
            "Name them with column_map={'level_dbm': …}"
        )
    table = pd.DataFrame(index=raw.index)
    for field, column in columns.items():
        if field in ("site_id", "device_id", "time"):
            table[field] = raw[column].astype(str)
        else:
            table[field] = to_float(raw[column], field)
    unplaced = ~(np.isfinite(table["lon_deg"]) & np.isfinite(table["lat_deg"]))
    notes = [f"columns: {', '.join(f'{field} from {column!r}' for field, column in columns.items())}"]
    if unplaced.any():
        warnings.warn(f"{file}: {int(unplaced.sum())} rows without a position are left out", DataWarning, stacklevel=2)
        notes.append(f"{int(unplaced.sum())} rows without a position left out")
    return Measurements(table[~unplaced], tuple(notes))


def _read_sheet(file: Path, sheet: str | int) -> pd.DataFrame:
    try:
        frame = pd.read_excel(file, sheet_name=sheet, dtype=str)
    except (OSError, ValueError, KeyError) as error:
        raise InputFileError(f"{file}: not a readable workbook ({error}); save it as .xlsx or CSV") from error
    return frame.fillna("")


def effective_signal_power_dbm(rssi_dbm: npt.ArrayLike, snr_db: npt.ArrayLike) -> FloatArray:
    """Power of the signal alone where a receiver reports the power of the whole channel, dBm.

    ``ESP = RSSI + SNR − 10 lg(1 + 10^(SNR/10))``: signal and noise add up to RSSI.
    """
    rssi, snr = np.asarray(rssi_dbm, dtype=np.float64), np.asarray(snr_db, dtype=np.float64)
    result: FloatArray = rssi + snr - 10.0 * np.log10(1.0 + 10.0 ** (snr / 10.0))
    return result


def detect_rssi_convention(level_dbm: FloatArray, snr_db: FloatArray) -> tuple[RssiConvention, str]:
    """Tell whether RSSI is the channel's power or already the signal's.

    Below −5 dB SNR the channel's power is nearly the noise floor, so it does not move with SNR (slope near 0), while
    the signal's power moves with it (slope near 1). The slope is Theil's (1950), which outliers hardly move.

    Returns
    -------
    convention, explanation : str, str
        With fewer than 30 levels below −5 dB SNR nothing can be told, and "signal" is assumed and said.
    """
    low = np.isfinite(level_dbm) & np.isfinite(snr_db) & (snr_db < -5.0)
    if low.sum() < 30 or np.ptp(snr_db[low]) < 3.0:
        return "signal", f"only {int(low.sum())} levels below -5 dB SNR: RSSI is taken as the signal's power"
    pick = np.flatnonzero(low)
    pick = pick[:: max(1, pick.size // 1500)]  # pairwise slopes grow with the square
    slope = float(theilslopes(level_dbm[pick], snr_db[pick])[0])
    convention: RssiConvention = "channel_power" if slope < 0.5 else "signal"
    return (
        convention,
        f"below -5 dB SNR, RSSI moves {slope:.2f} dB per dB of SNR: it is the {convention.replace('_', ' ')}",
    )


def apply_rssi_convention(
    measurements: Measurements, convention: RssiConvention | Literal["detect"] = "detect"
) -> Measurements:
    """Turn channel power into signal power, device by device, by a declared or detected convention."""
    table = measurements.table
    if "snr_db" not in table:
        return measurements
    level, snr = table["level_dbm"].to_numpy(float).copy(), table["snr_db"].to_numpy(float)
    notes = []
    for device in sorted(table["device_id"].unique()):
        rows = (table["device_id"] == device).to_numpy()
        found, why = (
            (convention, "declared") if convention != "detect" else detect_rssi_convention(level[rows], snr[rows])
        )
        if found == "channel_power":
            usable = rows & np.isfinite(snr)
            level[usable] = effective_signal_power_dbm(level[usable], snr[usable])
        notes.append(f"device {device or '(all)'}: {why}")
    return replace(measurements, table=table.assign(level_dbm=level), notes=(*measurements.notes, *notes))


def drop_duplicates(measurements: Measurements) -> Measurements:
    """Leave out rows that repeat another in every field."""
    table = measurements.table
    repeated = table.duplicated()
    if not repeated.any():
        return measurements
    return measurements.noted(table[~repeated], f"{int(repeated.sum())} exact duplicates left out")
