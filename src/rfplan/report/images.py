"""Pictures of the report: warping to Web Mercator, PNG data URIs."""

from __future__ import annotations

import base64
import math
import struct
import warnings
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from rfplan.colours import NOTHING, Colour, UByteArray

WEB_MERCATOR = "EPSG:3857"
MAX_PIXELS_A_SIDE = 2200
"""Longest side of an overlay; finer terrain is thinned for the page, never for the GeoTIFFs."""

_WEB_RADIUS_M = 6378137.0


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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PendingDeprecationWarning)  # of affine, raised inside rasterio
            target, width, height = calculate_default_transform(
                crs, WEB_MERCATOR, columns, rows, left=left, bottom=bottom, right=right, top=top
            )
        thin = max(1.0, max(width, height) / MAX_PIXELS_A_SIDE)
        width, height = max(1, math.ceil(width / thin)), max(1, math.ceil(height / thin))
        target = Affine(target.a * thin, 0.0, target.c, 0.0, target.e * thin, target.f)
        west, north = _lonlat(target.c, target.f)
        east, south = _lonlat(target.c + width * target.a, target.f + height * target.e)
        source = (resolution_m, 0.0, x0_m, 0.0, -resolution_m, y0_m)
        return cls(height, width, tuple(target)[:6], source, crs, ((south, west), (north, east)))

    def warp(self, indices: UByteArray, *, nodata: int = NOTHING, smooth: bool = False) -> UByteArray:
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


def shade_indices(shade: npt.NDArray[Any]) -> UByteArray:
    """Palette indices (0…127) of a hillshade; 255 over unknown ground."""
    known = np.isfinite(shade)
    return np.where(known, np.clip(np.where(known, shade, 0) * 127, 0, 127), NOTHING).astype(np.uint8)


def shade_palette() -> list[Colour]:
    """Warm greys from shadow to light for `shade_indices`."""
    dark, light = np.array([96, 98, 104]), np.array([253, 252, 249])
    return [tuple(int(v) for v in dark + (light - dark) * i / 127) for i in range(128)]  # type: ignore[misc]
