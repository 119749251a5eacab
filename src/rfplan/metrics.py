"""Key figures: area and people covered, commune by commune and in all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.coverage.settings import SERVICE_RSRP_DBM
from rfplan.demand import Demand, DemandGrid
from rfplan.errors import ParameterError
from rfplan.io.styles import PERCENT_STOPS, graduated_qml
from rfplan.io.tables import write_csv
from rfplan.io.vector import write_gpkg
from rfplan.terrain import Terrain

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr

TOTAL = "total"
"""Code of the row over all communes."""

COLUMNS = (
    "code",
    "name",
    "area_km2",
    "area_on_terrain_km2",
    "covered_area_km2",
    "covered_area_percent",
    "population",
    "population_on_terrain",
    "covered_population",
    "covered_population_percent",
)
"""Columns of `KeyFigures.table`, in order."""


class CoverageLike(Protocol):
    """What key figures need of a coverage."""

    @property
    def layers(self) -> xr.Dataset:
        """Dataset with ``covered`` (bool), ``rsrp_dbm`` and ``closed_rsrp_dbm`` on dims y, x."""

    @property
    def terrain(self) -> Terrain:
        """The terrain it was computed on."""


@dataclass(frozen=True, eq=False)
class KeyFigures:
    """Area and people covered.

    Parameters
    ----------
    table : DataFrame
        A row a commune and a last row with code ``"total"``; columns `COLUMNS`. Percentages are of what lies on known
        terrain (NaN for a commune that has nothing there, or nobody): what the terrain does not reach is reported by
        the differences ``area_km2``/``population`` to the on-terrain columns, never counted as uncovered. Areas
        on the terrain are of pixels; ``area_km2`` is official where the communes state it.
    geometry : GeoSeries
        Polygons of the communes, EPSG:4326, without the total.
    attrs : dict
        Technology, service and sources, where known.
    """

    table: pd.DataFrame
    geometry: gpd.GeoSeries
    attrs: dict[str, Any] = field(default_factory=dict)

    @property
    def total(self) -> dict[str, Any]:
        """The last row as a dict."""
        return {str(k): v for k, v in self.table.iloc[-1].to_dict().items()}

    @property
    def communes(self) -> pd.DataFrame:
        """The rows of communes, without the total."""
        return self.table.iloc[:-1]

    def to_csv(self, path: str | os.PathLike[str]) -> Path:
        """Write the table as CSV, atomically."""
        return write_csv(Path(path), self.table, decimals=4)

    def to_xlsx(self, path: str | os.PathLike[str]) -> Path:
        """Write the table as an Excel workbook, atomically."""
        from rfplan.io.spreadsheets import write_xlsx

        return write_xlsx(path, {"key figures": self.table})

    def to_geodataframe(self) -> gpd.GeoDataFrame:
        """Return the communes with their polygons."""
        import geopandas as gpd

        return gpd.GeoDataFrame(
            self.communes.reset_index(drop=True), geometry=self.geometry.reset_index(drop=True), crs=self.geometry.crs
        )

    def to_gpkg(self, path: str | os.PathLike[str], layer: str = "communes") -> Path:
        """Write the communes with polygons and figures as a GeoPackage layer, coloured in QGIS by people covered."""
        qml = graduated_qml("covered_population_percent", PERCENT_STOPS)
        return write_gpkg(path, {layer: self.to_geodataframe()}, styles={layer: qml})

    def to_text(self, rows: int | None = None) -> str:
        """Lay the table out as text, the least covered communes first.

        Parameters
        ----------
        rows : int, optional
            Communes shown; default all.
        """
        total = self.total
        order = self.communes.sort_values(["covered_population_percent", "code"], na_position="last", kind="stable")
        shown = order if rows is None else order.head(rows)
        width = max([len("all communes"), *(len(str(name)) for name in shown["name"])])
        head = f"{'commune':<{width}}  {'area km2':>9} {'covered':>8}  {'people':>11} {'covered':>8}"
        lines = [head, "-" * len(head)]
        lines += [_line(str(row["name"]), row, width) for row in shown.to_dict("records")]
        if len(shown) < len(order):
            lines.append(f"... and {len(order) - len(shown)} more communes")
        lines += ["-" * len(head), _line("all communes", total, width)]
        off_people = float(total["population"]) - float(total["population_on_terrain"])
        off_area = max(0.0, float(self.attrs.get("area_off_terrain_km2", 0.0)))
        if off_people >= 0.5 or off_area > 0:
            lines.append(f"not on the terrain, so in no percentage: {off_people:,.0f} people, {off_area:,.1f} km2")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.to_text()


def _line(name: str, row: dict[Any, Any], width: int) -> str:
    return (
        f"{name:<{width}}  {float(row['area_on_terrain_km2']):>9,.1f} {_percent(row['covered_area_percent'])}  "
        f"{float(row['population_on_terrain']):>11,.0f} {_percent(row['covered_population_percent'])}"
    )


def _percent(value: Any) -> str:
    return f"{float(value):>7.2f}%" if np.isfinite(float(value)) else f"{'-':>8}"


def _grid(coverage: CoverageLike, demand: Demand | DemandGrid) -> DemandGrid:
    grid = demand.on_grid(coverage.terrain) if isinstance(demand, Demand) else demand
    if grid.population.shape != coverage.terrain.shape:
        raise ParameterError(
            f"the demand grid has shape {grid.population.shape} but the coverage's terrain {coverage.terrain.shape}; "
            "make it with demand.on_grid(coverage.terrain)"
        )
    return grid


def _share(part: npt.ArrayLike, whole: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Percentage, NaN where the whole is nothing."""
    a, b = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    out = np.full(a.shape, np.nan)
    np.divide(100.0 * a, b, out=out, where=b > 0)
    return out


