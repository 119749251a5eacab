"""Interpolation in the curves of P.1546-6: distance, effective height, frequency, time (Annex 5, sections 4 to 7)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from rfplan.io.p1546_tables import HEIGHTS_M, TIMES_PERCENT, P1546Curves

FloatArray = npt.NDArray[np.float64]

__all__ = ["HEIGHT_GAIN_REFERENCE_M", "CurveQuery", "curve_field", "fresnel_clear_km", "knife_edge_db"]

HEIGHT_GAIN_REFERENCE_M = 10.0
_FREQUENCIES_MHZ = np.array([100.0, 600.0, 2000.0])
_K_NU = (1.35, 3.31, 6.0)  # section 4.3, equation 12c, at the nominal frequencies


def knife_edge_db(nu: npt.ArrayLike) -> FloatArray:
    """Knife-edge loss J(nu), dB (equation 12a); 0 below -0.7806."""
    v = np.asarray(nu, dtype=np.float64)
    loss = 6.9 + 20.0 * np.log10(np.sqrt((v - 0.1) ** 2 + 1.0) + v - 0.1)
    return np.where(v > -0.7806, loss, 0.0)


def fresnel_clear_km(frequency_mhz: npt.ArrayLike, h1_m: npt.ArrayLike, h2_m: npt.ArrayLike) -> FloatArray:
    """Length, km, of the path that just keeps 0.6 of the first Fresnel zone over a smooth Earth (section 18)."""
    h1, h2 = np.maximum(np.asarray(h1_m, dtype=np.float64), 0.0), np.asarray(h2_m, dtype=np.float64)
    by_frequency = 0.0000389 * np.asarray(frequency_mhz, dtype=np.float64) * h1 * h2
    by_horizon = 4.1 * (np.sqrt(h1) + np.sqrt(h2))
    return np.asarray(np.maximum(by_frequency * by_horizon / (by_frequency + by_horizon), 0.001))


def _at_height(table: FloatArray, lg_nodes: FloatArray, d: FloatArray, column: int) -> FloatArray:
    """A curve of one nominal height at distances, linear in lg d (equation 13)."""
    return np.asarray(np.interp(np.log10(d), lg_nodes, table[:, column]))


def _tall(table: FloatArray, lg_nodes: FloatArray, d: FloatArray, h1: FloatArray) -> FloatArray:
    """Effective heights from 10 m, linear in lg h1 and extrapolated above 1200 m (equation 8)."""
    lg_h = np.log10(np.maximum(h1, HEIGHTS_M[0]))
    nodes = np.log10(HEIGHTS_M)
    curves = np.stack([_at_height(table, lg_nodes, d, column) for column in range(HEIGHTS_M.size)])
    low = np.clip(np.searchsorted(nodes, lg_h, side="right") - 1, 0, HEIGHTS_M.size - 2)
    below = np.take_along_axis(curves, low[None], axis=0)[0]
    above = np.take_along_axis(curves, low[None] + 1, axis=0)[0]
    return np.asarray(below + (above - below) * (lg_h - nodes[low]) / (nodes[low + 1] - nodes[low]))


def _zero_height(e10: FloatArray, e20: FloatArray, band: int) -> FloatArray:
    """Field for an effective height of 0 m (equations 9a and 9b)."""
    obstructed = 6.03 - knife_edge_db(_K_NU[band] * np.degrees(np.arctan(10.0 / 9000.0)))
    return np.asarray(e10 + 0.5 * (e10 - e20 + obstructed))


def _low_land(table: FloatArray, lg_nodes: FloatArray, d: FloatArray, h1: FloatArray, band: int) -> FloatArray:
    """Land paths with effective heights below 10 m, negative ones included (sections 4.2 and 4.3b)."""
    e10, e20 = _at_height(table, lg_nodes, d, 0), _at_height(table, lg_nodes, d, 1)
    zero = _zero_height(e10, e20, band)
    nu = _K_NU[band] * np.degrees(np.arctan(np.maximum(-h1, 0.0) / 9000.0))
    return np.where(h1 >= 0.0, zero + 0.1 * h1 * (e10 - zero), zero + 6.03 - knife_edge_db(nu))


@dataclass(frozen=True, eq=False)
class CurveQuery:
    """What the curves are asked for; arrays of one shape.

    Parameters
    ----------
    d_km, frequency_mhz, h1_m
        Distance, 1 to 1000 km, frequency, MHz, and effective height, m.
    ceiling_dbuv_m
        The most the field can be (section 2).
    time_percent
        Wanted percentage of time, 1 to 50.
    """

    d_km: FloatArray
    frequency_mhz: FloatArray
    h1_m: FloatArray
    ceiling_dbuv_m: FloatArray
    time_percent: float


def _sea_ceiling(d_km: FloatArray, time_percent: float) -> FloatArray:
    """Most field over sea (section 2, equations 1b, 2 and 3)."""
    enhancement = 2.38 * (1.0 - np.exp(-d_km / 8.94)) * np.log10(50.0 / time_percent)
    return np.asarray(106.9 - 20.0 * np.log10(d_km) + enhancement)


def _log_between(
    d: FloatArray, near: FloatArray, far: FloatArray, at_near: FloatArray, at_far: FloatArray
) -> FloatArray:
    """Field linear in lg d between two distances, whatever their order is where the result is not chosen."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(at_near + (at_far - at_near) * np.log10(d / near) / np.log10(far / near))


