"""Drawing a province for the report: shading, warping and encoding one overlay of 2 million pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from rfplan.colours import hillshade, signal_scale
from rfplan.report.images import Mercator, png

SHAPE = (1740, 1170)


def _smooth(seed: int) -> Any:
    rows, columns = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]] / 100.0
    return np.sin(rows + seed) * np.cos(columns * 1.3)


def test_hillshade(benchmark: Any) -> None:
    shade = benchmark(hillshade, 300 * _smooth(1), 90.0)
    assert np.isfinite(shade).all()


def test_signal_overlay(benchmark: Any) -> None:
    scale = signal_scale(-110.0)
    grid = Mercator.covering(shape=SHAPE, x0_m=480_000, y0_m=2_400_000, resolution_m=90, crs="EPSG:32648")
    rsrp = -95 + 30 * _smooth(2)
    picture = benchmark(lambda: png(grid.warp(scale.indices(rsrp)), scale.palette()))
    assert len(picture) < 2_000_000
