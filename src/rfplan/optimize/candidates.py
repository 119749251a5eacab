"""Where new sites could stand: existing and shared masts, settlements, summits, ridges and a net over the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.clutter import Clutter
from rfplan.errors import ParameterError
from rfplan.optimize.landforms import (
    net_of_high_points,
    ridge_drop_m,
    slope_deg,
    summit_relief_m,
    thin_by_distance,
)

if TYPE_CHECKING:
    from rfplan.demand import Demand, DemandGrid
    from rfplan.network import Network
    from rfplan.terrain import Terrain

#: Kinds in the order in which they win when two stand too close: an upgrade before a new mast.
KINDS = ("mast", "shared", "seat", "summit", "ridge", "grid", "sector", "taller")
#: Kinds looked for unless told otherwise; the others need a table of masts or enlarge every existing site.
DEFAULT_KINDS = ("mast", "seat", "summit", "ridge", "grid")
#: What is built at a candidate of each kind.
WORK = {
    "mast": "upgrade",
    "shared": "co-location",
    "seat": "greenfield",
    "summit": "greenfield",
    "ridge": "greenfield",
    "grid": "greenfield",
    "sector": "new sector",
    "taller": "taller mast",
}
COLUMNS = ("candidate_id", "lon_deg", "lat_deg", "x_m", "y_m", "kind", "tx_height_agl_m", "cost", "site_id")
#: Optional columns: equipment of a candidate that differs from the template's.
EQUIPMENT = ("frequency_mhz", "uplink_frequency_mhz", "bandwidth_mhz", "max_power_dbm", "antenna")


def _default_cost() -> dict[str, float]:
    return {
        "mast": 0.4, "shared": 0.5, "seat": 1.0, "summit": 1.6, "ridge": 1.4, "grid": 1.1, "sector": 0.15,
        "taller": 0.5,
    }  # fmt: skip


def _default_height_m() -> dict[str, float]:
    return {
        "mast": 40.0, "shared": 40.0, "seat": 42.0, "summit": 30.0, "ridge": 36.0, "grid": 42.0, "sector": 30.0,
        "taller": 45.0,
    }  # fmt: skip


@dataclass(frozen=True)
class CandidateRules:
    """What may be a candidate and what it costs.

    Attributes
    ----------
    kinds
        Kinds to look for, of ``mast`` (the technology on an existing site without it), ``shared`` (a mast of others,
        from a table), ``seat, summit, ridge, grid`` (new masts), ``sector`` (one more sector on a site that has the
        technology) and ``taller`` (a taller mast with sectors of its own beside the present ones).
    min_distance_to_existing_m
        Least distance from a site that already has the technology, metres.
    spacing_m
        Least distance between candidates, metres; upgrades of existing masts are exempt among themselves.
    grid_spacing_m
        Side of the net's squares, metres.
    summit_radius_m, summit_relief_m
        A summit is the highest point within the radius and stands at least the relief above its surroundings.
    ridge_radius_m, ridge_drop_m
        A ridge falls at least the drop to both sides within the radius.
    max_slope_deg
        No new mast on steeper ground (existing masts and seats are exempt).
    taller_by_m
        How much higher the antennas of a ``taller`` mast hang, metres.
    cost, tx_height_agl_m
        By kind; costs in units of one new roadside mast by default. Heights of ``mast``, ``shared``, ``sector`` and
        ``taller`` serve where the existing mast's is not known.
    max_candidates
        Upper limit; the last kinds are thinned evenly to meet it.
    """

    kinds: tuple[str, ...] = DEFAULT_KINDS
    min_distance_to_existing_m: float = 500.0
    spacing_m: float = 700.0
    grid_spacing_m: float = 3000.0
    summit_radius_m: float = 700.0
    summit_relief_m: float = 40.0
    ridge_radius_m: float = 450.0
    ridge_drop_m: float = 40.0
    max_slope_deg: float = 35.0
    taller_by_m: float = 15.0
    cost: Mapping[str, float] = field(default_factory=_default_cost)
    tx_height_agl_m: Mapping[str, float] = field(default_factory=_default_height_m)
    max_candidates: int | None = None

    def __post_init__(self) -> None:
        """Check kinds, lengths, costs and heights."""
        unknown = set(self.kinds) - set(KINDS)
        if unknown:
            raise ParameterError(f"kinds names {sorted(unknown)}; allowed are {', '.join(KINDS)}")
        for name in ("spacing_m", "grid_spacing_m", "summit_radius_m", "ridge_radius_m", "taller_by_m"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ParameterError(f"{name} = {value}: give a length above 0 m")
        for kind in self.kinds:
            if not self.cost.get(kind, -1.0) >= 0:
                raise ParameterError(f"cost has no price >= 0 for kind {kind!r}; add one or drop the kind from kinds")
            if not self.tx_height_agl_m.get(kind, 0.0) > 0:
                raise ParameterError(f"tx_height_agl_m has no height above 0 for kind {kind!r}")


@dataclass(frozen=True)
class Candidates:
    """Possible sites in a fixed order.

    Attributes
    ----------
    table
        ``candidate_id, lon_deg, lat_deg, x_m, y_m, kind, tx_height_agl_m, cost, site_id``; ``site_id`` names the
        existing site a candidate stands on and is empty otherwise. A column ``azimuth_deg`` gives single sectors their
        direction; where it is NaN the candidate has sectors at all of `azimuth_deg`.
    rules
        The rules they were found with.
    excluded
        How many places each rule dropped.
    template
        Sector equipment of every candidate (``rfplan.network.SectorTemplate``), or None for the network's default.
    azimuth_deg
        Sector directions.
    technology
        What they would bring.
    """

    table: pd.DataFrame
    rules: CandidateRules = field(default_factory=CandidateRules)
    excluded: Mapping[str, int] = field(default_factory=dict)
    template: Any = None
    azimuth_deg: tuple[float, ...] = (0.0, 120.0, 240.0)
    technology: str = "4G"

    def __post_init__(self) -> None:
        """Check the columns and that ids are unique."""
        missing = [name for name in COLUMNS if name not in self.table.columns]
        if missing:
            raise ParameterError(f"candidates lack the columns {', '.join(missing)}; needed are {', '.join(COLUMNS)}")
        if self.table["candidate_id"].duplicated().any():
            twice = self.table["candidate_id"][self.table["candidate_id"].duplicated()].iloc[0]
            raise ParameterError(f"candidate_id {twice!r} occurs twice; ids must be unique")

    def __len__(self) -> int:
        return len(self.table)

    @property
    def cost(self) -> npt.NDArray[np.float64]:
        """Cost of each candidate, float64 (n,)."""
        return self.table["cost"].to_numpy(np.float64)

    def take(self, indices: Sequence[int] | npt.NDArray[Any]) -> Candidates:
        """The candidates at the given positions, in that order."""
        table = self.table.iloc[np.asarray(indices, np.int64)].reset_index(drop=True)
        return Candidates(table, self.rules, self.excluded, self.template, self.azimuth_deg, self.technology)

    def to_network(self, indices: Sequence[int] | npt.NDArray[Any] | None = None) -> Network:
        """The candidates at `indices` (all for None) as sites of status ``candidate``, in that order."""
        from rfplan.network import Network

        table = (self if indices is None else self.take(indices)).table
        extra = [name for name in EQUIPMENT if name in table.columns]
        sites = table[["lon_deg", "lat_deg", "kind", "tx_height_agl_m", *extra]].assign(
            site_id=table["candidate_id"], name=table["candidate_id"], status="candidate", technologies=self.technology
        )
        blank = pd.Series(np.nan, index=table.index)
        single = table.get("azimuth_deg", blank).to_numpy(np.float64)
        if np.isnan(single).all():
            return Network.with_sectors(sites, self.template, self.azimuth_deg)
        whole = sites[np.isnan(single)]
        parts = [Network.with_sectors(whole, self.template, self.azimuth_deg)] if len(whole) else []
        parts += [
            Network.with_sectors(sites[single == azimuth], self.template, (float(azimuth),))
            for azimuth in np.unique(single[~np.isnan(single)])
        ]
        built = Network.concat(parts)
        order = pd.Series(np.arange(len(built.sites)), index=built.sites["site_id"])[sites["site_id"]]
        return replace(built, sites=built.sites.iloc[order.to_numpy()].reset_index(drop=True))


def find_candidates(
    terrain: Terrain,
    demand: Demand | DemandGrid,
    network: Network | None = None,
    *,
    rules: CandidateRules | None = None,
    technology: str = "4G",
    exclude: Any = None,
    template: Any = None,
    shared: pd.DataFrame | None = None,
) -> Candidates:
    """Find where new sites could stand; the same inputs give the same candidates in the same order.

    Parameters
    ----------
    terrain
        Ground and clutter.
    demand
        People and communes; candidates stand inside communes only.
    network
        Existing sites: those with `technology` keep candidates at a distance, the others are masts to upgrade.
    rules
        Spacing, exclusions, costs.
    technology
        What is to be brought.
    exclude
        Areas where nothing may be built: a shapely geometry or a list of them in longitude/latitude, or a GeoDataFrame.
    template
        Sector equipment for `Candidates.to_network`.
    shared
        Masts of others that may be used: ``site_id, lon_deg, lat_deg`` and optionally ``tx_height_agl_m``.

    Raises
    ------
    ParameterError
        If no place at all is allowed.
    """
    rules = rules or CandidateRules()
    grid: Any = demand.on_grid(terrain) if hasattr(demand, "on_grid") else demand
    ground = np.asarray(terrain.elevation_amsl_m, np.float64)
    known = np.isfinite(ground)
    inside = np.asarray(grid.commune_index) >= 0
    if not inside.any():
        inside = np.ones(ground.shape, np.bool_)
    water = np.asarray(terrain.clutter_class) == Clutter.WATER
    banned = _excluded_mask(terrain, exclude)
    steep = ~(slope_deg(ground, terrain.resolution_m) <= rules.max_slope_deg)
    possible = known & inside & ~water & ~banned
    counts = {
        "unknown ground": int((inside & ~known).sum()),
        "water": int((inside & water).sum()),
        "excluded area": int((inside & banned).sum()),
        "too steep": int((possible & steep).sum()),
    }
    have, upgrade = _existing(network, technology)
    apart = np.column_stack(terrain.xy(have["lon_deg"].to_numpy(), have["lat_deg"].to_numpy()))
    allowed = known & inside & ~banned
    parts = []
    for kind, standing in (("mast", upgrade), ("shared", shared), ("sector", have), ("taller", have)):
        if kind in rules.kinds and standing is not None:
            parts.append(_masts(terrain, standing, allowed, rules, kind))
    if "sector" in rules.kinds and network is not None:
        parts = [_aimed(part, network, technology) for part in parts]
    for kind in ("seat", "summit", "ridge", "grid"):
        if kind in rules.kinds:
            places = _places(kind, terrain, grid, possible if kind == "seat" else possible & ~steep, rules)
            parts.append(_frame_from_pixels(terrain, places, kind, rules))
    found = pd.concat([part for part in parts if len(part)] or [_frame([])], ignore_index=True)
    table = _thin(found, apart, rules, counts)
    if rules.max_candidates is not None and len(table) > rules.max_candidates:
        pick = np.unique(np.linspace(0, len(table) - 1, rules.max_candidates).round().astype(int))
        counts["over max_candidates"] = len(table) - len(pick)
        table = table.iloc[pick].reset_index(drop=True)
    if len(table) == 0:
        raise ParameterError(
            f"no candidate is left: {counts}; relax min_distance_to_existing_m, max_slope_deg or exclude, or add kinds"
        )
    table.insert(0, "candidate_id", _identifiers(table))
    columns = [*COLUMNS, *(["azimuth_deg"] if "azimuth_deg" in table.columns else [])]
    return Candidates(table[columns], rules, counts, template, technology=technology)


def _identifiers(table: pd.DataFrame) -> list[str]:
    serial: dict[str, int] = {}
    names = []
    for kind, site in zip(table["kind"], table["site_id"], strict=True):
        serial[kind] = serial.get(kind, 0) + 1
        word = "upgrade" if kind == "mast" else kind
        names.append(f"{word}-{site}" if site else f"{kind if kind == 'shared' else 'new-' + kind}-{serial[kind]:05d}")
    return names


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[name for name in COLUMNS if name != "candidate_id"])


def _frame_from_pixels(
    terrain: Terrain, pixels: npt.NDArray[np.int64], kind: str, rules: CandidateRules
) -> pd.DataFrame:
    """Pixel centres as candidates of one kind."""
    x_m = terrain.x0_m + (pixels[:, 1] + 0.5) * terrain.resolution_m
    y_m = terrain.y0_m - (pixels[:, 0] + 0.5) * terrain.resolution_m
    lon_deg, lat_deg = terrain.lonlat(x_m, y_m)
    return pd.DataFrame(
        {
            "lon_deg": lon_deg, "lat_deg": lat_deg, "x_m": x_m, "y_m": y_m, "kind": kind,
            "tx_height_agl_m": rules.tx_height_agl_m[kind], "cost": rules.cost[kind], "site_id": "",
        }
    )  # fmt: skip


def _existing(network: Network | None, technology: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sites that have the technology, and sites that could be upgraded (with their height)."""
    if network is None:
        empty = pd.DataFrame({name: np.zeros(0) for name in ("site_id", "lon_deg", "lat_deg", "tx_height_agl_m")})
        return empty, empty
    sites = network.sites.copy()
    highest = network.sectors.groupby("site_id")["tx_height_agl_m"].max()
    sites["tx_height_agl_m"] = sites["site_id"].map(highest).astype(np.float64)
    has = np.array([technology in str(value).split(";") for value in sites["technologies"]], np.bool_)
    return sites[has].reset_index(drop=True), sites[~has].reset_index(drop=True)


