"""What the report says where a plan holds more than sites and years: tuning, backhaul, 5G, network parameters."""

from __future__ import annotations

from typing import Any

import pandas as pd

from rfplan.report.backhaul import backhaul_layer, backhaul_section
from rfplan.report.expansion import expansion_layer, expansion_section, expansion_tables, parameters_section
from rfplan.report.facts import Facts
from rfplan.report.tuning import tuning_section, tuning_tables


def extra_sections(facts: Facts) -> list[tuple[str, str, str]]:
    """Identity, name in the contents and HTML of each section; empty where the plan has nothing of it."""
    return [
        ("tuning", "Sector tuning", tuning_section(facts)),
        ("backhaul", "Backhaul", backhaul_section(facts)),
        ("expansion", "5G", expansion_section(facts)),
        ("parameters", "Parameters", parameters_section(facts)),
    ]


def extra_tables(facts: Facts) -> dict[str, pd.DataFrame]:
    """Tables to write beside the build list, by name."""
    out = {}
    if facts.rollout is not None:
        out["rollout"] = facts.rollout.years
    out |= tuning_tables(facts)
    if facts.backhaul is not None:
        out["backhaul"] = facts.backhaul.sites
        out["backhaul_hops"] = facts.backhaul.links
    return out | expansion_tables(facts)


def extra_layers(facts: Facts) -> dict[str, Any]:
    """Layers of the GeoPackage, by name."""
    layers = {"backhaul_hops": backhaul_layer(facts), "carriers_5g": expansion_layer(facts)}
    return {name: layer for name, layer in layers.items() if layer is not None}
