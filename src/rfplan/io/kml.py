"""KMZ for Google Earth: placemarks by folder and pictures laid over the ground."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import numpy.typing as npt
from affine import Affine

from rfplan.errors import OutputError
from rfplan.io.atomic import write_bytes
from rfplan.io.crs import LONLAT, transform_box, transformer

if TYPE_CHECKING:
    import geopandas as gpd

_EPOCH = (1980, 1, 1, 0, 0, 0)
_MAX_SIDE = 4096


@dataclass(frozen=True)
class GroundOverlay:
    """A picture on the ground.

    Parameters
    ----------
    name : str
    png : bytes
    bounds : (west, south, east, north)
        Degrees of its outer edges.
    visible : bool
    """

    name: str
    png: bytes
    bounds: tuple[float, float, float, float]
    visible: bool = True


def ground_overlay(
    name: str, rgba: npt.NDArray[np.uint8], *, transform: Affine, crs: str, visible: bool = True
) -> GroundOverlay:
    """Warp a coloured map to longitude and latitude, as KML wants it.

    Parameters
    ----------
    name : str
    rgba : ndarray of uint8, shape (ny, nx, 4)
        North-up; alpha 0 shows the ground.
    transform : Affine
    crs : str
    visible : bool

    Returns
    -------
    GroundOverlay
        At most 4096 pixels a side, nearest neighbour.

    Raises
    ------
    OutputError
        If `rgba` has another shape.
    """
    if rgba.ndim != 3 or rgba.shape[2] != 4:
        raise OutputError(f"overlay {name!r}: an array of shape {rgba.shape} is no RGBA picture")
    ny, nx, _ = rgba.shape
    box = (transform.c, transform.f + ny * transform.e, transform.c + nx * transform.a, transform.f)
    west, south, east, north = transform_box(crs, LONLAT, box)
    shrink = min(1.0, _MAX_SIDE / max(nx, ny))
    width, height = max(1, round(nx * shrink)), max(1, round(ny * shrink))
    lon = west + (np.arange(width) + 0.5) * (east - west) / width
    lat = north - (np.arange(height) + 0.5) * (north - south) / height
    x, y = transformer(LONLAT, crs).transform(*np.meshgrid(lon, lat))
    col = np.floor((x - transform.c) / transform.a).astype(np.int64)
    row = np.floor((y - transform.f) / transform.e).astype(np.int64)
    inside = (row >= 0) & (row < ny) & (col >= 0) & (col < nx)
    picture = np.zeros((height, width, 4), dtype=np.uint8)
    picture[inside] = rgba[row[inside], col[inside]]
    return GroundOverlay(name, encode_png(picture), (west, south, east, north), visible)


def encode_png(rgba: npt.NDArray[np.uint8]) -> bytes:
    """Encode an RGBA picture, shape (ny, nx, 4), as PNG."""
    import struct
    import zlib

    height, width, _ = rgba.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), rgba.reshape(height, width * 4)], axis=1)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows.tobytes(), 6)), chunk(b"IEND", b""))
    )


def write_kmz(
    path: str | os.PathLike[str],
    layers: Mapping[str, gpd.GeoDataFrame],
    overlays: Sequence[GroundOverlay] = (),
    *,
    title: str = "rfplan",
    name_field: str = "name",
) -> Path:
    """Write a KMZ with a folder a layer and pictures on the ground, atomically; the same input gives the same bytes.

    Parameters
    ----------
    path : path-like
    layers : mapping of str to GeoDataFrame
        Points, lines and polygons in any CRS; all columns become data of the placemark.
    overlays : sequence of GroundOverlay
    title : str
    name_field : str
        Column used as the placemark's name.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If a layer has no CRS or the file cannot be written.
    """
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>',
        f"<name>{_text(title)}</name>",
        '<Style id="area"><LineStyle><color>ff555555</color><width>1</width></LineStyle>'
        "<PolyStyle><color>00ffffff</color></PolyStyle></Style>",
    ]
    if overlays:
        parts.append("<Folder><name>maps</name>")
        parts += [_overlay(overlay, number) for number, overlay in enumerate(overlays)]
        parts.append("</Folder>")
    for name, frame in layers.items():
        if frame.crs is None:
            raise OutputError(f"cannot write {path}: layer {name!r} has no CRS")
        parts.append(f"<Folder><name>{_text(name)}</name>")
        parts += _placemarks(frame.to_crs(LONLAT), name_field)
        parts.append("</Folder>")
    parts.append("</Document></kml>\n")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "doc.kml", "\n".join(parts).encode("utf-8"))
        for number, overlay in enumerate(overlays):
            _add(archive, f"files/{number}.png", overlay.png)
    return write_bytes(path, buffer.getvalue())


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, content)


def _text(value: object) -> str:
    """Escape text and drop characters that XML forbids."""
    return escape("".join(c for c in str(value) if c in "\t\n\r" or (ord(c) >= 32 and not 0xFFFE <= ord(c) <= 0xFFFF)))


def _overlay(overlay: GroundOverlay, number: int) -> str:
    west, south, east, north = overlay.bounds
    return (
        f"<GroundOverlay><name>{_text(overlay.name)}</name><visibility>{int(overlay.visible)}</visibility>"
        f"<color>b0ffffff</color><Icon><href>files/{number}.png</href></Icon><LatLonBox><north>{north:.8f}</north>"
        f"<south>{south:.8f}</south><east>{east:.8f}</east><west>{west:.8f}</west></LatLonBox></GroundOverlay>"
    )


def _placemarks(frame: Any, name_field: str) -> list[str]:
    columns = [str(c) for c in frame.columns if c != frame.geometry.name]
    out = []
    for row, shape in zip(frame[columns].to_dict("records"), frame.geometry, strict=True):
        if shape is None or shape.is_empty:
            continue
        data = "".join(
            f"<Data name={quoteattr(_plain(key))}><value>{_text(value)}</value></Data>" for key, value in row.items()
        )
        title = f"<name>{_text(row[name_field])}</name>" if name_field in row else ""
        out.append(
            f"<Placemark>{title}<styleUrl>#area</styleUrl><ExtendedData>{data}</ExtendedData>{_geometry(shape)}</Placemark>"
        )
    return out


def _plain(value: object) -> str:
    return "".join(c for c in str(value) if ord(c) >= 32)


def _points(coordinates: Any) -> str:
    return " ".join(f"{x:.6f},{y:.6f}" for x, y, *_ in coordinates)


def _geometry(shape: Any) -> str:
    kind = shape.geom_type
    if kind == "Point":
        return f"<Point><coordinates>{_points(shape.coords)}</coordinates></Point>"
    if kind in ("LineString", "LinearRing"):
        return f"<LineString><coordinates>{_points(shape.coords)}</coordinates></LineString>"
    if kind == "Polygon":
        holes = "".join(
            f"<innerBoundaryIs><LinearRing><coordinates>{_points(ring.coords)}</coordinates></LinearRing></innerBoundaryIs>"
            for ring in shape.interiors
        )
        outer = f"<LinearRing><coordinates>{_points(shape.exterior.coords)}</coordinates></LinearRing>"
        return f"<Polygon><outerBoundaryIs>{outer}</outerBoundaryIs>{holes}</Polygon>"
    return f"<MultiGeometry>{''.join(_geometry(part) for part in shape.geoms)}</MultiGeometry>"
