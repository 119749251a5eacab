"""The network as it is: coverage by technology and by operator in one pass, in figures, maps and over thresholds."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.coverage import Coverage, CoverageSet, Service
from rfplan.coverage.many import recall_coverages
from rfplan.errors import DataWarning
from rfplan.io.memo import Memo
from rfplan.metrics import summarize, summarize_mask, threshold_sweep
from rfplan.plan import stages
from rfplan.scenario import Scenario

if TYPE_CHECKING:
    import xarray as xr

    from rfplan.coverage.predict import Progress
    from rfplan.demand import Demand, DemandGrid
    from rfplan.network import Network
    from rfplan.terrain import Terrain

BASELINE_SWEEP_DBM = tuple(float(level) for level in range(-85, -126, -1))
"""Required levels of the baseline's sweep, dBm: each technology's own reference level."""

ANY = "any"
"""Stands for any operator, and for any technology, in the operators' table."""

UNNAMED = "not stated"


@dataclass(frozen=True, eq=False)
class Baseline:
    """Coverage of a network by technology, in figures.

    Attributes
    ----------
    coverages : CoverageSet
        By technology, and by operator where there are several.
    layers : xarray.Dataset
        ``covered_2g`` …, ``best_technology`` (2…5, 0 none) and, with several operators, ``operator_count``.
    technologies : DataFrame
        A row a technology: ``technology, level, required_dbm, sites, cells, covered_population,
        covered_population_percent, covered_area_km2, covered_area_percent``, and with the downlink alone
        ``downlink_population_percent, downlink_area_percent``.
    best : DataFrame
        A row a technology, newest first, and one for none: ``technology, population, population_percent, area_km2,
        area_percent`` of places whose newest covering technology it is.
    communes : DataFrame
        A row a commune and one in all: ``code, name, population_on_terrain, area_on_terrain_km2`` and
        ``population_4g_percent``, ``area_4g_percent`` … per technology.
    operators : DataFrame
        ``operator, technology, sites, covered_population_percent, covered_area_percent``; ``"any"`` stands for any
        operator and any technology. Empty with fewer than two operators.
    sweep : DataFrame
        ``technology, threshold_dbm`` and the columns of `threshold_sweep`: coverage by both links if the service
        needed another level.
    """

    coverages: CoverageSet
    layers: xr.Dataset
    technologies: pd.DataFrame
    best: pd.DataFrame
    communes: pd.DataFrame
    operators: pd.DataFrame
    sweep: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables that say something, by name."""
        named = {name: getattr(self, name) for name in ("technologies", "best", "communes", "operators", "sweep")}
        return {name: table for name, table in named.items() if len(table)}

    def to_text(self) -> str:
        """Lay the figures out as text, a line a technology."""
        lines = [f"{'':<12}{'needs dBm':>10}{'sites':>8}{'people %':>10}{'area %':>9}"]
        lines += [
            f"{row.technology:<12}{row.required_dbm:>10.0f}{row.sites:>8,}{row.covered_population_percent:>10.2f}"
            f"{row.covered_area_percent:>9.2f}"
            for row in self.technologies.itertuples()
        ]
        none = self.best.iloc[-1]
        lines.append(f"no technology at all: {none['population']:,.0f} people, {none['area_km2']:,.1f} km2")
        for row in self.operators[self.operators["technology"] == ANY].itertuples():
            lines.append(
                f"operator {row.operator}: {row.covered_population_percent:.2f} % of people, "
                f"{row.covered_area_percent:.2f} % of area by any technology"
            )
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.to_text()


def make_baseline(
    coverages: CoverageSet, demand: Demand | DemandGrid, thresholds_dbm: Sequence[float] = BASELINE_SWEEP_DBM
) -> Baseline:
    """Put coverage by technology and operator into figures.

    Parameters
    ----------
    coverages : CoverageSet
        From `compute_coverages`.
    demand : Demand or DemandGrid
    thresholds_dbm : sequence of float
        Required levels of the sweep, dBm.

    Returns
    -------
    Baseline
    """
    terrain = next(iter(coverages.by_technology.values())).terrain
    grid: DemandGrid = demand.on_grid(terrain) if hasattr(demand, "on_grid") else demand
    layers = coverages.layers()
    sweeps = [
        threshold_sweep(coverage, grid, thresholds_dbm).assign(technology=technology)
        for technology, coverage in coverages.by_technology.items()
    ]
    sweep = pd.concat(sweeps, ignore_index=True)
    return Baseline(
        coverages=coverages,
        layers=layers,
        technologies=pd.DataFrame([_technology(t, c, grid) for t, c in coverages.by_technology.items()]),
        best=_best(np.asarray(layers["best_technology"].values), list(coverages.by_technology), grid),
        communes=_communes(coverages, grid),
        operators=_operators(coverages, grid),
        sweep=sweep[["technology", *(c for c in sweep.columns if c != "technology")]],
    )


def _shares(mask: npt.NDArray[np.bool_], grid: DemandGrid) -> dict[str, float]:
    total = summarize_mask(mask, grid).total
    return {
        name: float(total[name])
        for name in (
            "covered_population", "covered_population_percent", "covered_area_km2", "covered_area_percent",
        )
    }  # fmt: skip


def _technology(technology: str, coverage: Coverage, grid: DemandGrid) -> dict[str, Any]:
    cells = coverage.network.cells
    mine = cells["technology"] == technology
    sectors = coverage.network.sectors.set_index("sector_id")
    required = coverage.service.required_rsrp_dbm
    with np.errstate(invalid="ignore"):
        downlink = _shares(coverage.layers["rsrp_dbm"].values >= np.float32(required), grid)
    return {
        "technology": technology,
        "level": coverage.level_name,
        "required_dbm": required,
        "sites": int(sectors.loc[cells.loc[mine, "sector_id"], "site_id"].nunique()),
        "cells": int(mine.sum()),
        **_shares(coverage.covered, grid),
        "downlink_population_percent": downlink["covered_population_percent"],
        "downlink_area_percent": downlink["covered_area_percent"],
    }


def _best(newest: npt.NDArray[np.uint8], technologies: Sequence[str], grid: DemandGrid) -> pd.DataFrame:
    rows = []
    for name in [*sorted(technologies, reverse=True), "none"]:
        shares = _shares(newest == (0 if name == "none" else int(name[0])), grid)
        row = {key.removeprefix("covered_"): value for key, value in shares.items()}
        rows.append({"technology": name, **row})
    return pd.DataFrame(rows)


def _communes(coverages: CoverageSet, grid: DemandGrid) -> pd.DataFrame:
    out = pd.DataFrame()
    for technology, coverage in coverages.by_technology.items():
        table = summarize(coverage, grid).table
        if out.empty:
            out = table[["code", "name", "population_on_terrain", "area_on_terrain_km2"]].copy()
        for measure in ("population", "area"):
            out[f"{measure}_{technology.lower()}_percent"] = table[f"covered_{measure}_percent"]
    return out


def _operators(coverages: CoverageSet, grid: DemandGrid) -> pd.DataFrame:
    columns = ["operator", "technology", "sites", "covered_population_percent", "covered_area_percent"]
    names = sorted({operator for operator, _ in coverages.by_operator})
    if len(names) < 2:
        return pd.DataFrame(columns=columns)
    network = next(iter(coverages.by_technology.values())).network
    cells = network.cells.merge(network.sectors[["sector_id", "site_id"]], on="sector_id")
    cells = cells.merge(network.sites[["site_id", "operator"]], on="site_id")
    cells = cells[cells["technology"].isin(list(coverages.by_technology))]
    rows = []
    for operator in [*names, None]:
        own = cells if operator is None else cells[cells["operator"].astype(str) == operator]
        label = ANY if operator is None else operator or UNNAMED
        union = np.zeros(grid.inside.shape, dtype=np.bool_)
        for technology, whole in coverages.by_technology.items():
            part = whole if operator is None else coverages.by_operator.get((operator, technology))
            if part is None:
                continue
            union |= part.covered
            sites = int(own.loc[own["technology"] == technology, "site_id"].nunique())
            rows.append({"operator": label, "technology": technology, "sites": sites, **_shares(part.covered, grid)})
        rows.append(
            {"operator": label, "technology": ANY, "sites": int(own["site_id"].nunique()), **_shares(union, grid)}
        )
    return pd.DataFrame(rows)[columns]


def predict_baseline(
    scenario: Scenario,
    network: Network,
    terrain: Terrain,
    memo: Memo,
    progress: Progress | None = None,
) -> CoverageSet:
    """Predict a scenario's network by the technologies its ``[baseline]`` names, in one pass over the sites.

    The planned technology is always among them, under the scenario's service as it stands, so that its coverage is to
    the bit what `compute_coverage` gives; the others take the service in their own terms.

    Warns
    -----
    DataWarning
        When the network has no cell of a technology that is asked for: it is left out.
    """
    section, planned = scenario.baseline, scenario.coverage.technology
    present = sorted(set(network.cells["technology"]) | {planned})
    wanted = present if section is None or section.technologies is None else sorted({*section.technologies, planned})
    absent = [t for t in wanted if t not in present]
    if absent:
        warnings.warn(
            DataWarning(f"baseline.technologies: the network has no {' and no '.join(absent)} cell; left out"),
            stacklevel=2,
        )
    service: Service = scenario.make_service()
    operators = set(network.sites["operator"].astype(str))
    return recall_coverages(
        memo,
        "baseline",
        network,
        terrain,
        technologies=[t for t in wanted if t in present],
        by_operator=len(operators) > 1 and (section is None or section.by_operator),
        service={t: service if t == planned else service.for_technology(t, planned) for t in wanted},
        progress=progress,
        **stages.settings(scenario),
    )
