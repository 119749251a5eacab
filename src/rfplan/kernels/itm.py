"""Irregular Terrain Model (Longley–Rice): reference attenuation and batches of paths.

Follows G. A. Hufford, "The ITS Irregular Terrain Model, version 1.2.2: the algorithm" (NTIA), and NTIA's v1.4 release
where the two differ in detail. Nothing here raises: what a path violates is returned as bits.
"""

from __future__ import annotations

import cmath
import math

import numba
import numpy as np
import numpy.typing as npt

from rfplan.kernels._jit import jit, jit_parallel
from rfplan.kernels.itm_loss import (
    Radio,
    Shape,
    diffraction_db,
    effective_curvature,
    line_of_sight_angle,
    line_of_sight_db,
    scatter_frequency_gain_db,
    smooth_reach_m,
    surface_refractivity,
    troposcatter_db,
)
from rfplan.kernels.itm_terrain import (
    MAX_ROUGHNESS_SAMPLES,
    area_geometry,
    profile_geometry,
    resample_equal,
)
from rfplan.kernels.itm_variability import variability_db

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

LINE_OF_SIGHT, DIFFRACTION, TROPOSCATTER = 1.0, 2.0, 3.0

# Warning bits carry NTIA's values; two notes of rfplan's own and the error bits follow above them.
TX_HEIGHT = 0x0001
RX_HEIGHT = 0x0002
FREQUENCY = 0x0004
DISTANCE_LARGE = 0x0008
DISTANCE_VERY_LARGE = 0x0010
DISTANCE_STEEP = 0x0020
DISTANCE_SMALL = 0x0040
TX_ANGLE = 0x0080
RX_ANGLE = 0x0100
TX_HORIZON_NEAR = 0x0200
RX_HORIZON_NEAR = 0x0400
TX_HORIZON_FAR = 0x0800
RX_HORIZON_FAR = 0x1000
EXTREME_VARIABILITY = 0x2000
REFRACTIVITY_LOW = 0x4000
UNEVEN_SPACING = 0x8000
DIFFRACTION_UNDEFINED = 0x10000
ERROR_REFRACTIVITY = 0x20000
ERROR_EARTH_RADIUS = 0x40000
ERROR_IMPEDANCE = 0x80000

# Rows of a batch's result.
FIELDS = (
    "loss_db",
    "reference_db",
    "free_space_db",
    "distance_m",
    "theta_tx_rad",
    "theta_rx_rad",
    "horizon_tx_m",
    "horizon_rx_m",
    "effective_tx_m",
    "effective_rx_m",
    "surface_refractivity",
    "delta_h_m",
    "mode",
)


@jit
def path_radio(
    frequency_mhz: float,
    tx_m: float,
    rx_m: float,
    mean_amsl_m: float,
    ground: tuple[float, float, float],
    vertical: bool,
) -> Radio:
    """Surface refractivity, effective curvature and ground impedance of a path.

    ``ground`` is (sea-level refractivity, permittivity, conductivity S/m).
    """
    n0, permittivity, conductivity = ground
    refractivity = surface_refractivity(n0, mean_amsl_m)
    curvature = effective_curvature(refractivity)
    complex_permittivity = complex(permittivity, 18000.0 * conductivity / frequency_mhz)
    impedance = cmath.sqrt(complex_permittivity - 1.0)
    if vertical:
        impedance /= complex_permittivity
    return Radio(frequency_mhz, tx_m, rx_m, curvature, refractivity, impedance)


@jit
def path_flags(distance_m: float, radio: Radio, shape: Shape) -> int:
    """Warning and error bits that follow from a path's heights, distance and horizons."""
    bits = 0
    if radio.tx_m < 1.0 or radio.tx_m > 1000.0:
        bits |= TX_HEIGHT
    if radio.rx_m < 1.0 or radio.rx_m > 1000.0:
        bits |= RX_HEIGHT
    if radio.frequency_mhz < 40.0 or radio.frequency_mhz > 10000.0:
        bits |= FREQUENCY
    if abs(shape.angle_tx) > 0.2:
        bits |= TX_ANGLE
    if abs(shape.angle_rx) > 0.2:
        bits |= RX_ANGLE
    smooth_tx = math.sqrt(2.0 * shape.effective_tx_m / radio.curvature)
    smooth_rx = math.sqrt(2.0 * shape.effective_rx_m / radio.curvature)
    if shape.horizon_tx_m < 0.1 * smooth_tx:
        bits |= TX_HORIZON_NEAR
    if shape.horizon_rx_m < 0.1 * smooth_rx:
        bits |= RX_HORIZON_NEAR
    if shape.horizon_tx_m > 3.0 * smooth_tx:
        bits |= TX_HORIZON_FAR
    if shape.horizon_rx_m > 3.0 * smooth_rx:
        bits |= RX_HORIZON_FAR
    if distance_m < 5.0 * abs(shape.effective_tx_m - shape.effective_rx_m):
        bits |= DISTANCE_STEEP
    if distance_m < 1e3:
        bits |= DISTANCE_SMALL
    if distance_m > 1e6:
        bits |= DISTANCE_LARGE
    if distance_m > 2e6:
        bits |= DISTANCE_VERY_LARGE
    if radio.refractivity < 250.0:
        bits |= REFRACTIVITY_LOW
    if not 150.0 <= radio.refractivity <= 400.0:
        bits |= ERROR_REFRACTIVITY
    if not 4e6 <= 1.0 / radio.curvature <= 13333333.0:
        bits |= ERROR_EARTH_RADIUS
    if radio.impedance.real <= abs(radio.impedance.imag):
        bits |= ERROR_IMPEDANCE
    return bits


