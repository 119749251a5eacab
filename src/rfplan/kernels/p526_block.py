"""The quick road of P.526-15's delta-Bullington method: free space and diffraction, a block of paths at a time.

The stages are those of `rfplan.kernels.p1812_block`; `rfplan.kernels.p526.geometry_losses` is the plain road.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rfplan.kernels import finish_rows as r, geometry as g, p1812 as p, p1812_block as b
from rfplan.kernels._jit import jit


@jit
def p526_block(geo: Any, n: Any, bands: Any, _parameters: Any, out: Any, at: Any) -> Any:
    """Free space and diffraction of n paths, dB, into ``out[band, at : at + n]`` (see `rfplan.kernels.finish`).

    ``bands`` is as in `rfplan.kernels.p1812`, with the free-space loss of 1 km; the method has no parameters.
    """
    w = np.empty((r.N_WORK, geo.shape[1]))
    x = geo[g.DISTANCE_KM]
    b.spread(n, x, geo[g.TX_AMSL_M], geo[g.RX_AMSL_M], w[r.SPREAD])
    any_sea = b.any_above(n, geo[g.SEA_FRACTION], 0.0)
    for k in range(bands.shape[0]):
        b.delta_bullington(geo, w, n, g.Q_MEDIAN, bands[k], any_sea, r.MEDIAN)
        loss = out[k, at : at + n]
        for j in range(n):
            # NaN stays NaN: exp2 holds its argument within bounds
            loss[j] = w[r.MEDIAN, j] + w[r.SPREAD, j] + bands[k, p.FREE_SPACE_DB] + 0.0 * x[j]
