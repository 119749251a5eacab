"""The three attenuation mechanisms of the Irregular Terrain Model: diffraction, line of sight, troposcatter.

Equation numbers "[Algorithm …]" are those of G. A. Hufford, "The ITS Irregular Terrain Model, version 1.2.2: the
algorithm" (NTIA); "[ITS 67 …]" those of Longley and Rice, ESSA Technical Report ERL 79-ITS 67 (1968);
"[TN101 …]" those of Rice, Longley, Norton and Barsis, NBS Technical Note 101 (1967).
Lengths in metres, angles in radians, losses in decibels; k is the wavenumber f_MHz/47.7.
"""

from __future__ import annotations

import cmath
import math
from typing import NamedTuple

from rfplan.kernels._jit import jit

WAVENUMBER_MHZ = 47.7  # c/2π in MHz·m: k = f/47.7
EARTH_RADIUS_M = 6370e3


class Radio(NamedTuple):
    """What a path brings besides its terrain; heights are above ground, curvature is 1/(effective Earth radius)."""

    frequency_mhz: float
    tx_m: float
    rx_m: float
    curvature: float
    refractivity: float
    impedance: complex


class Shape(NamedTuple):
    """What the model needs to know of the terrain: horizons, effective heights and irregularity Δh."""

    angle_tx: float
    angle_rx: float
    horizon_tx_m: float
    horizon_rx_m: float
    effective_tx_m: float
    effective_rx_m: float
    delta_h_m: float


@jit
def surface_refractivity(n0: float, elevation_amsl_m: float) -> float:
    """Surface refractivity at a height from its sea-level value, N-units [TN101, eq. 4.3]."""
    return n0 * math.exp(-elevation_amsl_m / 9460.0)


@jit
def effective_curvature(refractivity: float) -> float:
    """Curvature (1/m) of the effective Earth over a surface of this refractivity [TN101, eq. 4.4]."""
    return 157e-9 * (1.0 - 0.04665 * math.exp(refractivity / 179.3))


@jit
def line_of_sight_angle(radio: Radio, shape: Shape) -> float:
    """Angular distance of the line-of-sight region (rad)."""
    reach_m = shape.horizon_tx_m + shape.horizon_rx_m
    return -max(shape.angle_tx + shape.angle_rx, -reach_m * radio.curvature)


@jit
def smooth_reach_m(radio: Radio, shape: Shape) -> float:
    """Line-of-sight distance over a smooth Earth with the path's effective heights."""
    return math.sqrt(2.0 * shape.effective_tx_m / radio.curvature) + math.sqrt(
        2.0 * shape.effective_rx_m / radio.curvature
    )


@jit
def roughness_at(distance_m: float, delta_h_m: float) -> float:
    """Terrain irregularity over a finite distance [ITS 67, eq. 3]."""
    return delta_h_m * (1.0 - 0.8 * math.exp(-distance_m / 50e3))


@jit
def surface_deviation(delta_h_m: float) -> float:
    """RMS deviation of the ground within the first Fresnel zone [ITS 67, eq. 3.6a]."""
    return 0.78 * delta_h_m * math.exp(-0.5 * math.sqrt(math.sqrt(delta_h_m)))


@jit
def knife_edge_db(v_squared: float) -> float:
    """Loss of an ideal knife edge as a function of v² [TN101, eq. III.24b-c]."""
    if v_squared < 5.76:
        return 6.02 + 9.11 * math.sqrt(v_squared) - 1.27 * v_squared
    return 12.953 + 10.0 * math.log10(v_squared)


@jit
def height_gain_db(x: float, k: float) -> float:
    """Height-gain function F(x, K) of a smooth Earth [Vogler 1964; Algorithm, section 6]."""
    if x < 200.0:
        log_k = -math.log(k)
        if k < 1e-5 or x * log_k**3 > 5495.0:
            return 17.372 * math.log(x) - 117.0 if x > 1.0 else -117.0
        return 2.5e-5 * x * x / k - 8.686 * log_k - 15.0
    far = 0.05751 * x - 4.343 * math.log(x)
    if x >= 2000.0:
        return far
    share = 0.0134 * x * math.exp(-0.005 * x)
    return (1.0 - share) * far + share * (17.372 * math.log(x) - 117.0)


