"""5G on existing masts: every site offered once a band, as candidates for any of the site-choice problems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rfplan.errors import ParameterError
from rfplan.optimize.candidates import COLUMNS, Candidates
from rfplan.optimize.instance import Rules

if TYPE_CHECKING:
    from rfplan.network import Network
    from rfplan.terrain import Terrain


@dataclass(frozen=True)
class OverlayBand:
    """A 5G carrier that could be added to a site.

    Attributes
    ----------
    name
        Band name, part of the candidates' ids.
    frequency_mhz, uplink_frequency_mhz
        Carrier centres; equal for time division.
    bandwidth_mhz, max_power_dbm
        Carrier width and power.
    cost
        Of the overlay on one existing site, in the unit of the candidates' costs.
    """

    name: str
    frequency_mhz: float
    uplink_frequency_mhz: float
    bandwidth_mhz: float
    max_power_dbm: float
    cost: float

    def __post_init__(self) -> None:
        """Check the numbers."""
        for field in ("frequency_mhz", "uplink_frequency_mhz", "bandwidth_mhz"):
            if not getattr(self, field) > 0:
                raise ParameterError(f"band {self.name}: {field} = {getattr(self, field)}; give a value above 0")
        if not self.cost >= 0:
            raise ParameterError(f"band {self.name}: cost = {self.cost}; give a value >= 0")


#: Carriers within the Vietnamese assignments; powers and relative costs are planning values, not any operator's.
OVERLAY_BANDS = (
    OverlayBand("n28", 773.0, 718.0, 10.0, 46.0, 0.3),
    OverlayBand("n41", 2550.0, 2550.0, 100.0, 53.0, 0.5),
    OverlayBand("n78", 3750.0, 3750.0, 100.0, 53.0, 0.5),
)


def overlay_candidates(
    network: Network,
    terrain: Terrain,
    *,
    bands: tuple[OverlayBand, ...] = OVERLAY_BANDS,
    new_sites: Candidates | None = None,
    new_site_band: OverlayBand | None = None,
) -> Candidates:
    """Every existing site without 5G once a band, then optional new sites with one band.

    Parameters
    ----------
    network
        Existing sites; those with 5G are left out.
    terrain
        For positions on the grid; sites on unknown ground are left out.
    bands
        Carriers on offer.
    new_sites
        Greenfield candidates to add, at their own cost plus the band's.
    new_site_band
        Carrier of the new sites; the first of `bands` by default.

    Raises
    ------
    ParameterError
        If no band is given, names repeat, or nothing is left to offer.
    """
    names = [band.name for band in bands]
    if not bands or len(set(names)) != len(names):
        raise ParameterError(f"bands {names}: give at least one, each name once")
    have = np.array(["5G" in str(text).split(";") for text in network.sites["technologies"]], np.bool_)
    sites = network.sites[~have].reset_index(drop=True)
    height = network.sectors.groupby("site_id")["tx_height_agl_m"].max()
    x_m, y_m = terrain.xy(sites["lon_deg"].to_numpy(np.float64), sites["lat_deg"].to_numpy(np.float64))
    known = np.isfinite(terrain.elevation_at(x_m, y_m))
    parts = []
    for band in bands:
        frame = pd.DataFrame(
            {
                "candidate_id": "5G-" + band.name + "-" + sites["site_id"].astype(str),
                "lon_deg": sites["lon_deg"],
                "lat_deg": sites["lat_deg"],
                "x_m": x_m,
                "y_m": y_m,
                "kind": f"overlay {band.name}",
                "tx_height_agl_m": sites["site_id"].map(height).astype(np.float64),
                "cost": band.cost,
                "site_id": sites["site_id"].astype(str),
            }
        )
        parts.append(_equip(frame.loc[known], band))
    if new_sites is not None:
        band = new_site_band or bands[0]
        fresh = new_sites.table[new_sites.table["site_id"] == ""]
        parts.append(_equip(fresh.assign(cost=fresh["cost"] + band.cost), band))
    table = pd.concat(parts, ignore_index=True)
    if len(table) == 0:
        raise ParameterError("no site is left to offer 5G on: all have it or stand on unknown ground")
    return Candidates(table, technology="5G")


def one_band_a_site(candidates: Candidates) -> Rules:
    """The rule that every existing site gets at most one of its overlay candidates."""
    site = candidates.table["site_id"].to_numpy(dtype=object)
    groups: dict[str, list[int]] = {}
    for row, name in enumerate(site):
        if name:
            groups.setdefault(str(name), []).append(row)
    return Rules(exclusive=tuple(tuple(rows) for rows in groups.values() if len(rows) > 1))


def _equip(frame: pd.DataFrame, band: OverlayBand) -> pd.DataFrame:
    return frame[list(COLUMNS)].assign(
        frequency_mhz=band.frequency_mhz,
        uplink_frequency_mhz=band.uplink_frequency_mhz,
        bandwidth_mhz=band.bandwidth_mhz,
        max_power_dbm=band.max_power_dbm,
    )
