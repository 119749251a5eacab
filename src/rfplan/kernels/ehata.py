"""Extended Hata model (NTIA): median urban loss, terrain corrections and location variability.

Source: E. F. Drocella and others, NTIA Technical Report TR-15-517 (2015), appendix A; Y. Okumura and others, Review of
the Electrical Communication Laboratory 16 (1968), figures 12 and 31 to 34 and section 4. Profiles run from the mobile
to the base.
"""

from __future__ import annotations

import math

import numba
import numpy as np
import numpy.typing as npt

from rfplan.kernels._jit import jit, jit_parallel
from rfplan.kernels.itm_loss import effective_curvature, surface_refractivity
from rfplan.kernels.itm_terrain import horizons, resample_equal, select_smallest, trapezoid_line

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

URBAN, SUBURBAN, RURAL = 0, 1, 2

# Rows of a batch's result; the loss is their sum.
PARTS = (
    "median_db",
    "location_db",
    "ridge_db",
    "rolling_hills_db",
    "fine_hills_db",
    "slope_db",
    "sea_db",
)


def _quadratic(x: tuple[float, float, float], y: tuple[float, float, float]) -> tuple[float, float, float]:
    """Coefficients (constant first) of the parabola through three points."""
    first = (y[1] - y[0]) / (x[1] - x[0])
    second = ((y[2] - y[1]) / (x[2] - x[1]) - first) / (x[2] - x[0])
    return y[0] - first * x[0] + second * x[0] * x[1], first - second * (x[0] + x[1]), second


# Figures are read at these frequencies (MHz), base at 200 m and mobile at 3 m.
_LOG_MHZ = (math.log10(1500.0), math.log10(2000.0), math.log10(3000.0))
_BASE_GAIN_DB = 13.82 * math.log10(200.0)
_MOBILE_GAIN_DB = 3.2 * math.log10(11.75 * 3.0) ** 2 - 4.97
_SPEED_M_S = 1.0 / math.sqrt(8.854e-12 * 4.0e-7 * math.pi)
_SLANT_1KM_M = math.sqrt(1.0e6 + 197.0**2)


def _free_1km_db(log_mhz: float) -> float:
    return 20.0 * math.log10(4.0 * math.pi * 10.0**log_mhz * 1e6 / _SPEED_M_S * _SLANT_1KM_M)


# Median urban attenuation at 1 km: 22, 23.5 and 25.85 dB at the three frequencies, as total loss without height gains.
_URBAN = _quadratic(
    _LOG_MHZ,
    (
        22.0 + _BASE_GAIN_DB + _MOBILE_GAIN_DB + _free_1km_db(_LOG_MHZ[0]),
        23.5 + _BASE_GAIN_DB + _MOBILE_GAIN_DB + _free_1km_db(_LOG_MHZ[1]),
        25.85 + _BASE_GAIN_DB + _MOBILE_GAIN_DB + _free_1km_db(_LOG_MHZ[2]),
    ),
)
_SUBURBAN = _quadratic(_LOG_MHZ, (11.5, 12.4, 14.0))
_RURAL = (40.94, -18.33, 4.78)
# Fit to 63.5, 65.75 and 69.5 dB at 100 km, with the rounding the model is published with.
_FAR = (120.78129, -52.714929, 10.919011)
# Half the distance exponent beyond the break point at base heights of 24.5, 70 and 200 m (Okumura, figure 12).
_EXPONENT = _quadratic((math.log10(24.5), math.log10(70.0), math.log10(200.0)), (2.5, 3.0, 3.22))
_SIGMA_URBAN = (4.0976291, -1.2255656, 0.68350345)

# Okumura, figure 31: correction at 0 … 8 km behind a ridge of 200 m that stands 15, 30 and 60 km from the base.
_RIDGE = np.array(
    [
        [4.0, -13.0, -17.5, -17.5, -15.0, -12.5, -10.0, -8.0, -6.0],
        [12.0, -8.5, -13.0, -12.0, -10.0, -8.0, -6.5, -5.0, -4.0],
        [20.0, -4.0, -6.5, -6.0, -4.5, -3.5, -2.5, -2.0, -1.0],
    ]
)
# Okumura, section 4.4: sea share of the path, then the correction with the sea at the base and at the mobile.
_SEA_30KM = np.array(
    [
        [0.0, 0.15, 0.35, 0.45, 0.6, 0.65, 0.725, 0.775, 0.85, 1.0],
        [0.0, 1.0, 3.0, 4.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0],
        [0.0, 4.0, 5.5, 7.0, 8.5, 9.0, 9.5, 9.8, 10.25, 11.0],
    ]
)
_SEA_60KM = np.array(
    [
        [0.0, 0.15, 0.3, 0.4, 0.5, 0.6, 0.725, 0.85, 0.9, 1.0],
        [0.0, 2.0, 4.0, 5.5, 7.0, 9.0, 11.0, 13.0, 14.0, 15.0],
        [0.0, 4.25, 6.25, 9.2, 10.5, 11.75, 13.0, 14.0, 14.25, 15.0],
    ]
)


