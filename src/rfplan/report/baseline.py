"""Today's network by technology and operator: a section of the page, map layers, tables and rasters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from rfplan.colours import COVERED, GAP, TECHNOLOGY
from rfplan.io.tables import write_csv
from rfplan.plan.baseline import ANY, Baseline
from rfplan.report.charts import Axes, Series, line_chart
from rfplan.report.facts import Facts
from rfplan.report.images import Mercator
from rfplan.report.markup import Column, number, scroll, section, table, tools
from rfplan.report.payload import class_layer
from rfplan.report.rasters import write_layers

TABLE_STEP_DBM = 5.0
"""The sweep's table shows every multiple of this; the chart and the CSV hold every level."""


def baseline_section(facts: Facts) -> str:
    """What stands today, by technology: figures, sweep, operators, communes; empty without a baseline."""
    baseline = facts.baseline
    if baseline is None:
        return ""
    best = scroll(_best_table(baseline, facts.has_people), "scroll free")
    left = f"<div><h3>Newest technology that covers</h3>{best}</div>"
    right = f"<div><h3>Coverage against the level a service needs</h3>{sweep_chart(facts, baseline)}</div>"
    body = scroll(_technology_table(baseline, facts.has_people), "scroll free")
    body += (
        '<p class="small wide">Covered: one cell reaches the needed level and the uplink closes. The level is each '
        "technology\u2019s own: the broadcast carrier\u2019s RxLev (2G), the pilot\u2019s RSCP (3G), RSRP per resource "
        "element (4G) and SS-RSRP (5G), so equal numbers are not equal demands across technologies. Downlink alone: "
        "where the level is reached, whatever the uplink. Cells are predicted to "
        f"{number(facts.before.radius_m / 1000, 1)} km: 2G at 900 MHz may reach farther.</p>"
    )
    body += f'<div class="two">{left}{right}</div>'
    body += "<h3>Threshold sweep by technology, both links</h3>" + scroll(_sweep_table(facts, baseline), "scroll free")
    if len(baseline.operators):
        body += "<h3>By operator</h3>" + scroll(_operator_table(baseline, facts.has_people), "scroll free")
    if len(baseline.communes) > 1:
        grid = _commune_table(facts, baseline)
        body += "<h3>Communes by technology</h3>" + tools("baseline-communes", "Filter communes") + scroll(grid)
    return section("baseline", "Today\u2019s network by technology", body)


def _technology_table(baseline: Baseline, people: bool) -> str:
    frame = baseline.technologies
    levels = [
        f"{row.level}\u00a0\u2265\u00a0{number(row.required_dbm, 1).removesuffix('.0')}\u00a0dBm"
        for row in frame.itertuples()
    ]
    columns = [
        Column("Technology", frame["technology"].tolist(), kind="head"),
        Column("Needs", levels),
        Column("Sites", frame["sites"].tolist(), 0),
        Column("Cells", frame["cells"].tolist(), 0),
    ]
    if people:
        columns += [
            Column("People covered", frame["covered_population"].tolist(), 0),
            Column("Share of people", frame["covered_population_percent"].tolist(), 2, "percent"),
            Column("Downlink alone, people", frame["downlink_population_percent"].tolist(), 2, "percent"),
        ]
    columns += [
        Column("Area covered, km²", frame["covered_area_km2"].tolist(), 1),
        Column("Share of area", frame["covered_area_percent"].tolist(), 2, "percent"),
        Column("Downlink alone, area", frame["downlink_area_percent"].tolist(), 2, "percent"),
    ]
    return table("baseline-technologies", "Coverage by technology", columns, sortable=False)


def _best_table(baseline: Baseline, people: bool) -> str:
    frame = baseline.best
    columns = [Column("Newest technology", frame["technology"].tolist(), kind="head")]
    if people:
        columns += [
            Column("People", frame["population"].tolist(), 0),
            Column("Share of people", frame["population_percent"].tolist(), 2, "percent"),
        ]
    columns += [
        Column("Area, km²", frame["area_km2"].tolist(), 1),
        Column("Share of area", frame["area_percent"].tolist(), 2, "percent"),
    ]
    return table("baseline-best", "Newest technology that covers", columns, sortable=False)


def sweep_chart(facts: Facts, baseline: Baseline) -> str:
    """Covered share over the needed level, a line a technology."""
    measure, words = ("population", "people") if facts.has_people else ("area", "area")
    series = [
        Series(
            f"{technology}, {words}",
            part["threshold_dbm"].tolist(),
            part[f"covered_{measure}_percent"].tolist(),
            f"s-{str(technology).lower()}",
        )
        for technology, part in baseline.sweep.groupby("technology", sort=True)
    ]
    needs = baseline.technologies.groupby("required_dbm")["technology"].agg("/".join)
    marks = tuple((float(level), str(names)) for level, names in needs.items() if isinstance(level, float))
    title = "Threshold sweep by technology"
    axes = Axes("Needed level of each technology, dBm", f"Share of {words} covered, %", title, vertical=marks)
    return line_chart(series, axes)


