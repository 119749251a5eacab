"""The quick road of P.452-18: the finish for a block of paths at a time, in vector instructions.

The equations are those of `rfplan.kernels.p452`, which is the plain road: tests hold one against the other. What P.452
shares with P.1812 are the stages of `rfplan.kernels.p1812_block` and `rfplan.kernels.ducting_block`; here is what
differs: gases along the slant path, the interpolation by slope and the way the parts combine.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rfplan.kernels import finish_rows as r, geometry as g, p1812 as p, p1812_block as b
from rfplan.kernels._jit import jit, jit_fused
from rfplan.kernels.ducting_block import blend_ducting, logistic, prepare_beta0

# rows behind those of P.1812
SLANT = r.N_WORK  # length of the straight line between the antennas, km
GAS = r.N_WORK + 1  # specific attenuation along the path, dB/km
FREE = r.N_WORK + 2  # free space and gases, dB
N_WORK = r.N_WORK + 3


@jit_fused
def _slant(n: Any, x: Any, tx: Any, rx: Any, out: Any) -> Any:
    for j in range(n):
        rise = 1e-3 * (tx[j] - rx[j])
        out[j] = math.sqrt(x[j] * x[j] + rise * rise)


@jit_fused
def _gas(n: Any, sea: Any, terms: Any, out: Any) -> Any:
    """A polynomial in the share of sea, lowest power first."""
    for j in range(n):
        out[j] = terms[terms.size - 1]
    for k in range(terms.size - 2, -1, -1):
        for j in range(n):
            out[j] = terms[k] + sea[j] * out[j]


@jit_fused
def _combine_time(geo: Any, w: Any, n: Any, median_only: Any, log_time: Any) -> Any:
    """Total loss for the wanted time in TOTAL, line of sight in SPARE, notional minimum in LOSS_P (eq. 43 to 59)."""
    for j in range(n):
        median = w[r.MEDIAN, j]
        free = w[FREE, j]
        loss = median if median_only else median + w[r.FACTOR, j] * (w[r.BETA, j] - median)
        los = free + w[r.FOCUS, j]
        dry = (1.0 - geo[g.SEA_FRACTION, j]) * loss
        often = free + median + (w[r.LOS_BETA, j] + dry - median) * w[r.FACTOR, j]
        w[r.SPARE, j] = los
        w[r.TOTAL, j] = los + loss
        w[r.LOSS_P, j] = often if log_time >= w[r.LOG_B0, j] else los + dry


@jit
def p452_block(geo: Any, n: Any, bands: Any, parameters: Any, out: Any, at: Any) -> Any:
    """Basic transmission loss of n paths, dB, into ``out[band, at : at + n]`` (see `rfplan.kernels.finish`).

    ``bands`` and ``parameters`` are as in `rfplan.kernels.p1812`; behind its fields a band has its gases: specific
    attenuation, dB/km, through the troposcatter volume, then that along the path as coefficients of a polynomial in
    the share of sea.
    """
    w = np.empty((N_WORK, geo.shape[1]))
    x = geo[g.DISTANCE_KM]
    sea = geo[g.SEA_FRACTION]
    b.prepare(geo, w, n, parameters)
    prepare_beta0(geo, w, n)
    b.prepare_time(geo, w, n, parameters)
    logistic(n, geo[g.SLOPE_EXCESS], 16.0, 0.0, w[r.BENT])
    _slant(n, x, geo[g.TX_AMSL_M], geo[g.RX_AMSL_M], w[SLANT])
    any_sea = b.any_above(n, sea, 0.0)
    median_only = parameters[p.TIME_PERCENT] >= 50.0
    log_time = math.log10(parameters[p.TIME_PERCENT])
    ducts = False
    for k in range(bands.shape[0]):
        band = bands[k, : p.N_BAND_FIELDS]
        gases = bands[k, p.N_BAND_FIELDS :]
        loss = out[k, at : at + n]
        b.delta_bullington(geo, w, n, g.Q_MEDIAN, band, any_sea, r.MEDIAN)
        if not median_only:
            b.delta_bullington(geo, w, n, g.Q_BETA, band, any_sea, r.BETA)
        _gas(n, sea, gases[1:] if any_sea else gases[1:2], w[GAS])
        for j in range(n):
            w[FREE, j] = band[p.FREE_SPACE_DB] + w[r.SPREAD, j] + w[GAS, j] * w[SLANT, j]
        _combine_time(geo, w, n, median_only, log_time)
        for j in range(n):
            w[r.DUCT, j] = w[GAS, j] * x[j]
        ducts = blend_ducting(geo, w, n, band, parameters, any_sea, False, ducts)
        for j in range(n):
            w[r.SPARE, j] = w[r.RANGE, j] + gases[0] * x[j]
        tropo = parameters[p.TROPO_TIME_DB] + band[p.TROPO_DB]
        b.combine(n, w[r.MIXED], w[r.LOSS_P], w[r.BENT], w[r.SPARE], w[r.THETA], tropo, loss)
        for j in range(n):
            loss[j] += 0.0 * x[j]  # NaN stays NaN: exp2 holds its argument within bounds