def _low_sea(table: FloatArray, lg_nodes: FloatArray, query: CurveQuery, band: int) -> FloatArray:
    """Sea paths with effective heights from 1 to 10 m (section 4.2, equations 10 and 11)."""
    d, f, h = query.d_km, query.frequency_mhz, np.maximum(query.h1_m, 1.0)
    near, clear = fresnel_clear_km(f, h, 10.0), fresnel_clear_km(f, 20.0, 10.0)

    def extrapolated(at: FloatArray) -> FloatArray:
        low, high = _at_height(table, lg_nodes, at, 0), _at_height(table, lg_nodes, at, 1)
        return np.asarray(low + (high - low) * np.log10(h / 10.0) / np.log10(2.0))

    between = _log_between(d, near, clear, _sea_ceiling(near, query.time_percent), extrapolated(clear))
    e10, e20 = _at_height(table, lg_nodes, d, 0), _at_height(table, lg_nodes, d, 1)
    zero = _zero_height(e10, e20, band)
    share = np.maximum(d - clear, 0.0) / d
    beyond = extrapolated(d) * (1.0 - share) + (zero + 0.1 * h * (e10 - zero)) * share
    return np.where(d <= near, query.ceiling_dbuv_m, np.where(d < clear, between, beyond))


def _at_time(curves: P1546Curves, query: CurveQuery, zone: int, time: int) -> FloatArray:
    """Field at one nominal time: heights, then frequencies, linear in lg f (section 6, equation 14)."""
    d, f, h1 = query.d_km, query.frequency_mhz, query.h1_m
    lg_nodes = np.log10(curves.distance_km)
    bands = []
    for band in range(_FREQUENCIES_MHZ.size):
        table = curves.field_dbuv_m[zone, time, band]
        e = np.minimum(_tall(table, lg_nodes, d, h1), query.ceiling_dbuv_m)
        if (h1 < 10.0).any():
            low = _low_land(table, lg_nodes, d, h1, band) if zone == 0 else _low_sea(table, lg_nodes, query, band)
            e = np.where(h1 < 10.0, low, e)
        bands.append(e)
    stack = np.stack(bands)
    lower = np.where(f < 600.0, 0, 1)
    nodes = np.log10(_FREQUENCIES_MHZ)
    e_low = np.take_along_axis(stack, lower[None], axis=0)[0]
    e_high = np.take_along_axis(stack, lower[None] + 1, axis=0)[0]
    e = e_low + (e_high - e_low) * (np.log10(f) - nodes[lower]) / (nodes[lower + 1] - nodes[lower])
    return np.asarray(np.where(f > 2000.0, np.minimum(e, query.ceiling_dbuv_m), e))


def _sea_at_time(curves: P1546Curves, query: CurveQuery, zone: int, time: int) -> FloatArray:
    """Field over sea: under 100 MHz and short of the Fresnel clearance at 600 MHz, equations 15a and 15b."""
    plain = _at_time(curves, query, zone, time)
    f, d = query.frequency_mhz, query.d_km
    near, clear = fresnel_clear_km(f, query.h1_m, 10.0), fresnel_clear_km(600.0, query.h1_m, 10.0)
    special = (f < 100.0) & (d < clear)
    if not special.any():
        return plain
    at_clear = _at_time(curves, replace(query, d_km=np.clip(clear, 1.0, 1000.0)), zone, time)
    between = _log_between(d, near, clear, _sea_ceiling(near, query.time_percent), at_clear)
    return np.where(special, np.where(d <= near, query.ceiling_dbuv_m, between), plain)


def curve_field(curves: P1546Curves, query: CurveQuery, *, zone: int) -> FloatArray:
    """Field strength over one kind of path, dB(uV/m) (steps 5 to 10 of Annex 6).

    Parameters
    ----------
    curves
        The curves.
    query
        What is asked for.
    zone
        0 land, 1 cold sea, 2 warm sea.

    Returns
    -------
    ndarray
        Field strength in the query's shape.
    """
    times = [i for i, percent in enumerate(TIMES_PERCENT) if percent == query.time_percent]
    if not times:
        times = [0, 1] if query.time_percent > 10.0 else [1, 2]
    if zone == 0:
        fields = [_at_time(curves, query, zone, i) for i in times]
    else:  # over sea an effective height below 3 m counts as 3 m
        over_sea = replace(query, h1_m=np.maximum(query.h1_m, 3.0))
        fields = [_sea_at_time(curves, over_sea, zone, i) for i in times]
    if len(fields) == 1:
        return fields[0]
    upper, lower, wanted = (-ndtri(p / 100.0) for p in (*TIMES_PERCENT[times], query.time_percent))
    return np.asarray(fields[0] * (lower - wanted) / (lower - upper) + fields[1] * (wanted - upper) / (lower - upper))
