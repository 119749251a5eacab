"""The quick road of P.452-18: the finish for a block of paths at a time, in vector instructions.

The equations are those of `rfplan.kernels.p452`, which is the plain road: tests hold one against the other. What P.452
shares with P.1812 are the stages of `rfplan.kernels.p1812_block`; here is what differs: gases along the slant path, the
interpolation by slope and the way the parts combine.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rfplan.kernels import geometry as g, p1812 as p, p1812_block as b
from rfplan.kernels._jit import jit_fused

# rows behind those of P.1812
SLANT = b.N_WORK  # length of the straight line between the antennas, km
GAS = b.N_WORK + 1  # specific attenuation along the path, dB/km
FREE = b.N_WORK + 2  # free space and gases, dB
N_WORK = b.N_WORK + 3


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
        median = w[b.MEDIAN, j]
        free = w[FREE, j]
        loss = median if median_only else median + w[b.FACTOR, j] * (w[b.BETA, j] - median)
        los = free + w[b.FOCUS, j]
        dry = (1.0 - geo[g.SEA_FRACTION, j]) * loss
        often = free + median + (w[b.LOS_BETA, j] + dry - median) * w[b.FACTOR, j]
        w[b.SPARE, j] = los
        w[b.TOTAL, j] = los + loss
        w[b.LOSS_P, j] = often if log_time >= w[b.LOG_B0, j] else los + dry


@jit_fused
def p452_block(geo: Any, n: Any, bands: Any, parameters: Any, out: Any, at: Any) -> Any:
    """Basic transmission loss of n paths, dB, into ``out[band, at : at + n]`` (see `rfplan.kernels.finish`).

    ``bands`` and ``parameters`` are as in `rfplan.kernels.p1812`; behind its fields a band has its gases: specific
    attenuation, dB/km, through the troposcatter volume, then that along the path as coefficients of a polynomial in
    the share of sea.
    """
    w = np.empty((N_WORK, geo.shape[1]))
    x = geo[g.DISTANCE_KM]
    sea = geo[g.SEA_FRACTION]
    lt = geo[g.TX_HORIZON_KM]
    lr = geo[g.RX_HORIZON_KM]
    b.prepare(geo, w, n, parameters)
    b.prepare_time(geo, w, n, parameters)
    b.logistic(n, geo[g.SLOPE_EXCESS], 16.0, 0.0, w[b.BENT])
    _slant(n, x, geo[g.TX_AMSL_M], geo[g.RX_AMSL_M], w[SLANT])
    any_sea = b.any_above(n, sea, 0.0)
    median_only = parameters[p.TIME_PERCENT] >= 50.0
    log_time = math.log10(parameters[p.TIME_PERCENT])
    for k in range(bands.shape[0]):
        band = bands[k, : p.N_BAND_FIELDS]
        gases = bands[k, p.N_BAND_FIELDS :]
        loss = out[k, at : at + n]
        b.delta_bullington(geo, w, n, g.Q_MEDIAN, band, any_sea, b.MEDIAN)
        if not median_only:
            b.delta_bullington(geo, w, n, g.Q_BETA, band, any_sea, b.BETA)
        _gas(n, sea, gases[1:] if any_sea else gases[1:2], w[GAS])
        for j in range(n):
            w[FREE, j] = band[p.FREE_SPACE_DB] + w[b.SPREAD, j] + w[GAS, j] * w[SLANT, j]
        _combine_time(geo, w, n, median_only, log_time)
        third = band[p.FREQUENCY_THIRD]
        per_mrad = 5e-5 * parameters[p.RADIUS_KM] * third
        b.duct(n, w[b.HORIZONS], w[b.DUCT_TIME], w[b.ANGLE], band[p.DUCT_DB], per_mrad, w[b.DUCT])
        for j in range(n):
            w[b.DUCT, j] += w[GAS, j] * x[j]
        b.shields(
            n, geo[g.TX_HORIZON_MRAD], geo[g.RX_HORIZON_MRAD], lt, lr, band[p.SQRT_FREQUENCY], third, w[b.DUCT]
        )  # fmt: skip
        if any_sea:
            b.coupling(n, geo[g.TX_COAST_KM], lt, sea, geo[g.TX_AMSL_M], w[b.DUCT])
            b.coupling(n, geo[g.RX_COAST_KM], lr, sea, geo[g.RX_AMSL_M], w[b.DUCT])
        b.mixed(n, w[b.DUCT], w[b.SPARE], 0.0, w[b.TOTAL], w[b.NEAR], w[b.MIXED])
        for j in range(n):
            w[b.SPARE, j] = w[b.RANGE, j] + gases[0] * x[j]
        tropo = parameters[p.TROPO_TIME_DB] + band[p.TROPO_DB]
        b.combine(n, w[b.MIXED], w[b.LOSS_P], w[b.BENT], w[b.SPARE], w[b.THETA], tropo, loss)
        for j in range(n):
            loss[j] += 0.0 * x[j]  # NaN stays NaN: exp2 holds its argument within bounds
