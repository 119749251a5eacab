"""What the map is drawn from: overlays, sites and polygons as one JSON document."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.colours import COVERED, FRESH, GAP, NOTHING, Colour, ColourScale, ground_scale, hillshade, signal_scale
from rfplan.report.backhaul import backhaul_features
from rfplan.report.context import plain
from rfplan.report.expansion import expansion_masks
from rfplan.report.facts import Facts
from rfplan.report.images import Mercator, data_uri, png, shade_indices, shade_palette
from rfplan.report.markup import percent
from rfplan.report.years import WORK_WORDS, year_legend

NEVER: Colour = (61, 44, 79)
HATCH_PERIOD, HATCH_WIDTH = 7, 3
SHARE_STEPS = (99.0, 95.0, 90.0, 80.0, 0.0)
SHARE_COLOURS = ("#1d4f7c", "#5b93c0", "#c3d7e6", "#f0a868", "#b8385b")
MAX_POLYGONS = 400
"""Uncoverable patches that can be clicked on the map, those with most people first; all are drawn."""

KIND_WORDS = {
    "mast": "existing mast",
    "shared": "shared mast",
    "sector": "existing site",
    "taller": "existing site",
    "seat": "commune seat",
    "summit": "summit",
    "ridge": "ridge",
    "grid": "net high point",
}


BADGES = {"yes": "Synthetic data", "partly": "Partly synthetic data", "no": ""}


def kind_text(kind: Any) -> str:
    """A candidate kind in words."""
    return KIND_WORDS.get(str(kind), str(kind)) if present(kind) else ""


def present(value: Any) -> bool:
    """Whether a table entry says anything."""
    return (
        value is not None
        and str(value) != ""
        and not (isinstance(value, float) and np.isnan(value))
        and value is not pd.NA
    )


#: Makes further layers of a report's facts.
MoreLayers = Callable[[Facts, Mercator], list[dict[str, Any]]]


def map_payload(facts: Facts, *more: MoreLayers) -> dict[str, Any]:
    """Everything `page.js` draws, ready for JSON; `more` layers come before the ground."""
    terrain = facts.terrain
    shape = facts.inside.shape
    mercator = Mercator.covering(
        shape=(int(shape[0]), int(shape[1])),
        x0_m=terrain.x0_m,
        y0_m=terrain.y0_m,
        resolution_m=terrain.resolution_m,
        crs=str(terrain.crs),
    )
    ground = np.asarray(terrain.elevation_amsl_m, np.float64)
    shade = mercator.overlay(shade_indices(hillshade(ground, terrain.resolution_m)), shade_palette(), smooth=False)
    communes = commune_features(facts)
    rest = uncoverable_features(facts)
    layers = _coverage_layers(facts, mercator)
    if communes["features"]:
        layers += _share_layers(facts)
    for made in more:
        layers += made(facts, mercator)
    layers += _expansion_layers(facts, mercator)
    layers.append(_ground_layer(ground, mercator))
    return {
        "attribution": _attribution(facts),
        "badge": BADGES[facts.context.synthetic_extent],
        "bounds": _bounds(facts, mercator),
        "shade": {"uri": shade.data_uri, "bounds": shade.bounds},
        "layers": layers,
        "start": "change" if len(facts.build) else "after",
        "existing": existing_markers(facts),
        "planned": planned_markers(facts),
        "years": year_legend(facts),
        "hops": backhaul_features(facts),
        "costUnit": facts.cost_unit,
        "today": {
            "peoplePercent": plain(float(facts.total_before["covered_population_percent"]))
            if facts.has_people
            else None,
            "areaPercent": plain(float(facts.total_before["covered_area_percent"])),
        },
        "communes": communes,
        "uncoverable": rest,
        "uncoverableCount": len(facts.uncoverable),
        "rest": _hatched(facts.uncoverable_mask, mercator),
        "restBounds": plain(
            [
                [[south, west], [north, east]]
                for west, south, east, north in facts.uncoverable.head(MAX_POLYGONS).bounds.to_numpy().round(5).tolist()
            ]
        ),
    }


def _attribution(facts: Facts) -> str:
    names = [str(entry.get("name", "")) for entry in facts.context.inputs if entry.get("name")]
    return "Leaflet 1.9.4 · " + ("Data: " + ", ".join(names[:3]) if names else "rfplan")


def _bounds(facts: Facts, mercator: Mercator) -> list[list[float]]:
    """What the map shows first: the area that is judged, else the terrain; degrees."""
    rows, columns = np.nonzero(facts.inside)
    if rows.size == 0:
        return [list(corner) for corner in mercator.bounds]
    terrain = facts.terrain
    x = terrain.x0_m + terrain.resolution_m * np.array([columns.min(), columns.max() + 1.0])
    y = terrain.y0_m - terrain.resolution_m * np.array([rows.min(), rows.max() + 1.0])
    lon, lat = terrain.lonlat(np.repeat(x, 2), np.tile(y, 2))
    return [[float(lat.min()), float(lon.min())], [float(lat.max()), float(lon.max())]]


def _overlay_of(indices: npt.NDArray[Any], palette: list[Colour], mercator: Mercator) -> dict[str, Any]:
    overlay = mercator.overlay(indices.astype(np.uint8), palette)
    return {"uri": overlay.data_uri, "bounds": overlay.bounds}


def _hatched(mask: npt.NDArray[np.bool_], mercator: Mercator) -> dict[str, Any]:
    """Diagonal stripes over a mask, so that the layer below stays readable."""
    warped = mercator.warp(np.where(mask, 0, NOTHING).astype(np.uint8))
    rows, columns = np.indices(warped.shape)
    stripes = (rows + columns) % HATCH_PERIOD < HATCH_WIDTH
    return {
        "uri": data_uri(png(np.where(stripes, warped, NOTHING).astype(np.uint8), [NEVER])),
        "bounds": mercator.bounds,
    }


def class_layer(
    identity: str,
    label: str,
    title: str,
    masks: list[tuple[str, Colour, npt.NDArray[np.bool_]]],
    mercator: Mercator,
    **more: Any,
) -> dict[str, Any]:
    """A layer of named classes; later masks win."""
    indices = np.full(masks[0][2].shape, 255, np.uint8)
    for number, (_, _, mask) in enumerate(masks):
        indices[mask] = number
    return {
        "id": identity,
        "label": label,
        "title": title,
        **_overlay_of(indices, [colour for _, colour, _ in masks], mercator),
        "legend": [{"label": name, "colour": css(colour)} for name, colour, _ in masks],
        **more,
    }


def _coverage_layers(facts: Facts, mercator: Mercator) -> list[dict[str, Any]]:
    inside, before, after = facts.inside, facts.covered_before, facts.covered_after
    fresh = inside & after & ~before
    level = f"{facts.required_rsrp_dbm:g}".replace("-", "−")
    joint = facts.joint_probability
    note = f"Covered: {facts.level_name} at least {level} dBm and the uplink closes"
    note += "" if joint is None else f", by some site with a probability of {percent(100 * joint, 1)}"
    note += ". Shown inside the planning area."
    names = ["Covered today", "Newly covered by the plan", "Not covered after the plan"]
    change = class_layer(
        "change",
        "Coverage: today and gained",
        "Coverage today and gained",
        [(names[0], COVERED, inside & before), (names[1], FRESH, fresh), (names[2], GAP, inside & ~after)],
        mercator,
        note=note,
        probe={
            "label": "Status",
            "colours": [_rgb(c) for c in (COVERED, FRESH, GAP)],
            "values": names,
            "unit": "",
            "nothing": "outside the planning area",
        },
    )
    layers = [
        change,
        class_layer(
            "before", "Covered before", "Covered before the plan",
            [("Covered", COVERED, inside & before), ("Not covered", GAP, inside & ~before)], mercator, note=note,
        ),
        class_layer(
            "after", "Covered after", "Covered after the plan",
            [("Covered", COVERED, inside & after), ("Not covered", GAP, inside & ~after)], mercator, note=note,
        ),
        class_layer(
            "new", "Newly covered", "Newly covered by the plan", [(names[1], FRESH, fresh)], mercator, note=note
        ),
    ]  # fmt: skip
    scale, name = signal_scale(facts.required_rsrp_dbm), facts.level_name
    for identity, when, coverage in (("rsrp-before", "before", facts.before), ("rsrp-after", "after", facts.after)):
        rsrp = np.asarray(coverage.layers["rsrp_dbm"].values, np.float64)
        layers.append(
            _continuous(identity, f"{name} {when}", f"{name} {when} the plan, best server", rsrp, scale, mercator)
            | {"note": "Level of the strongest cell at the receiver. Grey: below what the service needs."}
        )
    return layers


def _expansion_layers(facts: Facts, mercator: Mercator) -> list[dict[str, Any]]:
    masks = expansion_masks(facts)
    if masks is None:
        return []
    before, after = masks
    inside = facts.inside
    classes = [
        ("5G today", COVERED, inside & before),
        ("5G gained by the expansion", FRESH, inside & after & ~before),
        ("No 5G after it", GAP, inside & ~after),
    ]
    return [class_layer("expansion-5g", "5G: today and gained", "5G today and gained", classes, mercator)]


def _continuous(
    identity: str, label: str, title: str, values: npt.NDArray[Any], scale: ColourScale, mercator: Mercator
) -> dict[str, Any]:
    nothing = f"below {scale.edges[-1]:g} {scale.unit}".replace("-", "−")
    return {
        "id": identity,
        "label": label,
        "title": title,
        **_overlay_of(scale.indices(values), scale.palette(), mercator),
        "legend": [{"label": n, "colour": css(c)} for n, c in zip(scale.labels, scale.colours, strict=True)],
        "probe": {
            "colours": [_rgb(c) for c in scale.palette()],
            "values": [float(v) for v in scale.levels],
            "unit": scale.unit,
            "nothing": nothing,
        },
    }


def _ground_layer(ground: npt.NDArray[Any], mercator: Mercator) -> dict[str, Any]:
    known = ground[np.isfinite(ground)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    scale = ground_scale(low, high)
    layer = _continuous("ground", "Ground height", "Ground height above sea level", ground, scale, mercator)
    layer["probe"]["nothing"] = "unknown"
    return layer


def _share_layers(facts: Facts) -> list[dict[str, Any]]:
    measure, words = ("people", "population") if facts.has_people else ("area", "area")
    labels = ["≥ 99 %", "95 to 99 %", "90 to 95 %", "80 to 90 %", "below 80 %"]
    return [
        {
            "id": f"share-{when}",
            "label": f"Share by commune, {when}",
            "title": f"Share of {words} covered {when} the plan",
            "field": f"{measure}_{when}",
            "steps": list(SHARE_STEPS),
            "legend": [{"label": n, "colour": c} for n, c in zip(labels, SHARE_COLOURS, strict=True)],
        }
        for when in ("before", "after")
    ]


def css(colour: Colour) -> str:
    """``#rrggbb`` of a colour."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _rgb(colour: Colour) -> int:
    return colour[0] * 65536 + colour[1] * 256 + colour[2]


