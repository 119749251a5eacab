"""Coverage: path loss, antennas and link budget together, from one site's margins to the layers of a network."""

from __future__ import annotations

from rfplan.coverage.core import Coverage, compute_coverage
from rfplan.coverage.explain import Explanation, explain
from rfplan.coverage.load import LoadResult, MonteCarloLoad, simulate_load, solve_load, traffic_mbps
from rfplan.coverage.many import CoverageSet, compute_coverages
from rfplan.coverage.penetration import BuildingEntry, CarEntry, Penetration
from rfplan.coverage.predict import SiteMargins, site_margins
from rfplan.coverage.quality import PowerControl, TruncatedShannon
from rfplan.coverage.radio import RadioMap, compute_radio
from rfplan.coverage.settings import Receiver, Service
from rfplan.coverage.strongest import strongest_servers

__all__ = [
    "BuildingEntry",
    "CarEntry",
    "Coverage",
    "CoverageSet",
    "Explanation",
    "LoadResult",
    "MonteCarloLoad",
    "Penetration",
    "PowerControl",
    "RadioMap",
    "Receiver",
    "Service",
    "SiteMargins",
    "TruncatedShannon",
    "compute_coverage",
    "compute_coverages",
    "compute_radio",
    "explain",
    "simulate_load",
    "site_margins",
    "solve_load",
    "strongest_servers",
    "traffic_mbps",
]
