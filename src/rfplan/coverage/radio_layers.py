"""From sums of interference to labelled layers: quality, rates, probability, what limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rfplan.coverage.budget import carrier_grid, reference_power_dbm
from rfplan.coverage.core import grid_dataset, level_words
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

if TYPE_CHECKING:
    import xarray as xr

    from rfplan.coverage.radio import RadioMap

Floats = npt.NDArray[np.float64]
Variables = dict[str, tuple[npt.NDArray[Any], dict[str, str]]]

POLLUTION_CELLS = 3
"""More cells than this near the strongest are pilot pollution: an active set of WCDMA holds three."""


def _cell_values(radio: RadioMap) -> dict[str, Floats]:
    """Per-cell numbers that the layers need, by network row."""
    cells = radio.network.cells
    sectors = radio.network.sectors.set_index("sector_id").loc[cells["sector_id"]]
    n = len(cells)
    values = {name: np.full(n, np.nan) for name in ("reference", "blocks", "subcarrier", "uplink_const")}
    for i, (t, p, b) in enumerate(
        zip(cells["technology"], cells["max_power_dbm"], cells["bandwidth_mhz"], strict=True)
    ):
        if t != radio.technology:
            continue
        values["reference"][i] = reference_power_dbm(t, p, b)
        values["blocks"][i], values["subcarrier"][i] = carrier_grid(t, b)
    budget, rows = radio.predictor.prepared.budget, radio.predictor.prepared.cell_row
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


def radio_layers(
    radio: RadioMap,
    planes: npt.NDArray[np.float32],
    server: npt.NDArray[np.int32],
    overlap: npt.NDArray[np.uint8],
    control: PowerControl,
) -> xr.Dataset:
    """Label the planes of the quality kernel and add what follows from them; see :meth:`RadioMap.layers`."""
    served = server >= 0
    cell = {name: value[server[served]] for name, value in _cell_values(radio).items()}
    rsrp = planes[kernel.Q_RSRP][served].astype(np.float64)
    service = radio.predictor.service
    down_margin = rsrp - service.required_rsrp_dbm
    up_margin = rsrp + cell["uplink_const"]
    values: dict[str, Floats] = {}
    if radio.technology in ("4G", "5G"):
        values, sinr = _rates(radio, planes, server, cell, control)
    else:
        sinr = planes[_QUALITY_PLANE[radio.technology]][served].astype(np.float64)
    if getattr(radio.predictor.model, "location_percent", 50.0) == 50.0:
        # Margins over thresholds without fading margins: the probability counts shadowing itself.
        free = np.minimum(down_margin + service.downlink_margin_db, up_margin + service.fading_margin_db)
        values["coverage_probability"] = coverage_probability(free, service.sigma_db(radio.predictor.model))
    level = f"{level_words(radio.technology)} of the serving cell"
    variables: Variables = {"rsrp_dbm": (planes[kernel.Q_RSRP], {"units": "dBm", "long_name": level})}
    for name, plane, unit, about in (*_PLANES[radio.technology], *_COMMON_PLANES):
        variables[name] = (planes[plane], {"units": unit, "long_name": about})
    for name, column in values.items():
        layer = np.full(server.shape, np.nan, dtype=np.float32)
        layer[served] = column
        variables[name] = (layer, {"units": _UNITS[name][0], "long_name": _UNITS[name][1]})
    met, limiting = np.zeros(server.shape, dtype=np.bool_), np.zeros(server.shape, dtype=np.uint8)
    met[served] = _service_met(service, np.minimum(down_margin, up_margin), sinr, values)
    limiting[served] = np.where(down_margin <= up_margin, 1, 2)
    polluted = overlap > POLLUTION_CELLS
    polluted[served] &= down_margin >= 0.0
    variables["service_met"] = (met, {"units": "1", "long_name": f"every condition of service {service.name!r}"})
    variables["best_server"] = (server, {"units": "1", "long_name": "serving cell, row of network.cells (-1 none)"})
    variables["overlap_count"] = (overlap, {"units": "1", "long_name": "cells of the carrier near the strongest"})
    words = f"level enough, yet more than {POLLUTION_CELLS} cells near the strongest"
    variables["pilot_pollution"] = (polluted, {"units": "1", "long_name": words})
    variables["limiting_link"] = (limiting, {"units": "1", "long_name": "0 none, 1 downlink, 2 uplink limits"})
    attrs = {"technology": radio.technology, "service": service.name, "formula": "docs/radio.md#quality"}
    return grid_dataset(radio.terrain, variables, attrs)


def _rates(
    radio: RadioMap,
    planes: npt.NDArray[np.float32],
    server: npt.NDArray[np.int32],
    cell: Mapping[str, Floats],
    control: PowerControl,
) -> tuple[dict[str, Floats], Floats]:
    """Rates and uplink of the served pixels, and their data SINR, which takes the traffic beam's gain in place."""
    served = server >= 0
    steered = radio.traffic_gain_db(server)
    if steered is not None:
        planes[kernel.Q_SINR] += steered
    beam = 0.0 if steered is None else steered[served].astype(np.float64)
    rsrp = planes[kernel.Q_RSRP][served].astype(np.float64)
    sinr = planes[kernel.Q_SINR][served].astype(np.float64)
    service, receiver = radio.predictor.service, radio.predictor.receiver
    loss = cell["reference"] - rsrp + cell["shift"] - beam
    station = UplinkReceiver(cell["noise_figure"], 12.0 * cell["subcarrier"], service.interference_margin_db)
    blocks = np.minimum(float(service.uplink_resource_blocks), cell["blocks"])
    streams = cell["layers"] * cell["share"]
    uplink = uplink_throughput_mbps(loss, cell["blocks"], receiver.power_dbm, control, station)
    values = {
        "downlink_mbps": DOWNLINK_SHANNON.efficiency_bps_hz(sinr) * cell["bandwidth"] * streams,
        "downlink_cqi_mbps": cqi_throughput_mbps(sinr, cell["blocks"], cell["subcarrier"]) * streams,
        "uplink_level_dbm": control.power_dbm(loss, blocks, receiver.power_dbm) - loss,
        "uplink_sinr_db": uplink_sinr_db(loss, blocks, receiver.power_dbm, control, station),
        "uplink_mbps": uplink * cell["uplink_share"],
    }
    return values, sinr


