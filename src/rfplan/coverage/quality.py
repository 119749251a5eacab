"""From SINR to what the user gets, and what the phone sends: pure formulas on arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from rfplan.coverage.budget import THERMAL_NOISE_DBM_HZ
from rfplan.errors import ParameterError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TruncatedShannon:
    """Spectral efficiency ``min(α log2(1 + SINR), cap)``, 0 below the least SINR (TR 36.942 Annex A).

    The cap is the value at ``max_sinr_db``. α already contains the overhead of control and reference signals.
    """

    alpha: float
    min_sinr_db: float
    max_sinr_db: float

    @property
    def cap_bps_hz(self) -> float:
        """Largest efficiency, bit/s/Hz."""
        return self.alpha * float(np.log2(1.0 + 10.0 ** (0.1 * self.max_sinr_db)))

    def efficiency_bps_hz(self, sinr_db: npt.ArrayLike) -> Floats:
        """Efficiency at a SINR, bit/s/Hz; NaN stays NaN."""
        sinr = np.asarray(sinr_db, dtype=np.float64)
        rate = self.alpha * np.log2(1.0 + 10.0 ** (0.1 * sinr))
        return np.asarray(np.where(sinr < self.min_sinr_db, 0.0, np.minimum(rate, self.cap_bps_hz)))


DOWNLINK_SHANNON = TruncatedShannon(0.6, -10.0, 22.0)
UPLINK_SHANNON = TruncatedShannon(0.4, -10.0, 15.0)

CQI_64QAM = (
    0.1523, 0.2344, 0.3770, 0.6016, 0.8770, 1.1758, 1.4766, 1.9141, 2.4063, 2.7305, 3.3223, 3.9023, 4.5234,
    5.1152, 5.5547,
)  # fmt: skip
"""Efficiency of CQI 1…15, bit/s/Hz (TS 38.214 Table 5.2.2.1-2)."""

CQI_256QAM = (
    0.1523, 0.3770, 0.8770, 1.4766, 1.9141, 2.4063, 2.7305, 3.3223, 3.9023, 4.5234, 5.1152,
    5.5547, 6.2266, 6.9141, 7.4063,
)  # fmt: skip
"""The same with 256QAM (TS 38.214 Table 5.2.2.1-3)."""

OVERHEAD = {"downlink": 0.14, "uplink": 0.08}
"""Share of resource elements that carry no data below 6 GHz (TS 38.306 §4.1.2)."""

CQI_ALPHA, CQI_GAP_DB = 0.75, 1.0


def cqi_thresholds_db(table: tuple[float, ...] = CQI_64QAM) -> Floats:
    """Least SINR of each CQI: ``10 lg(2^(efficiency/0.75) − 1) + 1`` dB.

    No standard gives them. Shannon's bound attenuated by 0.75 with 1 dB of gap follows usual link-level curves at 10 %
    block errors to about 1 dB.
    """
    return np.asarray(10.0 * np.log10(2.0 ** (np.array(table) / CQI_ALPHA) - 1.0) + CQI_GAP_DB)


def cqi_efficiency_bps_hz(sinr_db: npt.ArrayLike, table: tuple[float, ...] = CQI_64QAM) -> Floats:
    """Efficiency of the best CQI at a SINR, before overhead; 0 below CQI 1, NaN stays NaN."""
    sinr = np.asarray(sinr_db, dtype=np.float64)
    index = np.searchsorted(cqi_thresholds_db(table), sinr, side="right")
    rate = np.concatenate([[0.0], table])[np.clip(index, 0, len(table))]
    return np.asarray(np.where(np.isnan(sinr), np.nan, rate))


def cqi_throughput_mbps(
    sinr_db: npt.ArrayLike,
    blocks: npt.ArrayLike,
    subcarrier_khz: npt.ArrayLike,
    *,
    direction: str = "downlink",
    table: tuple[float, ...] = CQI_64QAM,
) -> Floats:
    """Rate of one layer on all blocks, Mbit/s: ``eff · 12 N_RB · 14·2^µ·1000 · (1 − OH)`` (TS 38.306 §4.1.2)."""
    symbols_per_s = 14e3 * np.asarray(subcarrier_khz, dtype=np.float64) / 15.0
    elements = 12.0 * np.asarray(blocks, dtype=np.float64) * symbols_per_s
    return np.asarray(cqi_efficiency_bps_hz(sinr_db, table) * elements * (1.0 - OVERHEAD[direction]) * 1e-6)


@dataclass(frozen=True)
class PowerControl:
    """Open-loop uplink power control ``P = min(P_max, P0 + 10 lg M + α·PL)`` (TS 36.213 §5.1.1.1, TS 38.213 §7.1.1).

    Parameters
    ----------
    p0_dbm : float
        Wanted level per resource block at the base station when α is 1.
    alpha : float
        Share of the path loss that is compensated, 0…1.
    """

    p0_dbm: float = -85.0
    alpha: float = 0.8

    def __post_init__(self) -> None:
        if not 0.0 <= self.alpha <= 1.0:
            raise ParameterError(f"PowerControl.alpha={self.alpha!r} must be within 0…1")

    def power_dbm(self, coupling_loss_db: npt.ArrayLike, blocks: npt.ArrayLike, max_power_dbm: float) -> Floats:
        """Transmit power of a phone on some resource blocks, dBm."""
        wanted = self.p0_dbm + 10.0 * np.log10(np.asarray(blocks, dtype=np.float64))
        return np.asarray(np.minimum(max_power_dbm, wanted + self.alpha * np.asarray(coupling_loss_db)))


@dataclass(frozen=True)
class UplinkReceiver:
    """The base station's side: noise figure, block width and interference over noise."""

    noise_figure_db: npt.ArrayLike
    block_khz: npt.ArrayLike = 180.0
    interference_margin_db: float = 3.0

    def noise_dbm(self, blocks: npt.ArrayLike) -> Floats:
        """Noise on some resource blocks, dBm."""
        hz = 1e3 * np.asarray(self.block_khz, dtype=np.float64) * np.asarray(blocks, dtype=np.float64)
        return np.asarray(THERMAL_NOISE_DBM_HZ + 10.0 * np.log10(hz) + np.asarray(self.noise_figure_db))


