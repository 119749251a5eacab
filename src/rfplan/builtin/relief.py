"""Relief of the synthetic province: ridged noise on a regional base, anchored massifs, carved rivers.

The anchors are published facts: a plain at 10–40 m round Việt Trì, Tam Đảo 1,591 m, Ba Vì 1,258 m, Viên Nam about
1,030 m, ground averaging about 220 m round Hòa Bình and about 820 m round Mai Châu. The rest is invented.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.interpolate import RBFInterpolator

from rfplan.builtin.erosion import eroded
from rfplan.builtin.noise import Field, band_noise, ridged_noise, smooth_noise

F64 = npt.NDArray[np.float64]
Project = Callable[[Any, Any], tuple[Any, Any]]

#: Regional ground: longitude, latitude, mean elevation (m), relief above the valleys (m).
_BASE = (
    (105.40, 21.32, 18, 6), (105.60, 21.30, 14, 6), (105.50, 21.22, 12, 4), (105.71, 21.24, 14, 6),
    (105.45, 21.45, 35, 40), (105.22, 21.40, 35, 40), (105.18, 21.64, 70, 90), (105.00, 21.60, 90, 130),
    (105.05, 21.36, 190, 260), (104.93, 21.22, 330, 480), (104.93, 21.08, 560, 700), (105.18, 21.18, 120, 190),
    (105.28, 21.14, 30, 35), (105.30, 21.28, 22, 15), (105.352, 20.837, 220, 330), (105.10, 20.95, 480, 600),
    (105.55, 20.66, 200, 330), (105.53, 20.88, 110, 200), (105.45, 20.46, 160, 300), (105.75, 20.50, 80, 200),
    (105.22, 20.62, 390, 520), (105.054, 20.693, 820, 620), (104.88, 20.75, 1000, 560), (105.62, 20.38, 100, 180),
    (105.85, 21.50, 40, 40), (105.85, 20.90, 15, 15), (104.82, 20.40, 700, 600), (104.82, 21.70, 350, 450),
)  # fmt: skip


@dataclass(frozen=True)
class Massif:
    """A mountain: position, summit (m) and the half-widths (m) along and across its axis."""

    lon_deg: float
    lat_deg: float
    summit_m: float
    along_m: float
    across_m: float
    axis_deg: float


MASSIFS = (
    Massif(105.544, 21.573, 1591.0, 17_000.0, 6_500.0, 135.0),  # Tam Đảo
    Massif(105.368, 21.058, 1258.0, 5_500.0, 3_800.0, 10.0),  # Ba Vì
    Massif(105.430, 20.985, 1030.0, 4_500.0, 3_500.0, 150.0),  # Viên Nam
)

#: Where the mean elevation is published: longitude, latitude, mean (m), radius (m).
MEAN_ANCHORS = ((105.352, 20.837, 220.0, 8_000.0), (105.054, 20.693, 820.0, 8_000.0))

#: Rivers drawn by hand: floodplain half-width (m), channel half-width (m), then longitude, latitude, water level (m).
RIVERS: dict[str, tuple[float, float, tuple[tuple[float, float, float], ...]]] = {
    "Red": (2_600.0, 260.0, ((104.83, 21.73, 32), (104.97, 21.58, 26), (105.09, 21.45, 21), (105.19, 21.385, 18),
                             (105.25, 21.31, 15), (105.345, 21.25, 12), (105.42, 21.275, 11), (105.50, 21.19, 10),
                             (105.60, 21.15, 9), (105.86, 21.08, 7))),
    "Lô": (1_700.0, 200.0, ((105.16, 21.73, 24), (105.20, 21.62, 21), (105.30, 21.52, 17), (105.36, 21.42, 14),
                            (105.43, 21.345, 12), (105.435, 21.285, 11))),
    "Đà below the dam": (1_500.0, 220.0, ((105.325, 20.815, 14), (105.345, 20.88, 13.5), (105.315, 20.97, 13),
                                         (105.325, 21.10, 12.5), (105.34, 21.19, 12), (105.35, 21.25, 12))),
    "Đà reservoir": (900.0, 420.0, ((104.80, 21.09, 110), (104.93, 20.98, 110), (105.02, 20.88, 110),
                                    (105.12, 20.79, 110), (105.21, 20.78, 110), (105.31, 20.805, 110))),
    "Bôi": (1_300.0, 60.0, ((105.45, 20.76, 60), (105.56, 20.64, 30), (105.68, 20.54, 14), (105.80, 20.44, 8),
                            (105.87, 20.40, 6))),
    "Bưởi": (1_100.0, 50.0, ((105.28, 20.64, 120), (105.40, 20.53, 60), (105.47, 20.42, 35), (105.52, 20.29, 22))),
    "Bứa": (900.0, 50.0, ((104.93, 21.17, 120), (105.07, 21.20, 60), (105.17, 21.25, 30), (105.26, 21.30, 16))),
}  # fmt: skip


@dataclass(frozen=True)
class Relief:
    """Ground and water: elevation in metres above sea, and where channels are."""

    field: Field
    elevation_amsl_m: F64
    water: npt.NDArray[np.bool_]


def make_relief(field: Field, to_metres: Any, seed: int) -> Relief:
    """Return the synthetic ground on ``field``.

    Parameters
    ----------
    field
        The raster frame.
    to_metres
        A ``pyproj.Transformer`` from longitude, latitude to the field's projection.
    seed
        Of every random field.
    """
    project = to_metres.transform
    mean, amplitude = _base(field, project)
    ridges = _dissected(field, project, amplitude, seed)
    fine = ridged_noise(field, seed + 11, 1_300.0, 3, stretch=1.0, direction_deg=0.0)
    fine = (fine - fine.mean()) / fine.std()
    swell = smooth_noise(field, seed + 13, 6_000.0, 3)
    ground = mean + amplitude * (0.30 * ridges + 0.012 * fine + 0.05 * swell)
    for lon, lat, target, radius in MEAN_ANCHORS:
        ground = _shift_mean(field, ground, project(lon, lat), target, radius)
    for k, massif in enumerate(MASSIFS):
        ground = _raise(field, ground, massif, project(massif.lon_deg, massif.lat_deg), ridges, seed + 20 + k)
    ground = np.where(ground > 1_250.0, 1_250.0 + 210.0 * np.tanh((ground - 1_250.0) / 210.0), ground)
    ground, water = _carve(field, ground, project, seed)
    for lon, lat, target, radius in MEAN_ANCHORS:
        ground = np.where(water, ground, _shift_mean(field, ground, project(lon, lat), target, radius))
    for massif in MASSIFS:
        ground = _pin_summit(field, ground, massif, *project(massif.lon_deg, massif.lat_deg))
    low = 4.0 + 1.2 * smooth_noise(field, seed + 14, 2_500.0, 3)
    ground = np.where(water, ground, np.maximum(ground, np.maximum(low, 2.0)))
    return Relief(field, ground, water)


def _dissected(field: Field, project: Project, amplitude: F64, seed: int) -> F64:
    """Return branching valleys and ridges of zero local mean and unit local deviation, made by river erosion."""
    factor = max(1, round(360.0 / field.resolution_m))
    coarse = Field(field.x0_m, field.y0_m, field.resolution_m * factor, -(-field.ny // factor), -(-field.nx // factor))
    x, y = coarse.coordinates()
    row, col = field.rowcol(x[None, :] + 0 * y[:, None], y[:, None] + 0 * x[None, :])
    strength = ndimage.map_coordinates(amplitude, [row, col], order=1, mode="nearest")
    outlet = np.zeros((coarse.ny, coarse.nx), dtype=bool)
    for _, _, points in RIVERS.values():
        table = np.array(points)
        px, py = project(table[:, 0], table[:, 1])
        distance, _ = _along(
            x[None, :] + 0 * y[:, None], y[:, None] + 0 * x[None, :], np.asarray(px), np.asarray(py), table[:, 2]
        )
        outlet |= distance < coarse.resolution_m
    grain = band_noise(coarse, seed + 12, 9_000.0, stretch=3.0, direction_deg=135.0)
    rough = smooth_noise(coarse, seed + 15, 4_000.0, 4)
    uplift = (strength / strength.mean()) ** 0.5 * 12.0 * np.exp(0.6 * grain)
    surface = eroded(60.0 + 25.0 * grain + 12.0 * rough, uplift, outlet, coarse.resolution_m)
    window = int(9_000 / coarse.resolution_m)
    surface = surface - ndimage.uniform_filter(surface, size=window)
    surface = surface / np.sqrt(ndimage.uniform_filter(surface**2, size=2 * window) + 1e-9)
    return coarse.spread(np.clip(surface, -2.5, 3.0), field)


def _base(field: Field, project: Project) -> tuple[F64, F64]:
    """Interpolate the regional mean elevation and relief on a coarse net, then to the pixels."""
    table = np.array(_BASE, dtype=np.float64)
    px, py = project(table[:, 0], table[:, 1])
    fit = RBFInterpolator(np.column_stack([px, py]) / 1e4, np.log(table[:, 2:]), kernel="linear", smoothing=0.02)
    factor = max(1, int(2_000 / field.resolution_m))
    coarse = Field(field.x0_m, field.y0_m, field.resolution_m * factor, -(-field.ny // factor), -(-field.nx // factor))
    cx, cy = coarse.coordinates()
    gx, gy = np.meshgrid(cx, cy)
    values = np.exp(fit(np.column_stack([gx.ravel(), gy.ravel()]) / 1e4)).reshape(coarse.ny, coarse.nx, 2)
    x, y = field.coordinates()
    row, col = coarse.rowcol(x[None, :] + 0 * y[:, None], y[:, None] + 0 * x[None, :])
    mean, amplitude = (ndimage.map_coordinates(values[..., k], [row, col], order=1, mode="nearest") for k in range(2))
    return mean, amplitude


def _distance(field: Field, px: float, py: float) -> F64:
    x, y = field.coordinates()
    return cast("F64", np.hypot(x[None, :] - px, y[:, None] - py))


def _shift_mean(field: Field, ground: F64, at: tuple[float, float], target: float, radius: float) -> F64:
    """Raise or lower the ground smoothly round a point until its mean within ``radius`` is ``target``."""
    distance = _distance(field, *at)
    bump = np.exp(-((distance / (1.6 * radius)) ** 2))
    near = distance <= radius
    for _ in range(3):
        ground = ground + bump * (target - ground[near].mean()) / bump[near].mean()
    return ground


def _raise(field: Field, ground: F64, massif: Massif, at: tuple[float, float], ridges: F64, seed: int) -> F64:
    """Set a mountain on the ground: an elongated cone cut by the same ridges as the hills."""
    x, y = field.coordinates()
    dx, dy = x[None, :] - at[0], y[:, None] - at[1]
    angle = np.deg2rad(massif.axis_deg)
    along = (dx * np.sin(angle) + dy * np.cos(angle)) / massif.along_m
    across = (dx * np.cos(angle) - dy * np.sin(angle)) / massif.across_m
    wobble = 0.10 * smooth_noise(field, seed, 5_000.0, 3)
    shape = np.clip(1.0 - np.hypot(along, across) * (1.0 + wobble), 0.0, 1.0) ** 1.15
    body = massif.summit_m * shape * np.clip(0.86 + 0.16 * np.clip(ridges, -2.0, 1.5), 0.45, 1.0)
    return cast("F64", np.maximum(ground, ground * (1.0 - shape) + body))


def _pin_summit(field: Field, ground: F64, massif: Massif, px: float, py: float) -> F64:
    """Make the summit's pixel exactly the published height and the highest within 8 km."""
    distance = _distance(field, px, py)
    row, col = field.rowcol(np.array(px), np.array(py))
    r, c = int(np.rint(row)), int(np.rint(col))
    near = distance < 8_000.0
    cap = massif.summit_m - 25.0 - 0.02 * distance
    ground = np.where(near & (ground > cap), cap + 12.0 * np.tanh((ground - cap) / 60.0), ground)
    rise = massif.summit_m - ground[r, c]
    ground = ground + rise * np.exp(-((distance / 900.0) ** 2))
    ground = np.minimum(ground, np.where(near, massif.summit_m - 1e-3 * distance, np.inf))
    ground[r, c] = massif.summit_m
    return ground


