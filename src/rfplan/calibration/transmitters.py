"""The table of transmitters (gateways, cells): its columns, its heights, and whether its positions can be true."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.calibration.measurements import HERTZ_FROM, match_columns
from rfplan.errors import ParameterError
from rfplan.terrain import Terrain

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

ALIASES: Mapping[str, tuple[str, ...]] = {
    "site_id": ("site_id", "gateway_id", "gateway", "gateway_eui", "gw_eui", "gw_id", "gtw_id", "bs_eui", "site", "id"),
    "lon_deg": ("lon_deg", "lon", "longitude", "long", "lng"),
    "lat_deg": ("lat_deg", "lat", "latitude"),
    "tx_height_agl_m": ("tx_height_agl_m", "height_agl_m", "antenna_height", "height_m", "height", "agl_m", "agl"),
    "altitude_amsl_m": ("altitude_amsl_m", "altitude", "alt", "amsl_m", "altitude_m"),
    "eirp_dbm": ("eirp_dbm", "eirp"),
    "frequency_mhz": ("frequency_mhz", "freq_mhz", "frequency", "freq"),
    "azimuth_deg": ("azimuth_deg", "azimuth", "azimut"),
    "beamwidth_deg": ("beamwidth_deg", "beamwidth", "h_width"),
    "cell_id": ("cell_id", "cellid", "eci", "nci", "cgi", "ecgi", "ci"),
    "pci": ("pci", "phy_cell_id", "physical_cell_id"),
    "arfcn": ("arfcn", "earfcn", "nr_arfcn", "nrarfcn", "uarfcn", "dl_earfcn"),
}
TEXT = ("site_id", "cell_id", "pci", "arfcn")
DEFAULT_HEIGHT_M = 30.0
DEFAULT_BEAMWIDTH_DEG = 65.0
MAST_M = (2.0, 250.0)  # what an altitude above sea level may leave for the mast


def as_transmitters(given: pd.DataFrame | str | os.PathLike[str]) -> pd.DataFrame:
    """A table of transmitters with rfplan's column names, from a table or file with usual ones.

    Raises
    ------
    ParameterError
        A column that is needed is not there, or a number is none.
    """
    if not isinstance(given, pd.DataFrame):
        from rfplan.io.tables import read_table, to_float

        raw = read_table(Path(given))
        columns = match_columns(raw.columns, ALIASES)
        given = pd.DataFrame({f: raw[c] if f in TEXT else to_float(raw[c], f) for f, c in columns.items()})
    columns = match_columns(given.columns, ALIASES)
    missing = [name for name in ("lon_deg", "lat_deg") if name not in columns]
    if not any(name in columns for name in ("site_id", "cell_id", "pci")):
        missing.insert(0, "site_id")
    if missing:
        raise ParameterError(
            f"transmitters lack {', '.join(missing)}; columns needed: site_id, lon_deg, lat_deg (the columns are "
            f"{', '.join(map(str, given.columns))})"
        )
    table = pd.DataFrame({field: given[column].to_numpy() for field, column in columns.items()})
    for name in table.columns:
        if name in TEXT:
            text = table[name].astype(str).str.strip().str.replace(r"\.0$", "", regex=True)
            table[name] = text.where(table[name].notna(), "")
        else:
            numbers = pd.to_numeric(table[name], errors="coerce")
            table[name] = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    if "site_id" not in table:
        table["site_id"] = table["cell_id" if "cell_id" in table else "pci"]
    if "frequency_mhz" in table:
        table["frequency_mhz"] = in_mhz(table["frequency_mhz"].to_numpy(float))
    return table


def in_mhz(frequency: FloatArray) -> FloatArray:
    """Frequencies in MHz, where some were given in hertz."""
    return np.where(frequency > HERTZ_FROM, frequency / 1e6, frequency)


@dataclass(frozen=True, eq=False)
class Placed:
    """Transmitters on the terrain.

    Attributes
    ----------
    table : DataFrame
        With ``x_m, y_m``, ``tx_height_agl_m``, ``eirp_dbm`` and ``known_ground`` in every row.
    notes : tuple of str
        What was assumed.
    """

    table: pd.DataFrame
    notes: tuple[str, ...]


def place_transmitters(transmitters: pd.DataFrame, terrain: Terrain, default_eirp_dbm: float | None) -> Placed:
    """Project transmitters, and settle what they leave open: height and EIRP.

    Raises
    ------
    ParameterError
        No transmitter stands on the terrain.
    """
    table, notes = transmitters.reset_index(drop=True).copy(), []
    lost = ~(np.isfinite(table["lon_deg"]) & np.isfinite(table["lat_deg"]))
    if lost.any():
        notes.append(f"{int(lost.sum())} transmitters without a position are left out")
    lon, lat = (np.where(lost, 0.0, table[name].to_numpy(float)) for name in ("lon_deg", "lat_deg"))
    x, y = terrain.xy(lon, lat)
    table["x_m"], table["y_m"] = np.where(lost, np.inf, x), np.where(lost, np.inf, y)
    ground = np.full(len(table), np.nan)
    ground[~lost] = terrain.elevation_at(x[~lost], y[~lost])
    table["known_ground"] = np.isfinite(ground)
    if not table["known_ground"].any():
        west, south, east, north = terrain.bounds_lonlat
        raise ParameterError(
            "no transmitter stands on the terrain; check positions and the terrain's extent, "
            f"{west:.4f} to {east:.4f}° E and {south:.4f} to {north:.4f}° N"
        )
    table["tx_height_agl_m"], why = _heights_m(table, ground)
    notes += why
    if "eirp_dbm" not in table or table["eirp_dbm"].isna().any():
        unknown = len(table) if "eirp_dbm" not in table else int(table["eirp_dbm"].isna().sum())
        level = 0.0 if default_eirp_dbm is None else default_eirp_dbm
        if default_eirp_dbm is None:
            notes.append(
                f"{unknown} transmitters state no eirp_dbm: 0 dBm is taken, and the offset holds what it really is; "
                "levels predicted with the calibrated model are right only for like transmitters at 0 dBm"
            )
        table["eirp_dbm"] = table["eirp_dbm"].fillna(level) if "eirp_dbm" in table else level
    return Placed(table, tuple(notes))


def _heights_m(table: pd.DataFrame, ground: FloatArray) -> tuple[FloatArray, list[str]]:
    """Antenna heights above ground: stated, from the altitude above sea level, or the default."""
    notes = []
    height = table["tx_height_agl_m"].to_numpy(float) if "tx_height_agl_m" in table else np.full(len(table), np.nan)
    stated = height.copy()
    if "altitude_amsl_m" in table:
        mast = table["altitude_amsl_m"].to_numpy(float) - ground
        use = np.isnan(height) & np.isfinite(mast)
        good = use & (mast >= MAST_M[0]) & (mast <= MAST_M[1])
        height = np.where(good, mast, height)
        if (use & ~good).any():
            names = ", ".join(table["site_id"][use & ~good].astype(str).iloc[:5])
            notes.append(
                f"{int((use & ~good).sum())} altitudes disagree with the terrain ({names}): they leave no mast of "
                f"{MAST_M[0]:g} to {MAST_M[1]:g} m; {DEFAULT_HEIGHT_M:g} m above ground is taken"
            )
    with np.errstate(invalid="ignore"):
        impossible = height <= 0.0
        amsl = (stated > 80.0) & (np.abs(stated - ground) < 0.5 * stated) & (stated - ground < 80.0)
    if impossible.any():
        notes.append(f"{int(impossible.sum())} heights are not above 0 m; {DEFAULT_HEIGHT_M:g} m is taken")
    if amsl.any():
        names = ", ".join(table["site_id"][amsl].astype(str).iloc[:5])
        notes.append(
            f"{int(amsl.sum())} antenna heights look like heights above sea level ({names}): they are near the "
            "ground's own; if so, give them as altitude_amsl_m"
        )
    missing = np.isnan(height) & table["known_ground"].to_numpy()
    if missing.any():
        notes.append(f"{int(missing.sum())} transmitters state no height: {DEFAULT_HEIGHT_M:g} m above ground is taken")
    return np.where(np.isnan(height) | impossible, DEFAULT_HEIGHT_M, height), notes
