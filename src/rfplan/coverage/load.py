"""Cell load from traffic: the fixed point between load, interference and rate, and a Monte Carlo of users beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rfplan.coverage.budget import noise_dbm
from rfplan.coverage.core import grid_dataset
from rfplan.coverage.quality import DOWNLINK_SHANNON, TruncatedShannon
from rfplan.coverage.radio import RadioMap
from rfplan.errors import ParameterError
from rfplan.kernels.radio import UNIT_MW

if TYPE_CHECKING:
    import xarray as xr

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

MIN_MEAN_LOAD = 1e-9


@dataclass(frozen=True, eq=False)
class TrafficPoints:
    """Places with traffic and what they hear, one row each.

    ``power_mw`` (n, k) are the strongest cells of the server's carrier, the server first; ``cell`` (n, k) their network
    rows; ``rest_mw`` the traffic of all others at their first loads; ``scale_mhz`` turns bit/s/Hz into Mbit/s.
    """

    pixel: Integers
    demand_mbps: Floats
    cell: npt.NDArray[np.int32]
    power_mw: Floats
    rest_mw: Floats
    noise_mw: Floats
    scale_mhz: Floats

    @property
    def server(self) -> npt.NDArray[np.int32]:
        """Serving cell of every point."""
        return self.cell[:, 0]

    def sinr(self, load: Floats, rest_factor: float) -> Floats:
        """Data SINR (a ratio) at cell loads."""
        interference = (self.power_mw[:, 1:] * load[self.cell[:, 1:]]).sum(axis=1)
        return np.asarray(self.power_mw[:, 0] / (interference + rest_factor * self.rest_mw + self.noise_mw))

    def rate_mbps(self, load: Floats, rest_factor: float, shannon: TruncatedShannon) -> Floats:
        """Rate of a user alone in the cell, Mbit/s."""
        return shannon.efficiency_bps_hz(10.0 * np.log10(self.sinr(load, rest_factor))) * self.scale_mhz

    def take(self, index: Integers, demand_mbps: Floats) -> TrafficPoints:
        """Some of the points, with another demand."""
        return TrafficPoints(
            self.pixel[index], demand_mbps, self.cell[index], self.power_mw[index], self.rest_mw[index],
            self.noise_mw[index], self.scale_mhz[index],
        )  # fmt: skip


def traffic_mbps(population: npt.ArrayLike, kbps_per_person: float, *, share: float = 1.0) -> Floats:
    """Busy-hour traffic of a pixel, Mbit/s: people × share of them on this network × mean rate of one, kbit/s.

    Unknown population counts as none.
    """
    if not (kbps_per_person >= 0.0 and 0.0 <= share <= 1.0):
        raise ParameterError(f"kbps_per_person={kbps_per_person!r} must not be negative and share={share!r} within 0…1")
    return np.asarray(np.nan_to_num(np.asarray(population, dtype=np.float64)) * share * kbps_per_person * 1e-3)


def traffic_points(radio: RadioMap, demand_mbps: npt.ArrayLike) -> tuple[TrafficPoints, Floats]:
    """Served pixels with traffic, and the traffic (ny, nx) of pixels that hear no cell."""
    if radio.technology not in ("4G", "5G"):
        raise ParameterError(f"technology {radio.technology}: loads follow from rates, which are known for 4G and 5G")
    demand = np.asarray(demand_mbps, dtype=np.float64)
    if demand.shape != radio.terrain.shape:
        raise ParameterError(f"demand_mbps has shape {demand.shape}, the terrain {radio.terrain.shape}")
    if not (demand[np.isfinite(demand)] >= 0.0).all():
        raise ParameterError("demand_mbps must not be negative")
    demand = np.nan_to_num(demand).ravel()
    first = np.stack([c.top_level_dbm[..., 0].ravel() for c in radio.carriers])
    server = np.stack([c.top_cell[..., 0].ravel() for c in radio.carriers])
    level = np.where(server >= 0, first, -np.inf)
    # The strongest carrier serves; on equal levels the lower cell row, as in the layers.
    best = level.max(axis=0)
    tied = np.where((level == best) & (server >= 0), server, np.iinfo(np.int32).max)
    carrier = tied.argmin(axis=0)
    heard = (server >= 0).any(axis=0)
    pixel = np.flatnonzero((demand > 0.0) & heard)
    k = radio.carriers[0].top_cell.shape[-1]
    cell, power = np.zeros((pixel.size, k), dtype=np.int32), np.zeros((pixel.size, k))
    rest, noise, width = np.zeros(pixel.size), np.zeros(pixel.size), np.zeros(pixel.size)
    for i, c in enumerate(radio.carriers):
        mine = carrier[pixel] == i
        at = pixel[mine]
        cells, levels = c.top_cell.reshape(-1, k)[at], c.top_level_dbm.reshape(-1, k)[at].astype(np.float64)
        heard_here = cells >= 0
        milliwatt = np.where(heard_here, 10.0 ** (0.1 * np.where(heard_here, levels, -300.0)), 0.0)
        cell[mine], power[mine] = np.where(heard_here, cells, 0), milliwatt
        listed = (milliwatt * radio.load[cell[mine]]).sum(axis=1)
        rest[mine] = np.maximum(c.traffic.ravel()[at] * UNIT_MW - listed, 0.0)
        # What is left when every cell is listed is rounding, not interference.
        complete = ~heard_here[:, -1]
        rest[mine] = np.where(complete, 0.0, rest[mine])
        noise[mine] = 10.0 ** (0.1 * float(noise_dbm(1e3 * c.subcarrier_khz, radio.predictor.receiver.noise_figure_db)))
        width[mine] = c.bandwidth_mhz
    table = radio.network.cells
    own = cell[:, 0]
    serving = np.full(demand.size, -1, dtype=np.int32)
    serving[pixel] = own
    steered = radio.traffic_gain_db(serving.reshape(radio.terrain.shape))
    if steered is not None:
        power[:, 0] *= 10.0 ** (0.1 * steered.ravel()[pixel].astype(np.float64))
    layers = table["mimo_layers"].clip(lower=1).to_numpy(dtype=np.float64)[own]
    share = table["downlink_share"].to_numpy(dtype=np.float64)[own]
    unheard = np.where(heard, 0.0, demand).reshape(radio.terrain.shape)
    return TrafficPoints(pixel, demand[pixel], cell, power, rest, noise, width * layers * share), unheard


def demanded_load(points: TrafficPoints, load: Floats, rest_factor: float, shannon: TruncatedShannon) -> Floats:
    """Load each cell needs to carry its points, (n_cells,); above 1 it cannot. Points without rate do not count."""
    rate = points.rate_mbps(load, rest_factor, shannon)
    need = np.divide(points.demand_mbps, rate, out=np.zeros_like(rate), where=rate > 0.0)
    return np.asarray(np.bincount(points.server, weights=need, minlength=load.size))


@dataclass(frozen=True, eq=False)
class LoadResult:
    """Loads that agree with the rates they cause.

    Attributes
    ----------
    load : (n_cells,) array
        0…1, by row of ``network.cells``; cells of other technologies keep theirs.
    demanded : (n_cells,) array
        Load needed to carry everything; above 1 the cell is overloaded.
    converged, iterations, residuals
        Whether the largest change fell below the tolerance, in how many steps, and the change at each step.
    served_mbps, unserved_mbps : float
        In all.
    radio : RadioMap
        The map at these loads.
    unserved : (ny, nx) array
        Traffic not carried, Mbit/s a pixel: no cell heard, SINR too low, or the cell overloaded.
    """

    load: Floats
    demanded: Floats
    converged: bool
    iterations: int
    residuals: tuple[float, ...]
    served_mbps: float
    unserved_mbps: float
    radio: RadioMap
    unserved: Floats

    def layers(self) -> xr.Dataset:
        """``unserved_mbps`` and ``cell_load`` (of the serving cell) on the terrain's grid."""
        server = self.radio.layers()["best_server"].values
        load = np.where(server >= 0, self.load[np.maximum(server, 0)], np.nan).astype(np.float32)
        return grid_dataset(
            self.radio.terrain,
            {
                "unserved_mbps": (
                    self.unserved.astype(np.float32),
                    {"units": "Mbit/s", "long_name": "traffic not carried"},
                ),
                "cell_load": (load, {"units": "1", "long_name": "load of the serving cell"}),
            },
            {"converged": int(self.converged), "iterations": self.iterations},
        )


