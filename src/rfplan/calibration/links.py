"""From measurements to links: which transmitter, which pixel, how far, what the model predicts there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import cKDTree

from rfplan.calibration.measurements import Measurements
from rfplan.errors import ParameterError
from rfplan.propagation.base import PropagationModel
from rfplan.propagation.grid import path_loss_pixels
from rfplan.terrain import Terrain

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

TRANSMITTER_DEFAULTS: Mapping[str, float] = {"tx_height_agl_m": 30.0, "eirp_dbm": 0.0}


@dataclass(frozen=True)
class LinkFilter:
    """Which measurements are used.

    Attributes
    ----------
    min_distance_m, max_distance_m : float
        Distance to the antenna. The first 100 m lie in its near pattern and its own building.
    min_level_dbm, max_level_dbm : float
        Received levels; weaker or stronger ones are left out (not censored).
    min_samples : int
        Measurements a pixel must hold for one device and transmitter.
    cluster_m : float
        Antennas within this distance count as one site.
    """

    min_distance_m: float = 100.0
    max_distance_m: float = 50_000.0
    min_level_dbm: float = -180.0
    max_level_dbm: float = -20.0
    min_samples: int = 1
    cluster_m: float = 150.0


@dataclass(frozen=True, eq=False)
class Links:
    """One row a pixel × device × transmitter: the median of its measurements.

    Attributes
    ----------
    level_dbm : ndarray, shape (n,)
        Median level; for a censored row the limit that nothing was received above.
    censored : bool ndarray
        Nothing was received there.
    row, col : int ndarray
        Pixel of the terrain.
    transmitter, site, device : int ndarray
        Index into ``transmitters``; site (cluster of antennas) and device, from 0.
    distance_m, clutter_height_m : ndarray
        Distance to the antenna; representative clutter height at the receiver.
    transmitters : DataFrame
        The transmitters, with ``x_m`` and ``y_m``.
    site_names, device_names, notes : tuple of str
        Names of the levels, and what was left out, with counts.
    """

    level_dbm: FloatArray
    censored: npt.NDArray[np.bool_]
    row: IntArray
    col: IntArray
    transmitter: IntArray
    site: IntArray
    device: IntArray
    distance_m: FloatArray
    clutter_height_m: FloatArray
    transmitters: pd.DataFrame
    site_names: tuple[str, ...]
    device_names: tuple[str, ...]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.level_dbm.size)


def _checked_transmitters(transmitters: pd.DataFrame, terrain: Terrain) -> pd.DataFrame:
    for name in ("site_id", "lon_deg", "lat_deg"):
        if name not in transmitters:
            raise ParameterError(f"transmitters lack {name}; columns needed: site_id, lon_deg, lat_deg")
    table = transmitters.reset_index(drop=True).copy()
    table["site_id"] = table["site_id"].astype(str)
    for name, default in TRANSMITTER_DEFAULTS.items():
        table[name] = table[name].fillna(default) if name in table else default
    table["x_m"], table["y_m"] = terrain.xy(table["lon_deg"].to_numpy(float), table["lat_deg"].to_numpy(float))
    ground = terrain.elevation_at(table["x_m"].to_numpy(), table["y_m"].to_numpy())
    table["known_ground"] = np.isfinite(ground)
    if not table["known_ground"].any():
        raise ParameterError("no transmitter stands on the terrain; check positions and the terrain's extent")
    return table


def _clusters(table: pd.DataFrame, cluster_m: float) -> IntArray:
    """Antennas within `cluster_m` of each other, directly or by way of others, are one site."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    xy = table[["x_m", "y_m"]].to_numpy(float)
    pairs = cKDTree(xy).query_pairs(cluster_m, output_type="ndarray")
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(xy), len(xy)))
    labels: IntArray = connected_components(graph, directed=False)[1].astype(np.int64)
    return labels


def _match(measurements: pd.DataFrame, table: pd.DataFrame, x: FloatArray, y: FloatArray) -> IntArray:
    """Transmitter of each measurement by id; of several with one id (a reused PCI) the nearest. −1 is none."""
    result = np.full(len(measurements), -1, dtype=np.int64)
    ids = measurements["site_id"].to_numpy()
    if len(table) == 1 and set(ids) == {""}:
        return np.zeros(len(measurements), dtype=np.int64)
    for name, group in table.groupby("site_id", sort=True):
        rows = np.flatnonzero(ids == name)
        if rows.size:
            nearest = cKDTree(group[["x_m", "y_m"]].to_numpy(float)).query(np.column_stack([x[rows], y[rows]]))[1]
            result[rows] = group.index.to_numpy()[nearest]
    return result


