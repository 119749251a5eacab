"""What a network covers and serves while the settings of its sectors change, one site at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.coverage.beams import traffic_gain_db
from rfplan.coverage.predict import Placement, checked_sites, make_predictor
from rfplan.coverage.radio import CellSums, RadioMap, carrier_numbers, sent_share
from rfplan.errors import ParameterError
from rfplan.kernels.radio import Q_SINR
from rfplan.optimize.prepare import settings_of
from rfplan.propagation.store import StoredLoss

if TYPE_CHECKING:
    from rfplan.coverage import Coverage
    from rfplan.coverage.link import SiteCells
    from rfplan.coverage.predict import Predictor
    from rfplan.network import Network

Bools = npt.NDArray[np.bool_]
Window = tuple[slice, slice]


class Outcome(NamedTuple):
    """What a setting of one site gives in its window: sites that cover each pixel, and whether the pixel is served."""

    covering: npt.NDArray[np.int32]
    served: Bools


class Trial(NamedTuple):
    """Everything but one site, in that site's window: what all of its settings are tried against."""

    site: str
    window: Window
    others: npt.NDArray[np.int32]
    base: CellSums | None


class LossCache:
    """Path loss of sites, worked out once a height and band and kept in memory as float32 windows."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, float, float], npt.NDArray[np.float32]] = {}
        self._window: dict[str, Window] = {}

    def window(self, predictor: Predictor, name: str, cells: SiteCells) -> StoredLoss:
        """Path loss of the bands of a site, as :meth:`Predictor.window` gives it."""
        missing = tuple(band for band in cells.bands if (name, *band) not in self._known)
        if missing:
            found = predictor.window(cells.site, missing)
            self._window[name] = found.rows, found.cols
            self._known.update({(name, *b): loss for b, loss in zip(missing, found.path_loss_db, strict=True)})
        return StoredLoss(*self._window[name], np.stack([self._known[name, *band] for band in cells.bands]))


class SectorState:
    """The network so far: who covers each pixel and, with a required SINR, where it is reached.

    Levels, sums and SINR are those of :func:`compute_coverage` and :func:`compute_radio` to the bit: sums are exact
    integers, so that leaving one site out and adding it again in another setting rounds nothing. Only the sites named
    may be left out; of the others those are predicted whose windows can meet theirs, for the rest of the map the
    coverage says what is covered.
    """

    def __init__(self, coverage: Coverage, min_sinr_db: float | None, site_ids: Sequence[str]) -> None:
        self.terrain, self.technology = coverage.terrain, coverage.technology
        self.min_sinr_db = min_sinr_db
        self._settings: dict[str, Any] = settings_of(coverage)
        self._losses = LossCache()
        self._near = _sites_near(coverage, site_ids)
        self.use(coverage.network)
        cells = self.network.cells
        self._load = sent_share(self.technology, cells["load"].to_numpy(dtype=np.float64))
        self._cell_ids = pd.Index(cells["cell_id"])
        rows = np.sort(self._predictor.prepared.cell_row)
        self._keys, carrier = carrier_numbers(cells.iloc[rows])
        self._carrier = np.full(len(cells), -1, dtype=np.int64)
        self._carrier[rows] = carrier
        self.count = np.zeros(self.terrain.shape, np.int32)
        for name, site in self._sites.items():
            loss = self._losses.window(self._predictor, name, site)
            self.count[loss.rows, loss.cols] += self._predictor.predict(site, loss).margin_db >= 0.0
        np.maximum(self.count, coverage.covered, out=self.count)  # beyond the windows not every site was counted

    def use(self, network: Network) -> None:
        """Go on from this network: the same cells in other settings."""
        self.network = network
        self._predictor = make_predictor(network, self.terrain, **self._settings)
        names = network.sites["site_id"].astype(str).tolist()
        sites = {names[s.site]: s for s in checked_sites(self._predictor)}
        self._sites = {name: site for name, site in sites.items() if name in self._near}

    def leave_out(self, name: str) -> Trial:
        """Everything but one site, in its window.

        Raises
        ------
        ParameterError
            If the site does not stand on known ground.
        """
        if name not in self._sites:
            raise ParameterError(
                f"site {name!r} does not stand on known ground of the terrain: its sectors cannot be tuned; leave it "
                "out of site_ids"
            )
        loss = self._losses.window(self._predictor, name, self._sites[name])
        window = loss.rows, loss.cols
        own = self._predictor.predict(self._sites[name], loss).margin_db >= 0.0
        base = None if self.min_sinr_db is None else self._sum_others(name, window)
        return Trial(name, window, self.count[window] - own, base)

    def outcome(self, trial: Trial, alone: Network) -> Outcome:
        """What the site of a trial gives in the settings of `alone`, its part of the network, beside the others."""
        predictor = make_predictor(alone, self.terrain, **self._settings)
        cells = predictor.prepared.sites[0]
        loss = self._losses.window(predictor, trial.site, cells)
        count = trial.others + (predictor.predict(cells, loss).margin_db >= 0.0)
        served = count > 0
        if trial.base is not None and self.min_sinr_db is not None:
            sums = trial.base.copy()
            ids = alone.cells["cell_id"].iloc[predictor.prepared.cell_row[cells.cell]]
            self._add(sums, predictor, cells, loss, self._cell_ids.get_indexer(ids).astype(np.int64))
            served &= self._sinr_db(sums, trial.window, alone) >= self.min_sinr_db
        return Outcome(count, served)

    def _with_site(self, alone: Network) -> Network:
        """The whole network with one site as in `alone`, which has its sectors and cells in the same order."""
        sectors, cells = self.network.sectors.copy(), self.network.cells.copy()
        for table, part, key in ((sectors, alone.sectors, "sector_id"), (cells, alone.cells, "cell_id")):
            rows = table[key].isin(part[key])
            table.loc[rows] = part.set_axis(table.index[rows])
        return replace(self.network, sectors=sectors, cells=cells)

    def _sum_others(self, name: str, window: Window) -> CellSums:
        sums = CellSums.empty(len(self._keys), self.terrain.shape, 1, 1)
        for other, site in self._sites.items():
            loss = self._losses.window(self._predictor, other, site)
            if other != name and _meet(loss.rows, window[0]) and _meet(loss.cols, window[1]):
                rows = self._predictor.prepared.cell_row[site.cell]
                self._add(sums.at(loss.rows, loss.cols), self._predictor, site, loss, rows)
        return sums.at(*window).copy()

    def _add(
        self, sums: CellSums, predictor: Predictor, site: SiteCells, loss: StoredLoss, rows: npt.NDArray[np.int64]
    ) -> None:
        """Add a site's cells, by their rows in the whole network, on its own window."""
        # One class for all reference signals: data SINR does not ask which of them collide.
        labels = np.stack([rows, self._carrier[rows], np.zeros_like(rows)], axis=1)
        sums.add(predictor, site, loss, labels, self._load[rows])

    def _sinr_db(self, sums: CellSums, window: Window, alone: Network) -> npt.NDArray[np.float32]:
        """Data SINR in a window, with the gain of traffic beams where antennas have them, `alone` in its settings."""
        classes = np.zeros(len(self._load), dtype=np.int64)
        carriers = sums.carriers(self.technology, self._keys)
        radio = RadioMap(self.network, self.technology, carriers, self._load, classes, self._predictor)
        planes, server, _ = radio.serving()
        if self._predictor.prepared.traffic is not None:
            everywhere = np.full(self.terrain.shape, -1, dtype=np.int32)
            everywhere[window] = server
            whole = make_predictor(self._with_site(alone), self.terrain, **self._settings)
            gain = traffic_gain_db(whole, len(self._load), everywhere)
            if gain is not None:
                planes[Q_SINR] += gain[window]
        return np.asarray(planes[Q_SINR])


def _sites_near(coverage: Coverage, site_ids: Sequence[str]) -> set[str]:
    """Sites whose prediction window may share a pixel with that of one of these, they included."""
    from scipy.spatial import cKDTree

    place = Placement.of(coverage.network, coverage.terrain)
    names = coverage.network.sites["site_id"].astype(str).to_numpy()
    on = place.on_terrain
    named = on & np.isin(names, list(site_ids))
    if not named.any():
        return set()
    position = np.column_stack([place.x_m, place.y_m])
    reach_m = 2.0 * (coverage.radius_m + 2.0 * coverage.terrain.resolution_m)
    away_m, _ = cKDTree(position[named]).query(position[on], p=np.inf)
    return set(names[on][away_m <= reach_m].tolist())


def _meet(a: slice, b: slice) -> bool:
    return bool(a.start < b.stop and b.start < a.stop)
