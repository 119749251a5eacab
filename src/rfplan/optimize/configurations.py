"""Candidates with several heights and bands each: configurations of a site that share what opening it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from rfplan.errors import ParameterError
from rfplan.optimize.candidates import Candidates
from rfplan.optimize.instance import Rules
from rfplan.optimize.overlay import OverlayBand


def site_configurations(
    candidates: Candidates,
    *,
    heights_m: Mapping[float, float] | None = None,
    bands: tuple[OverlayBand, ...] = (),
    spacing_m: float | None = None,
    **rules: Any,
) -> tuple[Candidates, Rules]:
    """Every candidate once a height and band, and the rules that make its cost a site's opening cost.

    A site costs what its candidate did, once; each configuration on it costs what its height and its band cost on top.
    A site gets each band at one height at most; with several bands it may carry them all.

    Parameters
    ----------
    candidates
        From `find_candidates`; none may have equipment of its own where bands are given.
    heights_m
        Height of the antennas above ground in metres, above 0, and its cost >= 0 a configuration; None for the
        candidate's own height at no cost.
    bands
        Carriers on offer, each with its cost; none for the template's.
    spacing_m
        Least distance between chosen sites; configurations of one site are exempt among themselves.
    **rules
        ``fixed`` and ``forbidden`` of `Rules`, by row of the table returned.

    Returns
    -------
    candidates in the order of the sites, heights and bands, and their `Rules`.

    Raises
    ------
    ParameterError
        For a height or a cost out of range, or names of bands that repeat.
    """
    for height_m, cost in (heights_m or {}).items():
        if not (np.isfinite(height_m) and height_m > 0 and np.isfinite(cost) and cost >= 0):
            raise ParameterError(f"heights_m has {height_m}: {cost}; give heights above 0 m and costs >= 0")
    names = [band.name for band in bands]
    if len(set(names)) != len(names):
        raise ParameterError(f"bands {names}: give each name once")
    if bands and "frequency_mhz" in candidates.table.columns:
        raise ParameterError("the candidates have carriers of their own already; give no bands, or candidates without")
    own = candidates.table.reset_index(drop=True)
    heights = [(None, 0.0)] if heights_m is None else [(float(h), float(c)) for h, c in heights_m.items()]
    parts = [_configuration(own, height_m, extra, band) for height_m, extra in heights for band in (bands or (None,))]
    n_sites, n_bands = len(own), max(1, len(bands))
    order = np.arange(n_sites * len(parts)).reshape(len(parts), n_sites).T.ravel()
    table = pd.concat(parts, ignore_index=True).iloc[order].reset_index(drop=True)
    row = np.arange(len(table)).reshape(n_sites, len(heights), n_bands)
    exclusive = [tuple(row[site, :, band].tolist()) for site in range(n_sites) for band in range(n_bands)]
    return replace(candidates, table=table), Rules(
        exclusive=tuple(exclusive) if len(heights) > 1 else (),
        spacing_m=spacing_m,
        positions_m=table[["x_m", "y_m"]].to_numpy(np.float64) if spacing_m is not None else None,
        site_of=np.repeat(np.arange(n_sites), len(parts)),
        opening_cost=own["cost"].to_numpy(np.float64),
        **rules,
    )


def _configuration(own: pd.DataFrame, height_m: float | None, extra: float, band: OverlayBand | None) -> pd.DataFrame:
    """All candidates at one height and in one band; the cost is what comes on top of the site's."""
    name = own["candidate_id"].astype(str)
    if height_m is not None:
        name = name + f"-{height_m:g}m"
    if band is not None:
        name = name + f"-{band.name}"
    frame = own.assign(candidate_id=name, cost=extra + (0.0 if band is None else band.cost))
    if height_m is not None:
        frame = frame.assign(tx_height_agl_m=height_m)
    if band is not None:
        frame = frame.assign(
            frequency_mhz=band.frequency_mhz,
            uplink_frequency_mhz=band.uplink_frequency_mhz,
            bandwidth_mhz=band.bandwidth_mhz,
            max_power_dbm=band.max_power_dbm,
        )
    return frame