def summarize_mask(covered: npt.NDArray[np.bool_], grid: DemandGrid, attrs: dict[str, Any] | None = None) -> KeyFigures:
    """Key figures of any mask of covered pixels.

    Parameters
    ----------
    covered : ndarray of bool, shape (ny, nx)
    grid : DemandGrid
        On the same terrain.
    attrs : dict, optional
        Kept in the result.

    Returns
    -------
    KeyFigures

    Raises
    ------
    ParameterError
        If the shapes differ.
    """
    mask = np.asarray(covered, dtype=bool)
    if mask.shape != grid.commune_index.shape:
        raise ParameterError(f"covered has shape {mask.shape}, the demand grid {grid.commune_index.shape}")
    n = len(grid.communes)
    hit = mask & grid.inside
    owner = grid.commune_index[hit]
    area = np.bincount(owner, minlength=n) * grid.pixel_area_km2
    people = np.bincount(owner, weights=grid.population[hit], minlength=n)
    table = grid.communes.copy()
    table["covered_area_km2"] = area
    # sums over parts may pass the whole by a rounding error
    table["covered_population"] = np.minimum(people, table["population_on_terrain"])
    sums = {name: table[name].sum() for name in table.select_dtypes("number").columns}
    total = pd.DataFrame([{"code": TOTAL, "name": "all communes"} | sums])
    table = pd.concat([table, total], ignore_index=True)
    table["covered_area_percent"] = _share(table["covered_area_km2"], table["area_on_terrain_km2"])
    table["covered_population_percent"] = _share(table["covered_population"], table["population_on_terrain"])
    off = {key: float(sums[key]) for key in ("area_off_terrain_km2", "population_off_terrain")}
    return KeyFigures(table[list(COLUMNS)], grid.geometry, (attrs or {}) | off)


def summarize(coverage: CoverageLike, demand: Demand | DemandGrid) -> KeyFigures:
    """Area and people covered, a row a commune and a row in all.

    Parameters
    ----------
    coverage : Coverage
        From `rfplan.compute_coverage`; its layer ``covered`` is counted.
    demand : Demand or DemandGrid

    Returns
    -------
    KeyFigures

    Raises
    ------
    ParameterError
        If the demand grid is not of the coverage's terrain.
    """
    attrs = {
        name: str(getattr(value, "name", value))
        for name in ("technology", "service")
        if (value := getattr(coverage, name, None)) is not None
    }
    grid = _grid(coverage, demand)
    return summarize_mask(np.asarray(coverage.layers["covered"].to_numpy(), dtype=bool), grid, attrs)


SWEEP_DBM = (-90.0, -95.0, -100.0, -105.0, -110.0, -115.0, -120.0)
"""Required levels of a threshold sweep unless others are asked for, dBm."""


