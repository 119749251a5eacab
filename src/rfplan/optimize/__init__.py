"""Choosing sites: candidates, covering problems with proof, roll-out and network parameters."""

from __future__ import annotations

from rfplan.optimize.candidates import CandidateRules, Candidates, find_candidates
from rfplan.optimize.instance import Rules
from rfplan.optimize.neighbours import NeighbourRules
from rfplan.optimize.pci import ParameterPlan, plan_parameters
from rfplan.optimize.planning import Plan
from rfplan.optimize.radio import MaximalCoverage, RollOut, SetCover, TargetCover, problem_rules
from rfplan.optimize.solution import Solution

__all__ = [
    "CandidateRules",
    "Candidates",
    "MaximalCoverage",
    "NeighbourRules",
    "ParameterPlan",
    "Plan",
    "RollOut",
    "Rules",
    "SetCover",
    "Solution",
    "TargetCover",
    "find_candidates",
    "plan_parameters",
    "problem_rules",
]
