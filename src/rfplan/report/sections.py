"""The sections of the page: headline figures, charts, tables, provenance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from rfplan.report.charts import Axes, Series, line_chart
from rfplan.report.facts import Facts
from rfplan.report.markup import (
    Column,
    card,
    definitions,
    number,
    percent,
    scroll,
    section,
    share_bar,
    table,
    text,
    tools,
)
from rfplan.report.payload import MAX_POLYGONS, kind_text, present
from rfplan.report.years import WORK_WORDS, bound_series

SHORTFALL_PERCENT = 95.0


def _known(value: Any) -> bool:
    return value is not None and math.isfinite(float(value))


def cards(facts: Facts) -> str:
    """The headline: population, area, sites, proof, rest."""
    before, after = facts.total_before, facts.total_after
    out = []
    if facts.has_people:
        gained = after["covered_population"] - before["covered_population"]
        off = float(after["population"]) - float(after["population_on_terrain"])
        out.append(
            card(
                "Population covered",
                _from_to(before["covered_population_percent"], after["covered_population_percent"]),
                [
                    f"{number(after['covered_population'])} of {number(after['population_on_terrain'])} people; "
                    f"{number(gained)} gained",
                    f"A further {number(off)} people live beyond the terrain model: not judged" if off >= 1 else "",
                ],
                share_bar(before["covered_population_percent"], after["covered_population_percent"], "head"),
            )
        )
    gained = after["covered_area_km2"] - before["covered_area_km2"]
    off = facts.off_terrain_km2
    out.append(
        card(
            "Area covered",
            _from_to(before["covered_area_percent"], after["covered_area_percent"]),
            [
                f"{number(after['covered_area_km2'])} of {number(after['area_on_terrain_km2'])} km²; "
                f"{number(gained, 1)} km² gained",
                f"A further {number(off)} km² lie beyond the terrain model: not judged" if off > 0 else "",
            ],
            share_bar(before["covered_area_percent"], after["covered_area_percent"], "head"),
        )
    )
    out += [_sites_card(facts), _proof_card(facts), _rest_card(facts)]
    return "".join(out)


def _from_to(before: Any, after: Any) -> str:
    if percent(before) == percent(after):
        return percent(after)
    return f'<span class="from">{percent(before)}</span><span class="arrow">→</span>{percent(after)}'


def _sites_card(facts: Facts) -> str:
    kinds = facts.build["kind"].map(kind_text).replace("", "unspecified").value_counts()
    cost = facts.build["cost"].sum(min_count=1)
    candidates = facts.solution["candidates"]
    notes = ["; ".join(f"{number(count)} × {name}" for name, count in kinds.items())]
    notes.append(f"Chosen from {number(candidates)} candidates" if candidates else "")
    notes.append(f"Beside {number(len(facts.existing))} existing sites")
    notes.append(f"Total cost {number(cost, 2)}, {facts.cost_unit}" if _known(cost) and len(facts.build) else "")
    visited, visits = facts.site_visits
    once = f"Of it {number(visits, 2)} for work on {number(visited)} existing sites, once each"
    notes.append(once if visits > 0 else "")
    return card("New sites", number(len(facts.build)), notes)


def _proof_card(facts: Facts) -> str:
    known = facts.solution
    gap, bound, objective = known["gap"], known["bound"], known["objective"]
    big = percent(100 * float(gap), 2) if _known(gap) else "no bound"
    notes = []
    if _known(objective) and _known(bound):
        notes.append(f"Objective {number(objective, 2)}, proven bound {number(bound, 2)}")
    if known["verified"] is not None:
        notes.append("Predicted anew as a whole: agrees" if known["verified"] else "Not verified by a new prediction")
    if known["status"] == "infeasible":
        notes.append("The target is not met")
    if present(known["reason"]):
        notes.append(str(known["reason"]))
    return card("Distance to the proven optimum", big, notes)


def _rest_card(facts: Facts) -> str:
    people, area = float(facts.uncoverable["people"].sum()), float(facts.uncoverable["area_km2"].sum())
    size = (facts.inside & ~facts.covered_after).sum() * (facts.terrain.resolution_m / 1000) ** 2
    left = f"{number(size, 1)} km² in all stay without coverage" if size > 0 else "Nothing stays without coverage"
    if not len(facts.uncoverable):
        return card("Uncoverable rest", "none", [left])
    amount, unit = (number(people), "people") if facts.has_people else (number(area, 1), "km²")
    big = f'{amount} <span class="unit">{unit}</span>'
    patches = f"{number(area, 1)} km² in {number(len(facts.uncoverable))} patches that no candidate reaches"
    return card("Uncoverable rest", big, [patches, left])


def results(facts: Facts) -> str:
    """Cost–coverage curve, threshold sweep and published figures."""
    left = f"<div><h3>Coverage against cost, in build order</h3>{curve_chart(facts)}</div>"
    right = f"<div><h3>Coverage against the level a service needs</h3>{sweep_chart(facts)}</div>"
    body = f'<div class="two">{left}{right}</div>'
    body += "<h3>Threshold sweep</h3>" + scroll(sweep_table(facts), "scroll free")
    body += (
        '<p class="small">Share of people and ground where one cell reaches the level and closes the uplink: what the '
        "network would cover if the service needed that level. The uplink\u2019s needs stay those of the planned "
        "service.</p>"
    )
    return section("results", "Results", body)


def curve_chart(facts: Facts) -> str:
    """Covered share of people and area as money is spent; starts with today."""
    build = facts.build
    if not len(build):
        return '<p class="empty">The plan builds no site, so there is no curve.</p>'
    costs = build["cost"].to_numpy(np.float64)
    by_cost = bool(np.isfinite(costs).all() and costs.sum() > 0)
    spent = np.cumsum(costs) if by_cost else np.arange(1, len(build) + 1)
    x = [0.0, *spent.tolist()]
    series = []
    for name, column, total, style in (
        ("Population", "cumulative_people_percent", "covered_population_percent", "s-people"),
        ("Area", "cumulative_area_percent", "covered_area_percent", "s-area"),
    ):
        if column.startswith("cumulative_people") and not facts.has_people:
            continue
        y = [float(facts.total_before[total]), *build[column].to_numpy(np.float64).tolist()]
        series.append(Series(name, x, y, style, dots=len(x) <= 25))
    series += bound_series(facts) if by_cost else []
    label = f"Cost spent, {facts.cost_unit}" if by_cost else "New sites built"
    return line_chart(series, Axes(label, "Covered, %", "Cost–coverage curve"))


def sweep_chart(facts: Facts) -> str:
    """Covered share over the required level."""
    frame = facts.sweep
    names = (
        ("Population, before", "population_before_percent", "s-before"),
        ("Population, after", "population_after_percent", "s-people"),
        ("Area, before", "area_before_percent", "s-area-before"),
        ("Area, after", "area_after_percent", "s-area"),
    )
    x = frame["threshold_dbm"].astype(float).tolist()
    series = [
        Series(name, x, frame[column].astype(float).tolist(), style, dots=True)
        for name, column, style in names
        if column in frame.columns and (facts.has_people or "area" in column)
    ]
    mark = ((facts.required_rsrp_dbm, "planned service"),)
    return line_chart(series, Axes(f"Required {facts.level_name}, dBm", "Covered, %", "Threshold sweep", vertical=mark))


def sweep_table(facts: Facts) -> str:
    """The sweep in figures."""
    frame = facts.sweep
    heads = {
        "population_before_percent": "Population before",
        "population_after_percent": "Population after",
        "area_before_percent": "Area before",
        "area_after_percent": "Area after",
    }
    columns = [Column(f"Required {facts.level_name}, dBm", frame["threshold_dbm"].tolist(), 0)]
    if "service" in frame.columns:
        columns.append(Column("Service", [v if present(v) else "" for v in frame["service"]]))
    shown = [name for name in heads if name in frame.columns and (facts.has_people or "area" in name)]
    columns += [Column(heads[name], frame[name].tolist(), 2, "percent") for name in shown]
    return table("sweep", "Threshold sweep", columns, sortable=False)


def published(facts: Facts) -> str:
    """Published figures beside the computed ones, with the explanation of the difference."""
    if not facts.context.published:
        return ""
    rows: list[tuple[str, Any, Any, str]] = [
        (p.label, p.population_percent, p.area_percent, p.source) for p in facts.context.published
    ]
    totals = {"existing network": facts.total_before, "with the new sites": facts.total_after}
    for label, total in totals.items():
        people = total["covered_population_percent"] if facts.has_people else None
        rows.append((f"This report: {label}", people, total["covered_area_percent"], "computed"))
    columns = [
        Column("Figure", [r[0] for r in rows], kind="head"),
        Column("Population", [r[1] for r in rows], 2, "percent"),
        Column("Area", [r[2] for r in rows], 2, "percent"),
        Column("Source", [r[3] for r in rows]),
    ]
    body = scroll(table("published-figures", "Published figures", columns, sortable=False), "scroll free")
    body += "".join(
        f'<p class="small wide">{text(p.explanation)}</p>' for p in facts.context.published if p.explanation
    )
    return section("published", "Beside published figures", body)


def build_table(facts: Facts) -> str:
    """The sites to build, in order."""
    frame = facts.build
    if not len(frame):
        return section("build", "Sites to build", '<p class="empty">No new site is needed or none helps.</p>')
    names = [r["name"] if present(r["name"]) else r["site_id"] for r in frame.to_dict("records")]
    columns = [
        Column("Order", frame["order"].tolist(), 0),
        Column("Site", names, kind="goto"),
        *([Column("Year", frame["year"].astype(str).tolist())] if "year" in frame.columns else []),
        *([Column("Work", frame["work"].map(WORK_WORDS).tolist())] if "work" in frame.columns else []),
        Column("Place", frame["kind"].map(kind_text).tolist()),
        Column("Latitude, °", frame["lat_deg"].tolist(), 5),
        Column("Longitude, °", frame["lon_deg"].tolist(), 5),
        Column("Antenna height, m", frame["tx_height_agl_m"].tolist(), 0),
        Column("Cost", frame["cost"].tolist(), 2),
        Column("People gained", frame["gained_people"].tolist(), 0),
        Column("Area gained, km²", frame["gained_km2"].tolist(), 2),
        Column("Population covered", frame["cumulative_people_percent"].tolist(), 2, "percent"),
        Column("Area covered", frame["cumulative_area_percent"].tolist(), 2, "percent"),
    ]
    columns = [c for c in columns if c.digits is None or pd.Series(c.values).notna().any()]
    if not facts.has_people:
        columns = [c for c in columns if c.head not in ("People gained", "Population covered")]
    goto = [f"site:{i}" for i in range(len(frame))]
    grid = table("build-list", "Sites to build", columns, goto=goto)
    return section("build", "Sites to build, in order", tools("build-list", "Filter sites") + scroll(grid))


def commune_table(facts: Facts) -> str:
    """A row a commune, most left to cover first, sortable and filterable; a click shows it on the map."""
    if not len(facts.key_after):
        return ""
    lacking = (
        ("population_on_terrain", "covered_population")
        if facts.has_people
        else ("area_on_terrain_km2", "covered_area_km2")
    )
    order = _left(facts.key_after, *lacking).sort_values(ascending=False, kind="stable", na_position="last").index
    before, after = facts.key_before.loc[order], facts.key_after.loc[order]
    total_before, total_after = facts.total_before, facts.total_after
    columns = [
        Column("Commune", after["name"].tolist(), kind="goto", total="All"),
        Column("Code", after["code"].astype(str).tolist(), kind="code"),
        Column("Area, km²", after["area_km2"].tolist(), 1, total=number(total_after["area_km2"], 1)),
    ]
    on_terrain = facts.within_terrain_percent.loc[order]
    if (on_terrain < 100).any():
        known = float(total_after["area_on_terrain_km2"])
        share = 100 * known / (known + facts.off_terrain_km2)
        columns.append(Column("Within terrain", on_terrain.tolist(), 0, "percent", total=percent(share, 0)))
    if facts.has_people:
        left = _left(after, "population_on_terrain", "covered_population")
        columns += [
            Column("Population", after["population"].tolist(), 0, total=number(total_after["population"])),
            *_before_after("covered_population_percent", "Population", before, after, total_before, total_after),
            Column("People left", left.tolist(), 0, total=number(left.sum())),
        ]
    columns += _before_after("covered_area_percent", "Area", before, after, total_before, total_after)
    measure = "covered_population_percent" if facts.has_people else "covered_area_percent"
    goto = [f"commune:{i}" if facts.communes is not None else None for i in order]
    words = f"only below {number(SHORTFALL_PERCENT)} % after the plan"
    below = f'<label class="option"><input type="checkbox" data-below> {words}</label>'
    short = (after[measure] < SHORTFALL_PERCENT).tolist()
    grid = table("commune-list", "Communes", columns, goto=goto, short=short, foot=True)
    return section("communes", "Communes", tools("commune-list", "Filter communes", below) + scroll(grid))


def _left(key: pd.DataFrame, whole: str, part: str) -> pd.Series:
    """What stays uncovered; nothing is said of communes beyond the terrain."""
    return (key[whole] - key[part]).clip(lower=0).where(key["area_on_terrain_km2"] > 0)


def _before_after(
    name: str, words: str, before: pd.DataFrame, after: pd.DataFrame, total_before: pd.Series, total_after: pd.Series
) -> list[Column]:
    bars = list(zip(before[name].astype(float), after[name].astype(float), strict=True))
    return [
        Column(f"{words} covered before", before[name].tolist(), 2, "percent", total=percent(total_before[name])),
        Column(f"{words} covered after", after[name].tolist(), 2, "percent", bars, total=percent(total_after[name])),
    ]


def rest_table(facts: Facts) -> str:
    """The patches that no candidate reaches."""
    frame = facts.uncoverable.head(min(100, MAX_POLYGONS))
    if not len(frame):
        return ""
    columns = [
        Column("Patch", [f"Patch {i + 1}" for i in range(len(frame))], kind="goto"),
        Column("People", frame["people"].tolist(), 0),
        Column("Area, km²", frame["area_km2"].tolist(), 2),
        Column("Reason", frame["reason"].tolist()),
    ]
    goto = [f"rest:{i}" for i in range(len(frame))]
    patches = f"{number(len(frame))} of {number(len(facts.uncoverable))} patches"
    words = f'<p class="small">{patches}, those with most people first. All are in plan.gpkg.</p>'
    grid = table("rest-list", "Uncoverable rest", columns, goto=goto)
    return section("rest", "Uncoverable rest", words + scroll(grid))


def provenance(facts: Facts, manifest: Mapping[str, Any]) -> str:
    """How it was made: method notes, parameters, inputs with their hashes, versions."""
    body = "".join(f"<p>{text(note)}</p>" for note in facts.context.notes)
    inputs = manifest.get("inputs", [])
    if inputs:
        columns = [
            Column("Input", [entry.get("role", "") for entry in inputs], kind="head"),
            Column("File", [entry.get("name", "") for entry in inputs]),
            Column("Bytes", [entry.get("bytes") for entry in inputs], 0),
            Column("SHA-256", [entry.get("sha256", "") for entry in inputs], kind="code"),
            Column("Licence", [entry.get("licence", "") for entry in inputs]),
            Column("Note", [entry.get("note", "") for entry in inputs]),
        ]
        columns = [c for c in columns if any(present(v) for v in c.values)]
        body += "<h3>Inputs</h3>" + scroll(table("inputs", "Inputs", columns, sortable=False), "scroll free")
    left = f"<h3>Prediction</h3>{definitions(manifest['prediction'])}"
    left += f"<h3>Solution</h3>{definitions(manifest['solution'])}"
    right = f"<h3>Parameters</h3>{definitions(manifest['parameters'])}" if manifest["parameters"] else ""
    right += f"<h3>Software</h3>{definitions(manifest['versions'])}"
    body += f'<div class="two"><div>{left}</div><div>{right}</div></div>'
    return section("provenance", "Method and provenance", body)
