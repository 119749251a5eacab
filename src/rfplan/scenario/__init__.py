"""The scenario: one TOML file that says what to plan, checked before anything is computed.

Every error names the key in dotted form, what was given and what is allowed. Paths are relative to the folder of the
TOML file, or to its ``data_dir`` when it has one. The keys are listed in ``docs/scenario.md``.
"""

from __future__ import annotations

from rfplan.scenario.additions import Expansion5GSection, RollOutSection
from rfplan.scenario.core import FETCHED, Scenario
from rfplan.scenario.inputs import SynthesizeSection
from rfplan.scenario.loading import BUILT_IN, SCHEMA_VERSION, load_scenario
from rfplan.scenario.planning import RELATIVE_UNIT

__all__ = [
    "BUILT_IN",
    "FETCHED",
    "RELATIVE_UNIT",
    "SCHEMA_VERSION",
    "Expansion5GSection",
    "RollOutSection",
    "Scenario",
    "SynthesizeSection",
    "load_scenario",
]
