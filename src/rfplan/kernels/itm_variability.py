"""Long-term variability of the Irregular Terrain Model: how far the loss strays from its reference value.

Climate curves of NBS Technical Note 101 (1967), annex III, as fitted in Hufford's "The ITS Irregular Terrain Model,
version 1.2.2: the algorithm" (NTIA), section 5.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from rfplan.kernels._jit import jit
from rfplan.kernels.itm_loss import WAVENUMBER_MHZ, Shape, roughness_at

FloatArray = npt.NDArray[np.float64]

SINGLE_MESSAGE, ACCIDENTAL, MOBILE, BROADCAST = 0, 1, 2, 3

# One row a climate (1 equatorial … 7 maritime temperate over sea), distances in km.
# Columns of a curve: c1, c2 (dB), x1, x2, x3 (km).
_MEDIAN = [
    (-9.67, 12.7, 144.9, 190.3, 133.8),
    (-0.62, 9.19, 228.9, 205.2, 143.6),
    (1.26, 15.5, 262.6, 185.2, 99.8),
    (-9.21, 9.05, 84.1, 101.1, 98.6),
    (-0.62, 9.19, 228.9, 205.2, 143.6),
    (-0.39, 2.86, 141.7, 315.9, 167.4),
    (3.15, 857.9, 2222.0, 164.8, 116.3),
]
_BELOW = [
    (2.13, 159.5, 762.2, 123.6, 94.5),
    (2.66, 7.67, 100.4, 172.5, 136.4),
    (6.11, 6.65, 138.2, 242.2, 178.6),
    (1.98, 13.11, 139.1, 132.7, 193.5),
    (2.68, 7.16, 93.7, 186.8, 133.5),
    (6.86, 10.38, 187.8, 169.6, 108.9),
    (8.51, 169.8, 609.8, 119.9, 106.6),
]
_ABOVE = [
    (2.11, 102.3, 636.9, 134.8, 95.6),
    (6.87, 15.53, 138.7, 143.7, 98.6),
    (10.08, 9.60, 165.3, 225.7, 129.7),
    (3.68, 159.3, 464.4, 93.1, 94.2),
    (4.75, 8.12, 93.2, 135.9, 113.4),
    (8.58, 13.97, 216.0, 152.0, 122.7),
    (8.43, 8.19, 136.2, 188.5, 122.9),
]
# Columns: frequency factor below (a, b, c), above (a, b, c), then C_D and z_D of the far tail.
_FREQUENCY_AND_TAIL = [
    (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.224, 1.282),
    (1.0, 0.0, 0.0, 0.93, 0.31, 2.00, 0.801, 2.161),
    (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.380, 1.282),
    (1.0, 0.0, 0.0, 0.93, 0.19, 1.79, 1.000, 20.0),
    (0.92, 0.25, 1.77, 0.93, 0.31, 2.00, 1.224, 1.282),
    (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.518, 1.282),
    (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.518, 1.282),
]
CLIMATE_TABLE = np.concatenate([np.array(part) for part in (_MEDIAN, _BELOW, _ABOVE, _FREQUENCY_AND_TAIL)], axis=1)


@jit
def standard_normal_exceeded(fraction: float) -> float:
    """The standard normal value exceeded with this probability (Abramowitz and Stegun 26.2.23, |error| < 4.5e-4).

    The model is defined with this approximation, so an exact quantile would not be more right.
    """
    tail = min(fraction, 1.0 - fraction)
    t = math.sqrt(-2.0 * math.log(tail))
    numerator: float = 2.515516 + t * (0.802853 + t * 0.010328)
    value = t - numerator / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
    return -value if fraction > 0.5 else value


@jit
def climate_curve_db(row: FloatArray, first: int, distance_km: float) -> float:
    """One fitted climate curve at an effective distance [TN101, eq. III.69 and III.70]."""
    c1: float = row[first]
    c2: float = row[first + 1]
    near: float = (distance_km / row[first + 2]) ** 2
    bump: float = ((distance_km - row[first + 3]) / row[first + 4]) ** 2
    return (c1 + c2 / (1.0 + bump)) * near / (1.0 + near)


@jit
def time_deviation_db(climate: FloatArray, distance_km: float, wavenumber: float, z_time: float) -> float:
    """Standard deviation (dB) of time variability on the side, and in the tail, where z_time lies [Algorithm, 5.2]."""
    q = math.log(0.133 * wavenumber)
    if z_time < 0.0:
        factor: float = climate[15] + climate[16] / ((climate[17] * q) ** 2 + 1.0)
        return climate_curve_db(climate, 5, distance_km) * factor
    factor = climate[18] + climate[19] / ((climate[20] * q) ** 2 + 1.0)
    above: float = climate_curve_db(climate, 10, distance_km) * factor
    z_tail: float = climate[22]
    if z_time <= z_tail:
        return above
    tail: float = climate[21] * above
    return tail + (above - tail) * z_tail / z_time


@jit
def variability_db(
    reference_db: float,
    distance_m: float,
    frequency_mhz: float,
    shape: Shape,
    climate: FloatArray,
    mode: int,
    quantiles: tuple[float, float, float],
) -> float:
    """Attenuation (dB) not exceeded at the given standard normal values of time, location and situation.

    ``mode`` is 0 to 3 (single message, accidental, mobile, broadcast), plus 10 without location variability,
    plus 20 without direct situation variability [Algorithm, section 5].
    """
    z_time, z_location, z_situation = quantiles
    wavenumber = frequency_mhz / WAVENUMBER_MHZ
    scale_m = (
        math.sqrt(2.0 * 9000e3 * shape.effective_tx_m)
        + math.sqrt(2.0 * 9000e3 * shape.effective_rx_m)
        + (575.7e12 / wavenumber) ** (1.0 / 3.0)
    )
    beyond_km = (distance_m - scale_m) * 1e-3
    effective_km = 130.0 * distance_m / scale_m if beyond_km < 0.0 else 130.0 + beyond_km

    kind = mode % 10
    if kind == SINGLE_MESSAGE:
        z_time = z_situation
        z_location = z_situation
    elif kind == ACCIDENTAL:
        z_location = z_situation
    elif kind == MOBILE:
        z_location = z_time

    sigma_situation = 0.0 if mode >= 20 else 5.0 + 3.0 * math.exp(-effective_km / 100.0)
    sigma_location = 0.0
    if (mode // 10) % 2 == 0:
        rough = wavenumber * roughness_at(distance_m, shape.delta_h_m)
        sigma_location = 10.0 * rough / (rough + 13.0)
    sigma_time = time_deviation_db(climate, effective_km, wavenumber, z_time)

    y_time = sigma_time * z_time
    y_location = sigma_location * z_location
    square = z_situation * z_situation
    residual = sigma_situation**2 + y_time**2 / (7.8 + square) + y_location**2 / (24.0 + square)
    if kind == SINGLE_MESSAGE:
        regular = 0.0
        spread = math.sqrt(sigma_time**2 + sigma_location**2 + residual)
    elif kind == ACCIDENTAL:
        regular = y_time
        spread = math.sqrt(sigma_location**2 + residual)
    elif kind == MOBILE:
        regular = math.sqrt(sigma_time**2 + sigma_location**2) * z_time
        spread = math.sqrt(residual)
    else:
        regular = y_time + y_location
        spread = math.sqrt(residual)

    loss = reference_db - climate_curve_db(climate, 0, effective_km) - regular - spread * z_situation
    if loss < 0.0:
        # Losses below free space are compressed rather than believed [Algorithm, eq. 5.2].
        loss *= (29.0 - loss) / (29.0 - 10.0 * loss)
    return loss
