"""Pictures of the report: colour scales, hillshade, warping to Web Mercator, PNG data URIs."""

from __future__ import annotations

import base64
import itertools
import math
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

WEB_MERCATOR = "EPSG:3857"
MAX_PIXELS_A_SIDE = 2200
"""Longest side of an overlay; finer terrain is thinned for the page, never for the GeoTIFFs."""

_WEB_RADIUS_M = 6378137.0
_NODATA = 255

UByteArray = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]


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
        return self.edges[-1] + self.step * np.arange(min(count, _NODATA), dtype=np.float64)

    def indices(self, values: npt.NDArray[Any]) -> UByteArray:
        """Palette index of each value; 255 where it is not drawn (below the scale or NaN)."""
        drawn = np.isfinite(values) & (values >= self.edges[-1])
        level = np.floor((np.where(drawn, values, self.edges[-1]) - self.edges[-1]) / self.step)
        return np.where(drawn, np.clip(level, 0, len(self.levels) - 1), _NODATA).astype(np.uint8)

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


def _near(colour: Colour) -> list[Colour]:
    """Colours around one, nearest first."""
    around = [
        (colour[0] + dr, colour[1] + dg, colour[2] + db)
        for dr in range(-4, 5)
        for dg in range(-4, 5)
        for db in range(-4, 5)
    ]
    inside = [c for c in around if min(c) >= 0 and max(c) <= 255]
    return sorted(inside, key=lambda c: sum((a - b) ** 2 for a, b in zip(c, colour, strict=True)))


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


@dataclass(frozen=True)
class Overlay:
    """A picture with its place on a Web-Mercator map.

    Attributes
    ----------
    data_uri : str
        ``data:image/png;base64,…``
    bounds : ((south, west), (north, east))
        Degrees (WGS 84) of the outer corners.
    shape : (rows, columns)
    """

    data_uri: str
    bounds: tuple[tuple[float, float], tuple[float, float]]
    shape: tuple[int, int]


@dataclass(frozen=True)
class Mercator:
    """A Web-Mercator grid that covers a metric grid; warps by nearest neighbour so that values stay what they were.

    Attributes
    ----------
    rows, columns : int
    transform : affine of the target, as six numbers (a, b, c, d, e, f)
    source_transform : affine of the source grid
    source_crs : str
    """

    rows: int
    columns: int
    transform: tuple[float, float, float, float, float, float]
    source_transform: tuple[float, float, float, float, float, float]
    source_crs: str
    bounds: tuple[tuple[float, float], tuple[float, float]] = field(default=((0.0, 0.0), (0.0, 0.0)))

    @classmethod
    def covering(cls, *, shape: tuple[int, int], x0_m: float, y0_m: float, resolution_m: float, crs: str) -> Mercator:
        """Lay a grid of about the source's resolution, at most `MAX_PIXELS_A_SIDE` on a side, over a north-up grid."""
        from rasterio.transform import Affine
        from rasterio.warp import calculate_default_transform

        rows, columns = shape
        left, top = x0_m, y0_m
        right, bottom = x0_m + columns * resolution_m, y0_m - rows * resolution_m
        target, width, height = calculate_default_transform(
            crs, WEB_MERCATOR, columns, rows, left=left, bottom=bottom, right=right, top=top
        )
        thin = max(1.0, max(width, height) / MAX_PIXELS_A_SIDE)
        width, height = max(1, math.ceil(width / thin)), max(1, math.ceil(height / thin))
        target = target * Affine.scale(thin)
        west, north = _lonlat(target.c, target.f)
        east, south = _lonlat(target.c + width * target.a, target.f + height * target.e)
        source = (resolution_m, 0.0, x0_m, 0.0, -resolution_m, y0_m)
        return cls(height, width, tuple(target)[:6], source, crs, ((south, west), (north, east)))

    def warp(self, indices: UByteArray, *, nodata: int = _NODATA, smooth: bool = False) -> UByteArray:
        """Move an index image onto this grid; outside the source it is `nodata`."""
        from rasterio.transform import Affine
        from rasterio.warp import Resampling, reproject

        target = np.full((self.rows, self.columns), nodata, np.uint8)
        reproject(
            np.ascontiguousarray(indices),
            target,
            src_transform=Affine(*self.source_transform),
            src_crs=self.source_crs,
            src_nodata=nodata,
            dst_transform=Affine(*self.transform),
            dst_crs=WEB_MERCATOR,
            dst_nodata=nodata,
            resampling=Resampling.bilinear if smooth else Resampling.nearest,
            num_threads=1,
        )
        return target

    def overlay(self, indices: UByteArray, palette: list[Colour], *, smooth: bool = False) -> Overlay:
        """Warp an index image and write it as a PNG; index 255 is transparent."""
        warped = self.warp(indices, smooth=smooth)
        return Overlay(data_uri(png(warped, palette)), self.bounds, warped.shape)


def _lonlat(x_m: float, y_m: float) -> tuple[float, float]:
    """Longitude and latitude of a Web-Mercator position, degrees."""
    return math.degrees(x_m / _WEB_RADIUS_M), math.degrees(math.atan(math.sinh(y_m / _WEB_RADIUS_M)))


def png(indices: UByteArray, palette: list[Colour]) -> bytes:
    """Encode an index image as an 8-bit palette PNG (ISO/IEC 15948); index 255 is transparent, all else opaque."""
    rows, columns = indices.shape
    colours = np.zeros((256, 3), np.uint8)
    colours[: len(palette)] = np.asarray(palette, np.uint8).reshape(-1, 3)
    opacity = bytes([255] * 255 + [0])
    raw = np.zeros((rows, columns + 1), np.uint8)  # leading zero of each row: filter type "none"
    raw[:, 1:] = indices
    header = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"PLTE", colours.tobytes()),
        (b"tRNS", opacity),
        (b"IDAT", zlib.compress(raw.tobytes(), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def data_uri(content: bytes) -> str:
    """``data:`` URI of a PNG."""
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")


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


def shade_indices(shade: npt.NDArray[Any]) -> UByteArray:
    """Palette indices (0…127) of a hillshade; 255 over unknown ground."""
    known = np.isfinite(shade)
    return np.where(known, np.clip(np.where(known, shade, 0) * 127, 0, 127), _NODATA).astype(np.uint8)


def shade_palette() -> list[Colour]:
    """Warm greys from shadow to light for `shade_indices`."""
    dark, light = np.array([96, 98, 104]), np.array([253, 252, 249])
    return [tuple(int(v) for v in dark + (light - dark) * i / 127) for i in range(128)]  # type: ignore[misc]