def _aimed(masts: pd.DataFrame, network: Network, technology: str) -> pd.DataFrame:
    """New sectors turned to the middle of the widest gap between the site's sectors of the technology."""
    if not len(masts) or masts["kind"].iloc[0] != "sector":
        return masts
    carrying = set(network.cells.loc[network.cells["technology"] == technology, "sector_id"])
    sectors = network.sectors[network.sectors["sector_id"].isin(carrying)]
    middle = {}
    for site, azimuths in sectors.groupby("site_id")["azimuth_deg"]:
        turned = np.unique(azimuths.to_numpy(np.float64) % 360.0)
        gap = np.diff(np.append(turned, turned[0] + 360.0))
        middle[str(site)] = float((turned[gap.argmax()] + gap.max() / 2.0) % 360.0)
    return masts.assign(azimuth_deg=masts["site_id"].map(middle).astype(np.float64))


def _masts(
    terrain: Terrain, upgrade: pd.DataFrame, allowed: npt.NDArray[np.bool_], rules: CandidateRules, kind: str
) -> pd.DataFrame:
    """Candidates on masts that stand, on known ground inside the communes."""
    if len(upgrade) == 0:
        return _frame([])
    x_m, y_m = terrain.xy(upgrade["lon_deg"].to_numpy(np.float64), upgrade["lat_deg"].to_numpy(np.float64))
    column = np.floor((x_m - terrain.x0_m) / terrain.resolution_m).astype(np.int64)
    row = np.floor((terrain.y0_m - y_m) / terrain.resolution_m).astype(np.int64)
    ny, nx = allowed.shape
    on_grid = (row >= 0) & (row < ny) & (column >= 0) & (column < nx)
    on_grid[on_grid] = allowed[row[on_grid], column[on_grid]]
    given = upgrade["tx_height_agl_m"].to_numpy(np.float64) if "tx_height_agl_m" in upgrade else np.zeros(len(x_m))
    height = np.where(given > 0, given + (rules.taller_by_m if kind == "taller" else 0.0), rules.tx_height_agl_m[kind])
    frame = pd.DataFrame(
        {
            "lon_deg": upgrade["lon_deg"], "lat_deg": upgrade["lat_deg"], "x_m": x_m, "y_m": y_m, "kind": kind,
            "tx_height_agl_m": height, "cost": rules.cost[kind],
            "site_id": "" if kind == "shared" else upgrade["site_id"].astype(str),
        }
    )  # fmt: skip
    inside: pd.DataFrame = frame.loc[on_grid].reset_index(drop=True)
    return inside