_WIDE_PLANES = (
    ("rssi_dbm", kernel.Q_RSSI, "dBm", "RSSI over the carrier in symbols with reference signals"),
    ("rsrq_db", kernel.Q_RSRQ, "dB", "RSRQ of the serving cell"),
    ("sinr_db", kernel.Q_SINR, "dB", "data SINR at the cells' loads, in the server's traffic beam"),
    ("reference_sinr_db", kernel.Q_REFERENCE_SINR, "dB", "reference-signal SINR with colliding signals at full load"),
)
_PLANES = {
    "2G": (
        ("rssi_dbm", kernel.Q_RSSI, "dBm", "power in the broadcast carrier's channel"),
        ("c_i_db", kernel.Q_SINR, "dB", "carrier over co-channel interference and noise"),
    ),
    "3G": (
        ("rssi_dbm", kernel.Q_RSSI, "dBm", "UTRA carrier RSSI"),
        ("ec_n0_db", kernel.Q_RSRQ, "dB", "CPICH Ec/N0 of the serving cell"),
    ),
    "4G": _WIDE_PLANES,
    "5G": _WIDE_PLANES,
}
_QUALITY_PLANE = {"2G": kernel.Q_SINR, "3G": kernel.Q_RSRQ}
_COMMON_PLANES = (
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
        (service.required_downlink_mbps, values.get("downlink_mbps")),
        (service.required_uplink_mbps, values.get("uplink_mbps")),
        (service.target_probability, values.get("coverage_probability")),
    ):
        if least is None:
            continue
        if column is None:
            raise ParameterError(
                "required rates need 4G or 5G, and target_probability a model at 50 % of locations: its levels must be "
                "medians"
            )
        met &= column >= least
    return np.asarray(met)