def _sweep_table(facts: Facts, baseline: Baseline) -> str:
    sweep = baseline.sweep
    coarse = sweep[np.isclose(sweep["threshold_dbm"] % TABLE_STEP_DBM, 0.0)]
    levels = sorted(coarse["threshold_dbm"].unique(), reverse=True)
    columns = [Column("Needed level, dBm", levels, 0)]
    for measure, words in (("population", "people"), ("area", "area")):
        if measure == "population" and not facts.has_people:
            continue
        shares = coarse.pivot(index="threshold_dbm", columns="technology", values=f"covered_{measure}_percent")
        columns += [Column(f"{t}, {words}", shares.loc[levels, t].tolist(), 2, "percent") for t in shares.columns]
    return table("baseline-sweep", "Threshold sweep by technology", columns, sortable=False)


def _operator_table(baseline: Baseline, people: bool) -> str:
    frame = baseline.operators
    word = {ANY: "any"}
    columns = [
        Column("Operator", frame["operator"].replace(word).tolist(), kind="head"),
        Column("Technology", frame["technology"].replace(word).tolist()),
        Column("Sites", frame["sites"].tolist(), 0),
    ]
    if people:
        columns.append(Column("Population", frame["covered_population_percent"].tolist(), 2, "percent"))
    columns.append(Column("Area", frame["covered_area_percent"].tolist(), 2, "percent"))
    return table("baseline-operators", "Coverage by operator", columns, sortable=False)


def _commune_table(facts: Facts, baseline: Baseline) -> str:
    frame, total = baseline.communes.iloc[:-1], baseline.communes.iloc[-1]
    columns = [
        Column("Commune", frame["name"].tolist(), kind="goto", total="All"),
        Column("Code", frame["code"].astype(str).tolist(), kind="code"),
    ]
    for measure, words in (("population", "people"), ("area", "area")):
        if measure == "population" and not facts.has_people:
            continue
        for technology in baseline.technologies["technology"]:
            name = f"{measure}_{technology.lower()}_percent"
            shown = f"{number(total[name], 2)} %"
            columns.append(Column(f"{technology}, {words}", frame[name].tolist(), 2, "percent", total=shown))
    goto = [f"commune:{i}" if facts.communes is not None else None for i in range(len(frame))]
    return table("baseline-communes", "Communes by technology", columns, goto=goto, foot=True)


def baseline_layers(facts: Facts, mercator: Mercator) -> list[dict[str, Any]]:
    """Map layers: the newest technology that covers, and each technology's own coverage."""
    baseline = facts.baseline
    if baseline is None:
        return []
    newest = np.asarray(baseline.layers["best_technology"].values)
    names = sorted(baseline.coverages.by_technology)
    classes = [("No technology", GAP, facts.inside & (newest == 0))]
    classes += [(name, TECHNOLOGY[name], facts.inside & (newest == int(name[0]))) for name in names]
    note = "Newest technology of today\u2019s network that covers a place, both links. Shown inside the planning area."
    title = "Newest technology today"
    layers = [class_layer("best-technology", title, title, classes, mercator, note=note)]
    for name in names:
        covered = facts.inside & np.asarray(baseline.coverages.by_technology[name].covered)
        masks = [("Covered", COVERED, covered), ("Not covered", GAP, facts.inside & ~covered)]
        layers.append(
            class_layer(f"tech-{name.lower()}", f"{name} today", f"{name} coverage today", masks, mercator, note=note)
        )
    return layers


def write_baseline(facts: Facts, rasters: Path, tables: Path) -> None:
    """Write the figures as CSV and the maps as GeoTIFF, where there is a baseline."""
    baseline = facts.baseline
    if baseline is None:
        return
    for name, frame in baseline.tables().items():
        write_csv(tables / f"baseline_{name}.csv", frame)
    terrain = facts.terrain
    known = np.asarray(terrain.valid)
    maps: list[tuple[str, Any, float | None, str, str]] = []
    for name in map(str, baseline.layers.data_vars):
        words = str(baseline.layers[name].attrs.get("long_name", name))
        maps.append((name, np.where(known, baseline.layers[name].values, 255).astype(np.uint8), 255, "", words))
    for technology, coverage in baseline.coverages.by_technology.items():
        level = np.asarray(coverage.layers["rsrp_dbm"].values, np.float32)
        words = f"{coverage.level_name} of the strongest {technology} cell today"
        maps.append((f"level_{technology.lower()}_dbm", level, None, "dBm", words))
    write_layers(facts, rasters, maps)