def threshold_sweep(
    coverage: CoverageLike, demand: Demand | DemandGrid, thresholds_dbm: Sequence[float] = SWEEP_DBM
) -> pd.DataFrame:
    """Share of people and area covered if the service needed another level, both links counted.

    At each threshold a pixel counts where one cell reaches it and closes its uplink as the service asks: exactly what
    predicting anew with that required level covers, because the layer ``closed_rsrp_dbm`` holds the level of the
    strongest cell whose uplink closes.

    Parameters
    ----------
    coverage : Coverage
    demand : Demand or DemandGrid
    thresholds_dbm : sequence of float
        Required levels of the technology's reference signal, dBm.

    Returns
    -------
    DataFrame
        A row a threshold, as given: ``threshold_dbm``, ``covered_area_km2``, ``covered_area_percent``,
        ``covered_population``, ``covered_population_percent``.

    Raises
    ------
    ParameterError
        If a threshold is not finite.
    """
    levels = np.asarray(list(thresholds_dbm), dtype=np.float64)
    if levels.size == 0 or not np.isfinite(levels).all():
        raise ParameterError(f"thresholds_dbm is {list(thresholds_dbm)}; give finite levels in dBm")
    grid = _grid(coverage, demand)
    inside = grid.inside
    closed = np.asarray(coverage.layers["closed_rsrp_dbm"].to_numpy(), dtype=np.float32)[inside]
    people = grid.population[inside]
    closed = np.where(np.isnan(closed), np.float32(-np.inf), closed)
    masks = [closed >= np.float32(level) for level in levels]
    pixels = np.array([mask.sum() for mask in masks])
    persons = np.array([people[mask].sum() for mask in masks])
    return pd.DataFrame(
        {
            "threshold_dbm": levels,
            "covered_area_km2": pixels * grid.pixel_area_km2,
            "covered_area_percent": _share(pixels, np.full(levels.shape, inside.sum())),
            "covered_population": persons,
            "covered_population_percent": _share(persons, np.full(levels.shape, people.sum())),
        }
    )


def sweep_before_after(before: CoverageLike, after: CoverageLike, demand: Demand | DemandGrid) -> pd.DataFrame:
    """Threshold sweep of two coverages side by side, at the usual levels, the default services' and the planned one.

    Parameters
    ----------
    before, after : Coverage
        On one terrain; the service of `after` is the planned one.
    demand : Demand or DemandGrid

    Returns
    -------
    DataFrame
        Highest level first: ``threshold_dbm``, ``service`` (its name, where one needs just that level) and
        ``population_before_percent``, ``area_before_percent``, ``population_after_percent``, ``area_after_percent``.
    """
    service = getattr(after, "service", None)
    names = {level: name for name, level in SERVICE_RSRP_DBM.items()}
    if service is not None:
        names[float(service.required_rsrp_dbm)] = str(service.name)
    levels = sorted({*names, *SWEEP_DBM}, reverse=True)
    grid = _grid(after, demand)
    out = pd.DataFrame({"threshold_dbm": levels, "service": [names.get(level, "") for level in levels]})
    for when, coverage in (("before", before), ("after", after)):
        reached = threshold_sweep(coverage, grid, levels)
        for measure in ("population", "area"):
            out[f"{measure}_{when}_percent"] = reached[f"covered_{measure}_percent"].to_numpy()
    return out


def compare(before: KeyFigures, after: KeyFigures) -> pd.DataFrame:
    """Set two key figures of the same communes side by side.

    Returns
    -------
    DataFrame
        ``code``, ``name``, the covered percentages before and after, ``gained_area_km2``, ``gained_people``.

    Raises
    ------
    ParameterError
        If the communes differ.
    """
    if before.table["code"].tolist() != after.table["code"].tolist():
        raise ParameterError("before and after are not of the same communes")
    out = before.table[["code", "name"]].copy()
    for name in ("covered_area_percent", "covered_population_percent"):
        out[f"{name}_before"], out[f"{name}_after"] = before.table[name], after.table[name]
    out["gained_area_km2"] = after.table["covered_area_km2"] - before.table["covered_area_km2"]
    out["gained_people"] = after.table["covered_population"] - before.table["covered_population"]
    return out