@jit
def parabola(coefficients: tuple[float, float, float], x: float) -> float:
    """Value of a parabola given by its coefficients, constant first."""
    return coefficients[0] + x * (coefficients[1] + x * coefficients[2])


@jit
def median_loss_db(frequency_mhz: float, base_m: float, mobile_m: float, distance_km: float, environment: int) -> float:
    """Median loss in an environment, without terrain corrections; heights are the clamped effective ones."""
    log_f = math.log10(frequency_mhz)
    log_b = math.log10(base_m)
    urban_db = parabola(_URBAN, log_f)
    wavenumber = 2.0e6 * math.pi * frequency_mhz / _SPEED_M_S
    near_db = urban_db - _BASE_GAIN_DB - _MOBILE_GAIN_DB - 20.0 * math.log10(2.0 * wavenumber * _SLANT_1KM_M)
    far_db = parabola(_FAR, log_f)
    far_exponent = 2.0 * (parabola(_EXPONENT, log_b) - 1.0)
    near_exponent = 0.1 * (44.9 - 6.55 * log_b) - 2.0
    break_km = 10.0 ** ((2.0 * far_exponent + 0.1 * (near_db - far_db)) / (far_exponent - near_exponent))
    mobile_db = 4.97 - 3.2 * math.log10(11.75 * mobile_m) ** 2
    log_d = math.log10(distance_km)
    if distance_km <= break_km:
        loss = urban_db - 13.82 * log_b + mobile_db + (44.9 - 6.55 * log_b) * log_d
    else:
        slant_m = math.sqrt(1.0e6 * distance_km * distance_km + (base_m - mobile_m) ** 2)
        loss = (
            far_db
            + _BASE_GAIN_DB
            + _MOBILE_GAIN_DB
            - 13.82 * log_b
            + mobile_db
            + 10.0 * far_exponent * (log_d - 2.0)
            + 20.0 * math.log10(2.0 * wavenumber * slant_m)
        )
    if environment == SUBURBAN:
        loss -= parabola(_SUBURBAN, log_f)
    elif environment == RURAL:
        loss -= parabola(_RURAL, log_f)
    return loss


@jit
def mean_height(z: FloatArray, lower: int, upper: int) -> float:
    """Mean of z[lower..upper], both included."""
    total: float = 0.0
    for i in range(lower, upper + 1):
        total += z[i]
    return total / (upper - lower + 1)


@jit
def rise_above_surroundings(z: FloatArray, step_km: float, from_end: bool) -> float:
    """Height (m) of a terminal's ground above the mean between 3 and 15 km from it; none on paths under 3 km."""
    last = z.shape[0] - 1
    distance_km = last * step_km
    if distance_km < 3.0:
        return 0.0
    near = int(3.0 / step_km)
    far = int(15.0 / step_km) if distance_km > 15.0 else last
    share: float = 1.0 if distance_km > 15.0 else (distance_km - 3.0) / 12.0
    if from_end:
        return share * (float(z[last]) - mean_height(z, last - far, last - near))
    return share * (float(z[0]) - mean_height(z, near, far))


@jit
def terrain_deciles(z: FloatArray, step_km: float, scratch: FloatArray) -> tuple[float, float, float]:
    """Heights exceeded on 10, 50 and 90 % of the 10 km nearest the mobile; extrapolated on shorter paths."""
    last = z.shape[0] - 1
    distance_km = last * step_km
    count = last + 1
    factor = 1.0
    if distance_km < 10.0:
        factor = (1.0 - 0.8 * math.exp(-0.2)) / (1.0 - 0.8 * math.exp(-0.02 * distance_km))
    else:
        count = min(int(10.0 / step_km), last) + 1
    for i in range(count):
        scratch[i] = z[i]
    top = count - 1
    upper = select_smallest(scratch, count, top - min(max(int(0.1 * count - 1.0), 0), top), 0)
    middle = select_smallest(scratch, count, top - min(max(int(0.5 * count - 1.0), 0), top), 0)
    lower = select_smallest(scratch, count, top - min(max(int(0.9 * count - 1.0), 0), top), 0)
    return upper * factor, middle * factor, lower * factor


