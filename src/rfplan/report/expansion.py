"""The report's 5G expansion and network parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rfplan.io.tables import write_csv
from rfplan.metrics import compare
from rfplan.report.facts import Facts
from rfplan.report.markup import Column, number, percent, scroll, section, table, text


def expansion_section(facts: Facts) -> str:
    """5G before and after, by year, by carrier and site by site."""
    made = facts.expansion_5g
    if made is None:
        return ""
    plan = made.plan
    sites = plan.sites
    before, after = made.figures_before.total, made.figures_after.total
    wider = plan.coverage_after.radius_m != facts.after.radius_m
    lines = [
        f"5G with {number(len(sites))} carriers on masts that stand or are planned, at a cost of "
        f"{number(sites['cost'].sum(), 2)}, {facts.cost_unit}. Covered people rise from "
        f"{percent(before['covered_population_percent'])} to {percent(after['covered_population_percent'])}, "
        f"covered area from {percent(before['covered_area_percent'])} to {percent(after['covered_area_percent'])}.",
        f"No choice among the {number(len(plan.candidates))} carriers on offer reaches the same at less than "
        f"{number(plan.bound, 2)}: {_distance_words(plan.gap)}"
        if plan.status != "infeasible"
        else "",
        "Predicted anew as a whole: agrees." if plan.verified else "NOT verified by a new prediction.",
        f"What is missed: {made.reason}." if made.reason else "",
        "Covered: SS-RSRP at least "
        + f"{plan.coverage_after.service.required_rsrp_dbm:g}".replace("-", "−")
        + f" dBm and the uplink closes, within {plan.coverage_after.radius_m / 1000:g} km of a site"
        + (f" ({facts.after.radius_m / 1000:g} km elsewhere in this report)." if wider else "."),
    ]
    body = "".join(f"<p>{text(line)}</p>" for line in lines if line)
    left = "<h3>By year</h3>" + scroll(_year_table(made.years, facts.has_people), "scroll free")
    right = "<h3>By carrier</h3>" + scroll(_band_table(made.bands), "scroll free")
    body += f'<div class="two"><div>{left}</div><div>{right}</div></div>'
    body += "<h3>Carriers to add, in order</h3>" + scroll(_sites_table(facts))
    return section("expansion", "5G expansion", body)


def _distance_words(gap: float) -> str:
    return "this choice is proven to be the cheapest." if gap == 0 else f"at most {percent(100 * gap)} could be saved."


def _year_table(frame: pd.DataFrame, people: bool) -> str:
    columns = [
        Column("Year", [str(int(year)) for year in frame["year"]], kind="head", total="All"),
        Column("Carriers", frame["sites"].tolist(), 0, total=number(frame["sites"].sum())),
        Column("Budget", frame["budget"].tolist(), 2, total=number(frame["budget"].sum(), 2)),
        Column("Cost", frame["spent"].tolist(), 2, total=number(frame["spent"].sum(), 2)),
        *([Column("Population at the end", frame["people_percent"].tolist(), 2, "percent")] if people else []),
        Column("Area at the end", frame["area_percent"].tolist(), 2, "percent"),
    ]
    return table("years-5g", "5G by year", columns, sortable=False, foot=True)


def _band_table(frame: pd.DataFrame) -> str:
    columns = [
        Column("Carrier", frame["band"].tolist(), kind="head", total="All"),
        Column("MHz", frame["frequency_mhz"].tolist(), 0),
        Column("Width, MHz", frame["bandwidth_mhz"].tolist(), 0),
        Column("Sites", frame["sites"].tolist(), 0, total=number(frame["sites"].sum())),
        Column("Cost", frame["cost"].tolist(), 2, total=number(frame["cost"].sum(), 2)),
    ]
    return table("bands-5g", "5G by carrier", columns, sortable=False, foot=True)


def _sites_table(facts: Facts) -> str:
    frame = facts.expansion_5g.plan.sites
    new = frame["upgrades"].isin(facts.build["site_id"])
    columns = [
        Column("Order", np.arange(1, len(frame) + 1).tolist(), 0),
        Column("Year", frame["year"].astype(str).tolist()),
        Column("On site", frame["upgrades"].tolist(), kind="head"),
        Column("Mast", np.where(new, "new site of this plan", "existing site").tolist()),
        Column("Carrier", frame["band"].tolist()),
        Column("Cost", frame["cost"].tolist(), 2),
        Column("People gained", frame["gained_people"].tolist(), 0),
        Column("Area gained, km²", frame["gained_km2"].tolist(), 2),
        Column("Population covered", frame["cumulative_people_percent"].tolist(), 2, "percent"),
    ]
    return table("list-5g", "5G carriers to add", columns)


def expansion_masks(facts: Facts) -> Any:
    """Covered by 5G before and after, (ny, nx) each, or None."""
    if facts.expansion_5g is None:
        return None
    plan = facts.expansion_5g.plan
    return tuple(np.asarray(c.layers["covered"].values, np.bool_) for c in (plan.coverage_before, plan.coverage_after))


def expansion_tables(facts: Facts) -> dict[str, pd.DataFrame]:
    """Build list, years and communes of 5G."""
    made = facts.expansion_5g
    if made is None:
        return {}
    return {
        "build_list_5g": made.plan.sites,
        "rollout_5g": made.years,
        "communes_5g": compare(made.figures_before, made.figures_after),
    }


def expansion_layer(facts: Facts) -> Any:
    """The carriers to add as points, or None."""
    if facts.expansion_5g is None or not len(facts.expansion_5g.plan.sites):
        return None
    import geopandas as gpd

    sites = facts.expansion_5g.plan.sites
    return gpd.GeoDataFrame(sites, geometry=gpd.points_from_xy(sites["lon_deg"], sites["lat_deg"]), crs="EPSG:4326")


def parameters_section(facts: Facts) -> str:
    """What was planned for the cells, and that it is free of collisions and confusions."""
    made = facts.parameters
    if made is None:
        return ""
    clean = made.collisions == 0 and made.confusions == 0
    planned = made.cells[made.cells["pci"] >= 0]
    counts = planned["technology"].value_counts().sort_index()
    lines = [
        "Physical cell identities and PRACH root sequences of "
        + ", ".join(f"{number(count)} {name} cells" for name, count in counts.items())
        + f"; {number(len(made.neighbours))} neighbour relations.",
        ("Verified: " if clean else "NOT clean: ")
        + f"{number(made.collisions)} collisions (neighbours on one carrier with the same identity) and "
        f"{number(made.confusions)} confusions (two neighbours of a cell with the same identity). "
        "Both were recounted from the tables, apart from the planner.",
        f"{percent(100 * made.mod3_share)} of neighbour pairs on one carrier agree modulo 3; "
        f"{number(made.root_conflicts)} share a root sequence.",
        "Tables: parameters/cells.csv and parameters/neighbours.csv.",
    ]
    kinds = made.neighbours["kind"].value_counts()
    columns = [
        Column("Relation", kinds.index.tolist(), kind="head"),
        Column("Number", kinds.tolist(), 0),
    ]
    body = "".join(f"<p>{text(line)}</p>" for line in lines)
    body += scroll(table("relations", "Neighbour relations", columns, sortable=False), "scroll free")
    return section("parameters", "Network parameters", body)


def write_parameters(facts: Facts, folder: Path) -> None:
    """Write cells and neighbours as CSV where they were planned."""
    if facts.parameters is not None:
        write_csv(folder / "cells.csv", facts.parameters.cells)
        write_csv(folder / "neighbours.csv", facts.parameters.neighbours.round({"distance_m": 1}))
