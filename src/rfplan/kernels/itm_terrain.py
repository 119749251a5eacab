"""What the Irregular Terrain Model reads off an equally spaced terrain profile.

Horizons, effective heights and the interdecile terrain irregularity Δh, after G. A. Hufford, "The ITS Irregular
Terrain Model, version 1.2.2: the algorithm", NTIA (sections 2 and 3), in the form NTIA's v1.4 release computes them.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from rfplan.kernels._jit import jit
from rfplan.kernels.itm_loss import Shape

FloatArray = npt.NDArray[np.float64]

MAX_ROUGHNESS_SAMPLES = 245


@jit
def resample_equal(distance_m: FloatArray, elevation_m: FloatArray, out: FloatArray) -> bool:
    """Copy elevations onto as many equal steps; True where the spacing was already equal.

    A step may differ by a thousandth (rounded distances in files) before elevations are interpolated.
    """
    last = distance_m.shape[0] - 1
    step = distance_m[last] / last
    equal = True
    for i in range(last + 1):
        if abs(distance_m[i] - i * step) > 1e-3 * step:
            equal = False
        out[i] = elevation_m[i]
    if equal:
        return True
    k = 0
    for i in range(1, last):
        x = i * step
        while distance_m[k + 1] < x:
            k += 1
        share = (x - distance_m[k]) / (distance_m[k + 1] - distance_m[k])
        out[i] = elevation_m[k] + share * (elevation_m[k + 1] - elevation_m[k])
    return False


@jit
def trapezoid_line(z: FloatArray, last: int, lower: int, upper: int) -> tuple[float, float]:
    """Least-squares line through z[lower..upper] with half weight at both ends; its values at 0 and at ``last``."""
    length = float(upper - lower)
    centre = 0.5 * (lower + upper)
    total = 0.5 * (z[lower] + z[upper])
    moment = 0.25 * length * (z[upper] - z[lower])
    for k in range(lower + 1, upper):
        total += z[k]
        moment += z[k] * (k - centre)
    mean = total / length
    slope = 12.0 * moment / ((length * length + 2.0) * length)
    return mean - slope * centre, mean + slope * (last - centre)


@jit
def profile_line(z: FloatArray, last: int, step_m: float, start_m: float, stop_m: float) -> tuple[float, float]:
    """The line of :func:`trapezoid_line` over the points between two distances, at least one step wide."""
    lower = int(max(start_m / step_m, 0.0))
    upper = last - int(max(last - stop_m / step_m, 0.0))
    if upper <= lower:
        lower = max(lower - 1, 0)
        upper = last - max(last - (upper + 1), 0)
    return trapezoid_line(z, last, lower, upper)


@jit
def horizons(
    z: FloatArray, last: int, step_m: float, tx_m: float, rx_m: float, curvature: float
) -> tuple[float, float, float, float]:
    """Horizon angles (rad) and distances (m) of both terminals; each other's position where nothing intrudes."""
    distance_m = last * step_m
    z_tx = z[0] + tx_m
    z_rx = z[last] + rx_m
    half = 0.5 * curvature
    angle_tx = (z_rx - z_tx) / distance_m - half * distance_m
    angle_rx = (z_tx - z_rx) / distance_m - half * distance_m
    at_tx = distance_m
    at_rx = distance_m
    for i in range(1, last):
        from_tx = i * step_m
        from_rx = distance_m - from_tx
        angle = (z[i] - z_tx) / from_tx - half * from_tx
        if angle > angle_tx:
            angle_tx = angle
            at_tx = from_tx
        angle = (z[i] - z_rx) / from_rx - half * from_rx
        if angle > angle_rx:
            angle_rx = angle
            at_rx = from_rx
    return angle_tx, angle_rx, at_tx, at_rx


