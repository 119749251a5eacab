"""From measurements to links: which transmitter, which pixel, how far, what the model predicts there."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import cKDTree

from rfplan.calibration.matching import AMBIGUOUS, match
from rfplan.calibration.measurements import Measurements
from rfplan.calibration.transmitters import DEFAULT_BEAMWIDTH_DEG, Placed, in_mhz
from rfplan.errors import ParameterError
from rfplan.propagation.base import PropagationModel
from rfplan.propagation.grid import path_loss_pixels
from rfplan.terrain import Terrain

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_FRONT_TO_BACK_DB = 25.0


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
    max_off_axis_deg : float
        Largest angle from the main lobe, in azimuth, of a transmitter that states ``azimuth_deg``.
    """

    min_distance_m: float = 100.0
    max_distance_m: float = 50_000.0
    min_level_dbm: float = -180.0
    max_level_dbm: float = -20.0
    min_samples: int = 1
    cluster_m: float = 150.0
    max_off_axis_deg: float = 180.0


@dataclass(frozen=True, eq=False)
class Links:
    """One row a pixel × device × receiver height × transmitter: the median of its measurements.

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
    rx_height_agl_m : ndarray
        Height of the receiver; NaN where the measurements don't state it.
    weight : ndarray
        How many rows each stands for.
    antenna_db : ndarray
        Gain towards the receiver relative to the main lobe, 0 or less.
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
    rx_height_agl_m: FloatArray
    weight: FloatArray
    antenna_db: FloatArray
    transmitters: pd.DataFrame
    site_names: tuple[str, ...]
    device_names: tuple[str, ...]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.level_dbm.size)

    def xy(self, terrain: Terrain) -> tuple[FloatArray, FloatArray]:
        """Centres of the receivers' pixels, m."""
        x, y = terrain.centres()
        return x[self.col], y[self.row]

    def without(self, rows: npt.NDArray[np.bool_], note: str) -> Links:
        """The same links without some rows, and without the sites and devices that then have none."""
        keep = ~rows
        arrays = {
            item.name: getattr(self, item.name)[keep]
            for item in fields(self)
            if isinstance(getattr(self, item.name), np.ndarray)
        }
        sites, arrays["site"] = np.unique(arrays["site"], return_inverse=True)
        devices, arrays["device"] = np.unique(arrays["device"], return_inverse=True)
        return replace(
            self,
            **arrays,
            site_names=tuple(self.site_names[k] for k in sites),
            device_names=tuple(self.device_names[k] for k in devices),
            notes=(*self.notes, note),
        )


