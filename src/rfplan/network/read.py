"""Networks from files."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence

import pandas as pd

from rfplan.errors import DataWarning, InputFileError, ParameterError
from rfplan.io.network_csv import RawNetworkTable, read_network_table
from rfplan.network.clean import clean
from rfplan.network.core import Network
from rfplan.network.defaults import DEFAULT_AZIMUTHS_DEG, DEFAULTS
from rfplan.network.expand import expand
from rfplan.network.report import Finding, NetworkReport

PathLike = str | os.PathLike[str]


def _join(upper: RawNetworkTable, lower: RawNetworkTable, key: str) -> tuple[RawNetworkTable, list[Finding]]:
    """Rows of the lower table with the columns of the upper one; upper rows without any below stay as they are."""
    for table in (upper, lower):
        if key not in table.frame:
            raise InputFileError(
                f"{table.source}: no column for {key}, by which the tables are joined; give a column map"
            )
    # Sector ids may start anew at every site: where the lower table names the site too, both must match.
    keys = ["site_id", key] if key != "site_id" and "site_id" in lower.frame else [key]
    ids = upper.frame[keys].agg("\t".join, axis=1)
    lower_ids = lower.frame[keys].agg("\t".join, axis=1)
    repeated = ids.duplicated() & (upper.frame[key] != "")
    known = upper.frame[~repeated]
    lost = lower.frame[~lower_ids.isin(ids[~repeated])]
    findings = [
        Finding("error", int(row), key, f"{value!r} is not in {upper.source}: left out", "correct the id", lower.source)
        for row, value in zip(lost["row"], lost[key], strict=True)
    ]
    findings += [
        Finding("error", int(row), key, f"{value!r} repeats: left out", "remove it or give it its own id", upper.source)
        for row, value in zip(upper.frame.loc[repeated, "row"], upper.frame.loc[repeated, key], strict=True)
    ]
    extra = [c for c in lower.frame.columns if c not in ("row", *keys)]
    kept = known.drop(columns=[c for c in extra if c in known.columns])
    frame = kept.merge(lower.frame[[*keys, *extra]], on=keys, how="left", sort=False)
    for name in extra:
        if frame[name].dtype == object or isinstance(frame[name].dtype, pd.StringDtype):
            frame[name] = frame[name].fillna("")
    joined = RawNetworkTable(
        frame, upper.source, (*upper.problems, *lower.problems), (*upper.ignored_columns, *lower.ignored_columns)
    )
    return joined, findings


def read_network(
    path: PathLike,
    column_map: Mapping[str, str] | None = None,
    *,
    sectors: PathLike | None = None,
    cells: PathLike | None = None,
    technology: str = "4G",
    azimuth_deg: Sequence[float] = DEFAULT_AZIMUTHS_DEG,
) -> Network:
    """Read a network from one flat table (a row a site, a sector or a cell) or from three tables.

    Only a position is required. What is missing takes the defaults of ``rfplan.network.defaults`` and is counted;
    what is impossible, swapped or repeated is reported row by row in ``network.report``.

    Parameters
    ----------
    path : path
        CSV or XLSX: the flat table, or the sites.
    column_map : mapping, optional
        Column of a file → rfplan's name; the usual spellings need none.
    sectors, cells : path, optional
        Further tables, joined on site_id and sector_id.
    technology : str
        Assumed where a row names none.
    azimuth_deg : sequence of float
        Sectors given to a site that has no azimuth.

    Warns
    -----
    DataWarning
        Once, with counts, when rows were left out or repaired.

    Raises
    ------
    InputFileError
        When a file cannot be used or no site is left.
    """
    several = sectors is not None or cells is not None
    site_table = read_network_table(path, column_map, partial_map=several)
    sector_table = None if sectors is None else read_network_table(sectors, column_map, partial_map=True)
    cell_table = None if cells is None else read_network_table(cells, column_map, partial_map=True)
    return network_from_tables(site_table, sector_table, cell_table, technology=technology, azimuth_deg=azimuth_deg)


def network_from_tables(
    sites: RawNetworkTable,
    sectors: RawNetworkTable | None = None,
    cells: RawNetworkTable | None = None,
    *,
    technology: str = "4G",
    azimuth_deg: Sequence[float] = DEFAULT_AZIMUTHS_DEG,
    remarks: Sequence[Finding] = (),
) -> Network:
    """Join, clean and expand parsed tables; `remarks` of a reader go first in the report."""
    if technology not in DEFAULTS:
        raise ParameterError(f"technology={technology!r} must be one of {', '.join(DEFAULTS)}")
    findings = list(remarks)
    table = sites
    for lower, key in ((sectors, "site_id"), (cells, "sector_id")):
        if lower is not None:
            table, more = _join(table, lower, key)
            findings += more
    rows, more = clean(table)
    findings += more
    site_frame, sector_frame, cell_frame, used, more = expand(rows, technology=technology, azimuth_deg=azimuth_deg)
    network = Network(site_frame, sector_frame, cell_frame, NetworkReport((*findings, *more), used))
    report = network.report
    if not report.ok:
        first = next(f for f in report.findings if f.severity != "info")
        warnings.warn(
            DataWarning(
                f"{sites.source}: {report.count('error')} row(s) left out, "
                f"{report.count('warning')} repaired or doubtful "
                f"(first: row {first.row}, {first.field}: {first.message}); see network.report"
            ),
            stacklevel=3,
        )
    return network
