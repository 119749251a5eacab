from __future__ import annotations

import numpy as np
import pytest

from rfplan.io.elevation import block_mean, fill_voids, find_spikes, sample_bilinear, small_voids
from rfplan.io.raster import Raster


def relax(grid: np.ndarray, voids: np.ndarray, sweeps: int = 4000) -> np.ndarray:
    """Obvious oracle: repeat "each void is the mean of its neighbours" until nothing moves."""
    out = np.where(voids, np.nanmean(grid), grid).astype(float)
    cells = np.argwhere(voids)
    for _ in range(sweeps):
        for r, c in cells:
            near = [
                out[i, j]
                for i, j in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1))
                if 0 <= i < out.shape[0] and 0 <= j < out.shape[1]
            ]
            out[r, c] = np.mean(near)
    return out


def test_membrane_against_relaxation() -> None:
    rng = np.random.default_rng(5)
    grid = rng.uniform(0, 100, (12, 14)).astype("float32")
    voids = np.zeros(grid.shape, bool)
    voids[3:6, 4:9] = voids[0, 0] = voids[11, 10:14] = True
    holed = np.where(voids, np.nan, grid)
    np.testing.assert_allclose(fill_voids(holed, voids), relax(holed, voids, 300), atol=1e-3)


def test_membrane_is_exact_on_a_plane_and_never_overshoots() -> None:
    plane = (3.0 * np.arange(20)[:, None] - 2.0 * np.arange(30)[None, :]).astype("float32")
    voids = np.zeros(plane.shape, bool)
    voids[5:15, 8:20] = True
    filled = fill_voids(np.where(voids, np.nan, plane).astype("float32"), voids)
    np.testing.assert_allclose(filled, plane, atol=1e-3)


def test_void_without_neighbours_stays_unknown() -> None:
    grid = np.full((5, 5), np.nan, "float32")
    assert np.isnan(fill_voids(grid, np.isnan(grid))).all()
    assert not small_voids(np.zeros((4, 4), "float32"), 10).any()


def test_small_voids_join_over_corners() -> None:
    grid = np.zeros((6, 6), "float32")
    grid[1, 1] = grid[2, 2] = grid[4, 5] = np.nan
    assert small_voids(grid, 1).sum() == 1
    assert small_voids(grid, 2).sum() == 3


def test_cliffs_are_no_spikes() -> None:
    grid = np.zeros((20, 20), "float32")
    grid[:, 10:] = 400  # a wall
    assert not find_spikes(grid).any()
    grid[5, 5] = 151
    grid[15, 15] = 200
    assert np.argwhere(find_spikes(grid)).tolist() == [[5, 5], [15, 15]]


@pytest.mark.parametrize(("row", "col"), [(-0.6, 0), (0, -0.51), (2.6, 1), (1, 3.51)])
def test_sampling_outside_is_unknown(row: float, col: float) -> None:
    assert np.isnan(sample_bilinear(np.ones((3, 4)), row, col))


def test_sampling_beside_unknown_cells() -> None:
    grid = np.array([[1.0, np.nan], [3.0, 4.0]])
    assert sample_bilinear(grid, 0.0, 0.0) == 1
    assert np.isnan(sample_bilinear(grid, 0.0, 0.25))
    assert sample_bilinear(grid, 1.0, 0.5) == 3.5
    assert sample_bilinear(grid, -0.4, -0.4) == 1


def test_block_mean_needs_half_of_the_block() -> None:
    values = np.arange(16, dtype="float32").reshape(4, 4)
    values[0, 0] = np.nan
    values[2:, 2:] = np.nan
    values[3, 3] = 9
    mean = block_mean(Raster(values, 0, 0, 1, 1, "EPSG:32648", None, "x"), 2, 2).values
    assert mean[0, 0] == pytest.approx((1 + 4 + 5) / 3)
    assert np.isnan(mean[1, 1])


def test_many_voids_are_solved_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(9)
    grid = np.cumsum(rng.normal(0, 3, (80, 90)), axis=1).astype("float32")
    voids = rng.random(grid.shape) < 0.3
    holed = np.where(voids, np.nan, grid).astype("float32")
    direct = fill_voids(holed, voids)
    monkeypatch.setattr("rfplan.io.elevation._DIRECT_CELLS", 0)
    np.testing.assert_allclose(fill_voids(holed, voids), direct, atol=1e-3)


def test_wide_lowland_is_settled_quickly() -> None:
    grid = np.full((600, 600), -400, "float32")
    grid[:, 300:] = -300  # an escarpment below the sea, taller than a spike's drop
    grid[100, 100] = -450
    assert np.argwhere(find_spikes(grid)).tolist() == [[100, 100]]


def test_strips_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(10)
    grid = rng.normal(0, 60, (70, 30)).astype("float32")
    grid[rng.random(grid.shape) < 0.05] = np.nan
    whole = find_spikes(grid)
    assert whole.any()
    monkeypatch.setattr("rfplan.io.elevation._STRIP", 7)
    np.testing.assert_array_equal(find_spikes(grid), whole)
