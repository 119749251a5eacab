"""First pass over a site list: positions, impossible values and duplicates, each remark with its row."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rfplan.errors import InputFileError
from rfplan.io.network_csv import NUMBER_FIELDS, TEXT_FIELDS, RawNetworkTable
from rfplan.network.report import Finding, Severity
from rfplan.network.schema import RANGES

_LEVEL_FIELDS = (
    "azimuth_deg",
    "sector_id",
    "cell_id",
    "frequency_mhz",
    "channel",
    "pci",
    "technology",
    "antenna",
    "tx_height_agl_m",
)


class Cleaner:
    """Collects findings while a table is made usable; used once and thrown away."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.findings: list[Finding] = []

    def note(self, severity: Severity, row: int | None, field: str, message: str, remedy: str = "") -> None:
        """Add one finding."""
        self.findings.append(Finding(severity, None if row is None else int(row), field, message, remedy, self.source))

    def positions(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Drop rows without a usable position and turn swapped coordinates back, one finding each."""
        lon, lat = rows["lon_deg"].to_numpy(), rows["lat_deg"].to_numpy()
        line = rows["row"].to_numpy()
        missing = ~(np.isfinite(lon) & np.isfinite(lat)) | ((lon == 0.0) & (lat == 0.0))
        for i in np.flatnonzero(missing):
            self.note(
                "error",
                line[i],
                "position",
                f"longitude {lon[i]:g}, latitude {lat[i]:g} is no position",
                "give both in degrees",
            )
        swapped = ~missing & (np.abs(lat) > 90.0) & (np.abs(lat) <= 180.0) & (np.abs(lon) <= 90.0)
        good = ~missing & ~swapped & (np.abs(lon) <= 180.0) & (np.abs(lat) <= 90.0)
        if swapped.sum() > 0 and swapped.sum() >= 0.5 * (swapped | good).sum():
            first = int(np.flatnonzero(swapped)[0])
            raise InputFileError(
                f"{self.source}: longitude and latitude look swapped in {int(swapped.sum())} of {len(rows)} rows "
                f"(row {line[first]}: latitude {lat[first]:g} is beyond ±90); "
                "name the columns the other way round with a column map"
            )
        if good.sum() >= 3:
            m_lon, m_lat = np.median(lon[good]), np.median(lat[good])
            far = np.maximum(np.abs(lon - m_lon), np.abs(lat - m_lat)) > 5.0
            near_turned = np.maximum(np.abs(lat - m_lon), np.abs(lon - m_lat)) < 5.0
            swapped |= good & far & near_turned
        for i in np.flatnonzero(swapped):
            self.note(
                "warning",
                line[i],
                "position",
                f"longitude {lon[i]:g}, latitude {lat[i]:g} look swapped: turned round",
                "swap them in the file",
            )
        outside = ~missing & ~swapped & ~good
        for i in np.flatnonzero(outside):
            self.note(
                "error",
                line[i],
                "position",
                f"longitude {lon[i]:g}, latitude {lat[i]:g} is not on Earth",
                "give degrees",
            )
        out = rows.assign(lon_deg=np.where(swapped, lat, lon), lat_deg=np.where(swapped, lon, lat))
        return pd.DataFrame(out[~(missing | outside)]).reset_index(drop=True)

    def impossible(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Blank values that cannot exist, so that the default is taken, one finding each."""
        out = rows.copy()
        for name, (low, high) in RANGES.items():
            if name in ("lon_deg", "lat_deg"):
                continue
            values = out[name].to_numpy(dtype=np.float64)
            bad = np.isfinite(values) & ~((values >= low) & (values <= high))
            for i in np.flatnonzero(bad):
                self.note(
                    "warning",
                    out["row"].iloc[i],
                    name,
                    f"{values[i]:g} is impossible: taken as missing",
                    f"give {low:g}…{high:g}",
                )
            out[name] = np.where(bad, np.nan, values)
        out["azimuth_deg"] = out["azimuth_deg"] % 360.0
        return out

    def site_ids(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Give every row a site id: its own, else one made from name or position."""
        blank = rows["site_id"] == ""
        if not blank.any():
            return rows
        lon, lat = rows["lon_deg"].round(6), rows["lat_deg"].round(6)
        position = lon.map("{:.6f}".format) + "," + lat.map("{:.6f}".format)
        named = rows["name"] != ""
        # A name that repeats names a site; names that never repeat may be those of cells, so position decides.
        use_name = named & (rows.loc[named, "name"].nunique() < named.sum())
        key = np.where(use_name, rows["name"] + "@" + position, position)
        codes = pd.factorize(key)[0]
        made = pd.Series([f"S{code + 1:05d}" for code in codes], dtype=object)
        if (
            use_name.all()
            and rows.groupby("name")["lon_deg"].nunique().max() == 1
            and rows.groupby("name")["lat_deg"].nunique().max() == 1
        ):
            made = rows["name"]
        out = rows.copy()
        out["site_id"] = rows["site_id"].where(~blank, made)
        return out

    def duplicates(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Drop rows that repeat one above them; remark on ids at two places and places with two ids."""
        first = rows.groupby("site_id", sort=False)[["lon_deg", "lat_deg", "row"]].transform("first")
        apart = (
            np.maximum(np.abs(rows["lon_deg"] - first["lon_deg"]), np.abs(rows["lat_deg"] - first["lat_deg"])) > 0.0005
        )
        level = rows[list(_LEVEL_FIELDS)]
        site_level = (level.isna() | (level == "")).all(axis=1)
        repeated = rows["site_id"].duplicated() & site_level
        same = rows.drop(columns=["row"]).duplicated() & ~repeated
        # Ids such as 1, 2, 3 that start anew at every site are no repeats.
        key = ["site_id", "sector_id", "cell_id", "technology"]
        cell_again = (rows["cell_id"] != "") & rows.duplicated(key) & ~repeated & ~same
        cell_first = rows.groupby(key, sort=False)["row"].transform("first")
        for i in np.flatnonzero(repeated | same | cell_again):
            what = (
                f"site_id {rows['site_id'].iloc[i]!r}"
                if repeated.iloc[i]
                else "the whole row"
                if same.iloc[i]
                else "cell_id"
            )
            above = int(cell_first.iloc[i] if cell_again.iloc[i] else first["row"].iloc[i])
            self.note(
                "error",
                rows["row"].iloc[i],
                "site_id",
                f"{what} repeats row {above}: left out",
                "remove it or give it its own id",
            )
        for i in np.flatnonzero(apart & ~repeated):
            self.note(
                "warning", rows["row"].iloc[i], "site_id",
                f"site {rows['site_id'].iloc[i]!r} "
                f"has another position in row {int(first['row'].iloc[i])}: the first one is used",
                "give the second place its own site_id",
            )  # fmt: skip
        out = rows[~(repeated | same | cell_again)].reset_index(drop=True)
        out[["lon_deg", "lat_deg"]] = out.groupby("site_id", sort=False)[["lon_deg", "lat_deg"]].transform("first")
        self._same_place(out.drop_duplicates("site_id"))
        return out

    def _same_place(self, sites: pd.DataFrame) -> None:
        place = sites[["lon_deg", "lat_deg"]].round(5)
        again = place.duplicated()
        if not again.any():
            return
        first = sites.groupby([place["lon_deg"], place["lat_deg"]], sort=False)["site_id"].transform("first")
        for i in np.flatnonzero(again):
            self.note(
                "info", sites["row"].iloc[i], "position",
                f"site {sites['site_id'].iloc[i]!r} stands where {first.iloc[i]!r} does: both are kept",
                "merge them if they are one site",
            )  # fmt: skip


def clean(table: RawNetworkTable) -> tuple[pd.DataFrame, list[Finding]]:
    """Usable rows of a raw table, with every known column, and what was found on the way.

    Raises
    ------
    InputFileError
        When there is no position column, or no row is left.
    """
    missing = [name for name in ("lon_deg", "lat_deg") if name not in table.frame]
    if missing:
        raise InputFileError(
            f"{table.source}: no column for {' and '.join(missing)}; "
            f"rename it or give column_map={{'<column>': '{missing[0]}'}}. "
            f"Not recognised: {', '.join(table.ignored_columns) or 'none'}"
        )
    rows = table.frame.copy()
    for name in TEXT_FIELDS:
        rows[name] = rows[name].fillna("").astype(object) if name in rows else ""
    for name in NUMBER_FIELDS:
        rows[name] = rows[name].astype(np.float64) if name in rows else np.nan
    cleaner = Cleaner(table.source)
    for problem in table.problems:
        cleaner.note(
            "warning", problem.row, problem.field, f"{problem.text!r} is not a number: taken as missing", "correct it"
        )
    if table.ignored_columns:
        cleaner.note(
            "info", None, "columns", f"not used: {', '.join(table.ignored_columns)}", "map them if they matter"
        )
    rows = cleaner.impossible(cleaner.positions(rows))
    if rows.empty:
        raise InputFileError(
            f"{table.source}: no site is left of {len(table.frame)} rows; first problem: {cleaner.findings[0].message}"
        )
    rows = cleaner.duplicates(cleaner.site_ids(rows))
    return rows, cleaner.findings
