"""Networks to and from other tools' tables."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from rfplan.errors import InputFileError
from rfplan.io.atoll import read_atoll_tables, write_atoll_tables
from rfplan.io.network_csv import NUMBER_FIELDS, TEXT_FIELDS, RawNetworkTable
from rfplan.io.opencellid import node_of, read_opencellid_table
from rfplan.io.tables import safe_columns, write_csv
from rfplan.network.core import Network
from rfplan.network.read import network_from_tables
from rfplan.network.report import Finding

PathLike = str | os.PathLike[str]


def read_atoll(
    sites: PathLike, transmitters: PathLike | None = None, cells: PathLike | None = None, *, technology: str = "4G"
) -> Network:
    """Read Atoll-style Sites, Transmitters and Cells tables (CSV or XLSX).

    Parameters
    ----------
    sites : path
        The Sites table, or a folder with ``Sites``, ``Transmitters`` and ``Cells`` in it.
    transmitters, cells : path, optional
        The other tables; a transmitter without a cell gets a default one.
    technology : str
        Assumed where the tables name none.

    Notes
    -----
    ``CARRIER`` is read as a channel number (EARFCN, NR-ARFCN, … of the technology), or as a frequency where it
    says MHz.
    """
    folder = Path(sites)
    if folder.is_dir():
        found = {p.stem.lower(): p for p in sorted(folder.iterdir()) if p.suffix.lower() in (".csv", ".txt", ".xlsx")}
        if "sites" not in found or "transmitters" not in found:
            raise InputFileError(
                f"{folder} needs tables named Sites and Transmitters; found: {', '.join(found) or 'none'}"
            )
        tables = read_atoll_tables(found["sites"], found["transmitters"], found.get("cells"))
    elif transmitters is None:
        raise InputFileError(f"{folder}: give the Transmitters table too, or a folder that holds both")
    else:
        tables = read_atoll_tables(folder, transmitters, cells)
    return network_from_tables(*tables, technology=technology)


def write_atoll(network: Network, folder: PathLike) -> tuple[Path, Path, Path]:
    """Write Sites.csv, Transmitters.csv and Cells.csv; :func:`read_atoll` gives the same network back."""
    return write_atoll_tables(folder, network.sites, network.sectors, network.cells)


def flat_table(network: Network) -> pd.DataFrame:
    """One row a cell with everything of its sector and site: what :func:`rfplan.read_network` reads."""
    frame = network.cells.merge(network.sectors, on="sector_id").merge(
        network.sites.drop(columns=["technologies"]), on="site_id", suffixes=("", "_of_site")
    )
    known = [name for name in (*TEXT_FIELDS, *NUMBER_FIELDS) if name in frame]
    frame = frame[[*known, *(c for c in frame.columns if c not in known)]]
    for name in ("pci", "channel"):
        frame[name] = frame[name].astype("Int64").where(frame[name] >= 0)
    return frame


def write_network(network: Network, path: PathLike) -> Path:
    """Write a network as one flat CSV or XLSX, a row a cell."""
    target = Path(path)
    frame = flat_table(network)
    if target.suffix.lower() == ".xlsx":
        target.parent.mkdir(parents=True, exist_ok=True)
        safe_columns(frame).to_excel(target, index=False, engine="openpyxl")
        return target
    return write_csv(target, frame)


def read_opencellid(path: PathLike, *, min_samples: int = 1) -> Network:
    """Make a rough network of an OpenCellID list.

    Positions are averages of where phones heard a cell, weighted by samples, so they lie inside the cell's area and
    not at its mast; sectors are spread evenly because azimuths are unknown. Fit for a first look, not for a design.

    Parameters
    ----------
    path : path
        CSV ``radio,mcc,net,area,cell,unit,lon,lat,range,samples,…``, with or without the header.
    min_samples : int
        Cells with fewer measurements are left out.
    """
    table = read_opencellid_table(path)
    left_out = int(table.attrs["left_out"])
    table = table[table["samples"].fillna(0) >= min_samples].reset_index(drop=True)
    if table.empty:
        raise InputFileError(f"{path}: no cell has at least {min_samples} sample(s); lower min_samples")
    operator = table["mcc"].astype(int).astype(str) + "-" + table["net"].astype(int).map("{:02d}".format)
    node = [node_of(t, int(c)) for t, c in zip(table["technology"], table["cell"], strict=True)]
    site = operator + "-" + table["technology"] + "-" + pd.Series(node).astype(str)
    weight = table["samples"].clip(lower=1.0)
    total = weight.groupby(site).transform("sum")
    rows = pd.DataFrame(
        {
            "row": table["row"],
            "site_id": site,
            "operator": operator,
            "kind": "estimated",
            "technology": table["technology"],
            "cell_id": operator + "-" + table["technology"] + "-" + table["cell"].astype("int64").astype(str),
            "lon_deg": (table["lon"] * weight).groupby(site).transform("sum") / total,
            "lat_deg": (table["lat"] * weight).groupby(site).transform("sum") / total,
            "pci": np.where(table["technology"].isin(("4G", "5G")) & (table["unit"] >= 0), table["unit"], np.nan),
        }
    )
    remarks = [
        Finding(
            "info", None, "position", "positions are estimates from phones, not masts", "use surveyed sites", str(path)
        )
    ]
    if left_out:
        remarks.append(
            Finding(
                "info", None, "radio", f"{left_out} row(s) of other radio types or incomplete: left out", "", str(path)
            )
        )
    return network_from_tables(RawNetworkTable(rows, str(path), (), ()), remarks=remarks)