def _rest_factor(load: Floats, start: Floats, cells: Integers) -> float:
    before = float(start[cells].mean()) if cells.size else 0.0
    return float(load[cells].mean()) / before if before > MIN_MEAN_LOAD else 1.0


def _fixed_point(
    points: TrafficPoints,
    start: Floats,
    cells: Integers,
    shannon: TruncatedShannon,
    tolerance: float,
    max_iterations: int,
) -> tuple[Floats, Floats, tuple[float, ...]]:
    """Loads, demanded loads and residuals, rising from an empty network.

    The map from loads to demanded loads rises with every load and is concave enough to have one fixed point (Siomina
    and Yuan, IEEE Trans. Wireless Commun. 11(6), 2012), so iterates from below climb to it.
    """
    load = start.copy()
    load[cells] = 0.0
    residuals: list[float] = []
    demanded = load.copy()
    for _ in range(max_iterations):
        demanded = demanded_load(points, load, _rest_factor(load, start, cells), shannon)
        new = start.copy()
        new[cells] = np.minimum(demanded[cells], 1.0)
        residuals.append(float(np.abs(new - load).max()))
        load = new
        if residuals[-1] <= tolerance:
            break
    return load, demanded, tuple(residuals)


def solve_load(
    radio: RadioMap,
    demand_mbps: npt.ArrayLike,
    *,
    shannon: TruncatedShannon = DOWNLINK_SHANNON,
    tolerance: float = 1e-6,
    max_iterations: int = 200,
) -> LoadResult:
    """Find downlink loads at which every cell carries its pixels' traffic at the rates these loads leave.

    ``load_c = min(1, Σ demand / rate(SINR(loads)))`` over the pixels it serves; rate is what a user alone in the cell
    would get (truncated Shannon × bandwidth × layers × TDD share).

    Parameters
    ----------
    radio : RadioMap
        From :func:`compute_radio`.
    demand_mbps : (ny, nx) array
        Mean downlink traffic in the busy hour, Mbit/s a pixel (for example people × kbit/s a person / 1000).
    tolerance : float
        Largest change of a load at which iteration stops.
    max_iterations : int
        Steps after which ``converged`` is False.
    """
    points, unheard = traffic_points(radio, demand_mbps)
    cells = radio.predictor.prepared.cell_row
    load, demanded, residuals = _fixed_point(points, radio.load, cells, shannon, tolerance, max_iterations)
    rate = points.rate_mbps(load, _rest_factor(load, radio.load, cells), shannon)
    overload = np.maximum(demanded, 1.0)[points.server]
    carried = np.where(rate > 0.0, points.demand_mbps / overload, 0.0)
    unserved = unheard.ravel().copy()
    unserved[points.pixel] += points.demand_mbps - carried
    return LoadResult(
        load=load,
        demanded=demanded,
        converged=residuals[-1] <= tolerance,
        iterations=len(residuals),
        residuals=residuals,
        served_mbps=float(carried.sum()),
        unserved_mbps=float(unserved.sum()),
        radio=radio.with_load(load),
        unserved=unserved.reshape(unheard.shape),
    )


