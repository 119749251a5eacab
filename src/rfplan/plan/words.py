"""What the report says beyond the plan itself: provenance, published figures beside the computed ones, notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rfplan.metrics import sweep_before_after
from rfplan.optimize import Plan
from rfplan.plan.bookkeeping import Run, peak_memory_mb
from rfplan.scenario import Scenario

if TYPE_CHECKING:
    from rfplan.demand import Demand


def metadata(run: Run, scenario: Scenario, demand: Demand, plan: Plan, before: Any) -> dict[str, Any]:
    """Gather the context of the report."""
    total = before.table.iloc[-1]
    reached = (float(total["covered_population_percent"]), float(total["covered_area_percent"]))
    published = []
    for section in scenario.published:
        entry = section.model_dump()
        entry["explanation"] = entry["explanation"] or _explanation(scenario, plan, reached, section)
        published.append(entry)
    notes = [*scenario.notes, _off_terrain(before), _joint(scenario)]
    notes += [f"Warning: {text}" for text in run.warnings]
    return {
        "title": scenario.title or scenario.name,
        "area_name": scenario.area_name,
        "scenario": scenario.name,
        "synthetic": scenario.synthetic,
        "synthetic_note": scenario.synthetic_note,
        "inputs": run.inputs,
        "parameters": scenario.model_dump(exclude={"published", "notes"}, exclude_none=True),
        "timings_s": dict(run.timings_s),
        "peak_memory_mb": peak_memory_mb(),
        "published": published,
        "threshold_sweep": sweep_before_after(plan.coverage_before, plan.coverage_after, demand),
        "notes": [note for note in notes if note],
    }


def _off_terrain(figures: Any) -> str:
    """Say how many people and how much area lie off the terrain."""
    total = figures.table.iloc[-1]
    people = float(total["population"] - total["population_on_terrain"])
    if people < 0.5:
        return ""
    share = 100.0 * people / float(total["population"])
    area = float(total["area_km2"] - total["area_on_terrain_km2"])
    return (
        f"{people:,.0f} people ({share:.1f} %) and about {area:,.0f} km² of the area lie where the terrain has no "
        "ground. They are not predicted and are counted neither as covered nor as uncovered; percentages are of "
        "what lies on known ground."
    )


def _joint(scenario: Scenario) -> str:
    """Say what joint coverage counts, where that is asked for."""
    asked = scenario.make_requirement()
    if asked is None:
        return ""
    return (
        f"Covered means here: the probability that at least one site serves is {100 * asked.probability:g} % or more. "
        "Each serves with the probability that shadowing leaves its best cell both links, free of fading margins; "
        "shadowing is taken as independent from site to site, so where it is alike this is optimistic. Sites that "
        f"serve with less than {100 * asked.least_probability:g} % do not count. The threshold sweep and figures by "
        "technology count one cell at a time, with the service's fading margins."
    )


def _explanation(scenario: Scenario, plan: Plan, reached: tuple[float, float], published: Any) -> str:
    """Say why the computed coverage differs from the published one, with the settings that decide it."""
    coverage = plan.coverage_before
    service = coverage.service
    gaps = []
    for name, value, given in (
        ("people", reached[0], published.population_percent),
        ("area", reached[1], published.area_percent),
    ):
        if given is not None:
            apart = f"{value - given:+.1f} points".replace("-", "−")
            gaps.append(f"{value:.1f} % of {name} computed against {given:g} % published ({apart})")
    asked = scenario.make_requirement()
    how = "both links close"
    if asked is not None:
        how = f"some station serves with a probability of {100 * asked.probability:g} %,"
    where = (
        "The computed figures are for invented stations, ground and settlement, so they match the published ones in "
        "order of magnitude only and were not tuned to them. "
        if scenario.synthetic
        else ""
    )
    level = f"{service.required_rsrp_dbm:g}".replace("-", "−")
    return (
        f"{'; '.join(gaps)}. {where}They count a pixel as covered where {how} at "
        f"{level} dBm ({service.name}) on one {coverage.technology} carrier, all stations "
        f"together, with propagation by {type(coverage.model).__name__} and an uplink fading margin of "
        f"{service.fading_margin_db:g} dB. The published figures state no level, no place (outdoors, in a car, "
        "indoors) and no unit of counting, and operators count several bands. The threshold sweep shows how the "
        "computed shares move with the level."
    )
