"""Opening terrain and sharing demand out: one synthetic 1° tile at 3" onto 90 m, 148 synthetic communes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rfplan.demand import Demand, open_demand
from rfplan.io.elevation import fill_voids, find_spikes
from rfplan.metrics import summarize_mask
from rfplan.terrain import Terrain, open_terrain

SIDE = 1201


def synthetic_ground() -> np.ndarray:
    rng = np.random.default_rng(7)
    coarse = rng.uniform(20, 900, (13, 13))
    row, col = np.meshgrid(np.linspace(0, 11.99, SIDE), np.linspace(0, 11.99, SIDE), indexing="ij")
    r, c = row.astype(int), col.astype(int)
    fr, fc = row - r, col - c
    top = coarse[r, c] * (1 - fc) + coarse[r, c + 1] * fc
    return (top * (1 - fr) + (coarse[r + 1, c] * (1 - fc) + coarse[r + 1, c + 1] * fc) * fr).astype(">i2")


@pytest.fixture(scope="module")
def tile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    ground = synthetic_ground()
    holes = np.random.default_rng(8).integers(5, SIDE - 10, (150, 2))
    for row, col in holes:
        ground[row : row + 3, col : col + 3] = -32768
    path = tmp_path_factory.mktemp("tile") / "N21E105.hgt"
    path.write_bytes(ground.tobytes())
    return path


@pytest.fixture(scope="module")
def terrain(tile: Path) -> Terrain:
    return open_terrain(tile, resolution_m=90)


@pytest.fixture(scope="module")
def demand(tmp_path_factory: pytest.TempPathFactory) -> Demand:
    import geopandas as gpd
    import shapely

    west, south, step = 104.8, 20.3, 0.088
    corners = [(west + step * (i % 12), south + step * (i // 12)) for i in range(148)]
    boxes = [shapely.box(x, y, x + step, y + step) for x, y in corners]
    fields = {"code": [str(i) for i in range(148)], "name": ["synthetic"] * 148, "population": [27_000] * 148}
    path = tmp_path_factory.mktemp("communes") / "synthetic.geojson"
    gpd.GeoDataFrame(fields, geometry=boxes, crs=4326).to_file(path)
    return open_demand(communes=path)


def test_open_terrain(benchmark: Any, tile: Path) -> None:
    terrain = benchmark(open_terrain, tile, resolution_m=90)
    assert terrain.attrs["voids_filled"] > 1000


def test_find_spikes(benchmark: Any) -> None:
    ground = synthetic_ground().astype("float32")
    assert not benchmark(find_spikes, ground).any()


def test_fill_voids(benchmark: Any) -> None:
    ground = synthetic_ground().astype("float32")
    voids = np.zeros(ground.shape, bool)
    voids[400:440, 300:360] = True
    assert np.isfinite(benchmark(fill_voids, np.where(voids, np.nan, ground), voids)).all()


def test_on_grid(benchmark: Any, terrain: Terrain, demand: Demand) -> None:
    def fresh() -> Any:
        return Demand(demand.communes, demand.raster, demand.attrs).on_grid(terrain)

    assert benchmark(fresh).inside.any()


def test_summarize(benchmark: Any, terrain: Terrain, demand: Demand) -> None:
    grid = demand.on_grid(terrain)
    figures = benchmark(summarize_mask, terrain.elevation_amsl_m > 300, grid)
    assert 0 < figures.total["covered_area_percent"] < 100