@jit
def sight_coefficients(
    slope: float, intercept: float, reach_m: float, radio: Radio, shape: Shape
) -> tuple[float, float, float]:
    """A = a + k1·d + k2·ln d of the line-of-sight region [ITS 67, eq. 3.16 to 3.21]: (a, k1, k2).

    The curve meets the diffraction line where a smooth Earth's line of sight ends.
    """
    horizon_reach = shape.horizon_tx_m + shape.horizon_rx_m
    at_reach_db = slope * reach_m + intercept
    d0 = 0.04 * radio.frequency_mhz * shape.effective_tx_m * shape.effective_rx_m
    if intercept >= 0.0:
        d0 = min(d0, 0.5 * horizon_reach)
        d1 = d0 + 0.25 * (horizon_reach - d0)
    else:
        d1 = max(-intercept / slope, 0.25 * horizon_reach)
    a1 = line_of_sight_db(d1, slope, intercept, radio, shape)
    k1 = 0.0
    k2 = 0.0
    fitted = False
    if d0 < d1:
        a0 = line_of_sight_db(d0, slope, intercept, radio, shape)
        span = reach_m - d0
        log_span = math.log(reach_m / d0)
        curved = (span * (a1 - a0) - (d1 - d0) * (at_reach_db - a0)) / (span * math.log(d1 / d0) - (d1 - d0) * log_span)
        k2 = max(0.0, curved)
        fitted = intercept > 0.0 or k2 > 0.0
        if fitted:
            k1 = (at_reach_db - a0 - k2 * log_span) / span
            if k1 < 0.0:
                k1 = 0.0
                k2 = max(at_reach_db - a0, 0.0) / log_span
                if k2 == 0.0:
                    k1 = slope
    if not fitted:
        k2 = 0.0
        k1 = max(at_reach_db - a1, 0.0) / (reach_m - d1)
        if k1 == 0.0:
            k1 = slope
    return at_reach_db - k1 * reach_m - k2 * math.log(reach_m), k1, k2


@jit
def scatter_line(
    slope: float, intercept: float, reach_m: float, los_angle: float, radio: Radio, shape: Shape
) -> tuple[float, float, float]:
    """Slope and intercept of the troposcatter line and the distance where it takes over from diffraction."""
    horizon_reach = shape.horizon_tx_m + shape.horizon_rx_m
    near_m = horizon_reach + 200e3
    far_m = horizon_reach + 400e3
    gain_far = scatter_frequency_gain_db(far_m, radio, shape, -1.0)
    # An undefined gain at the far distance leaves none to fall back on at the near one.
    gain_near = scatter_frequency_gain_db(near_m, radio, shape, -1.0 if math.isnan(gain_far) else gain_far)
    near_db = troposcatter_db(near_m, los_angle, radio, gain_near)
    if not near_db < 1000.0:
        return slope, intercept, 10e6
    far_db = 1001.0 if math.isnan(gain_far) else troposcatter_db(far_m, los_angle, radio, gain_far)
    scatter_slope = (far_db - near_db) / 200e3
    wave_reach = (1.0 / (radio.curvature**2 * radio.frequency_mhz)) ** (1.0 / 3.0)
    change_m = max(
        max(reach_m, horizon_reach + 1.088 * wave_reach * math.log(radio.frequency_mhz)),
        (near_db - intercept - scatter_slope * near_m) / (slope - scatter_slope),
    )
    return scatter_slope, (slope - scatter_slope) * change_m + intercept, change_m


@jit
def reference_attenuation(distance_m: float, radio: Radio, shape: Shape, point_to_point: bool) -> tuple[float, float]:
    """Median attenuation (dB) relative to free space and the mode of propagation [Algorithm, section 4].

    NaN where the smooth-Earth term has no value: Vogler's B0 = 1.607 - K turns negative behind a very near horizon at
    a low frequency.
    """
    reach_m = smooth_reach_m(radio, shape)
    horizon_reach = shape.horizon_tx_m + shape.horizon_rx_m
    los_angle = line_of_sight_angle(radio, shape)
    wave_reach = (1.0 / (radio.curvature**2 * radio.frequency_mhz)) ** (1.0 / 3.0)
    d3 = max(reach_m, horizon_reach + 5.0 * wave_reach)
    d4 = d3 + 10.0 * wave_reach
    a3 = diffraction_db(d3, los_angle, radio, shape, point_to_point)
    a4 = diffraction_db(d4, los_angle, radio, shape, point_to_point)
    slope = (a4 - a3) / (d4 - d3)
    intercept = a3 - slope * d3
    if distance_m < reach_m:
        constant, k1, k2 = sight_coefficients(slope, intercept, reach_m, radio, shape)
        loss = constant + k1 * distance_m + k2 * math.log(distance_m)
        mode = LINE_OF_SIGHT
    else:
        scatter_slope, scatter_intercept, change_m = scatter_line(slope, intercept, reach_m, los_angle, radio, shape)
        if distance_m > change_m:
            loss = scatter_slope * distance_m + scatter_intercept
            mode = TROPOSCATTER
        else:
            loss = slope * distance_m + intercept
            mode = DIFFRACTION
    return (loss if math.isnan(loss) else max(loss, 0.0)), mode


