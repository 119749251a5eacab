"""Frequencies for cells that need a reuse distance: GSM broadcast carriers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rfplan.errors import ParameterError
from rfplan.network.core import Network

EARTH_KM = 6371.0


def plan_reuse(
    network: Network, frequencies_mhz: Sequence[float], *, technology: str = "2G", duplex_mhz: float = 45.0
) -> Network:
    """Give each cell of a technology one of some frequencies, each as far as may be from where it is used already.

    Greedy, site by site in the network's order: a cell takes the frequency whose nearest use is farthest away, and no
    other cell of its site has. A plan to reckon C/I with where the real one is not known; no optimum.

    Parameters
    ----------
    network : Network
    frequencies_mhz : sequence of float
        Downlink frequencies, at least as many as a site has cells of the technology.
    technology : str
        Whose cells.
    duplex_mhz : float
        Downlink over uplink: 45 MHz at 900, 95 MHz at 1800 MHz (TS 45.005 §2).

    Raises
    ------
    ParameterError
        With too few frequencies, or none of the technology.
    """
    given = np.unique(np.asarray(frequencies_mhz, dtype=np.float64))
    sites = network.sites.set_index("site_id")
    site_of = network.sectors.set_index("sector_id")["site_id"]
    rows = np.flatnonzero((network.cells["technology"] == technology).to_numpy())
    if rows.size == 0:
        raise ParameterError(f"the network has no {technology} cell")
    owner = site_of.loc[network.cells["sector_id"].iloc[rows]].to_numpy()
    most = int(np.unique(owner, return_counts=True)[1].max())
    if not (np.isfinite(given).all() and given.size >= most):
        raise ParameterError(f"frequencies_mhz has {given.size} different ones; a site has {most} {technology} cells")
    lon, lat = (np.radians(sites[name].to_numpy(dtype=np.float64)) for name in ("lon_deg", "lat_deg"))
    place = EARTH_KM * np.stack([lon * np.cos(lat.mean()), lat], axis=1)
    index = {site: i for i, site in enumerate(sites.index)}
    nearest_km = np.full((len(sites), given.size), np.inf)
    chosen = np.empty(rows.size, dtype=np.int64)
    for site in dict.fromkeys(owner):
        here = index[site]
        away = np.hypot(*(place - place[here]).T)
        for k in np.flatnonzero(owner == site):
            chosen[k] = int(np.argmax(nearest_km[here]))
            nearest_km[:, chosen[k]] = np.minimum(nearest_km[:, chosen[k]], away)
    frequency = network.cells["frequency_mhz"].to_numpy(dtype=np.float64).copy()
    uplink = network.cells["uplink_frequency_mhz"].to_numpy(dtype=np.float64).copy()
    frequency[rows], uplink[rows] = given[chosen], given[chosen] - duplex_mhz
    return Network(
        network.sites, network.sectors, network.cells.assign(frequency_mhz=frequency, uplink_frequency_mhz=uplink)
    )
