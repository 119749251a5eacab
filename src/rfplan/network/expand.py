"""From cleaned rows (a site, a sector or a cell each) to the three tables, with stated defaults counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from rfplan.errors import ParameterError
from rfplan.network.channels import carrier_mhz
from rfplan.network.defaults import (
    BANDWIDTHS_MHZ,
    DEFAULT_AZIMUTHS_DEG,
    DEFAULTS,
    TDD_DOWNLINK_SHARE,
    canonical_technology,
    default_antenna,
)
from rfplan.network.report import Finding
from rfplan.network.schema import CELL_COLUMNS, SECTOR_COLUMNS, SITE_COLUMNS, STATUSES

_BY_TECHNOLOGY = (
    "bandwidth_mhz", "max_power_dbm", "tx_height_agl_m", "mechanical_tilt_deg", "electrical_tilt_deg",
    "feeder_loss_db", "noise_figure_db", "load", "mimo_layers", "downlink_share",
)  # fmt: skip
# Values nobody lists in a site table: taking them from the defaults is not worth a count.
_UNCOUNTED = ("feeder_loss_db", "noise_figure_db", "load", "mimo_layers", "downlink_share")


def _split(text: str) -> list[str]:
    for mark in (";", "/", "+", ",", "|"):
        text = text.replace(mark, " ")
    return text.split()


def technologies_of(rows: pd.DataFrame, default: str, findings: list[Finding]) -> pd.DataFrame:
    """One row a technology, in column ``technology``."""
    lists: list[list[str]] = []
    for line, one, many in zip(rows["row"], rows["technology"], rows["technologies"], strict=True):
        known: list[str] = []
        for word in _split(one or many):
            technology = canonical_technology(word)
            if technology is None:
                findings.append(
                    Finding(
                        "warning", int(line), "technology", f"{word!r} is not known: left out", "use 2G, 3G, 4G or 5G"
                    )
                )
            elif technology not in known:
                known.append(technology)
        lists.append(known or [default])
    out = rows.copy()
    out["technology"] = pd.Series(lists, index=rows.index, dtype=object)
    return out.explode("technology", ignore_index=True)


def _bandwidths(rows: pd.DataFrame, findings: list[Finding]) -> pd.DataFrame:
    """Blank bandwidths that the technology does not have, so that the default is taken."""
    bandwidth = rows["bandwidth_mhz"].to_numpy(copy=True)
    for i, (technology, value) in enumerate(zip(rows["technology"], bandwidth, strict=True)):
        allowed = BANDWIDTHS_MHZ.get(technology)
        if allowed and np.isfinite(value) and value not in allowed:
            message = f"{value:g} MHz is not a {technology} bandwidth: taken as missing"
            remedy = "use " + ", ".join(f"{b:g}" for b in allowed)
            findings.append(Finding("warning", int(rows["row"].iloc[i]), "bandwidth_mhz", message, remedy))
            bandwidth[i] = np.nan
    return rows.assign(bandwidth_mhz=bandwidth)


def _carriers(rows: pd.DataFrame, findings: list[Finding], used: dict[str, int]) -> pd.DataFrame:
    frequency = rows["frequency_mhz"].to_numpy(copy=True)
    uplink = rows["uplink_frequency_mhz"].to_numpy(copy=True)
    for i in np.flatnonzero(np.isnan(frequency) & np.isfinite(rows["channel"].to_numpy())):
        try:
            frequency[i], uplink[i] = carrier_mhz(rows["technology"].iloc[i], int(rows["channel"].iloc[i]))
        except ParameterError as error:
            findings.append(
                Finding("warning", int(rows["row"].iloc[i]), "channel", str(error), "the default carrier is used")
            )
    default = rows["technology"].map(lambda t: DEFAULTS[t].frequency_mhz).to_numpy(dtype=np.float64)
    default_up = rows["technology"].map(lambda t: DEFAULTS[t].uplink_frequency_mhz).to_numpy(dtype=np.float64)
    silent = np.isnan(frequency)
    used["frequency_mhz"] = int(silent.sum())
    # A carrier given without its uplink keeps the duplex distance only if it is the default one; else the same carrier.
    uplink = np.where(np.isnan(uplink), np.where(silent | (frequency == default), default_up, frequency), uplink)
    return rows.assign(frequency_mhz=np.where(silent, default, frequency), uplink_frequency_mhz=uplink)


def _azimuths(rows: pd.DataFrame, azimuths: Sequence[float], used: dict[str, int]) -> pd.DataFrame:
    silent = rows["azimuth_deg"].isna()
    omni = rows["antenna"].str.lower().isin(("omni", "isotropic"))
    # A row with a PCI speaks of one cell, so it is one sector even without an id.
    placed = silent & ((rows["sector_id"] != "") | (rows["cell_id"] != "") | rows["pci"].notna())
    spread = rows[silent & placed & ~omni]
    out = rows.copy()
    if len(spread):
        label = spread["sector_id"].where(spread["sector_id"] != "", spread["cell_id"])
        label = label.where(label != "", spread["row"].astype(str))
        key = [spread["site_id"], spread["technology"], spread["frequency_mhz"]]
        rank = label.groupby(key).transform(lambda s: pd.factorize(s)[0])
        number = label.groupby(key).transform("nunique")
        out.loc[spread.index, "azimuth_deg"] = 360.0 * rank.astype(float) / number.astype(float)
    out.loc[silent & omni, "azimuth_deg"] = 0.0
    whole = silent & ~placed & ~omni
    out["azimuth_deg"] = out["azimuth_deg"].astype(object)
    out.loc[whole, "azimuth_deg"] = pd.Series(
        [tuple(azimuths)] * int(whole.sum()), index=out.index[whole], dtype=object
    )
    out = out.explode("azimuth_deg", ignore_index=True)
    out["azimuth_deg"] = out["azimuth_deg"].astype(np.float64)
    used["azimuth_deg"] = int(len(spread) + whole.sum() * len(azimuths))
    return out


def _fill(rows: pd.DataFrame, used: dict[str, int]) -> pd.DataFrame:
    out = rows.copy()
    for name in _BY_TECHNOLOGY:
        default = out["technology"].map(lambda t, name=name: getattr(DEFAULTS[t], name)).astype(np.float64)
        if name == "downlink_share":  # a matter of the duplex, whatever the technology
            tdd = out["frequency_mhz"] == out["uplink_frequency_mhz"]
            default = pd.Series(np.where(tdd, TDD_DOWNLINK_SHARE, 1.0), index=out.index)
        if name not in _UNCOUNTED:
            used[name] = int(out[name].isna().sum())
        out[name] = out[name].fillna(default)
    blank = out["antenna"] == ""
    used["antenna"] = int(blank.sum())
    assumed = [default_antenna(t, f) for t, f in zip(out["technology"], out["frequency_mhz"], strict=True)]
    out["antenna"] = np.where(blank, assumed, out["antenna"])
    return out


def _sector_ids(rows: pd.DataFrame) -> pd.Series[str]:
    """Own ids where given (one a technology where several share one), else site-technology-number."""
    given = rows["sector_id"] != ""
    # Ids such as 1, 2, 3 that start anew at every site are made whole with the site's.
    sites = rows[given].groupby("sector_id")["site_id"].nunique()
    local = given & rows["sector_id"].map(sites).fillna(0).gt(1)
    own = rows["sector_id"].where(~local, rows["site_id"] + "-" + rows["sector_id"])
    several = rows[given].groupby(own[given])["technology"].nunique()
    shared = given & own.map(several).fillna(0).gt(1)
    named = own.where(~shared, own + "-" + rows["technology"])
    key = [
        "site_id",
        "technology",
        "azimuth_deg",
        "tx_height_agl_m",
        "antenna",
        "mechanical_tilt_deg",
        "electrical_tilt_deg",
    ]
    group = rows.groupby(key, sort=False).ngroup()
    first = rows.assign(group=group).drop_duplicates("group")
    number = first.groupby(["site_id", "technology"], sort=False).cumcount() + 1
    label = dict(
        zip(first["group"], first["site_id"] + "-" + first["technology"] + "-" + number.astype(str), strict=True)
    )
    return named.where(given, group.map(label))


def _cell_ids(rows: pd.DataFrame) -> pd.Series[str]:
    given = rows["cell_id"] != ""
    number = rows.groupby("sector_id", sort=False).cumcount() + 1
    made = rows["sector_id"] + "-c" + number.astype(str)
    ids = rows["cell_id"].where(given, made)
    again = ids.duplicated(keep=False)
    ids = ids.where(~again, ids + "-" + rows["sector_id"])
    again = ids.duplicated()
    return ids.where(~again, ids + "-" + number.astype(str))


def expand(
    rows: pd.DataFrame, *, technology: str = "4G", azimuth_deg: Sequence[float] = DEFAULT_AZIMUTHS_DEG
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, dict[str, int], list[Finding]]:
    """Sites, sectors and cells from cleaned rows; also how often each default was used, and findings.

    A row without azimuth, sector or cell becomes one sector at each of `azimuth_deg`; rows with a sector or cell
    id but no azimuth are spread evenly round their site. Every technology of a row gets its own sector, because
    antenna and band go together.
    """
    findings: list[Finding] = []
    used: dict[str, int] = {}
    cells = _bandwidths(technologies_of(rows, technology, findings), findings)
    cells = _carriers(cells, findings, used)
    cells = _fill(_azimuths(cells, azimuth_deg, used), used)
    cells["sector_id"] = _sector_ids(cells)
    cells["cell_id"] = _cell_ids(cells)
    sectors = cells.drop_duplicates("sector_id")[list(SECTOR_COLUMNS)]
    sites = rows.drop_duplicates("site_id")[list(SITE_COLUMNS)].copy()
    sites_row = rows.drop_duplicates("site_id")["row"]
    status = sites["status"].str.lower()
    for i in np.flatnonzero(~status.isin((*STATUSES, ""))):
        message = f"{sites['status'].iloc[i]!r} is not known: taken as existing"
        findings.append(Finding("warning", int(sites_row.iloc[i]), "status", message, "use " + ", ".join(STATUSES)))
    sites["status"] = status.where(status.isin(STATUSES), "existing")
    sites["kind"] = sites["kind"].where(sites["kind"] != "", "mast")
    sites["name"] = sites["name"].where(sites["name"] != "", sites["site_id"])
    by_site = cells.groupby("site_id")["technology"].agg(lambda s: ";".join(sorted(set(s))))
    sites["technologies"] = sites["site_id"].map(by_site)
    return (
        sites.reset_index(drop=True),
        sectors.reset_index(drop=True),
        cells[list(CELL_COLUMNS)].reset_index(drop=True),
        {name: count for name, count in used.items() if count},
        findings,
    )
