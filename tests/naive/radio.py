"""Slow, obvious interference: every cell's level at every pixel, then plain sums in milliwatts."""

from __future__ import annotations

import math

import numpy as np


def naive_quality(
    levels_dbm: np.ndarray,
    cells: list[int],
    load: np.ndarray,
    classes: np.ndarray,
    noise_mw: float,
    blocks: int,
    window_db: float,
) -> dict[str, np.ndarray]:
    """Quality from (n_cells, h, w) levels of one carrier; NaN = not received."""
    _, height, width = levels_dbm.shape
    names = ("rsrp_dbm", "sinr_db", "reference_sinr_db", "rsrq_db", "rssi_dbm", "second_rsrp_dbm", "dominance_db")
    out = {name: np.full((height, width), np.nan) for name in names}
    out["best_server"] = np.full((height, width), -1)
    out["overlap_count"] = np.zeros((height, width))
    for r in range(height):
        for c in range(width):
            heard = [
                (float(levels_dbm[i, r, c]), cells[i]) for i in range(len(cells)) if np.isfinite(levels_dbm[i, r, c])
            ]
            if not heard:
                continue
            heard.sort(key=lambda pair: (-pair[0], pair[1]))
            level, server = heard[0]
            own = 10 ** (level / 10)
            data = sum(load[j] * 10 ** (v / 10) for v, j in heard[1:])
            reference = sum((1.0 if classes[j] == classes[server] else load[j]) * 10 ** (v / 10) for v, j in heard[1:])
            block = sum((2 + 10 * load[j]) * 10 ** (v / 10) for v, j in heard) + 12 * noise_mw
            out["rsrp_dbm"][r, c] = level
            out["best_server"][r, c] = server
            out["sinr_db"][r, c] = 10 * math.log10(own / (data + noise_mw))
            out["reference_sinr_db"][r, c] = 10 * math.log10(own / (reference + noise_mw))
            out["rssi_dbm"][r, c] = 10 * math.log10(blocks * block)
            out["rsrq_db"][r, c] = 10 * math.log10(blocks * own / (blocks * block))
            out["overlap_count"][r, c] = sum(v >= level - window_db for v, _ in heard)
            if len(heard) > 1:
                out["second_rsrp_dbm"][r, c] = heard[1][0]
                out["dominance_db"][r, c] = level - heard[1][0]
    return out
