"""Polar plots of an antenna's two cuts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rfplan.antenna.pattern import Antenna

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def polar_plot(antenna: Antenna, path: str | Path | None = None, *, floor_db: float = 40.0) -> Figure:
    """Draw the horizontal and the vertical cut, gain in dB relative to the maximum.

    Parameters
    ----------
    antenna : Antenna
        What to draw.
    path : path, optional
        Where to save it (PNG, SVG, PDF); nothing is written without.
    floor_db : float
        Centre of the plots below the maximum.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 4.6), layout="constrained")
    angle = np.radians(np.arange(361))
    for i, (title, cut) in enumerate(
        (("horizontal", antenna.horizontal_loss_db), ("vertical, 90° is down", antenna.vertical_loss_db)), start=1
    ):
        axes: Any = figure.add_subplot(1, 2, i, projection="polar")
        closed = np.append(cut, cut[0])
        axes.plot(angle, np.maximum(-closed, -floor_db), color="#1f5fa8", linewidth=1.6)
        axes.set_theta_direction(-1)
        axes.set_theta_zero_location("N" if i == 1 else "E")
        axes.set_rlim(-floor_db, 0.0)
        axes.set_yticks(np.arange(-floor_db, 1.0, 10.0))
        axes.tick_params(labelsize=8)
        axes.set_title(title, fontsize=10)
    figure.suptitle(
        f"{antenna.name} — {antenna.gain_dbi:.1f} dBi, electrical tilt {antenna.electrical_tilt_deg:g}°", fontsize=11
    )
    if path is not None:
        figure.savefig(path, dpi=130)
    return figure
