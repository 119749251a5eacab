"""Coverage of a network: best server, level, margin, covered or not, pixel by pixel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import numpy.typing as npt

from rfplan.antenna import Antenna
from rfplan.coverage.predict import (
    PredictionSettings,
    Predictor,
    Progress,
    SitePrediction,
    make_predictor,
    predict_sites,
)
from rfplan.coverage.settings import Receiver, Service
from rfplan.io.memo import Memo
from rfplan.kernels.coverage import merge_site_kernel
from rfplan.network import Network
from rfplan.propagation.store import PathLossStore
from rfplan.terrain import Terrain

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, eq=False)
class Coverage:
    """What a network gives on a terrain.

    Attributes
    ----------
    layers : xarray.Dataset
        dims (y, x), north-up: ``rsrp_dbm`` float32 (NaN: no prediction), ``best_server`` int32 (row in
        ``network.cells``, −1 none), ``margin_db`` float32, ``covered`` bool (``margin_db ≥ 0``), ``closed_rsrp_dbm``
        float32 (level of the strongest cell whose uplink closes; NaN: none), which answers every other threshold.
    network, terrain, model, receiver, service, technology, radius_m, method, antennas, path_loss_store
        What it was computed from: enough to compute it again.
    off_terrain : tuple of str
        Sites left out because they do not stand on known ground.
    """

    layers: xr.Dataset
    network: Network
    terrain: Terrain
    model: Any
    receiver: Receiver
    service: Service
    technology: str
    radius_m: float
    method: str
    antennas: Mapping[str, Antenna] | None = None
    off_terrain: tuple[str, ...] = field(default=())
    path_loss_store: PathLossStore | None = None

    @property
    def covered(self) -> npt.NDArray[np.bool_]:
        """Mask of covered pixels, (ny, nx)."""
        return np.asarray(self.layers["covered"].values, dtype=np.bool_)

    @property
    def level_name(self) -> str:
        """What the technology calls its reference level: RxLev, RSCP, RSRP or SS-RSRP."""
        return LEVEL_NAMES[self.technology]

    def covered_at(self, required_rsrp_dbm: float) -> npt.NDArray[np.bool_]:
        """Mask of what would be covered at another required level, (ny, nx); the uplink's needs stay as they are.

        To the bit what predicting anew with that level gives: some cell reaches the level and closes its uplink
        exactly where the strongest of the cells that close their uplink reaches it.
        """
        with np.errstate(invalid="ignore"):
            return np.asarray(self.layers["closed_rsrp_dbm"].values >= np.float32(required_rsrp_dbm))

    def __repr__(self) -> str:
        known = int(self.terrain.valid.sum())
        share = 100.0 * float(self.covered.sum()) / max(known, 1)
        return f"Coverage({self.technology}, {len(self.network)} sites, {share:.1f} % of {known} known pixels covered)"


def grid_dataset(
    terrain: Terrain, variables: Mapping[str, tuple[npt.NDArray[Any], dict[str, str]]], attrs: Mapping[str, Any]
) -> xr.Dataset:
    """Layers on the terrain's grid as a CF dataset: dims y, x, north-up, ``spatial_ref``."""
    import xarray as xr

    grid = terrain.to_dataset().coords
    coords = {name: grid[name] for name in ("y", "x", "spatial_ref")}
    return xr.Dataset(
        {
            name: (("y", "x"), data, {**about, "grid_mapping": "spatial_ref"})
            for name, (data, about) in variables.items()
        },
        coords=coords,
        attrs=dict(attrs),
    )


LEVEL_NAMES = {"2G": "RxLev", "3G": "RSCP", "4G": "RSRP", "5G": "SS-RSRP"}
_MEASURED_ON = {"2G": " of the broadcast carrier", "3G": " of the common pilot"}


def level_words(technology: str) -> str:
    """A technology's reference level in words, with what it is measured on."""
    return LEVEL_NAMES[technology] + _MEASURED_ON.get(technology, "")


def compute_coverage(
    network: Network,
    terrain: Terrain,
    *,
    progress: Progress | None = None,
    **settings: Unpack[PredictionSettings],
) -> Coverage:
    """Predict a network and reduce it to the best cell of every pixel.

    Reference level = EPRE + G(azimuth, elevation) − feeder − path loss − penetration − body + G_ue
    (TS 36.214 §5.1.1, TS 38.215 §5.1.1). ``margin_db`` is the largest over cells of
    ``min(level − required, uplink margin)``: a pixel is covered where one cell closes both directions, and adding
    cells never takes coverage away.

    Parameters
    ----------
    network, terrain
        Where the cells are and what they stand on.
    model : PropagationModel, optional
        ``P1812()`` by default.
    receiver, service : optional
        Device and requirements.
    technology : str
        "2G", "3G", "4G" or "5G".
    radius_m : float
        Prediction radius of every site.
    method : str
        "sweep" (fast) or "exact" path loss.
    antennas : mapping, optional
        Antennas by name, besides the built-in ones.
    path_loss_store : PathLossStore or path-like, optional
        Folder that keeps path loss from run to run; the result is the same bit for bit with and without one.
    progress : callable, optional
        Called with (sites done, sites in all).

    Raises
    ------
    ParameterError
        When there is no cell of the technology, or no site stands on the terrain.
    """
    return recall_coverage(Memo(None), "coverage", network, terrain, progress, **settings)


