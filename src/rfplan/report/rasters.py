"""The one place where the report's maps become GeoTIFFs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rfplan.io.raster import write_cog
from rfplan.report.facts import Facts


def write_layers(facts: Facts, folder: Path, layers: Iterable[tuple[str, Any, float | None, str, str]]) -> None:
    """Write (name, array, nodata, unit, words) each as a cloud-optimised GeoTIFF in the terrain's CRS."""
    terrain = facts.terrain
    for name, array, nodata, unit, words in layers:
        write_cog(
            folder / f"{name}.tif",
            array,
            transform=terrain.transform,
            crs=str(terrain.crs),
            nodata=nodata,
            unit=unit,
            tags={"SYNTHETIC": facts.context.synthetic_extent, "DESCRIPTION": words},
        )
