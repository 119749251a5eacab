"""Slow, obvious list of the strongest cells: every cell on its own map, then a sort at every pixel."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from rfplan.coverage import compute_coverage


def naive_strongest(network: Any, terrain: Any, k: int, **settings: Any) -> tuple[list[list[list[str]]], np.ndarray]:
    """Cell ids (ny, nx, up to k) and levels (k, ny, nx), strongest first, equal levels by cell id."""
    maps = {}
    for row, cell in network.cells.iterrows():
        if cell["technology"] != settings.get("technology", "4G"):
            continue
        alone = replace(network, cells=network.cells.loc[[row]].reset_index(drop=True))
        maps[cell["cell_id"]] = compute_coverage(alone, terrain, **settings).layers["rsrp_dbm"].values
    ny, nx = terrain.shape
    ids: list[list[list[str]]] = [[[] for _ in range(nx)] for _ in range(ny)]
    levels = np.full((k, ny, nx), np.nan, dtype=np.float32)
    for r in range(ny):
        for c in range(nx):
            heard = [(-float(values[r, c]), name) for name, values in maps.items() if not np.isnan(values[r, c])]
            for i, (level, name) in enumerate(sorted(heard)[:k]):
                ids[r][c].append(name)
                levels[i, r, c] = -level
    return ids, levels
