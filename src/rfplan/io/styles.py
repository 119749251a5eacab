"""QGIS styles: a ``.qml`` beside a raster, a default style inside a GeoPackage."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from xml.sax.saxutils import quoteattr

from rfplan.errors import OutputError
from rfplan.io.atomic import write_text

_HEAD = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"


@dataclass(frozen=True)
class Stop:
    """One entry of a legend.

    Parameters
    ----------
    value : float
        Upper bound of a discrete class, the exact value, or a point of a ramp.
    colour : str
        ``#rrggbb`` or ``#rrggbbaa``.
    label : str
    """

    value: float
    colour: str
    label: str


RSRP_STOPS: Final = (
    Stop(-120.0, "#00000000", "below -120 dBm"),
    Stop(-115.0, "#4a0c6b", "-120 to -115 dBm"),
    Stop(-110.0, "#a52c60", "-115 to -110 dBm"),
    Stop(-105.0, "#e45a31", "-110 to -105 dBm"),
    Stop(-95.0, "#fb9b06", "-105 to -95 dBm"),
    Stop(-85.0, "#f7d13d", "-95 to -85 dBm"),
    Stop(float("inf"), "#fcffa4", "above -85 dBm"),
)
"""Legend of RSRP layers, dBm; upper bounds of classes."""

COVERED_STOPS: Final = (Stop(0.0, "#d7301fb0", "not covered"), Stop(1.0, "#2b8cbeb0", "covered"))
"""Legend of 0/1 layers."""

STATUS_COLOURS: Final = {"existing": "#1f78b4", "planned": "#e31a1c", "candidate": "#999999"}
"""Colours of sites by status."""


def _colour(text: str) -> tuple[str, int]:
    digits = text.removeprefix("#")
    if len(digits) not in (6, 8) or any(c not in "0123456789abcdefABCDEF" for c in digits):
        raise OutputError(f"colour {text!r} is not #rrggbb or #rrggbbaa")
    return f"#{digits[:6]}", int(digits[6:] or "ff", 16)


def raster_qml(stops: Sequence[Stop], kind: Literal["interpolated", "discrete", "exact"] = "discrete") -> str:
    """Return a QGIS style for band 1 of a raster.

    Parameters
    ----------
    stops : sequence of Stop
        In increasing order.
    kind : str
        Ramp between stops, classes up to each stop, or exact values.

    Raises
    ------
    OutputError
        If there is no stop, they do not increase, or a colour is malformed.
    """
    values = [stop.value for stop in stops]
    if not values or sorted(set(values)) != values:
        raise OutputError(f"style stops {values} must increase, and there must be one at least")
    items = []
    for stop in stops:
        colour, alpha = _colour(stop.colour)
        value = "inf" if stop.value == float("inf") else f"{stop.value:g}"
        items.append(f'<item value="{value}" color="{colour}" alpha="{alpha}" label={quoteattr(stop.label)}/>')
    ramp = {"interpolated": "INTERPOLATED", "discrete": "DISCRETE", "exact": "EXACT"}[kind]
    return (
        f'{_HEAD}<qgis styleCategories="Symbology" version="3.34.0"><pipe>'
        '<rasterrenderer type="singlebandpseudocolor" band="1" opacity="0.8" alphaBand="-1" nodataColor="">'
        f'<rastershader><colorrampshader colorRampType="{ramp}" classificationMode="1" clip="0">'
        f"{''.join(items)}</colorrampshader></rastershader></rasterrenderer></pipe></qgis>\n"
    )


def write_raster_style(
    raster: str | os.PathLike[str],
    stops: Sequence[Stop],
    kind: Literal["interpolated", "discrete", "exact"] = "discrete",
) -> Path:
    """Write the style sidecar of a raster: ``map.tif`` gets ``map.qml``, which QGIS takes up by itself."""
    return write_text(Path(raster).with_suffix(".qml"), raster_qml(stops, kind))


def _symbol(name: str, geometry: Literal["point", "area"], colour: str) -> str:
    rgb, alpha = _colour(colour)
    red, green, blue = (int(rgb[i : i + 2], 16) for i in (1, 3, 5))
    if geometry == "point":
        layer, options = "SimpleMarker", {"name": "circle", "size": "2.2", "outline_color": "30,30,30,255"}
    else:
        layer, options = "SimpleFill", {"outline_color": "60,60,60,255", "outline_width": "0.2", "style": "solid"}
    options = {"color": f"{red},{green},{blue},{alpha}"} | options
    body = "".join(f'<Option type="QString" name="{key}" value="{value}"/>' for key, value in options.items())
    kind = {"point": "marker", "area": "fill"}[geometry]
    return (
        f'<symbol type="{kind}" name={quoteattr(name)} alpha="1" clip_to_extent="1">'
        f'<layer class="{layer}" enabled="1" locked="0" pass="0"><Option type="Map">{body}</Option></layer></symbol>'
    )


def categories_qml(field: str, colours: Mapping[str, str], geometry: Literal["point", "area"] = "point") -> str:
    """Return a QGIS style that colours features by the text in a field."""
    entries = "".join(
        f'<category render="true" symbol="{i}" value={quoteattr(value)} label={quoteattr(value)} type="string"/>'
        for i, value in enumerate(colours)
    )
    symbols = "".join(_symbol(str(i), geometry, colour) for i, colour in enumerate(colours.values()))
    return (
        f'{_HEAD}<qgis styleCategories="Symbology" version="3.34.0">'
        f'<renderer-v2 type="categorizedSymbol" attr={quoteattr(field)} enableorderby="0" forceraster="0">'
        f"<categories>{entries}</categories><symbols>{symbols}</symbols></renderer-v2></qgis>\n"
    )


def graduated_qml(field: str, stops: Sequence[Stop], lower: float = 0.0) -> str:
    """Return a QGIS style that colours areas by classes of a number; stops are upper bounds."""
    ranges, symbols, low = [], [], lower
    for i, stop in enumerate(stops):
        ranges.append(
            f'<range render="true" symbol="{i}" lower="{low:g}" upper="{stop.value:g}" label={quoteattr(stop.label)}/>'
        )
        symbols.append(_symbol(str(i), "area", stop.colour))
        low = stop.value
    return (
        f'{_HEAD}<qgis styleCategories="Symbology" version="3.34.0">'
        f'<renderer-v2 type="graduatedSymbol" attr={quoteattr(field)} graduatedMethod="GraduatedColor">'
        f"<ranges>{''.join(ranges)}</ranges><symbols>{''.join(symbols)}</symbols></renderer-v2></qgis>\n"
    )


PERCENT_STOPS: Final = (
    Stop(50.0, "#d7191cc0", "below 50 %"),
    Stop(80.0, "#fdae61c0", "50 to 80 %"),
    Stop(95.0, "#ffffbfc0", "80 to 95 %"),
    Stop(99.0, "#a6d96ac0", "95 to 99 %"),
    Stop(100.0, "#1a9641c0", "99 to 100 %"),
)
"""Legend of covered percentages."""


def add_gpkg_styles(path: str | os.PathLike[str], styles: Mapping[str, str]) -> None:
    """Store a default style for each layer inside a GeoPackage, in QGIS's table ``layer_styles``.

    Parameters
    ----------
    path : path-like
        An existing GeoPackage.
    styles : mapping of str to str
        Layer → QML.

    Raises
    ------
    OutputError
        If a layer does not exist or the file cannot be changed.
    """
    stamp = "2000-01-01T00:00:00.000Z"
    try:
        with contextlib.closing(sqlite3.connect(path)) as base, base:
            rows = base.execute("SELECT table_name, column_name FROM gpkg_geometry_columns").fetchall()
            columns = dict(rows)
            unknown = sorted(set(styles) - set(columns))
            if unknown:
                raise OutputError(f"{path} has no layer {', '.join(unknown)} to style; it has {', '.join(columns)}")
            base.execute(
                "CREATE TABLE IF NOT EXISTS layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "
                "f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256), "
                "f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, "
                "description TEXT, owner TEXT(30), ui TEXT(30), update_time DATETIME)"
            )
            base.execute(
                "INSERT OR REPLACE INTO gpkg_contents (table_name, data_type, identifier, last_change) "
                "VALUES ('layer_styles', 'attributes', 'layer_styles', ?)",
                (stamp,),
            )
            for layer, qml in styles.items():
                base.execute(
                    "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, "
                    "styleName, styleQML, styleSLD, useAsDefault, description, owner, update_time) "
                    "VALUES ('', '', ?, ?, 'rfplan', ?, '', 1, 'default style', '', ?)",
                    (layer, columns[layer], qml, stamp),
                )
    except sqlite3.Error as error:
        raise OutputError(f"cannot store styles in {path}: {error}") from error
