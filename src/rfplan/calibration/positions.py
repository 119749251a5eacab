"""Whether the positions of transmitters can be true, told from what was received and where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# Chosen on simulated campaigns over steep ground with clutter the model is not told of, so that no correct position
# is doubted (tests/calibration/test_lora.py).
_LEAST_LINKS = 60
_LEAST_LEVELS = 300
_MOST_PLACES = 3000
_LARGE_SCATTER_DB = 8.0
_LEVELS_BETTER_BY = 0.7
_LEAST_SHARED = 1.5
_NO_ORDER = 0.58
_ORDER_BETTER_BY = 0.10
_FAR_M = 1500.0


@dataclass(frozen=True)
class PositionDoubt:
    """A transmitter whose levels or receptions say that it stands elsewhere.

    Attributes
    ----------
    transmitter : int
        Row of the table.
    x_m, y_m : float
        Where they say it stands, roughly.
    distance_m : float
        How far that is from the position given.
    reason : str
        The figures.
    """

    transmitter: int
    x_m: float
    y_m: float
    distance_m: float
    reason: str


def doubt_positions(
    level_dbm: FloatArray, x_m: FloatArray, y_m: FloatArray, transmitter: IntArray, table: pd.DataFrame
) -> list[PositionDoubt]:
    """Find transmitters that can't stand where the table says; arrays hold a row a link that was received.

    By receptions, where a place received 1.5 transmitters or more on average: places that this one served must on the
    whole be nearer to it than the others (the share of pairs in the right order, the area under the ROC curve, must
    reach 0.58), unless no other place does better by 0.1. By levels: no other place 1.5 km or farther off may cut the
    scatter, of 8 dB or more, of 300 levels or more about a law of distance by 30 %.
    """
    place = np.unique(np.stack([x_m, y_m], axis=1), axis=0, return_inverse=True)
    places, at = place[0], place[1].reshape(-1)
    # Places driven for one transmitter alone say nothing of the others.
    shared = len(np.unique(np.stack([at, transmitter], axis=1), axis=0)) >= _LEAST_SHARED * len(places)
    found = []
    for index in np.unique(transmitter):
        rows = np.flatnonzero(transmitter == index)
        if rows.size < _LEAST_LINKS:
            continue
        here = float(table["x_m"].iloc[int(index)]), float(table["y_m"].iloc[int(index)])
        served = np.zeros(len(places), dtype=bool)
        served[at[rows]] = True
        doubt = _by_receptions(int(index), served, places, here) if shared else None
        doubt = doubt or _by_levels(int(index), level_dbm[rows], places[at[rows]], here)
        found += [] if doubt is None else [doubt]
    return found


def _grid(places: FloatArray, n: int) -> list[tuple[float, float]]:
    low, high = np.percentile(places, [1, 99], axis=0)
    return [(float(x), float(y)) for x in np.linspace(low[0], high[0], n) for y in np.linspace(low[1], high[1], n)]


def _order(served: BoolArray, places: FloatArray, where: tuple[float, float]) -> float:
    """Share of pairs of a served and another place of which the served one is nearer (ROC area, Mann-Whitney)."""
    rank = rankdata(-np.hypot(places[:, 0] - where[0], places[:, 1] - where[1]))
    n, others = int(served.sum()), int((~served).sum())
    return float((rank[served].sum() - n * (n + 1) / 2) / (n * others))


def _by_receptions(
    index: int, served: BoolArray, places: FloatArray, here: tuple[float, float]
) -> PositionDoubt | None:
    step = max(1, len(places) // _MOST_PLACES)
    served, places = served[::step], places[::step]
    if min(int(served.sum()), int((~served).sum())) < _LEAST_LINKS:
        return None
    listed = _order(served, places, here)
    if listed >= _NO_ORDER:
        return None
    best, where = max((_order(served, places, there), there) for there in _grid(places, 15))
    away = float(np.hypot(where[0] - here[0], where[1] - here[1]))
    if best < listed + _ORDER_BETTER_BY or away < _FAR_M:
        return None
    return PositionDoubt(
        index,
        *where,
        away,
        f"served places are the nearer ones in {100 * listed:.0f} % of pairs, seen from there in {100 * best:.0f} %",
    )


def _scatter_db(level: FloatArray, places: FloatArray, where: tuple[float, float]) -> float:
    """Scatter (1.48 MAD) of levels about a straight line in lg distance that falls 15 to 60 dB a decade."""
    lg = np.log10(np.maximum(np.hypot(places[:, 0] - where[0], places[:, 1] - where[1]), 100.0))
    centred = lg - lg.mean()
    slope = float(centred @ level) / max(float(centred @ centred), 1e-9)
    residual = level - np.clip(slope, -60.0, -15.0) * centred
    return float(1.4826 * np.median(np.abs(residual - np.median(residual))))


def _by_levels(index: int, level: FloatArray, places: FloatArray, here: tuple[float, float]) -> PositionDoubt | None:
    if level.size < _LEAST_LEVELS:
        return None
    step = max(1, level.size // 1000)
    level, places = level[::step], places[::step]
    listed = _scatter_db(level, places, here)
    if listed < _LARGE_SCATTER_DB:
        return None
    best, where = min((_scatter_db(level, places, there), there) for there in _grid(places, 21))
    away = float(np.hypot(where[0] - here[0], where[1] - here[1]))
    # the best of many places is better by chance too: by some three standard errors of the scatter
    chance = 1.0 - 3.0 * 1.17 / np.sqrt(2.0 * level.size)
    if best >= _LEVELS_BETTER_BY * chance * listed or away < _FAR_M:
        return None
    return PositionDoubt(index, *where, away, f"levels scatter by {listed:.1f} dB, seen from there by {best:.1f} dB")
