"""The quick road of P.526-15's delta-Bullington method: free space and diffraction, a block of paths at a time.

The stages are those of `rfplan.kernels.p1812_block`; `rfplan.kernels.p526.geometry_losses` is the plain road.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from rfplan.kernels import geometry as g, p1812 as p, p1812_block as b
from rfplan.kernels._jit import jit, jit_parallel


@jit
def _one_block(geo: Any, first: Any, n: Any, w: Any, bands: Any, out: Any) -> Any:
    for field in range(g.N_FIELDS):
        for j in range(n):
            w[field, j] = geo[field, first + j]
    b.spread(n, w[g.DISTANCE_KM], w[g.TX_AMSL_M], w[g.RX_AMSL_M], w[b.SPREAD])
    any_sea = b.any_above(n, w[g.SEA_FRACTION], 0.0)
    for k in range(bands.shape[0]):
        b.delta_bullington(w, n, g.Q_MEDIAN, bands[k], any_sea, b.MEDIAN)
        for j in range(n):
            # NaN stays NaN: exp2 holds its argument within bounds
            loss = w[b.MEDIAN, j] + w[b.SPREAD, j] + bands[k, p.FREE_SPACE_DB]
            out[k, first + j] = loss + 0.0 * w[g.DISTANCE_KM, j]


@jit_parallel
def p526_finish_blocks(geo: Any, bands: Any, out: Any) -> Any:
    """Loss of every path in every band, dB, shape (bands, paths); each thread owns whole blocks.

    ``bands`` is as in `rfplan.kernels.p1812`, with the free-space loss of 1 km.
    """
    n = geo.shape[1]
    for block in numba.prange((n + b.BLOCK - 1) // b.BLOCK):
        w = np.empty((b.N_WORK, b.BLOCK))
        _one_block(geo, block * b.BLOCK, min(b.BLOCK, n - block * b.BLOCK), w, bands, out)
