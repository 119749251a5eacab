"""The manifest: inputs with hashes, versions, parameters, seed, and what was written; the record of the run apart."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

import rfplan
from rfplan.report.context import ReportContext, plain
from rfplan.report.facts import Facts

MANIFEST_VERSION = 1
PACKAGES = ("numpy", "scipy", "numba", "xarray", "rasterio", "pyproj", "shapely", "geopandas", "pandas", "highspy")
_LABELS = {"voids_filled", "spikes_removed", "sources", "clutter_source", "clutter_table"}


def versions() -> dict[str, str]:
    """rfplan, Python, the system and the packages that bear on the numbers."""
    out = {"rfplan": rfplan.__version__, "python": platform.python_version(), "system": platform.system()}
    for name in PACKAGES:
        try:
            out[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return out


def run_record(context: ReportContext) -> dict[str, Any]:
    """When, how long and in how much memory: all that differs from one run of the same plan to the next."""
    return {
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "timings_s": plain(dict(context.timings_s)),
        "peak_memory_mb": plain(context.peak_memory_mb),
        "system": platform.platform(),
    }


def manifest(facts: Facts) -> dict[str, Any]:
    """Everything needed to tell one report from another; what JSON can hold. Two runs of one plan give the same."""
    context, coverage = facts.context, facts.after
    terrain = facts.terrain
    shape = facts.inside.shape
    return {
        "manifest_version": MANIFEST_VERSION,
        "title": context.title,
        "area_name": context.area_name,
        "scenario": context.scenario,
        "synthetic": context.synthetic,
        "synthetic_note": context.synthetic_note,
        "inputs": plain(list(context.inputs)),
        "prediction": plain(
            {
                "technology": getattr(coverage, "technology", ""),
                "model": coverage.model,
                "service": coverage.service,
                "receiver": coverage.receiver,
                "radius_m": getattr(coverage, "radius_m", None),
                "method": getattr(coverage, "method", ""),
                "grid": {
                    "rows": shape[0],
                    "columns": shape[1],
                    "resolution_m": terrain.resolution_m,
                    "crs": str(terrain.crs),
                },
                "terrain": _about_terrain(dict(getattr(terrain, "attrs", {}))),
            }
        ),
        "solution": plain(facts.solution | {"new_sites": len(facts.build), "existing_sites": len(facts.existing)}),
        "key_figures": {"before": _total(facts.total_before), "after": _total(facts.total_after)},
        "uncoverable": {
            "patches": len(facts.uncoverable),
            "people": plain(float(facts.uncoverable["people"].sum())),
            "area_km2": plain(float(facts.uncoverable["area_km2"].sum())),
        },
        "parameters": plain(dict(context.parameters)),
        "versions": versions(),
    }


def _about_terrain(attrs: dict[str, Any]) -> dict[str, Any]:
    """What reading the terrain did; files by name, since folders are of no use elsewhere."""
    about = {key: value for key, value in attrs.items() if key in _LABELS}
    if "sources" in about:
        about["sources"] = [Path(str(source)).name for source in about["sources"]]
    return about


def _total(row: pd.Series) -> dict[str, Any]:
    return {str(k): plain(v) for k, v in row.items() if str(k) not in ("code", "name")}


def file_entry(path: Path, folder: Path) -> dict[str, Any]:
    """Name, size and SHA-256 of a file that was written."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"name": path.relative_to(folder).as_posix(), "bytes": path.stat().st_size, "sha256": digest}
