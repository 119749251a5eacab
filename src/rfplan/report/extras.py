"""What the report says where a plan holds more than sites: roll-out, backhaul, 5G, network parameters."""

from __future__ import annotations

import pandas as pd

from rfplan.report.facts import Facts
from rfplan.report.years import rollout_section


def extra_sections(facts: Facts) -> list[tuple[str, str, str]]:
    """Identity, name in the contents and HTML of each section; empty where the plan has nothing of it."""
    return [("rollout", "Roll-out", rollout_section(facts))]


def extra_tables(facts: Facts) -> dict[str, pd.DataFrame]:
    """Tables to write beside the build list, by name."""
    out = {}
    if facts.rollout is not None:
        out["rollout"] = facts.rollout.years
    return out
