"""A small made-up plan for the report's tests: every figure can be worked out by hand from the arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from shapely.geometry import box

from rfplan.demand import Demand
from rfplan.terrain import Terrain

PEAK_LONLAT = (105.5440, 21.4573)
HOSTILE = "<img src=x onerror=alert(1)>\"'&</script><script>alert(2)</script>"
REQUIRED_DBM = -110.0


@dataclass(frozen=True)
class FakeService:
    name: str = "outdoor"
    required_rsrp_dbm: float = REQUIRED_DBM


@dataclass(frozen=True)
class FakeReceiver:
    height_agl_m: float = 1.5


@dataclass(frozen=True)
class P1812:
    time_percent: float = 50.0
    location_percent: float = 50.0


@dataclass(frozen=True)
class FakeNetwork:
    sites: pd.DataFrame
    cells: pd.DataFrame


@dataclass(frozen=True)
class FakeCoverage:
    layers: xr.Dataset
    network: FakeNetwork
    terrain: Terrain
    model: P1812 = P1812()
    service: FakeService = FakeService()
    receiver: FakeReceiver = FakeReceiver()
    technology: str = "4G"
    radius_m: float = 15_000.0
    method: str = "sweep"


@dataclass(frozen=True)
class FakeCandidates:
    table: pd.DataFrame


@dataclass(frozen=True)
class FakePlan:
    sites: pd.DataFrame
    coverage_before: FakeCoverage
    coverage_after: FakeCoverage
    demand: Any
    uncoverable: Any
    candidates: FakeCandidates
    curve: pd.DataFrame = field(default_factory=pd.DataFrame)
    objective: float = 12.0
    bound: float = 11.5
    gap: float = 0.5 / 12.0
    seed: int = 1
    time_s: float = 0.4
    status: str = "feasible"
    verified: bool = True


def make_terrain(rows: int, columns: int, resolution_m: float) -> Terrain:
    """Hills with one summit at `PEAK_LONLAT`, whatever the size."""
    from pyproj import Transformer

    east, north = Transformer.from_crs("EPSG:4326", "EPSG:32648", always_xy=True).transform(*PEAK_LONLAT)
    x0, y0 = round(east - 0.7 * columns * resolution_m), round(north + 0.3 * rows * resolution_m)
    x = x0 + (np.arange(columns) + 0.5) * resolution_m
    y = y0 - (np.arange(rows) + 0.5) * resolution_m
    xx, yy = np.meshgrid(x, y)
    span = rows * resolution_m
    ground = 60 + 50 * np.sin(9 * (xx - x0) / span) * np.cos(11 * (y0 - yy) / span) + 30 * np.sin(40 * (xx + yy) / span)
    ground += 1300 * np.exp(-((xx - east) ** 2 + (yy - north) ** 2) / (0.09 * span) ** 2)
    ground += 700 * np.clip((x0 + 0.35 * span - xx) / (0.35 * span), 0, 1) * (1 + 0.4 * np.sin(25 * yy / span))
    return Terrain.from_arrays(ground.astype(np.float32), x0_m=x0, y0_m=y0, resolution_m=resolution_m, crs="EPSG:32648")


def make_coverage(terrain: Terrain, sites: pd.DataFrame) -> FakeCoverage:
    """RSRP that falls with distance and with ground height above the site: a toy, but a smooth and local one."""
    rows, columns = terrain.shape
    best = np.full((rows, columns), -np.inf, np.float32)
    server = np.full((rows, columns), -1, np.int32)
    x, y = terrain.xy(sites["lon_deg"].to_numpy(), sites["lat_deg"].to_numpy())
    r, c = terrain.rowcol(x, y)
    reach = int(15_000 / terrain.resolution_m)
    for i in range(len(sites)):
        r0, c0 = round(float(r[i])), round(float(c[i]))
        rs, cs = slice(max(0, r0 - reach), r0 + reach), slice(max(0, c0 - reach), c0 + reach)
        rr, cc = np.mgrid[rs.start : min(rs.stop, rows), cs.start : min(cs.stop, columns)]
        distance_m = np.hypot(rr - r0, cc - c0) * terrain.resolution_m + 30
        ground = terrain.elevation_amsl_m[rs, cs]
        climb = np.clip(
            ground - ground[min(r0 - rs.start, ground.shape[0] - 1), min(c0 - cs.start, ground.shape[1] - 1)], 0, None
        )
        level = (-40 * np.log10(distance_m / 10) - 0.06 * climb).astype(np.float32)
        better = level > best[rs, cs]
        best[rs, cs][better] = level[better]
        server[rs, cs][better] = i
    best[~terrain.valid] = np.nan
    rsrp = np.where(np.isinf(best), np.nan, best).astype(np.float32)
    covered = np.nan_to_num(rsrp, nan=-999.0) >= REQUIRED_DBM
    layers = xr.Dataset(
        {
            "rsrp_dbm": (("y", "x"), rsrp),
            "best_server": (("y", "x"), np.where(np.isfinite(rsrp), server, -1).astype(np.int32)),
            "margin_db": (("y", "x"), rsrp - REQUIRED_DBM),
            "closed_rsrp_dbm": (("y", "x"), rsrp),
            "covered": (("y", "x"), covered),
        }
    )
    cells = pd.DataFrame({"cell_id": [f"C{i}" for i in range(len(sites))], "sector_id": "S", "technology": "4G"})
    return FakeCoverage(layers, FakeNetwork(sites.reset_index(drop=True), cells), terrain)


def make_communes(terrain: Terrain, across: int, down: int, hostile: bool) -> gpd.GeoDataFrame:
    """A net of rectangles over most of the terrain (terrain CRS)."""
    rows, columns = terrain.shape
    width, height = columns * terrain.resolution_m, rows * terrain.resolution_m
    left, top = terrain.x0_m + 0.05 * width, terrain.y0_m - 0.05 * height
    dx, dy = 0.9 * width / across, 0.9 * height / down
    boxes = [
        box(left + i * dx, top - (j + 1) * dy, left + (i + 1) * dx, top - j * dy)
        for j in range(down)
        for i in range(across)
    ]
    names = [f"Xã {i + 1}" for i in range(len(boxes))]
    if hostile:
        names[0] = HOSTILE
    return gpd.GeoDataFrame(
        {
            "code": [f"{i:05d}" for i in range(1, len(boxes) + 1)],
            "name": names,
            "area_km2": [dx * dy / 1e6] * len(boxes),
            "polygon_area_km2": [dx * dy / 1e6] * len(boxes),
            "population": [5000 + 137 * i % 9000 for i in range(len(boxes))],
        },
        geometry=boxes,
        crs=terrain.crs,
    )


def make_uncoverable(covered: Any, inside: Any, people: Any, terrain: Terrain, patches: int) -> gpd.GeoDataFrame:
    from rasterio.features import shapes
    from shapely.geometry import shape

    rest = inside & ~covered
    found = [shape(g) for g, v in shapes(rest.astype(np.uint8), mask=rest, transform=terrain.transform)]
    found = sorted(found, key=lambda g: -g.area)[:patches]
    density = people[rest].sum() / max(rest.sum(), 1) / terrain.pixel_area_km2
    return gpd.GeoDataFrame(
        {
            "people": [g.area / 1e6 * density for g in found],
            "area_km2": [g.area / 1e6 for g in found],
            "reason": ["no candidate within reach"] * len(found),
        },
        geometry=gpd.GeoSeries(found, crs=terrain.crs),
        crs=terrain.crs,
    )


def make_plan(
    *,
    shape: tuple[int, int] = (90, 70),
    resolution_m: float = 250.0,
    existing: int = 12,
    new: int = 4,
    communes: tuple[int, int] = (3, 4),
    patches: int = 5,
    hostile: bool = False,
    seed: int = 7,
) -> FakePlan:
    """Put the pieces together."""
    rng = np.random.default_rng(seed)
    terrain = make_terrain(*shape, resolution_m)
    places = make_communes(terrain, *communes, hostile)
    x = terrain.x0_m + rng.uniform(0.1, 0.9, existing + new) * shape[1] * resolution_m
    y = terrain.y0_m - rng.uniform(0.1, 0.9, existing + new) * shape[0] * resolution_m
    x[0], y[0] = (float(v) for v in terrain.xy(*PEAK_LONLAT))
    lon, lat = terrain.lonlat(x, y)
    sites = pd.DataFrame(
        {
            "site_id": [f"E{i:04d}" for i in range(existing + new)],
            "name": [f"Site {i}" for i in range(existing + new)],
            "lon_deg": lon,
            "lat_deg": lat,
            "status": "existing",
            "operator": "Mạng A",
            "technologies": "2G;4G",
            "year": 2019,
        }
    )
    if hostile:
        sites.loc[:, "name"] = HOSTILE
    before, after = make_coverage(terrain, sites.iloc[:existing]), make_coverage(terrain, sites)
    demand = Demand(places.to_crs("EPSG:4326"))
    grid = demand.on_grid(terrain)
    inside = grid.inside
    covered = np.asarray(after.layers["covered"])
    share = np.linspace(0, 1, new + 1)[1:]
    build = pd.DataFrame(
        {
            "site_id": [f"{HOSTILE if hostile else 'new-ridge'}-{i}" for i in range(new)],
            "lon_deg": lon[existing:],
            "lat_deg": lat[existing:],
            "kind": (["ridge", "seat", "mast", "summit"] * new)[:new],
            "tx_height_agl_m": 40.0,
            "cost": 1.5,
            "gained_people": 1000.0 / (1 + np.arange(new)),
            "gained_km2": 10.0 / (1 + np.arange(new)),
            "cumulative_people_percent": 90 + 9 * np.sqrt(share),
            "cumulative_area_percent": 80 + 15 * np.sqrt(share),
        }
    )
    return FakePlan(
        build,
        before,
        after,
        demand,
        make_uncoverable(covered, inside, grid.population, terrain, patches),
        FakeCandidates(pd.DataFrame({"candidate_id": range(50)})),
        pd.DataFrame({"sites": np.arange(new + 1), "cost": 1.5 * np.arange(new + 1)}),
    )


@pytest.fixture(scope="session")
def plan_factory() -> Callable[..., FakePlan]:
    return make_plan


@pytest.fixture(scope="session")
def plan() -> FakePlan:
    return make_plan()
