"""The main job end to end: from a scenario to a verified list of sites to build.

Terrain, demand, clutter, network, coverage before, key figures, candidates, choice of sites, coverage after, check.
With an output folder every stage leaves its result in ``stages/`` as soon as it is there, so that nothing computed is
lost when a later stage fails.
"""

from __future__ import annotations

from rfplan.plan.baseline import Baseline, make_baseline
from rfplan.plan.main import STAGES, Inputs, Prediction, ScenarioPlan, open_inputs, run_plan, run_prediction

__all__ = [
    "STAGES",
    "Baseline",
    "Inputs",
    "Prediction",
    "ScenarioPlan",
    "make_baseline",
    "open_inputs",
    "run_plan",
    "run_prediction",
]
