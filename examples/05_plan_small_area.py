"""A whole plan on a small synthetic area: files in, report out, as with real data.

The script writes a terrain, four communes and two stations into a temporary folder, with a scenario that names them,
and runs the same job as ``rfplan plan``.
"""

import json
import tempfile
from pathlib import Path

import numpy as np
import pyproj
from affine import Affine

import rfplan as rf
from rfplan.io.raster import write_cog

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
radius_m = 5000
method = "exact"

[candidates]
grid_spacing_m = 2500

[target]
population = 0.99

[solve]
time_limit_s = 5
seed = 1

[tuning]
near_m = 10000
rules = { tilt_steps_deg = [-2, 2], max_changes_per_site = 2 }
"""


def write_inputs(folder: Path) -> None:
    """Write the synthetic input files."""
    n, resolution_m, west, north = 90, 100.0, 540_000.0, 2_360_000.0
    row, col = np.mgrid[0:n, 0:n]
    ground = 30.0 + 250.0 * np.exp(-(((col - 45) / 6.0) ** 2)) + 12.0 * np.sin(row / 6.0)
    corner = Affine(resolution_m, 0.0, west, 0.0, -resolution_m, north)
    write_cog(folder / "synthetic_dem.tif", ground.astype(np.float32), transform=corner, crs="EPSG:32648", unit="m")
    degrees = pyproj.Transformer.from_crs("EPSG:32648", "EPSG:4326", always_xy=True)
    features = []
    for k, (i, j) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        left, top = west + 500.0 + 4_000.0 * j, north - 500.0 - 4_000.0 * i
        ring = [(left, top), (left + 4_000.0, top), (left + 4_000.0, top - 4_000.0), (left, top - 4_000.0), (left, top)]
        properties = {"code": f"S{k}", "name": f"synthetic {k}", "population": 4_000 + 3_000 * k}
        geometry = {"type": "Polygon", "coordinates": [[degrees.transform(x, y) for x, y in ring]]}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    collection = {"type": "FeatureCollection", "features": features}
    (folder / "synthetic_communes.geojson").write_text(json.dumps(collection), encoding="utf-8")
    lines = ["site_id,lon_deg,lat_deg,technologies"]
    for name, x, y, technologies in (("A", 541_500.0, 2_358_000.0, "2G;4G"), ("B", 547_500.0, 2_353_500.0, "2G")):
        lon, lat = degrees.transform(x, y)
        lines.append(f"{name},{lon:.6f},{lat:.6f},{technologies}")
    (folder / "synthetic_sites.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "scenario.toml").write_text(SCENARIO, encoding="utf-8")


with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    write_inputs(folder)
    plan = rf.run_plan(folder / "scenario.toml", out=folder / "out")
    page = rf.write_report(plan, folder / "out")
    print(plan.sites[["site_id", "kind", "cost", "gained_people", "cumulative_people_percent"]].to_string(index=False))
    before, after = (f.table.iloc[-1] for f in (plan.key_figures_before, plan.key_figures_after))
    print(
        f"people covered: {before['covered_population_percent']:.1f} % before, "
        f"{after['covered_population_percent']:.1f} % after; verified to the pixel: {plan.verified}"
    )
    tuning = plan.additions.tuning
    print(f"sectors tuned: {tuning.cells['sector_id'].nunique()}, people gained: {tuning.settings.gained_people:.0f}")
    print(f"report: {page.name}, {page.stat().st_size // 1024} kB, and {len(list(page.parent.rglob('*.tif')))} maps")
