"""Antenna loss towards a direction: parametric patterns, two-cut interpolation and sampled patterns.

Angles are in degrees. ``azimuth`` is clockwise from the antenna's zero, ``depression`` is positive below the
antenna's own horizon. Losses are in dB relative to the maximum gain, never negative for well-formed input.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from rfplan.kernels._jit import jit

OMNI = 0
PARAMETRIC = 1
SUM = 2
PROJECTION = 3
CROSS_WEIGHTED = 4
SAMPLED = 5

# Columns of the parameter row that goes with an antenna.
P_WIDTH_H, P_MAX_H, P_WIDTH_V, P_MAX_V, P_MAX_TOTAL, P_CUT_AZIMUTH = 0, 1, 2, 3, 4, 5
N_PARAMETERS = 6

Floats = npt.NDArray[np.float64]
Patterns = tuple[Any, ...]


@jit
def wrap_180(angle_deg: float) -> float:
    """Angle in [−180, 180)."""
    return angle_deg - 360.0 * math.floor((angle_deg + 180.0) / 360.0)


@jit
def place(angle_deg: float) -> tuple[int, int, float]:
    """Whole degrees on both sides of an angle in 0…359, and how far it lies towards the upper one."""
    wrapped = angle_deg - 360.0 * math.floor(angle_deg / 360.0)
    low = int(wrapped)
    part = wrapped - low
    low = low % 360
    return low, (low + 1 if low < 359 else 0), part


@jit
def row_place(depression_deg: float) -> tuple[int, float]:
    """Row above a depression in a sampled pattern (0…179), and how far it lies towards the next."""
    down = min(max(depression_deg + 90.0, 0.0), 180.0)
    row = min(int(down), 179)
    return row, down - row


@jit
def cut_value(cuts: Floats, a: int, angle_deg: float) -> float:
    """Linear interpolation in cyclic cut `a`, sampled at whole degrees, in dB."""
    low, high, part = place(angle_deg)
    return float(cuts[a, low] * (1.0 - part) + cuts[a, high] * part)


@jit
def sampled_value(grids: npt.NDArray[np.float32], g: int, azimuth_deg: float, depression_deg: float) -> float:
    """Bilinear interpolation in (181, 360) pattern `g`: rows are depression −90…90, columns azimuth 0…359."""
    row, v = row_place(depression_deg)
    low, high, u = place(azimuth_deg)
    upper = grids[g, row, low] * (1.0 - u) + grids[g, row, high] * u
    lower = grids[g, row + 1, low] * (1.0 - u) + grids[g, row + 1, high] * u
    return float(upper * (1.0 - v) + lower * v)


@jit
def crossed_loss_db(loss_h: float, loss_v: float) -> float:
    """Weighted sum of two cuts' losses (Vasiliadis, Dimitriou and Sergiadis 2005, k = 2)."""
    lin_h = 10.0 ** (-0.1 * loss_h)
    lin_v = 10.0 ** (-0.1 * loss_v)
    w_h = lin_v * (1.0 - lin_h)
    w_v = lin_h * (1.0 - lin_v)
    norm = math.sqrt(w_h * w_h + w_v * w_v)
    if norm <= 0.0:
        return float(max(loss_h, loss_v))
    return float((loss_h * w_h + loss_v * w_v) / norm)


@jit
def parametric_loss_db(parameters: Floats, a: int, azimuth_deg: float, depression_deg: float) -> float:
    """TR 36.814 Table A.2.1.1-2 / TR 38.901 Table 7.3-1: two parabolas with floors, then a floor on the sum."""
    across = azimuth_deg / parameters[a, P_WIDTH_H]
    horizontal = min(12.0 * across * across, parameters[a, P_MAX_H])
    down = depression_deg / parameters[a, P_WIDTH_V]
    vertical = min(12.0 * down * down, parameters[a, P_MAX_V])
    return float(min(horizontal + vertical, parameters[a, P_MAX_TOTAL]))


@jit
def _projection(
    parameters: Floats, horizontal: Floats, vertical: Floats, a: int, azimuth: float, depression: float
) -> float:
    cut_azimuth = parameters[a, P_CUT_AZIMUTH]
    away = abs(wrap_180(azimuth - cut_azimuth)) / 180.0
    front = cut_value(vertical, a, depression) - cut_value(horizontal, a, cut_azimuth)
    back = cut_value(vertical, a, 180.0 - depression) - cut_value(horizontal, a, cut_azimuth + 180.0)
    return float(cut_value(horizontal, a, azimuth) + (1.0 - away) * front + away * back)


@jit
def pattern_loss_db(patterns: Patterns, a: int, azimuth_deg: float, depression_deg: float) -> float:
    """Loss of antenna `a` of a set towards one direction, in dB; the caller has applied both tilts.

    ``patterns`` is the tuple (kind, parameters, horizontal, vertical, grids, grid_index). Rows are indexed in place:
    a view of a row would count references, and threads would wait for each other.
    """
    kind, parameters, horizontal, vertical, grids, grid_index = patterns
    k = kind[a]
    if k == OMNI:
        down = depression_deg / parameters[a, P_WIDTH_V]
        return float(min(12.0 * down * down, parameters[a, P_MAX_V]))
    azimuth = wrap_180(azimuth_deg)
    if k == PARAMETRIC:
        return parametric_loss_db(parameters, a, azimuth, depression_deg)
    if k == SUM:
        total = cut_value(horizontal, a, azimuth) + cut_value(vertical, a, depression_deg)
        return float(min(total, parameters[a, P_MAX_TOTAL]))
    if k == PROJECTION:
        filled = max(_projection(parameters, horizontal, vertical, a, azimuth, depression_deg), 0.0)
        return float(min(filled, parameters[a, P_MAX_TOTAL]))
    if k == CROSS_WEIGHTED:
        crossed = crossed_loss_db(cut_value(horizontal, a, azimuth), cut_value(vertical, a, depression_deg))
        return float(min(crossed, parameters[a, P_MAX_TOTAL]))
    return sampled_value(grids, grid_index[a], azimuth, depression_deg)


@jit
def tilt_direction(azimuth_deg: float, elevation_deg: float, mechanical_tilt_deg: float) -> tuple[float, float]:
    """A direction as an antenna tilted down mechanically sees it: (azimuth, depression) in its own frame.

    Mechanical tilt is a rotation about the horizontal axis across boresight, so it tilts the front down,
    the back up and leaves the sides where they are.
    """
    if mechanical_tilt_deg == 0.0:
        return azimuth_deg, -elevation_deg
    phi = math.radians(azimuth_deg)
    theta = math.radians(elevation_deg)
    beta = math.radians(mechanical_tilt_deg)
    ahead = math.cos(theta) * math.cos(phi)
    across = math.cos(theta) * math.sin(phi)
    up = math.sin(theta)
    x = ahead * math.cos(beta) - up * math.sin(beta)
    z = ahead * math.sin(beta) + up * math.cos(beta)
    return math.degrees(math.atan2(across, x)), -math.degrees(math.asin(min(1.0, max(-1.0, z))))


@jit
def losses_kernel(
    patterns: Patterns, directions: Floats, mechanical_tilt_deg: float, electrical_shift_deg: float, out: Floats
) -> None:
    """Losses of antenna 0 towards ``directions`` (n, 2): azimuth off boresight and elevation above the horizon."""
    for i in range(directions.shape[0]):
        azimuth, depression = tilt_direction(directions[i, 0], directions[i, 1], mechanical_tilt_deg)
        out[i] = pattern_loss_db(patterns, 0, azimuth, depression - electrical_shift_deg)
