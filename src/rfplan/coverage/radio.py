"""Many cells at once: serving cell, interference, quality and rates of one technology on a map."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import numpy.typing as npt

from rfplan.coverage.beams import traffic_gain_db
from rfplan.coverage.budget import CPICH_SHARE_DB, carrier_grid, noise_dbm
from rfplan.coverage.predict import PredictionSettings, Predictor, Progress, checked_sites, make_predictor
from rfplan.coverage.quality import PowerControl
from rfplan.coverage.radio_layers import radio_layers
from rfplan.errors import DataWarning, ParameterError
from rfplan.kernels import radio as kernel
from rfplan.network import Network
from rfplan.terrain import Terrain

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from rfplan.coverage.link import SiteCells
    from rfplan.propagation.store import StoredLoss

Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]


LARGEST_DBM = float(10.0 * np.log10(kernel.LARGEST * kernel.UNIT_MW))
UMTS_COMMON_SHARE = 0.2
"""Power of a 3G cell's common channels, of its whole power; planning value."""


@dataclass(frozen=True, eq=False)
class Carrier:
    """Cells that share a frequency, and what they do to each other at every pixel.

    ``top_cell`` and ``top_level_dbm`` (ny, nx, k) list the strongest cells (rows of ``network.cells``), strongest
    first; ``total``, ``traffic`` (ny, nx) and ``collision`` (ny, nx, m) are sums over all cells in units of
    1e-19 mW per resource element: whole power, power at load, and what reference signals of class m add to it
    where they collide.
    """

    frequency_mhz: float
    bandwidth_mhz: float
    blocks: int
    subcarrier_khz: float
    top_level_dbm: Floats32
    top_cell: npt.NDArray[np.int32]
    total: npt.NDArray[np.int64]
    traffic: npt.NDArray[np.int64]
    collision: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CellSums:
    """What the cells added so far make on a window of the map: the arrays of :class:`Carrier`, one carrier a row."""

    level_dbm: Floats32
    listed: npt.NDArray[np.int32]
    total: npt.NDArray[np.int64]
    traffic: npt.NDArray[np.int64]
    collision: npt.NDArray[np.int64]

    @classmethod
    def empty(cls, carriers: int, shape: tuple[int, int], top: int, classes: int) -> CellSums:
        """No cell at all."""
        size = (carriers, *shape)
        return cls(
            np.full((*size, top), np.nan, dtype=np.float32),
            np.full((*size, top), -1, dtype=np.int32),
            np.zeros(size, dtype=np.int64),
            np.zeros(size, dtype=np.int64),
            np.zeros((*size, classes), dtype=np.int64),
        )

    def at(self, rows: slice, cols: slice) -> CellSums:
        """The same arrays seen through a window: adding there adds here."""
        return CellSums(*(a[:, rows, cols] for a in self._arrays()))

    def copy(self) -> CellSums:
        """Arrays of its own."""
        return CellSums(*(a.copy() for a in self._arrays()))

    def add(
        self,
        predictor: Predictor,
        site: SiteCells,
        loss: StoredLoss,
        labels: npt.NDArray[np.int64],
        load: Floats,
    ) -> None:
        """Add one site's cells on the window of its path loss.

        ``labels`` (n, 3) has network row, carrier and collision class of each of the site's cells, ``load`` what
        share of its power it sends.
        """
        r, c = loss.rows, loss.cols
        terrain = predictor.terrain
        own = np.column_stack([site.cell_sector, site.cell_band, labels])
        numbers = np.stack([predictor.prepared.budget.level_const_dbm[site.cell], load], axis=1)
        kernel.site_accumulate_kernel(
            loss.path_loss_db, terrain.elevation_amsl_m, terrain.clutter_class, predictor.entry_db(site),
            predictor.geometry(site.site, r, c), predictor.sector_rows(site), site.sector_antenna,
            predictor.prepared.patterns.arrays, own, numbers, *self._arrays(),
        )  # fmt: skip

    def carriers(self, technology: str, keys: Sequence[tuple[float, float]]) -> tuple[Carrier, ...]:
        """One carrier a (frequency, bandwidth) of `keys`."""
        return tuple(
            Carrier(f, b, *carrier_grid(technology, b), *(a[i] for a in self._arrays()))
            for i, (f, b) in enumerate(keys)
        )

    def _arrays(self) -> tuple[npt.NDArray[Any], ...]:
        return self.level_dbm, self.listed, self.total, self.traffic, self.collision


