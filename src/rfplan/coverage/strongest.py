"""The k strongest cells of every pixel, gathered site by site: nothing of the size of sites times pixels is held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import numpy as np
import numpy.typing as npt

from rfplan.coverage.core import level_words
from rfplan.coverage.predict import PredictionSettings, Predictor, Progress, checked_sites, make_predictor
from rfplan.errors import ParameterError
from rfplan.kernels.coverage import merge_strongest_kernel
from rfplan.network import Network
from rfplan.terrain import Terrain

if TYPE_CHECKING:
    import xarray as xr

MOST_SERVERS = 32


def strongest_servers(
    network: Network,
    terrain: Terrain,
    k: int = 4,
    *,
    progress: Progress | None = None,
    **settings: Unpack[PredictionSettings],
) -> xr.Dataset:
    """Predict a network and keep the k strongest cells of every pixel.

    Levels are those of :func:`compute_coverage`. Of equal levels (in float32) the cell whose ``cell_id`` comes first
    in alphabetical order is listed first. So neither the order of sites in the network nor the number of threads nor
    a path-loss store changes which cells are listed, nor a bit of their levels.

    Parameters
    ----------
    network, terrain, model, receiver, service, technology, radius_m, method, antennas, path_loss_store, progress
        As for :func:`compute_coverage`.
    k : int
        How many cells, 1…32. Memory is 8 k + 4 bytes a pixel of the terrain.

    Returns
    -------
    xarray.Dataset
        ``rsrp_dbm`` float32 (k, y, x), strongest first, NaN where fewer cells are received; ``server`` int32 (k, y, x),
        rows of ``network.cells``, −1 for none; ``margin_db`` float32 (y, x), the largest over cells of the smaller
        link margin: covered where it is 0 or more.

    Raises
    ------
    ParameterError
        If k is out of range, there is no cell of the technology, or no site stands on the terrain.
    """
    if not 1 <= k <= MOST_SERVERS:
        raise ParameterError(f"k={k!r} must be within 1…{MOST_SERVERS}")
    predictor = make_predictor(network, terrain, **settings)
    prepared = predictor.prepared
    rsrp = np.full((k, *terrain.shape), np.nan, dtype=np.float32)
    server = np.full((k, *terrain.shape), -1, dtype=np.int32)
    margin = np.full(terrain.shape, np.nan, dtype=np.float32)
    constants = np.stack([prepared.budget.level_const_dbm, prepared.budget.uplink_const_db], axis=1)
    sites = checked_sites(predictor)
    for done, site in enumerate(sites, start=1):
        loss = predictor.window(site.site, site.bands)
        merge_strongest_kernel(
            loss.path_loss_db, terrain.elevation_amsl_m, terrain.clutter_class, predictor.entry_db(site),
            predictor.geometry(site.site, loss.rows, loss.cols), predictor.sector_rows(site), site.sector_antenna,
            prepared.patterns.arrays, np.stack([site.cell_sector, site.cell_band, site.cell], axis=1),
            constants[site.cell], float(predictor.service.required_rsrp_dbm), rsrp, server, margin,
        )  # fmt: skip
        if progress is not None:
            progress(done, len(sites))
    row_of_cell = np.append(prepared.cell_row, -1).astype(np.int32)  # −1 stays −1
    for layer in server:
        layer[:] = row_of_cell[layer]
    return _dataset(predictor, settings.get("technology", "4G"), (rsrp, server, margin))


def _dataset(
    predictor: Predictor,
    technology: str,
    planes: tuple[npt.NDArray[np.float32], npt.NDArray[np.int32], npt.NDArray[np.float32]],
) -> xr.Dataset:
    import xarray as xr

    rsrp, server, margin = planes
    grid = predictor.terrain.to_dataset().coords
    mapped = {"grid_mapping": "spatial_ref"}
    words = f"{level_words(technology)} of the strongest cells, strongest first"
    return xr.Dataset(
        {
            "rsrp_dbm": (("k", "y", "x"), rsrp, {"units": "dBm", "long_name": words} | mapped),
            "server": (
                ("k", "y", "x"),
                server,
                {"units": "1", "long_name": "cell, row of network.cells (-1 none)"} | mapped,
            ),
            "margin_db": (
                ("y", "x"),
                margin,
                {"units": "dB", "long_name": "largest over cells of the smaller link margin"} | mapped,
            ),
        },
        coords={
            "k": ("k", np.arange(1, rsrp.shape[0] + 1), {"units": "1", "long_name": "rank by level"}),
            **{name: grid[name] for name in ("y", "x", "spatial_ref")},
        },
        attrs={
            "technology": technology,
            "service": predictor.service.name,
            "required_rsrp_dbm": predictor.service.required_rsrp_dbm,
            "model": type(predictor.model).__name__,
            "radius_m": predictor.radius_m,
            "formula": "docs/radio.md#reference-level",
        },
    )
