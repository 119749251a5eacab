"""A small synthetic area as input files: a plain, a ridge across it, four communes, stations on one side."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyproj
from affine import Affine

from rfplan.io.raster import write_cog

WEST_M, NORTH_M, RESOLUTION_M, SIDE = 540_000.0, 2_360_000.0, 100.0, 60

SCENARIO = """
schema_version = 1
name = "small"
title = "A small synthetic area"
synthetic = true
synthetic_note = "Everything here is made up."

[terrain]
files = ["synthetic_dem.tif"]
resolution_m = 100

[demand]
communes = "synthetic_communes.geojson"

[network]
sites = "synthetic_sites.csv"

[coverage]
radius_m = 3500
method = "exact"

[service]
name = "indoor"

[candidates]
grid_spacing_m = 1500

[target]
population = 0.99

[solve]
time_limit_s = 5
seed = 1

[[published]]
label = "as published"
population_percent = 96
area_percent = 90
"""

SITES = {
    "A": (541_200.0, 2_358_600.0, "2G;4G"),
    "B": (541_500.0, 2_355_500.0, "2G;3G;4G"),
    "C": (545_000.0, 2_357_000.0, "2G"),
}


def write_terrain(folder: Path, unknown_columns: int = 0) -> Path:
    """Write the ground; its last columns may be unknown."""
    row, col = np.mgrid[0:SIDE, 0:SIDE]
    ground = (30.0 + 220.0 * np.exp(-(((col - 28) / 4.0) ** 2)) + 8.0 * np.sin(row / 5.0)).astype(np.float32)
    if unknown_columns:
        ground[:, -unknown_columns:] = np.nan
    corner = Affine(RESOLUTION_M, 0.0, WEST_M, 0.0, -RESOLUTION_M, NORTH_M)
    return write_cog(folder / "synthetic_dem.tif", ground, transform=corner, crs="EPSG:32648", unit="m")


def write_communes(folder: Path) -> Path:
    """Write four square communes."""
    degrees = pyproj.Transformer.from_crs("EPSG:32648", "EPSG:4326", always_xy=True)
    features = []
    for k, (i, j) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        left, top, side = WEST_M + 200.0 + 2_800.0 * j, NORTH_M - 200.0 - 2_800.0 * i, 2_800.0
        ring = [(left, top), (left + side, top), (left + side, top - side), (left, top - side), (left, top)]
        geometry = {"type": "Polygon", "coordinates": [[degrees.transform(x, y) for x, y in ring]]}
        properties = {"code": f"S{k}", "name": f"synthetic {k}", "population": 4_000 + 3_000 * k}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    path = folder / "synthetic_communes.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def write_sites(folder: Path, offset_m: float = 0.0) -> Path:
    """Write the stations, all moved east by ``offset_m``."""
    degrees = pyproj.Transformer.from_crs("EPSG:32648", "EPSG:4326", always_xy=True)
    lines = ["site_id,lon_deg,lat_deg,technologies"]
    for name, (x, y, technologies) in SITES.items():
        lon, lat = degrees.transform(x + offset_m, y)
        lines.append(f"{name},{lon:.6f},{lat:.6f},{technologies}")
    path = folder / "synthetic_sites.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_area(folder: Path, scenario: str = SCENARIO) -> Path:
    """Write all inputs and the scenario that names them; return the scenario's path."""
    write_terrain(folder)
    write_communes(folder)
    write_sites(folder)
    path = folder / "scenario.toml"
    path.write_text(scenario, encoding="utf-8")
    return path
