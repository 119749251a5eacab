"""Non-receptions from a file of receptions: a packet that one gateway heard was not heard by the others."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.calibration.measurements import Measurements, times_s
from rfplan.errors import ParameterError

DAY_S = 86_400.0
SHARE_OF_RECEPTIONS = 1.0
"""Non-receptions kept for each reception; the others are stood for by weights."""
SENSITIVITY_PERCENTILE = 2.0


def packet_keys(table: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Number of each row's packet: same device and packet number within an hour, or same device and second.

    Raises
    ------
    ParameterError
        The rows carry neither a packet number nor a time, or no packet was heard twice.
    """
    seconds = times_s(table)
    if "packet_id" in table and (table["packet_id"] != "").any():
        parts = pd.DataFrame({"d": table["device_id"], "p": table["packet_id"], "t": np.floor(seconds / 3600.0)})
    elif np.isfinite(seconds).any():
        parts = pd.DataFrame({"d": table["device_id"], "t": np.floor(seconds)})
    else:
        raise ParameterError(
            "non_receptions='packets' needs to know which rows are one packet: give packet_id (a frame counter) or time"
        )
    keys = parts.groupby(list(parts.columns), sort=True, dropna=False).ngroup().to_numpy().astype(np.int64)
    sites = pd.Series(table["site_id"].to_numpy()).groupby(keys).nunique()
    if (sites > 1).mean() < 0.01:
        raise ParameterError(
            "non_receptions='packets': under 1 % of the packets were heard by more than one site, so rows of one "
            "packet can't be told by device and packet_id or time; give packet_id, or non-receptions as "
            "rows without a level"
        )
    return np.asarray(keys, dtype=np.int64)


def add_non_receptions(measurements: Measurements, *, seed: int = 0) -> Measurements:
    """Add a row without a level for every packet and site that did not hear it.

    A site counts as in operation on the days on which it heard anything (always, without times). At most one such
    row is kept for each reception, drawn at random by `seed`; their ``weight`` says how many each stands for.

    Raises
    ------
    ParameterError
        See `packet_keys`.
    """
    table = measurements.table
    keys = packet_keys(table)
    first = np.unique(keys, return_index=True)[1]
    packets = table.iloc[first].drop(columns=["snr_db"], errors="ignore")
    day = np.nan_to_num(np.floor(times_s(table) / DAY_S), nan=-1.0)
    sites, site = np.unique(table["site_id"].to_numpy(str), return_inverse=True)
    days, day_of = np.unique(day, return_inverse=True)
    on = np.zeros((sites.size, days.size), dtype=bool)
    on[site, day_of] = True
    heard = np.zeros((first.size, sites.size), dtype=bool)
    heard[np.unique(keys, return_inverse=True)[1], site] = True
    packet, silent_site = np.nonzero(~heard & on[:, day_of[first]].T)
    rng = np.random.default_rng(seed)
    most = int(SHARE_OF_RECEPTIONS * len(table))
    weight = 1.0
    if packet.size > most:
        weight = packet.size / most
        pick = np.sort(rng.choice(packet.size, most, replace=False))
        packet, silent_site = packet[pick], silent_site[pick]
    extra = packets.iloc[packet].assign(level_dbm=np.nan, site_id=sites[silent_site], weight=weight)
    both = pd.concat([table.assign(weight=1.0), extra], ignore_index=True)
    return measurements.noted(
        both,
        f"{first.size} packets heard by {len(table) / first.size:.1f} of {sites.size} sites on average: "
        f"{packet.size} non-receptions added, each standing for {weight:.1f}",
    )


def estimated_sensitivity_dbm(level_dbm: npt.NDArray[np.float64]) -> float:
    """The 2nd percentile of what was received: below it, packets are rarely decoded.

    Raises
    ------
    ParameterError
        Under 100 receptions.
    """
    heard = level_dbm[np.isfinite(level_dbm)]
    if heard.size < 100:
        raise ParameterError(f"{heard.size} receptions are too few to tell the sensitivity from; give sensitivity_dbm")
    return float(np.percentile(heard, SENSITIVITY_PERCENTILE))
