"""Many cells at once: serving cell, interference, SINR, RSRQ and rates of one technology on a map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import numpy.typing as npt

from rfplan.coverage.beams import traffic_gain_db
from rfplan.coverage.budget import noise_dbm, reference_power_dbm, resource_blocks, subcarrier_khz
from rfplan.coverage.core import grid_dataset
from rfplan.coverage.predict import PredictionSettings, Predictor, Progress, checked_sites, make_predictor
from rfplan.coverage.quality import (
    DOWNLINK_SHANNON,
    PowerControl,
    UplinkReceiver,
    coverage_probability,
    cqi_throughput_mbps,
    uplink_sinr_db,
    uplink_throughput_mbps,
)
from rfplan.coverage.settings import Service
from rfplan.errors import ParameterError
from rfplan.kernels import radio as kernel
from rfplan.network import Network
from rfplan.terrain import Terrain

if TYPE_CHECKING:
    import xarray as xr

Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]


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
        new = np.broadcast_to(np.asarray(load, dtype=np.float64), self.load.shape).copy()
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
        return out, server, overlap

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
            rsrp_dbm, rssi_dbm, rsrq_db, sinr_db (data, at the cells' loads), reference_sinr_db, best_server,
            second_rsrp_dbm, dominance_db, overlap_count, downlink_mbps, downlink_cqi_mbps, uplink_level_dbm,
            uplink_sinr_db, uplink_mbps, coverage_probability, limiting_link, service_met.
        """
        planes = np.full((kernel.N_QUALITY, *self.terrain.shape), np.nan, dtype=np.float32)
        server = np.full(self.terrain.shape, -1, dtype=np.int32)
        overlap = np.zeros(self.terrain.shape, dtype=np.uint8)
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
        return self._dataset(planes, server, overlap, power_control or PowerControl())

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

    def _cell_values(self) -> dict[str, Floats]:
        """Per-cell numbers that the layers need, by network row."""
        cells = self.network.cells
        sectors = self.network.sectors.set_index("sector_id").loc[cells["sector_id"]]
        n = len(cells)
        values = {
            name: np.full(n, np.nan) for name in ("reference", "blocks", "block_khz", "subcarrier", "uplink_const")
        }
        for i, (t, p, b) in enumerate(
            zip(cells["technology"], cells["max_power_dbm"], cells["bandwidth_mhz"], strict=True)
        ):
            if t != self.technology:
                continue
            values["reference"][i] = reference_power_dbm(t, p, b)
            values["blocks"][i] = resource_blocks(t, b)
            values["subcarrier"][i] = subcarrier_khz(t, b)
            values["block_khz"][i] = 12.0 * values["subcarrier"][i]
        budget, rows = self.predictor.prepared.budget, self.predictor.prepared.cell_row
        values["uplink_const"][rows] = budget.uplink_const_db - budget.level_const_dbm
        ratio = cells["uplink_frequency_mhz"].to_numpy() / cells["frequency_mhz"].to_numpy()
        values["shift"] = 20.0 * np.log10(ratio.astype(np.float64))
        values["noise_figure"] = sectors["noise_figure_db"].to_numpy(dtype=np.float64)
        values["bandwidth"] = cells["bandwidth_mhz"].to_numpy(dtype=np.float64)
        values["layers"] = cells["mimo_layers"].clip(lower=1).to_numpy(dtype=np.float64)
        values["share"] = cells["downlink_share"].to_numpy(dtype=np.float64)
        tdd = cells["uplink_frequency_mhz"].to_numpy() == cells["frequency_mhz"].to_numpy()
        values["uplink_share"] = np.where(tdd, 1.0 - values["share"], 1.0)
        return values

    def _dataset(
        self, planes: Floats32, server: npt.NDArray[np.int32], overlap: npt.NDArray[np.uint8], control: PowerControl
    ) -> xr.Dataset:
        served = server >= 0
        s = server[served]
        cell = {name: value[s] for name, value in self._cell_values().items()}
        rsrp = planes[kernel.Q_RSRP][served].astype(np.float64)
        steered = self.traffic_gain_db(server)
        if steered is not None:
            planes[kernel.Q_SINR] += steered
        beam = 0.0 if steered is None else steered[served].astype(np.float64)
        sinr = planes[kernel.Q_SINR][served].astype(np.float64)
        service, receiver = self.predictor.service, self.predictor.receiver
        loss = cell["reference"] - rsrp + cell["shift"] - beam
        station = UplinkReceiver(cell["noise_figure"], cell["block_khz"], service.interference_margin_db)
        blocks = np.minimum(float(service.uplink_resource_blocks), cell["blocks"])
        up_power = control.power_dbm(loss, blocks, receiver.power_dbm)
        down_margin = rsrp - service.required_rsrp_dbm
        up_margin = rsrp + cell["uplink_const"]
        values = {
            "downlink_mbps": DOWNLINK_SHANNON.efficiency_bps_hz(sinr)
            * cell["bandwidth"]
            * cell["layers"]
            * cell["share"],
            "downlink_cqi_mbps": cqi_throughput_mbps(sinr, cell["blocks"], cell["subcarrier"])
            * cell["layers"]
            * cell["share"],
            "uplink_level_dbm": up_power - loss,
            "uplink_sinr_db": uplink_sinr_db(loss, blocks, receiver.power_dbm, control, station),
            "uplink_mbps": uplink_throughput_mbps(loss, cell["blocks"], receiver.power_dbm, control, station)
            * cell["uplink_share"],
        }
        if getattr(self.predictor.model, "location_percent", 50.0) == 50.0:
            # Margins over thresholds without fading margins: the probability counts shadowing itself.
            free = np.minimum(down_margin + service.downlink_margin_db, up_margin + service.fading_margin_db)
            values["coverage_probability"] = coverage_probability(free, service.sigma_db(self.predictor.model))
        limiting = np.zeros(server.shape, dtype=np.uint8)
        limiting[served] = np.where(down_margin <= up_margin, 1, 2)
        variables: dict[str, tuple[npt.NDArray[Any], dict[str, str]]] = {
            name: (planes[plane], {"units": unit, "long_name": about}) for name, plane, unit, about in _PLANES
        }
        for name, column in values.items():
            layer = np.full(server.shape, np.nan, dtype=np.float32)
            layer[served] = column
            variables[name] = (layer, {"units": _UNITS[name][0], "long_name": _UNITS[name][1]})
        met = np.zeros(server.shape, dtype=np.bool_)
        met[served] = _service_met(service, np.minimum(down_margin, up_margin), sinr, values)
        variables["service_met"] = (met, {"units": "1", "long_name": f"every condition of service {service.name!r}"})
        variables["best_server"] = (server, {"units": "1", "long_name": "serving cell, row of network.cells (-1 none)"})
        variables["overlap_count"] = (overlap, {"units": "1", "long_name": "cells of the carrier near the strongest"})
        variables["limiting_link"] = (limiting, {"units": "1", "long_name": "0 none, 1 downlink, 2 uplink limits"})
        attrs = {"technology": self.technology, "service": service.name, "formula": "docs/radio.md#quality"}
        return grid_dataset(self.terrain, variables, attrs)