def recall_coverage(
    memo: Memo,
    step: str,
    network: Network,
    terrain: Terrain,
    progress: Progress | None = None,
    **settings: Unpack[PredictionSettings],
) -> Coverage:
    """Do what :func:`compute_coverage` does, or take its layers from a memo that knows them as `step`."""
    predictor = make_predictor(network, terrain, **settings)

    def work() -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        planes = Planes.empty(terrain.shape)
        for prediction in predict_sites(predictor, progress):
            planes.merge(prediction)
        return {}, {name: getattr(planes, name) for name in PLANES}

    found = memo.on(*predictor.identity()).recall(step, work).arrays
    planes = Planes(*(found[name] for name in PLANES))
    return finish_coverage(predictor, network, settings.get("technology", "4G"), planes, settings.get("antennas"))


PLANES = ("rsrp_dbm", "best_server", "margin_db", "closed_rsrp_dbm")


@dataclass(frozen=True, eq=False)
class Planes:
    """What a group of cells gives at every pixel, (ny, nx) each; filled site by site, in any order of sites.

    ``best_server`` numbers prepared cells (see `PreparedNetwork`); `finish_coverage` turns it into rows of the network.
    """

    rsrp_dbm: npt.NDArray[np.float32]
    best_server: npt.NDArray[np.int32]
    margin_db: npt.NDArray[np.float32]
    closed_rsrp_dbm: npt.NDArray[np.float32]

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> Planes:
        """Nothing received anywhere."""
        nothing = [np.full(shape, np.nan, dtype=np.float32) for _ in range(3)]
        return cls(nothing[0], np.full(shape, -1, dtype=np.int32), nothing[1], nothing[2])

    def merge(self, p: SitePrediction) -> None:
        """Take in one site."""
        merge_site_kernel(
            p.cell, (p.rows.start, p.cols.start), p.rsrp_dbm, p.best_cell, p.margin_db, p.closed_dbm,
            self.rsrp_dbm, self.best_server, self.margin_db, self.closed_rsrp_dbm,
        )  # fmt: skip


def finish_coverage(
    predictor: Predictor,
    network: Network,
    technology: str,
    planes: Planes,
    antennas: Mapping[str, Antenna] | None,
) -> Coverage:
    """Level, server and margin as a labelled coverage."""
    with np.errstate(invalid="ignore"):
        covered = planes.margin_db >= 0.0
    level = level_words(technology)
    service, on = predictor.service, predictor.placement.on_terrain
    layers = grid_dataset(
        predictor.terrain,
        {
            "rsrp_dbm": (planes.rsrp_dbm, {"units": "dBm", "long_name": f"{level} of the best server"}),
            "best_server": (
                np.append(predictor.prepared.cell_row, -1).astype(np.int32)[planes.best_server],
                {"units": "1", "long_name": "best server, row of network.cells (-1 none)"},
            ),
            "margin_db": (
                planes.margin_db,
                {"units": "dB", "long_name": "largest over cells of the smaller link margin"},
            ),
            "closed_rsrp_dbm": (
                planes.closed_rsrp_dbm,
                {"units": "dBm", "long_name": f"{level} of the strongest cell whose uplink closes"},
            ),
            "covered": (covered, {"units": "1", "long_name": f"both links close for service {service.name!r}"}),
        },
        {
            "technology": technology,
            "service": service.name,
            "required_rsrp_dbm": service.required_rsrp_dbm,
            "model": type(predictor.model).__name__,
            "radius_m": predictor.radius_m,
            "formula": "docs/radio.md#reference-level",
        },
    )
    off = [s.site for s in predictor.prepared.sites if not on[s.site]]
    return Coverage(
        layers=layers,
        network=network,
        terrain=predictor.terrain,
        model=predictor.model,
        receiver=predictor.receiver,
        service=service,
        technology=technology,
        radius_m=predictor.radius_m,
        method=predictor.method,
        antennas=antennas,
        off_terrain=tuple(str(network.sites["site_id"].iloc[i]) for i in off),
        path_loss_store=predictor.path_loss_store,
    )
