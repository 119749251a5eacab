"""Networks: sites, sectors and cells; reading, checking, defaults and edits that return a new network."""

from __future__ import annotations

from rfplan.network.core import Network, SectorTemplate
from rfplan.network.defaults import DEFAULT_AZIMUTHS_DEG, DEFAULTS, TECHNOLOGIES, TechnologyDefaults, defaults_table
from rfplan.network.exchange import flat_table, read_atoll, read_opencellid, write_atoll, write_network
from rfplan.network.read import read_network
from rfplan.network.report import Finding, NetworkReport
from rfplan.network.reuse import plan_reuse

__all__ = [
    "DEFAULTS",
    "DEFAULT_AZIMUTHS_DEG",
    "TECHNOLOGIES",
    "Finding",
    "Network",
    "NetworkReport",
    "SectorTemplate",
    "TechnologyDefaults",
    "defaults_table",
    "flat_table",
    "plan_reuse",
    "read_atoll",
    "read_network",
    "read_opencellid",
    "write_atoll",
    "write_network",
]
