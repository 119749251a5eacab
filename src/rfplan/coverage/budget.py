"""The link budget as pure formulas: reference power, noise, required level, largest uplink loss, fading margin."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import erf, erfcx

from rfplan.errors import ParameterError

THERMAL_NOISE_DBM_HZ = -174.0
"""Thermal noise density at 290 K, rounded as link budgets do, dBm/Hz."""

CPICH_SHARE_DB = -10.0
"""Power of the common pilot of a UMTS cell relative to its total power: a tenth, dB."""

_LTE_BLOCKS = {1.4: 6, 3.0: 15, 5.0: 25, 10.0: 50, 15.0: 75, 20.0: 100}
# TS 38.101-1 Table 5.3.2-1 (FR1): bandwidth MHz to resource blocks, by subcarrier spacing.
_NR_BLOCKS = {
    15: {5: 25, 10: 52, 15: 79, 20: 106, 25: 133, 30: 160, 40: 216, 50: 270},
    30: {5: 11, 10: 24, 15: 38, 20: 51, 25: 65, 30: 78, 40: 106, 50: 133, 60: 162, 70: 189, 80: 217, 90: 245, 100: 273},
}


def resource_blocks(technology: str, bandwidth_mhz: float) -> int:
    """Resource blocks of an LTE (TS 36.101 Table 5.6-1) or NR (TS 38.101-1 Table 5.3.2-1) carrier.

    NR below 15 MHz or on a bandwidth that 30 kHz does not offer is taken at 15 kHz, else at 30 kHz.

    Raises
    ------
    ParameterError
        When the bandwidth is not one of the standard.
    """
    if technology == "4G":
        table: dict[float, int] = dict(_LTE_BLOCKS)
    else:
        table = {float(k): v for k, v in _NR_BLOCKS[int(subcarrier_khz(technology, bandwidth_mhz))].items()}
    for bandwidth, blocks in table.items():
        if abs(bandwidth - bandwidth_mhz) < 1e-6:
            return blocks
    allowed = ", ".join(f"{b:g}" for b in table)
    raise ParameterError(f"bandwidth_mhz={bandwidth_mhz:g} is not a {technology} bandwidth; allowed: {allowed} MHz")


def subcarrier_khz(technology: str, bandwidth_mhz: float) -> float:
    """Subcarrier spacing: 15 kHz for LTE; for NR 30 kHz from 15 MHz up, 15 kHz below."""
    if technology == "5G":
        return 30.0 if bandwidth_mhz >= 15.0 else 15.0
    return 15.0


_CHANNEL_KHZ = {"2G": 200.0, "3G": 3840.0}


def carrier_grid(technology: str, bandwidth_mhz: float) -> tuple[int, float]:
    """Units that levels and noise of a carrier are counted in: how many, and each one's width in kHz.

    4G and 5G: resource blocks and the subcarrier of a resource element. 3G: one channel of 3.84 MHz (the chip rate,
    TS 25.215 §5.1); 2G: one of 200 kHz (TS 45.005 §2).
    """
    if technology in _CHANNEL_KHZ:
        return 1, _CHANNEL_KHZ[technology]
    return resource_blocks(technology, bandwidth_mhz), subcarrier_khz(technology, bandwidth_mhz)


def epre_dbm(port_power_dbm: float, blocks: int, rs_boost_db: float = 0.0) -> float:
    """Energy per resource element: ``P_port − 10 lg(12 N_RB) + boost`` (TS 36.213 §5.2; TS 38.215 §5.1.1), dBm."""
    return port_power_dbm - 10.0 * math.log10(12.0 * blocks) + rs_boost_db


def reference_power_dbm(technology: str, power_dbm: float, bandwidth_mhz: float) -> float:
    """Transmit power of what a phone measures the level of.

    4G and 5G: energy per resource element of the reference signal (RSRP, SS-RSRP). 3G: the common pilot at a
    tenth of the cell's power (RSCP). 2G: the whole broadcast carrier (RxLev).
    """
    if technology in ("4G", "5G"):
        return epre_dbm(power_dbm, resource_blocks(technology, bandwidth_mhz))
    return power_dbm + CPICH_SHARE_DB if technology == "3G" else power_dbm


def noise_dbm(bandwidth_hz: npt.ArrayLike, noise_figure_db: npt.ArrayLike = 0.0) -> npt.NDArray[np.float64]:
    """Thermal noise in a bandwidth with a receiver's noise figure: ``−174 + 10 lg B + NF``, dBm."""
    return np.asarray(
        THERMAL_NOISE_DBM_HZ + 10.0 * np.log10(np.asarray(bandwidth_hz, dtype=np.float64)) + np.asarray(noise_figure_db)
    )


