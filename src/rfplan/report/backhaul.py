"""The report's backhaul: fibre or hops of every new site, for the page, the map and the GeoPackage."""

from __future__ import annotations

from typing import Any

from rfplan.report.context import plain
from rfplan.report.facts import Facts
from rfplan.report.markup import Column, number, percent, scroll, section, table, text

MEDIUM_WORDS = {
    "fibre on site": "fibre on the existing site",
    "fibre": "fibre from the route",
    "microwave": "microwave",
    "none": "none",
}


def backhaul_section(facts: Facts) -> str:
    """How each new site is joined to the fibre, and what was checked."""
    plan = facts.backhaul
    if plan is None:
        return ""
    counts = plan.sites["medium"].value_counts()
    parts = [f"{number(count)} × {MEDIUM_WORDS[str(name)]}" for name, count in counts.items()]
    what = f"What has fibre: {plan.basis}." if plan.basis else ""
    checked = "NOT every hop or site passes the check: see the table."
    if plan.verified:
        checked = (
            f"Each of the {number(len(plan.links))} hops was cut again as a terrain profile and clears it with the "
            "wanted share of the first Fresnel zone."
            if len(plan.links)
            else "No hop is needed."
        )
    dropped = (
        f"{number(plan.without)} candidates had no possible backhaul and were set aside before sites were chosen."
        if plan.without
        else "Every candidate had a possible backhaul."
    )
    extra = f" Masts needed for relaying only: {number(len(plan.relays))}." if len(plan.relays) else ""
    late = 0 if "year" not in plan.sites.columns else int((plan.sites["joined_year"] > plan.sites["year"]).sum())
    early = (
        f"{number(late)} sites are joined over sites that the roll-out builds in a later year: put up those masts "
        "earlier, or bridge the years until then. They are marked in the table."
        if late
        else ""
    )
    cost = f"Cost of backhaul: {number(plan.cost, 2)}, beside the cost of the sites; unit: {facts.cost_unit}."
    lines = ["; ".join(parts) + "." + extra, what, checked, dropped, early, cost]
    body = "".join(f"<p>{text(line)}</p>" for line in lines if line)
    return section("backhaul", "Backhaul", body + scroll(_site_table(facts)))


def _site_table(facts: Facts) -> str:
    frame = facts.backhaul.sites.reset_index(drop=True)
    build = facts.build.set_index("site_id")
    names = build["name"].where(build["name"].astype(str) != "", build.index.to_series()).reindex(frame["site_id"])
    columns = [
        Column("Order", build["order"].reindex(frame["site_id"]).tolist(), 0),
        Column("Site", names.tolist(), kind="goto"),
        Column("Medium", frame["medium"].map(MEDIUM_WORDS).tolist()),
        Column("Fibre, m", frame["fibre_m"].tolist(), 0),
        Column("Hops", frame["hops"].tolist(), 0),
        Column("First hop to", frame["next_id"].fillna("").tolist()),
        Column("Length of all hops, km", (frame["distance_m"] / 1000.0).tolist(), 2),
        Column("Least clearance beyond the zone, m", frame["clearance_m"].tolist(), 1),
        Column("Availability", [_nines(value) for value in frame["availability_percent"]]),
        Column("Cost", frame["cost"].tolist(), 2),
    ]
    if "year" in frame.columns:
        later = frame["joined_year"] > frame["year"]
        columns.insert(2, Column("Year", frame["year"].astype(str).tolist()))
        if later.any():
            columns.append(Column("Joined only in", frame["joined_year"].astype(str).where(later, "").tolist()))
    if (frame["reason"] != "").any():
        columns.append(Column("Why none", frame["reason"].tolist()))
    order = {site: k for k, site in enumerate(facts.build["site_id"])}
    goto = [f"site:{order[site]}" for site in frame["site_id"]]
    return table("backhaul-list", "Backhaul of the new sites", columns, goto=goto)


def _nines(value: float) -> str:
    """A share of the year; what rounds to all of it is said to be over the last figure shown."""
    if value != value:
        return ""
    return "over 99.9999 %" if value > 99.9999 else percent(value, 4)


def backhaul_features(facts: Facts) -> list[dict[str, Any]]:
    """Hops as lines for the map."""
    if facts.backhaul is None:
        return []
    return [
        {
            "from": str(link["from_id"]),
            "to": str(link["to_id"]),
            "line": [
                [round(link["from_lat_deg"], 6), round(link["from_lon_deg"], 6)],
                [round(link["to_lat_deg"], 6), round(link["to_lon_deg"], 6)],
            ],
            "km": plain(round(link["distance_m"] / 1000.0, 3)),
            "clearance": plain(round(link["checked_clearance_m"], 2)),
            "availability": _nines(link["availability_percent"]),
        }
        for link in facts.backhaul.links.to_dict("records")
    ]


def backhaul_layer(facts: Facts) -> Any:
    """Hops as a GeoDataFrame of lines, or None."""
    if facts.backhaul is None or not len(facts.backhaul.links):
        return None
    import geopandas as gpd
    from shapely.geometry import LineString

    links = facts.backhaul.links
    ends = links[["from_lon_deg", "from_lat_deg", "to_lon_deg", "to_lat_deg"]].to_numpy(float)
    lines = [LineString([row[:2], row[2:]]) for row in ends]
    return gpd.GeoDataFrame(links, geometry=lines, crs="EPSG:4326")
