"""Results kept as soon as they are there, so that nothing computed is lost when a later stage fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rfplan.io.tables import write_csv
from rfplan.plan.bookkeeping import Run

if TYPE_CHECKING:
    from rfplan.coverage import Coverage
    from rfplan.plan.baseline import Baseline


def keep_table(run: Run, name: str, table: Any) -> None:
    """Write a table into the run's ``stages/``."""
    path = run.keep(name)
    if path is not None:
        write_csv(path, table)


def keep_coverage(run: Run, when: str, coverage: Coverage, figures: Any) -> None:
    """Write key figures and the level map as soon as they are there."""
    if run.out is None:
        return
    from rfplan.io.raster import write_cog

    terrain = coverage.terrain
    keep_table(run, f"key_figures_{when}.csv", figures.table)
    for name, unit in (("rsrp_dbm", "dBm"), ("margin_db", "dB"), ("joint_probability", "1")):
        if name not in coverage.layers:
            continue
        path = run.keep(f"{name}_{when}.tif")
        assert path is not None
        values = np.asarray(coverage.layers[name].values, np.float32)
        tags = {"SYNTHETIC": "yes" if run.scenario.synthetic else "no"}
        write_cog(path, values, transform=terrain.transform, crs=str(terrain.crs), unit=unit, tags=tags)


def keep_baseline(run: Run, baseline: Baseline) -> None:
    """Write the figures by technology, and the maps of where each one covers and which is the newest."""
    if run.out is None:
        return
    from rfplan.io.raster import write_cog

    for name, table in baseline.tables().items():
        keep_table(run, f"baseline_{name}.csv", table)
    terrain = next(iter(baseline.coverages.by_technology.values())).terrain
    tags = {"SYNTHETIC": "yes" if run.scenario.synthetic else "no"}
    for name in map(str, baseline.layers.data_vars):
        path = run.keep(f"{name}_before.tif")
        assert path is not None
        values = np.where(terrain.valid, baseline.layers[name].values, 255).astype(np.uint8)
        write_cog(path, values, transform=terrain.transform, crs=str(terrain.crs), nodata=255, tags=tags)