def _carve(field: Field, ground: F64, project: Project, seed: int) -> tuple[F64, npt.NDArray[np.bool_]]:
    """Cut the rivers' channels and floodplains into the ground."""
    ground = ground.copy()
    water = np.zeros(ground.shape, dtype=bool)
    meander_row = smooth_noise(field, seed + 31, 7_000.0, 2) * 500.0
    meander_col = smooth_noise(field, seed + 32, 7_000.0, 2) * 500.0
    x, y = field.coordinates()
    for plain_m, channel_m, points in RIVERS.values():
        table = np.array(points)
        px, py = (np.asarray(v) for v in project(table[:, 0], table[:, 1]))
        reach = plain_m + channel_m + 3_000.0  # meanders bend a river by less than 3 km
        cols = slice(*np.searchsorted(x, (px.min() - reach, px.max() + reach)))
        rows = slice(*np.searchsorted(-y, (-py.max() - reach, -py.min() + reach)))
        window = (rows, cols)
        gx, gy = x[None, cols] + meander_col[window], y[rows, None] + meander_row[window]
        distance, level = _along(gx, gy, px, py, table[:, 2])
        rise = np.clip((distance - channel_m) / plain_m, 0.0, None)
        blend = np.clip(rise, 0.0, 1.0)
        blend = blend * blend * (3.0 - 2.0 * blend)
        bank = level + 2.5 + 5.0 * np.clip(rise, 0.0, 1.0)
        above = ground[window] - bank
        valley = bank + above * np.where(above > 0.0, blend, 0.5)
        channel = distance <= channel_m
        ground[window] = np.where(channel, level, np.where(rise < 1.0, valley, ground[window]))
        water[window] |= channel
    return ground, water


def _along(gx: F64, gy: F64, px: F64, py: F64, level: F64) -> tuple[F64, F64]:
    """Return the distance to a polyline (m) and the level interpolated at the nearest point of it."""
    distance = np.full(gx.shape, np.inf)
    height = np.zeros(gx.shape)
    for k in range(len(px) - 1):
        dx, dy = px[k + 1] - px[k], py[k + 1] - py[k]
        t = np.clip(((gx - px[k]) * dx + (gy - py[k]) * dy) / (dx * dx + dy * dy), 0.0, 1.0)
        d = np.hypot(gx - px[k] - t * dx, gy - py[k] - t * dy)
        closer = d < distance
        distance = np.where(closer, d, distance)
        height = np.where(closer, level[k] + t * (level[k + 1] - level[k]), height)
    return distance, height
