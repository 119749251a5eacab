"""What a plan may hold beyond the chosen sites: roll-out, tuning, backhaul, 5G, network parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfplan.scenario import RELATIVE_UNIT

if TYPE_CHECKING:
    from rfplan.optimize.pci import ParameterPlan
    from rfplan.plan.backhaul import SiteBackhaul
    from rfplan.plan.expansion import Expansion5G
    from rfplan.plan.tuning import SectorTuning
    from rfplan.plan.years import YearPlan


@dataclass(frozen=True, eq=False)
class Additions:
    """What a scenario asked for beyond the choice of sites; None where it did not.

    Attributes
    ----------
    cost_unit
        What costs are counted in.
    rollout
        Sites by year.
    tuning
        Settings of sectors that were changed once the sites were chosen.
    backhaul
        How the chosen sites are joined to the fibre.
    expansion_5g
        5G on existing and chosen sites.
    parameters
        Identities, root sequences and neighbours of everything that will be on air.
    site_visit
        What work on an existing site costs once; within the cost of the first thing built there.
    """

    cost_unit: str = RELATIVE_UNIT
    rollout: YearPlan | None = None
    tuning: SectorTuning | None = None
    backhaul: SiteBackhaul | None = None
    expansion_5g: Expansion5G | None = None
    parameters: ParameterPlan | None = None
    site_visit: float = 0.0