@dataclass(frozen=True, eq=False)
class RadioMap:
    """Levels and interference of a network's cells of one technology; layers are worked out from it for any load.

    Attributes
    ----------
    carriers : tuple of Carrier
        One a frequency and bandwidth.
    load, collision_class : (n_cells,) arrays
        By row of ``network.cells``.
    predictor : Predictor
        Terrain, model, device, service: what the map was computed from.
    """

    network: Network
    technology: str
    carriers: tuple[Carrier, ...]
    load: Floats
    collision_class: npt.NDArray[np.int64]
    predictor: Predictor

    @property
    def terrain(self) -> Terrain:
        """Terrain of the map."""
        return self.predictor.terrain

    def with_load(self, load: npt.ArrayLike) -> RadioMap:
        """The same levels under other cell loads (0…1, one a cell or one for all).

        Cells in the lists are counted exactly; unlisted, weaker ones keep their traffic scaled by the mean load.
        """
        new = sent_share(self.technology, np.broadcast_to(np.asarray(load, dtype=np.float64), self.load.shape))
        if not ((new >= 0.0) & (new <= 1.0)).all():
            raise ParameterError("cell loads must be within 0…1")
        carriers = []
        for c in self.carriers:
            members = np.unique(c.top_cell[c.top_cell >= 0])
            before = float(self.load[members].mean()) if members.size else 0.0
            factor = float(new[members].mean()) / before if before > 0.0 else 1.0
            traffic, collision = np.empty_like(c.traffic), np.empty_like(c.collision)
            kernel.reload_kernel(
                c.top_level_dbm, c.top_cell, c.total, c.traffic, self.load, new, factor,
                self.collision_class, traffic, collision,
            )  # fmt: skip
            carriers.append(replace(c, traffic=traffic, collision=collision))
        return replace(self, carriers=tuple(carriers), load=new)

    def carrier_quality(
        self, carrier: Carrier, *, overlap_db: float = 6.0, hysteresis_db: float = 0.0,
        previous: npt.NDArray[np.int32] | None = None,
    ) -> tuple[Floats32, npt.NDArray[np.int32], npt.NDArray[np.uint8]]:  # fmt: skip
        """Planes (see ``rfplan.kernels.radio``), server and number of servers of one carrier."""
        shape = carrier.total.shape
        noise = float(noise_dbm(1e3 * carrier.subcarrier_khz, self.predictor.receiver.noise_figure_db))
        scalars = np.array([10.0 ** (0.1 * noise), overlap_db, hysteresis_db, float(carrier.blocks)])
        prior = np.full(shape, -1, dtype=np.int32) if previous is None else np.asarray(previous, dtype=np.int32)
        if prior.shape != shape:
            raise ParameterError(f"previous has shape {prior.shape}, the map has {shape}")
        out = np.empty((kernel.N_QUALITY, *shape), dtype=np.float32)
        server = np.empty(shape, dtype=np.int32)
        overlap = np.empty(shape, dtype=np.uint8)
        kernel.quality_kernel(
            carrier.top_level_dbm, carrier.top_cell, carrier.total, carrier.traffic, carrier.collision,
            self.load, self.collision_class, scalars, prior, out, server, overlap,
        )  # fmt: skip
        if self.technology in ("2G", "3G"):
            _narrow_quality(self.technology, carrier, scalars[0], out)
        return out, server, overlap

    def serving(
        self, *, overlap_db: float = 6.0, hysteresis_db: float = 0.0, previous: npt.NDArray[np.int32] | None = None
    ) -> tuple[Floats32, npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
        """Planes, server and number of servers over all carriers: where they overlap, the stronger one serves."""
        shape = self.carriers[0].total.shape
        planes = np.full((kernel.N_QUALITY, *shape), np.nan, dtype=np.float32)
        server = np.full(shape, -1, dtype=np.int32)
        overlap = np.zeros(shape, dtype=np.uint8)
        for carrier in self.carriers:
            out, cell, count = self.carrier_quality(
                carrier, overlap_db=overlap_db, hysteresis_db=hysteresis_db, previous=previous
            )
            with np.errstate(invalid="ignore"):
                level, now = out[kernel.Q_RSRP], planes[kernel.Q_RSRP]
                better = (cell >= 0) & ((server < 0) | (level > now) | ((level == now) & (cell < server)))
            np.copyto(planes, out, where=better)
            server[better] = cell[better]
            overlap[better] = count[better]
        return planes, server, overlap

    def layers(
        self,
        *,
        overlap_db: float = 6.0,
        hysteresis_db: float = 0.0,
        previous: npt.NDArray[np.int32] | None = None,
        power_control: PowerControl | None = None,
    ) -> xr.Dataset:
        """Every layer as float32 on the terrain's grid; where carriers overlap, the stronger one serves.

        Parameters
        ----------
        overlap_db : float
            Window below the strongest cell in which others of its carrier count as overlapping.
        hysteresis_db, previous
            A pixel stays with its server in `previous` (a ``best_server`` layer) until another is stronger by more
            than the hysteresis.
        power_control : PowerControl, optional
            Of the uplink.

        Returns
        -------
        xarray.Dataset
            rsrp_dbm, rssi_dbm, best_server, second_rsrp_dbm, dominance_db, overlap_count, pilot_pollution,
            coverage_probability, limiting_link, service_met; of 4G and 5G rsrq_db, sinr_db (data, at the cells' loads),
            reference_sinr_db, downlink_mbps, downlink_cqi_mbps, uplink_level_dbm, uplink_sinr_db, uplink_mbps; of 3G
            ec_n0_db; of 2G c_i_db. A service's required SINR is held against these.
        """
        planes, server, overlap = self.serving(overlap_db=overlap_db, hysteresis_db=hysteresis_db, previous=previous)
        return radio_layers(self, planes, server, overlap, power_control or PowerControl())

    def traffic_gain_db(self, server: npt.NDArray[np.int32]) -> Floats32 | None:
        """Gain of traffic beams over the reference signal's pattern towards each pixel's server; None: the same."""
        return traffic_gain_db(self.predictor, len(self.network.cells), server)

    def reliability(self, target: float = 0.95) -> dict[str, float]:
        """Mean probability of coverage over pixels with a prediction, and the share of them at or above a target."""
        layers = self.layers()
        if "coverage_probability" not in layers:
            raise ParameterError("the probability of coverage needs a model at 50 % of locations")
        p = layers["coverage_probability"].values
        p = p[np.isfinite(p)]
        return {"mean_probability": float(p.mean()), "share_at_target": float((p >= target).mean()), "target": target}


def sent_share(technology: str, load: Floats) -> Floats:
    """Share of its power that a cell sends at a load.

    A 2G broadcast carrier is always at full power (TS 45.008 §7.1); a 3G cell never sends less than its common
    channels, taken as a fifth: the pilot's tenth and as much for the others.
    """
    if technology == "2G":
        return np.ones_like(load)
    return np.maximum(load, UMTS_COMMON_SHARE) if technology == "3G" else load.copy()


def _narrow_quality(technology: str, carrier: Carrier, noise_mw: float, out: Floats32) -> None:
    """Put the channel's RSSI into the planes, and for 3G the pilot's Ec/N0 = RSCP / RSSI (TS 25.215 §5.1.5)."""
    whole = 10.0 ** (-0.1 * CPICH_SHARE_DB) if technology == "3G" else 1.0  # of a cell's power, per unit of its level
    rssi = 10.0 * np.log10(whole * kernel.UNIT_MW * carrier.traffic + noise_mw)
    heard = np.isfinite(out[kernel.Q_RSRP])
    out[kernel.Q_RSSI] = np.where(heard, rssi, np.nan)
    # Beside a mast the sums stop at their largest level; the pilot must stop with them.
    out[kernel.Q_RSRQ] = np.minimum(out[kernel.Q_RSRP], LARGEST_DBM) - out[kernel.Q_RSSI]


def collision_classes(network: Network, technology: str) -> npt.NDArray[np.int64]:
    """Class of each cell's reference signals: cells of one class always collide.

    LTE: PCI mod 3 with two ports or more, mod 6 when every cell has one (TS 36.211 §6.10.1.2); synchronous NR SSBs:
    all in one class; 2G and 3G have no such classes. A cell without PCI takes its row number, as if sites had been
    numbered in turn.
    """
    cells = network.cells
    if technology != "4G":
        return np.zeros(len(cells), dtype=np.int64)
    mine = cells["technology"] == technology
    modulus = 6 if (cells.loc[mine, "mimo_layers"] <= 1).all() else 3
    pci = cells["pci"].to_numpy(dtype=np.int64)
    return np.asarray(np.where(pci >= 0, pci, np.arange(len(cells))) % modulus, dtype=np.int64)


def carrier_numbers(cells: pd.DataFrame) -> tuple[list[tuple[float, float]], npt.NDArray[np.int64]]:
    """(frequency, bandwidth) of each carrier in order, and the carrier of each cell."""
    pairs = list(zip(cells["frequency_mhz"].tolist(), cells["bandwidth_mhz"].tolist(), strict=True))
    keys = sorted(set(pairs))
    number = {key: i for i, key in enumerate(keys)}
    return keys, np.array([number[pair] for pair in pairs], dtype=np.int64)


def _check_reuse(network: Network, predictor: Predictor) -> None:
    """Warn where C/I would be that of a single broadcast frequency."""
    cells = network.cells.iloc[predictor.prepared.cell_row]
    if len(predictor.prepared.sites) > 1 and cells["frequency_mhz"].nunique() == 1:
        warnings.warn(
            DataWarning(
                f"all {len(cells)} 2G cells are on {cells['frequency_mhz'].iloc[0]:g} MHz: C/I is that of a reuse of "
                "1; give each its broadcast frequency, or spread some with plan_reuse(network, frequencies_mhz)"
            ),
            stacklevel=3,
        )


def compute_radio(
    network: Network,
    terrain: Terrain,
    *,
    top: int = 8,
    progress: Progress | None = None,
    **settings: Unpack[PredictionSettings],
) -> RadioMap:
    """Predict every cell of a network's technology and add up who hears whom.

    Parameters
    ----------
    network, terrain, model, receiver, service, technology, radius_m, method, antennas, progress
        As for :func:`compute_coverage`.
    top : int
        Strongest cells of each carrier kept for every pixel (2…32). Sums run over all cells, kept or not.

    Returns
    -------
    RadioMap
        Call its ``layers()``.
    """
    technology = settings.get("technology", "4G")
    if not 2 <= top <= 32:
        raise ParameterError(f"top={top!r} must be within 2…32")
    predictor = make_predictor(network, terrain, **settings)
    if technology == "2G":
        _check_reuse(network, predictor)
    rows = predictor.prepared.cell_row
    cells = network.cells.iloc[rows]
    keys, carrier_of = carrier_numbers(cells)
    load = sent_share(technology, network.cells["load"].to_numpy(dtype=np.float64))
    classes = collision_classes(network, technology)
    sums = CellSums.empty(len(keys), terrain.shape, top, int(classes[rows].max()) + 1)
    labels = np.stack([rows, carrier_of, classes[rows]], axis=1)
    sites = checked_sites(predictor)
    for done, site in enumerate(sites, start=1):
        loss = predictor.window(site.site, site.bands)
        sums.at(loss.rows, loss.cols).add(predictor, site, loss, labels[site.cell], load[rows[site.cell]])
        if progress is not None:
            progress(done, len(sites))
    carriers = sums.carriers(technology, keys)
    return RadioMap(network, technology, carriers, load, classes, predictor)
