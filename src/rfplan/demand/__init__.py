"""Demand: who lives where, commune by commune, on the terrain's grid."""

from rfplan.demand.built_up import CLUTTER_DENSITIES_KM2, derive_clutter
from rfplan.demand.grid import Demand, DemandGrid
from rfplan.demand.opening import open_demand

__all__ = ["CLUTTER_DENSITIES_KM2", "Demand", "DemandGrid", "derive_clutter", "open_demand"]
