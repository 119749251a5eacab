"""What steered traffic beams add over the pattern of the reference signal, at every pixel towards its server."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rfplan.coverage.predict import Predictor
from rfplan.kernels.radio import beam_gain_kernel

N_COLUMNS = 7


def traffic_gain_db(
    predictor: Predictor, n_cells: int, server: npt.NDArray[np.int32]
) -> npt.NDArray[np.float32] | None:
    """Gain of the server's traffic beam over its reference signal's pattern, dB.

    Each is taken in the pixel's own direction with the sector's tilts. An electrical tilt set on the sector holds for
    both patterns.

    Parameters
    ----------
    predictor : Predictor
        Places, patterns and terrain.
    n_cells : int
        Rows of ``network.cells``.
    server : (ny, nx) array
        Row of the serving cell, −1 none.

    Returns
    -------
    (ny, nx) array or None
        0 where nothing serves or the ground is unknown; None where no antenna has traffic beams of its own.
    """
    prepared = predictor.prepared
    if prepared.traffic is None:
        return None
    numbers = np.zeros((n_cells, N_COLUMNS))
    antenna = np.zeros(n_cells, dtype=np.int64)
    own_tilt, beam_tilt = prepared.patterns.built_in_tilt_deg, prepared.traffic.built_in_tilt_deg
    for site in prepared.sites:
        if not predictor.placement.on_terrain[site.site]:
            continue
        sectors = predictor.sector_rows(site)[site.cell_sector]
        kind = site.sector_antenna[site.cell_sector]
        rows = prepared.cell_row[site.cell]
        numbers[rows, 0] = predictor.placement.x_m[site.site]
        numbers[rows, 1] = predictor.placement.y_m[site.site]
        numbers[rows, 2:6] = sectors
        numbers[rows, 6] = sectors[:, 2] + own_tilt[kind] - beam_tilt[kind]
        antenna[rows] = kind
    terrain = predictor.terrain
    grid = predictor.geometry(0, slice(0, None), slice(0, None))
    grid[0], grid[1] = terrain.x0_m + 0.5 * terrain.resolution_m, terrain.y0_m - 0.5 * terrain.resolution_m
    out = np.zeros(server.shape, dtype=np.float32)
    beam_gain_kernel(
        server, terrain.elevation_amsl_m, grid, numbers, antenna, prepared.patterns.arrays, prepared.traffic.arrays,
        prepared.traffic.gain_dbi - prepared.patterns.gain_dbi, out,
    )  # fmt: skip
    return out
