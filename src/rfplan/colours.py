"""Colour scales and relief shading that pages and plots share."""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

UByteArray = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

COVERED: Colour = (43, 108, 168)
FRESH: Colour = (240, 180, 41)
GAP: Colour = (184, 56, 91)
"""Covered already, covered newly, not covered: told apart with any colour vision, and in grey."""

TECHNOLOGY: dict[str, Colour] = {"2G": (214, 126, 58), "3G": (242, 200, 92), "4G": (93, 165, 199), "5G": (31, 78, 121)}
"""By technology, old to new: told apart with any colour vision, the newest darkest."""

NOTHING = 255
"""Palette index of what is not drawn."""


@dataclass(frozen=True)
class ColourScale:
    """Classed colours for a continuous quantity.

    Attributes
    ----------
    edges : tuple of float
        Lower edges of the classes, descending; below the last nothing is drawn.
    colours : tuple of Colour
        One per edge.
    labels : tuple of str
        One per edge, unit included.
    unit : str
    top : float
        Largest value told apart when the map is probed.
    step : float
        Resolution of a probed value, in `unit`.
    """

    edges: tuple[float, ...]
    colours: tuple[Colour, ...]
    labels: tuple[str, ...]
    unit: str
    top: float
    step: float = 1.0

    @property
    def levels(self) -> npt.NDArray[np.float64]:
        """Values told apart, ascending from the last edge to `top`."""
        count = round((self.top - self.edges[-1]) / self.step) + 1
        return self.edges[-1] + self.step * np.arange(min(count, NOTHING), dtype=np.float64)

    def indices(self, values: npt.NDArray[Any]) -> UByteArray:
        """Palette index of each value; 255 where it is not drawn (below the scale or NaN)."""
        drawn = np.isfinite(values) & (values >= self.edges[-1])
        level = np.floor((np.where(drawn, values, self.edges[-1]) - self.edges[-1]) / self.step)
        return np.where(drawn, np.clip(level, 0, len(self.levels) - 1), NOTHING).astype(np.uint8)

    def palette(self) -> list[Colour]:
        """One distinct colour per level: that of its class, shifted by a few units so that it can be read back."""
        out: list[Colour] = []
        used: set[Colour] = set()
        for value in self.levels:
            position = next(i for i, edge in enumerate(self.edges) if value >= edge - 1e-9)
            colour = next(c for c in _near(self.colours[position]) if c not in used)
            used.add(colour)
            out.append(colour)
        return out


@functools.lru_cache(maxsize=64)  # every level of a class starts from the class's colour
def _near(colour: Colour) -> tuple[Colour, ...]:
    """Colours around one, nearest first."""
    around = [
        (colour[0] + dr, colour[1] + dg, colour[2] + db)
        for dr in range(-4, 5)
        for dg in range(-4, 5)
        for db in range(-4, 5)
    ]
    inside = [c for c in around if min(c) >= 0 and max(c) <= 255]
    return tuple(sorted(inside, key=lambda c: sum((a - b) ** 2 for a, b in zip(c, colour, strict=True))))


# Perceptually ordered and readable with any colour vision (samples of matplotlib's "viridis", strong signal bright).
_SIGNAL_RAMP: tuple[Colour, ...] = (
    (253, 231, 37),
    (170, 220, 50),
    (94, 201, 98),
    (39, 173, 129),
    (33, 144, 141),
    (44, 114, 142),
    (59, 82, 139),
    (72, 40, 120),
    (68, 1, 84),
)
_WEAK: Colour = (154, 143, 151)
_GROUND_RAMP: tuple[Colour, ...] = (
    (173, 201, 165),
    (201, 216, 172),
    (229, 226, 186),
    (222, 203, 160),
    (203, 176, 135),
    (178, 149, 117),
    (158, 134, 118),
    (205, 197, 192),
)


def signal_scale(required_rsrp_dbm: float) -> ColourScale:
    """Colour scale of RSRP, dBm, with a class border at the required level; what is weaker is grey."""
    usual = (-75.0, -85.0, -95.0, -100.0, -105.0, -110.0, -115.0)
    edges = sorted({e for e in usual if e > required_rsrp_dbm + 2} | {float(required_rsrp_dbm)}, reverse=True)
    picks = np.linspace(0, len(_SIGNAL_RAMP) - 1, max(len(edges), 2)).round().astype(int)
    colours = [_SIGNAL_RAMP[i] for i in picks[: len(edges)]]
    floor = required_rsrp_dbm - 20.0
    labels = [f"≥ {_number(edges[0])} dBm"]
    labels += [f"{_number(low)} to {_number(high)} dBm" for high, low in itertools.pairwise(edges)]
    labels.append(f"{_number(floor)} to {_number(edges[-1])} dBm (below required level)")
    return ColourScale((*edges, floor), (*colours, _WEAK), tuple(labels), "dBm", top=max(-40.0, edges[0]))


def ground_scale(low_m: float, high_m: float) -> ColourScale:
    """Colour scale of ground height, metres above sea level."""
    span = max(high_m - low_m, 1.0)
    nice = next(s for s in (5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000) if span / s <= 9 or s == 2000)
    first = math.floor(low_m / nice) * nice
    rising = [first + nice * i for i in range(max(1, math.ceil((high_m - first) / nice)))]
    picks = np.linspace(0, len(_GROUND_RAMP) - 1, max(len(rising), 2)).round().astype(int)
    labels = [f"{_number(v)} to {_number(v + nice)} m" for v in rising]
    top = rising[-1] + nice
    return ColourScale(
        tuple(float(v) for v in reversed(rising)),
        tuple(_GROUND_RAMP[i] for i in reversed(picks[: len(rising)])),
        tuple(reversed(labels)),
        "m",
        top=float(top),
        step=max(1.0, math.ceil((top - first) / 250)),
    )


def _number(value: float) -> str:
    return f"{value:,.10g}".replace("-", "−")


def hillshade(
    elevation_amsl_m: npt.NDArray[Any], resolution_m: float, *, azimuth_deg: float = 315.0, altitude_deg: float = 45.0
) -> npt.NDArray[np.float32]:
    """Shade of the ground, 0 (dark) to 1, lit from the north-west; NaN over unknown ground.

    Lambert's cosine law on the surface normal, with the relief raised so that gentle country shows too: the
    slopes' standard deviation is brought to about 0.35. One sun behind each shoulder keeps ridges along the
    light visible.
    """
    ground = np.asarray(elevation_amsl_m, np.float64)
    if min(ground.shape) < 2:
        return np.where(np.isfinite(ground), 0.7, np.nan).astype(np.float32)
    filled = np.where(np.isfinite(ground), ground, np.nanmean(ground) if np.isfinite(ground).any() else 0.0)
    to_south, to_east = np.gradient(filled, resolution_m)
    spread = float(np.sqrt(np.mean(to_east**2 + to_south**2)))
    raised = min(8.0, 0.35 / spread) if spread > 0 else 1.0
    east, north = to_east * raised, -to_south * raised
    altitude = math.radians(altitude_deg)
    shade = np.zeros(ground.shape)
    for weight, turn in ((0.6, 0.0), (0.2, -60.0), (0.2, 60.0)):
        azimuth = math.radians(azimuth_deg + turn)
        lit = math.sin(altitude) - math.cos(altitude) * (east * math.sin(azimuth) + north * math.cos(azimuth))
        shade += weight * np.clip(lit / np.sqrt(1 + east**2 + north**2), 0, 1)
    return np.where(np.isfinite(ground), shade, np.nan).astype(np.float32)