def existing_markers(facts: Facts) -> list[dict[str, Any]]:
    """Today's sites with a few facts each."""
    sites = facts.existing
    words = {"operator": "Operator", "technologies": "Technologies", "kind": "Kind", "year": "Built"}
    shown = [(column, label) for column, label in words.items() if column in sites.columns]
    return [
        {
            "id": str(row["site_id"]),
            "name": str(row["name"]) if present(row.get("name")) else str(row["site_id"]),
            "lat": round(float(row["lat_deg"]), 6),
            "lon": round(float(row["lon_deg"]), 6),
            "facts": [[label, _entry(row[column])] for column, label in shown if present(row[column])],
        }
        for row in sites.to_dict("records")
        if np.isfinite(row["lat_deg"]) and np.isfinite(row["lon_deg"])
    ]


def _entry(value: Any) -> str:
    number = isinstance(value, (int, float, np.integer, np.floating)) and float(value).is_integer()
    return str(int(value)) if number else str(value).replace(";", ", ")


def planned_markers(facts: Facts) -> list[dict[str, Any]]:
    """Sites to build, in order."""
    return [
        {
            "id": str(row["site_id"]),
            "name": str(row["name"]) if present(row["name"]) else str(row["site_id"]),
            "order": int(row["order"]),
            "kind": kind_text(row["kind"]),
            "lat": round(float(row["lat_deg"]), 6),
            "lon": round(float(row["lon_deg"]), 6),
            "height": plain(row["tx_height_agl_m"]),
            "cost": plain(row["cost"]),
            "year": int(row["year"]) if "year" in row else None,
            "work": WORK_WORDS.get(str(row.get("work", "")), ""),
            "people": plain(row["gained_people"]) if facts.has_people else None,
            "km2": plain(row["gained_km2"]),
            "peoplePercent": plain(row["cumulative_people_percent"]) if facts.has_people else None,
            "areaPercent": plain(row["cumulative_area_percent"]),
        }
        for row in facts.build.to_dict("records")
    ]


