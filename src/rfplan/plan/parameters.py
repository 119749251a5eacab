"""Identities, root sequences and neighbours of the planned network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rfplan.optimize.neighbours import NeighbourRules
from rfplan.optimize.pci import ParameterPlan, plan_parameters

if TYPE_CHECKING:
    from rfplan.network import Network
    from rfplan.scenario import Scenario


def network_parameters(scenario: Scenario, network: Network) -> ParameterPlan | None:
    """Plan the parameters of a network, new sites included; None where the scenario does not ask for it.

    Parameters
    ----------
    scenario
        Its section ``parameters``.
    network
        Everything that will be on air.

    Raises
    ------
    ParameterError
        If identities or root sequences do not suffice; it says what to relax.
    """
    section = scenario.parameters
    if section is None:
        return None
    cells = network.cells[network.cells["technology"].isin(section.technologies)]
    return plan_parameters(
        replace(network, cells=cells.reset_index(drop=True)),
        rules=NeighbourRules(section.max_neighbours, section.max_inter, section.max_distance_m),
        cell_radius_m=section.cell_radius_m,
        keep=section.keep,
    )
