"""The three tables of a network: which columns, of which type, within which range."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rfplan.errors import ParameterError

SITE_COLUMNS = {
    "site_id": str, "name": str, "lon_deg": float, "lat_deg": float, "status": str, "kind": str,
    "operator": str, "technologies": str, "year": float,
}  # fmt: skip
SECTOR_COLUMNS = {
    "sector_id": str, "site_id": str, "azimuth_deg": float, "mechanical_tilt_deg": float, "electrical_tilt_deg": float,
    "tx_height_agl_m": float, "antenna": str, "feeder_loss_db": float, "noise_figure_db": float,
}  # fmt: skip
CELL_COLUMNS = {
    "cell_id": str, "sector_id": str, "technology": str, "frequency_mhz": float, "uplink_frequency_mhz": float,
    "bandwidth_mhz": float, "max_power_dbm": float, "load": float, "pci": int, "mimo_layers": int,
    "downlink_share": float,    "channel": int,
}  # fmt: skip
STATUSES = ("existing", "candidate", "planned")

# Inclusive limits of what can exist at all; typical values are far inside.
RANGES: dict[str, tuple[float, float]] = {
    "lon_deg": (-180.0, 180.0),
    "lat_deg": (-90.0, 90.0),
    "year": (1980.0, 2100.0),
    "azimuth_deg": (-360.0, 360.0),
    "mechanical_tilt_deg": (-90.0, 90.0),
    "electrical_tilt_deg": (-90.0, 90.0),
    "tx_height_agl_m": (0.5, 800.0),
    "feeder_loss_db": (0.0, 30.0),
    "noise_figure_db": (0.0, 30.0),
    "frequency_mhz": (30.0, 100_000.0),
    "uplink_frequency_mhz": (30.0, 100_000.0),
    "channel": (0.0, 3_279_165.0),
    "bandwidth_mhz": (0.1, 2000.0),
    "max_power_dbm": (-30.0, 80.0),
    "load": (0.0, 1.0),
    "pci": (0.0, 1007.0),
    "mimo_layers": (1.0, 16.0),
    "downlink_share": (0.0, 1.0),
}


def conform(frame: pd.DataFrame, columns: dict[str, type], table: str) -> pd.DataFrame:
    """Copy with exactly typed known columns first and any others after; missing optional ones are blank.

    Raises
    ------
    ParameterError
        When an id column is missing or a number cannot be one.
    """
    out: dict[str, object] = {}
    for name, kind in columns.items():
        if name in frame:
            column = frame[name].reset_index(drop=True)
        elif name.endswith("_id"):
            raise ParameterError(
                f"the {table} table lacks the column {name!r}; it has: {', '.join(map(str, frame.columns))}"
            )
        else:
            column = pd.Series(["" if kind is str else np.nan if kind is float else -1] * len(frame))
        try:
            if kind is str:
                out[name] = column.fillna("").astype(str).astype(object)
            elif kind is float:
                out[name] = pd.to_numeric(column).astype(np.float64)
            else:
                out[name] = pd.to_numeric(column).fillna(-1).astype(np.int64)
        except (ValueError, TypeError) as error:
            raise ParameterError(f"{table}.{name} must hold numbers: {error}") from error
    for name in frame.columns:
        if name not in out:
            out[str(name)] = frame[name].reset_index(drop=True)
    return pd.DataFrame(out, index=pd.RangeIndex(len(frame)))


def require_unique(frame: pd.DataFrame, column: str, table: str) -> None:
    """Raise ParameterError when ids repeat."""
    repeated = frame.loc[frame[column].duplicated(), column].unique()
    if len(repeated):
        raise ParameterError(
            f"{table}: {column} must be unique; {len(repeated)} repeat, e.g. {', '.join(map(str, repeated[:5]))}"
        )


def require_known(frame: pd.DataFrame, column: str, known: pd.Series[str], table: str) -> None:
    """Raise ParameterError when a reference points nowhere."""
    lost = frame.loc[~frame[column].isin(known), column].unique()
    if len(lost):
        raise ParameterError(
            f"{table}: {column} {', '.join(map(str, lost[:5]))} not in the table above it ({len(lost)} in all)"
        )


def require_numbers(frame: pd.DataFrame, names: tuple[str, ...], table: str) -> None:
    """Raise ParameterError when a needed number is missing or outside what can exist."""
    for name in names:
        low, high = RANGES[name]
        values = frame[name].to_numpy(dtype=np.float64)
        bad = np.flatnonzero(~((values >= low) & (values <= high)))
        if bad.size:
            raise ParameterError(
                f"{table} row {int(bad[0])}: {name}={values[bad[0]]!r} must be within {low:g}…{high:g} "
                f"({bad.size} such row(s))"
            )
