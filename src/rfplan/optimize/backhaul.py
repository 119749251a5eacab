"""Backhaul: fibre within reach, or chains of line-of-sight microwave hops, as a tree from the fibre to every site."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.errors import ParameterError
from rfplan.optimize.hops import BackhaulRules, Hops, Masts, clear_hops

if TYPE_CHECKING:
    from rfplan.terrain import Terrain

NODE_COLUMNS = ("node_id", "lon_deg", "lat_deg", "height_agl_m")


@dataclass(frozen=True, eq=False)
class BackhaulPlan:
    """A backhaul tree.

    Attributes
    ----------
    links
        A row a hop, towards the fibre: ``from_id, to_id, distance_m, clearance_m`` (least over the path, beyond the
        wanted share of the first Fresnel zone), ``availability_percent, load_mbps, cost``.
    nodes
        A row a node in use: ``node_id, role`` (``fibre``, ``site`` or ``relay``), ``hops`` to the fibre, and
        ``fibre_m``, the distance to the fibre route that serves it (0 where it has fibre already, NaN without).
    unconnected
        ``node_id, reason`` of each site that cannot be connected.
    cost
        Of all hops, of fibre from the routes, and of the relays that had to be equipped.
    """

    links: pd.DataFrame
    nodes: pd.DataFrame
    unconnected: pd.DataFrame
    cost: float


def plan_backhaul(
    terrain: Terrain,
    sites: pd.DataFrame,
    *,
    fibre: Any = None,
    connected: pd.DataFrame | None = None,
    relays: pd.DataFrame | None = None,
    rules: BackhaulRules | None = None,
) -> BackhaulPlan:
    """Connect every site to the fibre at little cost.

    The tree grows from the fibre: the site that is cheapest to reach next is connected, over free relays where that is
    cheaper, within the hop and capacity limits (Takahashi and Matsuyama's heuristic for Steiner trees; at most twice
    the least cost where no limit binds).

    Parameters
    ----------
    terrain
        Ground and clutter the hops must clear.
    sites
        To be connected: ``node_id, lon_deg, lat_deg, height_agl_m`` and optionally ``load_mbps``.
    fibre
        Fibre routes in longitude/latitude: a shapely geometry, a list of them, or a GeoDataFrame.
    connected
        Nodes that have fibre (or other backhaul) already; same columns.
    relays
        Masts that may be used on the way; same columns and optionally ``cost``.
    rules
        Reach, hop limits, frequency, availability, costs.

    Raises
    ------
    ParameterError
        If columns are missing, ids repeat, or there is neither fibre nor a connected node.
    """
    rules = rules or BackhaulRules()
    if fibre is None and (connected is None or len(connected) == 0):
        raise ParameterError("there is nothing to connect to: give fibre routes or connected nodes")
    nodes = _nodes(sites, connected, relays, rules)
    masts = Masts.on(terrain, nodes["lon_deg"], nodes["lat_deg"], nodes["height_agl_m"])
    fibre_m = np.where(nodes["role"] == "connected", 0.0, fibre_distance_m(terrain, masts, fibre))
    root = fibre_m <= rules.fibre_reach_m
    hops = clear_hops(terrain, masts, root, rules)
    tree = _grow(nodes, root, hops, rules)
    return _plan(nodes, np.where(root, fibre_m, np.nan), hops, tree, rules)


def reachable(hops: Hops, root: npt.NDArray[np.bool_], max_hops: int) -> npt.NDArray[np.bool_]:
    """Nodes that some chain of at most `max_hops` clear hops joins to a root."""
    reached = root.copy()
    front = root.copy()
    for _ in range(max_hops):
        ahead = np.zeros(len(root), np.bool_)
        ahead[hops.pairs[front[hops.pairs[:, 0]], 1]] = True
        ahead[hops.pairs[front[hops.pairs[:, 1]], 0]] = True
        front = ahead & ~reached
        reached |= front
    return reached


def _nodes(
    sites: pd.DataFrame, connected: pd.DataFrame | None, relays: pd.DataFrame | None, rules: BackhaulRules
) -> pd.DataFrame:
    parts = []
    for role, table in (("site", sites), ("connected", connected), ("relay", relays)):
        if table is None or len(table) == 0:
            continue
        missing = [name for name in NODE_COLUMNS if name not in table.columns]
        if missing:
            raise ParameterError(f"the {role} table lacks {', '.join(missing)}; needed are {', '.join(NODE_COLUMNS)}")
        load = table["load_mbps"] if "load_mbps" in table.columns else rules.site_load_mbps
        cost = table["cost"] if "cost" in table.columns else rules.relay_cost
        part = table[list(NODE_COLUMNS)].assign(role=role, load_mbps=load if role == "site" else 0.0)
        parts.append(part.assign(open_cost=cost if role == "relay" else 0.0))
    if not parts:
        raise ParameterError("there are no sites to connect")
    nodes = pd.concat(parts, ignore_index=True)
    twice = nodes["node_id"][nodes["node_id"].duplicated()]
    if len(twice):
        raise ParameterError(f"node_id {twice.iloc[0]!r} occurs twice among sites, connected nodes and relays")
    return nodes


def fibre_distance_m(terrain: Terrain, masts: Masts, fibre: Any) -> npt.NDArray[np.float64]:
    """Distance from each node to the nearest fibre route, m; infinite where there is none."""
    if fibre is None:
        return np.full(len(masts.x_m), np.inf)
    import geopandas as gpd
    import shapely

    if isinstance(fibre, (gpd.GeoDataFrame, gpd.GeoSeries)):
        lines = fibre.geometry if fibre.crs is not None else fibre.geometry.set_crs("EPSG:4326")
    else:
        lines = gpd.GeoSeries(list(fibre) if isinstance(fibre, (list, tuple)) else [fibre], crs="EPSG:4326")
    routes = [line for line in lines.to_crs(terrain.crs) if line is not None and not line.is_empty]
    distance = np.full(len(masts.x_m), np.inf)
    if routes:
        tree = shapely.STRtree(routes)
        (index, _), near = tree.query_nearest(shapely.points(masts.x_m, masts.y_m), return_distance=True)
        distance[index] = near
    return distance


@dataclass
class _Tree:
    """The growing tree: parent hop of each node, hops to the root, and load carried towards it."""

    parent: npt.NDArray[np.int64]
    hop: npt.NDArray[np.int64]
    depth: npt.NDArray[np.int64]
    load_mbps: npt.NDArray[np.float64]

    def room(self, node: int, capacity_mbps: float) -> float:
        """What may still be added below `node` before a hop towards the root is full."""
        room = capacity_mbps
        while self.parent[node] >= 0:
            room = min(room, capacity_mbps - self.load_mbps[node])
            node = int(self.parent[node])
        return room


def _grow(nodes: pd.DataFrame, root: npt.NDArray[np.bool_], hops: Hops, rules: BackhaulRules) -> _Tree:
    n = len(nodes)
    tree = _Tree(np.full(n, -1), np.full(n, -1), np.where(root, 0, -1), np.zeros(n))
    waiting = set(np.flatnonzero((nodes["role"] == "site").to_numpy() & ~root).tolist())
    load = nodes["load_mbps"].to_numpy(np.float64)
    links: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    for number, (a, b) in enumerate(hops.pairs.tolist()):
        links[a].append((b, number))
        links[b].append((a, number))
    open_cost = nodes["open_cost"].to_numpy(np.float64)
    while waiting:
        path = _cheapest_path(tree, links, hops.cost, open_cost, waiting, load, rules)
        if path is None:
            break
        for parent, node, number in path:
            tree.parent[node], tree.hop[node], tree.depth[node] = parent, number, tree.depth[parent] + 1
            waiting.discard(node)
        for _, node, _ in path:
            step = node
            while load[node] > 0 and tree.parent[step] >= 0:
                tree.load_mbps[step] += load[node]
                step = int(tree.parent[step])
    return tree


def _cheapest_path(
    tree: _Tree,
    links: list[list[tuple[int, int]]],
    cost: npt.NDArray[np.float64],
    open_cost: npt.NDArray[np.float64],
    waiting: set[int],
    load: npt.NDArray[np.float64],
    rules: BackhaulRules,
) -> list[tuple[int, int, int]] | None:
    """The cheapest chain from the tree to a waiting site: (parent, node, hop) from the tree outwards, or None.

    Labels are (cost, hops to the root): a dearer label with fewer hops is kept, so the hop limit loses no chain.
    """
    reached = [v for v in np.flatnonzero(tree.depth >= 0).tolist() if links[v]]
    rooms = {v: tree.room(v, rules.hop_capacity_mbps) for v in reached}
    heap: list[tuple[float, int, int, int]] = []
    labels: list[tuple[int, int, int]] = []  # (node, label before, hop)
    for node, room in rooms.items():
        if room > 0:
            labels.append((node, -1, -1))
            heap.append((0.0, int(tree.depth[node]), node, len(labels) - 1))
    heapq.heapify(heap)
    fewest: dict[int, int] = {}
    room_of = [rooms[label[0]] for label in labels]
    while heap:
        paid, depth, node, label = heapq.heappop(heap)
        if fewest.get(node, rules.max_hops + 1) <= depth:
            continue
        fewest[node] = depth
        if node in waiting and load[node] <= room_of[label]:
            path = []
            while labels[label][1] >= 0:
                before = labels[label][1]
                path.append((labels[before][0], labels[label][0], labels[label][2]))
                label = before
            return path[::-1]
        if depth >= rules.max_hops or (node in waiting):
            continue
        for other, number in links[node]:
            if tree.depth[other] < 0 and fewest.get(other, rules.max_hops + 1) > depth + 1:
                labels.append((other, label, number))
                room_of.append(room_of[label])
                heapq.heappush(heap, (paid + cost[number] + open_cost[other], depth + 1, other, len(labels) - 1))
    return None


def _plan(
    nodes: pd.DataFrame, fibre_m: npt.NDArray[np.float64], hops: Hops, tree: _Tree, rules: BackhaulRules
) -> BackhaulPlan:
    root = np.isfinite(fibre_m)
    ids = nodes["node_id"].to_numpy(dtype=object)
    role = nodes["role"].to_numpy(dtype=object)
    used = np.flatnonzero(tree.parent >= 0)
    number = tree.hop[used]
    links = pd.DataFrame(
        {
            "from_id": ids[used],
            "to_id": ids[tree.parent[used]],
            "distance_m": hops.distance_m[number],
            "clearance_m": hops.clearance_m[number],
            "availability_percent": hops.availability_percent[number],
            "load_mbps": tree.load_mbps[used],
            "cost": hops.cost[number],
        }
    )
    # Nodes that had fibre before count only where a hop ends at them.
    in_use = np.flatnonzero((tree.parent >= 0) | (root & (role == "site")) | np.isin(np.arange(len(ids)), tree.parent))
    lost = np.flatnonzero((role == "site") & ~root & (tree.parent < 0))
    can = reachable(hops, root, rules.max_hops)
    far = reachable(hops, root, len(ids))
    reason = np.where(
        can[lost],
        "the hops towards the fibre are full",
        np.where(far[lost], f"more than {rules.max_hops} hops from the fibre", "no clear hop leads to the fibre"),
    )
    relays = (tree.parent >= 0) & (role == "relay")
    spur_km = float(np.nansum(fibre_m[in_use])) / 1000.0
    return BackhaulPlan(
        links=links,
        nodes=pd.DataFrame(
            {
                "node_id": ids[in_use],
                "role": np.where(root[in_use], "fibre", role[in_use]),
                "hops": np.maximum(tree.depth[in_use], 0),
                "fibre_m": fibre_m[in_use],
            }
        ),
        unconnected=pd.DataFrame({"node_id": ids[lost], "reason": reason}),
        cost=float(links["cost"].sum() + nodes.loc[relays, "open_cost"].sum() + spur_km * rules.fibre_cost_per_km),
    )