@jit
def smooth_earth_db(distance_m: float, los_angle: float, radio: Radio, shape: Shape) -> float:
    """Diffraction over a smooth Earth by Vogler's three radii [Algorithm, eq. 4.20]."""
    beyond = distance_m * radio.curvature - los_angle
    cube_root: float = radio.frequency_mhz ** (1.0 / 3.0)
    k_factor = 0.017778 / (cube_root * abs(radio.impedance))
    radius = (distance_m - shape.horizon_tx_m - shape.horizon_rx_m) / beyond
    ratio: float = ((4.0 / 3.0) * EARTH_RADIUS_M / radius) ** (1.0 / 3.0)
    x_total = (1.607 - k_factor * ratio) * ratio * ratio * cube_root * (radius * beyond) * 1e-3
    gain = 0.0
    for end in range(2):
        horizon = shape.horizon_tx_m if end == 0 else shape.horizon_rx_m
        height = shape.effective_tx_m if end == 0 else shape.effective_rx_m
        radius = 0.5 * horizon * horizon / height
        ratio = ((4.0 / 3.0) * EARTH_RADIUS_M / radius) ** (1.0 / 3.0)
        k_end = k_factor * ratio
        x = (1.607 - k_end) * ratio * ratio * cube_root * horizon * 1e-3
        gain += height_gain_db(x, k_end)
        x_total += x
    return 0.05751 * x_total - 10.0 * math.log10(x_total) - gain - 20.0


@jit
def diffraction_db(distance_m: float, los_angle: float, radio: Radio, shape: Shape, point_to_point: bool) -> float:
    """Double knife edge and smooth Earth weighted by roughness, plus clutter [Algorithm, section 4.2]."""
    wavenumber = radio.frequency_mhz / WAVENUMBER_MHZ
    reach = shape.horizon_tx_m + shape.horizon_rx_m
    beyond = distance_m * radio.curvature - los_angle
    past = distance_m - reach
    scale = 0.0795775 * wavenumber * beyond * beyond * past
    edges_db = knife_edge_db(scale * shape.horizon_tx_m / (past + shape.horizon_tx_m)) + knife_edge_db(
        scale * shape.horizon_rx_m / (past + shape.horizon_rx_m)
    )
    smooth_db = smooth_earth_db(distance_m, los_angle, radio, shape)
    deviation = surface_deviation(roughness_at(smooth_reach_m(radio, shape), shape.delta_h_m))
    product = radio.tx_m * radio.rx_m
    clutter_db = min(15.0, 5.0 * math.log10(1.0 + 1e-5 * product * radio.frequency_mhz * deviation))
    # Low antennas on a known path are less sensitive to roughness: C = 10 [ITS 67, page 3-8].
    excess = shape.effective_tx_m * shape.effective_rx_m - product
    height_ratio = math.sqrt(1.0 + excess / (product + 10.0 if point_to_point else product))
    rough = min(roughness_at(distance_m, shape.delta_h_m) * wavenumber, 6283.2)
    argument = (height_ratio + (reach - los_angle / radio.curvature) / distance_m) * rough
    weight = 25.1 / (25.1 + math.sqrt(argument))
    return weight * smooth_db + (1.0 - weight) * edges_db + clutter_db


@jit
def line_of_sight_db(distance_m: float, slope: float, intercept: float, radio: Radio, shape: Shape) -> float:
    """Two-ray loss and the extended diffraction line, weighted by roughness [Algorithm, eq. 4.43 to 4.50]."""
    wavenumber = radio.frequency_mhz / WAVENUMBER_MHZ
    deviation = surface_deviation(roughness_at(distance_m, shape.delta_h_m))
    height_sum = shape.effective_tx_m + shape.effective_rx_m
    sine = height_sum / math.sqrt(distance_m * distance_m + height_sum * height_sum)
    reflection = (sine - radio.impedance) / (sine + radio.impedance)
    reflection *= math.exp(-min(10.0, wavenumber * deviation * sine))
    power = reflection.real**2 + reflection.imag**2
    if power < 0.25 or power < sine:
        reflection *= math.sqrt(sine / power)
    phase = 2.0 * wavenumber * shape.effective_tx_m * shape.effective_rx_m / distance_m
    if phase > 0.5 * math.pi:
        phase = math.pi - (0.5 * math.pi) ** 2 / phase
    field = cmath.exp(complex(0.0, -phase)) + reflection
    two_ray_db = -10.0 * math.log10(field.real**2 + field.imag**2)
    weight = 1.0 / (1.0 + radio.frequency_mhz * shape.delta_h_m / max(10e3, smooth_reach_m(radio, shape)))
    return weight * two_ray_db + (1.0 - weight) * (slope * distance_m + intercept)