@jit
def finish_path(
    distance_m: float,
    radio: Radio,
    shape: Shape,
    point_to_point: bool,
    climate: FloatArray,
    variability_mode: int,
    quantiles: tuple[float, float, float],
    out: FloatArray,
) -> int:
    """Fill one column of a batch's result (see ``FIELDS``) and return the path's bits."""
    bits = path_flags(distance_m, radio, shape)
    for field in range(out.shape[0]):
        out[field] = math.nan
    out[3] = distance_m
    out[10] = radio.refractivity
    if bits >= ERROR_REFRACTIVITY:
        return bits
    reference_db, mode = reference_attenuation(distance_m, radio, shape, point_to_point)
    if math.isnan(reference_db):  # NTIA's release comes to 0 dB there, by way of a comparison with NaN
        reference_db = 0.0
        bits |= DIFFRACTION_UNDEFINED
    free_db = 32.45 + 20.0 * math.log10(radio.frequency_mhz) + 20.0 * math.log10(distance_m / 1000.0)
    out[0] = free_db + variability_db(
        reference_db, distance_m, radio.frequency_mhz, shape, climate, variability_mode, quantiles
    )
    out[1] = reference_db
    out[2] = free_db
    for field, value in enumerate(shape[:6]):
        out[4 + field] = value
    out[11] = shape.delta_h_m
    out[12] = mode
    return bits


@jit
def mean_elevation_m(z: FloatArray) -> float:
    """Mean elevation of a profile without its first and last tenth."""
    last: int = z.shape[0] - 1
    tenth = int(0.1 * last)
    total: float = 0.0
    for i in range(tenth, last - tenth + 1):
        total += z[i]
    return total / (last - 2 * tenth + 1)


@jit_parallel
def point_to_point_batch(
    profile: tuple[IntArray, IntArray, FloatArray, FloatArray],
    frequency_mhz: FloatArray,
    tx_m: FloatArray,
    rx_m: FloatArray,
    ground: tuple[float, float, float],
    vertical: bool,
    climate: FloatArray,
    variability_mode: int,
    quantiles: tuple[float, float, float],
    out: FloatArray,
    flags: IntArray,
) -> None:
    """Point-to-point attenuation of n paths; ``out`` is (n, len(FIELDS)), ``flags`` (n,).

    ``profile`` is (start, stop, distances, elevations): path i owns points start[i] … stop[i]−1.
    """
    start, stop, point_distance_m, point_elevation_m = profile
    for i in numba.prange(frequency_mhz.shape[0]):
        first, behind = start[i], stop[i]
        scratch = np.empty(MAX_ROUGHNESS_SAMPLES)
        z = np.empty(behind - first)
        equal = resample_equal(point_distance_m[first:behind], point_elevation_m[first:behind], z)
        distance_m = point_distance_m[behind - 1]
        radio = path_radio(frequency_mhz[i], tx_m[i], rx_m[i], mean_elevation_m(z), ground, vertical)
        step_m = distance_m / (behind - first - 1)
        shape = profile_geometry(z, step_m, tx_m[i], rx_m[i], radio.curvature, scratch)
        bits = finish_path(distance_m, radio, shape, True, climate, variability_mode, quantiles, out[i])
        flags[i] = bits if equal else bits | UNEVEN_SPACING


@jit
def area_batch(
    distance_m: FloatArray,
    delta_h_m: FloatArray,
    frequency_mhz: FloatArray,
    tx_m: FloatArray,
    rx_m: FloatArray,
    siting: tuple[float, float],
    ground: tuple[float, float, float],
    vertical: bool,
    climate: FloatArray,
    variability_mode: int,
    quantiles: tuple[float, float, float],
    out: FloatArray,
    flags: IntArray,
) -> None:
    """Area-mode attenuation of n links; ``out`` is (n, len(FIELDS)), ``flags`` (n,)."""
    for i in range(distance_m.shape[0]):
        radio = path_radio(frequency_mhz[i], tx_m[i], rx_m[i], 0.0, ground, vertical)
        shape = area_geometry(tx_m[i], rx_m[i], siting[0], siting[1], radio.curvature, delta_h_m[i])
        flags[i] = finish_path(distance_m[i], radio, shape, False, climate, variability_mode, quantiles, out[i])