def _places(
    kind: str, terrain: Terrain, grid: Any, allowed: npt.NDArray[np.bool_], rules: CandidateRules
) -> npt.NDArray[np.int64]:
    """Pixels of one kind, best first, (k, 2) rows and columns."""
    if kind == "grid":
        return net_of_high_points(terrain.elevation_amsl_m, allowed, terrain.resolution_m, rules.grid_spacing_m)
    if kind == "seat":
        return _seats(np.asarray(grid.population), np.asarray(grid.commune_index), allowed)
    if kind == "summit":
        score = summit_relief_m(terrain.elevation_amsl_m, terrain.resolution_m, rules.summit_radius_m)
        limit = rules.summit_relief_m
    else:
        score = ridge_drop_m(terrain.elevation_amsl_m, terrain.resolution_m, rules.ridge_radius_m)
        limit = rules.ridge_drop_m
    good = np.flatnonzero((allowed & (score >= limit)).ravel())
    good = good[np.argsort(-score.ravel()[good], kind="stable")]
    return np.column_stack(np.unravel_index(good, score.shape)).astype(np.int64)


def _seats(
    population: npt.NDArray[np.float64], commune_index: npt.NDArray[np.int32], allowed: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """Where most people live close together in each commune: the densest 5×5 pixels' centre."""
    from scipy import ndimage

    dense = ndimage.uniform_filter(np.nan_to_num(population), size=5, mode="constant")
    usable = np.flatnonzero((allowed & (commune_index >= 0)).ravel())
    order = usable[np.lexsort((usable, -dense.ravel()[usable], commune_index.ravel()[usable]))]
    _, first = np.unique(commune_index.ravel()[order], return_index=True)
    return np.column_stack(np.unravel_index(order[first], dense.shape)).astype(np.int64).reshape(-1, 2)


def _thin(
    found: pd.DataFrame, apart: npt.NDArray[np.float64], rules: CandidateRules, counts: dict[str, int]
) -> pd.DataFrame:
    """Keep candidates away from sites that have the technology and new masts away from one another.

    What enlarges a site that has the technology stands on it and is exempt.
    """
    if len(found) == 0:
        return found
    position = found[["x_m", "y_m"]].to_numpy(np.float64)
    if len(apart):
        from scipy.spatial import cKDTree

        distance, _ = cKDTree(apart).query(position)
        near = (distance < rules.min_distance_to_existing_m) & ~found["kind"].isin(("sector", "taller")).to_numpy()
        counts["too close to an existing site"] = int(near.sum())
        found, position = found[~near].reset_index(drop=True), position[~near]
    mast = ~found["kind"].isin(("seat", "summit", "ridge", "grid")).to_numpy()
    new = np.flatnonzero(~mast)
    blocking = found["kind"].isin(("mast", "shared")).to_numpy()
    kept = thin_by_distance(position[new, 0], position[new, 1], rules.spacing_m, position[blocking])
    counts["too close to another candidate"] = len(new) - len(kept)
    return found.iloc[np.concatenate([np.flatnonzero(mast), new[kept]])].reset_index(drop=True)


def _excluded_mask(terrain: Terrain, exclude: Any) -> npt.NDArray[np.bool_]:
    """Pixels whose centre lies in an excluded area."""
    shape = np.asarray(terrain.elevation_amsl_m).shape
    if exclude is None:
        return np.zeros(shape, np.bool_)
    import geopandas as gpd
    from rasterio.features import rasterize

    if isinstance(exclude, (gpd.GeoDataFrame, gpd.GeoSeries)):
        geometry = exclude.geometry if exclude.crs is not None else exclude.geometry.set_crs("EPSG:4326")
    else:
        shapes = list(exclude) if isinstance(exclude, (list, tuple)) else [exclude]
        geometry = gpd.GeoSeries(shapes, crs="EPSG:4326")
    areas = [area for area in geometry.to_crs(terrain.crs) if area is not None and not area.is_empty]
    if not areas:
        return np.zeros(shape, np.bool_)
    burned = rasterize([(area, 1) for area in areas], out_shape=shape, transform=terrain.transform, dtype="uint8")
    return np.asarray(burned == 1)