@jit
def scatter_attenuation_db(angle_distance_m: float) -> float:
    """Attenuation function F(θd) [Algorithm, eq. 6.9]."""
    if angle_distance_m <= 10e3:
        return 133.4 + 0.332e-3 * angle_distance_m - 10.0 * math.log10(angle_distance_m)
    if angle_distance_m <= 70e3:
        return 104.6 + 0.212e-3 * angle_distance_m - 2.5 * math.log10(angle_distance_m)
    return 71.8 + 0.157e-3 * angle_distance_m + 5.0 * math.log10(angle_distance_m)


@jit
def frequency_gain_curve_db(r: float, curve: int) -> float:
    """One of the five fitted curves of H0(r) for η_s = 1 … 5 [Algorithm, eq. 6.13]."""
    if curve == 0:
        a, b = 25.0, 24.0
    elif curve == 1:
        a, b = 80.0, 45.0
    elif curve == 2:
        a, b = 177.0, 68.0
    elif curve == 3:
        a, b = 395.0, 80.0
    else:
        a, b = 705.0, 105.0
    inverse = 1.0 / (r * r)
    return 10.0 * math.log10(1.0 + (a * inverse + b) * inverse)


@jit
def frequency_gain_db(r: float, efficiency: float) -> float:
    """Frequency gain H0(r, η_s), interpolated between its curves, 1 ≤ η_s ≤ 5 [TN101, section 9.2]."""
    eta = min(max(efficiency, 1.0), 5.0)
    curve = int(eta)
    share = eta - curve
    value = frequency_gain_curve_db(r, curve - 1)
    if share != 0.0:
        value = (1.0 - share) * value + share * frequency_gain_curve_db(r, curve)
    return value


@jit
def scatter_frequency_gain_db(distance_m: float, radio: Radio, shape: Shape, previous_db: float) -> float:
    """Frequency gain H0 of the troposcatter path, NaN where the method is undefined [TN101, eq. 9.2 to 9.5].

    ``previous_db`` is the gain at the farther distance (negative when there is none): it replaces one above 15 dB.
    """
    if previous_db > 15.0:
        return previous_db
    wavenumber = radio.frequency_mhz / WAVENUMBER_MHZ
    asymmetry = shape.horizon_tx_m - shape.horizon_rx_m
    ratio = shape.effective_rx_m / shape.effective_tx_m
    if asymmetry < 0.0:
        asymmetry = -asymmetry
        ratio = 1.0 / ratio
    theta = shape.angle_tx + shape.angle_rx + distance_m * radio.curvature
    r1 = 2.0 * wavenumber * theta * shape.effective_tx_m
    r2 = 2.0 * wavenumber * theta * shape.effective_rx_m
    if r1 < 0.2 and r2 < 0.2:
        return math.nan
    s = (distance_m - asymmetry) / (distance_m + asymmetry)
    q = min(max(0.1, ratio / s), 10.0)
    s = max(0.1, s)
    crossover = (distance_m - asymmetry) * (distance_m + asymmetry) * theta * 0.25 / distance_m
    n_s = radio.refractivity
    lapse = 0.031 - 2.32e-3 * n_s + 5.67e-6 * n_s * n_s
    efficiency = crossover / 1755.6 * (1.0 + lapse * math.exp(-(min(1.7, crossover / 8e3) ** 6)))
    gain = 0.5 * (frequency_gain_db(r1, efficiency) + frequency_gain_db(r2, efficiency))
    correction = 6.0 * (0.6 - math.log10(max(efficiency, 1.0))) * math.log10(s) * math.log10(q)
    gain = max(gain + min(gain, correction), 0.0)
    if efficiency < 1.0:
        root2 = math.sqrt(2.0)
        factor = ((1.0 + root2 / r1) * (1.0 + root2 / r2)) ** 2 * (r1 + r2) / (r1 + r2 + 2.0 * root2)
        gain = efficiency * gain + (1.0 - efficiency) * 10.0 * math.log10(factor)
    if gain > 15.0 and previous_db >= 0.0:
        return previous_db
    return gain


@jit
def troposcatter_db(distance_m: float, los_angle: float, radio: Radio, gain_db: float) -> float:
    """Troposcatter attenuation relative to free space given its frequency gain [Algorithm, eq. 4.63]."""
    angle = distance_m * radio.curvature - los_angle
    # The source's k·H with H = 47.7 m is the frequency in MHz.
    return (
        scatter_attenuation_db(angle * distance_m)
        + 10.0 * math.log10(radio.frequency_mhz * angle**4)
        - 0.1 * (radio.refractivity - 301.0) * math.exp(-angle * distance_m / 40e3)
        + gain_db
    )