@jit
def mobile_slope_mrad(z: FloatArray, step_m: float) -> float:
    """Slope of the ground around the mobile (mrad, positive falling away), from fits over 5, 6 … 10 km."""
    distance_m = (z.shape[0] - 1) * step_m
    steepest_up = -math.inf
    steepest_down = math.inf
    nearest = 0.0
    reach_m = 5000.0
    while distance_m >= reach_m and reach_m <= 10000.0:
        points = int(reach_m / step_m)
        at_mobile, at_reach = trapezoid_line(z, points, 0, points)
        slope = -1000.0 * (at_reach - at_mobile) / reach_m
        steepest_up = max(steepest_up, slope)
        steepest_down = min(steepest_down, slope)
        if reach_m == 5000.0:
            nearest = slope
        reach_m += 1000.0
    if distance_m <= 5000.0 or steepest_up * steepest_down < 0.0:
        return nearest
    return steepest_up if steepest_up >= 0.0 else steepest_down


@jit
def slope_correction_db(slope_mrad: float, distance_km: float) -> float:
    """Correction for a sloping path (Okumura, figure 34)."""
    if slope_mrad <= 0.0:
        share = min(max((distance_km - 10.0) / 20.0, 0.0), 1.0)
        return slope_mrad * (0.25 + share * (0.8 - 0.25))
    if distance_km <= 30.0:
        return slope_mrad * (0.125 + max((distance_km - 10.0) / 20.0, 0.0) * (0.35 - 0.125))
    return slope_mrad * (0.35 + min((distance_km - 30.0) / 30.0, 1.0) * (0.6 - 0.35))


@jit
def rolling_hills_correction_db(delta_h_m: float) -> float:
    """Median correction for rolling hills."""
    x = math.log10(max(delta_h_m, 15.0))
    return -1.5072013 + x * (8.458676 - 6.102538 * x)


@jit
def fine_hills_correction_db(ground_m: float, deciles_m: tuple[float, float, float]) -> float:
    """Correction for where the mobile stands among rolling hills: from the top decile (+) to the bottom one (−)."""
    high, middle, low = deciles_m
    delta_h = high - low
    if delta_h < 10.0:
        return 0.0
    x = math.log10(delta_h)
    full = -11.728795 + x * (15.544272 - 1.8154766 * x)
    if ground_m >= high:
        return full
    if ground_m <= low:
        return -full
    if ground_m >= middle:
        return full * (ground_m - middle) / (high - middle)
    return -full * (middle - ground_m) / (middle - low)


@jit
def ridge_correction_db(base_km: float, mobile_km: float, ridge_m: float, bounded: bool) -> float:
    """Correction behind an isolated ridge at distances from base and mobile (Okumura, figures 31 and 32).

    Unbounded, the curves are extrapolated beyond 15 to 60 km and 8 km, as NTIA first published the model.
    """
    row = 1 if base_km >= 30.0 else 0
    column = 0
    while column < 7 and mobile_km > column + 1.0:
        column += 1
    share = mobile_km - column
    near: float = _RIDGE[row, column] + (_RIDGE[row, column + 1] - _RIDGE[row, column]) * share
    far: float = _RIDGE[row + 1, column] + (_RIDGE[row + 1, column + 1] - _RIDGE[row + 1, column]) * share
    along = (base_km - 30.0) / 30.0 if row == 1 else (base_km - 15.0) / 15.0
    if bounded:
        along = min(max(along, 0.0), 1.0)
    value = near + (far - near) * along
    if bounded and mobile_km > 2.0:
        value = min(value, 0.0)
    return math.sqrt(ridge_m / 200.0) * value


@jit
def ridge_height_m(
    z: FloatArray,
    step_m: float,
    base_m: float,
    mobile_m: float,
    at_m: tuple[float, float],
    curvature: float,
    geometric: bool,
) -> float:
    """Height of the common horizon at distances ``at_m`` from base and mobile, above the line between the antennas.

    NTIA's release weights the two antennas by the nearer distance instead of the farther one, and rounding can take
    it to the point before the ridge. Its published values contain both, so only ``geometric`` does it right.
    """
    last: int = z.shape[0] - 1
    at_base, at_mobile = at_m
    top_base: float = base_m + z[last]
    top_mobile: float = mobile_m + z[0]
    bulge = 0.5 * curvature * at_mobile * at_base
    edge = int(at_mobile / step_m + 0.5)
    if geometric:
        return float(z[edge]) - (top_base * at_mobile + top_mobile * at_base) / (last * step_m) + bulge
    walked = 0.0
    for _ in range(edge):
        walked += step_m
    return float(z[int(walked / step_m)]) - (top_base * at_base + top_mobile * at_mobile) / (last * step_m) + bulge