@dataclass(frozen=True, eq=False)
class MonteCarloLoad:
    """Mean load of every cell over random users, with its 95 % confidence half-width.

    ``load`` and ``half_width`` are (n_cells,); ``served_mbps`` and ``served_half_width`` are totals a snapshot.
    """

    load: Floats
    half_width: Floats
    served_mbps: float
    served_half_width: float
    snapshots: int
    users_per_snapshot: float


def simulate_load(
    radio: RadioMap,
    demand_mbps: npt.ArrayLike,
    *,
    user_mbps: float,
    snapshots: int = 50,
    seed: int = 0,
    shannon: TruncatedShannon = DOWNLINK_SHANNON,
) -> MonteCarloLoad:
    """Draw users at random and load the cells with them: an independent check of :func:`solve_load`.

    In each snapshot the number of users is Poisson with mean ``Σ demand / user_mbps``, each stands at a pixel with
    probability proportional to its demand and wants ``user_mbps``. Interference is at the loads averaged over all
    snapshots; these loads and the users' mean demand for resources are brought to agree.

    Parameters
    ----------
    user_mbps : float
        Rate of one user; smaller means more users and narrower intervals.
    snapshots : int
        At least 2.
    seed : int
        The same seed gives the same users on every machine.
    """
    if not (user_mbps > 0.0 and snapshots >= 2):
        raise ParameterError(f"user_mbps={user_mbps!r} must be above 0 and snapshots={snapshots!r} at least 2")
    points, _ = traffic_points(radio, demand_mbps)
    cells = radio.predictor.prepared.cell_row
    rng = np.random.default_rng(seed)
    total = float(points.demand_mbps.sum())
    counts = rng.poisson(total / user_mbps, snapshots)
    cumulative = np.cumsum(points.demand_mbps)
    drawn = (
        np.searchsorted(cumulative, rng.random(int(counts.sum())) * total, side="right") if total > 0.0 else np.zeros(0)
    )
    index = np.minimum(drawn, max(points.pixel.size - 1, 0)).astype(np.int64)
    snapshot = np.repeat(np.arange(snapshots), counts)
    users = points.take(index, np.full(index.size, user_mbps / snapshots))
    load, _, _ = _fixed_point(users, radio.load, cells, shannon, 1e-6, 200)
    rate = users.rate_mbps(load, _rest_factor(load, radio.load, cells), shannon)
    need = np.divide(user_mbps, rate, out=np.zeros_like(rate), where=rate > 0.0)
    n = radio.load.size
    each = np.bincount(snapshot * n + users.server, weights=need, minlength=snapshots * n).reshape(snapshots, n)
    served = np.bincount(snapshot, weights=np.where(rate > 0.0, user_mbps, 0.0), minlength=snapshots)
    from scipy.stats import t as student

    factor = float(student.ppf(0.975, snapshots - 1)) / np.sqrt(snapshots)
    return MonteCarloLoad(
        load=load,
        half_width=factor * each.std(axis=0, ddof=1),
        served_mbps=float(served.mean()),
        served_half_width=factor * float(served.std(ddof=1)),
        snapshots=snapshots,
        users_per_snapshot=float(counts.mean()),
    )
