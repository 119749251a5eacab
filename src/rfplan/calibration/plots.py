"""Pictures and files of a calibration: where it errs, how that goes with distance, how models compare."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rfplan.calibration.result import Calibration

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_POINTS = 20_000
LIMIT_DB = 20.0


def _shown(calibration: Calibration) -> pd.DataFrame:
    """Received links with their error on held-out sites where there is one, else the residual; at most 20,000."""
    table = calibration.residuals.dropna(subset=["residual_db"])
    error = table["held_out_db"].where(table["held_out_db"].notna(), table["residual_db"])
    return table.assign(error_db=error).iloc[:: max(1, len(table) // MOST_POINTS)]


def plot_residual_map(calibration: Calibration, *, ax: Axes | None = None) -> Axes:
    """Map of measured minus predicted level, each site predicted by the others; transmitters as triangles.

    Returns
    -------
    matplotlib Axes
        Longitude and latitude, degrees; colours end at −20 and +20 dB.
    """
    axes = _axes(ax)
    table = _shown(calibration)
    points = axes.scatter(
        table["lon_deg"], table["lat_deg"], c=table["error_db"], s=4, cmap="RdBu", vmin=-LIMIT_DB, vmax=LIMIT_DB
    )
    sites = calibration.transmitters
    good = (sites["doubt"] == "") & sites["site_id"].isin(table["site_id"])
    axes.scatter(sites["lon_deg"][good], sites["lat_deg"][good], marker="^", c="black", s=40, label="transmitter")
    if (sites["doubt"] != "").any():
        doubted = sites[sites["doubt"] != ""]
        axes.scatter(
            doubted["lon_deg"], doubted["lat_deg"], marker="x", c="magenta", s=50, label="position can't be true"
        )
    axes.figure.colorbar(points, ax=axes, label="measured − predicted (dB)", extend="both", shrink=0.6)
    axes.set_aspect(1.0 / np.cos(np.radians(float(table["lat_deg"].mean()))))
    axes.set(xlabel="longitude (°)", ylabel="latitude (°)", title=f"Error on held-out sites: {_name(calibration)}")
    axes.locator_params(nbins=6)
    axes.legend(loc="upper right", fontsize="small")
    return axes


def plot_residual_distance(calibration: Calibration, *, ax: Axes | None = None) -> Axes:
    """Measured minus predicted level against distance, with medians and quartiles of twelve classes of distance."""
    axes = _axes(ax)
    table = _shown(calibration)
    axes.scatter(table["distance_m"] / 1000.0, table["error_db"], s=3, alpha=0.25, color="#7a8794", linewidths=0)
    edges = np.unique(np.quantile(table["distance_m"], np.linspace(0, 1, 13)))
    if edges.size > 2:
        by = table.groupby(np.digitize(table["distance_m"], edges[1:-1]))
        middle, spread = (
            by["distance_m"].median() / 1000.0,
            by["error_db"].quantile(np.array([0.25, 0.5, 0.75])).unstack(),
        )
        axes.fill_between(middle, spread[0.25], spread[0.75], color="#2b6ca8", alpha=0.25, label="middle half")
        axes.plot(middle, spread[0.5], color="#2b6ca8", marker="o", markersize=4, label="median")
        axes.legend(loc="upper right", fontsize="small")
    axes.axhline(0.0, color="black", linewidth=0.8)
    axes.set_ylim(-3 * LIMIT_DB / 2, 3 * LIMIT_DB / 2)
    axes.set_xscale("log")
    axes.set(xlabel="distance (km)", ylabel="measured − predicted (dB)", title="Error against distance, held-out sites")
    return axes


def plot_comparison(calibration: Calibration, *, ax: Axes | None = None) -> Axes:
    """RMSE of every model and variant on held-out sites (blocks where sites are too few), the best at the top."""
    axes = _axes(ax)
    column = "site_rmse_db" if calibration.chosen_by.startswith("site") else "block_rmse_db"
    table = calibration.table.iloc[:24].iloc[::-1]
    names = [f"{row['model']}: {row['variant']}" for _, row in table.iterrows()]
    colours = ["#c9cfd6" if variant == "uncalibrated" else "#2b6ca8" for variant in table["variant"]]
    bars = axes.barh(names, table[column], color=colours)
    axes.bar_label(bars, fmt="%.1f", padding=3, fontsize="small")
    axes.set(xlabel=f"RMSE on held-out {column.split('_')[0]}s (dB)", title="Grey: as it is. Blue: calibrated")
    axes.margins(x=0.12)
    axes.tick_params(axis="y", labelsize="small")
    return axes


def plot_calibration(calibration: Calibration) -> Figure:
    """All three pictures on one sheet."""
    import matplotlib.pyplot as plt

    figure: Figure = plt.figure(figsize=(15, 10), layout="constrained")
    grid = figure.add_gridspec(2, 2)
    plot_residual_map(calibration, ax=figure.add_subplot(grid[:, 0]))
    plot_residual_distance(calibration, ax=figure.add_subplot(grid[0, 1]))
    plot_comparison(calibration, ax=figure.add_subplot(grid[1, 1]))
    return figure


def write_calibration(calibration: Calibration, folder: str | os.PathLike[str]) -> list[Path]:
    """Write everything a calibration has to say into a folder.

    ``calibration.json`` (for `load_calibration` and scenarios), ``comparison.csv``, ``coefficients.csv``,
    ``transmitters.csv`` (with doubts), ``residuals.csv``, ``residuals.gpkg`` (points) and ``calibration.png``.

    Raises
    ------
    OutputError
        If a file can't be written.
    """
    import geopandas as gpd
    import matplotlib.pyplot as plt

    from rfplan.io.atomic import atomic_path, make_folder
    from rfplan.io.export import write_features
    from rfplan.io.tables import write_csv

    out = make_folder(folder)
    written = [calibration.save(out / "calibration.json")]
    for name, table in (
        ("comparison", calibration.table),
        ("coefficients", calibration.coefficients),
        ("transmitters", calibration.transmitters.drop(columns=["x_m", "y_m"])),
        ("residuals", calibration.residuals),
    ):
        written.append(write_csv(out / f"{name}.csv", table, decimals=6))
    where = gpd.points_from_xy(calibration.residuals["lon_deg"], calibration.residuals["lat_deg"], crs="EPSG:4326")
    written.append(write_features(out / "residuals.gpkg", gpd.GeoDataFrame(calibration.residuals, geometry=where)))
    figure = plot_calibration(calibration)
    with atomic_path(out / "calibration.png") as temporary:
        figure.savefig(temporary, dpi=110, format="png")
    plt.close(figure)
    return [*written, out / "calibration.png"]


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    axes: Axes = plt.subplots(figsize=(8, 6), layout="constrained")[1]
    return axes


def _name(calibration: Calibration) -> str:
    return f"{type(calibration.model.base).__name__}, {calibration.variant}"
