"""Radio-climatic grids: recognised by size, interpolated as P.1144 says, wrapped around the globe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rfplan.errors import InputFileError, ParameterError
from rfplan.io.radio_maps import GlobalGrid, read_radio_map


def _write(path: Path, values: np.ndarray, delimiter: str = " ") -> Path:  # type: ignore[type-arg]
    np.savetxt(path, values, fmt="%.3f", delimiter=delimiter)
    return path


def test_layout_of_p1812_maps(tmp_path: Path) -> None:
    lat, lon = np.meshgrid(90 - 1.5 * np.arange(121), 1.5 * np.arange(241), indexing="ij")
    grid = read_radio_map(_write(tmp_path / "synthetic_DN50.TXT", lat + lon / 1000))
    assert grid.at(105.3, 21.3) == pytest.approx(21.3 + 0.1053, abs=1e-3)
    assert grid.at(-254.7 + 360, 21.3) == pytest.approx(grid.at(105.3, 21.3))
    np.testing.assert_allclose(grid.at([0.0, -1.5], [90.0, -90.0]), [90.0, -90 + 0.3585], atol=1e-3)


def test_layout_of_p530_maps(tmp_path: Path) -> None:
    lat, lon = np.meshgrid(90 - 0.25 * np.arange(721), -180 + 0.25 * np.arange(1441), indexing="ij")
    grid = read_radio_map(_write(tmp_path / "synthetic_LogK.csv", lat + lon / 1000, ","))
    np.testing.assert_allclose(grid.at([105.37, -60.0], [21.31, -33.3]), [21.41537, -33.36], atol=1e-3)


def test_bilinear_by_hand_and_unknown_values() -> None:
    grid = GlobalGrid(np.array([[1.0, 2.0], [3.0, np.nan]]), 10.0, 100.0, -1.0, 1.0, "synthetic")
    assert grid.at(100.0, 9.5) == pytest.approx(2.0)
    assert grid.at(100.5, 10.0) == pytest.approx(1.5)
    with pytest.raises(ParameterError, match="no value"):
        grid.at(100.5, 9.5)
    with pytest.raises(ParameterError, match=r"\(50, 9.5\)"):
        grid.at(50.0, 9.5)


def test_raster_in_degrees(tmp_path: Path) -> None:
    import rasterio
    from affine import Affine

    path = tmp_path / "synthetic_delta_n.tif"
    values = np.arange(20, dtype=np.float32).reshape(4, 5)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=5,
        height=4,
        count=1,
        dtype="float32",
        crs="EPSG:4326",
        transform=Affine(0.5, 0.0, 104.0, 0.0, -0.5, 23.0),
    ) as file:
        file.write(values, 1)
    grid = read_radio_map(path)
    assert grid.at(104.25, 22.75) == 0.0
    assert grid.at(104.5, 22.5) == pytest.approx(3.0)


def test_wrong_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no such file"):
        read_radio_map(tmp_path / "DN50.TXT")
    with pytest.raises(InputFileError, match="holds 2 x 3 numbers"):
        read_radio_map(_write(tmp_path / "small.txt", np.ones((2, 3))))
    (tmp_path / "words.txt").write_text("not a map\n", encoding="utf-8")
    with pytest.raises(InputFileError, match="not a matrix"):
        read_radio_map(tmp_path / "words.txt")
