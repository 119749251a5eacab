"""The network: three tables that refer to each other, never changed in place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from rfplan.errors import ParameterError
from rfplan.io.network_csv import NUMBER_FIELDS, TEXT_FIELDS
from rfplan.network.defaults import DEFAULT_AZIMUTHS_DEG, DEFAULTS, canonical_technology
from rfplan.network.expand import expand
from rfplan.network.report import Finding, NetworkReport
from rfplan.network.schema import (
    CELL_COLUMNS,
    SECTOR_COLUMNS,
    SITE_COLUMNS,
    conform,
    require_known,
    require_numbers,
    require_unique,
)

if TYPE_CHECKING:
    from rfplan.terrain import Terrain


@dataclass(frozen=True)
class SectorTemplate:
    """What :meth:`Network.with_sectors` puts on every site; None takes the technology's default.

    ``technologies`` may hold several, e.g. ``"2G;4G"``. A column of the sites table with the same name as a field
    (``tx_height_agl_m``, ``technologies``, …) wins over the template, row by row.
    """

    technologies: str = "4G"
    frequency_mhz: float | None = None
    uplink_frequency_mhz: float | None = None
    bandwidth_mhz: float | None = None
    max_power_dbm: float | None = None
    tx_height_agl_m: float | None = None
    antenna: str | None = None
    mechanical_tilt_deg: float | None = None
    electrical_tilt_deg: float | None = None
    load: float | None = None


@dataclass(frozen=True, eq=False)
class Network:
    """Sites, their sectors and their cells.

    Attributes
    ----------
    sites : DataFrame
        site_id, name, lon_deg, lat_deg, status ("existing", "candidate", "planned"), kind, operator, technologies,
        year.
    sectors : DataFrame
        sector_id, site_id, azimuth_deg, mechanical_tilt_deg, electrical_tilt_deg, tx_height_agl_m, antenna,
        feeder_loss_db, noise_figure_db (of the receiver).
    cells : DataFrame
        cell_id, sector_id, technology ("2G"…"5G"), frequency_mhz, uplink_frequency_mhz, bandwidth_mhz, max_power_dbm,
        load (0…1), pci (−1 unknown), mimo_layers, downlink_share (TDD), channel (−1 unknown).
    report : NetworkReport
        What reading found; empty for networks made otherwise.

    Raises
    ------
    ParameterError
        On repeated ids, references that point nowhere, or missing or impossible numbers.
    """

    sites: pd.DataFrame
    sectors: pd.DataFrame
    cells: pd.DataFrame
    report: NetworkReport = field(default_factory=NetworkReport)

    def __post_init__(self) -> None:
        sites = conform(self.sites, SITE_COLUMNS, "sites")
        sectors = conform(self.sectors, SECTOR_COLUMNS, "sectors")
        cells = conform(self.cells, CELL_COLUMNS, "cells")
        require_unique(sites, "site_id", "sites")
        require_unique(sectors, "sector_id", "sectors")
        require_unique(cells, "cell_id", "cells")
        require_known(sectors, "site_id", sites["site_id"], "sectors")
        require_known(cells, "sector_id", sectors["sector_id"], "cells")
        require_numbers(sites, ("lon_deg", "lat_deg"), "sites")
        require_numbers(
            sectors,
            ("azimuth_deg", "mechanical_tilt_deg", "tx_height_agl_m", "feeder_loss_db", "noise_figure_db"),
            "sectors",
        )
        require_numbers(
            cells, ("frequency_mhz", "uplink_frequency_mhz", "bandwidth_mhz", "max_power_dbm", "load"), "cells"
        )
        unknown = set(cells["technology"]) - {"2G", "3G", "4G", "5G"}
        if unknown:
            raise ParameterError(f"cells.technology {', '.join(sorted(unknown))} is not one of 2G, 3G, 4G, 5G")
        object.__setattr__(self, "sites", sites)
        object.__setattr__(self, "sectors", sectors)
        object.__setattr__(self, "cells", cells)

    def __len__(self) -> int:
        return len(self.sites)

    def __repr__(self) -> str:
        return f"Network({len(self.sites)} sites, {len(self.sectors)} sectors, {len(self.cells)} cells)"

    @classmethod
    def empty(cls) -> Network:
        """A network without any site."""
        return cls(_EMPTY[0], _EMPTY[1], _EMPTY[2])

    @classmethod
    def with_sectors(
        cls,
        sites: pd.DataFrame,
        sector: SectorTemplate | None = None,
        azimuth_deg: Sequence[float] = DEFAULT_AZIMUTHS_DEG,
    ) -> Network:
        """Put the same sectors on every site of a table.

        Parameters
        ----------
        sites : DataFrame
            Needs lon_deg and lat_deg; site_id and any other site or sector column is used where present.
        sector : SectorTemplate, optional
            One sector; its antennas look along `azimuth_deg`. By default 4G with the stated defaults.
        azimuth_deg : sequence of float
            Clockwise from true north.
        """
        template = sector or SectorTemplate()
        rows = sites.reset_index(drop=True).copy()
        missing = [name for name in ("lon_deg", "lat_deg") if name not in rows]
        if missing:
            raise ParameterError(
                f"the sites table lacks {' and '.join(missing)}; it has: {', '.join(map(str, rows.columns))}"
            )
        rows["row"] = np.arange(len(rows))
        if "site_id" not in rows:
            rows["site_id"] = [f"S{i + 1:05d}" for i in range(len(rows))]
        for name in TEXT_FIELDS:
            value = getattr(template, name, None) or ""
            rows[name] = rows[name].fillna("").astype(str).replace("", value).astype(object) if name in rows else value
        for name in NUMBER_FIELDS:
            value = getattr(template, name, None)
            column = pd.to_numeric(rows[name]) if name in rows else pd.Series(np.nan, index=rows.index)
            rows[name] = column.astype(np.float64) if value is None else column.astype(np.float64).fillna(value)
        rows["azimuth_deg"] = np.nan
        require_unique(rows, "site_id", "sites")
        if rows.empty:
            return cls.empty()
        parts = expand(rows, azimuth_deg=azimuth_deg)
        return cls(*parts[:3], NetworkReport(tuple(parts[4]), parts[3]))

    @classmethod
    def concat(cls, networks: Iterable[Network]) -> Network:
        """All of them in one; row order is kept, so earlier networks' cells keep their numbers.

        Raises
        ------
        ParameterError
            When two share an id.
        """
        items = list(networks)
        filled = [n for n in items if len(n.sites)]
        if not filled:
            return cls.empty()
        return cls(
            pd.concat([n.sites for n in filled], ignore_index=True),
            pd.concat([n.sectors for n in filled], ignore_index=True),
            pd.concat([n.cells for n in filled], ignore_index=True),
            NetworkReport(
                tuple(f for n in items for f in n.report.findings),
                _summed(dict(n.report.defaults) for n in items),
            ),
        )

    def select_sites(self, site_ids: Iterable[str]) -> Network:
        """Only these sites, with their sectors and cells, in the network's own order."""
        wanted = set(site_ids)
        unknown = wanted - set(self.sites["site_id"])
        if unknown:
            raise ParameterError(f"no such site: {', '.join(sorted(map(str, unknown))[:5])} ({len(unknown)} in all)")
        sites = self.sites[self.sites["site_id"].isin(wanted)]
        sectors = self.sectors[self.sectors["site_id"].isin(wanted)]
        cells = self.cells[self.cells["sector_id"].isin(sectors["sector_id"])]
        # What holds of all rows holds of some: nothing is checked anew, which would take ten times as long.
        part = object.__new__(type(self))
        for name, rows in (("sites", sites), ("sectors", sectors), ("cells", cells)):
            object.__setattr__(part, name, rows.reset_index(drop=True))
        object.__setattr__(part, "report", self.report)
        return part

    def without_sites(self, site_ids: Iterable[str]) -> Network:
        """All but these sites."""
        gone = set(site_ids)
        unknown = gone - set(self.sites["site_id"])
        if unknown:
            raise ParameterError(f"no such site: {', '.join(sorted(map(str, unknown))[:5])} ({len(unknown)} in all)")
        return self.select_sites(s for s in self.sites["site_id"] if s not in gone)

    def without_site(self, site_id: str) -> Network:
        """All but one site."""
        return self.without_sites([site_id])

    def with_cells(self, cells: pd.DataFrame) -> Network:
        """Add cells, or replace those whose cell_id is already there (in their place).

        Columns left out keep the replaced cell's value; a new cell takes its technology's defaults.
        """
        require_unique(cells, "cell_id", "cells")
        given = cells.set_index(cells["cell_id"].astype(str))
        known = given.index.isin(self.cells["cell_id"])
        base = self.cells.set_index("cell_id", drop=False).astype(object)
        changed = given[known]
        for name in changed.columns:
            base.loc[changed.index, name] = changed[name].astype(object)
        added = given[~known].copy()
        if len(added):
            technology = added["technology"] if "technology" in added else pd.Series("4G", index=added.index)
            added["technology"] = technology.fillna("4G")
            for name in (c for c in CELL_COLUMNS if hasattr(DEFAULTS["4G"], c) and c != "technology"):
                default = added["technology"].map(lambda t, name=name: getattr(DEFAULTS[_technology(t)], name))
                added[name] = default if name not in added else added[name].fillna(default)
        return replace(self, cells=pd.concat([base, added.astype(object)], ignore_index=True) if len(added) else base)

    def with_values(self, table: Literal["sites", "sectors", "cells"], ids: Iterable[str], **values: object) -> Network:
        """Set columns on some rows, e.g. ``with_values("sectors", ["A1"], electrical_tilt_deg=6.0)``.

        Raises
        ------
        ParameterError
            On an unknown id or column, or a value that cannot be.
        """
        frame = getattr(self, table).copy()
        key = {"sites": "site_id", "sectors": "sector_id", "cells": "cell_id"}[table]
        wanted = {str(i) for i in ids}
        unknown = wanted - set(frame[key])
        odd = [name for name in values if name not in frame or name.endswith("_id")]
        if unknown or odd:
            raise ParameterError(
                f"{table}: no such {key} {sorted(unknown)[:5]}" if unknown else f"{table}: cannot set {odd}"
            )
        rows = frame[key].isin(wanted)
        for name, value in values.items():
            frame[name] = frame[name].astype(object)
            frame.loc[rows, name] = value
        return replace(self, **{table: frame})

    def only_technology(self, technology: str) -> Network:
        """Only the cells of one technology; sectors and sites without any are left out."""
        name = _technology(technology)
        cells = self.cells[self.cells["technology"] == name]
        sectors = self.sectors[self.sectors["sector_id"].isin(cells["sector_id"])]
        sites = self.sites[self.sites["site_id"].isin(sectors["site_id"])]
        return replace(self, sites=sites, sectors=sectors, cells=cells)

    def with_technology(
        self, technology: str, *, site_ids: Iterable[str], sector: SectorTemplate | None = None,
        azimuth_deg: Sequence[float] = DEFAULT_AZIMUTHS_DEG,
    ) -> Network:  # fmt: skip
        """Upgrade existing sites: put default sectors of a technology on those of `site_ids` that lack it.

        To look at one technology alone, use :meth:`only_technology`.
        """
        name = _technology(technology)
        chosen = self.select_sites(site_ids)
        lacking = chosen.sites[[name not in t.split(";") for t in chosen.sites["technologies"]]]
        if lacking.empty:
            return self
        heights = self.sectors.groupby("site_id")["tx_height_agl_m"].max()
        table = lacking.drop(columns=["technologies"]).assign(tx_height_agl_m=lacking["site_id"].map(heights))
        added = Network.with_sectors(table, replace(sector or SectorTemplate(), technologies=name), azimuth_deg)
        sites = self.sites.copy()
        new = sites["site_id"].isin(lacking["site_id"])
        sites.loc[new, "technologies"] = [
            ";".join(sorted({*filter(None, t.split(";")), name})) for t in sites.loc[new, "technologies"]
        ]
        return replace(
            self,
            sites=sites,
            sectors=pd.concat([self.sectors, added.sectors], ignore_index=True),
            cells=pd.concat([self.cells, added.cells], ignore_index=True),
        )

    def only_operator(self, operator: str) -> Network:
        """Only the sites of one operator."""
        sites = self.sites.loc[self.sites["operator"] == operator, "site_id"]
        if sites.empty:
            known = ", ".join(sorted(set(self.sites["operator"])))
            raise ParameterError(f"the network has no site of operator {operator!r}; its operators: {known or 'none'}")
        return self.select_sites(sites)

    def site_of_cell(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Row in ``sites`` of every cell, (n_cells,)."""
        sector_row = pd.Index(self.sectors["sector_id"]).get_indexer(self.cells["sector_id"])
        site_row = pd.Index(self.sites["site_id"]).get_indexer(self.sectors["site_id"])
        return np.asarray(site_row[sector_row], dtype=np.int64)

    def validate(self, terrain: Terrain) -> NetworkReport:
        """The report with a warning for each site that does not stand on known ground of the terrain."""
        x, y = terrain.xy(self.sites["lon_deg"].to_numpy(), self.sites["lat_deg"].to_numpy())
        ground = np.asarray(terrain.elevation_at(x, y), dtype=np.float64)
        findings = [
            Finding(
                "warning", None, "position",
                f"site {self.sites['site_id'].iloc[i]!r} "
                f"({self.sites['lon_deg'].iloc[i]:.5f}, {self.sites['lat_deg'].iloc[i]:.5f}) "
                "is off the terrain or on unknown ground: it is not predicted",
                "extend the terrain or correct the position",
            )
            for i in np.flatnonzero(~np.isfinite(ground))
        ]  # fmt: skip
        return self.report.extended(findings)


_EMPTY = tuple(pd.DataFrame(columns=list(names)) for names in (SITE_COLUMNS, SECTOR_COLUMNS, CELL_COLUMNS))


def _summed(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for count in counts:
        for name, value in count.items():
            total[name] = total.get(name, 0) + value
    return total


def _technology(text: str) -> str:
    name = canonical_technology(text)
    if name is None:
        raise ParameterError(f"technology {text!r} is not one of 2G, 3G, 4G, 5G")
    return name
