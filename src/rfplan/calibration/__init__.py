"""Models that learn from measurements."""

from __future__ import annotations

from rfplan.calibration.averaging import average_along_track
from rfplan.calibration.fit import CalibrationSettings, calibrate
from rfplan.calibration.links import LinkFilter
from rfplan.calibration.measurements import Measurements, read_measurements
from rfplan.calibration.model import CalibratedModel
from rfplan.calibration.plots import (
    plot_calibration,
    plot_comparison,
    plot_residual_distance,
    plot_residual_map,
    write_calibration,
)
from rfplan.calibration.result import Calibration, load_calibration
from rfplan.calibration.rssi import detect_rssi_convention, effective_signal_power_dbm
from rfplan.calibration.spm_fit import calibrate_spm

__all__ = [
    "CalibratedModel",
    "Calibration",
    "CalibrationSettings",
    "LinkFilter",
    "Measurements",
    "average_along_track",
    "calibrate",
    "calibrate_spm",
    "detect_rssi_convention",
    "effective_signal_power_dbm",
    "load_calibration",
    "plot_calibration",
    "plot_comparison",
    "plot_residual_distance",
    "plot_residual_map",
    "read_measurements",
    "write_calibration",
]