_PLANES = (
    ("rsrp_dbm", kernel.Q_RSRP, "dBm", "RSRP (4G) or SS-RSRP (5G) of the serving cell"),
    ("rssi_dbm", kernel.Q_RSSI, "dBm", "RSSI over the carrier in symbols with reference signals"),
    ("rsrq_db", kernel.Q_RSRQ, "dB", "RSRQ of the serving cell"),
    ("sinr_db", kernel.Q_SINR, "dB", "data SINR at the cells' loads, in the server's traffic beam"),
    ("reference_sinr_db", kernel.Q_REFERENCE_SINR, "dB", "reference-signal SINR with colliding signals at full load"),
    ("second_rsrp_dbm", kernel.Q_SECOND, "dBm", "level of the strongest other cell of the carrier"),
    ("dominance_db", kernel.Q_DOMINANCE, "dB", "serving cell over the strongest other one"),
)
_UNITS = {
    "downlink_mbps": ("Mbit/s", "downlink rate of a user alone in the cell, truncated Shannon"),
    "downlink_cqi_mbps": ("Mbit/s", "the same by CQI table and TS 38.306 overhead"),
    "uplink_level_dbm": ("dBm", "uplink level at the base station under power control"),
    "uplink_sinr_db": ("dB", "uplink SINR on the service's resource blocks"),
    "uplink_mbps": ("Mbit/s", "uplink rate of a user alone in the cell"),
    "coverage_probability": ("1", "probability that both links close, shadowing counted"),
}