def uplink_sinr_db(
    coupling_loss_db: npt.ArrayLike,
    blocks: npt.ArrayLike,
    max_power_dbm: float,
    control: PowerControl,
    receiver: UplinkReceiver,
) -> Floats:
    """Uplink SINR on some resource blocks: level − noise − interference margin, dB."""
    loss = np.asarray(coupling_loss_db, dtype=np.float64)
    level = control.power_dbm(loss, blocks, max_power_dbm) - loss
    return np.asarray(level - receiver.noise_dbm(blocks) - receiver.interference_margin_db)


def uplink_throughput_mbps(
    coupling_loss_db: npt.ArrayLike,
    total_blocks: npt.ArrayLike,
    max_power_dbm: float,
    control: PowerControl,
    receiver: UplinkReceiver,
) -> Floats:
    """Best uplink rate over allocations of 1, 2, 4 … all resource blocks (truncated Shannon), Mbit/s.

    Few blocks give a far phone enough power per block; many give a near one its rate.
    """
    loss = np.asarray(coupling_loss_db, dtype=np.float64)
    most = np.broadcast_to(np.asarray(total_blocks, dtype=np.float64), loss.shape)
    best = np.zeros(loss.shape)
    width_mhz = 1e-3 * np.asarray(receiver.block_khz, dtype=np.float64)
    power = 1.0
    while power < 2.0 * float(np.max(most, initial=1.0)):
        blocks = np.minimum(power, most)
        rate = UPLINK_SHANNON.efficiency_bps_hz(uplink_sinr_db(loss, blocks, max_power_dbm, control, receiver))
        best = np.maximum(best, rate * blocks * width_mhz)
        power *= 2.0
    return np.asarray(np.where(np.isnan(loss), np.nan, best))


def coverage_probability(margin_db: npt.ArrayLike, sigma_db: float) -> Floats:
    """Probability ``Φ(margin/σ)`` that a place is served; the margin is over a threshold without fading margin."""
    if not sigma_db > 0.0:
        raise ParameterError(f"sigma_db={sigma_db!r} must be above 0")
    return np.asarray(ndtr(np.asarray(margin_db, dtype=np.float64) / sigma_db))


def lone_cell_rsrq_db(load: float) -> float:
    """RSRQ of a lone one-port cell without noise: ``1/(2 + 10·load)``, whatever the bandwidth (TS 36.214 §5.1.3)."""
    return -10.0 * float(np.log10(2.0 + 10.0 * load))