def required_rsrp_dbm(
    noise_figure_db: float,
    sinr_db: float,
    interference_over_thermal_db: float,
    margin_db: float,
    subcarrier_hz: float = 15e3,
) -> float:
    """Least RSRP for a wanted SINR: ``−174 + 10 lg SCS + NF + SINR + IoT + M``, dBm."""
    return float(noise_dbm(subcarrier_hz, noise_figure_db)) + sinr_db + interference_over_thermal_db + margin_db


def uplink_sensitivity_dbm(bandwidth_hz: float, noise_figure_db: float, sinr_db: float) -> float:
    """Least uplink level at the base station's input: ``−174 + 10 lg B + NF + SINR``, dBm."""
    return float(noise_dbm(bandwidth_hz, noise_figure_db)) + sinr_db


def uplink_allowed_loss_db(
    ue_power_dbm: float,
    ue_losses_db: float,
    bs_gain_dbi: float,
    feeder_loss_db: float,
    sensitivity_dbm: float,
    margins_db: float,
) -> float:
    """Largest basic transmission loss of the uplink, dB.

    ``P_ue − (body − G_ue) + G_bs − feeder − S − (IM + M + penetration)``.
    """
    return ue_power_dbm - ue_losses_db + bs_gain_dbi - feeder_loss_db - sensitivity_dbm - margins_db


def area_probability(margin_db: float, sigma_db: float, exponent: float = 3.5) -> float:
    """Share of a cell's area above threshold when a margin holds at its edge (Jakes 1974, Reudink's formula).

    ``F = ½ [1 − erf a + exp((1 − 2ab)/b²) (1 − erf((1 − ab)/b))]`` with ``a = −M/(σ√2)``,
    ``b = 10 n lg e / (σ√2)``. For link-budget tables only: maps use the probability of each pixel.

    Parameters
    ----------
    margin_db : float
        Fading margin M at the edge.
    sigma_db : float
        Standard deviation of shadowing, above 0.
    exponent : float
        Path-loss exponent n, above 0.
    """
    if not (sigma_db > 0.0 and exponent > 0.0):
        raise ParameterError(f"sigma_db={sigma_db} and exponent={exponent} must both be above 0")
    a = -margin_db / (sigma_db * math.sqrt(2.0))
    b = 10.0 * exponent * math.log10(math.e) / (sigma_db * math.sqrt(2.0))
    t = (1.0 - a * b) / b
    # exp((1 − 2ab)/b²)·erfc(t) = exp(−a²)·erfcx(t), because t² = (1 − 2ab)/b² + a²: no overflow for large margins.
    tail = math.exp(-a * a) * float(erfcx(t)) if t > -25.0 else 2.0 * math.exp((1.0 - 2.0 * a * b) / b**2)
    return 0.5 * (1.0 - float(erf(a)) + tail)


def area_fading_margin_db(area_share: float, sigma_db: float, exponent: float = 3.5) -> float:
    """Edge margin that gives a share of the area, dB: the inverse of :func:`area_probability`.

    Raises
    ------
    ParameterError
        When `area_share` is not between 0.05 and 0.9999.
    """
    if not 0.05 <= area_share <= 0.9999:
        raise ParameterError(f"area_share={area_share} must be within 0.05…0.9999")
    return float(brentq(lambda m: area_probability(m, sigma_db, exponent) - area_share, -60.0, 90.0, xtol=1e-10))
