"""The report's roll-out: what is built in which year, what that costs and gains, and how good the order is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from rfplan.colours import Colour
from rfplan.report.charts import Series
from rfplan.report.facts import Facts
from rfplan.report.markup import Column, number, percent, scroll, section, table, text

WORK_WORDS = {
    "upgrade": "upgrade of a 2G/3G site",
    "co-location": "co-location on a shared mast",
    "greenfield": "new mast",
    "new sector": "new sector on an existing site",
    "taller mast": "taller mast on an existing site",
}
_FIRST_COLOUR, _LAST_COLOUR = (255, 228, 110), (217, 83, 25)


def year_colours(years: list[int]) -> dict[int, Colour]:
    """A colour a year, from light to dark; black figures can be read on each."""
    share = np.linspace(0.0, 1.0, max(len(years), 2))[: len(years)]
    ends = np.array([_FIRST_COLOUR, _LAST_COLOUR], np.float64)
    mixed = ((1 - share)[:, None] * ends[0] + share[:, None] * ends[1]).round().astype(int).tolist()
    return {year: (red, green, blue) for year, (red, green, blue) in zip(years, mixed, strict=True)}


def year_legend(facts: Facts) -> list[dict[str, Any]]:
    """Years with sites, their colours and how many sites each builds: for the map."""
    if facts.rollout is None:
        return []
    frame = facts.rollout.years
    colours = year_colours(frame["year"].astype(int).tolist())
    return [
        {"year": int(year), "colour": "#{:02x}{:02x}{:02x}".format(*colours[int(year)]), "sites": int(sites)}
        for year, sites in zip(frame["year"], frame["sites"], strict=True)
    ]


def bound_series(facts: Facts) -> list[Series]:
    """The most any choice of candidates could cover for the money: one point a year."""
    if facts.rollout is None:
        return []
    frame = facts.rollout.years
    cost = np.cumsum(frame["budget"].to_numpy(np.float64))
    most = frame["bound_percent"].to_numpy(np.float64)
    people = facts.rollout.measure == "people"
    if people and not facts.has_people:
        return []
    name = f"Proven limit for each year's money, {'population' if people else 'area'}"
    return [Series(name, cost.tolist(), most.tolist(), "s-limit" if people else "s-area-limit", dots=True)]


def rollout_section(facts: Facts) -> str:
    """Yearly table, milestones and the distance to the best possible, in words."""
    plan = facts.rollout
    if plan is None:
        return ""
    frame = plan.years
    body = f"<p>{text(_money_words(facts))}</p>"
    if len(plan.left_out):
        cost = number(plan.left_out["cost"].sum(), 2)
        body += (
            f"<p>{text(f'Not paid for in these years: {len(plan.left_out)} sites of the plan that meets the target, ')}"
            f"{text(f'at a cost of {cost}.')}</p>"
        )
    body += scroll(_year_table(facts), "scroll free")
    body += "".join(f"<p>{text(line)}</p>" for line in [*_milestone_words(facts), _gap_words(facts)] if line)
    body += "<h3>Cost by kind of work</h3>" + scroll(work_table(facts), "scroll free")
    return section("rollout", f"Roll-out {frame['year'].iloc[0]:.0f}–{frame['year'].iloc[-1]:.0f}", body)


def _money_words(facts: Facts) -> str:
    plan, frame = facts.rollout, facts.rollout.years
    total = number(frame["spent"].sum(), 2)
    share = number(frame["budget"].max(), 2)
    unit = facts.cost_unit
    if plan.own_budget:
        return (
            f"No yearly budget was given, so the plan's cost of {total} is split evenly: at most {share} a year. "
            f"Unit of cost: {unit}."
        )
    return f"The budgets allow {number(frame['budget'].sum(), 2)} in all; {total} is spent. Unit of cost: {unit}." + (
        "" if plan.whole_plan else " The money does not pay for the target: the sites below are what it buys best."
    )


def _year_table(facts: Facts) -> str:
    frame, people = facts.rollout.years, facts.has_people
    columns = [
        Column("Year", [str(int(year)) for year in frame["year"]], kind="head", total="All"),
        Column("Sites", frame["sites"].tolist(), 0, total=number(frame["sites"].sum())),
        Column("Budget", frame["budget"].tolist(), 2, total=number(frame["budget"].sum(), 2)),
        Column("Cost", frame["spent"].tolist(), 2, total=number(frame["spent"].sum(), 2)),
        Column("People gained", frame["people_gained"].tolist(), 0, total=number(frame["people_gained"].sum())),
        Column("Area gained, km²", frame["km2_gained"].tolist(), 1, total=number(frame["km2_gained"].sum(), 1)),
        Column("Population covered at the end", frame["people_percent"].tolist(), 2, "percent"),
        Column("Area covered at the end", frame["area_percent"].tolist(), 2, "percent"),
        Column(f"Proven limit for the money ({facts.rollout.measure})", frame["bound_percent"].tolist(), 2, "percent"),
    ]
    if not people:
        columns = [c for c in columns if c.head not in ("People gained", "Population covered at the end")]
    if frame["milestone_percent"].notna().any():
        columns.append(Column("Milestone", [_milestone(row) for row in frame.to_dict("records")]))
    return table("year-list", "Roll-out by year", columns, sortable=False, foot=True)


def _milestone(row: dict[Any, Any]) -> str:
    if pd.isna(row["milestone_percent"]):
        return ""
    return f"{row['milestone_percent']:g} %: {'met' if row['met'] else 'missed'}"


def _milestone_words(facts: Facts) -> list[str]:
    lines = []
    what = "people" if facts.rollout.measure == "people" else "area"
    for row in facts.rollout.years.to_dict("records"):
        if pd.isna(row["milestone_percent"]):
            continue
        asked = f"{row['milestone_percent']:g} % of {what} by the end of {int(row['year'])}"
        if row["met"]:
            reached = percent(row["reached_percent"])
            lines.append(f"Milestone {asked}: met, with {reached} of what is covered already or can be covered.")
        else:
            lines.append(f"Milestone {asked}: missed. {row['reason']}.")
    return lines


def _gap_words(facts: Facts) -> str:
    plan, frame = facts.rollout, facts.rollout.years
    people = plan.measure == "people"
    column = "people_percent" if people else "area_percent"
    gap = (frame["bound_percent"] - frame[column]).clip(lower=0.0)
    worst = gap.idxmax()
    whole = float(facts.total_after["population_on_terrain" if people else "area_on_terrain_km2"])
    amount = number(gap[worst] / 100.0 * whole, 0) + (" people" if people else " km²")
    return (
        "How good the order is: no choice of sites among all candidates could cover more, for the budgets until each "
        f"year's end, than the proven limit. The plan is at most {number(gap.max(), 2)} percentage points below "
        f"it at any year's end ({amount}, in {int(frame['year'][worst])})."
    )


def work_table(facts: Facts) -> str:
    """Number and cost of the sites by what is built."""
    build = facts.build
    work = build["work"] if "work" in build.columns else pd.Series("", index=build.index)
    groups = build.groupby(work)["cost"].agg(["count", "sum"]).sort_values("sum", ascending=False, kind="stable")
    columns = [
        Column("Work", [WORK_WORDS.get(str(name), str(name)) for name in groups.index], kind="head", total="All"),
        Column("Sites", groups["count"].tolist(), 0, total=number(groups["count"].sum())),
        Column("Cost of one, mean", (groups["sum"] / groups["count"]).tolist(), 2),
        Column("Cost", groups["sum"].tolist(), 2, total=number(groups["sum"].sum(), 2)),
    ]
    return table("work-list", "Cost by kind of work", columns, sortable=False, foot=True)