def make_links(
    measurements: Measurements,
    transmitters: pd.DataFrame,
    terrain: Terrain,
    link_filter: LinkFilter,
    sensitivity_dbm: float | None,
) -> Links:
    """Match measurements to transmitters and gather them by pixel, device and transmitter.

    Raises
    ------
    ParameterError
        Nothing is left: no id matches, all positions off the terrain, or all filtered out.
    """
    table = _checked_transmitters(transmitters, terrain)
    site = _clusters(table, link_filter.cluster_m)
    data = measurements.table
    x, y = terrain.xy(data["lon_deg"].to_numpy(float), data["lat_deg"].to_numpy(float))
    col_f, row_f = (x - terrain.x0_m) / terrain.resolution_m, (terrain.y0_m - y) / terrain.resolution_m
    ny, nx = terrain.shape
    level = data["level_dbm"].to_numpy(float)
    silent = ~np.isfinite(level)
    notes = list(measurements.notes)
    transmitter = _match(data, table, x, y)
    inside = (col_f >= 0) & (col_f < nx) & (row_f >= 0) & (row_f < ny)
    row, col = np.where(inside, row_f, 0).astype(np.int64), np.where(inside, col_f, 0).astype(np.int64)
    inside &= np.isfinite(terrain.elevation_amsl_m[row, col])
    picked = np.maximum(transmitter, 0)
    distance = np.hypot(x - table["x_m"].to_numpy()[picked], y - table["y_m"].to_numpy()[picked])
    f = link_filter
    keep = np.ones(len(data), dtype=bool)
    for what, good in (
        ("match no transmitter", transmitter >= 0),
        ("lie off the terrain", inside),
        ("belong to a transmitter off the terrain", table["known_ground"].to_numpy()[picked]),
        (
            f"are nearer than {f.min_distance_m:g} m or farther than {f.max_distance_m:g} m",
            (distance >= f.min_distance_m) & (distance <= f.max_distance_m),
        ),
        ("have a level outside the filter", silent | ((level >= f.min_level_dbm) & (level <= f.max_level_dbm))),
        ("were not received, and no sensitivity is given", ~silent | (sensitivity_dbm is not None)),
    ):
        if (keep & ~good).any():
            notes.append(f"{int((keep & ~good).sum())} measurements {what}")
        keep &= good
    if not (keep & ~silent).any():
        raise ParameterError(f"no received measurement is left to calibrate on: {'; '.join(notes)}")
    devices, device = np.unique(data["device_id"].to_numpy(str), return_inverse=True)
    frame = pd.DataFrame(
        {"row": row, "col": col, "t": transmitter, "device": device, "silent": silent, "level": level}
    )[keep]
    # A pixel that heard something keeps the median of what it heard; one that never did is censored.
    keys = ["row", "col", "t", "device"]
    heard = frame[~frame["silent"]].groupby(keys, sort=True)["level"].agg(["median", "size"]).reset_index()
    heard = heard[heard["size"] >= f.min_samples]
    mute = frame[frame["silent"]].drop_duplicates(keys)[keys]
    mute = mute.merge(heard[keys], how="left", on=keys, indicator=True)
    mute = mute[mute["_merge"] == "left_only"][keys].assign(median=sensitivity_dbm or 0.0)
    if heard.empty:
        raise ParameterError(f"no pixel holds {f.min_samples} measurements; lower min_samples")
    both = pd.concat([heard.drop(columns="size").assign(censored=False), mute.assign(censored=True)], ignore_index=True)
    r, c, t = (both[name].to_numpy(np.int64) for name in ("row", "col", "t"))
    px, py = terrain.x0_m + (c + 0.5) * terrain.resolution_m, terrain.y0_m - (r + 0.5) * terrain.resolution_m
    length = np.hypot(px - table["x_m"].to_numpy()[t], py - table["y_m"].to_numpy()[t])
    used, site_level = np.unique(site[t], return_inverse=True)
    names = tuple(str(table["site_id"][int(np.flatnonzero(site == k)[0])]) for k in used)
    return Links(
        level_dbm=both["median"].to_numpy(float),
        censored=both["censored"].to_numpy(bool),
        row=r,
        col=c,
        transmitter=t,
        site=site_level.astype(np.int64),
        device=both["device"].to_numpy(np.int64),
        distance_m=np.maximum(length, 0.5 * terrain.resolution_m),
        clutter_height_m=terrain.clutter_height_m[r, c].astype(np.float64),
        transmitters=table,
        site_names=names,
        device_names=tuple(str(name) for name in devices),
        notes=tuple(notes),
    )


def predict_links(
    links: Links, terrain: Terrain, model: PropagationModel, frequency_mhz: float, rx_height_agl_m: float
) -> FloatArray:
    """Level the model predicts for each link, dBm: EIRP less the exact path loss at the pixel's centre."""
    level = np.full(len(links), np.nan)
    for index in np.unique(links.transmitter):
        rows = np.flatnonzero(links.transmitter == index)
        transmitter = links.transmitters.iloc[int(index)]
        own = transmitter.get("frequency_mhz", np.nan)
        loss = path_loss_pixels(
            terrain,
            float(transmitter["x_m"]),
            float(transmitter["y_m"]),
            links.row[rows],
            links.col[rows],
            model=model,
            frequency_mhz=float(own) if np.isfinite(own) else frequency_mhz,
            tx_height_agl_m=float(transmitter["tx_height_agl_m"]),
            rx_height_agl_m=rx_height_agl_m,
        )
        level[rows] = float(transmitter["eirp_dbm"]) - np.asarray(loss).reshape(-1, rows.size)[0]
    return level