@jit
def select_smallest(values: FloatArray, count: int, rank: int, lower: int) -> float:
    """Value of 0-based ``rank`` among values[lower:count] in rising order; reorders them around it (quickselect)."""
    left = lower
    right = count - 1
    while left < right:
        pivot = values[(left + right) // 2]
        i = left
        j = right
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                swap = values[i]
                values[i] = values[j]
                values[j] = swap
                i += 1
                j -= 1
        if rank <= j:
            right = j
        elif rank >= i:
            left = i
        else:
            break
    found: float = values[rank]
    return found


@jit
def terrain_irregularity(
    z: FloatArray, last: int, step_m: float, start_m: float, stop_m: float, scratch: FloatArray
) -> float:
    """Δh (m): interdecile range of the terrain about its own line, scaled to an infinitely long path.

    Samples the stretch at 35 to 245 places, whichever ten times a tenth of its points asks for.
    ``scratch`` holds at least ``MAX_ROUGHNESS_SAMPLES`` values.
    """
    start = start_m / step_m
    stop = stop_m / step_m
    if stop - start < 2.0:
        return 0.0
    tenth = min(max(int(0.1 * (stop - start + 8.0)), 4), 25)
    count = 10 * tenth - 5
    stride = (stop - start) / (count - 1)
    right = int(start) + 1
    offset = start - right  # position relative to the point on the right
    for j in range(count):
        while offset > 0.0 and right < last:
            offset -= 1.0
            right += 1
        scratch[j] = z[right] + (z[right] - z[right - 1]) * offset
        offset += stride
    at_start, at_end = trapezoid_line(scratch, count - 1, 0, count - 1)
    slope = (at_end - at_start) / (count - 1)
    for j in range(count):
        scratch[j] -= at_start + slope * j
    low = select_smallest(scratch, count, tenth - 1, 0)
    # Everything below the first decile is now in front of it, so the last decile is sought behind it only.
    high = select_smallest(scratch, count, count - tenth, tenth - 1)
    return (high - low) / (1.0 - 0.8 * math.exp(-(stop_m - start_m) / 50e3))


@jit
def smooth_horizon_m(height_m: float, curvature: float, delta_h_m: float) -> float:
    """Horizon distance over irregular ground of known Δh [Algorithm, eq. 3.3]."""
    return math.sqrt(2.0 * height_m / curvature) * math.exp(-0.07 * math.sqrt(delta_h_m / max(height_m, 5.0)))


@jit
def smooth_horizon_angle(height_m: float, curvature: float, delta_h_m: float, horizon_m: float) -> float:
    """Horizon angle (rad) that goes with :func:`smooth_horizon_m` [Algorithm, eq. 3.4]."""
    smooth_m = math.sqrt(2.0 * height_m / curvature)
    return (0.65 * delta_h_m * (smooth_m / horizon_m - 1.0) - 2.0 * height_m) / smooth_m


@jit
def area_geometry(tx_m: float, rx_m: float, tx_gain: float, rx_gain: float, curvature: float, delta_h: float) -> Shape:
    """Horizons and effective heights from Δh and how well sites are chosen [Algorithm, section 3.1].

    ``tx_gain`` and ``rx_gain`` are the siting constant B: 0 random, 4 careful, 9 very careful.
    """
    effective_tx = sited_height_m(tx_m, tx_gain, delta_h)
    effective_rx = sited_height_m(rx_m, rx_gain, delta_h)
    at_tx = smooth_horizon_m(effective_tx, curvature, delta_h)
    at_rx = smooth_horizon_m(effective_rx, curvature, delta_h)
    angle_tx = smooth_horizon_angle(effective_tx, curvature, delta_h, at_tx)
    angle_rx = smooth_horizon_angle(effective_rx, curvature, delta_h, at_rx)
    return Shape(angle_tx, angle_rx, at_tx, at_rx, effective_tx, effective_rx, delta_h)


@jit
def sited_height_m(height_m: float, gain: float, delta_h_m: float) -> float:
    """Effective height of a terminal sited with care over irregular ground [Algorithm, eq. 3.2]."""
    if gain == 0.0:
        return height_m
    if height_m < 5.0:
        gain *= math.sin(0.1 * math.pi * height_m)
    return height_m + (1.0 + gain) * math.exp(-min(20.0, 2.0 * height_m / max(1e-3, delta_h_m)))


@jit
def profile_geometry(
    z: FloatArray,
    step_m: float,
    tx_m: float,
    rx_m: float,
    curvature: float,
    scratch: FloatArray,
) -> Shape:
    """Horizons, effective heights and irregularity of a profile.

    Well inside line of sight the horizons of a smooth Earth through the fitted line replace the profile's own.
    """
    last = z.shape[0] - 1
    distance_m = last * step_m
    angle_tx, angle_rx, at_tx, at_rx = horizons(z, last, step_m, tx_m, rx_m, curvature)
    start_m = min(15.0 * tx_m, 0.1 * at_tx)
    stop_m = distance_m - min(15.0 * rx_m, 0.1 * at_rx)
    delta_h = terrain_irregularity(z, last, step_m, start_m, stop_m, scratch)
    if at_tx + at_rx <= 1.5 * distance_m:
        ground_tx, _ = profile_line(z, last, step_m, start_m, 0.9 * at_tx)
        _, ground_rx = profile_line(z, last, step_m, distance_m - 0.9 * at_rx, stop_m)
        effective_tx = tx_m + max(z[0] - ground_tx, 0.0)
        effective_rx = rx_m + max(z[last] - ground_rx, 0.0)
        return Shape(angle_tx, angle_rx, at_tx, at_rx, effective_tx, effective_rx, delta_h)

    ground_tx, ground_rx = profile_line(z, last, step_m, start_m, stop_m)
    effective_tx = tx_m + max(z[0] - ground_tx, 0.0)
    effective_rx = rx_m + max(z[last] - ground_rx, 0.0)
    at_tx = smooth_horizon_m(effective_tx, curvature, delta_h)
    at_rx = smooth_horizon_m(effective_rx, curvature, delta_h)
    if at_tx + at_rx <= distance_m:
        # The line says "beyond the horizon" where the profile says "in sight": raise both heights until they meet.
        lift = (distance_m / (at_tx + at_rx)) ** 2
        effective_tx *= lift
        effective_rx *= lift
        at_tx = smooth_horizon_m(effective_tx, curvature, delta_h)
        at_rx = smooth_horizon_m(effective_rx, curvature, delta_h)
    angle_tx = smooth_horizon_angle(effective_tx, curvature, delta_h, at_tx)
    angle_rx = smooth_horizon_angle(effective_rx, curvature, delta_h, at_rx)
    return Shape(angle_tx, angle_rx, at_tx, at_rx, effective_tx, effective_rx, delta_h)
