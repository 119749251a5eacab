"""Models that learn from measurements."""

from __future__ import annotations

from rfplan.calibration.fit import Calibration, CalibrationSettings, calibrate, load_calibration
from rfplan.calibration.links import LinkFilter
from rfplan.calibration.measurements import (
    Measurements,
    detect_rssi_convention,
    effective_signal_power_dbm,
    read_measurements,
)
from rfplan.calibration.model import CalibratedModel

__all__ = [
    "CalibratedModel",
    "Calibration",
    "CalibrationSettings",
    "LinkFilter",
    "Measurements",
    "calibrate",
    "detect_rssi_convention",
    "effective_signal_power_dbm",
    "load_calibration",
    "read_measurements",
]
