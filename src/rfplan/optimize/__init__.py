"""Choosing sites: candidates, covering problems with proof, roll-out and network parameters."""

from __future__ import annotations

from rfplan.optimize.backhaul import BackhaulPlan, plan_backhaul
from rfplan.optimize.candidates import CandidateRules, Candidates, find_candidates
from rfplan.optimize.configurations import site_configurations
from rfplan.optimize.hops import BackhaulRules
from rfplan.optimize.instance import Rules
from rfplan.optimize.joint_map import JointCover
from rfplan.optimize.neighbours import NeighbourRules
from rfplan.optimize.overlay import OVERLAY_BANDS, OverlayBand, one_band_a_site, overlay_candidates
from rfplan.optimize.pci import ParameterPlan, plan_parameters
from rfplan.optimize.planning import Plan
from rfplan.optimize.radio import MaximalCoverage, RollOut, SetCover, TargetCover, problem_rules
from rfplan.optimize.settings import SettingRules, SettingsPlan, tune_sectors
from rfplan.optimize.solution import Solution

__all__ = [
    "OVERLAY_BANDS",
    "BackhaulPlan",
    "BackhaulRules",
    "CandidateRules",
    "Candidates",
    "JointCover",
    "MaximalCoverage",
    "NeighbourRules",
    "OverlayBand",
    "ParameterPlan",
    "Plan",
    "RollOut",
    "Rules",
    "SetCover",
    "SettingRules",
    "SettingsPlan",
    "Solution",
    "TargetCover",
    "find_candidates",
    "one_band_a_site",
    "overlay_candidates",
    "plan_backhaul",
    "plan_parameters",
    "problem_rules",
    "site_configurations",
    "tune_sectors",
]