def _clusters(table: pd.DataFrame, cluster_m: float) -> IntArray:
    """Antennas within `cluster_m` of each other, directly or by way of others, are one site."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    xy = table[["x_m", "y_m"]].to_numpy(float)
    placed = np.flatnonzero(np.isfinite(xy).all(axis=1))
    pairs = placed[cKDTree(xy[placed]).query_pairs(cluster_m, output_type="ndarray")]
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(xy), len(xy)))
    labels: IntArray = connected_components(graph, directed=False)[1].astype(np.int64)
    return labels


def _off_axis_deg(table: pd.DataFrame, transmitter: IntArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """Angle between the main lobe and the receiver, degrees; 0 for antennas without an azimuth."""
    if "azimuth_deg" not in table:
        return np.zeros(x.size)
    px, py, azimuth = (table[name].to_numpy(float)[transmitter] for name in ("x_m", "y_m", "azimuth_deg"))
    bearing = np.degrees(np.arctan2(x - px, y - py))
    return np.asarray(np.nan_to_num(np.abs((bearing - azimuth + 180.0) % 360.0 - 180.0), nan=0.0))


def _antenna_db(table: pd.DataFrame, transmitter: IntArray, off_axis_deg: FloatArray) -> FloatArray:
    """Horizontal pattern of 3GPP TR 36.814 table A.2.1.1-2, dB: −min(12 (φ/φ3dB)², 25) where an azimuth is stated."""
    width = np.full(len(table), DEFAULT_BEAMWIDTH_DEG)
    if "beamwidth_deg" in table:
        width = np.where(np.isfinite(table["beamwidth_deg"]), table["beamwidth_deg"], width)
    return np.asarray(-np.minimum(12.0 * (off_axis_deg / width[transmitter]) ** 2, _FRONT_TO_BACK_DB))


def make_links(
    measurements: Measurements,
    placed: Placed,
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
    table = placed.table
    data = measurements.table
    x, y = terrain.xy(data["lon_deg"].to_numpy(float), data["lat_deg"].to_numpy(float))
    transmitter, how = match(data, table, x, y)
    table = _with_frequency(table, data, transmitter)
    notes = [*measurements.notes, *placed.notes, *how]
    row, col = terrain.nearest(x, y)
    known = np.zeros(len(data), dtype=bool)
    known[row >= 0] = np.isfinite(terrain.elevation_amsl_m[row[row >= 0], col[row >= 0]])
    keep, why = _keep(data, table, transmitter, (x, y), known, link_filter, sensitivity_dbm)
    notes += why
    level = data["level_dbm"].to_numpy(float)
    silent = ~np.isfinite(level)
    if not (keep & ~silent).any():
        raise ParameterError(f"no received measurement is left to calibrate on: {'; '.join(notes)}")
    devices, device = np.unique(data["device_id"].to_numpy(str), return_inverse=True)
    weight = data["weight"].to_numpy(float) if "weight" in data else np.ones(len(data))
    height = data["rx_height_agl_m"].to_numpy(float) if "rx_height_agl_m" in data else np.full(len(data), np.nan)
    frame = pd.DataFrame(
        {"row": row, "col": col, "t": transmitter, "device": device, "rx": height}
        | {"silent": silent, "level": level, "weight": weight}
    )[keep]
    both = _gather(frame, link_filter.min_samples, sensitivity_dbm)
    r, c, t = (both[name].to_numpy(np.int64) for name in ("row", "col", "t"))
    centre_x, centre_y = terrain.centres()
    px, py = centre_x[c], centre_y[r]
    length = np.hypot(px - table["x_m"].to_numpy()[t], py - table["y_m"].to_numpy()[t])
    site = _clusters(table, link_filter.cluster_m)
    used, site_level = np.unique(site[t], return_inverse=True)
    known, device_level = np.unique(both["device"].to_numpy(np.int64), return_inverse=True)
    return Links(
        level_dbm=both["median"].to_numpy(float),
        censored=both["censored"].to_numpy(bool),
        row=r,
        col=c,
        transmitter=t,
        site=site_level.astype(np.int64),
        device=device_level.astype(np.int64),
        distance_m=np.maximum(length, 0.5 * terrain.resolution_m),
        clutter_height_m=terrain.clutter_height_m[r, c].astype(np.float64),
        rx_height_agl_m=both["rx"].to_numpy(float),
        weight=both["weight"].to_numpy(float),
        antenna_db=_antenna_db(table, t, _off_axis_deg(table, t, px, py)),
        transmitters=table,
        site_names=tuple(str(table["site_id"].iloc[int(np.flatnonzero(site == k)[0])]) for k in used),
        device_names=tuple(str(name) for name in devices[known]),
        notes=tuple(notes),
    )


def _keep(
    data: pd.DataFrame,
    table: pd.DataFrame,
    transmitter: IntArray,
    xy: tuple[FloatArray, FloatArray],
    known: npt.NDArray[np.bool_],
    f: LinkFilter,
    sensitivity_dbm: float | None,
) -> tuple[npt.NDArray[np.bool_], list[str]]:
    """Mask of the measurements that can be used, and why the others can't, each under its first reason."""
    level = data["level_dbm"].to_numpy(float)
    silent = ~np.isfinite(level)
    picked = np.maximum(transmitter, 0)
    with np.errstate(invalid="ignore"):
        distance = np.hypot(xy[0] - table["x_m"].to_numpy()[picked], xy[1] - table["y_m"].to_numpy()[picked])
    off_axis = _off_axis_deg(table, picked, *xy)
    limit = -np.inf if sensitivity_dbm is None else sensitivity_dbm
    keep, notes = np.ones(len(data), dtype=bool), []
    for what, good in (
        ("lie between transmitters of one name, none of them clearly the nearest", transmitter != AMBIGUOUS),
        ("match no transmitter", transmitter >= 0),
        ("lie off the terrain", known),
        ("belong to a transmitter off the terrain", table["known_ground"].to_numpy()[picked]),
        (
            f"are nearer than {f.min_distance_m:g} m or farther than {f.max_distance_m:g} m",
            (distance >= f.min_distance_m) & (distance <= f.max_distance_m),
        ),
        (f"lie more than {f.max_off_axis_deg:g}° off the main lobe", off_axis <= f.max_off_axis_deg),
        ("have a level outside the filter", silent | ((level >= f.min_level_dbm) & (level <= f.max_level_dbm))),
        ("were not received, and no sensitivity is given", ~silent | np.isfinite(limit)),
    ):
        if (keep & ~good).any():
            notes.append(f"{int((keep & ~good).sum())} measurements {what}")
        keep &= good
    return keep, notes


