"""The one place where a site is predicted: path loss once, antennas and budget on top."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypedDict, Unpack

import numpy as np
import numpy.typing as npt

from rfplan.antenna import Antenna
from rfplan.constants import EARTH_RADIUS_KM
from rfplan.coverage.link import PreparedNetwork, SiteCells, prepare_network
from rfplan.coverage.penetration import penetration_table
from rfplan.coverage.settings import Receiver, Service
from rfplan.errors import DataWarning, ParameterError
from rfplan.kernels.coverage import site_levels_kernel
from rfplan.network import Network
from rfplan.propagation.store import PathLossStore, SiteLoss, StoredLoss, site_path_loss
from rfplan.terrain import Terrain

Floats = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]

STANDARD_EARTH_FACTOR = 4.0 / 3.0


class SharedSettings(TypedDict, total=False):
    """What predictions of any number of technologies have in common; defaults are those of :func:`make_predictor`."""

    model: Any
    receiver: Receiver | None
    radius_m: float
    method: str
    antennas: Mapping[str, Antenna] | None
    path_loss_store: PathLossStore | str | os.PathLike[str] | None


class PredictionSettings(SharedSettings, total=False):
    """Everything a prediction of one technology depends on, besides the network and the terrain."""

    service: Service | None
    technology: str


class SiteMargins(NamedTuple):
    """Prediction of one site: row in ``network.sites``, window of the terrain, best margin and best level, (h, w)."""

    site_index: int
    rows: slice
    cols: slice
    margin_db: npt.NDArray[np.float32]
    rsrp_dbm: npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SitePrediction:
    """The same with the best cell: ``best_cell`` numbers the site's cells, ``cell`` gives their prepared cells.

    ``closed_dbm`` is the best level among cells whose uplink closes, NaN where none does.
    """

    site_index: int
    rows: slice
    cols: slice
    rsrp_dbm: npt.NDArray[np.float32]
    best_cell: npt.NDArray[np.int32]
    margin_db: npt.NDArray[np.float32]
    closed_dbm: npt.NDArray[np.float32]
    cell: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Placement:
    """Sites on the grid: position, ground height and how far true north lies from grid north (clockwise), each (n,)."""

    x_m: Floats
    y_m: Floats
    ground_m: Floats
    north_deg: Floats

    @classmethod
    def of(cls, network: Network, terrain: Terrain) -> Placement:
        """Project all sites at once."""
        lon = network.sites["lon_deg"].to_numpy(dtype=np.float64)
        lat = network.sites["lat_deg"].to_numpy(dtype=np.float64)
        x, y = terrain.xy(lon, lat)
        step = np.where(lat < 89.0, 1e-3, -1e-3)
        x_north, y_north = terrain.xy(lon, lat + step)
        turn = np.degrees(np.arctan2(np.sign(step) * (x_north - x), np.sign(step) * (y_north - y)))
        return cls(x, y, np.asarray(terrain.elevation_at(x, y), dtype=np.float64), turn)

    @property
    def on_terrain(self) -> npt.NDArray[np.bool_]:
        """Whether a site stands on known ground."""
        return np.isfinite(self.ground_m)


def effective_earth_radius_m(model: Any) -> float:
    """Median effective Earth radius: from the model's ``delta_n`` (P.1812-8 equations 5 and 7a), else 4/3."""
    delta_n = getattr(model, "delta_n", None)
    factor = STANDARD_EARTH_FACTOR if delta_n is None else 157.0 / (157.0 - float(delta_n))
    return 1000.0 * EARTH_RADIUS_KM * factor


@dataclass(frozen=True, eq=False)
class Predictor:
    """Everything the prediction of a site depends on."""

    terrain: Terrain
    prepared: PreparedNetwork
    placement: Placement
    model: Any
    receiver: Receiver
    service: Service
    radius_m: float
    method: str
    path_loss_store: PathLossStore | None = None
    entry_tables: dict[tuple[float, ...], Floats] = field(default_factory=dict)

    def window(self, site: int, bands: tuple[tuple[float, float], ...]) -> StoredLoss:
        """Path loss of (height, frequency) pairs around a site, float32 (bands, h, w)."""
        about = SiteLoss(
            float(self.placement.x_m[site]),
            float(self.placement.y_m[site]),
            bands,
            self.model,
            self.receiver.height_agl_m,
            self.radius_m,
            self.method,
        )
        return site_path_loss(self.terrain, about, self.path_loss_store)

    def identity(self) -> tuple[Any, ...]:
        """Everything a prediction depends on, for a fingerprint: ground, places, cells, model, device and service."""
        t = self.terrain
        ground = (
            t.elevation_amsl_m,
            t.clutter_class,
            t.clutter_height_m,
            t.zone,
            t.x0_m,
            t.y0_m,
            t.resolution_m,
            t.crs,
        )
        rest = (self.model, self.receiver, self.service, self.radius_m, self.method)
        return (*ground, self.placement, self.prepared, *rest)

    def geometry(self, site: int, rows: slice, cols: slice) -> Floats:
        """Geometry row of the kernels for a site's window."""
        step = self.terrain.resolution_m
        x = self.terrain.x0_m + (cols.start + 0.5) * step - self.placement.x_m[site]
        y = self.terrain.y0_m - (rows.start + 0.5) * step - self.placement.y_m[site]
        curvature = 1.0 / (2.0 * effective_earth_radius_m(self.model))
        return np.array([x, y, step, self.receiver.height_agl_m, curvature, rows.start, cols.start], dtype=np.float64)

    def entry_db(self, cells: SiteCells) -> Floats:
        """Loss into buildings or cars by clutter class and band of a site, (classes, bands)."""
        frequencies = tuple(f for _, f in cells.bands)
        if frequencies not in self.entry_tables:
            self.entry_tables[frequencies] = penetration_table(self.service.penetration, list(frequencies))
        return self.entry_tables[frequencies]

    def sector_rows(self, cells: SiteCells) -> Floats:
        """Sector numbers of the kernels: grid azimuth, mechanical tilt, electrical shift, antenna height above sea."""
        return np.stack(
            [
                cells.sector_azimuth_deg + self.placement.north_deg[cells.site],
                cells.sector_mechanical_deg,
                cells.sector_shift_deg,
                cells.sector_height_m + self.placement.ground_m[cells.site],
            ],
            axis=1,
        )

    def predict(self, cells: SiteCells, window: StoredLoss | None = None) -> SitePrediction:
        """Best level, best cell and margin of one site; `window` is its path loss where that is known already."""
        window = window or self.window(cells.site, cells.bands)
        rows, cols, losses = window.rows, window.cols, window.path_loss_db
        shape = losses.shape[1:]
        rsrp = np.empty(shape, dtype=np.float32)
        best = np.empty(shape, dtype=np.int32)
        margin = np.empty(shape, dtype=np.float32)
        closed = np.empty(shape, dtype=np.float32)
        budget = self.prepared.budget
        site_levels_kernel(
            losses,
            self.terrain.elevation_amsl_m,
            self.terrain.clutter_class,
            self.entry_db(cells),
            self.geometry(cells.site, rows, cols),
            self.sector_rows(cells),
            cells.sector_antenna,
            self.prepared.patterns.arrays,
            cells.cell_sector,
            cells.cell_band,
            budget.level_const_dbm[cells.cell],
            budget.uplink_const_db[cells.cell],
            float(self.service.required_rsrp_dbm),
            rsrp,
            best,
            margin,
            closed,
        )
        return SitePrediction(cells.site, rows, cols, rsrp, best, margin, closed, cells.cell)


