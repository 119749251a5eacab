"""From tables to arrays: the constant part of every cell's budget, and sites grouped for prediction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.antenna import Antenna, PatternTable, find_antenna
from rfplan.coverage.budget import reference_power_dbm, subcarrier_khz, uplink_sensitivity_dbm
from rfplan.coverage.settings import Receiver, Service
from rfplan.errors import ParameterError
from rfplan.network import Network

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_UPLINK_BANDWIDTH_KHZ = {"2G": 200.0, "3G": 3840.0}
# The mobile's power class where the receiver states LTE's 23 dBm: GSM 900 class 4 is 33 dBm, UMTS class 3 is 24 dBm.
_UE_POWER_OVER_LTE_DB = {"2G": 10.0, "3G": 1.0}


@dataclass(frozen=True, eq=False)
class CellBudget:
    """Everything of a cell's budget but pattern and path loss; arrays of one value a cell.

    ``level_const_dbm + pattern − path loss`` is the reference level at the device;
    ``uplink_const_db + pattern − path loss`` is the uplink margin.
    """

    level_const_dbm: Floats
    uplink_const_db: Floats

    def margin_const_db(self, required_dbm: float) -> Floats:
        """Constant of ``min(level − required, uplink margin)``."""
        return np.minimum(self.level_const_dbm - required_dbm, self.uplink_const_db)


def fading_margin_db(service: Service, model: Any) -> float:
    """The service's fading margin, or 0 when the model's location percentage above 50 already contains one."""
    percent = getattr(model, "location_percent", 50.0)
    return 0.0 if percent is not None and float(percent) > 50.0 else service.fading_margin_db


def cell_budget(
    cells: pd.DataFrame, sectors: pd.DataFrame, gain_dbi: Floats, receiver: Receiver, service: Service, margin_db: float
) -> CellBudget:
    """Budget constants of cells.

    Parameters
    ----------
    cells, sectors : DataFrame
        Rows of the network's tables, one sector row a cell.
    gain_dbi : (n,) array
        Maximum gain of each cell's antenna.
    receiver, service
        Device and requirements.
    margin_db : float
        Uplink fading margin (:func:`fading_margin_db`).
    """
    technology = cells["technology"].to_numpy()
    power = cells["max_power_dbm"].to_numpy(dtype=np.float64)
    bandwidth = cells["bandwidth_mhz"].to_numpy(dtype=np.float64)
    feeder = sectors["feeder_loss_db"].to_numpy(dtype=np.float64)
    noise_figure = sectors["noise_figure_db"].to_numpy(dtype=np.float64)
    device_db = receiver.gain_dbi - receiver.body_loss_db - service.penetration_db
    reference: dict[tuple[str, float, float], float] = {}
    sensitivity: dict[tuple[str, float, float], float] = {}
    level, uplink = np.empty(len(cells)), np.empty(len(cells))
    for i, tech in enumerate(technology):
        key = (tech, power[i], bandwidth[i])
        if key not in reference:
            reference[key] = reference_power_dbm(*key)
        up = (tech, bandwidth[i], noise_figure[i])
        if up not in sensitivity:
            khz = _UPLINK_BANDWIDTH_KHZ.get(tech)
            if khz is None:
                khz = 12.0 * subcarrier_khz(tech, bandwidth[i]) * service.uplink_resource_blocks
            sensitivity[up] = uplink_sensitivity_dbm(1e3 * khz, noise_figure[i], service.uplink_sinr_db)
        level[i] = reference[key] + gain_dbi[i] - feeder[i] + device_db
        ue_power = receiver.power_dbm + _UE_POWER_OVER_LTE_DB.get(tech, 0.0)
        uplink[i] = ue_power + device_db + gain_dbi[i] - feeder[i] - sensitivity[up]
    # The uplink sees the downlink's path loss shifted by the frequency term of free space; diffraction's own
    # dependence over a duplex distance is left out.
    shift = 20.0 * np.log10(
        cells["uplink_frequency_mhz"].to_numpy(dtype=np.float64) / cells["frequency_mhz"].to_numpy(dtype=np.float64)
    )
    return CellBudget(level, uplink - shift - service.interference_margin_db - margin_db)


@dataclass(frozen=True, eq=False)
class SiteCells:
    """Sectors and cells of one site, ready for the kernel.

    ``bands`` lists (height, frequency) pairs, grouped by height; ``cell_band`` points into it.
    """

    site: int
    bands: tuple[tuple[float, float], ...]
    sector_azimuth_deg: Floats
    sector_mechanical_deg: Floats
    sector_shift_deg: Floats
    sector_height_m: Floats
    sector_antenna: Integers
    cell: Integers
    cell_sector: Integers
    cell_band: Integers


@dataclass(frozen=True, eq=False)
class PreparedNetwork:
    """Cells of one technology as arrays, grouped by site, in the alphabetical order of their ``cell_id``.

    ``cell_row`` gives their rows in ``network.cells``. Where cells tie, the first by this order wins, whatever order
    the network lists them in.

    ``traffic`` are the patterns of the beams that carry data, row by row beside ``patterns``; None where they are the
    same.
    """

    patterns: PatternTable
    budget: CellBudget
    cell_row: Integers
    sites: tuple[SiteCells, ...]
    traffic: PatternTable | None = None


def prepare_network(
    network: Network,
    technology: str | None,
    receiver: Receiver,
    service: Service,
    model: Any,
    antennas: Mapping[str, Antenna] | None = None,
) -> PreparedNetwork:
    """Group the cells of a technology (None: all) by site and work out their budgets.

    Raises
    ------
    ParameterError
        When the network has no such cell, or a sector names an unknown antenna.
    """
    cells = network.cells
    if len(network.sites) == 0:
        raise ParameterError("the network has no site; read one with read_network or Network.with_sectors")
    rows = np.arange(len(cells)) if technology is None else np.flatnonzero(cells["technology"] == technology)
    if rows.size == 0:
        present = ", ".join(sorted(set(cells["technology"]))) or "none"
        raise ParameterError(f"the network has no {technology} cell (its technologies: {present})")
    rows = rows[np.argsort(cells["cell_id"].to_numpy(dtype=str)[rows], kind="stable")]
    cells = cells.iloc[rows]
    sector_row = pd.Index(network.sectors["sector_id"]).get_indexer(cells["sector_id"])
    sectors = network.sectors.iloc[sector_row]
    names = pd.unique(sectors["antenna"])
    found = [find_antenna(str(name), antennas).renamed(str(name)) for name in names]
    patterns = PatternTable.of(found)
    steered = any(a.traffic is not None for a in found)
    antenna = pd.Index(names).get_indexer(sectors["antenna"]).astype(np.int64)
    budget = cell_budget(
        cells, sectors, patterns.gain_dbi[antenna], receiver, service, fading_margin_db(service, model)
    )
    site_row = pd.Index(network.sites["site_id"]).get_indexer(sectors["site_id"])
    electrical = sectors["electrical_tilt_deg"].to_numpy(dtype=np.float64)
    columns = _Columns(
        sector=sector_row.astype(np.int64),
        azimuth=sectors["azimuth_deg"].to_numpy(dtype=np.float64),
        mechanical=sectors["mechanical_tilt_deg"].to_numpy(dtype=np.float64),
        # An unknown electrical tilt keeps the pattern's own.
        shift=np.where(np.isnan(electrical), 0.0, electrical - patterns.built_in_tilt_deg[antenna]),
        height=sectors["tx_height_agl_m"].to_numpy(dtype=np.float64),
        frequency=cells["frequency_mhz"].to_numpy(dtype=np.float64),
        antenna=antenna,
    )
    order = np.argsort(site_row, kind="stable")
    starts = np.flatnonzero(np.diff(site_row[order], prepend=-1))
    groups = np.split(order, starts[1:])
    sites = tuple(_site_cells(int(site_row[g[0]]), np.sort(g), columns) for g in groups)
    traffic = PatternTable.of([a.traffic or a for a in found]) if steered else None
    return PreparedNetwork(patterns, budget, rows.astype(np.int64), sites, traffic)


@dataclass(frozen=True, eq=False)
class _Columns:
    sector: Integers
    azimuth: Floats
    mechanical: Floats
    shift: Floats
    height: Floats
    frequency: Floats
    antenna: Integers


def _site_cells(site: int, cells: Integers, columns: _Columns) -> SiteCells:
    _, first, cell_sector = np.unique(columns.sector[cells], return_index=True, return_inverse=True)
    head = cells[first]
    pairs = list(zip(columns.height[cells].tolist(), columns.frequency[cells].tolist(), strict=True))
    bands = tuple(sorted(set(pairs)))
    index = {pair: i for i, pair in enumerate(bands)}
    return SiteCells(
        site=site,
        bands=bands,
        sector_azimuth_deg=columns.azimuth[head],
        sector_mechanical_deg=columns.mechanical[head],
        sector_shift_deg=columns.shift[head],
        sector_height_m=columns.height[head],
        sector_antenna=columns.antenna[head],
        cell=cells,
        cell_sector=cell_sector.astype(np.int64).ravel(),
        cell_band=np.array([index[pair] for pair in pairs], dtype=np.int64),
    )
