"""The files beside the page: GeoTIFFs, GeoPackage, CSV tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rfplan.colours import hillshade
from rfplan.io.spreadsheets import write_xlsx
from rfplan.io.tables import write_csv
from rfplan.io.vector import write_gpkg
from rfplan.report.extras import extra_layers, extra_tables
from rfplan.report.facts import Facts
from rfplan.report.rasters import write_layers

_SHARED = ("code", "name", "area_km2", "area_on_terrain_km2", "population", "population_on_terrain")


def write_rasters(facts: Facts, folder: Path) -> None:
    """Write the maps as cloud-optimised GeoTIFFs in the terrain's CRS."""
    terrain = facts.terrain
    ground = np.asarray(terrain.elevation_amsl_m, np.float32)
    shade = hillshade(ground, terrain.resolution_m)
    shaded = np.where(np.isfinite(shade), 1 + np.nan_to_num(shade) * 254, 0).astype(np.uint8)
    outside = ~np.isfinite(ground)
    covered = [np.where(outside, 255, mask).astype(np.uint8) for mask in (facts.covered_before, facts.covered_after)]
    layers: list[tuple[str, Any, float | None, str, str]] = [
        ("elevation_amsl_m", ground, None, "m", "Ground height above mean sea level"),
        ("hillshade", shaded, 0, "", "Shaded relief, 1 dark to 255 light"),
        ("covered_before", covered[0], 255, "", "1 covered before the plan, 0 not, 255 unknown ground"),
        ("covered_after", covered[1], 255, "", "1 covered after the plan, 0 not, 255 unknown ground"),
    ]
    for when, coverage in (("before", facts.before), ("after", facts.after)):
        rsrp = np.asarray(coverage.layers["rsrp_dbm"].values, np.float32)
        server = np.asarray(coverage.layers["best_server"].values, np.int32)
        layers.append((f"rsrp_{when}_dbm", rsrp, None, "dBm", f"Best {facts.level_name} {when} the plan"))
        words = f"Best server {when} the plan: row of tables/cells_{when}.csv"
        layers.append((f"best_server_{when}", server, -1, "", words))
    write_layers(facts, folder, layers)


def key_figures(facts: Facts) -> pd.DataFrame:
    """Key figures before and after side by side, the total last."""
    before = pd.concat([facts.key_before, facts.total_before.to_frame().T], ignore_index=True)
    after = pd.concat([facts.key_after, facts.total_after.to_frame().T], ignore_index=True)
    before, after = before.infer_objects(), after.infer_objects()
    out = after[[c for c in _SHARED if c in after.columns]].copy()
    for name in (c for c in after.columns if c not in _SHARED):
        out[f"{name}_before"], out[f"{name}_after"] = before[name], after[name]
    return out


def write_tables(facts: Facts, folder: Path) -> None:
    """Write the CSV tables."""
    total_before, total_after = facts.total_before.to_frame().T, facts.total_after.to_frame().T
    write_csv(folder / "key_figures_before.csv", pd.concat([facts.key_before, total_before], ignore_index=True))
    write_csv(folder / "key_figures_after.csv", pd.concat([facts.key_after, total_after], ignore_index=True))
    write_csv(folder / "key_figures.csv", key_figures(facts))
    write_csv(folder / "build_list.csv", facts.build)
    write_xlsx(folder / "build_list.xlsx", {"build list": facts.build, **extra_tables(facts)})
    for name, frame in extra_tables(facts).items():
        write_csv(folder / f"{name}.csv", frame)
    write_csv(folder / "curve.csv", facts.curve)
    write_csv(folder / "threshold_sweep.csv", facts.sweep)
    for when, coverage in (("before", facts.before), ("after", facts.after)):
        cells = coverage.network.cells.reset_index(drop=True)
        write_csv(folder / f"cells_{when}.csv", cells.assign(row=np.arange(len(cells))))
    rest = facts.uncoverable
    points = rest.geometry.representative_point()
    frame = pd.DataFrame(rest.drop(columns=rest.geometry.name)).assign(lon_deg=points.x, lat_deg=points.y)
    write_csv(folder / "uncoverable.csv", frame)


def write_geopackage(facts: Facts, path: Path) -> None:
    """Write existing sites, new sites, communes with key figures and uncoverable polygons as layers of one file."""
    write_gpkg(path, dict(_layers(facts)))


def _layers(facts: Facts) -> list[tuple[str, Any]]:
    import geopandas as gpd

    synthetic = facts.context.synthetic_extent

    def points(frame: pd.DataFrame) -> Any:
        plain = frame.assign(synthetic=synthetic)
        return gpd.GeoDataFrame(plain, geometry=gpd.points_from_xy(frame["lon_deg"], frame["lat_deg"]), crs="EPSG:4326")

    out = [("existing_sites", points(facts.existing)), ("new_sites", points(facts.build))]
    if facts.communes is not None:
        figures = key_figures(facts).iloc[:-1].assign(synthetic=synthetic)
        outlines = facts.communes.geometry.to_numpy()
        out.append(("communes", gpd.GeoDataFrame(figures, geometry=outlines, crs="EPSG:4326")))
    rest = facts.uncoverable
    out.append(("uncoverable", rest.assign(synthetic=synthetic)))
    out += [(name, layer.assign(synthetic=synthetic)) for name, layer in extra_layers(facts).items()]
    return out