@jit
def sea_curve_db(table: FloatArray, share: float, side: int) -> float:
    """Mixed-path correction at a sea share; side 1 base, 2 mobile, 0 the mean of both."""
    k = 0
    while k < 8 and share > table[0, k + 1]:
        k += 1
    along = (share - table[0, k]) / (table[0, k + 1] - table[0, k])
    at_base: float = table[1, k] + (table[1, k + 1] - table[1, k]) * along
    at_mobile: float = table[2, k] + (table[2, k + 1] - table[2, k]) * along
    if side == 1:
        return at_base
    if side == 2:
        return at_mobile
    return 0.5 * (at_base + at_mobile)


@jit
def sea_correction_db(sea: npt.NDArray[np.bool_], distance_km: float) -> float:
    """Mixed land and sea path correction (Okumura, section 4.4)."""
    points = sea.shape[0]
    half = (points - 1) // 2
    total = 0
    at_mobile = 0
    for i in range(points):
        if sea[i]:
            total += 1
            if i < half:
                at_mobile += 1
    if total == 0:
        return 0.0
    at_base = total - at_mobile
    side = 0
    if at_mobile > at_base:
        side = 2
    elif at_base > at_mobile:
        side = 1
    share = total / points
    along = min(max((distance_km - 30.0) / 30.0, 0.0), 1.0)
    near = sea_curve_db(_SEA_30KM, share, side)
    return near + along * (sea_curve_db(_SEA_60KM, share, side) - near)


@jit
def path_parts(
    z: FloatArray,
    sea: npt.NDArray[np.bool_],
    step_m: float,
    link: tuple[float, float, float],
    environment: int,
    quantile: float,
    geometric: bool,
    scratch: FloatArray,
    out: FloatArray,
) -> None:
    """Parts (``PARTS``) of the loss over a profile from mobile to base; ``link`` is (MHz, base m, mobile m)."""
    frequency_mhz, base_m, mobile_m = link
    last = z.shape[0] - 1
    distance_m = last * step_m
    distance_km = distance_m / 1000.0
    step_km = step_m / 1000.0
    base_eff = min(max(base_m + rise_above_surroundings(z, step_km, True), 30.0), 200.0)
    mobile_eff = min(max(mobile_m + rise_above_surroundings(z, step_km, False), 1.0), 10.0)
    out[:] = 0.0
    out[0] = median_loss_db(frequency_mhz, base_eff, mobile_eff, distance_km, environment)
    sigma = parabola(_SIGMA_URBAN, math.log10(frequency_mhz)) + (0.0 if environment == URBAN else 2.0)
    out[1] = -quantile * sigma

    curvature = effective_curvature(surface_refractivity(301.0, mean_height(z, 0, last)))
    _, _, at_mobile, at_base = horizons(z, last, step_m, mobile_m, base_m, curvature)
    if abs(distance_m - at_mobile - at_base) <= 0.5 * step_m:
        ridge = ridge_height_m(z, step_m, base_m, mobile_m, (at_base, at_mobile), curvature, geometric)
        out[2] = -ridge_correction_db(at_base * 1e-3, at_mobile * 1e-3, max(ridge, 0.0), geometric)
    else:
        deciles = terrain_deciles(z, step_km, scratch)
        out[3] = -rolling_hills_correction_db(deciles[0] - deciles[2])
        out[4] = -fine_hills_correction_db(z[0], deciles)
        out[5] = -slope_correction_db(mobile_slope_mrad(z, step_m), distance_km)
    out[6] = -sea_correction_db(sea, distance_km)


@jit_parallel
def ehata_batch(
    profile: tuple[IntArray, IntArray, FloatArray, FloatArray, npt.NDArray[np.bool_]],
    frequency_mhz: FloatArray,
    base_m: FloatArray,
    mobile_m: FloatArray,
    environment: int,
    quantile: float,
    geometric: bool,
    out: FloatArray,
    equal: npt.NDArray[np.bool_],
) -> None:
    """Parts of the loss of n paths, (n, len(PARTS)); profiles run from base to mobile and are turned round here."""
    start, stop, point_distance_m, point_elevation_m, point_sea = profile
    for i in numba.prange(frequency_mhz.shape[0]):
        first, behind = start[i], stop[i]
        n = behind - first
        ahead = np.empty(n)
        equal[i] = resample_equal(point_distance_m[first:behind], point_elevation_m[first:behind], ahead)
        z = ahead[::-1].copy()
        sea = point_sea[first:behind][::-1].copy()
        step_m = point_distance_m[behind - 1] / (n - 1)
        link = (frequency_mhz[i], base_m[i], mobile_m[i])
        path_parts(z, sea, step_m, link, environment, quantile, geometric, np.empty(n), out[i])
