"""Antenna and budget on top of path loss: one site of three sectors, 15 km at 90 m, and its merge into a map."""

from __future__ import annotations

from typing import Any

import numpy as np

from rfplan.antenna import BUILT_IN, PatternTable
from rfplan.kernels.coverage import merge_site_kernel, site_levels_kernel
from rfplan.kernels.radio import N_QUALITY, quality_kernel, site_accumulate_kernel

SIZE = 333


def _arguments(cells: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(1)
    y, x = np.meshgrid(np.arange(SIZE) - 166.0, np.arange(SIZE) - 166.0, indexing="ij")
    distance = 90.0 * np.hypot(x, y)
    loss = 32.4 + 35.0 * np.log10(np.maximum(distance, 10.0))
    loss[distance > 15_000.0] = np.nan
    table = PatternTable.of([BUILT_IN["sector-1800"]])
    sectors = np.array([[a, 0.0, 3.0, 60.0] for a in (0.0, 120.0, 240.0)])
    return (
        loss[None].astype(np.float32),
        (20.0 * rng.random((SIZE, SIZE))).astype(np.float32),
        np.zeros((SIZE, SIZE), dtype=np.uint8),
        np.zeros((6, 1)),
        np.array([-166.0 * 90.0, 166.0 * 90.0, 90.0, 1.5, 1.0 / (2.0 * 8.5e6), 0.0, 0.0]),
        sectors,
        np.zeros(3, dtype=np.int64),
        table.arrays,
        np.arange(cells, dtype=np.int64) % 3,
        np.zeros(cells, dtype=np.int64),
        np.full(cells, 30.0),
        np.full(cells, 145.0),
        -110.0,
        np.empty((SIZE, SIZE), dtype=np.float32),
        np.empty((SIZE, SIZE), dtype=np.int32),
        np.empty((SIZE, SIZE), dtype=np.float32),
        np.empty((SIZE, SIZE), dtype=np.float32),
    )


def test_site_levels(benchmark: Any) -> None:
    arguments = _arguments(3)
    site_levels_kernel(*arguments)
    benchmark(site_levels_kernel, *arguments)
    rsrp, _, margin, _ = arguments[-4:]
    assert np.isfinite(rsrp[166, 100])
    assert np.isfinite(margin[166, 100])


def test_merge_site(benchmark: Any) -> None:
    arguments = _arguments(3)
    site_levels_kernel(*arguments)
    rsrp, best, margin, closed = arguments[-4:]
    whole = (
        np.full(rsrp.shape, np.nan, np.float32),
        np.full(rsrp.shape, -1, np.int32),
        np.full(rsrp.shape, np.nan, np.float32),
        np.full(rsrp.shape, np.nan, np.float32),
    )
    benchmark(merge_site_kernel, np.arange(3), (0, 0), rsrp, best, margin, closed, *whole)
    np.testing.assert_array_equal(whole[1], best)


def test_site_accumulate_and_quality(benchmark: Any) -> None:
    """Three cells of one carrier into the sums and lists of a window, then its SINR, RSRQ and servers."""
    loss, ground, clutter, entry, geometry, sectors, antenna, patterns = _arguments(3)[:8]
    cells = np.array([[i, 0, i, 0, i] for i in range(3)], dtype=np.int64)
    numbers = np.array([[30.0, 0.5]] * 3)
    shape = (1, SIZE, SIZE)
    level, listed = np.full((*shape, 8), np.nan, np.float32), np.full((*shape, 8), -1, np.int32)
    total, traffic = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    collision = np.zeros((*shape, 3), np.int64)
    out = np.empty((N_QUALITY, SIZE, SIZE), np.float32)
    server, overlap = np.empty((SIZE, SIZE), np.int32), np.empty((SIZE, SIZE), np.uint8)
    prior = np.full((SIZE, SIZE), -1, np.int32)
    scalars = np.array([1e-12, 6.0, 0.0, 100.0])

    def run() -> None:
        listed[...] = -1
        for array in (total, traffic, collision):
            array[...] = 0
        site_accumulate_kernel(
            loss, ground, clutter, entry, geometry, sectors, antenna, patterns, cells, numbers,
            level, listed, total, traffic, collision,
        )  # fmt: skip
        quality_kernel(
            level[0], listed[0], total[0], traffic[0], collision[0], np.full(3, 0.5), np.arange(3), scalars, prior,
            out, server, overlap,
        )  # fmt: skip

    run()
    benchmark(run)
    assert server[166, 100] >= 0