def _service_met(
    service: Service, margin_db: Floats, sinr_db: Floats, values: Mapping[str, Floats]
) -> npt.NDArray[np.bool_]:
    """Where both links close and each further condition of the service holds, bool."""
    met = margin_db >= 0.0
    for least, column in (
        (service.required_sinr_db, sinr_db),
        (service.required_downlink_mbps, values["downlink_mbps"]),
        (service.required_uplink_mbps, values["uplink_mbps"]),
        (service.target_probability, values.get("coverage_probability")),
    ):
        if least is None:
            continue
        if column is None:
            raise ParameterError("target_probability needs a model at 50 % of locations: its levels must be medians")
        met &= column >= least
    return np.asarray(met)


def collision_classes(network: Network, technology: str) -> npt.NDArray[np.int64]:
    """Class of each cell's reference signals: cells of one class always collide.

    LTE: PCI mod 3 with two ports or more, mod 6 when every cell has one (TS 36.211 §6.10.1.2); synchronous NR SSBs:
    all in one class. A cell without PCI takes its row number, as if sites had been numbered in turn.
    """
    cells = network.cells
    if technology == "5G":
        return np.zeros(len(cells), dtype=np.int64)
    mine = cells["technology"] == technology
    modulus = 6 if (cells.loc[mine, "mimo_layers"] <= 1).all() else 3
    pci = cells["pci"].to_numpy(dtype=np.int64)
    return np.asarray(np.where(pci >= 0, pci, np.arange(len(cells))) % modulus, dtype=np.int64)


def compute_radio(
    network: Network,
    terrain: Terrain,
    *,
    top: int = 8,
    progress: Progress | None = None,
    **settings: Unpack[PredictionSettings],
) -> RadioMap:
    """Predict every cell of an LTE or NR network and add up who hears whom.

    Parameters
    ----------
    network, terrain, model, receiver, service, technology, radius_m, method, antennas, progress
        As for :func:`compute_coverage`; `technology` is "4G" or "5G".
    top : int
        Strongest cells of each carrier kept for every pixel (2…32). Sums run over all cells, kept or not.

    Returns
    -------
    RadioMap
        Call its ``layers()``.
    """
    technology = settings.get("technology", "4G")
    if technology not in ("4G", "5G"):
        raise ParameterError(f"technology={technology!r}: SINR and RSRQ are worked out for 4G and 5G")
    if not 2 <= top <= 32:
        raise ParameterError(f"top={top!r} must be within 2…32")
    predictor = make_predictor(network, terrain, **settings)
    rows = predictor.prepared.cell_row
    cells = network.cells.iloc[rows]
    pairs = list(zip(cells["frequency_mhz"].tolist(), cells["bandwidth_mhz"].tolist(), strict=True))
    keys = sorted(set(pairs))
    number = {key: i for i, key in enumerate(keys)}
    carrier_of = np.array([number[pair] for pair in pairs], dtype=np.int64)
    load = network.cells["load"].to_numpy(dtype=np.float64)
    classes = collision_classes(network, technology)
    modulus = int(classes[rows].max()) + 1
    shape = (len(keys), *terrain.shape)
    level = np.full((*shape, top), np.nan, dtype=np.float32)
    listed = np.full((*shape, top), -1, dtype=np.int32)
    total, traffic = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    collision = np.zeros((*shape, modulus), dtype=np.int64)
    sites = checked_sites(predictor)
    for done, site in enumerate(sites, start=1):
        loss = predictor.window(site.site, site.bands)
        r, c = loss.rows, loss.cols
        own = np.stack(
            [site.cell_sector, site.cell_band, rows[site.cell], carrier_of[site.cell], classes[rows[site.cell]]], axis=1
        )
        numbers = np.stack([predictor.prepared.budget.level_const_dbm[site.cell], load[rows[site.cell]]], axis=1)
        kernel.site_accumulate_kernel(
            loss.path_loss_db, terrain.elevation_amsl_m[r, c], terrain.clutter_class[r, c], predictor.entry_db(site),
            predictor.geometry(site.site, r, c), predictor.sector_rows(site), site.sector_antenna,
            predictor.prepared.patterns.arrays, own, numbers,
            level[:, r, c], listed[:, r, c], total[:, r, c], traffic[:, r, c], collision[:, r, c],
        )  # fmt: skip
        if progress is not None:
            progress(done, len(sites))
    carriers = tuple(
        Carrier(
            f, b, resource_blocks(technology, b), subcarrier_khz(technology, b),
            level[i], listed[i], total[i], traffic[i], collision[i],
        )
        for i, (f, b) in enumerate(keys)
    )  # fmt: skip
    return RadioMap(network, technology, carriers, load, classes, predictor)
