"""Local means along a drive: averaging over 40 wavelengths takes the fast fading out and leaves the shadowing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rfplan.calibration.measurements import Measurements, times_s
from rfplan.constants import SPEED_OF_LIGHT_M_S
from rfplan.propagation.base import require_range

_EARTH_M_PER_DEG = 111_195.0


def average_along_track(measurements: Measurements, frequency_mhz: float, *, wavelengths: float = 40.0) -> Measurements:
    """Replace levels by their local means over a stretch of road.

    A device's rows, in the order of time (of the file where no times are given), are cut into stretches of 40
    wavelengths of the way driven (W. C. Y. Lee, "Estimate of local average power of a mobile radio signal", 1985); the
    rows of one transmitter in a stretch become one, with the mean of their powers at their mean position. A device that
    stands still stays in one stretch.

    Parameters
    ----------
    measurements : Measurements
        Rows without a level (nothing received) are kept as they are.
    frequency_mhz : float
        Frequency, MHz, 30 to 100,000.
    wavelengths : float
        Length of a stretch in wavelengths, 1 to 10,000.

    Returns
    -------
    Measurements
        With a note on how many rows became how many; columns besides position, level, transmitter and device hold
        the first value of a stretch.

    Raises
    ------
    ParameterError
        A parameter is out of range.
    """
    require_range("frequency_mhz", frequency_mhz, 30.0, 1e5, "give MHz")
    require_range("wavelengths", wavelengths, 1.0, 1e4)
    stretch_m = wavelengths * SPEED_OF_LIGHT_M_S / (1e6 * frequency_mhz)
    table = measurements.table.assign(_time=times_s(measurements.table), _row=np.arange(len(measurements)))
    table = table.sort_values(["device_id", "_time", "_row"], kind="stable")
    lon, lat = np.radians(table["lon_deg"].to_numpy(float)), np.radians(table["lat_deg"].to_numpy(float))
    east = np.diff(lon, prepend=lon[:1]) * np.cos(lat)
    step = np.degrees(np.hypot(east, np.diff(lat, prepend=lat[:1]))) * _EARTH_M_PER_DEG
    step[table["device_id"].to_numpy() != table["device_id"].shift().to_numpy()] = 0.0
    way = np.cumsum(step)
    table = table.assign(_stretch=np.floor(way / stretch_m), _mw=10.0 ** (table["level_dbm"] / 10.0))
    heard = table["level_dbm"].notna()
    names = [name for name in ("site_id", "cell_id", "pci", "arfcn") if name in table]
    by = table[heard].groupby(["device_id", "_stretch", *names], sort=False, dropna=False)
    mean = by.agg("first")
    mean["lon_deg"], mean["lat_deg"] = by["lon_deg"].mean(), by["lat_deg"].mean()
    mean["level_dbm"] = 10.0 * np.log10(by["_mw"].mean())
    both = pd.concat([mean.reset_index(), table[~heard]], ignore_index=True).sort_values("_row", kind="stable")
    both = both[measurements.table.columns].reset_index(drop=True)
    return measurements.noted(
        both,
        f"{int(heard.sum())} levels averaged over {wavelengths:g} wavelengths ({stretch_m:.1f} m): "
        f"{len(mean)} local means",
    )