def make_predictor(
    network: Network,
    terrain: Terrain,
    *,
    model: Any = None,
    receiver: Receiver | None = None,
    service: Service | None = None,
    technology: str | None = "4G",
    radius_m: float = 15_000.0,
    method: str = "sweep",
    antennas: Mapping[str, Antenna] | None = None,
    path_loss_store: PathLossStore | str | os.PathLike[str] | None = None,
) -> Predictor:
    """Check the settings once and place the network on the terrain."""
    if not (math.isfinite(radius_m) and terrain.resolution_m <= radius_m <= 200_000.0):
        raise ParameterError(
            f"radius_m={radius_m!r} must be between one pixel ({terrain.resolution_m:g} m) and 200000 m"
        )
    if method not in ("sweep", "exact"):
        raise ParameterError(f"method={method!r} must be 'sweep' or 'exact'")
    model = default_model() if model is None else model
    receiver = receiver or Receiver()
    service = service or Service()
    prepared = prepare_network(network, technology, receiver, service, model, antennas)
    placement = Placement.of(network, terrain)
    store = PathLossStore.of(path_loss_store)
    return Predictor(terrain, prepared, placement, model, receiver, service, float(radius_m), method, store)


def default_model() -> Any:
    """P.1812 at 50 % of time and locations."""
    from rfplan.propagation.p1812 import P1812

    return P1812()


def checked_sites(predictor: Predictor, *, stacklevel: int = 3) -> list[SiteCells]:
    """Sites that stand on known ground, in the network's order.

    Warns
    -----
    DataWarning
        Once, when sites are off the terrain: they are left out.

    Raises
    ------
    ParameterError
        When none is left.
    """
    on = predictor.placement.on_terrain
    sites = [s for s in predictor.prepared.sites if on[s.site]]
    off = len(predictor.prepared.sites) - len(sites)
    if not sites:
        west, south, east, north = predictor.terrain.bounds_lonlat
        raise ParameterError(
            f"none of the {off} sites stands on known ground of the terrain, which spans {west:.4f}…{east:.4f}° E, "
            f"{south:.4f}…{north:.4f}° N; check the coordinates or the terrain"
        )
    if off:
        warnings.warn(
            DataWarning(
                f"{off} of {off + len(sites)} sites are off the terrain or on unknown ground: not predicted "
                "(network.validate(terrain) lists them)"
            ),
            stacklevel=stacklevel,
        )
    return sites


def predict_sites(predictor: Predictor, progress: Progress | None = None) -> Iterator[SitePrediction]:
    """Predict every site that stands on known ground, in the network's order (see :func:`checked_sites`)."""
    sites = checked_sites(predictor, stacklevel=4)
    for done, cells in enumerate(sites, start=1):
        yield predictor.predict(cells)
        if progress is not None:
            progress(done, len(sites))


def site_margins(
    network: Network,
    terrain: Terrain,
    *,
    progress: Progress | None = None,
    **settings: Unpack[PredictionSettings],
) -> Iterator[SiteMargins]:
    """Predict site by site: what :func:`compute_coverage` reduces, to the bit, with the same `settings`.

    Yields
    ------
    SiteMargins
        ``(site_index, rows, cols, margin_db, rsrp_dbm)``; NaN where a pixel has no prediction. Sites off the
        terrain are left out with one DataWarning; an empty network yields nothing.
    """
    if len(network.sites) == 0:
        return
    predictor = make_predictor(network, terrain, **settings)
    for p in predict_sites(predictor, progress):
        yield SiteMargins(p.site_index, p.rows, p.cols, p.margin_db, p.rsrp_dbm)