def _gather(frame: pd.DataFrame, min_samples: int, sensitivity_dbm: float | None) -> pd.DataFrame:
    """A row a pixel, transmitter and device: a pixel that heard something keeps the median of what it heard.

    One that never did is censored; it stands for as many rows as its weight says.
    """
    keys = ["row", "col", "t", "device", "rx"]
    heard = (
        frame[~frame["silent"]].groupby(keys, sort=True, dropna=False)["level"].agg(["median", "size"]).reset_index()
    )
    heard = heard[heard["size"] >= min_samples]
    if heard.empty:
        raise ParameterError(f"no pixel holds {min_samples} measurements; lower min_samples")
    mute = frame[frame["silent"]].drop_duplicates(keys)[[*keys, "weight"]]
    mute = mute.merge(heard[keys], how="left", on=keys, indicator=True)
    mute = mute[mute["_merge"] == "left_only"][[*keys, "weight"]].assign(median=sensitivity_dbm or 0.0)
    heard = heard.drop(columns="size").assign(censored=False, weight=1.0)
    return pd.concat([heard, mute.assign(censored=True)], ignore_index=True)


def _with_frequency(table: pd.DataFrame, data: pd.DataFrame, transmitter: IntArray) -> pd.DataFrame:
    """Transmitters that state no frequency take the median of what their measurements state."""
    if "frequency_mhz" not in data:
        return table
    mhz = pd.Series(in_mhz(data["frequency_mhz"].to_numpy(float)))
    measured = mhz[transmitter >= 0].groupby(transmitter[transmitter >= 0]).median()
    own = table["frequency_mhz"] if "frequency_mhz" in table else pd.Series(np.nan, index=table.index)
    return table.assign(frequency_mhz=own.fillna(measured.reindex(table.index)))


def predict_links(
    links: Links, terrain: Terrain, model: PropagationModel, frequency_mhz: float, rx_height_agl_m: float
) -> FloatArray:
    """Level the model predicts for each link, dBm: EIRP and pattern less the exact path loss at the pixel's centre."""
    level = np.full(len(links), np.nan)
    height = np.where(np.isnan(links.rx_height_agl_m), rx_height_agl_m, links.rx_height_agl_m)
    kinds, kind = np.unique(np.stack([links.transmitter, height], axis=1), axis=0, return_inverse=True)
    for k, (index, rx) in enumerate(kinds):
        rows = np.flatnonzero(kind.reshape(-1) == k)
        pixels, back = np.unique(np.stack([links.row[rows], links.col[rows]]), axis=1, return_inverse=True)
        transmitter = links.transmitters.iloc[int(index)]
        own = transmitter.get("frequency_mhz", np.nan)
        loss = path_loss_pixels(
            terrain,
            float(transmitter["x_m"]),
            float(transmitter["y_m"]),
            pixels[0],
            pixels[1],
            model=model,
            frequency_mhz=float(own) if np.isfinite(own) else frequency_mhz,
            tx_height_agl_m=float(transmitter["tx_height_agl_m"]),
            rx_height_agl_m=float(rx),
        )
        level[rows] = float(transmitter["eirp_dbm"]) - np.asarray(loss).reshape(-1)[back.reshape(-1)]
    return level + links.antenna_db
