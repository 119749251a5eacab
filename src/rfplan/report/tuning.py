"""The report's sector tuning: what was tried, what it brings, and the changed cells."""

from __future__ import annotations

from typing import Any

import pandas as pd

from rfplan.report.facts import Facts
from rfplan.report.markup import Column, number, percent, scroll, section, table, text

_SETTINGS = (
    ("azimuth_deg", "Azimuth, °", 0),
    ("electrical_tilt_deg", "Electrical tilt, °", 1),
    ("max_power_dbm", "Power, dBm", 1),
    ("tx_height_agl_m", "Antenna height, m", 1),
)


def tuning_section(facts: Facts) -> str:
    """What tuning tried and gained, and every changed cell before and after."""
    made = facts.tuning
    if made is None:
        return ""
    body = "".join(f"<p>{text(line)}</p>" for line in _words(facts) if line)
    body += scroll(_figure_table(facts), "scroll free")
    if len(made.cells):
        body += "<h3>Changed cells</h3>" + scroll(_cell_table(facts))
    return section("tuning", "Sector tuning", body)


def _words(facts: Facts) -> list[str]:
    made, found = facts.tuning, facts.tuning.settings
    changed = made.cells["sector_id"].nunique()
    tried = (
        f"{number(made.sectors)} sectors of {number(made.sites)} sites were tried in steps of {_steps(made.rules)}. "
    )
    served = "people" if made.rules.objective == "people" else "area"
    sinr = made.rules.min_sinr_db
    aim = f"{served} covered" + ("" if sinr is None else f" at a data SINR of {_signed(sinr)} dB or more")
    checked = "Predicted anew as a whole: agrees." if found.verified else "NOT verified by a new prediction."
    lost = "No pixel covered before is uncovered" if found.lost_pixels == 0 else f"{found.lost_pixels} pixels are lost"
    if sinr is not None and found.lost_served_pixels:
        lost += f"; {number(found.lost_served_pixels)} lose the SINR"
    return [
        tried + f"Sectors that end in other settings: {number(changed)}. The aim: {aim}. "
        "The search stops where no single sector can be bettered; no bound is proven for it.",
        f"{lost}. {checked}",
        "Coverage after the plan, on the map, in key figures and by commune, is that of the tuned network. Sites in "
        "build order, years and the cost–coverage curve count the settings as chosen: sectors are retuned when the "
        "last site is on air."
        if changed
        else "",
    ]


def _steps(rules: Any) -> str:
    parts = (
        ("azimuth", rules.azimuth_steps_deg, "°"),
        ("electrical tilt", rules.tilt_steps_deg, "°"),
        ("power", rules.power_steps_db, " dB"),
        ("height", rules.height_steps_m, " m"),
    )
    used = [(name, sorted({float(v) for v in values} - {0.0}), unit) for name, values, unit in parts]
    return "; ".join(
        f"{name} {', '.join(_signed(value) for value in values)}{unit}" for name, values, unit in used if values
    )


def _signed(value: float) -> str:
    return f"{value:+g}".replace("-", "−")


def _figure_table(facts: Facts) -> str:
    made = facts.tuning
    figures = made.settings.figures
    with_sinr = made.rules.min_sinr_db is not None
    totals = {"people": facts.total_after["population_on_terrain"], "km2": facts.total_after["area_on_terrain_km2"]}
    rows = []
    for kind in ("covered", "served") if with_sinr else ("covered",):
        for unit, words, digits in (("people", "People {}", 0), ("km2", "Area {}, km²", 2)):
            if unit == "people" and not facts.has_people:
                continue
            name = words.format("with service (covered, and the SINR reached)" if kind == "served" else "covered")
            aim = unit == ("people" if made.rules.objective == "people" else "km2") and (kind == "served") == with_sinr
            before, after = (float(figures.loc[when, f"{kind}_{unit}"]) for when in ("before", "after"))
            share = percent(100 * after / float(totals[unit])) if float(totals[unit]) > 0 else "–"
            gained = number(after - before, digits)
            rows.append((name, number(before, digits), number(after, digits), gained, share, "yes" if aim else ""))
    heads = ("Measure", "Before tuning", "After tuning", "Gained", "Share after", "Objective")
    columns = [Column(head, [row[i] for row in rows], kind="head" if i == 0 else "") for i, head in enumerate(heads)]
    return table("tuning-figures", "Sector tuning, before and after", columns, sortable=False)


def _cell_table(facts: Facts) -> str:
    frame = facts.tuning.cells
    names = facts.after.network.sites.drop_duplicates("site_id").set_index("site_id")["name"].astype(str)
    site = frame["site_id"].map(names).fillna("")
    columns = [
        Column("Site", site.where(site != "", frame["site_id"]).tolist(), kind="head"),
        Column("Cell", frame["cell_id"].tolist()),
    ]
    for name, words, digits in _SETTINGS:
        before, after = frame[f"{name}_before"], frame[f"{name}_after"]
        if (before == after).all():
            continue
        columns += [
            Column(f"{words}, before", before.tolist(), digits),
            Column(f"{words}, after", after.tolist(), digits),
        ]
    if facts.has_people:
        columns.append(Column("People gained", frame["gained_people"].tolist(), 0))
    columns.append(Column("Area gained, km²", frame["gained_km2"].tolist(), 2))
    return table("tuned-cells", "Changed cells", columns)


def tuning_tables(facts: Facts) -> dict[str, pd.DataFrame]:
    """Changed cells, and people and area before and after."""
    if facts.tuning is None:
        return {}
    figures = facts.tuning.settings.figures.rename_axis("when").reset_index()
    return {"tuning": facts.tuning.cells, "tuning_figures": figures}
