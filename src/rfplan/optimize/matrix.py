"""The coverage matrix: which uncovered demand pixels each candidate would cover."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rfplan.errors import ParameterError
from rfplan.optimize.instance import CoverMatrix, FloatArray

#: One site's prediction: (index, rows, columns, margin_db, ...) as `rfplan.coverage.site_margins` yields it.
SiteMargin = tuple[Any, ...]
#: Compressed columns: int64 (n+1,) where each starts, int32 (nnz,) its rows, increasing.
Columns = tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]


@dataclass(frozen=True)
class CoverageMatrix:
    """Demand pixels × candidates, with what each row is worth and where it lies.

    Attributes
    ----------
    matrix
        Rows are the pixels of `pixels`, columns the candidates in their order.
    pixels
        int64 flat index of each row's pixel in the (ny, nx) grid.
    people, area_km2
        Worth of each row.
    commune
        int32 row of the commune table, -1 outside.
    shape
        (ny, nx).
    """

    matrix: CoverMatrix
    pixels: npt.NDArray[np.int64]
    people: FloatArray
    area_km2: FloatArray
    commune: npt.NDArray[np.int32]
    shape: tuple[int, int]

    def mask(self, rows: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """The (ny, nx) mask of the given rows (indices or booleans)."""
        flat = np.zeros(self.shape[0] * self.shape[1], np.bool_)
        flat[self.pixels[rows]] = True
        return flat.reshape(self.shape)


def build_columns(
    margins: Iterable[SiteMargin],
    n_candidates: int,
    wanted: npt.NDArray[np.bool_],
    *,
    memory_cap_gb: float = 4.0,
    progress: Callable[[int, int], None] | None = None,
) -> Columns:
    """Threshold each candidate's margin at 0 dB on the wanted pixels: compressed columns.

    Parameters
    ----------
    margins
        ``(site_index, rows, cols, margin_db, ...)`` a candidate; a candidate that is not yielded covers nothing.
    n_candidates
        Number of columns.
    wanted
        (ny, nx) pixels to cover.
    memory_cap_gb
        Most memory the matrix and its transpose may take.
    progress
        Called with (candidates done, candidates in all).

    Raises
    ------
    ParameterError
        When the cap would be passed; it says how far the prediction had come.
    """
    pixels = np.flatnonzero(wanted.ravel())
    row_of = np.full(wanted.size, -1, np.int32)
    row_of[pixels] = np.arange(len(pixels), dtype=np.int32)
    row_grid = row_of.reshape(wanted.shape)
    columns: list[npt.NDArray[np.int32] | None] = [None] * n_candidates
    total = 0
    # rows and columns as int32, and a scipy copy of both with its flags while they are made
    limit = int(memory_cap_gb * 1e9 / 18)
    for done, (index, rows, cols, margin_db, *_) in enumerate(margins, 1):
        inside = row_grid[rows, cols]
        hit = inside[(margin_db >= 0.0) & (inside >= 0)]
        columns[int(index)] = hit
        total += len(hit)
        if total > limit:
            raise ParameterError(
                f"the coverage matrix passes memory_cap_gb = {memory_cap_gb:g} after {done} of {n_candidates} "
                f"candidates ({total:,} pairs); use fewer candidates, a coarser resolution_m or a higher cap"
            )
        if progress is not None:
            progress(done, n_candidates)
    empty = np.zeros(0, np.int32)
    parts = [empty if part is None else part for part in columns]
    pointer = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    rows_flat = np.concatenate(parts) if parts else empty
    return pointer, rows_flat


def coverage_matrix(columns: Columns, wanted: npt.NDArray[np.bool_], grid: Any, pixel_km2: float) -> CoverageMatrix:
    """Put compressed columns on wanted pixels together with what rows are worth.

    Parameters
    ----------
    columns
        From `build_columns`.
    wanted
        (ny, nx) pixels to cover.
    grid
        Demand grid: ``population`` and ``commune_index``.
    pixel_km2
        Area of a pixel.
    """
    pixels = np.flatnonzero(wanted.ravel())
    return CoverageMatrix(
        matrix=CoverMatrix.from_columns(*columns, len(pixels)),
        pixels=pixels.astype(np.int64),
        people=np.nan_to_num(np.asarray(grid.population, np.float64).ravel()[pixels]),
        area_km2=np.full(len(pixels), pixel_km2),
        commune=np.asarray(grid.commune_index, np.int32).ravel()[pixels],
        shape=(wanted.shape[0], wanted.shape[1]),
    )
