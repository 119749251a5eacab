"""A model's finish over any number of paths: from geometry, shape (N_FIELDS, n), to losses.

A finish is a kernel (geometry, n, bands, parameters, out, at) that writes the losses, dB, of n paths, at most BLOCK,
into ``out[band, at : at + n]``. Their geometry has the shape (N_FIELDS, at least n): as a block of few kilobytes it
stays in the cache while each stage of the model runs over it.
"""

from __future__ import annotations

import functools
from typing import Any

import numba
import numpy as np

from rfplan.kernels._jit import jit, jit_parallel
from rfplan.kernels.geometry import N_FIELDS

BLOCK = 128

_ON_ONE_THREAD = 2_000  # fewer paths than this are finished quicker on one thread


@functools.cache
def _kernels(finish: Any) -> tuple[Any, Any]:
    @jit
    def one_block(geometry: Any, first: Any, bands: Any, parameters: Any, out: Any) -> Any:
        n = min(BLOCK, geometry.shape[1] - first)
        block = np.empty((N_FIELDS, BLOCK))
        for field in range(N_FIELDS):
            for j in range(n):
                block[field, j] = geometry[field, first + j]
        finish(block, n, bands, parameters, out, first)

    @jit
    def serial(geometry: Any, bands: Any, parameters: Any, out: Any) -> Any:
        for first in range(0, geometry.shape[1], BLOCK):
            one_block(geometry, first, bands, parameters, out)

    @jit_parallel
    def parallel(geometry: Any, bands: Any, parameters: Any, out: Any) -> Any:
        for block in numba.prange((geometry.shape[1] + BLOCK - 1) // BLOCK):
            one_block(geometry, block * BLOCK, bands, parameters, out)

    return serial, parallel


def finish_paths(finish: Any, geometry: Any, bands: Any, parameters: Any) -> Any:
    """Loss of every path in every band, dB, shape (bands, n); each thread owns whole blocks."""
    out = np.empty((bands.shape[0], geometry.shape[1]))
    serial, parallel = _kernels(finish)
    run = serial if geometry.shape[1] < _ON_ONE_THREAD else parallel
    run(np.ascontiguousarray(geometry), bands, parameters, out)
    return out