def commune_features(facts: Facts) -> dict[str, Any]:
    """Commune polygons, simplified for the screen, with their row number and covered shares."""
    features: list[dict[str, Any]] = []
    if facts.communes is not None:
        tolerance = 0.0003 if len(facts.communes) < 2000 else 0.002
        columns = {"people": "covered_population_percent", "area": "covered_area_percent"}
        for row, geometry in enumerate(facts.communes.geometry):
            if geometry is None or geometry.is_empty:
                continue
            figures = facts.key_after.iloc[row]
            properties: dict[str, Any] = {"row": row, "name": str(figures["name"])}
            properties["off"] = bool(figures["area_on_terrain_km2"] == 0)
            for measure, column in columns.items():
                properties[f"{measure}_before"] = plain(facts.key_before[column].iloc[row])
                properties[f"{measure}_after"] = plain(facts.key_after[column].iloc[row])
            features.append(_feature(geometry.simplify(tolerance), properties))
    return {"type": "FeatureCollection", "features": [f for f in features if f["geometry"] is not None]}


def uncoverable_features(facts: Facts) -> dict[str, Any]:
    """The uncoverable patches with most people (or area), at most `MAX_POLYGONS`."""
    head = facts.uncoverable.head(MAX_POLYGONS)
    columns = (head.geometry, head["people"], head["area_km2"], head["reason"])
    features = [
        _feature(geometry, {"people": plain(people), "area_km2": plain(area), "reason": str(reason)})
        for geometry, people, area, reason in zip(*columns, strict=True)
    ]
    return {"type": "FeatureCollection", "features": [f for f in features if f["geometry"] is not None]}


def _feature(geometry: Any, properties: dict[str, Any]) -> dict[str, Any]:
    from shapely.geometry import MultiPolygon, mapping

    parts = [p for p in getattr(geometry, "geoms", [geometry]) if p.geom_type == "Polygon" and not p.is_empty]
    outline = None
    if parts:
        rounded = mapping(MultiPolygon(parts))
        outline = {"type": "MultiPolygon", "coordinates": _rounded(rounded["coordinates"])}
    return {"type": "Feature", "properties": properties, "geometry": outline}


def _rounded(value: Any) -> Any:
    return round(value, 5) if isinstance(value, float) else [_rounded(v) for v in value]


def json_for_html(document: Any) -> str:
    """JSON that can stand inside a ``<script>`` element: ``<``, ``>``, ``&`` and line separators are escaped.

    Raises
    ------
    ValueError
        If a number is not finite: NaN is no JSON.
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "&<>\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
