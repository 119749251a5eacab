"""Site lists as tables: column names in many spellings, numbers parsed cell by cell, nothing interpreted yet."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from rfplan.errors import InputFileError
from rfplan.io.tables import read_table, row_number, to_float

TEXT_FIELDS = (
    "site_id", "name", "status", "kind", "operator", "technologies", "sector_id", "antenna", "cell_id", "technology",
    "band",
)  # fmt: skip
NUMBER_FIELDS = (
    "lon_deg", "lat_deg", "year", "azimuth_deg", "mechanical_tilt_deg", "electrical_tilt_deg", "tx_height_agl_m",
    "feeder_loss_db", "noise_figure_db", "frequency_mhz", "uplink_frequency_mhz", "channel", "bandwidth_mhz",
    "max_power_dbm", "load", "pci", "mimo_layers", "downlink_share",
)  # fmt: skip

_ALIASES: dict[str, tuple[str, ...]] = {
    "site_id": ("siteid", "site", "sitecode", "stationid", "station", "matram", "enodebid", "gnbid", "sitename"),
    "name": ("name", "sitelabel", "tentram", "cellname", "label"),
    "lon_deg": ("londeg", "lon", "lng", "long", "longitude", "kinhdo", "xwgs84", "longitudedeg"),
    "lat_deg": ("latdeg", "lat", "latitude", "vido", "ywgs84", "latitudedeg"),
    "status": ("status", "state", "trangthai"),
    "kind": ("kind", "sitetype", "type"),
    "operator": ("operator", "mno", "carriername", "nhamang"),
    "technologies": ("technologies", "techs", "rats", "congnghe"),
    "technology": ("technology", "tech", "rat", "radio", "system"),
    "year": ("year", "onairyear", "nam"),
    "sector_id": ("sectorid", "sector", "txid", "transmitter", "transmitterid"),
    "azimuth_deg": ("azimuthdeg", "azimuth", "azimut", "bearing", "heading"),
    "mechanical_tilt_deg": ("mechanicaltiltdeg", "mechanicaltilt", "mechtilt", "mtilt", "mdt", "tilt", "downtilt"),
    "electrical_tilt_deg": ("electricaltiltdeg", "electricaltilt", "etilt", "edt", "elecctilt", "electilt", "ret"),
    "tx_height_agl_m": (
        "txheightaglm",
        "height",
        "heightm",
        "heightagl",
        "antennaheight",
        "antennaheightm",
        "hba",
        "hagl",
    ),
    "antenna": ("antenna", "antennaname", "antennatype", "antennamodel"),
    "feeder_loss_db": ("feederlossdb", "feederloss", "cableloss", "losses"),
    "noise_figure_db": ("noisefiguredb", "noisefigure", "nf"),
    "cell_id": ("cellid", "cell", "ecellid", "eci", "cgi", "ecgi", "nci", "ncgi"),
    "frequency_mhz": ("frequencymhz", "frequency", "freq", "freqmhz", "dlfrequency", "dlfrequencymhz", "carriermhz"),
    "uplink_frequency_mhz": ("uplinkfrequencymhz", "ulfrequency", "ulfrequencymhz", "uplinkfrequency"),
    "channel": ("channel", "earfcn", "nrarfcn", "uarfcn", "arfcn", "earfcndl"),
    "band": ("band", "frequencyband"),
    "bandwidth_mhz": ("bandwidthmhz", "bandwidth", "bw", "bwmhz"),
    "max_power_dbm": ("maxpowerdbm", "maxpower", "power", "powerdbm", "txpower", "txpowerdbm"),
    "load": ("load", "dlload", "trafficload"),
    "pci": ("pci", "phycellid", "physicalcellid", "physcellid"),
    "mimo_layers": ("mimolayers", "layers", "mimo"),
    "downlink_share": ("downlinkshare", "dlshare", "tdddlshare"),
}
# A list that numbers its carriers says by the name of the column which technology it is about.
_CHANNEL_TECHNOLOGY = {"earfcn": "4G", "earfcndl": "4G", "nrarfcn": "5G", "uarfcn": "3G"}
_CANONICAL = {alias: name for name, aliases in _ALIASES.items() for alias in aliases}


@dataclass(frozen=True)
class CellProblem:
    """A table cell that could not be used: file line, field and the text found."""

    row: int
    field: str
    text: str


@dataclass(frozen=True, eq=False)
class RawNetworkTable:
    """Rows of one file with known column names; column ``row`` is the line in the file, blanks are NaN or ""."""

    frame: pd.DataFrame
    source: str
    problems: tuple[CellProblem, ...]
    ignored_columns: tuple[str, ...]


def _plain(column: str) -> str:
    return re.sub(r"[^a-z0-9]", "", column.lower())


def _renames(columns: list[str], source: str) -> dict[str, str]:
    renames: dict[str, str] = {}
    for column in columns:
        name = column if column in _ALIASES else _CANONICAL.get(_plain(column))
        if name is None:
            continue
        if name in renames.values():
            earlier = next(c for c, n in renames.items() if n == name)
            # An exact name wins over an alias; two aliases of one field are a question only the user can answer.
            if column == name:
                renames = {c: n for c, n in renames.items() if n != name}
            elif earlier != name:
                raise InputFileError(
                    f"{source}: columns {earlier!r} and {column!r} both look like {name}; "
                    f"name one of them, e.g. column_map={{{column!r}: {name!r}}}"
                )
            else:
                continue
        renames[column] = name
    return renames


def read_any_table(path: Path) -> pd.DataFrame:
    """A text table or the first sheet of an Excel workbook, all cells text."""
    if path.suffix.lower() not in (".xlsx", ".xlsm"):
        return read_table(path)
    try:
        frame = pd.read_excel(path, dtype=str, engine="openpyxl")
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise InputFileError(f"{path}: not a readable Excel workbook ({error}); save it as .xlsx or CSV") from error
    frame = frame.fillna("").astype(str)
    frame.attrs.update(path=str(path), first_row=2, line_shifts=())
    return frame


def _mapped(frame: pd.DataFrame, column_map: Mapping[str, str], partial: bool, source: str) -> pd.DataFrame:
    columns = [str(c) for c in frame.columns]
    unknown = [name for name in column_map if name not in columns]
    if unknown and not partial:
        raise InputFileError(
            f"{source} lacks the column(s) {', '.join(unknown)} named in the column map; it has: {', '.join(columns)}"
        )
    wrong = [name for name in column_map.values() if name not in _ALIASES]
    if wrong:
        raise InputFileError(
            f"the column map names {', '.join(wrong)}, which rfplan does not know; known: {', '.join(_ALIASES)}"
        )
    # What the map claims is not looked up again: a column renamed away frees its old meaning.
    taken = {column_map[c] for c in columns if c in column_map}
    return frame.rename(columns={c: column_map.get(c, f"{c} (unmapped)" if c in taken else c) for c in columns})


def _numbers(
    column: pd.Series[str], name: str, problems: list[CellProblem]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    try:
        return to_float(column, name)
    except InputFileError:
        pass
    values = np.full(len(column), np.nan)
    for i, text in enumerate(column):
        single = pd.Series([text])
        single.attrs.update(column.attrs)
        try:
            values[i] = to_float(single, name)[0]
        except InputFileError:
            problems.append(CellProblem(row_number(column, i), name, str(text)))
    return values


def read_network_table(
    path: str | os.PathLike[str], column_map: Mapping[str, str] | None = None, *, partial_map: bool = False
) -> RawNetworkTable:
    """Read a CSV or XLSX of sites, sectors or cells into known columns.

    Parameters
    ----------
    path : path
        Text table in any delimiter and usual encoding, or an Excel workbook (first sheet).
    column_map : mapping, optional
        Column of the file → rfplan's name; without it the usual spellings are recognised.
    partial_map : bool
        Let the map name columns that this file lacks (it may be about several files).

    Raises
    ------
    InputFileError
        When the file is unusable, or two columns claim the same field.
    """
    file = Path(path)
    frame = read_any_table(file)
    attrs = dict(frame.attrs)
    frame = _mapped(frame, column_map or {}, partial_map, str(file))
    frame.attrs.update(attrs)
    return known_columns(frame, _renames([str(c) for c in frame.columns], str(file)), str(file))


def known_columns(frame: pd.DataFrame, renames: Mapping[str, str], source: str) -> RawNetworkTable:
    """Parse the columns named in `renames` (file column → rfplan's name) of a frame of text."""
    attrs = dict(frame.attrs)
    ignored = tuple(str(c) for c in frame.columns if str(c) not in renames)
    problems: list[CellProblem] = []
    named = {"technology", "technologies"} & {*renames.values()}
    out: dict[str, object] = {"row": [row_number(frame, i) for i in range(len(frame))]}
    for column, name in renames.items():
        series = frame[column].reset_index(drop=True)
        series.attrs.update(attrs)
        out[name] = series.str.strip() if name in TEXT_FIELDS else _numbers(series, name, problems)
        if name == "channel" and not named and _plain(column) in _CHANNEL_TECHNOLOGY:
            out["technology"] = _CHANNEL_TECHNOLOGY[_plain(column)]
    return RawNetworkTable(pd.DataFrame(out), source, tuple(problems), ignored)
