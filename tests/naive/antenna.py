"""Slow, obvious antenna gain, one direction at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def _look_up(cut: npt.NDArray[np.float64], angle_deg: float) -> float:
    return float(np.interp(angle_deg % 360.0, np.arange(361), np.append(cut, cut[0])))


def naive_direction(azimuth_deg: float, elevation_deg: float, mechanical_tilt_deg: float) -> tuple[float, float]:
    """Azimuth and depression seen by a tilted antenna, by a rotation matrix about the axis across boresight."""
    a, e, t = np.radians([azimuth_deg, elevation_deg, mechanical_tilt_deg])
    ray = np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])
    boresight = np.array([np.cos(t), 0.0, -np.sin(t)])
    across = np.array([0.0, 1.0, 0.0])
    up = np.array([np.sin(t), 0.0, np.cos(t)])
    x, y, z = ray @ boresight, ray @ across, ray @ up
    return float(np.degrees(np.arctan2(y, x))), float(-np.degrees(np.arctan2(z, np.hypot(x, y))))


def naive_gain_dbi(
    gain_dbi: float,
    horizontal: npt.NDArray[np.float64],
    vertical: npt.NDArray[np.float64],
    method: str,
    azimuth_deg: float,
    elevation_deg: float,
    mechanical_tilt_deg: float,
    electrical_shift_deg: float,
) -> float:
    """Gain from two cuts by a named method."""
    azimuth, depression = naive_direction(azimuth_deg, elevation_deg, mechanical_tilt_deg)
    depression -= electrical_shift_deg
    h, v = _look_up(horizontal, azimuth), _look_up(vertical, depression)
    if method == "sum":
        return gain_dbi - (h + v)
    if method == "horizontal-projection":
        away = abs((azimuth + 180.0) % 360.0 - 180.0) / 180.0
        front = v - _look_up(horizontal, 0.0)
        back = _look_up(vertical, 180.0 - depression) - _look_up(horizontal, 180.0)
        return gain_dbi - max(h + (1 - away) * front + away * back, 0.0)
    h_linear, v_linear = 10 ** (-h / 10), 10 ** (-v / 10)
    w1, w2 = v_linear * (1 - h_linear), h_linear * (1 - v_linear)
    if w1 == 0.0 and w2 == 0.0:
        return gain_dbi - max(h, v)
    return gain_dbi - (h * w1 + v * w2) / np.hypot(w1, w2)
