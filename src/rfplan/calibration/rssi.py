"""What kind of level a receiver reports: the channel's power, noise included, or the signal's alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import theilslopes

from rfplan.calibration.measurements import Measurements

FloatArray = npt.NDArray[np.float64]
RssiConvention = Literal["signal", "channel_power"]

_LOW_SNR_DB = -5.0
_LEAST_ROWS = 30
_LEAST_RANGE_DB = 3.0
_MOST_PAIRS = 1500  # pairwise slopes grow with the square


def effective_signal_power_dbm(rssi_dbm: npt.ArrayLike, snr_db: npt.ArrayLike) -> FloatArray:
    """Power of the signal alone where a receiver reports the power of the whole channel, dBm.

    ``ESP = RSSI + SNR − 10 lg(1 + 10^(SNR/10))``: signal and noise add up to RSSI.
    """
    rssi, snr = np.asarray(rssi_dbm, dtype=np.float64), np.asarray(snr_db, dtype=np.float64)
    result: FloatArray = rssi + snr - 10.0 * np.log10(1.0 + 10.0 ** (snr / 10.0))
    return result


def detect_rssi_convention(level_dbm: FloatArray, snr_db: FloatArray) -> tuple[RssiConvention, str]:
    """Tell whether RSSI is the channel's power or already the signal's.

    Below −5 dB SNR the channel's power is nearly the noise floor, so it does not move with SNR (slope near 0), while
    the signal's power moves with it (slope near 1). The slope is Theil's (1950), which outliers hardly move.

    Returns
    -------
    convention, explanation : str, str
        With fewer than 30 levels below −5 dB SNR nothing can be told, and "signal" is assumed and said.
    """
    if not _can_tell(level_dbm, snr_db):
        low = int((np.isfinite(level_dbm) & (snr_db < _LOW_SNR_DB)).sum())
        return "signal", f"only {low} levels below -5 dB SNR: RSSI is taken as the signal's power"
    pick = np.flatnonzero(np.isfinite(level_dbm) & (snr_db < _LOW_SNR_DB))
    pick = pick[:: max(1, pick.size // _MOST_PAIRS)]
    slope = float(theilslopes(level_dbm[pick], snr_db[pick])[0])
    convention: RssiConvention = "channel_power" if slope < 0.5 else "signal"
    return (
        convention,
        f"below -5 dB SNR, RSSI moves {slope:.2f} dB per dB of SNR: it is the {convention.replace('_', ' ')}",
    )


def _can_tell(level_dbm: FloatArray, snr_db: FloatArray) -> bool:
    low = np.isfinite(level_dbm) & (snr_db < _LOW_SNR_DB)
    return bool(low.sum() >= _LEAST_ROWS and np.ptp(snr_db[low]) >= _LEAST_RANGE_DB)


def _floor_spread_db(level: FloatArray, snr: FloatArray, group: pd.Series[str]) -> float:
    """Mean scatter of the noise floor that level and SNR imply, group by group, under the better convention."""
    channel = pd.Series(level - 10.0 * np.log10(1.0 + 10.0 ** (snr / 10.0)))
    signal = pd.Series(level - snr)
    by = group.reset_index(drop=True)
    spreads = [(floor - floor.groupby(by).transform("median")).abs().groupby(by).sum() for floor in (channel, signal)]
    return float(np.minimum(spreads[0].to_numpy(), spreads[1].to_numpy()).sum()) / max(level.size, 1)


def _receiver_column(table: pd.DataFrame, level: FloatArray, snr: FloatArray) -> str:
    """Whether the devices or the sites are the receivers: a receiver's noise floor is its own and stays the same."""
    known = np.isfinite(level) & np.isfinite(snr)
    spreads = {
        name: _floor_spread_db(level[known], snr[known], table.loc[known, name]) for name in ("device_id", "site_id")
    }
    return "site_id" if spreads["site_id"] < 0.95 * spreads["device_id"] else "device_id"


def apply_rssi_convention(
    measurements: Measurements, convention: RssiConvention | Literal["detect"] = "detect"
) -> Measurements:
    """Turn channel power into signal power, receiver by receiver, by a declared or detected convention.

    Receivers are the devices, or the sites where the noise floor that RSSI and SNR imply is steadier site by site (a
    network of gateways). A receiver with too few levels below −5 dB SNR is taken for one like all the others. Levels
    that are a signal's by definition (RSRP, RSCP) stay as they are.
    """
    table = measurements.table
    if "snr_db" not in table or (convention == "detect" and measurements.level_kind == "reference"):
        return measurements
    level, snr = table["level_dbm"].to_numpy(float).copy(), table["snr_db"].to_numpy(float)
    by = _receiver_column(table, level, snr)
    kind = "device" if by == "device_id" else "site"
    overall, why_overall = detect_rssi_convention(level, snr) if convention == "detect" else (convention, "declared")
    converted, notes = np.zeros(level.size, dtype=bool), []
    counts: dict[str, int] = {"channel_power": 0, "signal": 0}
    for name, index in table.groupby(by, sort=True).indices.items():
        rows = np.asarray(index)
        found, why = overall, why_overall
        if convention == "detect" and _can_tell(level[rows], snr[rows]):
            found, why = detect_rssi_convention(level[rows], snr[rows])
        counts[found] += 1
        converted[rows] = found == "channel_power"
        if found != overall:
            notes.append(f"{kind} {name or '(all)'}: {why}, unlike the others")
    converted &= np.isfinite(snr)
    level[converted] = effective_signal_power_dbm(level[converted], snr[converted])
    notes.insert(
        0,
        f"RSSI, {kind} by {kind}: {counts['channel_power']} report the channel's power, {counts['signal']} the "
        f"signal's (all together: {why_overall}); {int(converted.sum())} levels turned into signal power",
    )
    return replace(measurements, table=table.assign(level_dbm=level), notes=(*measurements.notes, *notes))
